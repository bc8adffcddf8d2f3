"""Quantum jumps: exact waiting times, unbiased means, honest error bars, identical bits."""

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import EXAMPLES, SIGMA, basis, lowering, rotor

from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.lindblad import (
    Lindblad,
    counting_statistics,
    evolve,
    sample_jumps,
    steady_state,
)
from wheelwork.lindblad.unravelling import JUMPS, uniforms
from wheelwork.numerics.work import counted

TIMES = np.linspace(0.5, 6.0, 8)


def test_waiting_times_are_exponential():
    """A decaying qubit: its one jump comes at −ln u/Γ to rounding, u the first uniform number."""
    lindblad = Lindblad(np.diag([0.0, 40.0]), [np.sqrt(0.8) * SIGMA])
    times = np.linspace(0.0, 5.0, 501)
    result = sample_jumps(
        lindblad, basis(2, 1), times, observables={"up": SIGMA.T @ SIGMA}, trajectories=40, seed=3
    )
    alive = np.zeros(times.size)
    for trajectory in range(40):
        u, _ = uniforms(np.uint64(3), trajectory, 0, JUMPS)
        alive += times < -np.log(u) / 0.8
    np.testing.assert_allclose(result.means["up"], alive / 40, atol=1e-12)


def test_uniform_numbers_are_uniform():
    numbers = np.array([uniforms(np.uint64(1), t, j, JUMPS) for t in range(80) for j in range(50)])
    assert numbers.min() > 0.0
    assert numbers.max() < 1.0
    edges = np.linspace(0.0, 1.0, 21)
    for column in numbers.T:
        counts, _ = np.histogram(column, edges)
        assert np.sum((counts - 200.0) ** 2 / 200.0) < 45.0  # χ² of 19: 7e-4 beyond
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.05


@pytest.mark.parametrize("name", EXAMPLES)
def test_means_are_those_of_the_equation(name):
    system = EXAMPLES[name]
    exact = evolve(system.lindblad, system.start, TIMES, observables=system.observables)
    result = sample_jumps(
        system.lindblad, system.start, TIMES, observables=system.observables, trajectories=600
    )
    for key, mean in result.means.items():
        error = np.maximum(result.standard_errors[key], 1e-3)  # rare jumps may not be seen at all
        assert np.max(np.abs(mean - exact.means[key]) / error) < 4.5, key


def test_standard_errors_cover():
    """Squared deviations in units of the error average to one over independent runs."""
    system = EXAMPLES["spin chain"]
    exact = evolve(system.lindblad, system.start, [12.0], observables=system.observables)
    deviations = []
    for seed in range(40):
        result = sample_jumps(
            system.lindblad,
            system.start,
            [12.0],
            observables=system.observables,
            trajectories=64,
            seed=seed,
        )
        deviations += [
            float((result.means[key] - exact.means[key])[0] / result.standard_errors[key][0])
            for key in system.observables
        ]
    assert 0.7 < np.mean(np.square(deviations)) < 1.4


def test_a_mixture_is_divided_by_its_eigenvectors():
    system = EXAMPLES["collective decay"]
    random = np.random.default_rng(2).normal(size=(4, 8)).view(complex)
    rho = random @ random.conj().T
    rho /= np.trace(rho).real
    exact = evolve(system.lindblad, rho, [0.0, 1.0], observables=system.observables)
    result = sample_jumps(
        system.lindblad, rho, [0.0, 1.0], observables=system.observables, trajectories=3000
    )
    for key, mean in result.means.items():
        error = result.standard_errors[key]
        assert error[0] < 1e-12
        assert np.all(np.abs(mean - exact.means[key]) < 4.0 * error + 1e-12)


def uniform_mixture(levels, trajectories, **more):
    """Of the lowest levels of a damped oscillator."""
    a = lowering(levels)
    start = np.eye(levels) / levels
    n = {"n": a.T @ a}
    lindblad = Lindblad(1.3 * a.T @ a, [np.sqrt(0.4) * a])
    return sample_jumps(
        lindblad, start, [0.0, 1.0], observables=n, trajectories=trajectories, **more
    )


