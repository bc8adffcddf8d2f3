"""Random rotor engines: laws, refusals by name, and what must not change an answer."""

import math

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from judge import judge
from rotor_strategies import CALLS, decades, engines, laws, methods, rescaled

import wheelwork as ww

FLOWS = ("heat_cold", "heat_hot", "heat_load", "work_qubits", "particle_current")
random_machines = settings(
    max_examples=120, derandomize=True, deadline=None, database=None, phases=[Phase.generate]
)
few = settings(random_machines, max_examples=40)
pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")


@pytest.mark.parametrize("kind", CALLS)
def test_random_engines_are_solved_or_refused_by_name(kind):
    @random_machines
    @given(CALLS[kind])
    def holds(case):
        text, call, check = case
        outcome = judge(call, check, text)
        assert not outcome.bad, outcome

    holds()


def solved(engine, method):
    """The state, or None where the method refuses the engine."""
    try:
        return engine.steady_state(method)
    except ww.WheelworkError:
        return None


def alike(one, other, scale, slack):
    return abs(one - scale * other) <= slack + 1e-9 * abs(one)


@few
@given(engines(0.7), methods, st.integers(-24, 15))
def test_the_unit_of_energy_changes_no_answer(engine, method, power):
    unit = 10.0**power
    state, other = solved(engine, method), solved(*rescaled(engine, method, unit))
    assert (state is None) == (other is None)
    if state is None:
        return
    assert state.regime == other.regime
    assert state.window == other.window
    for name in FLOWS:
        scale = unit if name == "particle_current" else unit**2
        slack = scale * state.error(name) + other.error(name)
        assert alike(other.value(name), state.value(name), scale, slack), name
    for name in ("angular_momentum", "entropy", "qubit_inversion"):
        assert alike(other.value(name), state.value(name), 1.0, 2.0 * state.error(name)), name


@few
@given(engines(0.7), methods)
def test_qubits_may_be_exchanged_with_their_baths(engine, method):
    """Exchanging the qubits and reflecting l leaves H_S and the load as they are."""
    mirrored = engine.replace(
        temperature_cold=engine.temperature_hot,
        temperature_hot=engine.temperature_cold,
        field_cold=engine.field_hot,
        field_hot=engine.field_cold,
        bath_asymmetry=-engine.bath_asymmetry,
    )
    if isinstance(method, ww.GlobalMasterEquation) and method.cutoff is None:
        method = method.replace(cutoff=2.0 * engine.field_hot)
    state, other = solved(engine, method), solved(mirrored, method)
    assert (state is None) == (other is None)
    if state is None:
        return
    for name, partner, sign in (
        ("heat_cold", "heat_hot", 1.0),
        ("heat_hot", "heat_cold", 1.0),
        ("heat_load", "heat_load", 1.0),
        ("angular_momentum", "angular_momentum", -1.0),
        ("entropy", "entropy", 1.0),
    ):
        slack = 2.0 * state.error(name) + 2.0 * other.error(partner)
        assert alike(other.value(partner), state.value(name), sign, slack), name


@few
@given(engines(0.7), decades(-9.0, -5.0))
def test_the_error_holds_the_difference_to_a_finer_solution(engine, rtol):
    coarse = solved(engine, ww.LocalMasterEquation(rtol=rtol))
    fine = solved(engine, ww.LocalMasterEquation(rtol=1e-11))
    if coarse is None or fine is None:
        return
    for name in (*FLOWS, "kinetic_energy", "entropy"):
        off = abs(coarse.value(name) - fine.value(name))
        assert off <= coarse.error(name) + fine.error(name), name
    assert laws(fine) is None


@pytest.mark.parametrize("name", ["coupling", "bath_coupling", "moment_of_inertia", "field_hot"])
def test_numbers_beyond_double_precision_are_refused_at_the_door(name):
    engine = ww.RotorEngine.paper()
    with pytest.raises(ww.InvalidArgument, match="energies and rates between"):
        engine.replace(**{name: 1e308})
    assert math.isfinite(engine.replace(coupling=1e-60).steady_state().energy)
