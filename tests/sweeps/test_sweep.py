"""Sweeps keep every number, name every failure, and lose nothing."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from wheelwork.errors import InvalidArgument
from wheelwork.sweeps import Crossing, refine, sweep
from wheelwork.verbs import steady_state


def test_one_parameter_gives_every_observable_with_its_label_and_error(spring):
    dataset = sweep(spring(), {"stretch": [0.0, 1.0, 2.0]})
    np.testing.assert_array_equal(dataset.energy, [0.0, 1.0, 4.0])
    np.testing.assert_array_equal(dataset.force, [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(dataset.energy_error, 1e-9)
    assert "force_error" not in dataset
    assert dataset.energy.attrs == {"symbol": "U", "units": "J", "long_name": "stored energy"}
    assert dataset.energy_error.attrs["units"] == "J"
    assert dataset.stretch.attrs["symbol"] == "x"
    assert dataset.force.attrs == {}


def test_several_parameters_span_their_product_in_the_order_given(spring):
    dataset = sweep(spring(), {"stiffness": [1.0, 2.0, 3.0], "stretch": [1.0, 2.0]})
    assert dataset.energy.dims == ("stiffness", "stretch")
    expected = 0.5 * dataset.stiffness * dataset.stretch**2
    np.testing.assert_array_equal(dataset.energy, expected)


def test_a_failing_point_is_nan_with_its_reason_and_the_sweep_goes_on(spring):
    dataset = sweep(spring(breaking_point=1.5), {"stretch": [1.0, 2.0, 1.2]})
    np.testing.assert_array_equal(np.isnan(dataset.energy), [False, True, False])
    assert dataset.failure.values.tolist() == ["", "NotConverged: the spring broke at 2.0", ""]
    assert dataset.audit_passed.values.tolist() == [1, -1, 1]
    assert dataset.audit_ok.sel(check="hooke").values.tolist() == [1, -1, 1]
    assert dataset.attrs["complete"] == 1


def test_a_fault_of_the_code_is_not_taken_for_a_failing_point(spring):
    def fault(machine):
        raise AttributeError("a misspelt attribute")

    with pytest.raises(AttributeError, match="misspelt"):
        sweep(spring(before=fault), {"stretch": [1.0]})


def test_the_audit_is_kept_entry_by_entry(spring):
    dataset = sweep(spring(), {"stretch": [1.0, 4.0]})
    np.testing.assert_array_equal(dataset.audit_value.sel(check="hooke"), [1.0, 4.0])
    np.testing.assert_array_equal(dataset.audit_bound.sel(check="hooke"), 3.0)
    assert dataset.audit_ok.sel(check="hooke").values.tolist() == [1, 0]
    assert dataset.audit_passed.values.tolist() == [1, 0]


def test_ctrl_c_keeps_what_is_finished(spring):
    def interrupt(machine):
        if machine.stretch == 3.0:
            reason = KeyboardInterrupt()
            reason.add_note("the run is in a file")
            raise reason

    with pytest.raises(KeyboardInterrupt, match="2 of 4 points are done: `dataset`") as stopped:
        sweep(spring(before=interrupt), {"stretch": [1.0, 2.0, 3.0, 4.0]})
    assert stopped.value.__notes__ == ["the run is in a file"]
    dataset = stopped.value.dataset
    assert dataset.attrs["complete"] == 0
    np.testing.assert_array_equal(dataset.energy, [1.0, 4.0, np.nan, np.nan])
    assert dataset.failure.values.tolist() == ["", "", "not computed", "not computed"]


def test_ctrl_c_at_the_first_point_leaves_an_empty_but_labelled_dataset(spring):
    def interrupt(machine):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="0 of 2 points") as stopped:
        sweep(spring(before=interrupt), {"stretch": [1.0, 2.0]})
    assert stopped.value.dataset.attrs["complete"] == 0
    assert stopped.value.dataset.failure.values.tolist() == ["not computed"] * 2


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("case_sweep", sweep),
        ("refine", lambda *given: refine(*given, Crossing("energy", 1e9), 1.0)),
    ],
)
def test_ctrl_c_after_the_last_point_loses_none(name, call, spring, monkeypatch):
    module = importlib.import_module(f"wheelwork.sweeps.{name}")
    make, calls = module.to_dataset, []

    def interrupted_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return make(*arguments)

    monkeypatch.setattr(module, "to_dataset", interrupted_once)
    with pytest.raises(KeyboardInterrupt, match="points are done: `dataset`") as stopped:
        call(spring(), {"stretch": [1.0, 2.0]})
    np.testing.assert_array_equal(stopped.value.dataset.energy, [1.0, 4.0])
    assert stopped.value.dataset.attrs["complete"] == 1


LOADED = """
import sys
from types import SimpleNamespace
import wheelwork as ww

