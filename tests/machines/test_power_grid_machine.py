"""The power grid as a machine: fields, names for sweeps, results, bad input, closed results."""

import math
import pickle

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.elements import CallableElement
from wheelwork.machines.power_grid.model import gain_rates, loss_rates, noisy_model
from wheelwork.papers.huber_rabl_2022 import closed_forms

CHAIN = ww.PowerGrid.chain(
    sites=3,
    injection=4.0,
    extraction=2.0,
    damping=1e-3,
    thermal_occupation=0.0,
    saturation=1.0,
    coupling=1.0,
)


def test_chain_and_lattice():
    assert CHAIN.nodes == (0, 1, 2)
    assert CHAIN.edges == ((0, 1), (1, 2))
    assert CHAIN.generators == {0: ww.Saturable(4.0, 1.0, 2.0)}
    assert CHAIN.engines == {2: ww.Saturable(2.0, 1.0, 2.0)}
    assert (CHAIN.injection, CHAIN.extraction) == (4.0, 2.0)
    disordered = ww.PowerGrid.chain(
        3, 4.0, 2.0, {0: 0.1, 1: 0.2, 2: 0.3}, detuning={0: 0.1, 1: 0.0, 2: -0.2}
    )
    assert disordered.dampings.tolist() == [0.1, 0.2, 0.3]
    assert disordered.detunings.tolist() == [0.1, 0.0, -0.2]
    lattice = ww.PowerGrid.lattice(
        2, 3, {(0, 0): ww.Saturable(1.0)}, {(1, 2): ww.Saturable(2.0)}, damping=0.1, coupling=0.5
    )
    assert len(lattice.nodes) == 6
    assert len(lattice.edges) == 7
    assert np.all(lattice.couplings == 0.5)


def test_linear_part():
    """dα_j/dt = (−γ_j/2 − iΔ_j) α_j + i Σ (g/2) α_k."""
    graph = nx.Graph()
    graph.add_edge("a", "b", coupling=0.8)
    graph.add_edge("b", "c")
    graph.nodes["b"]["detuning"] = 0.3
    graph.nodes["c"]["damping"] = 0.5
    machine = ww.PowerGrid(
        graph, generators={}, engines={}, damping=0.1, coupling=2.0, detuning={"c": -0.2, "a": 0.0}
    )
    exact = [[-0.05, 0.4j, 0], [0.4j, -0.05 - 0.3j, 1.0j], [0, 1.0j, -0.25 + 0.2j]]
    assert machine.amplitude_model.linear == pytest.approx(np.array(exact))
    graph.nodes["b"]["detuning"] = 9.0  # the machine has its own copy
    assert machine.detunings[1] == 0.3
    with pytest.raises(nx.NetworkXError):
        machine.graph.add_edge("a", "c")


def test_velocity_has_gain_loss_and_noise_in_place():
    machine = CHAIN.replace(thermal_occupation=3.0, damping=0.2)
    alpha = np.array([1.0 + 0.5j, 0.2j, -0.7])
    n = np.abs(alpha) ** 2
    gain, loss = 4.0 / (1.0 + n[0]) ** 2, 2.0 / (1.0 + n[2]) ** 2
    exact = np.array(
        [
            0.5 * (gain - 0.2) * alpha[0] + 0.5j * alpha[1],
            -0.1 * alpha[1] + 0.5j * (alpha[0] + alpha[2]),
            -0.5 * (loss + 0.2) * alpha[2] + 0.5j * alpha[1],
        ]
    )
    assert machine.amplitude_model.velocity(alpha) == pytest.approx(exact)
    model = noisy_model(machine)
    assert model.dampings * model.thermal == pytest.approx([0.6, 0.6, 0.6])
    assert model.activity.noise(0, n[:1]) == pytest.approx([gain])
    assert model.activity.noise(1, n[2:]) == pytest.approx([0.0])


