"""What a power grid and its results print: short, whatever the size of the grid."""

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.machines.power_grid.langevin import Marginal
from wheelwork.machines.power_grid.numbers import EdgeNumbers, NodeNumbers
from wheelwork.numerics.statistics import Sampled

LONGEST = 1500  # characters

BIG = ww.PowerGrid.lattice(
    10,
    10,
    generators={(i, 0): ww.Saturable(4.0, saturation=20.0, exponent=1.0) for i in range(10)},
    engines={(9, 9): ww.Saturable(2.0)},
    damping={(i, j): 0.1 for i in range(10) for j in range(10)},
)


def printed_of_mean_field():
    state = ww.PowerGrid.chain(100, 4.0, 2.0, 1e-2).steady_state()
    return [state, state[0], state[-1], state[0].current]


def printed_of_paths():
    """A path, and two detuned nodes with gain, which beat."""
    chain = ww.PowerGrid.chain(2, 0.9, 0.5, 1e-3)
    path = chain.follow(chain.steady_state()[0], "extraction", 0.899)
    detuned = chain.replace(injection=3.0, coupling=0.1, detuning={0: 1.0, 1: -1.0})
    moving = detuned.replace(generators={n: ww.Saturable(3.0) for n in (0, 1)}, engines={})
    state = moving.steady_state(ww.MeanField(trajectories=2))
    assert state.oscillations
    return [path, *state.oscillations]


def printed_of_quanta():
    grid = ww.PowerGrid.chain(2, 1.0, 6.0, 0.5)
    state = grid.steady_state(ww.MasterEquation(rtol=1e-3))
    jumps = ww.QuantumJumps(cutoff=6, duration=40.0, burn_in=10.0, trajectories=8, times=8)
    return [state, state.occupation, state.solution, grid.steady_state(jumps)]


def printed_of_samples():
    deviations = np.random.default_rng(0).normal(size=(4, 16, 100))
    numbers = Sampled(np.linspace(0.0, 1.0, 100), deviations)
    nodes = range(100)
    marginal = Marginal.of(np.ones((4, 64)), 0.1)
    edges = EdgeNumbers.of({(n, n + 1): n for n in nodes}, numbers)
    return [edges, NodeNumbers.of({n: n for n in nodes}, numbers), marginal]


@pytest.mark.parametrize(
    "make",
    [
        lambda: [BIG, ww.Saturable(4.0)],
        printed_of_mean_field,
        printed_of_paths,
        printed_of_quanta,
        printed_of_samples,
    ],
)
def test_printouts_are_short(make):
    for each in make():
        assert len(repr(each)) <= LONGEST
        assert type(each).__name__ in repr(each)
        assert len(each._repr_html_()) <= LONGEST
        assert "<table>" in each._repr_html_()


def test_a_printout_names_what_differs_from_the_default():
    grid = ww.PowerGrid.chain(3, 4.0, 2.0, 1e-3)
    assert repr(grid) == (
        "PowerGrid(graph=<3 nodes, 2 edges>, generators={0: Saturable(rate=4.0)}, "
        "engines={2: Saturable(rate=2.0)}, damping=0.001)"
    )
    assert "generators=<10 entries>" in repr(BIG)
    assert "stable=True" in repr(grid.steady_state().branch)


def test_numbers_of_edges_show_the_first_few():
    edges = {edge: i for i, edge in enumerate(nx.path_graph(9).edges)}
    numbers = EdgeNumbers(edges, np.arange(8.0), np.zeros(8))
    assert "(0, 1)=0 ± 0" in repr(numbers)
    assert "4 more" in repr(numbers)


def test_a_pair_without_an_edge_is_named():
    current = ww.PowerGrid.chain(3, 4.0, 2.0, 1e-3).steady_state()[0].current
    with pytest.raises(KeyError, match=r"`edge` must be one of \(0, 1\), \(1, 2\)"):
        _ = current[(0, 2)]
    with pytest.raises(KeyError, match="`edge` must be one of"):
        _ = current[1]


def test_the_paper_chain():
    assert ww.PowerGrid.paper() == ww.PowerGrid.chain(10, 4.0, 4.0, 1e-3)
    assert ww.PowerGrid.paper(extraction=2.0, saturation=5.0).extraction == 2.0
