"""Linear means and reduced states of a quantum state of a power grid."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.quantum.fock_space import IndexArray
from wheelwork.machines.power_grid.quantum.model import QuantumModel
from wheelwork.machines.power_grid.quantum.rates import GridRates
from wheelwork.parameters import ShortRepr

StateVector = npt.NDArray[np.inexact]

ROUNDING = 4.0 * float(np.finfo(np.float64).eps)  # of a flow: products and a short sum


@dataclass(frozen=True, eq=False, repr=False)
class Moments(ShortRepr):
    """Means of one state, or of a vector that it may be off by, in units of `GridRates.unit`.

    Per node, (N,): occupation ⟨n⟩; injected, extracted and dissipated quanta per time, the last
    net of what the surroundings give. Per edge (u, v), (E,): current ⟨J⟩; square ⟨J²⟩ and normal
    ⟨:J²:⟩, with J = (g/2i)(a_u†a_v − a_v†a_u).
    """

    occupation: FloatArray
    injected: FloatArray
    extracted: FloatArray
    dissipated: FloatArray
    current: FloatArray
    square: FloatArray
    normal: FloatArray

    @classmethod
    def of(
        cls, model: QuantumModel, vector: npt.NDArray[Any], *, magnitudes: bool = False
    ) -> "Moments":
        """Return the means of a vector; with `magnitudes` the most that they are for any phases."""
        rates, space, equation = model.rates, model.space, model.equation
        if magnitudes:
            vector = np.abs(vector)
        n, p = space.all_occupations, vector[equation.diagonal].real
        means: dict[str, FloatArray] = {"occupation": p @ n.astype(np.float64)}
        injected, extracted = model.element_flows(n)
        dissipated = rates.dampings * n - rates.heating
        flows = {"injected": injected, "extracted": extracted, "dissipated": dissipated}
        for name, flow in flows.items():
            means[name] = p @ (np.abs(flow) if magnitudes else flow)
        blocks, ends = equation.blocks(vector), model.parameters.edge_indices
        edges = [_edge_correlation(model, blocks, u, v) for u, v in ends.tolist()]
        single, pair = np.array([each[:2] for each in edges], np.complex128).reshape(-1, 2).T
        product = np.array([each[2] for each in edges], np.float64)
        g, (u, v) = rates.couplings, ends.T
        if magnitudes:
            means["current"], square = np.abs(g * single), product + np.abs(pair)
        else:
            means["current"], square = g * single.imag, product - pair.real
        means["normal"] = 0.5 * g**2 * square
        both = means["occupation"][u] + means["occupation"][v]
        means["square"] = means["normal"] + 0.25 * g**2 * both
        return cls(**means)

    def scaled(self, unit: float) -> "Moments":
        """Rates in another unit, which is `unit` of the new; of squares ± ∞ where they overflow."""
        powers = {"occupation": 0, "square": 2, "normal": 2}
        numbers = {each.name: getattr(self, each.name) for each in fields(self)}
        with np.errstate(over="ignore"):
            for name in numbers:
                for _ in range(powers.get(name, 1)):
                    numbers[name] = unit * numbers[name]
        return Moments(**numbers)

    def plus_rounding(self, rates: GridRates, moments: "Moments") -> "Moments":
        """These errors plus the rounding of what nodes dissipate: two flows that may cancel."""
        gross = rates.dampings * moments.occupation + rates.heating
        return replace(self, dissipated=self.dissipated + ROUNDING * gross)

    def widened(self, other: "Moments") -> "Moments":
        """These plus the magnitudes of others."""
        names = [each.name for each in fields(self)]
        return Moments(*(getattr(self, name) + np.abs(getattr(other, name)) for name in names))


def _edge_correlation(
    model: QuantumModel, blocks: Sequence[npt.NDArray[Any]], u: int, v: int
) -> tuple[complex, complex, float]:
    """⟨a_u†a_v⟩, ⟨a_u†²a_v²⟩ and ⟨n_u n_v⟩."""
    space = model.space
    phase = model.phases[u].conj() * model.phases[v]
    single, pair, product = 0.0j, 0.0j, 0.0
    for K, n in enumerate(space.occupations):
        product += float(blocks[K].diagonal().real @ (n[:, u] * n[:, v]))
        if space.cutoff >= K + 1:
            up, vp = space.above[K][u], space.above[K][v]
            amplitude = np.sqrt((n[:, u] + 1.0) * (n[:, v] + 1.0))
            single += amplitude @ blocks[K + 1][vp, up]
        if space.cutoff >= K + 2:
            uu, vv = space.above[K + 1][u][up], space.above[K + 1][v][vp]
            amplitude = amplitude * np.sqrt((n[:, u] + 2.0) * (n[:, v] + 2.0))
            pair += amplitude @ blocks[K + 2][vv, uu]
    return complex(phase * single), complex(phase**2 * pair), product


def gross_flow(rates: GridRates, moments: Moments, rtol: float) -> float:
    """Quanta per time that elements exchange and surroundings take: the scale of currents.

    At least what `rtol` quanta would give at the fastest rate of jumps.
    """
    quanta = moments.injected + moments.extracted + rates.dampings * moments.occupation
    return max(float(np.sum(quanta)), rtol * rates.fastest_jump)


def standard_deviation(variance: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return √variance and its error; NaN where the variance is negative beyond its error."""
    variance = np.where((variance < 0.0) & (variance >= -error), 0.0, variance)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(variance)
        above = np.sqrt(variance + error) - root
        below = root - np.sqrt(np.maximum(variance - error, 0.0))
    return root, np.maximum(above, below)