@pytest.mark.parametrize("trajectories", [20, 37, 256, 1000])
def test_a_uniform_mixture_starts_exactly(trajectories):
    result = uniform_mixture(10, trajectories)
    assert result.means["n"][0] == pytest.approx(4.5, abs=1e-13)
    assert result.standard_errors["n"][0] == 0.0
    assert abs(result.means["n"][1] - 4.5 * np.exp(-0.4)) < 4.0 * result.standard_errors["n"][1]
    assert result.weights.sum() == pytest.approx(1.0, abs=1e-13)


def test_more_eigenvectors_than_trajectories_are_drawn_with_an_honest_error():
    apart = []
    for seed in range(60):
        result = uniform_mixture(40, 16, seed=seed)
        apart.append((result.means["n"][0] - 19.5) / result.standard_errors["n"][0])
    assert abs(np.mean(apart)) < 4.0 / np.sqrt(60)
    assert 0.7 < np.mean(np.square(apart)) < 1.6  # of Student's t with 15 degrees: 1.15


def test_unlikely_eigenvectors_are_drawn_together():
    """One level of 0.9, forty of 0.0025: 58 strata of two trajectories would not do."""
    start = np.diag([0.9] + [0.0025] * 40)
    system = Lindblad(np.diag(np.arange(41.0)), [np.sqrt(0.1) * lowering(41)])
    n, apart = {"n": np.diag(np.arange(41.0))}, []
    for seed in range(40):
        result = sample_jumps(system, start, [0.0, 2.0], observables=n, trajectories=64, seed=seed)
        exact = 2.05 * np.exp([0.0, -0.2])
        assert set(np.bincount(result.strata)[[0, 41]]) == {58, 6}
        apart.append((result.means["n"] - exact) / result.standard_errors["n"])
    assert np.all(np.abs(np.mean(apart, axis=0)) < 4.0 / np.sqrt(40))


def test_standard_errors_of_strata_cover():
    apart = []
    for seed in range(60):
        result = uniform_mixture(10, 40, seed=seed)
        error = result.standard_errors["n"][1]
        apart.append((result.means["n"][1] - 4.5 * np.exp(-0.4)) / error)
        mean, error = result.averages["n"]
        assert mean == pytest.approx(result.means["n"].mean(), abs=1e-12)
        assert error == pytest.approx(0.5 * result.standard_errors["n"][1], rel=1e-9)
    assert 0.6 < np.mean(np.square(apart)) < 1.7
    rates = [uniform_mixture(10, 40, seed=seed).rate([1.0]) for seed in range(60)]
    lost = 4.5 * (1.0 - np.exp(-0.4))
    apart = [(mean - lost) / error for mean, error in rates]
    assert abs(np.mean(apart)) < 4.0 / np.sqrt(60)
    assert 0.6 < np.mean(np.square(apart)) < 1.7


def test_averaged_states_and_records():
    system = EXAMPLES["Jaynes–Cummings"]
    observables = system.observables
    start = np.diag(np.arange(1.0, 17.0) / 136.0)
    result = sample_jumps(
        system.lindblad, start, TIMES, observables=observables, trajectories=400, states=True,
        records=True,
    )  # fmt: skip
    exact = evolve(system.lindblad, start, TIMES)
    for i in range(TIMES.size):
        rho = result.average_states[i]
        assert np.trace(rho) == pytest.approx(1.0, abs=1e-12)
        assert np.abs(rho - exact.state(i).density_matrix).max() < 0.05
        for name, operator in observables.items():
            mean = np.trace(operator.toarray() @ rho)
            assert mean == pytest.approx(result.means[name][i], abs=1e-11)
    assert len(result.records) == 400
    for record, counts in zip(result.records, result.counts, strict=True):
        assert np.all(np.diff(record.times) > 0.0)
        assert np.all(record.times <= TIMES[-1])
        later = record.times > TIMES[0]
        np.testing.assert_array_equal(np.bincount(record.kinds[later], minlength=3), counts)
    bare = sample_jumps(system.lindblad, start, TIMES, observables=observables, trajectories=400)
    assert bare.average_states is None
    assert bare.records is None
    np.testing.assert_array_equal(bare.means["n"], result.means["n"])


