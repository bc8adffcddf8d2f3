"""Names of nodes, edges and parameters of power grids, and refusals that name them."""

import pickle

import networkx as nx
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument


def chain(sites, injection, extraction, damping=1e-3, **more):
    return ww.PowerGrid.chain(sites, injection, extraction, damping, **more)


def test_keys_of_currents():
    current = chain(3, 4.0, 2.0).steady_state()[0].current
    for edge in ((0, 2), 0, [0, 1], ([], 1)):
        assert edge not in current
        with pytest.raises(InvalidArgument, match=r"`edge` must be one of \(0, 1\), \(1, 2\)"):
            _ = current[edge]
        with pytest.raises(KeyError):
            _ = current[edge]
    assert current.get((0, 2)) is None
    assert current[(1, 0)] == -current[(0, 1)]


def test_nodes_with_one_name():
    grid = ww.PowerGrid(
        nx.Graph([(1, "1")]),
        generators={1: ww.Saturable(4.0), "1": ww.Saturable(2.0)},
        engines={},
        damping=0.1,
    )
    with pytest.raises(InvalidArgument, match="1 and '1' are both called so"):
        grid.replace(**{"injection[1]": 3.0})
    with pytest.raises(InvalidArgument, match="both called so"):
        grid.number("injection[1]")


def test_grids_as_keys():
    grid = chain(3, 4.0, 2.0)
    again = pickle.loads(pickle.dumps(grid))
    assert hash(grid) == hash(again)
    assert len({grid, again, grid.replace(damping=0.2)}) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ww.PowerGrid.paper(nope=1), "`nope` must be one of sites, injection"),
        (lambda: ww.PowerGrid.lattice(2, 2, {}, {}, nope=1), "`nope` must be one of graph"),
        (lambda: chain(3, 10**400, 2.0), "`injection` must be a number below 1e308"),
        (lambda: chain(3, 4.0, 2.0).replace(damping=10**400), "`damping` must be a number below"),
        (lambda: chain(3, 4.0, 2.0).steady_state().value([]), "`name` must be one of branches"),
        (lambda: chain(3, 4.0, 2.0).number(3), "`name` must be the name of a parameter"),
        (lambda: chain(3, 4.0, 2.0).branch_map([1, 2]), "`values` must name two parameters"),
        (lambda: chain(3, 4.0, 2.0).steady_state(ww.LocalMasterEquation()), "`method` must be"),
        (lambda: chain(3, 4.0, 2.0).follow(None, "damping", 1.0), "`branch` must be a branch"),
    ],
)
def test_refusals_by_name(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()
