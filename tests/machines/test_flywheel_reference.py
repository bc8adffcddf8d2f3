"""Published device: reference values, by the default method and no hand-set mesh."""

import numpy as np
import pytest

import wheelwork as ww

# bias: phonon number, g2, diagonal ergotropy, ergotropy, free energy, entropy, particle current,
# with the absolute uncertainty of the last digit printed where that exceeds 5e-6 relative
REFERENCE = {
    0.0: (9.55831, 1.99996, 0.0, 3.38e-5, 0.00006, 3.30797, 0.0),
    4.0: (14.5468, 1.89510, 0.0, 1.12e-5, 0.19465, 3.70952, 0.182564),
    8.0: (28.8617, 1.67795, 0.0, 1.29e-6, 1.75973, 4.35847, 0.291609),
    10.0: (42.1346, 1.54486, 0.036228, 0.036240, 3.73701, 4.69713, 0.313682),
    # Entropy and free energy of this row by two independent transforms that agree to 1e-13; an
    # earlier reference, 4.98372 and 6.64684, contradicts W_F = U − T S + T ln Z by 8e-5.
    12.0: (59.5501, 1.43145, 0.53075, 0.53079, 6.64690, 4.98373, 0.319838),
    16.0: (98.6163, 1.30470, None, None, None, None, 0.310530),
}
NAMES = (
    "phonon_number",
    "g2",
    "ergotropy_diagonal",
    "ergotropy",
    "free_energy_gain",
    "entropy",
    "particle_current",
)
LAST_DIGIT = (1e-5, 1e-5, 1e-6, 1e-6, 1e-5, 1e-5, 1e-6)


@pytest.fixture(scope="module")
def states():
    return {bias: ww.Flywheel.paper(bias=bias).steady_state() for bias in REFERENCE}


@pytest.mark.parametrize("bias", REFERENCE)
def test_observables(states, bias):
    for name, value, digit in zip(NAMES, REFERENCE[bias], LAST_DIGIT, strict=True):
        if value is not None:
            computed = getattr(states[bias], name)
            assert abs(computed - value) <= 5e-6 * abs(value) + 0.51 * digit, name


def test_small_ergotropy_below_threshold_is_squeezing_not_noise(states):
    for bias, whole in ((0.0, 3.38e-5), (4.0, 1.12e-5), (8.0, 1.29e-6)):
        assert states[bias].ergotropy == pytest.approx(whole, abs=0.5e-7)
        assert states[bias].ergotropy_diagonal < 1e-9
        assert states[bias].errors["ergotropy"] < 2e-6


def test_populations_are_ordered_below_threshold_and_inverted_above():
    populations = ww.Flywheel.paper(bias=8.4).steady_state().fock.populations
    assert np.all(np.diff(populations[:100]) < 0.0)
    above = ww.Flywheel.paper(bias=8.6).steady_state()
    assert above.fock.populations[1] > above.fock.populations[0]
    assert above.inversion > 0.0


def test_threshold():
    device = ww.Flywheel.paper()
    assert device.threshold_bias() == pytest.approx(8.463278, abs=1e-6)
    assert device.replace(force=0.01).threshold_bias() == pytest.approx(8.463278, abs=1e-6)


def test_as_plotted_reaches_the_plateau_of_the_figure():
    expected = {12.0: (1.5591, 35.780), 20.0: (1.4646, 69.70), 32.0: (1.515, 89.02)}
    for bias, (g2, number) in expected.items():
        state = ww.Flywheel.as_plotted(bias).steady_state()
        assert state.g2 == pytest.approx(g2, abs=6e-5)
        assert state.phonon_number == pytest.approx(number, abs=6e-3)


def test_hotter_leads_weaken_the_negative_friction():
    def friction(temperature):
        leads = tuple(
            ww.Lead(mu, temperature, ww.Lorentzian(2.0, centre, 1.0))
            for mu, centre in ((5.0, 0.5), (-5.0, -0.5))
        )
        return float(ww.Flywheel(leads, force=0.06).coefficients(0.0).friction)

    values = [friction(t) for t in (1.0, 2.0, 4.0, 8.0)]
    assert np.all(np.diff(values) > 0.0)
    assert values[0] < 0.0 < values[-1]
