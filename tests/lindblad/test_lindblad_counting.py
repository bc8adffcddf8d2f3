"""Counting statistics against closed forms and the tilted generator."""

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import EXAMPLES, SIGMA, jaynes_cummings, liouvillian, lowering, rotor

from wheelwork.errors import InvalidArgument
from wheelwork.lindblad import (
    Krylov,
    Lindblad,
    counting_covariance,
    counting_statistics,
    steady_state,
)

ENTER, LEAVE = 0.7, 1.9
SMALL = {
    "Jaynes–Cummings": jaynes_cummings(levels=5),
    "rotor": rotor(4, coupling=1.0, damping=0.05),
}


def resonant_level():
    return steady_state(
        Lindblad(np.zeros((2, 2)), [np.sqrt(ENTER) * SIGMA.T, np.sqrt(LEAVE) * SIGMA])
    )


def test_a_level_filled_and_emptied():
    """λ(χ) = −Γ/2 + √(Γ²/4 + Γ_in Γ_out (e^χ − 1)), differentiated at χ = 0."""
    total, both = ENTER + LEAVE, ENTER * LEAVE
    mean = both / total
    noise = mean * (1.0 - 2.0 * both / total**2)
    third = mean * (1.0 - 6.0 * both / total**2 + 12.0 * (both / total**2) ** 2)
    for weights in ([1.0, 0.0], [0.0, 1.0]):
        result = counting_statistics(resonant_level(), weights, order=3)
        np.testing.assert_allclose(result.cumulants, [mean, noise, third], rtol=1e-12)
        assert result.fano_factor == pytest.approx((ENTER**2 + LEAVE**2) / total**2)


def test_both_ends_of_a_level_count_the_same():
    noise = counting_covariance(resonant_level(), [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])
    single = counting_statistics(resonant_level(), [1.0, 0.0]).noise
    np.testing.assert_allclose(noise[:2, :2], single, rtol=1e-12)
    np.testing.assert_allclose(noise[2], 0.0, atol=1e-13)


def test_independent_jumps_are_poissonian():
    result = counting_statistics(
        steady_state(Lindblad(np.zeros((2, 2)), [np.sqrt(0.3) * np.eye(2), SIGMA, SIGMA.T])),
        [2.0, 0.0, 0.0],
        order=4,
    )
    np.testing.assert_allclose(result.cumulants, 0.3 * 2.0 ** np.arange(1, 5), rtol=1e-12)


def test_emission_of_a_warm_cavity():
    """Absorbed minus emitted quanta vanish; each alone has the mean of its rate."""
    n = 0.3
    a = lowering(40)
    steady = steady_state(Lindblad(a.T @ a, [np.sqrt(1.0 + n) * a, np.sqrt(n) * a.T]))
    assert counting_statistics(steady, [1.0, -1.0]).mean == pytest.approx(0.0, abs=1e-12)
    assert counting_statistics(steady, [1.0, 0.0]).mean == pytest.approx(n * (n + 1.0), rel=1e-9)
    assert counting_statistics(steady, [1.0, -1.0]).noise == pytest.approx(0.0, abs=1e-10)


def tilted_eigenvalue(system, weights, field):
    total = liouvillian(system)
    for jump, weight in zip(system.jumps, weights, strict=True):
        L = jump.toarray()
        total = total + (np.exp(weight * field) - 1.0) * np.kron(L, L.conj())
    eigenvalues = np.linalg.eigvals(total)
    return eigenvalues[np.argmax(eigenvalues.real)].real


@pytest.mark.parametrize("name", ["collective decay", "spin chain", "rotor", "Jaynes–Cummings"])
def test_cumulants_are_derivatives_of_the_tilted_generator(name):
    system = SMALL.get(name) or EXAMPLES[name]
    weights = np.zeros(len(system.jumps))
    weights[:2] = [1.0, -0.5]
    result = counting_statistics(steady_state(system.lindblad), weights, order=4)
    h = 0.02
    points = h * np.arange(-4, 5)
    values = [tilted_eigenvalue(system, weights, point) for point in points]
    derivatives = [np.polynomial.Polynomial.fit(points, values, 8).deriv(k)(0.0) for k in (1, 2, 3)]
    np.testing.assert_allclose(result.cumulants[:2], derivatives[:2], rtol=1e-6, atol=1e-9)
    assert result.cumulants[2] == pytest.approx(derivatives[2], rel=1e-4, abs=1e-6)


def test_jumps_that_leave_the_sector_one_by_one():
    """The two Cartesian load operators count as often, together, as the two ring operators."""
    ring, cartesian = rotor(6, coupling=1.0, damping=0.5), rotor(6, 0, 0.2, 1.0, 0.5, True)
    ring = rotor(6, 0, 0.2, 1.0, 0.5, False)
    weights = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    one = counting_statistics(steady_state(ring.lindblad), weights, order=3)
    other = counting_statistics(steady_state(cartesian.lindblad), weights, order=3)
    np.testing.assert_allclose(other.cumulants, one.cumulants, rtol=1e-9)


def test_jumps_that_leave_the_sector_alone():
    """Unequal weights: what leaves by one jump does not come back by the other."""
    system = rotor(3, 0, 0.2, 1.0, 0.5, True)
    weights = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 0.3])
    result = counting_statistics(steady_state(system.lindblad), weights, order=3)
    points = 0.02 * np.arange(-4, 5)
    values = [tilted_eigenvalue(system, weights, point) for point in points]
    line = np.polynomial.Polynomial.fit(points, values, 8)
    np.testing.assert_allclose(result.cumulants, [line.deriv(k)(0.0) for k in (1, 2, 3)], rtol=1e-5)