def joint_state(
    model: QuantumModel, values: StateVector, first: Sequence[int], second: Sequence[int]
) -> tuple[sp.csr_array, tuple[int, int]]:
    """Return the state of two sets of nodes, all others traced out, and the sizes of the sets.

    The index of the second set varies fastest; each set's basis is its occupations in
    lexicographic order, those that the cutoff allows. In the gauge of the model.
    """
    (one, dA), (two, dB) = _numbered(model, first), _numbered(model, second)
    return _traced(model, values, one * dB + two, dA * dB, {*first, *second}), (dA, dB)


def product_state(
    model: QuantumModel, values: StateVector, modes: Sequence[int]
) -> tuple[sp.csr_array, tuple[int, ...]]:
    """Return the state of some nodes, all others traced out, and the numbers of their Fock states.

    In the product of the M + 1 Fock states of each, the last node varying fastest; without gauge.
    """
    d = model.space.cutoff + 1
    occupations = model.space.all_occupations[:, list(modes)]
    numbers = occupations @ d ** np.arange(len(modes) - 1, -1, -1)
    size = d ** len(modes)
    rho = _traced(model, values, numbers, size, set(modes))
    turn = np.ones(1, dtype=np.complex128)
    for phase in model.phases[list(modes)]:
        turn = np.kron(turn, phase ** np.arange(d))
    turned = sp.diags_array(turn) @ rho @ sp.diags_array(turn.conj())
    return sp.csr_array(turned), (d,) * len(modes)


def _traced(
    model: QuantumModel, values: StateVector, numbers: IndexArray, size: int, taken: set[int]
) -> sp.csr_array:
    """The state of the nodes `taken`; numbers: of each basis state, its state of these nodes."""
    others, _ = _numbered(model, [j for j in range(model.space.modes) if j not in taken])
    rows, columns, data = [], [], []
    for start, block in zip(model.space.starts, model.equation.blocks(values), strict=False):
        row, column = np.divmod(np.arange(block.size), len(block))
        row, column = row + start, column + start
        kept = others[row] == others[column]
        rows.append(numbers[row[kept]])
        columns.append(numbers[column[kept]])
        data.append(block.ravel()[kept])
    entries = np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))
    return sp.csr_array(sp.coo_array(entries, shape=(size, size)))


def node_populations(model: QuantumModel, values: StateVector, j: int) -> FloatArray:
    """Return the populations of the number states of node j, (M + 1,): it has no coherences."""
    total = np.zeros(model.space.cutoff + 1)
    for n, block in zip(model.space.occupations, model.equation.blocks(values), strict=True):
        np.add.at(total, n[:, j], block.diagonal().real)
    return total


def _numbered(model: QuantumModel, nodes: Sequence[int]) -> tuple[IndexArray, int]:
    """For every state of the basis a number for its occupations of `nodes`, and how many differ."""
    occupations = model.space.all_occupations[:, list(nodes)]
    if occupations.shape[1] == 0:
        return np.zeros(len(occupations), dtype=np.int64), 1
    different, number = np.unique(occupations, axis=0, return_inverse=True)
    return number.ravel().astype(np.int64), len(different)
