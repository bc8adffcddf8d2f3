"""`wheelwork run` of power grids from parameter files."""

import numpy as np
import pytest
import xarray as xr

from wheelwork import MeanField, PowerGrid, Saturable
from wheelwork.cli.app import main
from wheelwork.cli.jobs import load_job

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
    assert "edge_current" not in out  # the table has totals
    with xr.open_dataset(tmp_path / "chain.nc") as data:
        branch = PowerGrid.chain(3, 4.0, 6.0, 0.05).steady_state(MeanField()).branch
        assert float(data["extracted"][1]) == branch.extracted
        np.testing.assert_array_equal(data["edge_current"][1], branch.current.array)
        assert float(data.edge_current.sel(edge="(1, 2)")[1]) == branch.current[(1, 2)]
        assert data.node_occupation.dims == ("extraction", "node")
        assert list(data["node_role"].values) == ["G", "", "E"]
    assert (tmp_path / "chain.png").stat().st_size > 1_000


def test_a_graph_from_a_file(written):
    job = load_job(written(GRAPH))
    grid = job.run.machine
    assert set(grid.nodes) == {"a", "b", "c"}
    assert grid.generators == {"a": Saturable(2.0, 5.0)}
    assert (job.run.parameter, job.run.method.duration) == ("extraction[c]", 200.0)
    assert grid.replace(**{job.run.parameter: 0.7}).extraction == 0.7


def test_nodes_in_a_file_may_be_pairs(written):
    text = """
machine = "power-grid"
[device]
kind = "graph"
edges = [[[0, 0], [0, 1]], [[0, 1], ["b", 1]]]
damping = { "(0, 0)" = 0.1, "(0, 1)" = 0.2, "('b', 1)" = 0.3 }
[[device.generators]]
node = [0, 0]
rate = 2.0
[[device.engines]]
node = ["b", 1]
rate = 1.0
[sweep]
parameter = "extraction[('b', 1)]"
values = [1.0, 2.0]
"""
    job = load_job(written(text))
    grid = job.run.machine
    assert grid.nodes == ((0, 0), (0, 1), ("b", 1))
    assert list(grid.generators) == [(0, 0)]
    assert grid.dampings.tolist() == [0.1, 0.2, 0.3]
    assert grid.replace(**{job.run.parameter: 2.0}).extraction == 2.0


def test_text_of_digits_is_no_integer_in_a_file(written):
    text = GRAPH.replace('"c"', '"7"').replace("[c]", "[7]")
    text = text.replace("damping = 0.3", """damping = { a = 0.3, b = 0.3, "'7'" = 0.4 }""")
    assert load_job(written(text)).run.machine.dampings[-1] == 0.4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "rate = 2.0",
            "rate = -2.0",
            "`device.generators[0].rate` must not be negative, but is -2.0",
        ),
        (
            'node = "c"',
            'node = "z"',
            "`device.engines` must name nodes of the graph, but names 'z'",
        ),
        ("damping = 0.3", "", "`device.damping` is missing"),
        ('"extraction[c]"', '"bias"', "`sweep.parameter`"),
        ("duration = 200.0", "", "`method.duration` is missing"),
        ('kind = "graph"', 'kind = "ring"', "`device.kind` must be one of 'chain', 'graph'"),
        ('["a", "c"]]', '["d", "e"]]', "`device.edges` must be"),
    ],
)
def test_a_mistake_is_named(written, capsys, old, new, message):
    assert old in GRAPH
    assert main(["run", str(written(GRAPH.replace(old, new)))]) == 2
    assert message in capsys.readouterr().err