class Spring:
    def replace(self, **fields): return self
    def steady_state(self, method=None):
        global before
        before = set(sys.modules)
        return SimpleNamespace(observables={}, errors={}, audit={})

print("xarray" in sys.modules)
ww.sweep(Spring(), {"x": [1.0]})
print("xarray" in before, set(sys.modules) <= before)
"""


def test_nothing_is_left_to_load_that_ctrl_c_could_interrupt_after_the_points():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True", "True"]


def test_equal_values_are_kept_and_computed_once(spring):
    solved = []
    machine = spring(before=lambda machine: solved.append(machine.stretch))
    dataset = sweep(machine, {"stretch": [1.0, 2.0, 1.0]})
    assert solved == [1.0, 2.0]
    np.testing.assert_array_equal(dataset.stretch, [1.0, 2.0, 1.0])
    np.testing.assert_array_equal(dataset.energy, [1.0, 4.0, 1.0])


def test_on_point_sees_every_point_in_order(spring):
    seen = []
    sweep(spring(breaking_point=1.5), {"stretch": [1.0, 2.0]}, on_point=seen.append)
    assert [(point.index, point.total) for point in seen] == [(0, 2), (1, 2)]
    assert seen[0].observables["energy"] == 1.0
    assert seen[1].failure.startswith("NotConverged")
    assert seen[1].parameters == {"stretch": 2.0}


def test_a_bad_name_stops_the_sweep_before_anything_is_computed(spring):
    def never(machine):
        raise AssertionError("computed")

    with pytest.raises(InvalidArgument, match="strech"):
        sweep(spring(before=never), {"strech": [1.0]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "`values` must name at least one parameter"),
        ({"stretch": []}, "`stretch` must hold at least one value"),
        ({"stretch": 1.0}, r"`stretch` must have 1 dimension\(s\), but has shape \(\)"),
        ({"stretch": [1.0, np.nan]}, "`stretch` must be finite"),
    ],
)
def test_bad_values_are_refused(spring, values, message):
    with pytest.raises(InvalidArgument, match=message):
        sweep(spring(), values)


def test_provenance_holds_the_parameters_at_full_precision(spring):
    attributes = sweep(spring(stiffness=0.1 + 0.2), {"stretch": [1.0]}).attrs
    machine = json.loads(attributes["machine"])
    assert machine["type"] == "Spring"
    assert machine["stiffness"] == 0.1 + 0.2
    assert machine["shape"] == [0.1, 1.0 / 3.0]
    assert attributes["method"] == "default of the machine"
    assert attributes["wheelwork_version"]


def test_the_dataset_survives_netcdf(spring, tmp_path):
    dataset = sweep(spring(breaking_point=1.5), {"stretch": [1.0, 2.0]})
    dataset.to_netcdf(tmp_path / "spring.nc")
    with xr.open_dataset(tmp_path / "spring.nc") as read:
        xr.testing.assert_equal(read.load(), dataset)
        assert read.attrs == dataset.attrs


def test_steady_state_is_that_of_the_machine(spring):
    assert steady_state(spring(stretch=3.0)).observables["energy"] == 9.0