def test_an_operator_that_is_not_hermitian():
    """⟨a⟩ of a superposition that decays: ½ exp(−iωt − κt/2)."""
    lindblad = Lindblad(np.diag([0.0, 2.0]), [np.sqrt(0.4) * SIGMA])
    start, up = np.array([1.0, 1.0]) / np.sqrt(2.0), np.diag([0.0, 1.0])
    result = sample_jumps(lindblad, start, TIMES, observables={"a": SIGMA, "up": up})
    expected = 0.5 * np.exp((-2.0j - 0.2) * TIMES)
    assert np.all(np.abs(result.means["a"] - expected) < 4.0 * result.standard_errors["a"])
    assert result.averages["a"][0] == pytest.approx(result.means["a"].mean())
    assert result.means["up"].dtype == float
    assert "±" in repr(result)


def test_jump_times_of_a_record_are_exponential():
    lindblad = Lindblad(np.diag([0.0, 40.0]), [np.sqrt(0.8) * SIGMA])
    result = sample_jumps(lindblad, basis(2, 1), [50.0], trajectories=20, seed=3, records=True)
    for trajectory, record in enumerate(result.records):
        u, _ = uniforms(np.uint64(3), trajectory, 0, JUMPS)
        np.testing.assert_allclose(record.times, [-np.log(u) / 0.8], rtol=1e-12)


def test_the_budget_of_trajectories():
    system = EXAMPLES["spin chain"]
    question = {"trajectories": 200, "observables": system.observables, "threads": 1}
    with counted() as work:
        whole = sample_jumps(system.lindblad, system.start, TIMES, **question)
    assert work["trajectories"] == 13
    with counted() as work, pytest.raises(NotConverged, match="raise `operations`") as info:
        sample_jumps(system.lindblad, system.start, TIMES, operations=1e6, **question)
    partial = info.value.partial
    assert len(partial.counts) == 16 * work["trajectories"] < 200
    assert partial.weights.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(partial.counts, whole.counts[: len(partial.counts)])
    with pytest.raises(NotConverged, match="a sample of 2 trajectories needs") as info:
        sample_jumps(Lindblad(40.0 * SIGMA + 40.0 * SIGMA.T), basis(2, 0), [1e6], operations=1e7)
    assert info.value.partial is None
    with pytest.raises(InvalidArgument, match="averaged states take more than 128 MiB"):
        sample_jumps(Lindblad(np.eye(3000)), basis(3000, 0), [1.0], states=True)


def test_long_runs_give_the_steady_state_and_its_currents():
    system = rotor(16, lowest=-6, coupling=1.0, damping=0.2)
    steady = steady_state(system.lindblad)
    result = sample_jumps(
        system.lindblad,
        system.start,
        np.linspace(0.0, 240.0, 481),
        observables=system.observables,
        trajectories=64,
        burn_in=40.0,
    )
    for key, (mean, error) in result.averages.items():
        assert abs(mean - steady.expect(system.observables[key])) < 4.0 * error, key
    weights = [1, -1, 0, 0, 0, 0]
    counted = counting_statistics(steady, weights)
    mean, error = result.rate(weights)
    assert abs(mean - counted.mean) < 4.0 * error
    noise = np.var(result.counts @ weights, ddof=1) / result.counted_time
    assert noise == pytest.approx(counted.noise, rel=0.6)
    assert result.counted_time == 200.0


