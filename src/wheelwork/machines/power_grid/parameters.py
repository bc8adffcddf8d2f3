"""The parameters of a power grid: its graph, its elements, and a number per node or edge."""

import functools
import inspect
from collections.abc import Callable, Hashable, Mapping
from dataclasses import KW_ONLY, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import networkx as nx
import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, UnknownName, one_of, shown
from wheelwork.machines.power_grid.elements import ActiveElement, Saturable, element
from wheelwork.machines.power_grid.graph import (
    GridGraph,
    checked_graph,
    overriding,
    per_edge,
    per_node,
)
from wheelwork.numerics.labelled import Axis
from wheelwork.parameters import Parameters, declarations, named, parameter, short
from wheelwork.results import Label, Labels

Edge = tuple[Hashable, Hashable]
Number = float | Mapping[Hashable, float]
Element = ActiveElement | Any  # a pair of callables becomes an ActiveElement

ENDS = "u", "v"  # of an edge, as coordinates
SHOWN_ELEMENTS = 3  # generators or engines that a printout lists; of more it gives the number

# derived parameter → (field of the element, mappings of the machine that hold such elements)
ELEMENT_FIELDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "injection": ("rate", ("generators",)),
    "extraction": ("rate", ("engines",)),
    "saturation": ("saturation", ("generators", "engines")),
    "exponent": ("exponent", ("generators", "engines")),
}


def number_or_mapping(check: Callable[..., float]) -> Callable[[str, Any], Any]:
    """Return a check of one number for all nodes by `check`; a mapping from nodes is copied."""

    @functools.wraps(check)  # parameter files look for what it wraps
    def checked(name: str, value: Any) -> Any:
        return dict(value) if isinstance(value, Mapping) else check(name, value)

    return checked


NON_NEGATIVE, REAL = number_or_mapping(_checks.non_negative), number_or_mapping(_checks.real)


@functools.cache
def _node_checks() -> Mapping[str, Callable[..., float]]:
    """The parameters that may differ from node to node, each with the check of one number."""
    declared = declarations(GridParameters).items()
    kinds = {NON_NEGATIVE: _checks.non_negative, REAL: _checks.real}
    return {name: kinds[each.check] for name, each in declared if each.check in kinds}


def _checked_graph(name: str, graph: Any) -> GridGraph:
    return checked_graph(graph, _node_checks(), ("coupling",))


def _per_node(name: str) -> cached_property[FloatArray]:
    """The parameter `name` as an array over the nodes."""
    return cached_property(lambda self: self.per_node(name))


