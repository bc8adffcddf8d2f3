"""States that coexist: maxima of the orbit-averaged W, with weights, barriers and switching rates.

Between two wells i and j the slow rate λ = k_ij + k_ji of the diffusion in energy lies between two
bounds. With M the probability on the side of i of an orbit, and Z that of each well or of both,

∫ M (Z − M)/(4 K w Z) dE = Σ 1/λ_n ≥ 1/λ ≥ (Z_i Z_j/Z) [∫_i (M/Z_i)² + ∫_j ((Z−M)/Z_j)²] dE/(4 K w);

the first is the sum over all its modes, the second the mean of 1/λ_n over those of a step from one
well to the other. They agree up to the times of relaxation within the wells: for rare switching.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from scipy.special import logsumexp

from wheelwork._checks import FloatArray
from wheelwork.numerics.work import tick
from wheelwork.phase_space.coexistence.basins import Basins, Ridge
from wheelwork.phase_space.coexistence.orbit_cells import Cells, IntArray, cut
from wheelwork.phase_space.coexistence.orbit_tree import (
    Family,
    Landscape,
    loss_per_round,
    modulation,
    orbit_families,
)
from wheelwork.phase_space.domain import reach_of_wells
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, tabulated_rates
from wheelwork.phase_space.stationary.orbit_distribution import OrbitDistribution
from wheelwork.phase_space.stationary.stationary_state import Stationary

RTOL = 1e-6  # of the tables: their errors are magnified by the rise of ln w
TABLES_SHARE = 1e-3  # of RTOL, for the rates that the others are made of
RECROSSING_ERROR = 0.5  # of the correction itself
NEAR_END = 0.9  # of t: an orbit that ends close to a maximum of U
SADDLE_STEP = 1e-4  # of the landscape, for the second derivative of U
RADII = 1000  # at which W of a solution is looked at for maxima
SAMPLES = 64  # orbits of a family on which its error is estimated
LARGEST_LOG = 700.0  # of what floating point holds


@dataclass(frozen=True)
class Well:
    """One of the states that coexist.

    weight: its probability in the steady state. barrier: ln of W at its maximum over W at the
    lowest ridge around it; infinite for the only state. switching_rate: out of it, a rate in units
    of energy; log_switching_rate: its logarithm, finite where the rate is below 1e-308.
    phonon_number: its mean within the well. Each with its estimated absolute error. X: mean of
    x/x0 within the well.
    contains_rest: whether a run that starts at rest (x = p = 0) is in this well.
    """

    weight: float
    weight_error: float
    barrier: float
    barrier_error: float
    switching_rate: float
    switching_rate_error: float
    log_switching_rate: float
    log_switching_rate_error: float
    phonon_number: float
    phonon_number_error: float
    X: float
    contains_rest: bool

    @property
    def lifetime(self) -> float:
        """1/switching_rate, in units of 1/energy; infinite beyond 1e308."""
        return float(np.exp(min(-self.log_switching_rate, LARGEST_LOG)))

    @property
    def lifetime_error(self) -> float:
        """Estimated absolute error of `lifetime`; zero where nothing switches."""
        return self.lifetime * float(np.expm1(min(self.log_switching_rate_error, LARGEST_LOG)))


@dataclass(frozen=True, eq=False, repr=False)
class Wells(Sequence[Well]):
    """All states that coexist, in the order of their phonon numbers; mostly, one.

    rates: k from each well (rows) to each other, (wells, wells), in units of energy; zero between
    wells without a common ridge. E, log_density, well: along the orbits outwards, (nodes,), their
    energy P² + U in quanta above the lowest minimum of the potential, ln W over its largest value,
    and the index of the well that they belong to.
    """

    wells: tuple[Well, ...]
    rates: FloatArray
    E: FloatArray
    log_density: FloatArray
    well: IntArray

    def __len__(self) -> int:
        return len(self.wells)

    @overload
    def __getitem__(self, index: int) -> Well: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Well, ...]: ...
    def __getitem__(self, index: Any) -> Any:
        return self.wells[index]

    def __repr__(self) -> str:
        return f"Wells({self.summary})"

    @property
    def from_rest(self) -> Well | None:
        """What a run that starts at rest sees; None where rest lies on a ridge between wells."""
        return next((well for well in self.wells if well.contains_rest), None)

    @property
    def summary(self) -> str:
        """One sentence: phonon number, probability and lifetime of each, and where rest is."""
        if len(self) == 1:
            return "one state"
        states = (
            f"{one.phonon_number:.4g} quanta{' (from rest)' if one.contains_rest else ''}, "
            f"probability {one.weight:.2g}, for {_exponential(-one.log_switching_rate)}/energy"
            for one in self.wells
        )
        return f"{len(self)} states coexist: {'; '.join(states)}"


def _exponential(logarithm: float) -> str:
    """Write e^logarithm in decimals, however large."""
    if abs(logarithm) < LARGEST_LOG:
        return f"{math.exp(logarithm):.2g}"
    return f"1e{logarithm / math.log(10.0):+.0f}"


def find_wells(model: PhaseSpaceModel) -> Wells:
    """Return the states of `model` that coexist, by averages over its undamped orbits.

    Valid where friction is weak, γ ≪ ω0: then exact for rare switching; the errors tell how far.
    Between minima of the potential rates hold for any friction that is the same at all x, to some
    25 %. Takes a tenth of a second; most of it the rates of the model. Raises as `find_domain`.
    """
    reach = reach_of_wells(model)
    rates = tabulated_rates(model, reach, TABLES_SHARE * RTOL)
    landscape = Landscape(model.frequency, rates)
    families = orbit_families(landscape, RTOL)
    tree = Basins(cut(families))
    passages = [_passage(landscape, families, tree, one) for one in tree.ridges]
    variation = [
        _variation(landscape, families, tree.cells, tree.probable(k))
        for k in range(len(tree.peaks))
    ]
    return _assembled(tree, passages, variation, _at_rest(landscape, families, tree))


@dataclass(frozen=True)
class _Passage:
    """Switching over one ridge: ln of the rates, there and back, with the error of both.

    spread: error of ln W between the two maxima. overlap: time within the wells over 1/λ.
    """

    wells: tuple[int, int]
    log_density: float
    log_rates: tuple[float, float]
    error: float
    spread: float
    overlap: float


def _passage(
    landscape: Landscape, families: Sequence[Family], tree: Basins, one: Ridge
) -> _Passage:
    tick("rates of switching")
    cells, masses = tree.cells, [tree.log_mass[k] for k in one.wells]
    ends = zip(one.wells, one.nodes, masses, strict=True)
    first, second = (tree.side(well, node, mass) for well, node, mass in ends)
    edge = float(cells.log_resistance[one.edge])
    resistance = float(logsumexp([first.resistance, second.resistance, edge]))
    slow = (
        masses[0] + masses[1] - float(np.logaddexp(masses[0], masses[1])) + resistance
    )  # ln of 1/λ
    overlap = float(np.exp(np.logaddexp(first.relaxation, second.relaxation) - slow))
    path = np.array(first.path[::-1] + second.path)
    recrossing = _recrossing(landscape, families, cells, path)
    spread = _variation(landscape, families, cells, path)
    spread += RTOL * float(np.sum(np.abs(np.diff(cells.log_density[path]))))
    rates = recrossing - masses[0] - resistance, recrossing - masses[1] - resistance
    error = math.log1p(overlap) + spread + RECROSSING_ERROR * abs(recrossing)
    return _Passage(one.wells, one.log_density, rates, error, spread, overlap)


def _assembled(
    tree: Basins, passages: Sequence[_Passage], variation: Sequence[float], rest: int
) -> Wells:
    """Put the wells together, in the order of their phonon numbers.

    variation: error of ln W within each well. rest: the well that contains it, −1 for none.
    """
    cells, count = tree.cells, len(tree.peaks)
    log_rates = np.full((count, count), -np.inf)
    barrier, error = np.full(count, np.inf), np.zeros(count)
    shape = np.array(variation) + RTOL  # error of probabilities within the well, relative
    for one in passages:
        for a, b, log_rate in zip(one.wells, one.wells[::-1], one.log_rates, strict=True):
            log_rates[a, b] = np.logaddexp(log_rates[a, b], log_rate)
            barrier[a] = min(barrier[a], cells.log_density[tree.peaks[a]] - one.log_density)
            error[a] = max(error[a], one.error)
            shape[a] = max(shape[a], one.spread + one.overlap)
    spread = shape if count > 1 else np.zeros(1)
    log_out = logsumexp(log_rates, axis=1)
    log_weight = np.array(tree.log_mass) - logsumexp(tree.log_mass)
    wells = []
    for k in range(count):
        own = tree.label == k
        share = np.exp(cells.log_mass[own] - tree.log_mass[k])
        weight, rate = float(np.exp(log_weight[k])), float(np.exp(log_out[k]))
        others = float(np.sum(np.exp(np.delete(log_weight, k))))
        number = float(share @ cells.square[own]) - 0.5
        wells.append(
            Well(
                weight, weight * others * float(spread[k]),
                float(barrier[k]), float(spread[k]),
                rate, float(rate * np.expm1(min(error[k], LARGEST_LOG))),
                float(log_out[k]), float(error[k]),
                number, (abs(number) + 0.5) * float(shape[k]),
                float(share @ cells.position[own]), k == rest,
            )
        )  # fmt: skip
    order = sorted(range(count), key=lambda k: (round(wells[k].phonon_number, 6), wells[k].X))
    rank = np.empty(count, dtype=np.intp)
    rank[order] = np.arange(count)
    return Wells(
        tuple(wells[k] for k in order),
        np.exp(log_rates[np.ix_(order, order)]),
        cells.energy - np.min(cells.energy),
        cells.log_density - np.max(cells.log_density),
        rank[tree.label],
    )


def _recrossing(
    landscape: Landscape, families: Sequence[Family], cells: Cells, path: IntArray
) -> float:
    """Return ln of the rate over a maximum of the potential, over that of diffusion in energy.

    Where the energy lost in one round is not small, and where friction is strong at the maximum:
    V. I. Mel'nikov and S. V. Meshkov, J. Chem. Phys. 85, 1018 (1986).
    """
    lowest = float(np.min(cells.log_density[path]))
    joint = [k for k, node in enumerate(path) if cells.log_density[node] <= lowest + 1e-9]
    ends = path[max(joint[0] - 1, 0)], path[min(joint[-1] + 1, len(path) - 1)]
    sides = [int(cells.family[node]) for node in ends]
    if sides[0] == sides[1]:
        return 0.0
    first, second = (loss_per_round(landscape, families[k], NEAR_END) for k in sides)
    excess = depopulation(first) + depopulation(second) - depopulation(first + second)
    return (
        excess
        - math.log(first * second / (first + second))
        + math.log(_transmission(landscape, families, sides))
    )


def _transmission(landscape: Landscape, families: Sequence[Family], sides: Sequence[int]) -> float:
    """Return Kramers' factor of strong friction, at the maximum of U where families meet."""
    ends = [set(families[k].outer) for k in sides]
    X = np.array(sorted(ends[0] & ends[1])[:1] or [families[min(sides)].outer[1]])
    step = SADDLE_STEP * (landscape.high - landscape.low)
    bend = (landscape.slope(X + step) - landscape.slope(X - step))[0] / (2.0 * step)
    rate = landscape.frequency * math.sqrt(0.5 * abs(float(bend)))
    ratio = abs(float(landscape.rates(X)[1, 0])) / (2.0 * rate)
    return math.hypot(1.0, ratio) - ratio


