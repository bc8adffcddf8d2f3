import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator, lopsided
from scipy.special import ellipk

import wheelwork as ww
from wheelwork.errors import NoSteadyState
from wheelwork.phase_space.stationary.orbits import find_orbits


def test_harmonic_orbits_are_circles_already():
    orbits = find_orbits(damped_oscillator(), 1e-11)
    X = np.linspace(-3.0, 3.0, 61)
    assert np.allclose(orbits.rho(X), X, atol=1e-12)
    assert np.allclose(orbits.stretch(X)[0], 1.0, atol=1e-10)


def test_period_of_the_duffing_oscillator():
    """The mean of X′ over a circle is ω0 T/2π, known by an elliptic integral."""
    quartic = 0.2
    orbits = find_orbits(boltzmann(lambda x: -quartic * x**3, constant(0.1), 1.0), 1e-11)
    phi = 2.0 * np.pi * (np.arange(400) + 0.5) / 400
    for R in (0.1, 1.0, 2.5):
        energy = R**2  # H = p²/2 + x²/2 + q x⁴/4 with ħ = m = ω0 = 1
        amplitude = np.sqrt((np.sqrt(1.0 + 4.0 * quartic * energy) - 1.0) / quartic)
        rate = np.sqrt(1.0 + quartic * amplitude**2)
        period = 4.0 / rate * ellipk(0.5 * quartic * amplitude**2 / rate**2)
        assert np.mean(orbits.stretch(R * np.cos(phi))[0]) == pytest.approx(
            period / (2.0 * np.pi), rel=1e-9
        )


def test_coordinates_invert_each_other_about_a_shifted_rest():
    orbits = find_orbits(lopsided(), 1e-11)
    assert abs(orbits.potential.rest) > 0.01
    rho = np.linspace(-3.0, 3.0, 41)
    X = orbits.geometry(rho)[0]
    assert np.allclose(orbits.rho(X), rho, atol=1e-9)
    assert np.allclose(orbits.potential.energy(X), rho**2, atol=1e-9)


def test_slope_of_the_log_density_is_minus_inverse_temperature_in_balance():
    temperature = 1.7
    model = boltzmann(lambda x: 0.1 * np.sin(x), lambda x: 0.05 * (2.0 + np.cos(x)), temperature)
    orbits = find_orbits(model, 1e-11)
    R = np.linspace(0.0, orbits.radius, 50)
    assert np.allclose(orbits.slope(R)[0], -1.0 / temperature, rtol=1e-9)


def test_negative_friction_far_out_is_refused_with_the_place():
    with pytest.raises(NoSteadyState, match=r"turns beyond \|x\| = \d+.*\s*friction is negative"):
        find_orbits(damped_oscillator(friction=-0.1), 1e-8)


def test_a_force_that_overcomes_the_spring_is_refused():
    runaway = boltzmann(lambda x: 2.0 * x, constant(0.1), 1.0)
    with pytest.raises(NoSteadyState, match="no minimum"):
        find_orbits(runaway, 1e-8)


def test_rho_grows_beyond_the_table_of_the_force():
    """There a Chebyshev series runs off, by 1e17 and more, and W would be that at rest."""
    orbits = find_orbits(boltzmann(lambda x: 0.3 * np.arctan(x), constant(0.1), 1.0), 1e-11)
    X = np.linspace(-1e3, 1e3, 801)
    assert np.all(np.diff(orbits.rho(X)) > 0.0)
    assert orbits.rho(X)[-1] == pytest.approx(1e3, rel=0.01)


def test_the_wigner_function_vanishes_far_from_its_state():
    density = ww.Flywheel.paper(bias=8.0).steady_state().solution.distribution.density
    far = np.array([-1e3, -200.0, 100.0, 1e3])
    assert np.all(density(far, np.zeros(4)) == 0.0)
