"""Oscillators whose stationary distribution is known, shared by the tests of this folder."""

import numpy as np

from wheelwork.phase_space import PhaseSpaceModel


def constant(value):
    return lambda x: np.full_like(x, value)


def boltzmann(potential_force, friction, temperature, frequency=1.0, mass=1.0):
    """Any force beside the spring, noise balanced with friction: W ∝ exp(−H/T) exactly."""
    return PhaseSpaceModel.from_functions(
        force=potential_force,
        friction=friction,
        diffusion=lambda x: 2.0 * temperature * friction(x),
        frequency=frequency,
        mass=mass,
    )


def damped_oscillator(friction=0.3, diffusion=1.2, frequency=1.0, mass=1.0, pull=0.0):
    """The Ornstein–Uhlenbeck oscillator, T = diffusion / (2 friction), shifted by pull/(m ω0²)."""
    return PhaseSpaceModel.from_functions(
        force=constant(pull),
        friction=constant(friction),
        diffusion=constant(diffusion),
        frequency=frequency,
        mass=mass,
    )


def van_der_pol(strength, temperature):
    """Friction −strength (1 − x²), noise 2·strength·temperature, ω0 = m = 1.

    For small strength W depends on E = R² = (x² + p²)/2 alone, with
    d ln W/dE = (1 − E/2)/temperature: a ring of amplitude 2.
    """
    return PhaseSpaceModel.from_functions(
        force=constant(0.0),
        friction=lambda x: -strength * (1.0 - x**2),
        diffusion=constant(2.0 * strength * temperature),
    )


def van_der_pol_energy(temperature):
    """⟨E⟩ of the weak van der Pol ring, by quadrature of its closed form."""
    energy = np.linspace(0.0, 2.0 + 40.0 * np.sqrt(temperature), 400001)
    weight = np.exp((energy - energy**2 / 4.0 - 1.0) / temperature)
    return np.trapezoid(energy * weight, energy) / np.trapezoid(weight, energy)


def lopsided(friction=0.02):
    """No symmetry, negative friction about x = 1, no detailed balance."""
    return PhaseSpaceModel.from_functions(
        force=lambda x: 0.15 * np.tanh((x - 0.5) / 3.0) + 0.1,
        friction=lambda x: friction * (1.0 - 1.6 / (1.0 + ((x - 1.0) / 3.0) ** 2)),
        diffusion=lambda x: friction * (1.5 + np.tanh(x / 4.0)),
    )
