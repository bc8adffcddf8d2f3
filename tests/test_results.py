"""What follows from the declarations of parameters and observables, on a toy machine."""

import copy
import math
import pickle
import pydoc
import warnings
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pytest

from wheelwork import _checks
from wheelwork.errors import InvalidArgument, NotConverged, ValidityWarning
from wheelwork.parameters import Parameters, declarations, parameter, short
from wheelwork.results import (
    AuditEntry,
    Result,
    Series,
    observable,
    verdict,
    warn_outside_validity,
    with_error,
    worst,
)


@dataclass(frozen=True, repr=False)
class Spring(Parameters):
    stiffness: float = parameter("k", "energy/length^2", "stiffness", check=_checks.positive)
    pull: float = parameter("f", "energy/length", "pull", check=_checks.real, default=0.0)
    bath: float | None = parameter(
        "T", "energy", "temperature", check=_checks.positive, optional=True, default=None
    )
    table: object = parameter("", "", "anything long", default=None)

    derived: ClassVar = MappingProxyType({"extension": ("x", "length", "extension")})

    def replace(self, **changes):
        self.require_known(changes)
        extension = changes.pop("extension", None)
        machine = super().replace(**changes)
        return (
            machine
            if extension is None
            else super(Spring, machine).replace(pull=machine.stiffness * extension)
        )


@dataclass(frozen=True, repr=False)
class SpringState(Result):
    machine: Spring
    method: str = "by hand"

    @observable("x", "length", "extension", error=lambda state: 1e-3)
    def extension(self):
        return self.machine.pull / self.machine.stiffness

    @observable("U", "energy", "energy", error=lambda state: 2.0 * state.energy * 1e-3)
    def energy(self):
        return 0.5 * self.machine.pull * self.extension

    @observable("", "1", "thermal quanta", key="quanta", error=lambda state: None)
    def thermal_quanta(self):
        return 7.0

    @observable("S", "1", "entropy", error=lambda state: 1.0 / 0.0)
    def entropy(self):
        if self.machine.bath is None:
            raise InvalidArgument("`bath` must be given for an entropy")
        return math.log(self.machine.bath)

    @observable(
        error=lambda state: {"total": 1.0, "half": 0.5},
        parts={"total": ("W", "energy", "work"), "half": ("W/2", "energy", "half of it")},
    )
    def work(self):
        return {"total": 2.0 * self.energy, "half": self.energy}

    @property
    def audit(self):
        return {"small": AuditEntry(self.machine.pull, 10.0)}

    @cached_property
    def readable(self):
        return MappingProxyType({"not": "picklable"})


class Stretching(Series[SpringState]):
    kind = SpringState

    def __init__(self, pulls):
        self.pulls = pulls

    @property
    def times(self):
        return np.arange(len(self.pulls), dtype=float)

    @cached_property
    def results(self):
        return tuple(SpringState(Spring(2.0, pull)) for pull in self.pulls)


NAMES = ["extension", "energy", "quanta", "entropy", "work_total", "work_half"]


@pytest.fixture
def state():
    return SpringState(Spring(2.0, pull=4.0))


# ---------------------------------------------------------------------- parameters


def test_checks_run_when_a_machine_is_made():
    assert isinstance(Spring(2).stiffness, float)
    with pytest.raises(InvalidArgument, match="`stiffness` must be positive"):
        Spring(0.0)
    with pytest.raises(InvalidArgument, match="`bath` must be positive"):
        Spring(1.0, bath=-1.0)
    assert Spring(1.0, bath=None).bath is None


def test_replace_takes_fields_and_derived_names_only():
    assert Spring(2.0).replace(pull=3).pull == 3.0
    assert Spring(2.0).replace(extension=3.0).pull == 6.0
    with pytest.raises(InvalidArgument, match=r"`pul` must be one of stiffness, .*extension; did"):
        Spring(2.0).replace(pul=3.0)


def test_labels_of_parameters_follow_from_the_declarations():
    labels = Spring.parameter_labels()
    assert list(labels) == ["stiffness", "pull", "bath", "table", "extension"]
    assert labels["bath"] == ("T", "energy", "temperature")
    assert declarations(Spring)["bath"].optional


