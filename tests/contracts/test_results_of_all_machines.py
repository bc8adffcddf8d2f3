"""What every machine and every result offers, whatever the physics: one suite over all of them."""

import math
from functools import cache

import numpy as np
import pytest
import xarray as xr

import wheelwork as ww
from wheelwork.results import AuditEntry, Result

LONGEST_PRINTOUT = 1500  # characters: a screen
CHAIN = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
WARM = CHAIN.replace(saturation=100.0, thermal_occupation=10.0)
CASES = {
    "flywheel": (ww.Flywheel.paper(bias=12.0), ww.FokkerPlanck(1e-4)),
    "flywheel, orbits": (ww.Flywheel.paper(bias=12.0), ww.EnergyDiffusion(1e-4)),
    "flywheel, trajectories": (
        ww.Flywheel.paper(bias=8.0),
        ww.Langevin(duration=4e5, trajectories=64, step=0.5, rtol=0.1, seed=7),
    ),
    "rotor, local": (ww.RotorEngine.paper(beta_ratio=0.2), ww.LocalMasterEquation()),
    "rotor, global": (ww.RotorEngine.paper(beta_ratio=0.2), ww.GlobalMasterEquation(cutoff=20.0)),
    "power grid": (CHAIN, ww.MeanField()),
    "power grid, trajectories": (
        WARM,
        ww.Langevin(duration=4e3, trajectories=64, rtol=0.1, seed=7),
    ),
    "power grid, quanta": (CHAIN, ww.MasterEquation(rtol=1e-4)),
    "power grid, jumps": (
        CHAIN,
        ww.QuantumJumps(duration=200.0, trajectories=64, cutoff=24, burn_in=20.0, seed=7),
    ),
}
every_case = pytest.mark.parametrize("name", CASES)
pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


@cache
def solved(name):
    machine, method = CASES[name]
    return machine.steady_state(method)


@every_case
def test_a_state_is_a_result_of_its_machine_and_method(name):
    machine, method = CASES[name]
    state = solved(name)
    assert isinstance(state, Result)
    assert state.machine == machine
    assert state.method == method


@every_case
def test_observables_are_numbers_or_say_why_not(name):
    state = solved(name)
    assert state.observables
    for key, value in state.observables.items():
        assert isinstance(value, float)
        assert state.value(key) == value or math.isnan(value)
    assert all(math.isnan(state.observables[key]) for key in state.missing)
    assert all(state.missing.values())


@every_case
def test_errors_belong_to_observables_and_are_not_negative(name):
    state = solved(name)
    assert state.errors
    assert state.errors.keys() <= state.observables.keys()
    for key, error in state.errors.items():
        assert not error < 0.0
        assert state.error(key) == error or math.isnan(error)


@every_case
def test_the_audit_holds_values_against_bounds(name):
    audit = solved(name).audit
    assert audit
    assert all(isinstance(entry, AuditEntry) for entry in audit.values())
    assert solved(name).passed == all(entry.ok for entry in audit.values())


@every_case
def test_every_observable_and_parameter_has_a_label(name):
    machine, state = CASES[name][0], solved(name)
    assert state.observables.keys() == state.labels().keys()
    assert state.labels().keys() <= machine.labels.keys()
    for symbol, unit, meaning in machine.labels.values():
        assert symbol
        assert unit
        assert meaning


@every_case
def test_the_dataset_holds_every_observable_with_its_label_and_error(name):
    state = solved(name)
    dataset = state.to_xarray()
    assert isinstance(dataset, xr.Dataset)
    for key, value in state.observables.items():
        np.testing.assert_equal(dataset[key].item(), value)
        assert dataset[key].attrs["units"] == state.labels()[key][1]
        if key in state.errors:
            np.testing.assert_equal(dataset[f"{key}_error"].item(), state.errors[key])


@every_case
def test_printouts_fit_on_a_screen(name):
    machine, method = CASES[name]
    for thing in (machine, method, solved(name)):
        assert len(repr(thing)) < LONGEST_PRINTOUT
        assert " at 0x" not in repr(thing)
    assert "audit" in repr(solved(name))
    html = solved(name)._repr_html_()
    assert "<table>" in html
    assert len(html) < LONGEST_PRINTOUT


@every_case
def test_unknown_names_and_foreign_methods_are_refused(name):
    machine, _ = CASES[name]
    with pytest.raises(ww.InvalidArgument, match="`no_such_field` must be one of"):
        machine.replace(no_such_field=1.0)
    for method in ("FokkerPlanck", 1e-6, ww.FokkerPlanck, object()):
        with pytest.raises(ww.InvalidArgument, match="`method` must be a method"):
            machine.steady_state(method)


@every_case
def test_the_verb_and_the_method_of_the_machine_are_the_same(name):
    machine, method = CASES[name]
    assert dict(ww.steady_state(machine, method).observables) == pytest.approx(
        dict(solved(name).observables), rel=0.0, abs=0.0, nan_ok=True
    )


@pytest.mark.parametrize(
    ("machine", "methods"),
    [
        (ww.Flywheel.paper(), (ww.MeanField(), ww.LocalMasterEquation(), ww.MasterEquation())),
        (ww.RotorEngine.paper(), (ww.FokkerPlanck(), ww.MeanField(), ww.MasterEquation())),
        (CHAIN, (ww.FokkerPlanck(), ww.LocalMasterEquation(), ww.EnergyDiffusion())),
    ],
)
def test_a_method_of_another_machine_is_refused(machine, methods):
    for method in methods:
        with pytest.raises(ww.InvalidArgument, match="`method` must be"):
            machine.steady_state(method)
