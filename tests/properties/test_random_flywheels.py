"""Random flywheels: a right answer, a failing audit with its reason, or a refusal by name."""

import pytest
from flywheel_strategies import CALLS, RTOL, typical
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import judge

import wheelwork as ww
from wheelwork.errors import WheelworkError
from wheelwork.numerics.work import counted

EXAMPLES = {
    "flywheel, typical": 20,
    "flywheel, at equilibrium": 15,
    "flywheel, over many decades": 10,
}
METHOD = ww.FokkerPlanck(rtol=RTOL)


def fixed(examples):
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("kind", CALLS)
def test_every_answer_is_right_or_says_why_not(kind):
    @fixed(EXAMPLES[kind])
    @given(CALLS[kind])
    def run(case):
        text, call, check = case
        outcome = judge(call, check, text)
        assert not outcome.bad, f"{outcome.reason}\n{outcome.call}"

    run()


def solved(device):
    """Numbers that no choice of units or names may change, and the work; None for a refusal."""
    with counted() as work:
        try:
            state = device.steady_state(METHOD)
        except WheelworkError as refusal:
            return type(refusal), dict(work)
    unit = device.frequency
    flows = [state.particle_currents[i] / unit for i in range(len(device.leads))]
    heats = [state.heat_currents[i] / unit**2 for i in range(len(device.leads))]
    moments = state.solution.moments
    return [moments["phonon_number"], moments["g2"], moments["purity"], *flows, *heats], dict(work)


def assert_same(one, other, rel=1e-9, abs=1e-9, *, work=True):
    if work:
        assert one[1] == other[1]
    if isinstance(one[0], type):
        assert one[0] is other[0]
    else:
        assert one[0] == pytest.approx(other[0], rel=rel, abs=abs)


def with_leads(device, change):
    return device.replace(leads=tuple(change(lead) for lead in device.leads))


def scaled_line(line, unit):
    """A line shape with all of its energies times `unit`."""
    fields = {name: getattr(line, name) for name in ("rate", "centre", "width", "frequency")
              if hasattr(line, name)}  # fmt: skip
    times = {
        name: tuple(unit * x for x in value) if isinstance(value, tuple) else unit * value
        for name, value in fields.items()
    }
    return line.replace(**times)


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@given(typical(), st.sampled_from([2.0**-80, 2.0**-30, 2.0**30, 2.0**50]))
@fixed(12)
def test_the_unit_of_energy_is_free(device, unit):
    """Powers of two: 1e-24 … 1e15 and no rounding, so that even the panels are the same."""
    leads = tuple(
        ww.Lead(
            unit * one.chemical_potential,
            unit * one.temperature,
            scaled_line(one.lineshape, unit),
        )
        for one in device.leads
    )
    other = ww.Flywheel(
        leads, unit * device.level, unit * device.frequency, device.mass / unit, unit * device.force
    )
    assert_same(solved(device), solved(other))


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@given(typical())
@fixed(8)
def test_a_mirror_image_and_the_order_of_leads_change_nothing(device):
    mirrored = device.replace(force=-device.force)
    assert_same(solved(device), solved(mirrored), rel=1e-6, abs=1e-8, work=False)
    turned = solved(device.replace(leads=device.leads[::-1]))
    if not isinstance(turned[0], type):
        moments, rest = turned[0][:3], turned[0][3:]
        half = len(rest) // 2
        turned = [*moments, *rest[:half][::-1], *rest[half:][::-1]], turned[1]
    assert_same(solved(device), turned, rel=1e-6, abs=1e-8, work=False)


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@given(typical(), st.floats(-3.0, 3.0))
@fixed(8)
def test_the_zero_of_energy_is_free(device, shift):
    def moved(lead):
        line = lead.lineshape
        if hasattr(line, "centre"):
            line = line.replace(centre=line.centre + shift)
        elif hasattr(line, "frequency"):
            line = line.replace(frequency=tuple(w + shift for w in line.frequency))
        return lead.replace(chemical_potential=lead.chemical_potential + shift, lineshape=line)

    other = with_leads(device.replace(level=device.level + shift), moved)
    assert_same(solved(device), solved(other), rel=1e-6, abs=1e-8, work=False)
