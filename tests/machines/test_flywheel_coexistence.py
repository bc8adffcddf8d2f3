"""Flywheels that start hard: rest and an oscillation are both stable, and the state says so."""

import math
import pickle

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.phase_space import find_wells

KELVIN = 1.380649e-23 / 6.62607015e-34 / 1e9  # in GHz h


def hard(bias=241.8, unit=1.0):
    """A device in GHz h at 70 mK whose rest is stable at any bias, in units of 1/`unit`."""
    leads = tuple(
        ww.Lead(
            0.0, 0.07 * KELVIN * unit, ww.Lorentzian(50.0 * unit, side * 10.0 * unit, 20.0 * unit)
        )
        for side in (-1.0, 1.0)
    )
    device = ww.Flywheel(leads, level=0.0, frequency=0.092 * unit)
    return device.replace(coupling=0.1 * unit, bias=bias * unit)


def both_ends(coupling=0.05, unit=1.0, swapped=False):
    """A device whose rest is unstable above the bias 7.17, and that oscillates down to 4.32."""
    lines = (ww.Lorentzian(unit, 3.3 * unit, 0.5 * unit), ww.Lorentzian(unit, -2.7 * unit, unit))
    leads = tuple(ww.Lead(0.0, unit, line) for line in (lines[::-1] if swapped else lines))
    device = ww.Flywheel(leads, level=-1.1 * unit, frequency=0.05 * unit)
    return device.replace(coupling=coupling * unit)


@pytest.fixture(scope="module")
def state():
    with pytest.warns(ww.CoexistenceWarning, match="does not see the stationary mean"):
        return hard().steady_state(ww.EnergyDiffusion())


def test_a_state_knows_its_wells(state):
    rest, oscillation = state.wells
    assert rest.contains_rest
    assert not oscillation.contains_rest
    assert rest.barrier == pytest.approx(11.646, abs=0.001)
    assert oscillation.phonon_number == pytest.approx(state.phonon_number, rel=1e-6)
    assert math.log(rest.weight) == pytest.approx(-84.277, abs=0.001)
    assert rest.weight * rest.switching_rate == pytest.approx(
        oscillation.weight * oscillation.switching_rate, rel=1e-9
    )
    assert 0.0 < rest.switching_rate_error < 1e-3 * rest.switching_rate
    # Kramers' flux over the ridge: some e^-barrier of the damping at rest, mγ/m
    damping = hard().friction_at_rest(241.8)
    assert 0.1 < rest.switching_rate / (damping * rest.barrier * math.exp(-rest.barrier)) < 10.0


def test_a_state_says_what_a_run_from_rest_sees(state):
    assert state.phonon_number == pytest.approx(3.1134e5, rel=1e-4)
    assert (
        state.rest_phonon_number == pytest.approx(1393.9, abs=0.1) == state.wells[0].phonon_number
    )
    assert state.rest_weight == state.wells[0].weight
    assert "note: 2 states coexist: 1394 quanta (from rest)" in repr(state)
    assert "2 states coexist" in state._repr_html_()
    dataset = state.to_xarray()
    assert dataset["rest_phonon_number"].item() == state.rest_phonon_number
    assert dataset["rest_phonon_number_error"].item() == state.errors["rest_phonon_number"]
    copy = pickle.loads(pickle.dumps(state))
    assert tuple(copy.wells) == tuple(state.wells)


def test_weights_are_those_of_the_full_solution():
    """W of FokkerPlanck on both sides of the ridge."""
    device = both_ends(0.05).replace(bias=4.7)
    with pytest.warns(ww.CoexistenceWarning):
        state = device.steady_state(ww.FokkerPlanck(rtol=1e-4))
    wells, nodes = state.wells, state.solution.distribution.nodes
    along = wells.well == 0
    ridge = 0.5 * (np.max(wells.E[along]) + np.min(wells.E[~along]))
    orbits = state.solution.distribution.orbits
    inside = orbits.rho(nodes.X) ** 2 + nodes.P**2 < ridge
    weight = float(np.sum(nodes.weight[inside]))
    assert wells[0].weight == pytest.approx(weight, rel=0.01)
    number = float(np.sum((nodes.weight * (nodes.X**2 + nodes.P**2))[inside])) / weight - 0.5
    assert wells[0].phonon_number == pytest.approx(number, rel=0.02)


def test_a_usual_flywheel_has_one_state():
    state = ww.Flywheel.paper(bias=16.0).steady_state()
    assert len(state.wells) == 1
    assert state.rest_weight == 1.0
    assert state.rest_phonon_number == state.phonon_number
    assert "note" not in repr(state)
    assert state.wells[0].phonon_number == pytest.approx(state.phonon_number, rel=1e-3)


