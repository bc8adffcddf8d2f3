"""The steady state of a power grid's master equation."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import xarray as xr
from scipy.special import entr

from wheelwork import thermodynamics
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, partial_as, shown
from wheelwork.machines.power_grid import numbers
from wheelwork.machines.power_grid.model import node_balance
from wheelwork.machines.power_grid.numbers import (
    EdgeNumbers,
    NodeNumbers,
    edge_mean,
    labelled,
)
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.estimate import quanta_from_above
from wheelwork.machines.power_grid.quantum.master_equation import MasterEquation, QuantumSolution
from wheelwork.machines.power_grid.quantum.moments import (
    Moments,
    gross_flow,
    joint_state,
    node_populations,
    product_state,
    standard_deviation,
)
from wheelwork.numerics.labelled import Axis
from wheelwork.results import AuditEntry, Label, Observable, Result, observable
from wheelwork.states import to_qutip

if TYPE_CHECKING:
    from qutip import Qobj

BALANCE = 10.0  # rtol: of quanta per time at a node, a sum of several flows, against all that flow
LEAST_NEGATIVE = 1e-12  # an eigenvalue above its negative is rounding
LARGEST_DENSE = 8192  # basis states of a dense matrix: one gigabyte


def _sum(name: str, label: Label) -> Observable[float]:
    """The sum over the nodes of one of `Moments`; its error is at most the sum of the errors."""

    def error(state: "QuantumState") -> float:
        return float(np.sum(getattr(state._moment_errors, name)))

    return observable(*label, key=name, error=error)(
        lambda state: float(np.sum(getattr(state.moments, name)))
    )


def _times_error(factor: float) -> Callable[["QuantumState"], float]:
    return lambda state: factor * state.solution.error


def entropy_error(size: float, dimension: int) -> float:
    """Return how much the entropy of `dimension` levels changes at most for Σ|δρ| = `size`.

    T ln(d − 1) + h(T) with T = ε/2 and ε = Σ|δρ| ≥ ‖δρ‖₁ (K. M. R. Audenaert, J. Phys. A 40, 8127
    (2007)).
    """
    T = min(0.5 * size, 0.5)
    return T * math.log(max(dimension - 1, 1)) + float(entr(T) + entr(1.0 - T))


def _entropy_error(state: "QuantumState") -> float:
    return entropy_error(state.solution.error, state.solution.model.space.dimension)


def _information_error(state: "QuantumState") -> float:
    """Of I = S_1 + S_2 − S_12, for two nodes of d levels each."""
    error, d = state.solution.error, state.cutoff + 1
    return 2.0 * entropy_error(error, d) + entropy_error(error, d * d)


class ReducedState(NamedTuple):
    """The state of some nodes. density_matrix: (D, D), the last node varying fastest. dims: numbers
    of Fock states of each node, of product D."""

    density_matrix: npt.NDArray[np.complex128]
    dims: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class QuantumState(Result):
    """Quantum state returned by `PowerGrid.steady_state(MasterEquation())`.

    Arrays per node and per edge are in the order of `machine.nodes` and `machine.edges`. Quanta per
    time: multiply by ω0 for energy.
    Errors are numerical, not those of the model. For linear means they are the sum of magnitudes
    over the error samples of the state; with ε = Σ|δρ| ≥ ‖δρ‖₁ the negativity is off by at most
    ε/2, the purity by 2ε, entropies by `entropy_error`.
    """

    machine: GridParameters
    method: MasterEquation
    solution: QuantumSolution

    headline = ("occupation", "injected", "extracted", "dissipated", "mean_current")

    @property
    def cutoff(self) -> int:
        """M, the largest total number of quanta kept."""
        return self.solution.cutoff

    @cached_property
    def moments(self) -> Moments:
        """All means that are linear in the state."""
        return self.solution.moments.scaled(self._unit)

    @cached_property
    def _moment_errors(self) -> Moments:
        return self.solution.moment_errors.scaled(self._unit)

    @property
    def _unit(self) -> float:
        """Of the rates of the solution."""
        return self.solution.model.rates.unit

    # ------------------------------------------------------------------ per node and edge

    @property
    def axes(self) -> Mapping[str, Axis]:
        """Nodes and edges."""
        return self.machine.axes

    @labelled(numbers.AT_NODE, "node")
    def occupation(self) -> NodeNumbers[float]:
        """⟨a_j†a_j⟩ by node."""
        errors = self._moment_errors.occupation
        return NodeNumbers(self.machine.index, self.moments.occupation, errors)

    @labelled(numbers.ALONG_EDGE, "edge")
    def current(self) -> EdgeNumbers[float]:
        """⟨J⟩, J = (g/2i)(a_u†a_v − a_v†a_u): `current[(u, v)]` is positive from u to v."""
        errors = self._moment_errors.current
        return EdgeNumbers(self.machine.edge_index, self.moments.current, errors)

    @labelled(numbers.FLUCTUATION, "edge")
    def current_fluctuation(self) -> EdgeNumbers[float]:
        """ΔJ = √(⟨J²⟩ − ⟨J⟩²) of the operator J (Huber and Rabl, Sec. V)."""
        return self._fluctuation("square")

    @labelled(numbers.NORMAL, "edge")
    def current_fluctuation_normal(self) -> EdgeNumbers[float]:
        """√(⟨:J²:⟩ − ⟨J⟩²), with operators in normal order; ⟨J²⟩ = ⟨:J²:⟩ + g²(n_u + n_v)/4.

        NaN where this variance is negative, which no classical amplitudes allow.
        """
        return self._fluctuation("normal")

    def _fluctuation(self, name: str) -> EdgeNumbers[float]:
        moments, errors = self.solution.moments, self.solution.moment_errors
        variance = getattr(moments, name) - moments.current**2
        doubled = 2.0 * np.abs(moments.current) + errors.current
        variance_error = getattr(errors, name) + doubled * errors.current
        root, error = standard_deviation(variance, variance_error)
        return EdgeNumbers(
            self.machine.edge_index, self._unit * root, self._unit * error, odd=False
        )

    @property
    def balance(self) -> FloatArray:
        """Quanta per time that each node gains in all, (N,): zero in a steady state."""
        moments = self.moments
        net = moments.injected - moments.extracted - moments.dissipated
        return node_balance(self.machine, net, moments.current)

    @observable(
        "W_E", "1", "ergotropy of the node in quanta", key="node_ergotropy", over="node",
        error=lambda state: state.local_ergotropy.errors,
    )  # fmt: skip
    def local_ergotropy(self) -> NodeNumbers[float]:
        """Ergotropy of each node's reduced state, in quanta: units of ω0."""
        energies, noise = np.arange(self.cutoff + 1.0), self.solution.error
        work = [
            thermodynamics.diagonal_ergotropy(np.maximum(p, 0.0), energies, noise=noise)
            for p in self.populations
        ]
        errors = local_ergotropy_errors(self.solution, self.populations)
        return NodeNumbers(self.machine.index, np.array(work), errors)

    injected = _sum("injected", numbers.INJECTED)
    extracted = _sum("extracted", numbers.EXTRACTED)
    dissipated = _sum("dissipated", numbers.DISSIPATED)  # net: Σ γ_j(⟨n_j⟩ − N_th,j)
    total_occupation = _sum("occupation", numbers.OCCUPATION)
    mean_current = edge_mean("current", numbers.MEAN_CURRENT, "mean_current")
    mean_current_fluctuation = edge_mean("current_fluctuation", numbers.FLUCTUATION)
    mean_current_fluctuation_normal = edge_mean("current_fluctuation_normal", numbers.NORMAL)

    @observable("S", "1", "von Neumann entropy", error=_entropy_error)
    def entropy(self) -> float:
        """S = −Tr ρ ln ρ."""
        return thermodynamics.spectral_entropy(np.maximum(self.eigenvalues, 0.0))

    @observable(r"\mathrm{Tr}\,\rho^2", "1", "purity", error=_times_error(2.0))
    def purity(self) -> float:
        return float(np.sum(self.eigenvalues**2))

    def undefined(self, name: str) -> str:
        """Why an observable is NaN that raises no reason: a variance is negative."""
        return f"`{name}` is not defined: in normal order the variance of a current is negative"

    @observable(
        r"\mathcal{N}", "1", "negativity of the first and the last node", error=_times_error(0.5)
    )
    def negativity(self) -> float:
        """𝒩 between the first and the last node, the others traced out (see `negativity_of`)."""
        return self.negativity_of(*self._ends)

    @observable(
        "I", "1", "mutual information of the first and the last node", error=_information_error
    )
    def mutual_information(self) -> float:
        """I between the first and the last node, in nats."""
        return self.mutual_information_of(*self._ends)

    # ------------------------------------------------------------------ states

    @cached_property
    def total_distribution(self) -> FloatArray:
        """Probabilities of 0 … M quanta in all, (M + 1,)."""
        return self.solution.total_probabilities

    @cached_property
    def populations(self) -> FloatArray:
        """(N, M + 1), populations of the number states of each node, whose state is diagonal."""
        model, values = self.solution.model, self.solution.steady.values
        return np.array([node_populations(model, values, j) for j in range(model.space.modes)])

    @cached_property
    def eigenvalues(self) -> FloatArray:
        """Of ρ, (D,), sector by sector; rounding may leave some slightly below zero."""
        return np.concatenate([np.linalg.eigvalsh(block) for block in self.solution.blocks])

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
        return max(0.0, thermodynamics.negativity(*self._joint(first, second)))

    def mutual_information_of(self, first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
        """I = S_1 + S_2 − S_12 of two sets of nodes, in nats; as `negativity_of`."""
        return max(0.0, thermodynamics.mutual_information(*self._joint(first, second)))

    def _joint(
        self, first: Sequence[Hashable], second: Sequence[Hashable]
    ) -> tuple[sp.csr_array, tuple[int, int]]:
        modes = self._modes("first", first), self._modes("second", second)
        if len({*modes[0], *modes[1]}) < len(modes[0]) + len(modes[1]):
            raise InvalidArgument("`second` must name other nodes than `first`, but repeats some")
        return joint_state(self.solution.model, self.solution.steady.values, *modes)

    def _modes(self, name: str, nodes: Any) -> list[int]:
        """Positions of nodes that an argument names, each once."""
        index = self.machine.index
        listed = isinstance(nodes, Sequence) and len(nodes) > 0
        if not listed or any(not isinstance(n, Hashable) or n not in index for n in nodes):
            raise InvalidArgument(f"`{name}` must name nodes of the graph, but is {shown(nodes)}")
        if len(set(nodes)) < len(nodes):
            raise InvalidArgument(f"`{name}` must name each node once, but is {shown(nodes)}")
        return [index[node] for node in nodes]

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
        _require_size("density_matrix", space.dimension, "")
        rho = np.zeros((space.dimension, space.dimension), dtype=np.complex128)
        for start, block in zip(space.starts, self.solution.blocks, strict=False):
            rho[start : start + len(block), start : start + len(block)] = block
        turn = np.prod(self.solution.model.phases**space.all_occupations, axis=1)
        return np.asarray(turn[:, None] * rho * turn.conj())

    def reduced_state(self, nodes: Sequence[Hashable]) -> ReducedState:
        """The state of these nodes in this order, all others traced out, in their Fock states.

        Raises InvalidArgument for no node, other or repeated nodes, and more than 8192 states: a
        node has M + 1, M = `cutoff`.
        """
        modes = self._modes("nodes", nodes)
        _require_size("reduced_state", (self.cutoff + 1) ** len(modes), ": name fewer nodes")
        matrix, dims = product_state(self.solution.model, self.solution.steady.values, modes)
        return ReducedState(np.asarray(matrix.toarray(), dtype=np.complex128), dims)

    def to_qutip(self, nodes: Sequence[Hashable] | None = None) -> "Qobj":
        """Return the state of some nodes, by default all, as a qutip.Qobj (extra `qutip`).

        It has one factor per node. Raises InvalidArgument as `reduced_state`, and for more than
        8192 states; `states.to_qutip(state.density_matrix)` has fewer, in a single factor.
        """
        rho, dims = self.reduced_state(self.machine.nodes if nodes is None else nodes)
        return to_qutip(rho, dims)

    @cached_property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Named checks with value, bound and verdict.

        "mean-field quanta / cutoff": those of the fullest steady state of the closed equations of
        second moments, which a state that grew from few quanta could have missed.
        """
        solution, rtol, moments = self.solution, self.method.rtol, self.solution.moments
        rates, errors = solution.model.rates, solution.moment_errors
        quanta, flow = float(np.sum(moments.occupation)), gross_flow(rates, moments, rtol)
        off = float(np.max(errors.occupation))
        off_current = float(np.max(errors.current, initial=0.0))
        lowest, imbalance = float(self.eigenvalues.min()), np.max(np.abs(self.balance / rates.unit))
        most = float(np.sum(quanta_from_above(rates)))
        left, response, _ = (float(np.sum(np.abs(x))) for x in solution.steady.error_samples)
        checks = {
            "edge population": (solution.edge, rtol),
            "error of occupations": (off / max(quanta, rtol), rtol),
            "error of currents": (off_current / flow, rtol),
            "energy balance": (float(imbalance) / flow, BALANCE * rtol),
            "residual": (solution.steady.residual, rtol),
            "error of iterations": (left, max(rtol, response)),
            "negative eigenvalue": (-lowest, max(solution.error, LEAST_NEGATIVE)),
            "mean-field quanta / cutoff": (most / solution.cutoff, 1.0),
        }
        return MappingProxyType({name: AuditEntry(*entry) for name, entry in checks.items()})

    def arrays(self) -> xr.Dataset:
        """Distributions of quanta."""
        return xr.Dataset(
            {
                "node_population": (("node", "quanta"), self.populations),
                "total_population": ("quanta", self.total_distribution),
            },
            coords={"quanta": np.arange(self.cutoff + 1)},
        )


def local_ergotropy_errors(solution: QuantumSolution, populations: FloatArray) -> FloatArray:
    """Return estimated absolute errors of the work that each node holds, (N,).

    W = Σ (n − r_n) p_n, where r_n is the rank of p_n among the populations in falling order: it
    changes by (n − r_n) δp_n while that order stays, and by no more if it does not. Populations
    below the error of the state count as zero, and as an error.
    """
    n = np.arange(solution.cutoff + 1.0)
    errors = []
    for j, p in enumerate(populations):
        weight = np.maximum(n, np.argsort(np.argsort(-p)))
        changes = sum(
            np.abs(node_populations(solution.model, sample, j))
            for sample in solution.steady.error_samples
        )
        ignored = np.where(p < solution.error, np.abs(p), 0.0)
        errors.append(float(weight @ (changes + ignored)))
    return np.array(errors)


def _require_size(name: str, states: int, advice: str) -> None:
    if states > LARGEST_DENSE:
        raise InvalidArgument(
            f"`{name}` must have at most {LARGEST_DENSE} basis states, but has {states}{advice}"
        )


def solve_quantum(parameters: GridParameters, method: MasterEquation) -> QuantumState:
    """Return the steady state of the master equation; see `MasterEquation.solve`.

    The partial result of its NotConverged is a state, too.
    """
    with partial_as(lambda solution: QuantumState(parameters, method, solution)):
        return QuantumState(parameters, method, method.solve(parameters))
