"""What a sweep keeps of points that did not converge, ran out of time, warned, or met a fault."""

import math
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from store_tools import entries
from sweep_systems import note, notes

from wheelwork.errors import (
    CoexistenceWarning,
    InvalidArgument,
    NotConverged,
    OutOfTime,
    ValidityWarning,
)
from wheelwork.methods import Method
from wheelwork.numerics.work import tick
from wheelwork.results import AuditEntry
from wheelwork.sweeps import Change, Crossing, Processes, Verdict, collect, refine, status, sweep
from wheelwork.sweeps.export import same_numbers, to_table

X = [1.0, 2.0, 3.0, 4.0, 5.0]
FAST = 1e-3  # seconds
pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


@dataclass(frozen=True)
class Reached:
    observables: Mapping[str, float]
    audit: Mapping[str, AuditEntry]
    errors: Mapping[str, float]


def reached(x, rtol):
    entry = AuditEntry(rtol, 1e-6)
    return Reached({"square": x**2, "none": math.nan}, {"residual": entry}, {"square": rtol * x})


@dataclass(frozen=True)
class Stubborn:
    """square = x²; what happens at other points than x = 1, 2 depends on x.

    3: converges to 0.1 only. 4: warns. 5: does not end before `method.time_limit` or the limit of
    the sweep. 6: a fault of the code. 7: fails with a partial result that cannot be read. 8: with
    one that claims to be right.
    """

    x: float = 1.0
    log: str = ""

    def replace(self, **fields: Any) -> "Stubborn":
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> Reached:
        if self.log:
            note(self.log, f"{self.x:g}")
        if self.x == 3.0:
            raise NotConverged("stopped at 0.1", reached(self.x, 0.1))
        if self.x == 4.0:
            for text in ("x is large", "x is large", "and even"):
                warnings.warn(text, ValidityWarning, stacklevel=1)
        if self.x == 5.0:
            self.compute_for_long(method)
        if self.x == 6.0:
            raise TypeError("unsupported operand")
        if self.x == 7.0:
            raise NotConverged("stopped early", object())
        if self.x == 8.0:
            raise NotConverged("stopped early", reached(self.x, 1e-9))
        return reached(self.x, 1e-9)

    def compute_for_long(self, method):
        end = time.monotonic() + 1.0
        with method.guard() if method is not None else Method().guard():
            while time.monotonic() < end:
                tick("a hard one")


def test_a_point_that_did_not_converge_keeps_what_was_reached(tmp_path):
    store = tmp_path / "store"
    dataset = sweep(Stubborn(), {"x": X[:4]}, store=store)
    assert dataset.failed.values.tolist() == [0, 0, 1, 0]
    assert dataset.failure.values.tolist() == ["", "", "NotConverged: stopped at 0.1", ""]
    assert dataset.audit_passed.values.tolist() == [1, 1, 0, 1]
    assert dataset.square.values.tolist() == [1.0, 4.0, 9.0, 16.0]
    assert dataset.square_error.values[2] == pytest.approx(0.3)
    assert dataset.audit_ok.sel(check="residual").values.tolist() == [1, 1, 0, 1]
    assert dataset.audit_value.sel(check="residual").values[2] == 0.1
    assert same_numbers(collect(store), dataset)
    assert (status(store).failed, status(store).audit_failed) == (1, 0)


def test_resumed_it_is_read_not_computed(tmp_path):
    machine, store = Stubborn(log=str(tmp_path / "log")), tmp_path / "store"
    first = sweep(machine, {"x": X[:4]}, store=store)
    seen = []
    assert same_numbers(sweep(machine, {"x": X[:4]}, store=store, on_point=seen.append), first)
    assert [point.partial for point in seen] == [False, False, True, False]
    assert len(notes(tmp_path / "log")) == 4


def test_a_partial_result_never_passes_and_may_be_unreadable():
    dataset = sweep(Stubborn(), {"x": [1.0, 7.0, 8.0]})
    assert dataset.failed.values.tolist() == [0, 1, 1]
    assert dataset.audit_passed.values.tolist() == [1, -1, 0]
    np.testing.assert_array_equal(dataset.square, [1.0, np.nan, 64.0])