@dataclass(frozen=True, repr=False)
class GridParameters(Parameters):
    """Coupled oscillators with generators, engines and thermal surroundings.

    graph: connected networkx.Graph without self loops; a frozen copy is stored.
    generators, engines: node → `Saturable`, or another `ActiveElement`, or a pair of callables
    (rate, noise) of the occupation.
    coupling: g, not zero. damping: γ ≥ 0. thermal_occupation: N_th ≥ 0. detuning: Δ. The last three
    may be mappings from nodes. All but N_th are rates in one unit. An attribute of that name on an
    edge or node takes precedence over the number given here.
    Do not change the mappings of a machine: use `replace`.

    Raises InvalidArgument for other graphs, elements at missing nodes, negative or NaN numbers.
    """

    derived: ClassVar[Labels] = {
        "injection": (r"\Gamma_i", "rate", "injection rate"),
        "extraction": (r"\Gamma_e", "rate", "extraction rate"),
        "saturation": (r"n_0", "1", "saturation number"),
        "exponent": (r"\nu", "1", "exponent of the saturation"),
    }

    graph: nx.Graph = parameter(
        "(V, E)", "1", "oscillators and their couplings", check=_checked_graph
    )
    _: KW_ONLY
    generators: Mapping[Hashable, Element] = parameter(
        r"\Gamma_i(n)", "rate", "elements with gain, by node"
    )
    engines: Mapping[Hashable, Element] = parameter(
        r"\Gamma_e(n)", "rate", "elements with loss, by node"
    )
    coupling: float | None = parameter(
        "g", "rate", "coupling of neighbours", check=_checks.real, optional=True, default=1.0
    )
    damping: Number | None = parameter(
        r"\gamma", "rate", "damping of oscillators", check=NON_NEGATIVE, optional=True, default=None
    )
    thermal_occupation: Number | None = parameter(
        r"N_\mathrm{th}", "1", "thermal occupation", check=NON_NEGATIVE, optional=True, default=0.0
    )
    detuning: Number | None = parameter(
        r"\Delta", "rate", "detuning", check=REAL, optional=True, default=0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("generators", "engines"):
            elements = _checked_elements(name, getattr(self, name), self.graph)
            object.__setattr__(self, name, elements)
        # computed here, so that bad numbers are refused now
        _ = self.couplings
        for name in _node_checks():
            self.per_node(name)

    @classmethod
    @named
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
    ) -> Self:
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
    ) -> Self:
        """Return a rectangular lattice; its nodes are (row, column), counted from zero."""
        _require_named(fields, inspect.signature(cls).parameters)
        shape = _checks.integer("rows", rows, 1), _checks.integer("columns", columns, 1)
        return cls(nx.grid_2d_graph(*shape), generators=generators, engines=engines, **fields)

    @classmethod
    def paper(
        cls,
        sites: int = 10,
        injection: float = 4.0,
        extraction: float = 4.0,
        damping: float = 1e-3,
        **arguments: Any,
    ) -> Self:
        """Return the chain of the figures of Huber and Rabl: Γ_i = 4 g, γ = 10⁻³ g, g = 1.

        Only Fig. 4(b) has another injection. arguments: the others of `chain`; InvalidArgument for
        any else.
        """
        _require_named(arguments, inspect.signature(cls.chain).parameters)
        return cls.chain(sites, injection, extraction, damping, **arguments)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some parameters changed.

        Besides the fields: `injection` and `extraction`, the rate of the only generator or engine;
        "injection[7]" or "extraction[7]", that at node 7; `saturation` and `exponent`, of all
        saturable elements, or with "[7]" of those at one node.

        Raises InvalidArgument for other names, and for a field that an attribute of the graph
        overrides.
        """
        own, bases = {each.name for each in fields(self)}, {n: _split(n)[0] for n in changes}
        self.require_known({b if b in ELEMENT_FIELDS else n: None for n, b in bases.items()})
        for base in {base for name, base in bases.items() if base != name and base in bases}:
            raise InvalidArgument(f"`{base}` must not be given together with one at a node")
        plain = {name: value for name, value in changes.items() if name in own}
        for name in plain:
            key = None if "graph" in plain else overriding(self.graph, name)
            if key is not None:
                raise InvalidArgument(
                    f"`{name}` must be changed in the graph, but {shown(key)} has its own"
                )
        parameters = replace(self, **plain) if plain else self
        for name, value in changes.items():
            if name not in own:
                parameters = parameters._with_elements(name, value)
        return parameters

    def _named(self, name: str) -> list[tuple[str, Hashable, ActiveElement]]:
        """Mapping, node and element of all that a derived name stands for."""
        base, node = _split(name)
        return [
            (holder, key, each)
            for holder in ELEMENT_FIELDS[base][1]
            for key, each in getattr(self, holder).items()
            if node is None or str(key) == node
        ]

    def _unambiguous(self, name: str) -> None:
        """Raise InvalidArgument where nodes that differ, such as 1 and "1", have the name given."""
        node = _split(name)[1]
        called = [key for key in self.nodes if node is not None and str(key) == node]
        if len(called) > 1:
            raise InvalidArgument(
                f"`{name}` must name one node, but {' and '.join(map(repr, called))} are both "
                "called so: replace `generators` or `engines`"
            )

    def _with_elements(self, name: str, value: Any) -> Self:
        """Return a copy in which the elements that a derived name refers to are changed."""
        self._unambiguous(name)
        (base, node), chosen = _split(name), self._named(name)
        field, holders = ELEMENT_FIELDS[base]
        if field == "rate" and node is None and len(chosen) != 1:
            raise InvalidArgument(
                f"`{name}` must stand for one of {holders[0]}, but there are {len(chosen)}: name "
                f'the node, as in replace(**{{"{name}[7]": 2.0}})'
            )
        if not chosen:
            raise InvalidArgument(
                f"`{base}` must name a node with such an element, but names {node}"
            )
        changes: dict[str, Any] = {holder: dict(getattr(self, holder)) for holder in holders}
        for holder, key, each in chosen:
            changes[holder][key] = _changed(each, key, base, value)
        return replace(self, **changes)

    def number(self, name: str) -> float:
        """Return the value of a parameter, named as for `replace`.

        Raises InvalidArgument where it has several values, or is no number.
        """
        base, _ = _split(name)
        if base in ELEMENT_FIELDS:
            self._unambiguous(name)
            field = ELEMENT_FIELDS[base][0]
            values = {getattr(each, field, None) for _, _, each in self._named(name)}
        else:
            values = {getattr(self, name, None)}
        if len(values) != 1:
            raise InvalidArgument(f"`{name}` must have a single value, but has {len(values)}")
        (value,) = values
        if not isinstance(value, int | float):
            raise InvalidArgument(
                f"`{name}` must be a number of this machine, but is {shown(value)}"
            )
        return float(value)

    @classmethod
    def label_of(cls, name: str) -> Label:
        """Symbol, unit and long name of a parameter, named as for `replace`."""
        return cls.parameter_labels().get(_split(name)[0], ("", "", name))

    @cached_property
    def nodes(self) -> tuple[Hashable, ...]:
        """The nodes, in the order of all arrays per node, (N,)."""
        return tuple(self.graph.nodes)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges (u, v), in the order of all arrays per edge, (E,)."""
        return tuple(self.graph.edges)

    @cached_property
    def index(self) -> Mapping[Hashable, int]:
        """Position of each node in `nodes`."""
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def edge_index(self) -> Mapping[Edge, int]:
        """Position of each edge in `edges`."""
        return {edge: i for i, edge in enumerate(self.edges)}

    @cached_property
    def edge_indices(self) -> npt.NDArray[np.intp]:
        """Positions in `nodes` of both ends of each edge, (E, 2)."""
        pairs = [(self.index[u], self.index[v]) for u, v in self.edges]
        return np.array(pairs, dtype=np.intp).reshape(-1, 2)

    @cached_property
    def axes(self) -> Mapping[str, Axis]:
        """Nodes and edges as dimensions of datasets; `u` and `v` are the ends of an edge."""
        return {"node": Axis("node", self.nodes), "edge": Axis("edge", self.edges, ENDS)}

    def per_node(self, name: str) -> FloatArray:
        """The parameter `name` of every node, (N,)."""
        return per_node(name, self.graph, getattr(self, name), _node_checks()[name])

    couplings = cached_property(lambda self: per_edge("coupling", self.graph, self.coupling))
    """g of each edge, (E,)."""
    dampings = _per_node("damping")
    """γ of each node, (N,)."""
    thermal_occupations = _per_node("thermal_occupation")
    """N_th of each node, (N,)."""
    detunings = _per_node("detuning")
    """Δ of each node, (N,)."""

    @property
    def injection(self) -> float:
        """Γ_i(0) of the generator; raises InvalidArgument for none or different ones."""
        return self.number("injection")

    @property
    def extraction(self) -> float:
        """Γ_e(0) of the engine; raises InvalidArgument for none or different ones."""
        return self.number("extraction")

    @property
    def saturations(self) -> tuple[float, ...]:
        """n0 of every saturable element."""
        elements = (*self.generators.values(), *self.engines.values())
        return tuple(each.saturation for each in elements if isinstance(each, Saturable))

    def __hash__(self) -> int:
        return hash((self.graph, frozenset(self.generators), frozenset(self.engines)))

    def shown(self, name: str) -> str:
        """The graph as its size, and no more than three elements."""
        value = getattr(self, name)
        if name == "graph":
            return f"<{len(self.nodes)} nodes, {len(self.edges)} edges>"
        if name in ("generators", "engines") and len(value) <= SHOWN_ELEMENTS:
            return f"{{{', '.join(f'{node!r}: {short(each)}' for node, each in value.items())}}}"
        return super().shown(name)


