"""Prepared states against their density matrices, and what they say of their own size."""

import numpy as np
import pytest

from wheelwork.errors import InvalidArgument
from wheelwork.states import (
    Cat,
    Coherent,
    FromDensityMatrix,
    Ground,
    Preparation,
    Thermal,
    cat_state,
    coherent_state,
    number_state,
    thermal_state,
    wigner_from_density_matrix,
)

ALPHA = 1.3 - 0.7j
PAIRS = [
    (Ground(), number_state(0, 4)),
    (Thermal(0.8), thermal_state(0.8, 80)),
    (Coherent(ALPHA), coherent_state(ALPHA, 60)),
    (Cat(ALPHA, 0.9), cat_state(ALPHA, 60, phase=0.9)),
    (Cat(ALPHA, np.pi), cat_state(ALPHA, 60, phase=np.pi)),
]


@pytest.mark.parametrize(("state", "matrix"), PAIRS)
def test_wigner_function_is_that_of_the_density_matrix(state, matrix):
    """In scaled coordinates X = x/x0, P = p/p0, where dx dp = 2 dX dP."""
    X, P = np.linspace(-2.5, 2.0, 23), np.linspace(-1.8, 2.2, 17)
    unit = np.sqrt(2.0)
    expected = 2.0 * wigner_from_density_matrix(matrix, unit * X, unit * P)
    assert np.allclose(state.wigner(X, P), expected, atol=1e-9)
    assert np.allclose(FromDensityMatrix(matrix).wigner(X, P), expected, atol=1e-14)


@pytest.mark.parametrize("state", [pair[0] for pair in PAIRS] + [FromDensityMatrix(PAIRS[3][1])])
def test_extent_and_wavenumber_hold_the_state(state):
    """Just enough mesh for both: nothing at its edges, one in all, nothing at its finest."""
    assert isinstance(state, Preparation)
    half, step = state.extent, np.pi / state.wavenumber
    axis = np.arange(-half, half + step, step)
    W = state.wigner(axis, axis)
    largest = np.max(np.abs(W))
    assert np.sum(W) * step**2 == pytest.approx(1.0, abs=1e-14)
    rim = np.hypot(axis[:, None], axis) > half
    assert np.max(np.abs(W[rim])) < 1e-15 * largest
    spectrum = np.abs(np.fft.rfft2(W))
    assert np.max(spectrum[:, -2:]) < 1e-14 * spectrum[0, 0]


def test_gaussian_states_ask_for_no_more_mesh_than_the_vacuum():
    product = Ground().extent * Ground().wavenumber
    assert product == pytest.approx(4.0 * 19.5, rel=1e-9)
    assert Thermal(3.0).extent == pytest.approx(np.sqrt(7.0) * Ground().extent)
    assert Thermal(3.0).extent * Thermal(3.0).wavenumber == pytest.approx(product)


def test_fringes_are_as_fine_as_said():
    """The Fourier transform of a cat lives at 4|α|, which a smaller wave number would miss."""
    state = Cat(4.0)
    assert state.wavenumber > 16.0 + 8.0
    P = np.linspace(-1.0, 1.0, 801)
    fringe = state.wigner(np.zeros(1), P)[0] * np.exp(2.0 * P**2)
    assert fringe == pytest.approx(fringe[400] * np.cos(16.0 * P), abs=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Thermal(-0.1), "`occupation` must not be negative, but is -0.1"),
        (lambda: Thermal(np.nan), "`occupation` must be finite"),
        (lambda: Coherent("2"), "`amplitude` must be a complex number"),
        (lambda: Coherent(complex(np.inf, 0.0)), "`amplitude` must be finite"),
        (lambda: Coherent(True), "`amplitude` must be a complex number"),
        (lambda: Cat(1.0, np.inf), "`phase` must be finite"),
        (lambda: Cat(1e-3, np.pi), "the two parts cancel"),
        (lambda: FromDensityMatrix(np.eye(3)), "`matrix` must have trace one, but has 3.0"),
        (lambda: FromDensityMatrix([[0.5, 1.0], [0.0, 0.5]]), "must be Hermitian"),
    ],
)
def test_bad_states_are_refused(build, message):
    with pytest.raises(InvalidArgument, match=message):
        build()