def test_replace_and_names_for_sweeps():
    assert CHAIN.replace(injection=1.5).generators[0].rate == 1.5
    assert CHAIN.replace(extraction=1.5).engines[2].rate == 1.5
    both = CHAIN.replace(saturation=5.0, exponent=1.0, damping=0.2)
    assert both.generators[0] == ww.Saturable(4.0, 5.0, 1.0)
    assert both.engines[2] == ww.Saturable(2.0, 5.0, 1.0)
    assert both.dampings[0] == 0.2
    uneven = CHAIN.replace(**{"saturation[2]": 7.0})
    assert (uneven.generators[0].saturation, uneven.engines[2].saturation) == (1.0, 7.0)
    assert CHAIN.replace(injection=4.0) == CHAIN
    assert CHAIN.replace(injection=4.5) != CHAIN
    assert pickle.loads(pickle.dumps(CHAIN)) == CHAIN
    assert CHAIN.graph.written_down()["edges"] == [(0, 1, {}), (1, 2, {})]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"injektion": 1.0}, "`injektion` must be one of graph, generators, engines"),
        ({"coupling[1]": 1.0}, r"`coupling\[1\]` must be one of graph"),
        ({"injection": -1.0}, "`injection` must not be negative, but is -1.0"),
        ({"saturation": 0.0}, "`saturation` must be positive"),
        ({"extraction[0]": 1.0}, "must name a node with such an element, but names 0"),
        ({"damping": math.nan}, "`damping` must be finite"),
        ({"coupling": 0.0}, "`coupling` must not be zero"),
    ],
)
def test_bad_replacements(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        CHAIN.replace(**fields)


def test_several_engines_have_no_single_extraction():
    machine = CHAIN.replace(engines={1: ww.Saturable(1.0), 2: ww.Saturable(2.0)})
    with pytest.raises(InvalidArgument, match="must stand for one of engines, but there are 2"):
        machine.replace(extraction=1.0)
    with pytest.raises(InvalidArgument, match="`extraction` must have a single value, but has 2"):
        _ = machine.extraction
    assert machine.replace(**{"extraction[1]": 3.0}).engines[1].rate == 3.0


def test_an_attribute_is_not_overridden_in_silence():
    graph = nx.path_graph(2)
    graph.edges[0, 1]["coupling"] = 0.7
    machine = ww.PowerGrid(graph, generators={}, engines={}, damping=0.1)
    assert machine.couplings == pytest.approx([0.7])
    with pytest.raises(InvalidArgument, match=r"`coupling` must be changed in the graph"):
        machine.replace(coupling=1.0)


LOOP = nx.Graph([(0, 1), (1, 1)])


@pytest.mark.parametrize(
    ("graph", "fields", "message"),
    [
        (nx.Graph([(0, 1), (2, 3)]), {}, "must be connected, but has 2 parts"),
        (nx.Graph([(float("nan"), 1)]), {}, "must have nodes that equal themselves, but has nan"),
        (LOOP, {}, "must have no self loops, but has one at node 1"),
        (nx.DiGraph([(0, 1)]), {}, "must be undirected with single edges"),
        (nx.MultiGraph([(0, 1)]), {}, "must be undirected with single edges"),
        (nx.Graph(), {}, "must have at least one node"),
        ([(0, 1)], {}, "`graph` must be a networkx.Graph"),
        (nx.path_graph(2), {"generators": {7: ww.Saturable(1.0)}}, "but names 7"),
        (nx.path_graph(2), {"engines": {"x": ww.Saturable(1.0)}}, "but names 'x'"),
        (nx.path_graph(2), {"engines": [ww.Saturable(1.0)]}, "`engines` must map nodes"),
        (nx.path_graph(2), {"generators": {0: 4.0}}, r"must hold Saturable\(rate"),
        (nx.path_graph(2), {"generators": {0: ww.Saturable}}, r"must hold Saturable\(rate"),
        (
            nx.path_graph(2),
            {"generators": {0: (lambda n: 1.0 - n, lambda n: 0.0 * n)}},
            "`rate` must be finite and not negative at every occupation",
        ),
        (
            nx.path_graph(2),
            {"engines": {0: (lambda n: 1.0, lambda n: 0.0 * n)}},
            "must return an array of the shape of the occupation",
        ),
        (nx.path_graph(2), {"damping": -1e-3}, "`damping` must not be negative"),
        (nx.path_graph(2), {"damping": None}, r"`damping` must be given.*node 0"),
        (nx.path_graph(2), {"damping": {0: 0.1}}, r"`damping` must be given.*node 1"),
        (nx.path_graph(2), {"detuning": {5: 0.1, 0: 0.0, 1: 0.0}}, "but names 5"),
        (nx.path_graph(2), {"thermal_occupation": math.inf}, "must be finite"),
        (nx.path_graph(2), {"coupling": "1"}, "`coupling` must be a real number"),
        (nx.path_graph(2), {"detuning": math.nan}, "`detuning` must be finite"),
    ],
)
def test_bad_machines(graph, fields, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.PowerGrid(graph, **({"generators": {}, "engines": {}, "damping": 0.1} | fields))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 1.0, 2.0), "`rate` must not be negative"),
        ((1.0, 0.0, 2.0), "`saturation` must be positive"),
        ((1.0, 1.0, -0.1), "`exponent` must not be negative"),
        ((math.nan, 1.0, 2.0), "`rate` must be finite"),
    ],
)
def test_bad_elements(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.Saturable(*arguments)


def test_bad_chains_and_methods():
    with pytest.raises(InvalidArgument, match="`sites` must be at least 2"):
        ww.PowerGrid.chain(1, 1.0, 1.0, 0.1)
    with pytest.raises(InvalidArgument, match="`injection` must not be negative"):
        ww.PowerGrid.chain(2, -1.0, 1.0, 0.1)
    with pytest.raises(InvalidArgument, match="`method` must be a method"):
        CHAIN.steady_state(ww.MeanField)
    with pytest.raises(InvalidArgument, match="`method` must be a method"):
        CHAIN.steady_state(ww.FokkerPlanck())


def test_bad_paths():
    state = CHAIN.steady_state()
    branch = state.branches[0]
    with pytest.raises(InvalidArgument, match="must differ from the present extraction"):
        CHAIN.follow(branch, "extraction", 2.0)
    with pytest.raises(InvalidArgument, match="must be a branch with amplitudes"):
        CHAIN.follow(state.branches[-1], "extraction", 3.0)
    with pytest.raises(InvalidArgument, match="is one of another"):
        CHAIN.replace(damping=0.1).follow(branch, "extraction", 3.0)
    with pytest.raises(InvalidArgument, match="must be a number of this machine"):
        CHAIN.follow(branch, "graph", 3.0)
    uneven = CHAIN.replace(**{"saturation[2]": 7.0})
    other = uneven.steady_state().branches[0]
    with pytest.raises(InvalidArgument, match="must have a single value"):
        uneven.follow(other, "saturation", 3.0)
    with pytest.raises(InvalidArgument, match="`extraction` must not be negative"):
        CHAIN.follow(branch, "extraction", -3.0)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0])
