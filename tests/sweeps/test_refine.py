"""Refinement finds boundaries that are known in closed form, with few points, and resumes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sweep_systems import Entry, Settled, Thermal, note, notes

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.sweeps import Change, Crossing, Processes, Verdict, collect, refine
from wheelwork.sweeps.cells import Cell, Lattice, depth_for
from wheelwork.sweeps.export import same_numbers


@dataclass(frozen=True)
class Landscape:
    """height = x² + 4 y² − 1; sector: the quadrant; no result for x beyond `edge`."""

    x: float = 0.0
    y: float = 0.0
    edge: float = math.inf
    log: str = ""

    def replace(self, **fields: Any) -> "Landscape":
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> Settled:
        if self.log:
            note(self.log, f"{self.x.hex()} {self.y.hex()}")
        if self.x > self.edge:
            raise NotConverged("beyond the edge")
        height = self.x**2 + 4 * self.y**2 - 1
        numbers = {"height": height, "sector": 2.0 * (self.x > 0.3) + (self.y > 0.7)}
        return Settled(numbers, {}, {"low": Entry(height, 1.0, height <= 1.0)})


def bracket(dataset, name="x"):
    return dataset[f"{name}_low"].values, dataset[f"{name}_high"].values


def test_a_crossing_is_closed_in_by_halving():
    start = np.linspace(0.0, 2.0, 4)
    dataset = refine(Landscape(), {"x": start}, Crossing("height"), width=1e-6)
    low, high = bracket(dataset)
    assert low.size == 1
    assert low[0] <= 1.0 < high[0]
    assert high[0] - low[0] <= 1e-6
    assert dataset.sizes["point"] == 4 + math.ceil(math.log2(2 / 3 / 1e-6))
    assert np.all(np.diff(dataset.x) > 0)
    np.testing.assert_array_equal(dataset.height, dataset.x**2 - 1)


def test_every_boundary_is_found_of_its_own_kind():
    values = {"x": np.linspace(-2.0, 2.0, 9)}
    low, high = bracket(refine(Landscape(), values, Crossing("height"), 1e-3))
    np.testing.assert_allclose(0.5 * (low + high), [-1.0, 1.0], atol=1e-3)
    low, high = bracket(refine(Landscape(), values, Change("sector"), 1e-3))
    np.testing.assert_allclose(0.5 * (low + high), [0.3], atol=1e-3)
    low, high = bracket(refine(Landscape(edge=1.7), values, Verdict(), 1e-3))
    expected = [-math.sqrt(2.0), math.sqrt(2.0), 1.7]
    np.testing.assert_allclose(0.5 * (low + high), expected, atol=1e-3)


def test_points_without_a_result_make_no_boundary_of_a_number():
    values = {"x": np.linspace(0.0, 2.0, 5)}
    dataset = refine(Landscape(edge=0.6), values, Crossing("height"), 1e-3)
    assert dataset.sizes == {"point": 5, "check": 1, "cell": 0}


def test_a_curve_in_the_plane_is_covered_without_gaps():
    values = {"x": np.linspace(-2.0, 2.0, 5), "y": np.linspace(-1.5, 1.5, 5)}
    widths = {"x": 0.05, "y": 0.05}
    dataset = refine(Landscape(), values, Crossing("height"), widths)
    x_low, x_high = bracket(dataset)
    y_low, y_high = bracket(dataset, "y")
    assert np.all(x_high - x_low <= 0.05)
    assert np.all(y_high - y_low <= 0.05)
    angle = np.linspace(0.0, 2 * np.pi, 500)
    for x, y in zip(np.cos(angle), 0.5 * np.sin(angle), strict=True):
        assert np.any((x_low <= x) & (x <= x_high) & (y_low <= y) & (y <= y_high)), (x, y)
    full = (4.0 / (4.0 / 128)) * (3.0 / (3.0 / 64))
    assert dataset.sizes["point"] < 0.2 * full


def test_boundaries_that_pass_between_corners_are_followed_from_the_neighbour():
    lattice = Lattice((np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0])), depth=2)
    left, right = lattice.cells()
    assert set(left.rim()) >= set(left.corners())
    assert (4, 2) in set(left.rim())
    assert (4, 2) in set(right.rim())
    assert (2, 2) not in set(left.rim())
    assert len(set(left.rim())) == 16
    assert {corner for half in left.halves() for corner in half.corners()} == {
        (i, j) for i in (0, 2, 4) for j in (0, 2, 4)
    }


def test_a_tongue_is_followed_into_cells_whose_corners_say_nothing():
    # |x| < 1.3 within |y − 0.26| < 0.05: it enters the middle cells between their corners
    @dataclass(frozen=True)
    class Tongue(Landscape):
        def steady_state(self, method: Any = None) -> Settled:
            inside = abs(self.y - 0.26) < 0.05 + 0.5 * max(0.0, abs(self.x) - 1.0)
            return Settled({"height": 1.0 if inside else -1.0}, {}, {})

    values = {"x": np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), "y": np.array([-0.5, 0.5])}
    dataset = refine(Tongue(), values, Crossing("height"), 1 / 32)
    (x_low, x_high), (y_low, y_high) = bracket(dataset), bracket(dataset, "y")
    for x in np.linspace(-0.99, 0.99, 37):
        assert np.any((x_low <= x) & (x <= x_high) & (y_low <= 0.31) & (y_high >= 0.31)), x


def test_values_are_the_same_from_either_side():
    lattice = Lattice((np.array([0.1, 0.3, 1.0]),), depth=3)
    assert lattice.values((8,)) == (0.3,)
    assert lattice.values((4,)) == (0.1 + (0.3 - 0.1) * 0.5,)
    assert lattice.values((16,)) == (1.0,)
    assert Cell((8,), 8).corners() == [(8,), (16,)]
    assert depth_for((np.array([0.0, 1.0]),), (0.25,)) == 2
    assert depth_for((np.array([0.0, 1.0]),), (2.0,)) == 0


def test_it_resumes_and_is_the_same_in_processes(tmp_path):
    log = tmp_path / "log"
    machine = Landscape(log=str(log))
    call = {"values": {"x": np.linspace(-2.0, 2.0, 9)}, "event": Crossing("height"), "width": 1e-3}
    interrupted = []

    def interrupt(point):
        interrupted.append(point)
        if len(interrupted) == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="12 points are stored in") as stopped:
        refine(machine, **call, store=tmp_path / "store", on_point=interrupt)
    assert stopped.value.dataset.attrs["complete"] == 0
    whole = refine(machine, **call, store=tmp_path / "store", executor=Processes(2))
    assert len(notes(log)) == len(set(notes(log))) == whole.sizes["point"]
    plain = refine(machine, **call)
    assert same_numbers(plain, whole)
    collected = collect(tmp_path / "store")
    assert same_numbers(collected, whole.drop_vars(["x_low", "x_high"]))


def test_the_rotors_regimes_end_where_root_finding_says():
    engine = ww.RotorEngine.paper()
    found = engine.regime_boundaries(0.05, 0.95)
    values = {"beta_ratio": np.linspace(0.05, 0.95, 7)}
    low, high = bracket(refine(engine, values, Change("regime_code"), 1e-4), "beta_ratio")
    for boundary in (found.work_vanishes, found.heat_reverses):
        assert np.sum((low <= boundary) & (boundary <= high)) == 1
    assert low.size == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": {"x": [1.0]}}, "at least two ascending"),
        ({"values": {"x": [1.0, 0.0]}}, "at least two ascending"),
        ({"values": {"x": [0, 1], "y": [0, 1], "edge": [0, 1]}}, "one or two parameters"),
        ({"width": 0.0}, "`width` must be positive"),
        ({"width": {"z": 1.0}}, r"`width` must name \['x'\]"),
        ({"width": 1e-300}, "40 halvings"),
        ({"event": "height"}, "`event` must be such as"),
        ({"event": Crossing("hight")}, "`observable` must be one of height, sector"),
    ],
)
def test_bad_input_is_refused(changes, message):
    call: Mapping[str, Any] = {
        "values": {"x": [0.0, 2.0]},
        "event": Crossing("height"),
        "width": 0.1,
    } | changes
    with pytest.raises(InvalidArgument, match=message):
        refine(Landscape(), **call)


def test_a_machine_without_labels_or_event_is_left_alone():
    dataset = refine(Thermal(), {"frequency": [1.0, 2.0]}, Crossing("occupation", 99.0), 0.1)
    assert dataset.frequency.attrs["symbol"] == r"\omega"
    assert dataset.sizes["point"] == 2
    assert dataset.attrs["complete"] == 1