def test_the_mean_is_the_current():
    system = rotor(30, coupling=1.0, damping=0.05)
    steady = steady_state(system.lindblad)
    flow = steady.expect(system.observables["flow"])
    assert counting_statistics(steady, [1, -1, 0, 0, 0, 0]).mean == pytest.approx(-flow, rel=1e-10)
    assert counting_statistics(steady, [0, 0, 1, -1, 0, 0]).mean == pytest.approx(flow, rel=1e-10)
    assert counting_statistics(steady, [0, 0, 0, 0, 1, -1]).mean == pytest.approx(-flow, rel=1e-9)


def test_noise_obeys_the_uncertainty_relation():
    """A biased classical ring: noise σ ≥ 2 mean², equal only at equilibrium."""
    forward, back = 1.3, 0.4
    jumps = []
    for i in range(3):
        move = np.zeros((3, 3))
        move[(i + 1) % 3, i] = 1.0
        jumps += [np.sqrt(forward) * move, np.sqrt(back) * move.T]
    steady = steady_state(Lindblad(np.zeros((3, 3)), jumps))
    result = counting_statistics(steady, [1, -1] * 3)
    assert result.mean == pytest.approx(forward - back)
    assert result.noise == pytest.approx(forward + back)
    entropy = (forward - back) * np.log(forward / back)
    ratio = result.uncertainty_ratio(entropy)
    assert ratio == pytest.approx(0.5 * (1.7 / 0.9) * np.log(forward / back))
    assert ratio > 1.0


def test_covariance_has_the_noise_on_its_diagonal():
    steady = steady_state(EXAMPLES["spin chain"].lindblad)
    rows = [[1.0, -1.0, 0.0, 0.0], [0.0, 0.3, 2.0, 0.0]]
    covariance = counting_covariance(steady, rows)
    for i, row in enumerate(rows):
        assert covariance[i, i] == pytest.approx(counting_statistics(steady, row).noise)
    both = counting_statistics(steady, np.sum(rows, axis=0)).noise
    assert np.sum(covariance) == pytest.approx(both, rel=1e-10)


def test_iterative_and_direct_inverses_count_alike():
    system = EXAMPLES["spin chain"]
    direct = counting_statistics(steady_state(system.lindblad), [1, -1, 0, 0], order=3)
    krylov = counting_statistics(steady_state(system.lindblad, Krylov()), [1, -1, 0, 0], order=3)
    np.testing.assert_allclose(krylov.cumulants, direct.cumulants, atol=1e-8)


def test_errors_cover_another_rounding():
    system = rotor(30)
    result = counting_statistics(steady_state(system.lindblad), [1, -1, 0, 0, 0, 0], order=3)
    order = np.random.default_rng(1).permutation(120)
    turned = [sp.csc_array(m[order][:, order]) for m in (system.hamiltonian, *system.jumps)]
    other = counting_statistics(
        steady_state(Lindblad(turned[0], turned[1:])), [1, -1, 0, 0, 0, 0], order=3
    )
    assert np.all(np.abs(result.cumulants - other.cumulants) <= result.errors + other.errors)
    assert np.all(result.errors < 1e-7 * np.abs(result.cumulants))


@pytest.mark.parametrize(
    ("weights", "order", "message"),
    [
        ([1.0], 2, "`weights` must hold one number for each of the 2 jumps, but holds 1"),
        ([1.0, np.nan], 2, "`weights` must be finite"),
        ([1.0, 0.0], 0, "`order` must be at least 1"),
    ],
)
def test_bad_counts_are_refused(weights, order, message):
    with pytest.raises(InvalidArgument, match=message):
        counting_statistics(resonant_level(), weights, order)


def test_statistics_need_one_steady_state():
    a = lowering(6)
    result = steady_state(Lindblad(a.T @ a, [a @ a]), initial=np.eye(6)[3])
    if result.inverse is None:
        with pytest.raises(InvalidArgument, match="only steady state"):
            counting_statistics(result, [1.0])
    with pytest.raises(InvalidArgument, match="`entropy_production` must be positive"):
        counting_statistics(resonant_level(), [1.0, 0.0]).uncertainty_ratio(0.0)


def test_a_mean_lost_in_its_error_is_none():
    """Two baths of one temperature: no net count, whatever rounding leaves."""
    for n in (0.2, 0.37, 0.41):
        rates = [0.3 * (n + 1.0), 0.3 * n, 0.5 * (n + 1.0), 0.5 * n]
        jumps = [np.sqrt(r) * (SIGMA if k % 2 == 0 else SIGMA.T) for k, r in enumerate(rates)]
        counted = counting_statistics(
            steady_state(Lindblad(np.diag([0.0, 1.0]), jumps)), [1, -1, 0, 0]
        )
        assert abs(counted.mean) <= counted.errors[0] < 1e-13
        assert counted.fano_factor == np.inf
        assert counted.uncertainty_ratio(1e-3) == np.inf


@pytest.mark.parametrize("drive", [1e-3, 0.5, 0.7, 1e3])
def test_photons_of_a_driven_atom(drive):
    """Resonance fluorescence: F = 1 − 6 Ω²γ²/(γ² + 2 Ω²)², L. Mandel, Opt. Lett. 4, 205 (1979)."""
    system = Lindblad(0.5 * drive * (SIGMA + SIGMA.T), [SIGMA])
    result = counting_statistics(steady_state(system), [1.0])
    assert result.mean == pytest.approx(drive**2 / (1.0 + 2.0 * drive**2), rel=1e-12)
    expected = 1.0 - 6.0 * drive**2 / (1.0 + 2.0 * drive**2) ** 2
    assert result.fano_factor == pytest.approx(expected, rel=1e-12)