def test_threads_do_not_change_a_bit():
    system = EXAMPLES["Jaynes–Cummings"]
    runs = [
        sample_jumps(
            system.lindblad,
            system.start,
            TIMES,
            observables=system.observables,
            trajectories=50,
            seed=11,
            threads=threads,
        )
        for threads in (1, 2, 3)
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(other.counts, runs[0].counts)
        for key in system.observables:
            np.testing.assert_array_equal(other.means[key], runs[0].means[key])
    different = sample_jumps(system.lindblad, system.start, TIMES, trajectories=50, seed=12)
    assert np.any(different.counts != runs[0].counts)


def test_the_times_asked_for_do_not_change_the_jumps():
    system = EXAMPLES["spin chain"]
    few = sample_jumps(system.lindblad, system.start, [0.0, 6.0], trajectories=40)
    many = sample_jumps(system.lindblad, system.start, np.linspace(0.0, 6.0, 97), trajectories=40)
    np.testing.assert_array_equal(few.counts, many.counts)


def test_the_order_of_basis_states_does_not_matter():
    system = EXAMPLES["Jaynes–Cummings"]
    order = np.random.default_rng(0).permutation(16)
    turned = [sp.csc_array(m[order][:, order]) for m in (system.hamiltonian, *system.jumps)]
    n = system.observables["n"]
    one = sample_jumps(system.lindblad, system.start, TIMES, observables={"n": n}, trajectories=64)
    other = sample_jumps(
        Lindblad(turned[0], turned[1:]),
        system.start[order],
        TIMES,
        observables={"n": n[order][:, order]},
        trajectories=64,
    )
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_allclose(one.means["n"], other.means["n"], atol=1e-9)


def test_a_jump_into_a_superposition_of_sets():
    """One jump makes ρ_01 between states that nothing else links."""
    jump = np.zeros((3, 3))
    jump[0, 2], jump[1, 2] = 0.6, 0.8
    lindblad = Lindblad(np.diag([0.0, 1.5, 0.0]), [jump])
    x = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    exact = evolve(lindblad, basis(3, 2), TIMES, observables={"x": x})
    result = sample_jumps(lindblad, basis(3, 2), TIMES, observables={"x": x}, trajectories=2000)
    assert np.max(np.abs(exact.means["x"])) > 0.2
    error = np.maximum(result.standard_errors["x"], 1e-9)
    assert np.max(np.abs(result.means["x"] - exact.means["x"]) / error) < 4.0


def test_without_jumps_the_state_follows_schroedinger():
    a = lowering(6)
    lindblad = Lindblad(0.7 * (a + a.T), [])
    result = sample_jumps(lindblad, basis(6, 2), TIMES, observables={"n": a.T @ a}, trajectories=2)
    exact = evolve(lindblad, basis(6, 2), TIMES, observables={"n": a.T @ a})
    np.testing.assert_allclose(result.means["n"], exact.means["n"], atol=1e-8)
    np.testing.assert_array_equal(result.standard_errors["n"], 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trajectories": 1}, "`trajectories` must be at least 2"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"burn_in": 9.0}, "`burn_in` must not pass the last time"),
        ({"times": [2.0, 1.0]}, "`times` must be ascending"),
        ({"observables": {"x": np.eye(3)}}, r"`observables\['x'\]` must have shape \(2, 2\)"),
    ],
)
def test_bad_requests_are_refused(changes, message):
    lindblad = Lindblad(np.zeros((2, 2)), [SIGMA])
    arguments = {"times": [1.0, 2.0]} | changes
    times = arguments.pop("times")
    with pytest.raises(InvalidArgument, match=message):
        sample_jumps(lindblad, basis(2, 1), times, **arguments)


def test_a_rate_needs_two_times():
    result = sample_jumps(Lindblad(np.zeros((2, 2)), [SIGMA]), basis(2, 1), [1.0])
    with pytest.raises(InvalidArgument, match="two different ones"):
        result.rate([1.0])


def test_jumps_that_were_not_seen_count_in_the_error():
    rare = Lindblad(np.zeros((2, 2)), [1e-4 * SIGMA, SIGMA.T])
    result = sample_jumps(rare, basis(2, 1), [0.0, 1.0], trajectories=64)
    assert result.counts.sum() == 0
    assert result.rate([2.0, 0.0]) == (0.0, 2.0 / 64.0)
    with pytest.raises(InvalidArgument, match="`weights` must hold one number for each of the 2"):
        result.rate([1.0])
