"""The rates of a grid of saturable elements, in units of its largest, at any number of quanta."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import ComplexArray

LARGEST_RATE = 1e295  # flows are this times quanta, and must stay finite


@dataclass(frozen=True, eq=False)
class SaturableRates:
    """Γ_j(n) = Γ_j/(1 + n/n0_j)^ν_j of every node; Γ_j = 0 without element. All fields (N,)."""

    full: FloatArray
    saturation: FloatArray
    exponent: FloatArray

    @classmethod
    def of(
        cls, elements: Mapping[Hashable, Any], index: Mapping[Hashable, int], unit: float
    ) -> "SaturableRates":
        full, exponent, saturation = np.zeros(len(index)), np.zeros(len(index)), np.ones(len(index))
        for node, each in elements.items():
            i = index[node]
            full[i], saturation[i], exponent[i] = each.rate / unit, each.saturation, each.exponent
        return cls(full, saturation, exponent)

    def at(self, n: FloatArray, node: int | slice = slice(None)) -> FloatArray:
        """Γ(n), n (..., N), or of one node (...); zero where the power underflows."""
        n0, power = self.saturation[node], self.exponent[node]
        with np.errstate(over="ignore", invalid="ignore"):
            falls = np.exp(-power * np.log1p(n / n0))
        return np.asarray(self.full[node] * np.where((power == 0.0) | (n == 0.0), 1.0, falls))

    @property
    def unsaturable(self) -> FloatArray:
        """What is left at infinitely many quanta, (N,)."""
        return np.where(self.exponent == 0.0, self.full, 0.0)


@dataclass(frozen=True, eq=False)
class GridRates(Computed):
    """All rates of a grid divided by `unit`, the power of two below the largest.

    couplings: (E,). dampings, detunings: (N,), the latter against
    the middle of their range, as a common one changes no state. gain, loss: of generators and
    engines.
    """

    parameters: GridParameters
    unit: float

    @classmethod
    def of(cls, parameters: GridParameters) -> "GridRates":
        elements = (*parameters.generators.values(), *parameters.engines.values())
        rates = [each.rate for each in elements if isinstance(each, Saturable)]
        sizes = np.abs([*parameters.couplings, *parameters.dampings, *_centred(parameters), *rates])
        largest = float(np.max(sizes))
        if largest > LARGEST_RATE:
            raise InvalidArgument(
                f"rates must be at most {LARGEST_RATE:g} for quanta, but one is {largest:g}: "
                "choose another unit"
            )
        _, exponent = math.frexp(largest)
        return cls(parameters, math.ldexp(1.0, exponent - 1))

    @cached_property
    def couplings(self) -> FloatArray:
        return np.asarray(self.parameters.couplings / self.unit)

    @cached_property
    def dampings(self) -> FloatArray:
        return np.asarray(self.parameters.dampings / self.unit)

    @cached_property
    def detunings(self) -> FloatArray:
        return _centred(self.parameters) / self.unit

    @cached_property
    def heating(self) -> FloatArray:
        """γ N_th of each node, (N,)."""
        with np.errstate(over="ignore"):
            return np.asarray(self.dampings * self.parameters.thermal_occupations)

    @cached_property
    def gain(self) -> SaturableRates:
        return SaturableRates.of(self.parameters.generators, self.parameters.index, self.unit)

    @cached_property
    def loss(self) -> SaturableRates:
        return SaturableRates.of(self.parameters.engines, self.parameters.index, self.unit)

    @cached_property
    def fastest_jump(self) -> float:
        """The largest rate of jumps of a quantum."""
        jumps = self.dampings + self.heating, self.gain.full, self.loss.full
        return float(np.max(jumps))

    @cached_property
    def hopping(self) -> FloatArray:
        """h of H = Σ h_jk a_j†a_k, (N, N)."""
        h = np.diag(self.detunings)
        u, v = self.parameters.edge_indices.T
        h[u, v] = h[v, u] = -0.5 * self.couplings
        return h

    def drift(self, gain: FloatArray, loss: FloatArray) -> ComplexArray:
        """−ih + (gain − loss − γ)/2, the equations of amplitudes at given rates, (N, N)."""
        net = 0.5 * (gain - loss - self.dampings)
        return np.asarray(-1j * self.hopping + np.diag(net))


def _centred(parameters: GridParameters) -> FloatArray:
    values = parameters.detunings
    return np.asarray(values - (0.5 * np.min(values) + 0.5 * np.max(values)))
