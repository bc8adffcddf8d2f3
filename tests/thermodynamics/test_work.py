"""Ergotropy, passive states and free energy: closed forms and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_states import random_state, random_unitary, squeezed_thermal, states
from scipy.linalg import expm, logm
from scipy.optimize import linear_sum_assignment

from wheelwork.errors import InvalidArgument
from wheelwork.states import (
    coherent_state,
    density_matrix_from_polar,
    expand_diagonals,
    number_state,
    thermal_state,
)
from wheelwork.thermodynamics import (
    banded_spectrum,
    diagonal_ergotropy,
    energy,
    ergotropy,
    free_energy_gain,
    is_passive,
    ladder,
    log_partition_function,
    passive_state,
    population_inversion,
    populations,
    spectral_ergotropy,
    spectrum,
    von_neumann_entropy,
)

FREQUENCY = 0.2


def gibbs(temperature, levels=400):
    return thermal_state(1 / np.expm1(FREQUENCY / temperature), levels)


# Closed forms


def test_coherent_state_yields_all_its_energy():
    rho = coherent_state(2.0 - 1.0j, 80)
    assert ergotropy(rho, ladder(FREQUENCY, 80)) == pytest.approx(FREQUENCY * 5.0, abs=1e-12)


def test_displaced_thermal_state_yields_the_displacement():
    levels, alpha, mean = 150, 1.3 - 0.8j, 1.5
    a = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    displace = expm(alpha * a.T - np.conj(alpha) * a)
    rho = displace @ thermal_state(mean, levels) @ displace.conj().T
    exact = FREQUENCY * abs(alpha) ** 2
    assert ergotropy(rho, ladder(FREQUENCY, levels)) == pytest.approx(exact, abs=1e-10)


def test_number_state_yields_all_and_thermal_state_nothing():
    energies = ladder(FREQUENCY, 300)
    assert ergotropy(number_state(7, 300), energies) == pytest.approx(1.4, abs=1e-14)
    assert ergotropy(thermal_state(5.0, 300), energies) == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize(("mean", "r"), [(0.0, 0.5), (0.7, 0.4), (2.0, -0.3)])
def test_squeezed_thermal_state(mean, r):
    """The unitary undoes the squeezing: U falls from (n̄+½)cosh 2r - ½ to n̄ quanta."""
    rho = squeezed_thermal(mean, r, 200)
    exact = FREQUENCY * (mean + 0.5) * (np.cosh(2 * r) - 1)
    assert ergotropy(rho, ladder(FREQUENCY, 200)) == pytest.approx(exact, abs=1e-10)


def test_slight_squeezing_of_a_warm_state_is_resolved():
    """The flywheel at bias 0: ⟨n⟩ = 9.56 with 3.4e-5 of work, which needs 1e-9 or better."""
    mean, r, angle = 9.56, 0.0029, 0.7
    width, levels = (mean + 0.5) / 2, 400
    c, s = np.cos(angle), np.sin(angle)

    def wigner(X, P):
        form = np.exp(2 * r) * (c * X + s * P) ** 2 + np.exp(-2 * r) * (c * P - s * X) ** 2
        return np.exp(-form / (2 * width)) / (2 * np.pi * width)

    diagonals = density_matrix_from_polar(wigner, 20.0, levels=levels, harmonics=8)
    energies, p = ladder(FREQUENCY, levels), populations(diagonals[0].real)
    exact = FREQUENCY * (mean + 0.5) * (np.cosh(2 * r) - 1)
    assert 3e-5 < exact < 4e-5
    found = spectral_ergotropy(banded_spectrum(diagonals), p, energies)
    assert found == pytest.approx(exact, abs=1e-11)
    assert ergotropy(expand_diagonals(diagonals), energies) == pytest.approx(exact, abs=1e-11)
    assert diagonal_ergotropy(p, energies) < 1e-12


def test_inverted_pair():
    p = np.array([0.1, 0.6, 0.3])
    energies = np.array([0.0, 1.0, 3.0])
    assert diagonal_ergotropy(p, energies) == pytest.approx(0.6 + 0.9 - 0.3 - 0.3, abs=1e-15)
    assert population_inversion(p) == (pytest.approx(0.5), 0)
    assert population_inversion(thermal_state(2.0, 90)).step < 0.0
    assert population_inversion(number_state(6, 9)).level == 5


def test_coherence_adds_to_the_diagonal_ergotropy():
    rho = coherent_state(1.0 + 1.0j, 60)
    energies = ladder(FREQUENCY, 60)
    dephased = diagonal_ergotropy(rho, energies)
    assert 0.01 < dephased < ergotropy(rho, energies) - 0.01


def test_rounding_noise_in_the_tail_is_no_work():
    rng = np.random.default_rng(1)
    p = np.diag(thermal_state(9.5, 1000)).real + 2e-15 * rng.normal(size=1000)
    assert diagonal_ergotropy(p, ladder(FREQUENCY, 1000)) < 1e-12
    assert diagonal_ergotropy(p, ladder(FREQUENCY, 1000), noise=0.0) > 1e-11  # what is guarded


# Laws


@settings(max_examples=40, deadline=None)
@given(rho=states, seed=st.integers(0, 1000))
def test_no_unitary_beats_the_ergotropy(rho, seed):
    energies = np.random.default_rng(seed).uniform(-1.0, 2.0, len(rho))  # in any order
    unitary = random_unitary(len(rho), seed)
    after = np.diag(unitary @ rho @ unitary.conj().T).real @ energies
    gained = np.diag(rho).real @ energies - after
    assert gained <= ergotropy(rho, energies) + 1e-12


@settings(max_examples=40, deadline=None)
@given(rho=states, seed=st.integers(0, 1000))
def test_ergotropy_is_the_best_assignment_of_eigenvalues(rho, seed):
    energies = np.random.default_rng(seed).uniform(-1.0, 2.0, len(rho))
    cost = np.outer(spectrum(rho), energies)
    rows, columns = linear_sum_assignment(cost)
    best = np.diag(rho).real @ energies - cost[rows, columns].sum()
    assert ergotropy(rho, energies) == pytest.approx(best, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(rho=states, seed=st.integers(0, 1000))
def test_passive_state(rho, seed):
    energies = np.random.default_rng(seed).uniform(-1.0, 2.0, len(rho))
    passive = passive_state(rho, energies)
    np.testing.assert_allclose(spectrum(passive), spectrum(rho), rtol=0, atol=1e-14)
    assert is_passive(passive, energies)
    drop = np.diag(rho).real @ energies - np.diag(passive) @ energies
    assert ergotropy(rho, energies) == pytest.approx(drop, abs=1e-12)
    assert not is_passive(random_state(4, seed), ladder(1.0, 4))


@settings(max_examples=40, deadline=None)
@given(rho=states, temperature=st.floats(0.05, 5.0))
def test_ergotropy_below_free_energy(rho, temperature):
    whole = ergotropy(rho, ladder(FREQUENCY, len(rho)))
    assert 0.0 <= diagonal_ergotropy(rho, ladder(FREQUENCY, len(rho))) <= whole + 1e-12
    assert whole <= free_energy_gain(rho, FREQUENCY, temperature) + 1e-12


@settings(max_examples=25, deadline=None)
@given(rho=states, temperature=st.floats(0.2, 5.0))
def test_free_energy_is_a_relative_entropy(rho, temperature):
    rho = 0.9 * rho + 0.1 * np.eye(len(rho)) / len(rho)  # full rank, for the logarithm
    energies = ladder(FREQUENCY, len(rho))
    log_gibbs = -energies / temperature - log_partition_function(FREQUENCY, temperature)
    relative = np.trace(rho @ (logm(rho) - np.diag(log_gibbs))).real
    gain = free_energy_gain(rho, FREQUENCY, temperature)
    assert gain == pytest.approx(temperature * relative, abs=1e-11)


@pytest.mark.parametrize("temperature", [0.03, 0.2, 2.0])
def test_gibbs_state_minimises_the_free_energy(temperature):
    rho = gibbs(temperature)
    assert free_energy_gain(rho, FREQUENCY, temperature) == pytest.approx(0.0, abs=1e-11)
    for other in (0.8, 1.25):
        warmer = gibbs(other * temperature)
        relative = (energy(warmer, FREQUENCY) - energy(rho, FREQUENCY)) - temperature * (
            von_neumann_entropy(warmer) - von_neumann_entropy(rho)
        )
        assert relative > 1e-6
        gain = free_energy_gain(warmer, FREQUENCY, temperature)
        assert gain == pytest.approx(relative, abs=1e-10)


def test_partition_function():
    direct = np.log(np.exp(-FREQUENCY / 0.5 * np.arange(400)).sum())
    assert log_partition_function(FREQUENCY, 0.5) == pytest.approx(direct, abs=1e-13)
    assert log_partition_function(1.0, 1e-3) == 0.0


def test_bad_input():
    rho = number_state(1, 3)
    with pytest.raises(InvalidArgument, match="`energies` must have length 3, but has 2"):
        ergotropy(rho, [0.0, 1.0])
    with pytest.raises(InvalidArgument, match="`energies` must be finite"):
        diagonal_ergotropy(rho, [0.0, np.nan, 1.0])
    with pytest.raises(InvalidArgument, match="`noise` must not be negative"):
        diagonal_ergotropy(rho, [0.0, 1.0, 2.0], noise=-1.0)
    with pytest.raises(InvalidArgument, match="`density_matrix` must be square"):
        ergotropy([0.5, 0.5], [0.0, 1.0])
    for question in (ergotropy, passive_state):
        with pytest.raises(InvalidArgument, match="`density_matrix` must have trace one"):
            question(3.0 * rho, [0.0, 1.0, 2.0])
    with pytest.raises(InvalidArgument, match="`density_matrix` must have trace one"):
        free_energy_gain(np.diag([0.2, 0.1]), 1.0, 1.0)
    with pytest.raises(InvalidArgument, match="`temperature` must be positive"):
        free_energy_gain(rho, 0.2, 0.0)
    with pytest.raises(InvalidArgument, match="`state` must have at least 2 levels"):
        population_inversion([1.0])
