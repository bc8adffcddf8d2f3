"""Densities fitted to samples against exact ones, and what follows from them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator, lopsided, van_der_pol

from wheelwork import Flywheel, thermodynamics
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.flywheel.fock_state import fock_state
from wheelwork.phase_space import FokkerPlanck, moments
from wheelwork.phase_space.langevin.density_fit import DensityBasis, best_fit
from wheelwork.phase_space.langevin.fitted_density import (
    FittedDensity,
    _distances,
    _misfit,
    jackknife,
)
from wheelwork.phase_space.langevin.histograms import PolarCounts, cell_centres
from wheelwork.phase_space.langevin.methods import EulerMaruyama, Langevin

METHOD = Langevin(duration=20000.0, step=0.2, seed=5, checked=0)
T = 0.8


def gaussian(X, P):
    """The damped oscillator at temperature two, shifted to x = 1."""
    return np.exp(-((X - 1.0 / 2.0**0.5) ** 2 + P**2) / 2.0) / (2.0 * np.pi)


def double_well(X, P):
    """exp(−H/T) with x = √2 X, H = P² − X² + 0.3 X⁴, normalised by quadrature."""
    x = np.linspace(-4.0, 4.0, 2001)
    norm = np.trapezoid(np.exp((x**2 - 0.3 * x**4) / T), x) * np.sqrt(np.pi * T)
    return np.exp((X**2 - P**2 - 0.3 * X**4) / T) / norm


@cache
def solved(name):
    model = {"ring": van_der_pol(0.1, 0.2), "lopsided": lopsided(0.05)}[name]
    return FokkerPlanck(1e-4).solve(model)


def ring(X, P):
    return solved("ring").distribution.density(X, P)


def skew(X, P):
    return solved("lopsided").distribution.density(X, P)


SYSTEMS = {
    "gaussian": (damped_oscillator(0.3, 1.2, pull=1.0), gaussian, 0.01),
    "double well": (boltzmann(lambda x: 2.0 * x - 0.3 * x**3, constant(0.3), T), double_well, 0.02),
    "ring": (van_der_pol(0.1, 0.2), ring, 0.02),
    "lopsided": (lopsided(0.05), skew, 0.03),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_density_is_the_exact_one_within_its_error(name):
    """∫|δW| dX dP, against both a bound and the error that the result itself states."""
    model, exact, bound = SYSTEMS[name]
    found = replace(METHOD, step=0.1 if name == "double well" else 0.2).solve(model)
    nodes = found.distribution.nodes
    area = nodes.weight / nodes.density
    distance = np.sum(area * np.abs(nodes.density - exact(nodes.X, nodes.P)))
    assert distance < bound
    assert distance < 1.5 * found.wigner_error
    assert found.wigner_error < 3.0 * bound
    assert np.sum(nodes.weight) == pytest.approx(1.0, abs=1e-12)
    assert found.distribution.edge_probability < 1e-8
    X, P = np.array([0.3, -1.1]), np.array([0.2, 0.7])
    assert found.distribution.density(X, P) == pytest.approx(exact(X, P), rel=0.1)


@pytest.mark.parametrize("name", ["gaussian", "lopsided"])
def test_moments_of_the_density_are_those_of_the_samples(name):
    found = METHOD.solve(SYSTEMS[name][0])
    fitted = moments(found.distribution)
    for key in ("x", "x_squared", "p_squared", "phonon_number"):
        assert fitted[key] == pytest.approx(found.moments[key], abs=found.errors[key]), key
    assert found.distribution.centre == pytest.approx((fitted["x"], fitted["p"]), abs=0.3)
    exact = FokkerPlanck(1e-5).solve(SYSTEMS[name][0]).moments
    for key, value in exact.items():
        assert abs(found.moments[key] - value) < 3.5 * found.errors[key], key
    assert found.relative_error == pytest.approx(
        found.errors["phonon_number"] / found.moments["phonon_number"]
    )


def test_the_model_grows_with_the_data_and_only_where_it_must():
    plain = METHOD.solve(damped_oscillator(0.3, 1.2)).details
    assert plain["knots"] + plain["degree"] <= 4
    bent = METHOD.solve(SYSTEMS["double well"][0]).details
    assert bent["degree"] >= 4


def test_errors_from_replicas_are_honest():
    """Purity of the Gaussian over 12 seeds, in standard errors."""
    off = []
    for seed in range(12):
        method = Langevin(duration=1500.0, step=0.25, seed=seed, checked=0, threads=1)
        found = method.solve(damped_oscillator(0.3, 1.2))
        off.append((found.moments["purity"] - 0.25) / found.errors["purity"])
    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.6


def test_fit_of_counts_without_a_run():
    """Independent normal deviates, so that nothing but counting and fitting is tested."""
    random = np.random.default_rng(4)
    counts = PolarCounts((0.2, -0.1), 60.0, 500, 64)
    series = random.normal(size=(500, 2, 64)) * np.array([1.3, 0.9])[:, None]
    counts(series[:123], _Inline())
    counts(series[123:], _Inline())
    assert counts.outside + np.sum(counts.counts) == series.size // 2
    density = FittedDensity.of(counts, 32000.0)
    X, P = np.meshgrid(np.linspace(-2.0, 2.0, 9), np.linspace(-1.5, 1.5, 9), indexing="ij")
    exact = np.exp(-0.5 * (X / 1.3) ** 2 - 0.5 * (P / 0.9) ** 2) / (2.0 * np.pi * 1.17)
    assert density.density(X, P) == pytest.approx(exact, rel=0.05)
    width = jackknife(density, lambda d: moments(d)["x_squared"])
    assert abs(width.mean - 1.69) < 3.0 * width.standard_error
    assert width.standard_error == pytest.approx(1.69 * np.sqrt(2.0 / 32000.0), rel=0.4)


class _Inline:
    def map(self, function, values):
        return [function(value) for value in values]


def test_few_trajectories_are_grouped_by_parts_of_the_run():
    counts = PolarCounts((0.0, 0.0), 9.0, 100, 5)
    assert counts.counts.shape[:2] == (7, 5)
    series = np.zeros((100, 2, 5))
    series[:, 0] = 1.0
    counts(series, _Inline())
    per_group = counts.by_group.sum(axis=(1, 2))
    assert np.all((per_group == 14) | (per_group == 15))
    assert np.sum(per_group) == 500


def test_basis_is_smooth_and_averages_over_sectors():
    s = np.linspace(0.01, 20.0, 400)
    basis = DensityBasis.of(s, np.exp(-s / 3.0), 4, 5, 0.99)
    theta = np.linspace(0.0, 2.0 * np.pi, 641)[:-1] + np.pi / 640.0
    fine = basis.columns(s[:20], theta)
    coarse = basis.columns(s[:20], np.array([np.pi / 64.0]), np.pi / 32.0)[:, :, 0]
    assert coarse == pytest.approx(fine[:, :, :10].mean(axis=2), rel=1e-4, abs=1e-6)
    b = np.random.default_rng(0).normal(size=basis.terms)
    values = basis.values(s[:20, None], theta, b)
    assert values == pytest.approx(np.tensordot(b, fine, 1), rel=1e-9, abs=1e-9)
    # Straight in s beyond the last knot.
    far = np.array([30.0, 31.0, 32.0])
    assert np.diff(basis.values(far, np.full(3, 0.4), b), 2) == pytest.approx([0.0], abs=1e-9)


def test_basis_holds_every_polynomial_up_to_its_degree():
    s, theta = np.linspace(0.01, 20.0, 60), np.linspace(0.0, 6.2, 41)
    basis = DensityBasis.of(s, np.exp(-s / 3.0), 2, 4, 0.999)
    inside = s < basis.far
    columns = basis.columns(s[inside], theta).reshape(basis.terms, -1)
    X, P = np.sqrt(s[inside])[:, None] * np.stack([np.cos(theta), np.sin(theta)])[:, None]
    for wanted in (X, P, X * P, X**3, P**3, X**2 * P, X**4 - P**4, X**3 * P):
        found = np.linalg.lstsq(columns.T, wanted.ravel(), rcond=None)[0] @ columns
        assert found == pytest.approx(wanted.ravel(), abs=1e-8)
    assert basis.terms == 4 + 12  # 15 monomials less 1, r², r⁴


@pytest.mark.parametrize(("term", "odd"), [(2, False), (3, True)])
def test_errors_odd_in_p_are_told_apart(term, odd):
    """Replicas that differ by a multiple of X, or of P, in ln W."""
    s = np.linspace(0.01, 40.0, 400)
    basis = DensityBasis.of(s, np.exp(-s / 3.0), 0, 1, 0.99)
    gaussian = np.linalg.lstsq(basis.columns(s, np.zeros(1))[:2, :, 0].T, -s / 3.0)[0]
    shift = 1e-3 * np.eye(4)[term]
    replicas = tuple(
        FittedDensity(basis, np.append(gaussian, [0.0, 0.0]) + sign * shift, (0.0, 0.0), 60.0)
        for sign in (-1.0, 1.0)
    )
    whole = FittedDensity(basis, np.append(gaussian, [0.0, 0.0]), (0.0, 0.0), 60.0, replicas)
    even_part, odd_part = _distances(whole)
    assert (odd_part > 100.0 * even_part) if odd else (even_part > 100.0 * odd_part)


def work_and_entropy(distribution):
    """Ergotropy of the populations, entropy, free energy of the flywheel at T = 2."""
    state = fock_state(distribution, 1e-3)
    ladder = 0.2 * np.arange(state.levels)
    entropy = thermodynamics.spectral_entropy(state.eigenvalues)
    energy = float(ladder @ state.populations)
    return np.array([
        thermodynamics.diagonal_ergotropy(state.populations, ladder),
        entropy,
        thermodynamics.spectral_free_energy_gain(entropy, energy, 0.2, 2.0),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("bias", "exact"), [(8.0, (0.0, 4.35847, 1.75973)), (12.0, (0.53075, 4.98372, 6.64684))]
)
def test_work_stored_in_the_flywheel(bias, exact):
    """No aliasing: zero where there is none, and within the error where there is some."""
    method = Langevin(duration=1e6, step=0.5, seed=1, checked=0)
    found = method.solve(Flywheel.paper(bias).model(1e-9)).distribution
    values = work_and_entropy(found)
    replicas = np.array([work_and_entropy(replica) for replica in found.replicas])
    error = np.sqrt((len(replicas) - 1) * np.var(replicas, axis=0))
    assert np.all(np.abs(values - exact) < 3.0 * error + 1e-3)
    assert values[0] == pytest.approx(exact[0], abs=0.25)
    assert values[1] == pytest.approx(exact[1], abs=0.05)


def test_the_histogram_of_the_paper_aliases():
    """One long trajectory, kernel summed over bins: work where there is none (V = 8)."""
    method = Langevin(duration=8e6, trajectories=1, step=0.5, seed=1, checked=0)
    histogram = method.histogram(Flywheel.paper(8.0).model(1e-9))
    assert histogram.outside < 1e-3 * np.sum(histogram.counts)
    assert np.sum(histogram.wigner) * np.diff(histogram.x_edges)[0] * np.diff(histogram.p_edges)[
        0
    ] == pytest.approx(1.0)
    x = 0.5 * (histogram.x_edges[1:] + histogram.x_edges[:-1])
    x_squared = x**2 @ np.sum(histogram.counts, axis=1) / np.sum(histogram.counts)
    assert x_squared / 10.0 == pytest.approx(
        histogram.samples.moments["x_squared"].mean, rel=0.02
    )  # x0² = 10
    populations = histogram.summed_populations(1000)
    ladder = 0.2 * np.arange(1000)
    assert ladder @ (populations - np.sort(populations)[::-1]) > 30.0
    assert np.min(populations) < -1e-3


def test_few_levels_survive_the_sum_over_bins():
    """A thermal state of 1.5 quanta on fine bins: p_n = N^n/(N + 1)^{n+1}."""
    histogram = METHOD.histogram(damped_oscillator(0.3, 1.2))
    exact = 0.4 * 0.6 ** np.arange(4)
    assert histogram.summed_populations(4) == pytest.approx(exact, abs=0.01)


def test_axes_of_the_histogram():
    """A state shifted in x alone: x comes first."""
    histogram = METHOD.histogram(damped_oscillator(0.3, 1.2, pull=1.0), bins=40)
    x = 0.5 * (histogram.x_edges[1:] + histogram.x_edges[:-1])
    share = histogram.counts / np.sum(histogram.counts)
    assert x @ share.sum(axis=1) == pytest.approx(1.0, abs=0.03)
    assert x @ share.sum(axis=0) == pytest.approx(0.0, abs=0.03)
    euler = EulerMaruyama(0.05, duration=3000.0, seed=1, checked=0)
    assert np.sum(euler.histogram(damped_oscillator(0.3, 1.2), bins=10).counts) > 0


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_bit(threads):
    method = replace(METHOD, duration=2000.0, trajectories=37, rtol=0.1)
    one, more = (
        replace(method, threads=n).solve(SYSTEMS["lopsided"][0]).distribution for n in (1, threads)
    )
    assert np.array_equal(one.coefficients, more.coefficients)
    assert np.array_equal(one.replicas[3].coefficients, more.replicas[3].coefficients)


def test_a_tolerance_out_of_reach_says_what_would_do():
    model = damped_oscillator(0.3, 1.2)
    method = Langevin(duration=1000.0, step=0.25, seed=1, checked=0, rtol=0.01)
    with pytest.raises(NotConverged, match=r"rtol = 0.01; `duration` = .* would do") as refused:
        method.solve(model)
    needed = float(str(refused.value).split("`duration` = ")[1].split()[0])
    assert replace(method, duration=needed).solve(model).relative_error < 0.01


def test_a_step_too_coarse_for_the_tolerance_is_refused():
    quartic = boltzmann(lambda x: -0.3 * x**3, constant(1.0), 0.8)
    method = Langevin(duration=1e4, trajectories=256, step=0.35, start=(0.0, 0.0), rtol=0.03)
    with pytest.raises(NotConverged, match=r"from the step 0.35, more than rtol = 0.03; `step` ="):
        method.solve(quartic)
    fine = replace(method, step=0.1).solve(quartic)
    unchecked = replace(method, step=0.1, checked=0).solve(quartic)
    assert fine.errors["p_squared"] > unchecked.errors["p_squared"]


def test_watching_too_many_trajectories_is_refused():
    with pytest.raises(InvalidArgument, match="where every sample is looked at"):
        Langevin(duration=10.0, trajectories=200_000).solve(damped_oscillator())


def test_rtol_is_validated():
    with pytest.raises(InvalidArgument, match="`rtol` must lie between"):
        Langevin(duration=1.0, rtol=0.5)


def test_flywheel_takes_it_as_a_method():
    method = Langevin(duration=4e5, step=0.5, seed=2, checked=0, rtol=0.03)
    state = Flywheel.paper(8.0).steady_state(method)
    assert state.phonon_number == pytest.approx(28.8617, rel=0.08)
    assert state.ergotropy_diagonal == pytest.approx(0.0, abs=0.02)
    assert state.entropy == pytest.approx(4.35847, abs=0.08)
    assert state.audit["phonon number, Wigner against Fock"].ok
    assert state.audit["edge probability"].ok


@pytest.mark.parametrize(
    ("model", "step"),
    [
        (boltzmann(lambda x: -24.0 * x, constant(0.3), 3.0), 0.05),  # five times as wide in P
        (boltzmann(lambda x: 1.3 * x - 0.05 * x**3, constant(0.3), 0.15), 0.25),  # two wells
    ],
)
def test_a_purity_that_the_sectors_blur_is_given_with_that_error(model, step):
    exact = FokkerPlanck(1e-4).solve(model).moments["purity"]
    found = replace(METHOD, step=step, duration=5000.0, rtol=0.05).solve(model)
    assert abs(found.moments["purity"] - exact) < 2.0 * found.errors["purity"]
    assert found.errors["purity"] < 0.1 * exact


def test_a_state_far_from_the_origin_is_fitted_about_its_mean():
    """A constant pull to x = 60; what the step shifts it by counts for the error of W."""
    model = damped_oscillator(0.3, 1.2, pull=60.0)
    found = Langevin(duration=3000.0, step=0.25, seed=5, rtol=0.05).solve(model)
    assert abs(found.moments["purity"] - 0.25) < 3.0 * found.errors["purity"]
    X, P = np.meshgrid(np.linspace(-6, 6, 121) + 60.0 / 2**0.5, np.linspace(-6, 6, 121))
    exact = np.exp(-0.5 * ((X - 60.0 / 2**0.5) ** 2 + P**2)) / (2.0 * np.pi)
    off = np.sum(np.abs(found.distribution.density(X, P) - exact)) * 0.01
    assert 0.02 < off < found.wigner_error < 10.0 * off


def test_a_thin_state_is_refused():
    counts = PolarCounts((0.0, 0.0), 1e4, 1, 64)
    counts.counts[0, :, 500:503] = 10
    with pytest.raises(NotConverged, match="too thin a part of the region"):
        best_fit(counts, 1e4)


def test_a_purity_that_the_fit_misses_is_given_with_that_error():
    """A fit to a Gaussian, held against samples of another whose variance is five percent more."""

    def counts(variance):
        found = PolarCounts((0.0, 0.0), 60.0, 1, 64)
        weight = np.exp(-cell_centres(60.0)[0] / (2.0 * variance))
        found.counts[...] = np.rint(1e6 * weight)[:, None]
        return found

    fitted = FittedDensity.of(counts(1.0), 1e4)
    purity = moments(fitted)["purity"]
    assert purity == pytest.approx(0.25, rel=1e-3)
    assert _misfit(fitted, counts(1.0), purity) < 1e-4
    assert _misfit(fitted, counts(1.05), purity) == pytest.approx(0.25 * 0.1 / 2.05, rel=0.01)