def test_chosen_observables_of_a_partial_result():
    dataset = sweep(Stubborn(), {"x": [1.0, 3.0]}, observables=["square"])
    assert dataset.square.values.tolist() == [1.0, 9.0]
    assert "none" not in dataset


def test_a_number_that_is_missing_without_a_reason_says_so():
    dataset = sweep(Stubborn(), {"x": [1.0, 3.0]})
    assert dataset.none_missing.values.tolist() == ["the state gives no reason"] * 2


def test_no_boundary_is_drawn_by_numbers_that_did_not_converge():
    start = {"x": [2.0, 3.0]}  # 4 converged, 9 did not
    assert refine(Stubborn(), start, Crossing("square", 6.0), 0.1).sizes["point"] == 2
    assert refine(Stubborn(), start, Change("square"), 0.5).sizes["point"] == 2
    halved = refine(Stubborn(), start, Verdict(), 0.25)
    assert halved.x_low.values.tolist() == [2.75]


# ------------------------------------------------------------------ warnings


def executors():
    return {"here": None, "threads": ThreadPoolExecutor(2), "processes": Processes(2)}


@pytest.mark.parametrize("where", ["here", "threads", "processes"])
def test_warnings_are_stored_with_their_point(where, tmp_path):
    store = tmp_path / "store"
    with pytest.warns(ValidityWarning, match="x is large"):
        dataset = sweep(Stubborn(), {"x": X[:4]}, store=store, executor=executors()[where])
    assert dataset.warning.values.tolist() == ["", "", "", "x is large; and even"]
    assert same_numbers(collect(store), dataset)
    assert same_numbers(sweep(Stubborn(), {"x": X[:4]}, store=store), dataset)
    dataset.to_netcdf(tmp_path / "dataset.nc")
    with xr.open_dataset(tmp_path / "dataset.nc") as read:
        assert read.warning.values.tolist() == dataset.warning.values.tolist()
    assert to_table(dataset).warning.tolist()[3] == "x is large; and even"


def test_a_validity_warning_that_is_an_error_ends_the_sweep():
    with warnings.catch_warnings():
        warnings.simplefilter("error", ValidityWarning)
        with pytest.raises(ValidityWarning, match="x is large"):
            sweep(Stubborn(), {"x": [1.0, 4.0]})


def test_threads_keep_their_warnings_apart_and_leave_the_filters_as_they_were():
    before, shown = list(warnings.filters), warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ValidityWarning)
        values = np.tile([1.0, 4.0], 40) + np.repeat(np.arange(40), 2) * 1e-300
        with ThreadPoolExecutor(4) as threads:
            dataset = sweep(Stubborn(), [{"x": x} for x in values], executor=threads)
    expected = ["", "x is large; and even"] * 40
    assert dataset.warning.values.tolist() == expected
    assert (warnings.filters, warnings.showwarning) == (before, shown)


# ------------------------------------------------------------------ time


def test_a_point_that_runs_out_of_time_is_tried_again_with_more(tmp_path):
    log, store = tmp_path / "log", tmp_path / "store"
    machine = Stubborn(log=str(log))
    dataset = sweep(machine, {"x": X}, Method(time_limit=FAST), store=store)
    assert dataset.failed.values.tolist() == [0, 0, 1, 0, 1]
    assert dataset.failure.values[4] == (
        "OutOfTime: the time limit of 0.001 s has passed during: a hard one"
    )
    assert len([one for one in entries(store) if "point" in one]) == 4
    again = sweep(machine, {"x": X}, Method(time_limit=30.0), store=store)
    assert again.failed.values.tolist() == [0, 0, 1, 0, 0]
    assert sorted(notes(log)) == ["1", "2", "3", "4", "5", "5"]