def test_a_machine_prints_what_differs_from_its_defaults():
    assert repr(Spring(2.0)) == "Spring(stiffness=2.0)"
    assert repr(Spring(2.0, table=np.zeros((30, 2)))).endswith("table=array(30, 2))")
    assert repr(Spring(2.0, table=tuple(range(100)))).endswith("table=<100 entries>)")
    assert len(short("x" * 1000)) == 40
    assert "stiffness" in Spring(2.0)._repr_html_()


# ---------------------------------------------------------------------- results


def test_everything_follows_from_the_declarations(state):
    dataset = state.to_xarray()
    assert list(state.observables) == list(SpringState.labels()) == NAMES
    errors, missing = (
        {f"{n}_error" for n in state.errors},
        {f"{n}_missing" for n in state.missing},
    )
    assert set(dataset.data_vars) == {*NAMES} | errors | missing
    assert state.observables["work_half"] == state.energy == 4.0
    for name, (symbol, unit, meaning) in SpringState.labels().items():
        assert dataset[name].attrs == {"symbol": symbol, "units": unit, "long_name": meaning}
        np.testing.assert_equal(dataset[name].item(), state.observables[name])
    for name, error in state.errors.items():
        assert dataset[f"{name}_error"].item() == error == state.error(name)


def test_errors_are_those_of_observables_that_have_one(state):
    assert state.errors == {
        "extension": 1e-3, "energy": 8e-3, "work_total": 1.0, "work_half": 0.5
    }  # fmt: skip
    assert state.error("work_half") == 0.5
    assert math.isnan(state.error("quanta"))
    assert math.isnan(state.error("entropy"))


def test_what_a_state_lacks_is_nan_with_a_reason(state):
    assert math.isnan(state.observables["entropy"])
    assert state.missing == {"entropy": "`bath` must be given for an entropy"}
    with pytest.raises(InvalidArgument, match="for an entropy"):
        _ = state.entropy
    assert state.to_xarray().entropy_missing.item() == state.missing["entropy"]
    assert "energy_missing" not in state.to_xarray()
    assert SpringState(Spring(1.0, bath=1.0)).missing == {}


def test_a_value_is_computed_once_and_alone(state):
    assert state.value("energy") == 4.0
    assert "work" not in vars(state)
    assert vars(state)["energy"] == 4.0
    vars(state)["energy"] = 5.0
    assert state.energy == 5.0
    with pytest.raises(InvalidArgument, match="`name` must be one of extension"):
        state.value("weight")


def test_a_subclass_keeps_the_order_and_may_replace_a_declaration():
    class Heavy(SpringState):
        @observable("E", "energy", "energy and weight")
        def energy(self):
            return 1.0

        @observable("m", "1", "mass")
        def mass(self):
            return 2.0

    assert list(Heavy.declared) == [
        "extension", "energy", "quanta", "entropy", "work", "mass"
    ]  # fmt: skip
    assert Heavy.labels()["energy"][0] == "E"
    assert "energy" not in Heavy(Spring(1.0)).errors
    assert SpringState.labels()["energy"][0] == "U"


def test_a_result_prints_numbers_with_errors_and_where_they_come_from(state):
    text = repr(state)
    assert text.splitlines()[0] == "SpringState"
    assert "  extension = 2 ± 0.001" in text
    assert "entropy = nan" in text
    assert text.endswith("of Spring(stiffness=2.0, pull=4.0)\n  by 'by hand'")
    html = state._repr_html_()
    assert html.count("<tr>") == len(NAMES)
    assert "<b>SpringState</b>" in html
    assert len(text) < 500
    without_method = SpringState(state.machine, None)
    assert repr(without_method).endswith("of Spring(stiffness=2.0, pull=4.0)")
    assert "None" not in without_method._repr_html_()


def test_printouts_name_what_fails():
    state = SpringState(Spring(1.0, pull=20.0))
    assert "1 of 1 checks fail: small = 20 (at most 10)" in repr(state)
    assert not state.passed
    assert verdict({"a": AuditEntry(math.nan, 1.0)}).startswith("1 of 1")


def test_the_worst_of_several_audits_fails_before_it_is_large():
    audits = [{"a": AuditEntry(1.0, 2.0)}, {"a": AuditEntry(0.9, 0.5)}, {"a": AuditEntry(0.7, 0.5)}]
    assert worst(audits) == {"a": AuditEntry(0.9, 0.5)}
    assert math.isnan(worst([*audits, {"a": AuditEntry(math.nan, 1.0)}])["a"].value)
    assert worst(audits[:1]) == audits[0]


