"""The steady state of a power grid's master equation: observables, errors, audit."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr

from wheelwork import thermodynamics
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.labelled import add_observables
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.machines.power_grid.numbers import EdgeNumbers, NodeNumbers
from wheelwork.machines.power_grid.quantum.accuracy import (
    local_ergotropy_errors,
    quantum_audit,
    quantum_errors,
)
from wheelwork.machines.power_grid.quantum.correlations import joint_state, node_populations
from wheelwork.machines.power_grid.quantum.cutoff import Solution
from wheelwork.machines.power_grid.quantum.master_equation import MasterEquation
from wheelwork.machines.power_grid.quantum.moments import Moments, spread
from wheelwork.results import AuditEntry
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

    from wheelwork.machines.power_grid.machine import PowerGrid

LARGEST_DENSE = 8192  # basis states


@dataclass(frozen=True, eq=False)
class QuantumState:
    """What `PowerGrid.steady_state(MasterEquation())` returns.

    Arrays per node and per edge are in the order of `machine.nodes` and `machine.edges`. Quanta per
    time: multiply by ω0 for energy.
    """

    machine: "PowerGrid"
    method: MasterEquation
    solution: Solution

    @property
    def cutoff(self) -> int:
        """M, the largest total number of quanta kept."""
        return self.solution.cutoff

    @property
    def moments(self) -> Moments:
        """All means that are linear in the state."""
        return self.solution.moments

    # ------------------------------------------------------------------ means

    @property
    def occupation(self) -> NodeNumbers:
        """⟨a_j†a_j⟩ by node."""
        errors = self.solution.moment_errors.occupation
        return NodeNumbers(self.machine.index, self.moments.occupation, errors)

    @property
    def current(self) -> EdgeNumbers:
        """⟨J⟩, J = (g/2i)(a_u†a_v − a_v†a_u), of each edge: positive from u to v."""
        errors = self.solution.moment_errors.current
        return EdgeNumbers(self.machine.edges, self.moments.current, errors)

    @property
    def current_fluctuation(self) -> EdgeNumbers:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of the operator J (Huber and Rabl, Sec. V)."""
        return self._spread(self.moments.square, self.solution.moment_errors.square)

    @property
    def current_fluctuation_normal(self) -> EdgeNumbers:
        """√(⟨:J²:⟩ − ⟨J⟩²), with operators in normal order; ⟨J²⟩ = ⟨:J²:⟩ + g²(n_u + n_v)/4.

        NaN where this variance is negative, which no classical amplitudes allow.
        """
        return self._spread(self.moments.normal, self.solution.moment_errors.normal)

    def _spread(self, square: FloatArray, square_error: FloatArray) -> EdgeNumbers:
        current, error = self.moments.current, self.solution.moment_errors.current
        variance = square - current**2
        doubt = square_error + 2.0 * np.abs(current) * error + error**2
        return EdgeNumbers(self.machine.edges, *spread(variance, doubt), odd=False)

    @property
    def injected(self) -> float:
        """Quanta per time that generators add."""
        return float(np.sum(self.moments.injected))

    @property
    def extracted(self) -> float:
        """Quanta per time that engines take."""
        return float(np.sum(self.moments.extracted))

    @property
    def dissipated(self) -> float:
        """Quanta per time lost to the surroundings, net: Σ γ_j(⟨n_j⟩ − N_th,j)."""
        return float(np.sum(self.moments.dissipated))

    @property
    def balance(self) -> FloatArray:
        """Quanta per time that each node gains in all, (N,): zero in a steady state."""
        moments = self.moments
        total = moments.injected - moments.extracted - moments.dissipated
        u, v = self.machine.edge_indices.T
        np.subtract.at(total, u, moments.current)
        np.add.at(total, v, moments.current)
        return total

    # ------------------------------------------------------------------ states

    @cached_property
    def total_distribution(self) -> FloatArray:
        """Probabilities of 0 … M quanta in all, (M + 1,)."""
        return self.solution.steady.equation.charge_probabilities(self.solution.steady.values)

    @cached_property
    def populations(self) -> FloatArray:
        """(N, M + 1), populations of the number states of each node, whose state is diagonal."""
        values = self.solution.steady.values
        rows = [
            node_populations(self.solution.model, values, j) for j in range(len(self.machine.nodes))
        ]
        return np.array(rows)

    @cached_property
    def local_ergotropy(self) -> NodeNumbers:
        """Work that each node holds by itself, in quanta: units of ω0."""
        energies = np.arange(self.cutoff + 1.0)
        noise = self.solution.error
        found = [
            thermodynamics.diagonal_ergotropy(np.maximum(p, 0.0), energies, noise=noise)
            for p in self.populations
        ]
        return NodeNumbers(self.machine.index, np.array(found), local_ergotropy_errors(self))

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Of ρ, (D,), rung by rung; rounding may leave some slightly below zero."""
        blocks = self.solution.steady.equation.blocks(self.solution.steady.values)
        return np.concatenate([np.linalg.eigvalsh(block) for block in blocks])

    @property
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(np.maximum(self.eigenvalues, 0.0))

    @property
    def purity(self) -> float:
        """Tr ρ²."""
        return float(np.sum(self.eigenvalues**2))

    @cached_property
    def negativity(self) -> float:
        """𝒩 between the first and the last node, the others traced out (see `negativity_of`)."""
        return self.negativity_of(*self._ends)

    @cached_property
    def mutual_information(self) -> float:
        """I between the first and the last node, in nats."""
        return self.mutual_information_of(*self._ends)

    @property
    def _ends(self) -> tuple[list[Hashable], list[Hashable]]:
        nodes = self.machine.nodes
        if len(nodes) < 2:
            raise InvalidArgument("`graph` must have at least two nodes for this, but has one")
        return [nodes[0]], [nodes[-1]]

    def negativity_of(self, first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
        """𝒩 = (‖ρ^T₂‖₁ − 1)/2 between two sets of nodes, all others traced out.

        (G. Vidal, R. F. Werner, Phys. Rev. A 65, 032314 (2002).) Raises InvalidArgument for sets
        that are empty, overlap or name other nodes.
        """
        return thermodynamics.negativity(*self._joint(first, second))

    def mutual_information_of(self, first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
        """I = S_1 + S_2 − S_12 of two sets of nodes, in nats; as `negativity_of`."""
        return thermodynamics.mutual_information(*self._joint(first, second))

    def _joint(
        self, first: Sequence[Hashable], second: Sequence[Hashable]
    ) -> tuple[sp.csr_array, tuple[int, int]]:
        index = self.machine.index
        for name, nodes in (("first", first), ("second", second)):
            listed = isinstance(nodes, Sequence) and len(nodes) > 0
            if not listed or any(not isinstance(n, Hashable) or n not in index for n in nodes):
                raise InvalidArgument(f"`{name}` must name nodes of the graph, but is {nodes!r}")
        if len({*first, *second}) < len(first) + len(second):
            raise InvalidArgument("`second` must name other nodes than `first`, but repeats some")
        places = [index[node] for node in first], [index[node] for node in second]
        return joint_state(self.solution.model, self.solution.steady.values, *places)

    @property
    def occupation_basis(self) -> npt.NDArray[np.int64]:
        """(D, N), the occupations of the basis states of `density_matrix`."""
        return self.solution.model.space.all_occupations

    @property
    def density_matrix(self) -> npt.NDArray[np.complex128]:
        """ρ, (D, D), in the basis `occupation_basis`.

        Raises InvalidArgument for more than 8192 states.
        """
        space = self.solution.model.space
        if space.dimension > LARGEST_DENSE:
            raise InvalidArgument(
                f"`density_matrix` must have at most {LARGEST_DENSE} basis states, but has "
                f"{space.dimension}"
            )
        rho = np.zeros((space.dimension, space.dimension), dtype=np.complex128)
        start = 0
        for block in self.solution.steady.equation.blocks(self.solution.steady.values):
            rho[start : start + len(block), start : start + len(block)] = block
            start += len(block)
        turn = np.prod(self.solution.model.phases**space.all_occupations, axis=1)
        return np.asarray(turn[:, None] * rho * turn.conj())

    def to_qutip(self) -> "Qobj":
        """Return the density matrix as a qutip.Qobj (extra `qutip`)."""
        return to_qutip(self.density_matrix)

    # ------------------------------------------------------------------ results and warrant

    @cached_property
    def observables(self) -> Mapping[str, float]:
        """Numbers for sweeps; currents and fluctuations are means over the edges."""
        found = {
            "injected": self.injected,
            "extracted": self.extracted,
            "dissipated": self.dissipated,
            "occupation": float(np.sum(self.moments.occupation)),
            "entropy": self.entropy,
            "purity": self.purity,
        }
        if self.machine.edges:
            found |= {
                "mean_current": self.current.mean(),
                "current_fluctuation": float(np.mean(self.current_fluctuation.array)),
                "current_fluctuation_normal": float(np.mean(self.current_fluctuation_normal.array)),
                "negativity": self.negativity,
                "mutual_information": self.mutual_information,
            }
        return MappingProxyType(found)

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of the observables."""
        return quantum_errors(self)

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Everything that could make the numbers wrong, checked."""
        return quantum_audit(self)

    def to_xarray(self) -> xr.Dataset:
        """Return means per node and edge, distributions and observables as one dataset."""
        per_edge = {
            "edge_current": self.current,
            "edge_current_fluctuation": self.current_fluctuation,
            "edge_current_fluctuation_normal": self.current_fluctuation_normal,
        }
        dataset = xr.Dataset(
            {
                "node_occupation": ("node", self.occupation.array),
                "node_occupation_error": ("node", self.occupation.errors),
                "node_ergotropy": ("node", self.local_ergotropy.array),
                "node_ergotropy_error": ("node", self.local_ergotropy.errors),
                "node_population": (("node", "quanta"), self.populations),
                "total_population": ("quanta", self.total_distribution),
            },
            coords={
                **self.machine.coordinates,
                "quanta": np.arange(self.cutoff + 1),
            },
        )
        for name, numbers in per_edge.items():
            dataset[name] = ("edge", numbers.array, {"units": "rate"})
            dataset[f"{name}_error"] = ("edge", numbers.errors, {"units": "rate"})
        add_observables(dataset, self.observables, self.errors, LABELS)
        return dataset


def solve_quantum(machine: "PowerGrid", method: MasterEquation) -> QuantumState:
    """Return the steady state of the master equation of `machine`; see `MasterEquation.solve`."""
    return QuantumState(machine, method, method.solve(machine))
