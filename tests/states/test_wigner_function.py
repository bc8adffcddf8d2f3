"""Density matrix to Wigner function: closed forms, other units, large states, QuTiP."""

import sys

import numpy as np
import pytest
from exact_wigner import (
    cat_wigner,
    coherent_wigner,
    gaussian_wigner,
    number_wigner,
    random_state,
    squeezed_wigner,
)

from wheelwork.errors import InvalidArgument
from wheelwork.states import (
    cat_state,
    coherent_state,
    hermite_functions,
    number_state,
    squeezed_state,
    thermal_state,
    to_qutip,
    wigner_from_density_matrix,
)

MASS, FREQUENCY = 1.7, 0.3
X0, P0 = np.sqrt(2 / (MASS * FREQUENCY)), np.sqrt(2 * MASS * FREQUENCY)
ALPHA = 1.2 - 2.1j
RHO = coherent_state(ALPHA, 80)


@pytest.mark.parametrize(
    "x",
    [
        np.linspace(-6, 5, 71),  # coarser than the lattice
        np.linspace(-4, 5, 900),  # finer
        np.linspace(60, 80, 11),  # nothing there
        np.array([0.7]),
        np.array([-1.0, 0.2, 0.9, 4.1]),  # uneven
        np.array([3.0, 0.5, -2.0]),  # falling
    ],
    ids=["coarse", "fine", "outside", "one", "uneven", "falling"],
)
def test_coherent_state_on_any_mesh(x):
    x, p = X0 * x, P0 * np.array([-40.0, -3.3, -2.1, -0.4, 0.0, 2.0])
    wigner = wigner_from_density_matrix(RHO, x, p, mass=MASS, frequency=FREQUENCY)
    exact = coherent_wigner(x, p, ALPHA, X0, P0)
    np.testing.assert_allclose(wigner, exact, rtol=0, atol=1e-14)


def test_momenta_beyond_the_state():
    x, p = np.linspace(-3, 3, 9), np.linspace(60, 70, 5)
    np.testing.assert_array_equal(wigner_from_density_matrix(RHO, x, p), np.zeros((9, 5)))


AXIS, MOMENTA = np.linspace(-7, 8, 101), np.linspace(-9, 6, 83)


@pytest.mark.parametrize(
    ("rho", "exact"),
    [
        (squeezed_state(0.6, 0.9, 120), squeezed_wigner(AXIS, MOMENTA, 0.6, 0.9)),
        (cat_state(1.5 + 1.1j, 70, phase=0.7), cat_wigner(AXIS, MOMENTA, 1.5 + 1.1j, 0.7)),
        (number_state(7, 9), number_wigner(AXIS, MOMENTA, 7)),
        (
            thermal_state(3.0, 140, tolerance=1e-12),
            gaussian_wigner(AXIS, MOMENTA, (0, 0), 3.5 * np.eye(2)),
        ),
    ],
    ids=["squeezed", "cat", "number", "thermal"],
)
def test_closed_forms(rho, exact):
    wigner = wigner_from_density_matrix(rho, AXIS, MOMENTA)
    np.testing.assert_allclose(wigner, exact, rtol=0, atol=1e-13)


def test_marginals_are_the_diagonals_of_position_and_momentum():
    rho = random_state(12, seed=3)
    x = np.linspace(-11, 11, 140)
    wigner = wigner_from_density_matrix(rho, x, x)
    step = x[1] - x[0]
    waves = hermite_functions(x, 12)
    position = np.einsum("nx,nm,mx->x", waves, rho, waves).real
    turned = rho * 1j ** (np.arange(12) - np.arange(12)[:, None])  # phi_n(p) has phase (-i)^n
    momentum = np.einsum("nx,nm,mx->x", waves, turned, waves).real
    np.testing.assert_allclose(step * wigner.sum(axis=1), position, rtol=0, atol=1e-13)
    np.testing.assert_allclose(step * wigner.sum(axis=0), momentum, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [0, 20])
def test_tails_are_neither_cut_nor_folded_back(n):
    x, p = np.array([0.0, 0.3, 0.6]), np.linspace(4, 14, 81)
    for levels in (n + 1, n + 30):
        wigner = wigner_from_density_matrix(number_state(n, levels), x, p)
        np.testing.assert_allclose(wigner, number_wigner(x, p, n), rtol=0, atol=2e-15)


@pytest.mark.parametrize("n", [0, 999])
def test_a_thousand_levels(n):
    x, p = np.linspace(-48, 48, 61), np.linspace(-47, 48, 59)
    wigner = wigner_from_density_matrix(number_state(n, 1000), x, p)
    np.testing.assert_allclose(wigner, number_wigner(x, p, n), rtol=0, atol=2e-13)


def test_qutip_agrees():
    qutip = pytest.importorskip("qutip")
    rho = random_state(25, seed=5)
    x, p = np.linspace(-6, 5, 33), np.linspace(-4, 6, 29)
    theirs = qutip.wigner(to_qutip(rho), x, p, g=np.sqrt(2)).T
    np.testing.assert_allclose(wigner_from_density_matrix(rho, x, p), theirs, rtol=0, atol=1e-13)
    assert to_qutip(rho).isherm


def test_qutip_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(ImportError, match=r'pip install "wheelwork\[qutip\]"'):
        to_qutip(RHO)


def test_bad_input():
    axis = np.linspace(-1, 1, 9)
    with pytest.raises(InvalidArgument, match=r"`density_matrix` must be square, but has shape"):
        wigner_from_density_matrix(np.ones((2, 3)), axis, axis)
    with pytest.raises(InvalidArgument, match="`density_matrix` must be Hermitian"):
        wigner_from_density_matrix([[1.0, 0.5], [0.0, 0.0]], axis, axis)
    with pytest.raises(InvalidArgument, match="`density_matrix` must be Hermitian"):
        wigner_from_density_matrix([[np.nan]], axis, axis)
    with pytest.raises(InvalidArgument, match="`x` must not be empty"):
        wigner_from_density_matrix(RHO, [], axis)
    with pytest.raises(InvalidArgument, match="`mass` must be positive"):
        wigner_from_density_matrix(RHO, axis, axis, mass=0.0)
    huge = np.linspace(-1, 1, 40_000)
    with pytest.raises(InvalidArgument, match=r"fit in 4294967296 bytes.*3\.84e\+10 bytes"):
        wigner_from_density_matrix(RHO, huge, huge)