def _checked_elements(name: str, given: Any, graph: GridGraph) -> dict[Hashable, ActiveElement]:
    if not isinstance(given, Mapping):
        raise _checks.refusal(name, "map nodes to elements", given)
    for node in given:
        if node not in graph:
            raise InvalidArgument(f"`{name}` must name nodes of the graph, but names {shown(node)}")
    return {node: element(name, each, f"node {node!r:.80}") for node, each in given.items()}


def _require_named(arguments: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise UnknownName for an argument that is not one of `known`."""
    for name in arguments:
        if name not in known:
            raise UnknownName(f"`{name:.80}` {one_of(name, known)}")


def _split(name: str) -> tuple[str, str | None]:
    """Split "extraction[7]" into "extraction" and "7"; without brackets, None."""
    if not isinstance(name, str):
        raise InvalidArgument(f"`name` must be the name of a parameter, but is {shown(name)}")
    base, bracket, rest = name.partition("[")
    return (base, rest[:-1]) if bracket and rest.endswith("]") else (name, None)


def _changed(each: ActiveElement, node: Hashable, name: str, value: Any) -> Saturable:
    """Return the element at `node` with the field that `name` stands for changed."""
    field = ELEMENT_FIELDS[name][0]
    if not isinstance(each, Saturable):
        raise InvalidArgument(
            f"`{name}` must belong to a Saturable, but is asked of {shown(each)} "
            f"(node {shown(node)})"
        )
    try:
        return replace(each, **{field: value})
    except InvalidArgument as reason:
        raise InvalidArgument(str(reason).replace(f"`{field}`", f"`{name}`")) from None