def depopulation(loss: float) -> float:
    """Return ln Υ of the energy lost in a round over the temperature; ln `loss` if it is small."""
    theta = np.pi * ((np.arange(2000) + 0.5) / 2000 - 0.5)
    return float(np.mean(np.log(-np.expm1(-loss / (4.0 * np.cos(theta) ** 2)))))


def _variation(
    landscape: Landscape, families: Sequence[Family], cells: Cells, path: IntArray
) -> float:
    """Return the error of ln W along a path: of second order in its modulation along orbits."""
    largest = 0.0
    for k in np.unique(cells.family[path]):
        own = cells.energy[path[cells.family[path] == k]]
        t = (np.arange(SAMPLES) + 0.5) / SAMPLES
        E = families[k].energy(t)[0]
        between = (np.min(own) <= E) & (np.max(own) >= E)
        size = modulation(landscape, families[k], t)[between]
        largest = max(largest, float(np.max(size, initial=0.0)) ** 2)
    return largest


def _at_rest(landscape: Landscape, families: Sequence[Family], tree: Basins) -> int:
    """Return the well of the orbit through X = P = 0; −1 where it is a ridge between wells."""
    energy, cells = float(landscape.energy(np.zeros(1))[0]), tree.cells
    for k, family in enumerate(families):  # children come first
        if family.outer[0] <= 0.0 <= family.outer[1] and energy <= family.high:
            own = np.flatnonzero(cells.family == k)
            node = int(own[np.argmin(np.abs(cells.energy[own] - energy))])
            near = {int(tree.label[node]), *(int(tree.label[n]) for n in tree.joined(node))}
            return near.pop() if len(near) == 1 else -1
    return -1


def has_one_maximum(stationary: Stationary) -> bool:
    """Whether W of a solution on orbits has one maximum along them; False where that is unknown.

    Costs next to nothing. There may be other states all the same, of a weight below e^-39.
    """
    if not isinstance(stationary.distribution, OrbitDistribution):
        return False
    orbits = stationary.distribution.orbits
    rising = orbits.slope(np.linspace(0.0, orbits.radius, RADII))[0] > 0.0
    return int(np.sum(rising[:-1] & ~rising[1:])) + int(not rising[0]) <= 1
