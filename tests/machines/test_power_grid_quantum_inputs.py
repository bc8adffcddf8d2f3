"""What the master equation of a power grid refuses."""

import math

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged

GRID = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=0.05)


def ring(nodes, **fields):
    return ww.PowerGrid(
        nx.cycle_graph(nodes),
        generators={0: ww.Saturable(1.0, 0.5)},
        engines={1: ww.Saturable(2.0, 0.5)},
        damping=0.5,
        **fields,
    )


def test_gauge_where_there_is_none():
    with pytest.raises(InvalidArgument, match=r"`real` must not be True .* cycle of odd length"):
        ring(3).steady_state(ww.MasterEquation(real=True))
    with pytest.raises(
        InvalidArgument, match=r"`real` must not be True .* `detuning` differs between nodes"
    ):
        ring(4, detuning={0: 0.1, 1: 0.0, 2: 0.0, 3: 0.0}).steady_state(
            ww.MasterEquation(real=True)
        )


def test_elements_without_jump_operator():
    def rate(n):
        return 1.0 / (1.0 + n)

    grid = ww.PowerGrid(
        nx.path_graph(2), generators={0: (rate, rate)}, engines={1: ww.Saturable(2.0)}, damping=0.1
    )
    for method in (ww.MasterEquation(), ww.QuantumJumps(cutoff=8, duration=10.0, burn_in=1.0)):
        with pytest.raises(InvalidArgument, match=r"`generators` must be Saturable .* \(node 0\)"):
            grid.steady_state(method)


def test_cutoff_that_is_too_small():
    with pytest.raises(NotConverged, match=r"with a cutoff of 10 quanta .* raise `cutoff`"):
        GRID.steady_state(ww.MasterEquation(cutoff=10))


def test_cutoff_that_suffices_agrees_with_growth():
    given = GRID.steady_state(ww.MasterEquation(cutoff=45))
    grown = GRID.steady_state(ww.MasterEquation())
    assert given.cutoff == 45
    assert given.current[(0, 1)] == pytest.approx(grown.current[(0, 1)], rel=1e-6)


def test_cutoff_that_does_not_fit():
    with pytest.raises(NotConverged, match=r"a cutoff of 500 quanta in 2 nodes takes 2\...e\+10"):
        GRID.steady_state(ww.MasterEquation(cutoff=500))
    with pytest.raises(NotConverged, match=r"more than the 5e\+06 of `memory`; .* of probability"):
        GRID.steady_state(ww.MasterEquation(memory=5e6))


def test_unbounded_gain():
    grid = ww.PowerGrid.chain(2, injection=4.0, extraction=1.0, damping=1e-3, exponent=0.0)
    with pytest.raises(NoSteadyState, match="unbounded"):
        grid.steady_state(ww.MasterEquation())


def test_modes_that_nothing_empties():
    """A star: differences of its arms have no amplitude at the centre, where the loss is."""
    grid = ww.PowerGrid(
        nx.star_graph(2), generators={}, engines={0: ww.Saturable(2.0)}, damping=0.0
    )
    with pytest.raises(NoSteadyState, match="no amplitude at any node with loss"):
        grid.steady_state(ww.MasterEquation())
    closed = ww.PowerGrid(nx.path_graph(2), generators={}, engines={}, damping=0.0)
    with pytest.raises(NoSteadyState, match="no amplitude at any node with loss"):
        closed.steady_state(ww.MasterEquation())


def test_broken_stars_have_one_steady_state():
    """A detuning of one arm couples all modes to the centre."""
    grid = ww.PowerGrid(
        nx.star_graph(2),
        generators={1: ww.Saturable(0.3, 0.5)},
        engines={0: ww.Saturable(2.0)},
        damping={0: 0.2, 1: 0.1, 2: 0.0},
        detuning={0: 0.0, 1: 0.5, 2: 0.0},
    )
    state = grid.steady_state(ww.MasterEquation(rtol=1e-3))
    np.testing.assert_allclose(state.balance, 0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rtol": 0.0}, "`rtol` must be positive"),
        ({"cutoff": 2}, "`cutoff` must be at least 4"),
        ({"cutoff": 12.0}, "`cutoff` must be an integer"),
        ({"memory": -1.0}, "`memory` must be positive"),
        ({"real": "yes"}, "`real` must be True, False or None"),
    ],
)
def test_bad_methods(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.MasterEquation(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cutoff": 1}, "`cutoff` must be at least 2"),
        ({"duration": 0.0}, "`duration` must be positive"),
        ({"burn_in": 20.0}, "`burn_in` must be below `duration`"),
        ({"trajectories": 1}, "`trajectories` must be at least 2"),
        ({"times": 3}, "`times` must be at least 4"),
    ],
)
def test_bad_jumps(fields, message):
    values = {"cutoff": 8, "duration": 10.0, "burn_in": 1.0} | fields
    with pytest.raises(InvalidArgument, match=message):
        ww.QuantumJumps(**values)


def test_jumps_that_meet_the_cutoff_or_have_not_settled():
    with pytest.raises(NotConverged, match="the cutoff of 4 quanta holds"):
        GRID.steady_state(
            ww.QuantumJumps(cutoff=4, duration=60.0, burn_in=40.0, trajectories=16, times=8)
        )
    slow = GRID.replace(damping=1e-3, extraction=0.5)
    with pytest.raises(NotConverged, match="not stationary yet"):
        slow.steady_state(
            ww.QuantumJumps(cutoff=60, duration=60.0, burn_in=0.0, trajectories=64, times=16)
        )
    with pytest.raises(InvalidArgument, match="`cutoff` must leave at most"):
        GRID.steady_state(ww.QuantumJumps(cutoff=100_000, duration=1.0, burn_in=0.0))


def test_nodes_of_a_negativity():
    state = GRID.steady_state(ww.MasterEquation(rtol=1e-2))
    with pytest.raises(InvalidArgument, match="`first` must name nodes"):
        state.negativity_of([7], [0])
    with pytest.raises(InvalidArgument, match="`second` must name nodes"):
        state.negativity_of([0], [])
    with pytest.raises(InvalidArgument, match="`second` must name other nodes"):
        state.mutual_information_of([0], [0])
    one = ww.PowerGrid(
        nx.path_graph(1), generators={0: ww.Saturable(1.0)}, engines={}, damping=0.5
    ).steady_state(ww.MasterEquation())
    with pytest.raises(InvalidArgument, match="at least two nodes"):
        _ = one.negativity
    assert math.isnan(one.observables["negativity"])
    assert "at least two nodes" in one.missing["negativity"]
    assert all(entry.ok for entry in one.audit.values())
