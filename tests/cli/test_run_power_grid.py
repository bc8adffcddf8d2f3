"""`wheelwork run` of power grids: files, the sheet's parts, the network."""

import networkx as nx
import numpy as np
import pytest
import xarray as xr

from wheelwork import MeanField, PowerGrid, Saturable
from wheelwork.cli import power_grid
from wheelwork.cli.app import main
from wheelwork.cli.grid_sweep import add_network, places
from wheelwork.cli.load import load_job
from wheelwork.errors import NotConverged

CHAIN = """
machine = "power-grid"
[device]
kind = "chain"
sites = 3
injection = 4.0
extraction = 2.0
damping = 0.05
[sweep]
parameter = "extraction"
values = [2.0, 6.0]
[method]
kind = "mean-field"
[output]
name = "chain"
"""

GRAPH = """
machine = "power-grid"
[device]
kind = "graph"
edges = [["a", "b"], ["b", "c"], ["a", "c"]]
damping = 0.3
[[device.generators]]
node = "a"
rate = 2.0
saturation = 5.0
[[device.engines]]
node = "c"
rate = 1.0
[sweep]
parameter = "extraction[c]"
start = 0.5
stop = 1.0
points = 2
[method]
kind = "langevin"
duration = 200.0
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "grid.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_a_chain_from_a_file_to_a_figure(written, tmp_path, capsys):
    assert main(["run", str(written(CHAIN)), "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "stable" in out
    assert "extracted" in out
    with xr.open_dataset(tmp_path / "chain.nc") as data:
        branch = PowerGrid.chain(3, 4.0, 6.0, 0.05).steady_state(MeanField()).branch
        assert float(data["extracted"][1]) == branch.extracted
        np.testing.assert_array_equal(data["edge_current"], branch.current.array)
        assert list(data["node_role"].values) == ["G", "", "E"]
    assert (tmp_path / "chain.png").stat().st_size > 1_000


def test_a_graph_from_a_file(written):
    job = load_job(written(GRAPH))
    grid = job.machine
    assert set(grid.nodes) == {"a", "b", "c"}
    assert grid.generators == {"a": Saturable(2.0, 5.0)}
    assert (job.parameter, job.method.duration) == ("extraction[c]", 200.0)
    assert grid.replace(**{job.parameter: 0.7}).extraction == 0.7


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate = 2.0", "rate = -2.0", "`device.generators[0].rate` must be"),
        ('node = "c"', 'node = "z"', "`engines` must name nodes of the graph, but names 'z'"),
        ("damping = 0.3", "", "`device.damping` is missing"),
        ('"extraction[c]"', '"bias"', "`sweep.parameter`"),
        ("duration = 200.0", "", "`method.duration` is missing"),
        ('kind = "graph"', 'kind = "ring"', "`device.kind` must be one of 'chain', 'graph'"),
        ('["a", "c"]]', '["d", "e"]]', "must be connected"),
    ],
)
def test_a_mistake_is_named(written, capsys, old, new, message):
    assert old in GRAPH
    assert main(["run", str(written(GRAPH.replace(old, new)))]) == 2
    assert message in capsys.readouterr().err


def test_the_network_has_the_signs_of_the_machine():
    chain = PowerGrid.chain(3, 4.0, 6.0, 0.05)
    data = add_network(xr.Dataset(), chain, MeanField(), places(chain), quanta=2.0)
    branch = chain.steady_state().branch
    assert np.all(data["edge_current"] > 0.0)  # from the generator at 0 on
    np.testing.assert_allclose(2.0 * data["edge_current"], branch.current.array)
    np.testing.assert_allclose(2.0 * data["node_occupation"], branch.occupation)
    np.testing.assert_array_equal(data["edge_to"] - data["edge_from"], 1)


def test_places():
    reverse = PowerGrid(nx.Graph([(2, 1), (1, 0)]), generators={}, engines={}, damping=1.0)
    assert {y for _, y in places(reverse).values()} == {0.0}
    assert abs(places(reverse)[2][0] - places(reverse)[0][0]) == 2.0
    lattice = PowerGrid.lattice(2, 3, generators={}, engines={}, damping=1.0)
    assert places(lattice)[(1, 2)] == (2.0, -1.0)
    ring = PowerGrid(nx.cycle_graph(5), generators={}, engines={}, damping=1.0)
    assert len({tuple(np.round(place, 6)) for place in places(ring).values()}) == 5


def test_the_map_is_dark_where_nothing_flows(monkeypatch):
    monkeypatch.setattr(power_grid, "RATES", np.array([0.5, 1.0, 4.0]))
    data = power_grid.add_map(xr.Dataset())
    stalled = data["map_stable_branches"].sel(map_injection=0.5, map_extraction=1.0)
    assert int(stalled) == 0
    assert float(data["map_current"].sel(map_injection=0.5, map_extraction=1.0)) == 0.0
    assert float(data["map_current"].sel(map_injection=4.0, map_extraction=4.0)) > 0.9


def test_symmetry_breaks_between_the_profiles():
    data = power_grid.add_profiles(xr.Dataset())["profile_occupation"]
    ends = data.isel(site=-1) / data.isel(site=0)
    assert float(ends[0]) == pytest.approx(1.0, abs=0.01)  # Γ_e < Γ_i
    assert float(ends[2]) < 0.1  # Γ_e > Γ_i


def test_the_transistor(monkeypatch):
    monkeypatch.setattr(power_grid, "PORT_RATES", np.array([2.0, 8.0]))
    monkeypatch.setattr(power_grid, "PORT_TIME", 2e3)
    data = power_grid.add_ports(xr.Dataset())
    low, high = data["port_current"].sel(port=9).values
    assert low < 0.05
    assert high == pytest.approx(0.398, abs=0.01)
    assert any("transistor" in line for line in power_grid.remarks(data))


def test_a_part_that_fails_is_named(monkeypatch):
    def fails(dataset):
        raise NotConverged("too hard")

    monkeypatch.setattr(power_grid, "PARTS", (("noise", fails),))
    chain = PowerGrid.chain(3, 4.0, 2.0, 0.05)
    data = power_grid.complete(xr.Dataset(), chain, "extraction", MeanField())
    assert power_grid.remarks(data) == ["noise missing: too hard"]


def test_noise_and_quanta(monkeypatch):
    monkeypatch.setattr(power_grid, "NOISY_RATES", np.array([3.0, 5.0]))
    monkeypatch.setattr(power_grid, "NOISY_TIME", 1.5e4)
    monkeypatch.setattr(power_grid, "QUANTUM_RATES", np.array([8.0]))
    data = power_grid.add_quanta(power_grid.add_noise(xr.Dataset()))
    assert float(data["noisy_fluctuation"][0]) > 5.0 * float(data["noisy_fluctuation"][1])
    assert float(data["noisy_current"][1]) == pytest.approx(0.855, abs=0.02)
    assert float(data["quantum_fluctuation"].sel(quantum_saturation=1.0)[0]) == pytest.approx(
        1.64927, abs=1e-3
    )
    assert any("noise drop" in line for line in power_grid.remarks(data))
