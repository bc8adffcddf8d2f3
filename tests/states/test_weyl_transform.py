"""Wigner function to density matrix: round trips, closed forms, refusals."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.states import (
    cat_state,
    coherent_state,
    density_matrix_from_wigner,
    number_state,
    squeezed_state,
    thermal_state,
    wigner_from_density_matrix,
)

MASS, FREQUENCY = 1.7, 0.3
X0, P0 = np.sqrt(2 / (MASS * FREQUENCY)), np.sqrt(2 * MASS * FREQUENCY)


def test_coherent_state_in_other_units_and_off_centre():
    alpha = 1.2 - 2.1j
    x, p = X0 * np.linspace(-3.2, 5.3, 101), P0 * np.linspace(-6.5, 2.2, 90)
    rho = density_matrix_from_wigner(
        coherent_wigner(x, p, alpha, X0, P0), x, p, mass=MASS, frequency=FREQUENCY, levels=40
    )
    np.testing.assert_allclose(rho, coherent_state(alpha, 40), rtol=0, atol=1e-12)


AXIS, MOMENTA = np.linspace(-11, 12, 191), np.linspace(-12, 11, 180)


@pytest.mark.parametrize(
    ("wigner", "exact"),
    [
        (squeezed_wigner(AXIS, MOMENTA, 0.6, 0.9), squeezed_state(0.6, 0.9, 60)),
        (cat_wigner(AXIS, MOMENTA, 1.5 + 1.1j, 0.7), cat_state(1.5 + 1.1j, 60, phase=0.7)),
        (cat_wigner(AXIS, MOMENTA, 1.5 - 1.1j, np.pi), cat_state(1.5 - 1.1j, 60, phase=np.pi)),
        (number_wigner(AXIS, MOMENTA, 9), number_state(9, 12)),
        (
            gaussian_wigner(AXIS, MOMENTA, (0, 0), 1.5 * np.eye(2)),
            thermal_state(1.0, 60),
        ),
    ],
    ids=["squeezed", "cat", "odd cat", "number", "thermal"],
)
def test_closed_forms(wigner, exact):
    rho = density_matrix_from_wigner(wigner, AXIS, MOMENTA, levels=len(exact))
    np.testing.assert_allclose(rho, exact, rtol=0, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(levels=st.integers(1, 30), seed=st.integers(0, 1000), rank=st.integers(1, 5))
def test_round_trip_of_random_states(levels, seed, rank):
    rho = random_state(levels, seed, rank)
    x, p = np.linspace(-12, 12.5, 195), np.linspace(-12.5, 13, 200)
    wigner = wigner_from_density_matrix(rho, x, p)
    back = density_matrix_from_wigner(wigner, x, p, levels=levels)
    np.testing.assert_allclose(back, rho, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "rho",
    [thermal_state(30.0, 1000), coherent_state(17.0 + 14.0j, 1000)],
    ids=["thermal", "coherent"],
)
def test_round_trip_of_a_thousand_levels(rho):
    x = np.linspace(-46, 46, 420)
    wigner = wigner_from_density_matrix(rho, x, x)
    back = density_matrix_from_wigner(wigner, x, x, levels=1000)
    np.testing.assert_allclose(back, rho, rtol=0, atol=1e-12)


def test_round_trip_of_a_high_number_state():
    rho = number_state(399, 400)
    x = np.linspace(-32, 32, 1440)
    wigner = wigner_from_density_matrix(rho, x, x)
    back = density_matrix_from_wigner(wigner, x, x, levels=400)
    np.testing.assert_allclose(back, rho, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9])
def test_levels_are_chosen_from_the_lost_probability(tolerance):
    mean = 3.0
    x = np.linspace(-15, 15, 120)
    wigner = gaussian_wigner(x, x, (0, 0), (mean + 0.5) * np.eye(2))
    rho = density_matrix_from_wigner(wigner, x, x, tolerance=tolerance)
    needed = np.log(tolerance) / np.log(mean / (mean + 1))  # (n̄/(n̄+1))^levels is lost
    assert len(rho) == np.ceil(needed)


def test_fewer_levels_are_the_corner_of_more():
    """The lattice must resolve the state, also where the levels reach less far than it does."""
    x, p = np.linspace(-6, 6, 130), np.linspace(-20, 20, 140)
    wigner = gaussian_wigner(x, p, (0.4, 1.0), np.diag([0.5 / 9, 0.5 * 9]))
    many = density_matrix_from_wigner(wigner, x, p, levels=120)
    for levels in (1, 3, 10):
        few = density_matrix_from_wigner(wigner, x, p, levels=levels)
        np.testing.assert_allclose(few, many[:levels, :levels], rtol=0, atol=1e-14)


def test_a_state_far_from_the_levels_is_not_folded_into_them():
    x, p = np.linspace(-9, 9, 90), np.linspace(11, 29, 90)
    wigner = coherent_wigner(x, p, 20j / np.sqrt(2), np.sqrt(2), np.sqrt(2))
    rho = density_matrix_from_wigner(wigner, x, p, levels=3)
    np.testing.assert_allclose(rho, 0.0, rtol=0, atol=1e-14)  # exp(-200)
    rho = density_matrix_from_wigner(wigner.T, p, x, levels=3)
    np.testing.assert_allclose(rho, 0.0, rtol=0, atol=1e-14)


def refused(match, wigner, x, p, **options):
    with pytest.raises(InvalidArgument, match=match):
        density_matrix_from_wigner(wigner, x, p, **options)


def test_meshes_that_do_not_hold_the_state():
    wide, narrow, coarse = np.linspace(-9, 9, 90), np.linspace(-3, 3, 90), np.linspace(-9, 9, 14)

    def vacuum(x, p):
        wigner = gaussian_wigner(x, p, (0, 0), 0.5 * np.eye(2))
        return wigner / (wigner.sum() * (x[1] - x[0]) * (p[1] - p[0]))

    refused("`x` must extend to where `wigner` is below", vacuum(narrow, wide), narrow, wide)
    refused("`p` must extend to where `wigner` is below", vacuum(wide, narrow), wide, narrow)
    refused("`x` must resolve `wigner`", vacuum(coarse, wide), coarse, wide)
    refused("`p` must resolve `wigner`", vacuum(wide, coarse), wide, coarse)
    assert density_matrix_from_wigner(vacuum(wide, wide), wide, wide)[0, 0] == pytest.approx(1.0)


def test_wigner_of_no_state_is_not_converged():
    x = np.linspace(-7, 7, 400)
    spike = gaussian_wigner(x, x, (0, 0), 0.02 * np.eye(2))  # far below the uncertainty limit
    with pytest.raises(NotConverged, match=r"`wigner` keeps .* levels that the mesh can hold"):
        density_matrix_from_wigner(spike, x, x)


def test_bad_input():
    x = np.linspace(-9, 9, 90)
    wigner = gaussian_wigner(x, x, (0, 0), 0.5 * np.eye(2))
    refused(r"`wigner` must have shape \(90, 90\) as \(x, p\)", wigner[:80], x, x)
    refused("`wigner` must integrate to one over dx dp, but gives 2", 2 * wigner, x, x)
    refused("`wigner` must be finite", np.full_like(wigner, np.nan), x, x)
    refused("`x` must hold at least 8 points that rise in equal steps", wigner, x**3, x)
    refused("`p` must hold at least 8 points that rise in equal steps", wigner, x, x[::-1])
    refused("`levels` must be at least 1", wigner, x, x, levels=0)
    refused("`levels` must be such that the arrays fit", wigner, x, x, levels=20_000)
    refused("`tolerance` must lie between", wigner, x, x, tolerance=0.5)