def test_saturable_slope_and_inverse(exponent):
    element = ww.Saturable(3.0, 4.0, exponent)
    n = np.array([0.0, 1e-3, 0.5, 7.0, 300.0])
    plain = CallableElement(element.rate_at, element.gain_noise_at)
    assert plain.slope_at(n) == pytest.approx(element.slope_at(n), rel=1e-8)
    assert element.occupation_at(element.rate_at(n)) == pytest.approx(n, rel=1e-10, abs=1e-14)
    assert element.occupation_at(np.array([3.1, -1.0])) == pytest.approx([0.0, np.inf])
    assert element.rate_at(np.array([4.0])) == pytest.approx([3.0 * 2.0**-exponent])


def test_results_are_labelled():
    state = CHAIN.steady_state()
    assert set(state.observables) == set(ww.machines.MeanFieldState.labels())
    assert set(state.errors) <= set(state.observables)
    dataset = state.to_xarray()
    count = len(state.branches) - 1
    assert dataset["branch_current"].shape == (count, 2)
    assert list(dataset["edge"].values) == ["(0, 1)", "(1, 2)"]
    assert dataset["extracted"].attrs["units"] == "rate"
    branch = state.branches[0]
    assert dict(branch.current) == {edge: branch.current[edge] for edge in CHAIN.edges}
    assert list(branch.current.values()) == branch.current.array.tolist()
    assert (2, 1) in branch.current
    with pytest.raises(KeyError):
        _ = branch.current[(0, 2)]
    assert branch.mean_damping == pytest.approx(
        loss_rates(CHAIN, branch.occupation)[2] - gain_rates(CHAIN, branch.occupation)[0]
    )
    assert not state.validity["1 / saturation"].ok
    assert CHAIN.replace(saturation=50.0).steady_state().validity["1 / saturation"].ok


