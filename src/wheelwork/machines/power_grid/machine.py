"""Power grids: oscillators on a graph, fed by generators and drained by engines."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, overload

import networkx as nx
import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.branch_map import branch_map
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable, element
from wheelwork.machines.power_grid.graph import Wiring, overridden, per_edge, per_node, wire
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.machines.power_grid.langevin import sample_grid
from wheelwork.machines.power_grid.model import amplitude_model
from wheelwork.machines.power_grid.names import DERIVED, changed_elements, only_rate, split_name
from wheelwork.machines.power_grid.numbers import Edge
from wheelwork.machines.power_grid.path import BranchPath, follow
from wheelwork.machines.power_grid.quantum import (
    MasterEquation,
    QuantumJumps,
    QuantumState,
    SampledQuantumState,
    sample_quantum,
    solve_quantum,
)
from wheelwork.machines.power_grid.sampled_state import SampledState
from wheelwork.machines.power_grid.state import MeanFieldState, settle
from wheelwork.oscillator_networks import AmplitudeModel, MeanField
from wheelwork.phase_space import EulerMaruyama, Langevin

Number = float | Mapping[Hashable, float]


@dataclass(frozen=True)
class PowerGrid:
    """Coupled oscillators with generators, engines and thermal surroundings.

    H = Σ Δ_j a_j†a_j − Σ_edges (g_jk/2)(a_j†a_k + h.c.), damping γ_j with thermal occupation
    N_th,j, and at chosen nodes gain Γ_i D[A†] or loss Γ_e D[A] with A = f(a†a) a (Huber and Rabl,
    Eq. (1), there for a chain), in the frame of the oscillators. In amplitudes

        dα_j/dt = [(G_j(|α_j|²) − Λ_j(|α_j|²) − γ_j)/2 − iΔ_j] α_j + i Σ_k (g_jk/2) α_k.

    graph: connected networkx.Graph without self loops; a frozen copy is kept.
    generators, engines: node → `Saturable`, or another `ActiveElement`, or a pair of callables
    (rate, noise) of the occupation.
    coupling: g, not zero. damping: γ ≥ 0. thermal_occupation: N_th ≥ 0. detuning: Δ. The last three
    may be mappings from nodes. All are rates in one unit but N_th. An attribute of that name of an
    edge or node comes before the number given here.
    Do not change the mappings of a machine: use `replace`.

    Raises InvalidArgument for other graphs, elements at missing nodes, negative or NaN numbers.
    Local damping needs γ, Γ, g ≪ ω0, which does not enter.
    """

    graph: nx.Graph
    _: KW_ONLY
    generators: Mapping[Hashable, Any]
    engines: Mapping[Hashable, Any]
    coupling: float | None = 1.0
    damping: Number | None = None
    thermal_occupation: Number | None = 0.0
    detuning: Number | None = 0.0

    def __post_init__(self) -> None:
        wired = self.graph if isinstance(self.graph, Wiring) else wire(self.graph)
        object.__setattr__(self, "graph", wired)
        for name in ("generators", "engines"):
            object.__setattr__(self, name, _elements(name, getattr(self, name), wired))
        for name in ("damping", "thermal_occupation", "detuning"):
            value = getattr(self, name)
            if isinstance(value, Mapping):
                object.__setattr__(self, name, dict(value))
        # computed here, so that bad numbers are refused now
        _ = self.couplings, self.dampings, self.thermal_occupations, self.detunings

    @classmethod
    def chain(
        cls,
        sites: int,
        injection: float,
        extraction: float,
        damping: Number,
        thermal_occupation: Number = 0.0,
        saturation: float = 1.0,
        coupling: float = 1.0,
        exponent: float = 2.0,
        detuning: Number = 0.0,
    ) -> "PowerGrid":
        """Return the chain of Huber and Rabl: nodes 0 … sites − 1, a generator at the first with
        Γ_i = `injection`, an engine at the last with Γ_e = `extraction`.

        Both saturate at `saturation` quanta with `exponent`.
        """
        last = _checks.integer("sites", sites, 2) - 1
        rates = {"injection": injection, "extraction": extraction}
        checked = {name: _checks.non_negative(name, value) for name, value in rates.items()}
        return cls(
            nx.path_graph(last + 1),
            generators={0: Saturable(checked["injection"], saturation, exponent)},
            engines={last: Saturable(checked["extraction"], saturation, exponent)},
            coupling=coupling,
            damping=damping,
            thermal_occupation=thermal_occupation,
            detuning=detuning,
        )

    @classmethod
    def lattice(
        cls,
        rows: int,
        columns: int,
        generators: Mapping[Hashable, Any],
        engines: Mapping[Hashable, Any],
        **fields: Any,
    ) -> "PowerGrid":
        """Return a rectangular lattice; its nodes are (row, column), counted from zero."""
        shape = _checks.integer("rows", rows, 1), _checks.integer("columns", columns, 1)
        return cls(nx.grid_2d_graph(*shape), generators=generators, engines=engines, **fields)

    def replace(self, **fields: Any) -> "PowerGrid":
        """Return a machine with some fields changed.

        Besides the fields: `injection` and `extraction`, the rate of the only generator or engine;
        "injection[7]" or "extraction[7]", that at node 7; `saturation` and `exponent`, of all
        saturable elements, or with "[7]" of those at one node.
        """
        own = {name: fields.pop(name) for name in list(fields) if name in FIELDS}
        for name in own:
            place = None if "graph" in own else overridden(self._wiring, name)
            if place is not None:
                raise InvalidArgument(
                    f"`{name}` must be changed in the graph, but {place!r} has its own"
                )
        machine = replace(self, **own) if own else self
        for name, value in fields.items():
            base, place = split_name(name)
            if base not in DERIVED:
                known = ", ".join([*FIELDS, *DERIVED])
                raise InvalidArgument(f"`{name}` must be one of {known}")
            changed: dict[str, Any] = changed_elements(machine, base, place, value)
            machine = replace(machine, **changed)
        return machine

    # ------------------------------------------------------------------ derived parameters

    @property
    def _wiring(self) -> Wiring:
        assert isinstance(self.graph, Wiring)
        return self.graph

    @cached_property
    def nodes(self) -> tuple[Hashable, ...]:
        """In the order of all arrays per node."""
        return tuple(self.graph.nodes)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """In the order of all arrays per edge."""
        return tuple(self.graph.edges)

    @cached_property
    def index(self) -> Mapping[Hashable, int]:
        """Place of each node."""
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def edge_indices(self) -> npt.NDArray[np.intp]:
        """Places of both ends of each edge, (E, 2)."""
        pairs = [(self.index[u], self.index[v]) for u, v in self.edges]
        return np.array(pairs, dtype=np.intp).reshape(-1, 2)

    @property
    def coordinates(self) -> Mapping[str, npt.NDArray[np.object_]]:
        """Names of nodes and edges, for labelled data."""
        return {
            "node": np.array([str(node) for node in self.nodes], dtype=object),
            "edge": np.array([f"{u} → {v}" for u, v in self.edges], dtype=object),
        }

    @cached_property
    def couplings(self) -> FloatArray:
        """g of each edge, (E,)."""
        return per_edge("coupling", self._wiring, self.coupling)

    @cached_property
    def dampings(self) -> FloatArray:
        """γ of each node, (N,)."""
        return per_node("damping", self._wiring, self.damping)

    @cached_property
    def thermal_occupations(self) -> FloatArray:
        """N_th of each node, (N,)."""
        return per_node("thermal_occupation", self._wiring, self.thermal_occupation)

    @cached_property
    def detunings(self) -> FloatArray:
        """Δ of each node, (N,)."""
        return per_node("detuning", self._wiring, self.detuning)

    @property
    def injection(self) -> float:
        """Γ_i(0) of the only generator; raises InvalidArgument for another number of them."""
        return only_rate("generators", self.generators)

    @property
    def extraction(self) -> float:
        """Γ_e(0) of the only engine; raises InvalidArgument for another number of them."""
        return only_rate("engines", self.engines)

    def gain_rates(self, occupation: FloatArray) -> FloatArray:
        """G_j(n_j) of the generators; `occupation` (..., N)."""
        return self._summed(self.generators, "rate_at", occupation)

    def loss_rates(self, occupation: FloatArray) -> FloatArray:
        """Λ_j(n_j) of the engines, without γ; `occupation` (..., N)."""
        return self._summed(self.engines, "rate_at", occupation)

    def noise(self, occupation: FloatArray) -> FloatArray:
        """⟨|dα_j|²⟩/dt of the P function, γ N_th and that of the elements; `occupation` (..., N).

        (Huber and Rabl, Eqs. (3)–(5).)
        """
        thermal = self.dampings * self.thermal_occupations
        gain = self._summed(self.generators, "gain_noise_at", occupation)
        return thermal + gain + self._summed(self.engines, "loss_noise_at", occupation)

    def _summed(
        self, elements: Mapping[Hashable, ActiveElement], what: str, occupation: FloatArray
    ) -> FloatArray:
        total = np.zeros_like(occupation)
        for node, each in elements.items():
            i = self.index[node]
            total[..., i] += getattr(each, what)(occupation[..., i])
        return total

    @cached_property
    def amplitude_model(self) -> AmplitudeModel:
        """The equations for the amplitudes without noise."""
        return amplitude_model(self)

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]:
        """Symbol, unit and long name of every parameter and observable."""
        return LABELS

    # ------------------------------------------------------------------ verbs

    @overload
    def steady_state(self, method: MeanField | None = None) -> MeanFieldState: ...
    @overload
    def steady_state(self, method: Langevin | EulerMaruyama) -> SampledState: ...
    @overload
    def steady_state(self, method: MasterEquation) -> QuantumState: ...
    @overload
    def steady_state(self, method: QuantumJumps) -> SampledQuantumState: ...

    def steady_state(self, method: Any = None) -> Any:
        """Return the stationary state, by default `MeanField()`: every steady branch without noise.

        With `Langevin(duration=...)` means with noise over trajectories from random amplitudes;
        there a `start` is refused, and `step` None is a tenth of the fastest motion. With
        `EulerMaruyama(step, duration=...)` the same by the scheme of the paper. With
        `MasterEquation()` the quantum state of few nodes and quanta, with `QuantumJumps(...)` means
        over its trajectories.

        Raises NoSteadyState where the amplitudes are unbounded (gain without saturation or loss),
        NotConverged where the search fails or the run is too short, InvalidArgument for a step too
        large.
        """
        chosen = MeanField() if method is None else method
        for kind, solve in SOLVERS.items():
            if isinstance(chosen, kind):
                return solve(self, chosen)
        known = ", ".join(kind.__name__ for kind in SOLVERS)
        raise InvalidArgument(f"`method` must be a method, one of {known}, but is {chosen!r}")

    def follow(
        self, branch: Branch, name: str, stop: float, method: MeanField | None = None
    ) -> BranchPath:
        """Follow a branch of this machine while the parameter `name` goes to `stop`.

        name: as for `replace`. The path turns with the branch at its folds and ends at `stop`, at
        its starting value again, or where the branch merges with the state at rest.
        """
        return follow(self, branch, name, stop, _checked(method))

    def branch_map(
        self, values: Mapping[str, npt.ArrayLike], method: MeanField | None = None
    ) -> Any:
        """Return all branches at every combination of the values of two parameters.

        values: names as for `replace`, each with an array (n,). See `branch_map`.
        """
        return branch_map(self, values, _checked(method))


SOLVERS: Mapping[type, Callable[[PowerGrid, Any], Any]] = {
    MeanField: settle,
    Langevin: sample_grid,
    EulerMaruyama: sample_grid,
    MasterEquation: solve_quantum,
    QuantumJumps: sample_quantum,
}

FIELDS = tuple(name for name in PowerGrid.__dataclass_fields__ if name != "_")


def _elements(name: str, given: Any, graph: Wiring) -> dict[Hashable, ActiveElement]:
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"`{name}` must map nodes to elements, but is {given!r}")
    for node in given:
        if node not in graph:
            raise InvalidArgument(f"`{name}` must name nodes of the graph, but names {node!r}")
    return {node: element(name, each, f"node {node!r}") for node, each in given.items()}


def _checked(method: MeanField | None) -> MeanField:
    method = MeanField() if method is None else method
    if not isinstance(method, MeanField):
        raise InvalidArgument(
            f"`method` must be a method such as MeanField(rtol=1e-9), but is {method!r}"
        )
    return method
