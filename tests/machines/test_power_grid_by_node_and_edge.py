"""Currents by edge and occupations by node in datasets, for every method, and labels of nodes."""

import networkx as nx
import numpy as np
import pytest
import xarray as xr

import wheelwork as ww
from wheelwork.machines.power_grid.model import edge_currents
from wheelwork.sweeps import collect
from wheelwork.sweeps.export import same_numbers

PAIR = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
WARM = PAIR.replace(saturation=100.0, thermal_occupation=10.0)
METHODS = {
    "branches": (PAIR, ww.MeanField()),
    "trajectories": (WARM, ww.Langevin(duration=4e3, trajectories=64, rtol=0.1, seed=7)),
    "quanta": (PAIR, ww.MasterEquation(rtol=1e-4)),
    "jumps": (
        PAIR,
        ww.QuantumJumps(duration=100.0, trajectories=32, cutoff=24, burn_in=20.0, seed=7),
    ),
}
pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


@pytest.mark.parametrize("name", METHODS)
def test_a_state_and_a_sweep_hold_the_same_by_node_and_edge(name):
    machine, method = METHODS[name]
    state = machine.steady_state(method)
    one, swept = state.to_xarray(), ww.sweep(machine, {"extraction": [6.0]}, method)
    for dataset in (one, swept.isel(extraction=0)):
        np.testing.assert_array_equal(dataset.node_occupation, state.occupation.array)
        np.testing.assert_array_equal(dataset.edge_current, state.current.array)
        np.testing.assert_allclose(dataset.node_occupation.sum(), dataset.occupation, rtol=1e-12)
        assert dataset.edge_current.attrs["units"] == "rate"
        assert dataset.node_occupation.attrs["symbol"] == "n"
        assert np.all(dataset.edge_current_error > 0.0)
        assert np.all(dataset.node_occupation_error >= state.occupation.errors)
        assert dataset.edge_current.sel(edge="(0, 1)") == float(state.current[(0, 1)])
    if name != "branches":
        assert swept.edge_current_fluctuation.dims == ("extraction", "edge")
    if name == "quanta":
        assert swept.node_ergotropy.dims == ("extraction", "node")


def test_errors_of_trajectories_include_the_step():
    machine, method = METHODS["trajectories"]
    state = machine.steady_state(method)
    dataset = state.to_xarray()
    expected = np.hypot(state.current.errors, dataset.edge_current_step_error)
    np.testing.assert_array_equal(dataset.edge_current_error, expected)


def test_without_noise_the_arrays_are_those_of_the_branch():
    chain = ww.PowerGrid.chain(sites=4, injection=4.0, extraction=2.0, damping=1e-3)
    state = chain.steady_state()
    dataset = state.to_xarray()
    np.testing.assert_array_equal(dataset.edge_current, state.branch.current.array)
    assert dataset.branch_current.dims == ("branch", "edge")
    for k, branch in enumerate(state.branches[:-1]):
        np.testing.assert_array_equal(dataset.branch_current[k], branch.current.array)
        np.testing.assert_array_equal(dataset.branch_occupation[k], branch.occupation)
    off = 1e-6 * np.exp(1j * np.arange(4))
    moved = state.branch.amplitudes + off
    change = np.abs(np.abs(moved) ** 2 - state.branch.occupation)
    errors = np.linalg.norm(off) * (2.0 * np.abs(state.branch.amplitudes) + np.linalg.norm(off))
    assert np.all(change <= errors)
    scale = state.branch.error / np.linalg.norm(off)
    np.testing.assert_allclose(state.occupation.errors, scale * errors, rtol=1e-3)


def test_motion_that_does_not_settle_gives_its_means_or_the_reason():
    """ν = 1: no branch is stable (Huber and Rabl, Fig. 7)."""
    chain = ww.PowerGrid.chain(10, 4.0, 3.5, damping=1e-2, exponent=1.0)
    state = chain.steady_state(ww.MeanField(trajectories=1, duration=2000.0))
    (motion,) = state.oscillations
    np.testing.assert_array_equal(state.occupation.array, motion.occupation)
    np.testing.assert_array_equal(state.to_xarray().edge_current, motion.current.array)
    dataset = ww.sweep(chain, {"extraction": [3.5]}, ww.MeanField(trajectories=0))
    assert np.isnan(dataset.edge_current.values).all()
    assert dataset.edge_current.shape == (1, 9)
    assert "must find a state that attracts" in dataset.edge_current_missing.item()