def test_errors_cover_a_looser_solution():
    """rtol sets what is accepted; the estimate is of the solution itself, to rounding."""
    state = CHAIN.steady_state()
    again = CHAIN.steady_state(ww.MeanField(rtol=1e-6))
    for name in ("injected", "extracted", "occupation"):
        off = abs(state.observables[name] - again.observables[name])
        assert off <= state.errors[name] + again.errors[name]


def test_sweep():
    dataset = ww.sweep(CHAIN, {"extraction": np.array([1.0, 2.0, 6.0])})
    assert np.all(dataset["audit_passed"] == 1)
    assert np.all(dataset["failure"] == "")
    single = CHAIN.replace(extraction=6.0).steady_state()
    assert float(dataset["extracted"][2]) == pytest.approx(
        single.observables["extracted"], rel=1e-12
    )
    assert dataset["extraction"].attrs["units"] == "rate"


def test_single_node_and_no_elements():
    alone = ww.PowerGrid(nx.path_graph(1), generators={}, engines={}, damping=0.1).steady_state()
    (rest,) = alone.branches
    assert rest.stable
    assert rest.growth_rate == pytest.approx(-0.05)
    assert alone.observables["extracted_highest"] == 0.0
    assert all(entry.ok for entry in alone.audit.values())
    passive = CHAIN.replace(injection=0.0).steady_state()
    assert len(passive.branches) == 1
    with pytest.raises(InvalidArgument, match="at least one edge"):
        rest.current.mean()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: closed_forms.broken_phase(0.5, 1.0), "`extraction` must exceed"),
        (lambda: closed_forms.symmetric_phase_ends(4.0, 3.999, 1e-3), "`extraction` must be below"),
        (lambda: closed_forms.symmetric_phase(9, 4.0, 3.999, 1e-3), "`extraction` must be below"),
        (lambda: closed_forms.symmetric_phase(2, 4.0, 2.0, 1e-3), "`sites` must be at least 3"),
        (lambda: closed_forms.current_bound(-1.0, 1.0), "`injection` must not be negative"),
        (lambda: closed_forms.stalled_range(0.0), "`injection` must be positive"),
        (lambda: closed_forms.transition(1, 1.0, 0.1), "`sites` must be at least 2"),
    ],
)
def test_closed_results_refuse_what_they_do_not_hold_for(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_closed_results_scale():
    """Rates in units of g, quanta in units of n0."""
    one = closed_forms.symmetric_phase(5, 4.0, 2.0, 1e-3)
    other = closed_forms.symmetric_phase(5, 8.0, 4.0, 2e-3, coupling=2.0, saturation=3.0)
    assert other.current == pytest.approx(6.0 * one.current)
    assert closed_forms.broken_phase(8.0, 20.0, 2.0, 3.0).current == pytest.approx(
        6.0 * closed_forms.broken_phase(4.0, 10.0).current
    )
    assert closed_forms.transition(10, 8.0, 2e-3, 2.0) == pytest.approx(
        2.0 * closed_forms.transition(10, 4.0, 1e-3)
    )
    assert closed_forms.current_bound(4.0, 2.0, 3.0) == 1.5


def test_a_derived_name_and_one_of_its_nodes_are_not_changed_together():
    chain = ww.PowerGrid.chain(3, 4.0, 2.0, 0.1)
    with pytest.raises(InvalidArgument, match="`saturation` must not be given together"):
        chain.replace(**{"saturation[0]": 9.0, "saturation": 3.0})
