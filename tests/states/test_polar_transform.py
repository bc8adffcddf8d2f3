"""Radial route to the diagonals: phases, closed forms, agreement with the Weyl transform."""

import numpy as np
import pytest

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.states import (
    coherent_state,
    density_matrix_from_harmonics,
    density_matrix_from_polar,
    density_matrix_from_wigner,
    expand_diagonals,
    levels_within,
    radial_mesh,
    squeezed_state,
    thermal_state,
    trim_levels,
)


def coherent(alpha):
    return lambda X, P: 2 / np.pi * np.exp(-2 * ((X - alpha.real) ** 2 + (P - alpha.imag) ** 2))


def nearly_round_ring(X, P):
    """Shifted, squeezed ring at |alpha| about 4, analytic in X and P, normalised numerically."""
    u, v = 1.05 * (X - 0.2), P - 0.1 + 0.03 * X
    return np.exp(-((u**2 + v**2 - 16.0) ** 2) / 40.0) / RING_NORM


RING_NORM = 1.0
_axis = np.linspace(-9, 9, 500)
RING_NORM = float(nearly_round_ring(_axis[:, None], _axis).sum()) * (_axis[1] - _axis[0]) ** 2


def test_coherent_state_with_complex_alpha():
    alpha = 0.8 + 1.3j
    diagonals = density_matrix_from_polar(coherent(alpha), 7.0, levels=60, harmonics=59)
    np.testing.assert_allclose(
        expand_diagonals(diagonals), coherent_state(alpha, 60), rtol=0, atol=1e-13
    )


def test_squeezed_state_at_an_angle():
    r, angle = 0.4, 1.1
    c, s = np.cos(angle / 2), np.sin(angle / 2)

    def wigner(X, P):
        along, across = c * X + s * P, -s * X + c * P
        form = np.exp(2 * r) * along**2 + np.exp(-2 * r) * across**2
        return 2 / np.pi * np.exp(-2 * form)

    diagonals = density_matrix_from_polar(wigner, 7.0, levels=50, harmonics=49, resolution=0.3)
    np.testing.assert_allclose(
        expand_diagonals(diagonals), squeezed_state(r, angle, 50), rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("levels", [1, 450, 3000])
def test_thermal_state(levels):
    mean = 20.0

    def wigner(X, P):
        return np.exp(-(X**2 + P**2) / (mean + 0.5)) / (np.pi * (mean + 0.5))

    diagonals = density_matrix_from_polar(wigner, 28.5, levels=levels, harmonics=8)
    exact = np.diag(thermal_state(mean, levels, tolerance=1.0)).real
    np.testing.assert_allclose(diagonals[0], exact, rtol=0, atol=4e-15)
    assert np.abs(diagonals[1:]).max(initial=0.0) < 1e-15


def test_two_routes_agree_on_a_smooth_state():
    x = np.linspace(-11.5, 11.5, 300)  # m = omega = 1: X = x/sqrt(2), dX dP = dx dp/2
    wigner = 0.5 * nearly_round_ring(x[:, None] / np.sqrt(2), x / np.sqrt(2))
    general = density_matrix_from_wigner(wigner, x, x, levels=60)
    diagonals = density_matrix_from_polar(nearly_round_ring, 8.0, levels=60, harmonics=24)
    full = expand_diagonals(diagonals)
    band = np.abs(np.subtract.outer(np.arange(60), np.arange(60))) <= 24
    np.testing.assert_allclose(full[band], general[band], rtol=0, atol=1e-11)
    assert np.abs(general[~band]).max() < 1e-9  # what the harmonics leave out is small
    assert np.abs(np.diagonal(general, 1)).max() > 1e-3  # and the test state is not round


def test_harmonics_of_a_rotated_state_turn_by_k_angle():
    mesh = radial_mesh(7.0, 30)
    shapes = np.exp(-(mesh.radius**2)) * mesh.radius ** np.arange(4)[:, None]
    turn = np.exp(-1j * 0.3 * np.arange(4))[:, None]  # W(theta - 0.3)
    before = density_matrix_from_harmonics(shapes, mesh, 30)
    after = density_matrix_from_harmonics(shapes * turn, mesh, 30)
    # rho_{n+k,n} gains exp(+0.3 i k), as <a> = Tr(rho a) must
    np.testing.assert_allclose(after, before * turn.conj(), rtol=0, atol=1e-15)


def test_enough_levels_within_the_radius():
    alpha, radius = 3.0 - 2.0j, 3.6 + 3.5  # W has fallen to exp(-24) there
    levels = levels_within(radius)
    diagonals = density_matrix_from_polar(coherent(alpha), radius, levels=levels, harmonics=0)
    assert diagonals[0].real.sum() == pytest.approx(1.0, abs=1e-8)
    trimmed = trim_levels(diagonals, 1e-6)
    assert trimmed.shape[1] < levels
    assert 0.0 < 1.0 - trimmed[0].real.sum() < 1.1e-6


def test_trimming_keeps_the_corner():
    alpha = 0.8 + 1.3j
    diagonals = density_matrix_from_polar(coherent(alpha), 7.0, levels=40, harmonics=5)
    trimmed = trim_levels(diagonals, 1e-4)
    size = trimmed.shape[1]
    np.testing.assert_array_equal(
        expand_diagonals(trimmed), expand_diagonals(diagonals)[:size, :size]
    )
    assert size < 20
    assert not trimmed[3, size - 3 :].any()


VACUUM = coherent(0j)


def test_angles_that_never_suffice():
    def ragged(X, P):
        return VACUUM(X, P) * (1.0 + 0.5 * np.sign(X + 0.1))

    with pytest.raises(NotConverged, match="`wigner` is not resolved by 4096 angles"):
        density_matrix_from_polar(ragged, 4.0, levels=3, harmonics=1)


def test_bad_input():
    def refused(match, wigner=VACUUM, radius=5.0, **options):
        with pytest.raises(InvalidArgument, match=match):
            density_matrix_from_polar(wigner, radius, **{"levels": 5, "harmonics": 2} | options)

    refused("`radius` must be positive", radius=-1.0)
    refused("`resolution` must be positive", resolution=0.0)
    refused("`harmonics` must be at least 0", harmonics=-1)
    refused("`tolerance` must lie between", tolerance=0.5)
    refused("`radius` must extend to where `wigner` is below", radius=1.5)
    refused("`wigner` must integrate to one over dX dP", wigner=lambda X, P: 0.5 * VACUUM(X, P))
    refused("`levels` must be at least 1", levels=0)
    refused("`wigner` must return finite values", wigner=lambda X, P: X[0])
    with pytest.raises(InvalidArgument, match=r"`components` must have shape \(K \+ 1, 64\)"):
        density_matrix_from_harmonics(np.ones((2, 5)), radial_mesh(1.0, 1), 1)
    refused("`wigner` must return finite values", wigner=lambda X, P: X * np.nan)
