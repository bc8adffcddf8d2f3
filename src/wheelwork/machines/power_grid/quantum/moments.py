"""Means that are linear in the state of a power grid."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.quantum.model import QuantumModel

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid


@dataclass(frozen=True, eq=False)
class Moments:
    """Means of one state, or of a vector that it may be off by.

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
        machine, space, ladder = model.machine, model.space, model.ladder
        if magnitudes:
            vector = np.abs(vector)
        blocks = ladder.blocks(vector)
        n, p = space.all_occupations, vector[ladder.diagonal].real
        found: dict[str, FloatArray] = {"occupation": p @ n.astype(np.float64)}
        for name, rates in _flows(machine, n).items():
            found[name] = p @ (np.abs(rates) if magnitudes else rates)
        found |= {name: np.zeros(len(machine.edges)) for name in ("current", "square", "normal")}
        for e, ((u, v), g) in enumerate(zip(machine.edge_indices, machine.couplings, strict=True)):
            single, pair, product = _edge(model, blocks, int(u), int(v))
            flow, square = g * single.imag, product - pair.real
            if magnitudes:
                flow, square = abs(g * single), product + abs(pair)
            found["current"][e] = flow
            found["normal"][e] = 0.5 * g**2 * square
            both = found["occupation"][u] + found["occupation"][v]
            found["square"][e] = found["normal"][e] + 0.25 * g**2 * both
        return cls(**found)

    def __abs__(self) -> "Moments":
        return Moments(**{each.name: np.abs(getattr(self, each.name)) for each in fields(self)})

    def __add__(self, other: "Moments") -> "Moments":
        pairs = ((each.name, getattr(self, each.name), getattr(other, each.name)) for each in ALL)
        return Moments(**{name: one + two for name, one, two in pairs})


ALL = fields(Moments)


def _flows(machine: "PowerGrid", n: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
    """Quanta per time that states of n quanta, (D, N), exchange at each node."""
    extracted = machine.loss_rates(np.maximum(n - 1, 0).astype(np.float64)) * n
    injected = machine.gain_rates(n.astype(np.float64)) * (n + 1.0)
    dissipated = machine.dampings * (n - machine.thermal_occupations)
    return {"injected": injected, "extracted": extracted, "dissipated": dissipated}


def _edge(
    model: QuantumModel, blocks: list[npt.NDArray[Any]], u: int, v: int
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


def spread(variance: FloatArray, doubt: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return √variance and how far it may be off where the variance is by `doubt`.

    NaN where the variance is negative.
    """
    with np.errstate(invalid="ignore"):
        root = np.sqrt(variance)
        above = np.sqrt(variance + doubt) - root
        below = root - np.sqrt(np.maximum(variance - doubt, 0.0))
    return root, np.maximum(above, below)
