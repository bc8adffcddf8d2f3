"""What the figures of Huber and Rabl show besides the sweep, and how networks are drawn."""

import networkx as nx
import numpy as np
import pytest
import xarray as xr

from wheelwork import MeanField, PowerGrid
from wheelwork.errors import NotConverged
from wheelwork.papers.huber_rabl_2022 import figures
from wheelwork.papers.huber_rabl_2022.network import add_network, positions


def test_the_network_has_the_signs_of_the_machine():
    chain = PowerGrid.chain(3, 4.0, 6.0, 0.05)
    data = add_network(xr.Dataset(), chain, MeanField(), positions(chain), quanta=2.0)
    branch = chain.steady_state().branch
    assert np.all(data["edge_current"] > 0.0)  # from the generator at 0 on
    np.testing.assert_allclose(2.0 * data["edge_current"], branch.current.array)
    np.testing.assert_allclose(2.0 * data["node_occupation"], branch.occupation)
    np.testing.assert_array_equal(data["edge_to"] - data["edge_from"], 1)


def test_where_nodes_are_drawn():
    reverse = PowerGrid(nx.Graph([(2, 1), (1, 0)]), generators={}, engines={}, damping=1.0)
    assert {y for _, y in positions(reverse).values()} == {0.0}
    assert abs(positions(reverse)[2][0] - positions(reverse)[0][0]) == 2.0
    lattice = PowerGrid.lattice(2, 3, generators={}, engines={}, damping=1.0)
    assert positions(lattice)[(1, 2)] == (2.0, -1.0)
    ring = PowerGrid(nx.cycle_graph(5), generators={}, engines={}, damping=1.0)
    assert len({tuple(np.round(position, 6)) for position in positions(ring).values()}) == 5


def test_the_map_is_dark_where_nothing_flows(monkeypatch):
    monkeypatch.setattr(figures, "RATES", np.array([0.5, 1.0, 4.0]))
    data = figures.add_map(xr.Dataset())
    stalled = data["map_stable_branches"].sel(map_injection=0.5, map_extraction=1.0)
    assert int(stalled) == 0
    assert float(data["map_current"].sel(map_injection=0.5, map_extraction=1.0)) == 0.0
    assert float(data["map_current"].sel(map_injection=4.0, map_extraction=4.0)) > 0.9


def test_symmetry_breaks_between_the_profiles():
    data = figures.add_profiles(xr.Dataset())["profile_occupation"]
    ends = data.isel(site=-1) / data.isel(site=0)
    assert float(ends[0]) == pytest.approx(1.0, abs=0.01)  # Γ_e < Γ_i
    assert float(ends[2]) < 0.1  # Γ_e > Γ_i


def test_the_transistor(monkeypatch):
    monkeypatch.setattr(figures, "PORT_RATES", np.array([2.0, 8.0]))
    monkeypatch.setattr(figures, "PORT_TIME", 2e3)
    data = figures.add_ports(xr.Dataset())
    low, high = data["port_current"].sel(port=9).values
    assert low < 0.05
    assert high == pytest.approx(0.398, abs=0.01)
    assert any("transistor" in line for line in figures.remarks(data))


def test_a_part_that_fails_is_named(monkeypatch):
    def fails(dataset):
        raise NotConverged("too hard")

    monkeypatch.setattr(figures, "PARTS", {"noise": fails})
    chain = PowerGrid.chain(3, 4.0, 2.0, 0.05)
    data = figures.complete(xr.Dataset(), chain, "extraction", MeanField())
    assert figures.remarks(data) == ["noise missing: too hard"]


def test_noise_and_quanta(monkeypatch):
    monkeypatch.setattr(figures, "NOISY_RATES", np.array([3.0, 5.0]))
    monkeypatch.setattr(figures, "NOISY_TIME", 1.5e4)
    monkeypatch.setattr(figures, "QUANTUM_RATES", np.array([8.0]))
    data = figures.add_quanta(figures.add_noise(xr.Dataset()))
    assert float(data["noisy_fluctuation"][0]) > 5.0 * float(data["noisy_fluctuation"][1])
    assert float(data["noisy_current"][1]) == pytest.approx(0.855, abs=0.02)
    assert float(data["quantum_fluctuation"].sel(quantum_saturation=1.0)[0]) == pytest.approx(
        1.64927, abs=1e-3
    )
    assert any("noise drop" in line for line in figures.remarks(data))