def test_html_is_escaped():
    assert "&lt;b&gt;" in SpringState(Spring(1.0), method="<b>")._repr_html_()


def test_results_can_be_pickled_and_copied(state):
    assert state.readable
    assert state.observables
    for other in (pickle.loads(pickle.dumps(state)), copy.deepcopy(state)):
        assert other == state
        assert vars(other)["energy"] == 4.0
        np.testing.assert_equal(dict(other.observables), dict(state.observables))


# ---------------------------------------------------------------------- series


def test_a_series_offers_every_observable_against_time():
    run = Stretching([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(run.energy, [0.0, 0.25, 1.0])
    np.testing.assert_array_equal(run.work_total, [0.0, 0.5, 2.0])
    assert len(run) == 3
    assert run[-1].energy == 1.0
    assert [one.machine.pull for one in run] == [0.0, 1.0, 2.0]
    with pytest.raises(AttributeError, match="no attribute 'weight'"):
        _ = run.weight


def test_reading_one_series_computes_no_other():
    run = Stretching([1.0, 2.0])
    assert run.energy.size == 2
    assert not {"entropy", "thermal_quanta", "work"} & vars(run[0]).keys()


def test_a_series_as_a_dataset():
    dataset = Stretching([1.0, 2.0]).to_xarray()
    assert dataset["time"].values.tolist() == [0.0, 1.0]
    assert set(NAMES) <= set(dataset.data_vars)
    assert dataset["energy_error"].values == pytest.approx([0.5e-3, 2e-3])
    assert "entropy_error" not in dataset
    assert np.all(np.isnan(dataset["entropy"]))
    assert dataset["entropy_missing"].dims == ("time",)
    assert dataset["entropy_missing"].values.tolist() == ["`bath` must be given for an entropy"] * 2
    assert "energy_missing" not in dataset


def test_help_shows_what_an_observable_is():
    text = pydoc.render_doc(SpringState, renderer=pydoc.plaintext)
    assert "energy = <observable in units of energy: energy>" in text
    assert "Observable(" not in text


def test_a_series_prints_its_ends():
    run = Stretching(list(range(1000)))
    text = repr(run)
    assert text.splitlines()[0] == "Stretching, 1000 times from 0 to 999"
    assert "energy: 0 ± 0 ... " in text
    assert "energy" not in vars(run[1])
    assert len(run._repr_html_()) < 1000
    assert repr(Stretching([])).startswith("Stretching, no times")


def test_a_series_can_be_pickled():
    run = Stretching([1.0, 2.0])
    assert run.results[0].readable
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(run)).energy, run.energy)


# ---------------------------------------------------------------------- small tools


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (59.5501384, 2.1e-6, "59.550138 ± 2e-06"),
        (1.0, math.nan, "1"),
        (math.nan, 1.0, "nan"),
        (0.0, 1e-3, "0 ± 0.001"),
        (1.0, 1e-30, "1 ± 1e-30"),
        (1.0, 100.0, "1 ± 1e+02"),
    ],
)
def test_numbers_show_the_digits_that_are_known(value, error, text):
    assert with_error(value, error) == text


def test_the_validity_warning_names_what_is_beyond_its_bound():
    with pytest.warns(ValidityWarning, match=r"^spring: strain = 0\.5 \(at most 0\.1\)$"):
        warn_outside_validity(
            "spring", {"strain": AuditEntry(0.5, 0.1), "heat": AuditEntry(0.0, 0.1)}
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_outside_validity("spring", {"heat": AuditEntry(0.0, 0.1)})


def test_an_error_that_cannot_be_had_leaves_its_observable():
    @dataclass(frozen=True, repr=False)
    class Doubtful(Result):
        machine: str = "toy"
        method: str = "by hand"

        def unknown(self):
            raise NotConverged("no error")

        @observable("d", "1", "a number", error=unknown)
        def d(self):
            return 1.0

        @observable("u", "1", "not a number")
        def u(self):
            return math.nan

    state = Doubtful()
    assert state.observables["d"] == 1.0
    assert state.errors == {}
    assert math.isnan(state.error("d"))
    assert state.missing == {"u": "`u` is not defined for this state"}
