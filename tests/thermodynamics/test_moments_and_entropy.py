"""Number statistics, spectrum and entropy against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_states import random_state, random_unitary, states

from wheelwork.errors import InvalidArgument
from wheelwork.states import (
    coherent_state,
    expand_diagonals,
    number_state,
    squeezed_state,
    thermal_state,
    wigner_from_density_matrix,
)
from wheelwork.thermodynamics import (
    banded_spectrum,
    energy,
    g2,
    is_passive,
    ladder,
    phonon_number,
    populations,
    reduced_state,
    spectral_entropy,
    spectrum,
    von_neumann_entropy,
    wigner_g2,
    wigner_phonon_number,
)


def test_second_order_coherence():
    assert g2(thermal_state(9.5, 600)) == pytest.approx(2.0, abs=1e-10)
    assert g2(coherent_state(2.0 - 3.0j, 100)) == pytest.approx(1.0, abs=1e-12)
    assert g2(number_state(7, 9)) == pytest.approx(1.0 - 1.0 / 7.0, abs=1e-15)
    r = 0.6  # squeezed vacuum: 3 + 1/n
    assert g2(squeezed_state(r, 0.4, 150)) == pytest.approx(3 + 1 / np.sinh(r) ** 2, abs=1e-10)
    assert np.isnan(g2(number_state(0, 3)))


def test_number_and_energy():
    rho = coherent_state(2.0 - 3.0j, 100)
    assert phonon_number(rho) == pytest.approx(13.0, abs=1e-11)
    assert energy(rho, 0.2) == pytest.approx(2.6, abs=1e-12)
    assert energy(np.diag(rho).real, 0.2) == energy(rho, 0.2)
    np.testing.assert_allclose(ladder(0.2, 4), [0.0, 0.2, 0.4, 0.6])


@pytest.mark.parametrize(
    "rho",
    [coherent_state(1.2 - 2.1j, 60), squeezed_state(0.4, 0.9, 90), random_state(10, 4)],
    ids=["coherent", "squeezed", "random"],
)
def test_moments_of_the_wigner_function(rho):
    mass, frequency = 1.7, 0.3
    unit = np.sqrt(mass * frequency)
    x, p = np.linspace(-10, 11, 120) / unit, np.linspace(-11, 10, 130) * unit
    wigner = wigner_from_density_matrix(rho, x, p, mass=mass, frequency=frequency)
    units = {"mass": mass, "frequency": frequency}
    number = wigner_phonon_number(wigner, x, p, **units)
    assert number == pytest.approx(phonon_number(rho), abs=1e-11)
    assert wigner_g2(wigner, x, p, **units) == pytest.approx(g2(rho), abs=1e-10)
    with pytest.raises(InvalidArgument, match=r"`wigner` must have shape \(120, 130\)"):
        wigner_g2(wigner.T, x, p, **units)


@pytest.mark.parametrize("question", [wigner_phonon_number, wigner_g2])
def test_a_mesh_that_does_not_hold_the_wigner_function_is_refused(question):
    wide, coarse = np.linspace(-9.0, 9.0, 90), np.linspace(-12.0, 12.0, 12)
    rho = number_state(6, 20)
    wigner = wigner_from_density_matrix(rho, wide, wide)
    assert np.isfinite(question(wigner, wide, wide))
    with pytest.raises(InvalidArgument, match="`wigner` must integrate to one"):
        question(2.0 * wigner, wide, wide)
    part = np.linspace(-3.0, 3.0, 60)
    cut = wigner_from_density_matrix(rho, part, part)
    cut /= cut.sum() * (part[1] - part[0]) ** 2
    with pytest.raises(InvalidArgument, match="`x` must extend to where"):
        question(cut, part, part)
    few = wigner_from_density_matrix(rho, coarse, coarse)
    few /= few.sum() * (coarse[1] - coarse[0]) ** 2
    with pytest.raises(InvalidArgument, match="`x` must resolve"):
        question(few, coarse, coarse)


def test_entropy_of_a_thermal_state():
    mean = 9.5
    exact = (mean + 1) * np.log(mean + 1) - mean * np.log(mean)
    assert von_neumann_entropy(thermal_state(mean, 600)) == pytest.approx(exact, abs=1e-11)


def test_entropy_of_pure_and_mixed():
    assert von_neumann_entropy(coherent_state(1 + 1j, 40)) == pytest.approx(0.0, abs=1e-12)
    assert von_neumann_entropy(np.eye(8) / 8) == pytest.approx(np.log(8), abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(rho=states, seed=st.integers(0, 1000))
def test_unitaries_keep_spectrum_and_entropy(rho, seed):
    unitary = random_unitary(len(rho), seed)
    turned = unitary @ rho @ unitary.conj().T
    np.testing.assert_allclose(spectrum(turned), spectrum(rho), rtol=0, atol=1e-13)
    assert von_neumann_entropy(turned) == pytest.approx(von_neumann_entropy(rho), abs=1e-11)


@settings(max_examples=30, deadline=None)
@given(a=states, seed=st.integers(0, 1000), weight=st.floats(0.0, 1.0))
def test_entropy_is_concave(a, seed, weight):
    b = random_state(len(a), seed)
    mixed = von_neumann_entropy(weight * a + (1 - weight) * b)
    parts = weight * von_neumann_entropy(a) + (1 - weight) * von_neumann_entropy(b)
    assert mixed >= parts - 1e-12


@pytest.mark.parametrize("width", [0, 1, 3, 8])
@pytest.mark.parametrize("real", [True, False])
def test_banded_spectrum_is_that_of_the_full_matrix(width, real):
    rng = np.random.default_rng(width)
    diagonals = 1e-3 * (rng.normal(size=(width + 1, 60)) + 1j * rng.normal(size=(width + 1, 60)))
    diagonals[0] = np.linspace(0.2, 1.0, 60)  # dominant diagonal: positive
    if real:
        diagonals = diagonals.real.astype(complex)
    for k in range(width + 1):
        diagonals[k, 60 - k :] = 0.0
    diagonals /= np.sum(diagonals[0])
    full = expand_diagonals(diagonals)
    np.testing.assert_allclose(banded_spectrum(diagonals), spectrum(full), rtol=0, atol=3e-15)
    padded = np.vstack([diagonals, np.zeros((2, 60))])
    np.testing.assert_allclose(banded_spectrum(padded), spectrum(full), rtol=0, atol=3e-15)


def test_more_diagonals_than_levels():
    rho = random_state(3, 1)
    diagonals = np.zeros((9, 3), dtype=complex)
    for k in range(3):
        diagonals[k, : 3 - k] = np.diagonal(rho, -k)
    np.testing.assert_allclose(banded_spectrum(diagonals), spectrum(rho), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(banded_spectrum(np.zeros((2, 4))), np.zeros(4))


def test_rounding_below_zero_is_cut_but_not_more():
    assert spectrum(np.diag([1.0, -1e-12]))[-1] == 0.0
    assert spectral_entropy(spectrum(np.diag([1.0, -1e-12]))) == 0.0
    match = r"must have eigenvalues of at least -1e-9, but has -0\.01"
    with pytest.raises(InvalidArgument, match=match):
        spectrum(np.diag([1.01, -0.01]))
    with pytest.raises(InvalidArgument, match=match):
        banded_spectrum(np.array([[1.01, -0.01]]))
    with pytest.raises(InvalidArgument, match=r"populations of at least -1e-9.*\(level 1\)"):
        populations([1.01, -0.01])


def test_bad_input():
    with pytest.raises(InvalidArgument, match="`density_matrix` must be Hermitian"):
        spectrum([[0.5, 0.1], [0.2, 0.5]])
    with pytest.raises(InvalidArgument, match="`density_matrix` must be square"):
        von_neumann_entropy(np.ones((2, 3)))
    with pytest.raises(InvalidArgument, match="`density_matrix` must be Hermitian, but is off"):
        von_neumann_entropy([[np.nan]])
    with pytest.raises(InvalidArgument, match="`state` must have 1 dimension"):
        phonon_number(np.ones((2, 3)))
    with pytest.raises(InvalidArgument, match="`state` must be finite"):
        g2([0.5, np.nan])
    with pytest.raises(InvalidArgument, match="`state` must not be empty"):
        g2([])
    with pytest.raises(InvalidArgument, match="`frequency` must be positive"):
        energy([1.0], -0.2)
    with pytest.raises(InvalidArgument, match="`diagonals` must have shape"):
        banded_spectrum([1.0, 0.0])
    with pytest.raises(InvalidArgument, match="`diagonals` must be finite"):
        banded_spectrum([[1.0, np.inf]])


@pytest.mark.parametrize("function", [von_neumann_entropy, spectrum, g2, phonon_number])
@pytest.mark.parametrize("factor", [2.0, 0.5, 0.99])
def test_what_is_not_normalised_is_refused(function, factor):
    rho = number_state(2, 4)
    with pytest.raises(InvalidArgument, match=r"must have trace one \(to 1e-3\), but has"):
        function(factor * rho)
    function((1.0 - 1e-4) * rho)  # lost by truncation


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: von_neumann_entropy(1e308 * np.eye(2)), "entries below 1e.150"),
        (lambda: phonon_number([1e308, 1e308]), "entries below 1e.150"),
        (lambda: ladder(1.0, 10**400), "`levels` must be at most"),
        (lambda: ladder(1e308, 3), "`frequency` must be of a size between"),
        (lambda: reduced_state(np.eye(4) / 4, np.array(3.0), 0), "`dimensions` must be a sequence"),
        (lambda: reduced_state(np.eye(4) / 4, (2, 2), np.array(0.5)), "`kept` must be an integer"),
        (lambda: is_passive(np.eye(2) / 2, []), "`energies` must have length 2, but has 0"),
    ],
)
def test_numbers_and_sequences_that_cannot_be(call, message):
    with pytest.raises(InvalidArgument, match=message):
        call()