@pytest.mark.parametrize("executor", [None, Processes(1)])
def test_a_sweep_limits_the_time_of_each_point(executor):
    seen = []
    sweep(Stubborn(), {"x": [1.0, 5.0, 2.0]}, time_limit=FAST, on_point=seen.append,
          executor=executor)  # fmt: skip
    failures = {point.parameters["x"]: (point.failure, point.transient) for point in seen}
    assert failures[1.0] == failures[2.0] == ("", False)
    assert failures[5.0][0].startswith("OutOfTime: the time limit of 0.001 s")
    assert failures[5.0][1]
    with pytest.raises(InvalidArgument, match="`time_limit` must be positive"):
        sweep(Stubborn(), {"x": X}, time_limit=0.0)


def test_a_failure_that_follows_from_the_time_limit_is_transient():
    class Wrapping(Stubborn):
        def steady_state(self, method=None):
            try:
                raise OutOfTime("the time limit has passed")
            except NotConverged as reason:
                raise NotConverged("nothing helped") from reason

    seen = []
    sweep(Wrapping(), {"x": [1.0]}, on_point=seen.append)
    assert seen[0].transient


# ------------------------------------------------------------------ faults of the code


@pytest.mark.parametrize("where", ["here", "threads", "processes"])
def test_a_fault_at_a_later_point_leaves_the_others(where, tmp_path):
    machine, store = Stubborn(log=str(tmp_path / "log")), tmp_path / "store"
    values = {"x": [1.0, 2.0, 6.0, 2.5]}
    dataset = sweep(machine, values, store=store, executor=executors()[where])
    assert dataset.failed.values.tolist() == [0, 0, 1, 0]
    text = dataset.failure.values[2]
    assert text.startswith("TypeError: unsupported operand (")
    assert "test_points_that_fall_short.py, line " in text
    sweep(machine, values, store=store)
    assert notes(tmp_path / "log").count("6") == 2  # not stored: the code may be mended
    assert len(notes(tmp_path / "log")) == 5


@pytest.mark.parametrize("executor", [None, Processes(1)])
def test_a_fault_at_the_first_point_is_raised(executor):
    with pytest.raises(TypeError, match="unsupported operand"):
        sweep(Stubborn(), {"x": [6.0, 1.0]}, executor=executor)


# ------------------------------------------------------------------ parameters


@pytest.mark.parametrize("machine", [Stubborn, None, "flywheel", 3.0])
def test_what_is_no_machine_is_refused(machine):
    for call in (
        lambda: sweep(machine, {"x": X}),
        lambda: refine(machine, {"x": X}, Verdict(), 0.1),
    ):
        with pytest.raises(InvalidArgument, match="`machine` must "):
            call()


@dataclass(frozen=True)
class Part:
    count: int = 1


@dataclass(frozen=True)
class Counting(Stubborn):
    count: int = 2
    parts: tuple[Part, ...] = (Part(), Part())

    def steady_state(self, method=None):
        assert type(self.count) is type(self.parts[1].count) is int
        return reached(float(self.count * self.parts[1].count), 1e-9)


def test_integers_stay_integers():
    dataset = sweep(Counting(), {"count": [1, 2], "parts[1].count": [3, 4]})
    assert dataset.square.values.tolist() == [[9.0, 16.0], [36.0, 64.0]]
    for name in ("count", "parts[1].count"):
        with pytest.raises(InvalidArgument, match=r"must be an integer, but is 2\.5") as caught:
            sweep(Counting(), {name: [2.5]})
        assert str(caught.value).startswith(f"`{name}`")


@dataclass(frozen=True)
class Coexisting(Stubborn):
    def steady_state(self, method: Any = None) -> Reached:
        warnings.warn("two states coexist", CoexistenceWarning, stacklevel=2)
        return super().steady_state(method)


def test_every_warning_of_the_library_stays_with_its_point_and_keeps_its_kind():
    with pytest.warns(CoexistenceWarning, match="two states coexist"):
        dataset = sweep(Coexisting(), {"x": [1.0]})
    assert dataset.warning.values.tolist() == ["two states coexist"]


def test_a_sweep_of_failures_has_the_columns_asked_for(tmp_path):
    store = tmp_path / "store"
    computed = sweep(Stubborn(), {"x": [7.0]}, observables=["square"], store=store)
    for dataset in (computed, collect(store)):
        assert dataset.failed.item() == 1
        assert math.isnan(dataset.square.item())