LABELS = {
    "integers": ((0, 1, 5), [0, 1, 5]),
    "text": (("left", "7", "right"), ["left", "7", "right"]),
    "pairs": (((0, 0), (0, 1), (1, 1)), ["(0, 0)", "(0, 1)", "(1, 1)"]),
    "mixed": ((1, "1", (0, "a")), ["1", "'1'", "(0, 'a')"]),
}


@pytest.mark.parametrize("name", LABELS)
def test_nodes_keep_their_type(name, tmp_path):
    nodes, labels = LABELS[name]
    first, middle, last = nodes
    grid = ww.PowerGrid(
        nx.path_graph(nodes),
        generators={first: ww.Saturable(4.0, 1.0)},
        engines={last: ww.Saturable(2.0, 1.0)},
        damping=1e-2,
    )
    dataset = ww.sweep(grid, {"damping": [0.01, 0.02]}, store=tmp_path / "store")
    assert dataset.node.values.tolist() == labels
    assert same_numbers(collect(tmp_path / "store"), dataset)
    dataset.to_netcdf(tmp_path / "grid.nc")
    with xr.open_dataset(tmp_path / "grid.nc") as read:
        found, edges = ww.keys_of(read.node), ww.keys_of(read.edge)
        current = read.edge_current.sel(edge=str((first, middle)), damping=0.02)
        occupation = read.node_occupation.sel(node=labels[2], damping=0.01)
        ends = ww.keys_of(read.u)
    assert found == nodes
    assert list(map(type, found)) == list(map(type, nodes))
    assert edges == grid.edges
    assert ends == (first, middle)
    cold, warm = (grid.replace(damping=value).steady_state() for value in (0.01, 0.02))
    assert float(current) == warm.current[(first, middle)]
    assert float(occupation) == cold.occupation[last]


def test_a_lattice_in_a_sweep():
    lattice = ww.PowerGrid.lattice(
        2,
        3,
        generators={(0, 0): ww.Saturable(4.0, 1.0)},
        engines={(1, 2): ww.Saturable(2.0, 1.0)},
        damping=1e-2,
    )
    dataset = ww.sweep(lattice, {"extraction[(1, 2)]": [2.0]}, observables=["edge_current"])
    assert ww.keys_of(dataset.node if "node" in dataset else dataset.u)[0] == (0, 0)
    assert ww.keys_of(dataset.edge) == lattice.edges
    state = lattice.steady_state()
    out_of_corner = dataset.edge_current.where(dataset.u == "(0, 0)", drop=True).sum()
    expected = sum(state.current[edge] for edge in lattice.edges if edge[0] == (0, 0))
    assert float(out_of_corner) == pytest.approx(expected, rel=1e-12)


def test_a_single_node_has_no_edges(tmp_path):
    graph = nx.Graph()
    graph.add_node("x")
    grid = ww.PowerGrid(graph, generators={"x": ww.Saturable(4.0, 1.0)}, engines={}, damping=0.1)
    dataset = ww.sweep(grid, {"damping": [0.1, 0.2]})
    assert dataset.edge_current.shape == (2, 0)
    assert dataset.node_occupation.sel(node="x").shape == (2,)
    dataset.to_netcdf(tmp_path / "one.nc")


def test_maps_and_paths_of_branches_name_the_edges():
    state = PAIR.steady_state()
    path = PAIR.follow(state.branch, "extraction", 7.0).to_xarray()
    assert path.edge.values.tolist() == ["(0, 1)"]
    assert path.u.values.tolist() == [0]
    mapped = PAIR.branch_map({"injection": [4.0], "extraction": [6.0]})
    assert mapped.edge_current.sel(edge="(0, 1)").shape == (1, 1, len(state) - 1)
    assert edge_currents(PAIR, np.array([1j])).tolist() == [1.0]


def test_observables_by_name():
    dataset = ww.sweep(PAIR, {"injection": [4.0]}, observables=["edge_current", "occupation"])
    assert dataset.edge_current.shape == (1, 1)
    assert dataset.occupation.shape == (1,)
    assert "node_occupation" not in dataset
