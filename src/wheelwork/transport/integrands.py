"""The integrands over frequency, split into factors that depend on x and factors that do not.

With K = sum kappa, z = w - epsilon_x - Re chi and |G|^2 = 1 / (z^2 + K^2/4), every quantity is an
integral of |G|^2 or |G|^4 against functions of frequency alone, which `Bath` holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.transport.leads import Filling, Lead, filling, filling_difference
from wheelwork.transport.lineshapes import Sample

# Floor of K^2/4, which keeps |G|^4 finite in the middle of a gap. It stands for a width of 1e-75,
# far below any that could be resolved.
_SMALLEST = 1e-150


@dataclass(frozen=True, eq=False, repr=False)
class Bath:
    """Contributions of the leads at given frequencies, shape (panels, nodes) each.

    shift: Re chi, summed over leads. half_width: K/2. numerators: factors of |G|^2, then the two of
    |G|^4: one more axis in front, as `quantities`.
    """

    shift: FloatArray
    half_width: FloatArray
    numerators: FloatArray


def quantities(leads: int) -> list[str | tuple[str, int, int]]:
    """Names of the integrals in order; currents run between pairs of leads, (name, from, to)."""
    pairs = list(combinations(range(leads), 2))
    currents = [(name, *pair) for pair in pairs for name in ("particle", "energy")]
    return ["spectral_weight", "occupation", *currents, "diffusion", "friction"]


def bath(leads: tuple[Lead, ...], frequency: FloatArray) -> Bath:
    """Evaluate line shapes and Fermi functions of all `leads` at `frequency`.

    The friction, with a = K |G|^2, g = |G|^2 sum kappa f (empty states: a - g), is

        m gamma = F^2 int dw/2pi g (a - g)'
                = F^2/2 int dw/2pi |G|^4 [K sum kappa_i f_i (1 - f_i)/T_i
                  - sum_{i<j} (kappa_i' kappa_j - kappa_i kappa_j') (f_i - f_j)],

    by int g (a - g)' = -1/2 int a^2 phi', phi = g/a (integration by parts): no derivative of G is
    left, nothing cancels, and D = 2 T m gamma holds node by node at equilibrium. The prefactor F^2
    is applied by `resonant_level` (derived in docs/developers/phase-space.md).
    """
    samples, fillings, kappa, occupied, empty = lead_sums(leads, frequency)
    cooling = kappa * _sum(
        s.kappa * (f.occupied * f.empty / lead.temperature)
        for s, f, lead in zip(samples, fillings, leads, strict=True)
    )
    rows = [kappa, occupied]
    for a, b in combinations(range(len(leads)), 2):
        difference = filling_difference((leads[a], fillings[a]), (leads[b], fillings[b]))
        flow = samples[a].kappa * samples[b].kappa * difference
        rows += [flow, frequency * flow]
        bend = samples[a].slope * samples[b].kappa - samples[a].kappa * samples[b].slope
        cooling = cooling - bend * difference
    rows += [occupied * empty, 0.5 * cooling]
    return Bath(_sum(sample.shift for sample in samples), 0.5 * kappa, np.stack(rows))


def occupied_and_empty(
    leads: tuple[Lead, ...], level: FloatArray, detuning: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return g and a - g at w = `level` + `detuning`, each without cancellation."""
    samples, _, kappa, occupied, empty = lead_sums(leads, level + detuning)
    z, half_width = detuning - _sum(sample.shift for sample in samples), 0.5 * kappa
    green = 1.0 / (z * z + np.maximum(half_width * half_width, _SMALLEST))
    return green * occupied, green * empty


def panel_integrals(
    bath: Bath, weights: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Integrate every quantity over every panel, for every level sharing it.

    `weights` is (2, panels, nodes), `z` = w - epsilon_x - Re chi is (panels, levels, nodes).
    Returns the integrals over dw/2pi and their error estimates, (panels, levels, quantities) each.
    """
    green = z * z
    green += np.maximum(bath.half_width * bath.half_width, _SMALLEST)[:, None]
    np.reciprocal(green, out=green)
    weighted = bath.numerators[:, None] * (weights / (2.0 * np.pi))
    first = _contract(green, weighted[:-2])
    np.multiply(green, green, out=green)
    both = np.concatenate([first, _contract(green, weighted[-2:])], axis=2)
    return both[..., 0], np.abs(both[..., 1])


def lead_sums(
    leads: tuple[Lead, ...], frequency: FloatArray
) -> tuple[list[Sample], list[Filling], FloatArray, FloatArray, FloatArray]:
    """Return line shapes, fillings, and the sums of kappa, kappa f and kappa (1 - f) over leads.

    No sum cancels.
    """
    samples = [lead.lineshape.sample(frequency) for lead in leads]
    fillings = [filling(lead, frequency) for lead in leads]
    occupied = _sum(s.kappa * f.occupied for s, f in zip(samples, fillings, strict=True))
    empty = _sum(s.kappa * f.empty for s, f in zip(samples, fillings, strict=True))
    return samples, fillings, _sum(sample.kappa for sample in samples), occupied, empty


def _sum(arrays: Iterable[FloatArray]) -> FloatArray:
    return reduce(np.add, arrays)


def _contract(green: FloatArray, weighted: FloatArray) -> FloatArray:
    """Sum over nodes: (m, x, k) with (q, 2, m, k) gives (m, x, q, 2)."""
    count, rules, panels, nodes = weighted.shape
    columns = weighted.transpose(2, 3, 0, 1).reshape(panels, nodes, count * rules)
    sums = np.matmul(green, columns)
    return np.asarray(sums.reshape(panels, green.shape[1], count, rules))