def test_the_papers_flywheel_starts_softly():
    device = ww.Flywheel.paper()
    onset, offset, kind = device.oscillation_thresholds()
    assert kind == "soft"
    assert onset == offset == device.threshold_bias() == pytest.approx(8.463278, abs=1e-6)
    assert device.threshold_bias() == pytest.approx(device.threshold_bias(0.0, 32.0), rel=1e-13)


def test_rest_may_be_stable_at_any_bias():
    onset, offset, kind = hard().oscillation_thresholds()
    assert (onset, kind) == (math.inf, "hard")
    assert offset == pytest.approx(133.8397, abs=1e-3)
    with pytest.raises(NotConverged, match="stays positive"):
        hard().threshold_bias()


def test_wells_agree_with_both_ends_of_the_bistable_interval():
    """With weak noise (many quanta) there are two wells between offset and onset, else one."""
    device = both_ends(0.005)
    onset, offset, kind = device.oscillation_thresholds()
    assert kind == "hard"
    assert onset == pytest.approx(device.threshold_bias(), rel=1e-12)

    def wells(bias):
        return find_wells(device.replace(bias=bias).model(1e-9))

    assert len(wells(0.998 * offset)) == 1
    assert wells(0.998 * offset).from_rest is not None
    assert [len(wells(bias)) for bias in (1.002 * offset, 5.5, 0.95 * onset)] == [2, 2, 2]
    assert len(wells(1.01 * onset)) == 1


@pytest.mark.parametrize("unit", [1e-24, 1e15])
def test_thresholds_know_no_unit_of_energy(unit):
    threshold = both_ends().threshold_bias()
    assert both_ends(unit=unit).threshold_bias() / unit == pytest.approx(threshold, rel=1e-11)
    assert hard(unit=unit).oscillation_thresholds(120.0 * unit, 240.0 * unit).offset == (
        pytest.approx(133.83970 * unit, rel=1e-6)
    )


def test_swapped_leads_turn_the_bias_round():
    device, mirrored = both_ends(), both_ends(swapped=True)
    up, down = device.oscillation_thresholds(3.0, 8.0), mirrored.oscillation_thresholds(-8.0, -3.0)
    assert (down.onset, down.offset) == pytest.approx((-up.onset, -up.offset), rel=1e-9)
    assert down.kind == up.kind == "hard"
    with pytest.raises(NotConverged, match="rest is unstable at `high` = -9"):
        mirrored.oscillation_thresholds(-20.0, -9.0)
    with pytest.raises(NotConverged, match="no oscillation between the biases -3 and 0"):
        mirrored.oscillation_thresholds(-3.0, 0.0)
    for bias in (4.0, 8.0):
        assert mirrored.friction_at_rest(-bias) == pytest.approx(device.friction_at_rest(bias))
        one, other = (
            find_wells(m.replace(bias=b).model(1e-9))
            for m, b in ((device, bias), (mirrored, -bias))
        )
        assert [w.phonon_number for w in one] == pytest.approx([w.phonon_number for w in other])


def test_a_range_that_begins_or_ends_at_the_wrong_place_is_refused():
    device = both_ends()
    with pytest.raises(NotConverged, match="oscillation is stable at `low` = 5"):
        device.oscillation_thresholds(5.0, 20.0)
    with pytest.raises(NotConverged, match="rest is unstable at `low` = 9"):
        device.oscillation_thresholds(9.0, 20.0)
    with pytest.raises(NotConverged, match="no oscillation between the biases 0 and 3"):
        device.oscillation_thresholds(0.0, 3.0)
    with pytest.raises(InvalidArgument, match="larger than `low`"):
        device.oscillation_thresholds(3.0, 3.0)


def test_a_threshold_needs_no_more_digits_than_the_integrals_have():
    """A narrow line and a narrow band beside the level: their integrals reach 5e-9."""
    leads = (
        ww.Lead(0.0, 31.5, ww.Lorentzian(1370.0, 83.9, 0.0069)),
        ww.Lead(0.0, 0.4, ww.Semicircle(766.0, 59.7, 0.186)),
    )
    device = ww.Flywheel(leads, level=0.0, frequency=12.9, mass=27.6, force=0.0064)
    threshold = device.replace(mean_potential=11.8).threshold_bias()
    friction = [
        device.replace(mean_potential=11.8, bias=side * threshold)
        .junction.coefficients(0.0, 1e-5).friction
        for side in (0.999, 1.001)
    ]  # fmt: skip
    assert friction[0] > 0.0 > friction[1]
