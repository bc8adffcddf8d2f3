"""Runs as runs: same bits however they are cut, files, interrupts, memory, bad input."""

import tempfile
from dataclasses import replace

import numpy as np
import pytest
from phase_space_systems import boltzmann, constant, damped_oscillator, lopsided, van_der_pol

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.phase_space import PhaseSpaceModel
from wheelwork.phase_space.langevin import run
from wheelwork.phase_space.langevin.methods import EulerMaruyama, Langevin
from wheelwork.phase_space.langevin.run import Ensemble
from wheelwork.phase_space.langevin.samples import Samples
from wheelwork.phase_space.langevin.simulation import Simulation, spread
from wheelwork.phase_space.langevin.stepping import Record, Stepping, splitting

# 37 lanes leave remainders in every vector; the model outgrows its first tables twice.
MODEL = boltzmann(lambda x: 0.3 * np.tanh(x), constant(0.05), 12.0)
METHOD = Langevin(duration=6400.0, trajectories=37, step=0.25, seed=11, checked=11, threads=1)


@pytest.fixture(scope="module")
def whole():
    return METHOD.sample(MODEL)


def same_bits(a, b):
    for one, other in ((a.progress.fine, b.progress.fine), (a.progress.coarse, b.progress.coarse)):
        assert np.array_equal(one.state, other.state)
        assert np.array_equal(one.sums, other.sums)
    assert a.moments == b.moments
    assert a.step_change == b.step_change
    assert a.progress.reach == b.progress.reach


def test_tables_grow_with_the_trajectories(whole):
    assert whole.progress.reach >= 12.0
    assert max(whole.details["high"], -whole.details["low"]) > 8.0


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_a_bit(whole, threads):
    same_bits(whole, replace(METHOD, threads=threads).sample(MODEL))


@pytest.mark.parametrize("chunks", [1, 7])
def test_the_loop_does_not_change_a_bit(whole, chunks, monkeypatch):
    monkeypatch.setattr(run, "CHUNKS_AT_ONCE", chunks)
    same_bits(whole, METHOD.sample(MODEL))


@pytest.mark.parametrize("first", [1000.0, 3000.0])
def test_stopped_and_resumed(whole, first, tmp_path):
    model = MODEL
    begun = replace(METHOD, duration=first, burn_in=0.0).sample(model)
    begun.save(tmp_path / "begun.npz")
    loaded = Samples.load(tmp_path / "begun.npz", burn_in=0.0)
    same_bits(begun, loaded)
    same_bits(whole, METHOD.sample(model, after=begun))
    same_bits(whole, METHOD.sample(model, after=loaded))


def test_an_interrupt_keeps_the_checkpoint(whole, tmp_path, monkeypatch):
    calls, path = [], tmp_path / "run.npz"

    def interrupted(*arguments, original=run._Loop.advance):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(run, "CHUNKS_AT_ONCE", 8)
    monkeypatch.setattr(run._Loop, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        METHOD.sample(MODEL, checkpoint=path)
    assert 0 < Samples.load(path, burn_in=0.0).progress.chunks < whole.progress.chunks
    same_bits(whole, METHOD.sample(MODEL, checkpoint=path))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    same_bits(whole, Samples.load(path))


def test_a_trajectory_does_not_know_of_the_others(whole):
    alone = replace(METHOD, trajectories=24, checked=0).sample(MODEL)
    assert np.array_equal(alone.positions, whole.positions[:, :24])
    assert alone.step_change == {}


def test_seeds_differ(whole):
    other = replace(METHOD, seed=12).sample(MODEL)
    assert not np.any(other.positions == whole.positions)


def test_memory_does_not_grow(whole):
    longer = replace(METHOD, duration=20 * METHOD.duration).sample(MODEL, after=whole)
    assert longer.progress.fine.sums.shape == whole.progress.fine.sums.shape
    assert longer.progress.fine.width == 16
    assert longer.duration == 20 * METHOD.duration


def test_blocks_merge_without_loss():
    rng = np.random.default_rng(0)
    states, sums = rng.normal(size=(12, 2, 3)), rng.normal(size=(11, 6, 3))
    record = Record(states, sums, *np.zeros((2, 11)), np.zeros((11, 0, 2, 3)))
    ensemble = Ensemble.starting(np.zeros((2, 3)), 6, blocks=4).after(record)
    assert (ensemble.width, ensemble.filled) == (4, 3)
    assert list(ensemble.samples) == [256, 256, 192]
    assert ensemble.sums[0] == pytest.approx(record.sums[:4].sum(axis=0))
    assert ensemble.sums.sum(axis=0) == pytest.approx(record.sums.sum(axis=0))


def test_checked_trajectories_follow_the_same_paths():
    """At small steps the run at 2Δt sees the same noise and ends at nearly the same points."""
    method = Langevin(duration=100.0, step=0.02, checked=64, burn_in=50.0, seed=4)
    progress = method.sample(damped_oscillator(0.05, 0.2)).progress
    assert progress.coarse.state == pytest.approx(progress.fine.state, abs=0.05)
    assert np.std(progress.fine.state) > 0.5


def test_burn_in_is_found_from_the_data():
    """From far out the energy falls as e^{−0.05 t}: some hundred units of time must go."""
    method = Langevin(duration=8000.0, step=0.25, start=(12.0, 0.0), seed=2)
    samples = method.sample(damped_oscillator(0.05, 0.2))
    assert 100.0 < samples.burn_in < 2000.0
    number = samples.moments["phonon_number"]
    assert abs(number.mean - 1.5) < 3.0 * number.standard_error
    biased = replace(method, burn_in=0.0).sample(damped_oscillator(0.05, 0.2))
    assert biased.moments["phonon_number"].mean > 1.5 + 3.0 * number.standard_error
    assert biased.details["drift"] > 3.0


def test_a_run_that_has_not_settled_is_refused():
    method = Langevin(duration=640.0, step=0.25, start=(12.0, 0.0))
    with pytest.raises(NotConverged, match="are not stationary"):
        method.sample(damped_oscillator(0.002, 0.008))


@pytest.mark.parametrize("start", [None, (0.0, 0.0)])
@pytest.mark.parametrize("seed", range(4))
def test_a_run_of_few_correlation_times_is_refused(start, seed):
    """The energy's is 200: few trajectories are too noisy to show how far they still are."""
    model = damped_oscillator(0.005, 0.08)
    method = Langevin(duration=600.0, trajectories=16, step=0.5, seed=seed, start=start, checked=0)
    with pytest.raises(NotConverged, match=r"run is too short|do not mix"):
        method.sample(model)
    number = replace(method, duration=6000.0).sample(model).moments["phonon_number"]
    assert abs(number.mean - 7.5) < 3.5 * number.standard_error


def test_a_run_too_short_for_errors_is_refused():
    with pytest.raises(NotConverged, match="needs at least 8 batches"):
        Langevin(duration=256.0, step=0.25, trajectories=1).sample(damped_oscillator())
    with pytest.raises(NotConverged, match="burn-in cannot be told from a run of 3 x 256 steps"):
        Langevin(duration=150.0, step=0.25).sample(damped_oscillator())


def test_a_step_is_found_for_stiff_models():
    stiff = boltzmann(lambda x: -2.0 * x**3, constant(6.0), 1.0)
    samples = Langevin(duration=200.0, seed=1).sample(stiff)
    assert 0.01 < samples.setup.step <= 0.25 / 6.0
    assert Langevin(duration=300.0).sample(damped_oscillator()).setup.step == 0.25


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"trajectories": 0}, "`trajectories` must be at least 1, but is 0"),
        ({"trajectories": 2.5}, "`trajectories` must be an integer"),
        ({"trajectories": 10**7}, "`trajectories` must be at most"),
        ({"duration": -1.0}, "`duration` must be positive"),
        ({"duration": float("nan")}, "`duration` must be finite"),
        ({"step": 0.0}, "`step` must be positive"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"seed": 2**64}, "`seed` must be below"),
        ({"burn_in": 50.0}, "`burn_in` must be shorter than `duration` = 50.0"),
        ({"burn_in": -1.0}, "`burn_in` must not be negative"),
        ({"checked": 65}, "`checked` must be at most"),
        ({"threads": 0}, "`threads` must be at least 1"),
        ({"start": (1.0,)}, r"`start` must be \(x, p\)"),
    ],
)
def test_fields_are_validated(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        Langevin(**{"duration": 50.0, "step": 0.1} | fields)
    with pytest.raises(InvalidArgument, match=message):
        EulerMaruyama(**{"duration": 50.0, "step": 0.1} | fields)


def test_the_step_of_the_explicit_scheme_has_no_default():
    with pytest.raises(TypeError, match="step"):
        EulerMaruyama(duration=50.0)


@pytest.mark.parametrize("model", [damped_oscillator(), damped_oscillator(3.0, 1.2)])
def test_a_step_too_large_is_refused(model):
    with pytest.raises(InvalidArgument, match="`step` must be at most"):
        Langevin(duration=1e4, step=1.1).sample(model)


def test_a_step_too_large_for_where_trajectories_go_is_refused():
    quartic = boltzmann(lambda x: -2.0 * x**3, constant(0.5), 2.0)
    with pytest.raises(InvalidArgument, match=r"`step` must be at most .* fastest rate is"):
        Langevin(duration=1e4, step=0.9).sample(quartic)


def test_an_unconfined_model_is_refused():
    with pytest.raises(NotConverged, match="is not confined by the friction"):
        Langevin(duration=1e5, step=0.25, start=(0.0, 0.0)).sample(damped_oscillator(-0.01, 1.2))
    with pytest.raises(NoSteadyState, match="the friction is negative"):
        Langevin(duration=1e5, step=0.25).sample(damped_oscillator(-0.01, 1.2))
    with pytest.raises(NotConverged, match="EulerMaruyama is not confined"):
        EulerMaruyama(0.25, duration=1e5).sample(damped_oscillator(0.05, 1.2))


def test_negative_diffusion_is_refused():
    model = PhaseSpaceModel.from_functions(
        force=constant(0.0), friction=constant(0.1), diffusion=lambda x: 1.0 - x**2
    )
    with pytest.raises(InvalidArgument, match="`diffusion` must not be negative"):
        Langevin(duration=1e3, step=0.25, start=(0.0, 0.0)).sample(model)
    with pytest.raises(NoSteadyState, match="`diffusion` is not positive"):
        Langevin(duration=1e3, step=0.25).sample(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"seed": 3}, "`seed` must be"), ({"step": 0.2}, "`step` must be"),
     ({"trajectories": 40}, "`trajectories` must be"),
     ({"duration": 100.0}, "`duration` must be at least 6400")],
)  # fmt: skip
def test_another_run_is_not_continued(whole, change, message):
    with pytest.raises(InvalidArgument, match=message):
        replace(METHOD, **change).sample(MODEL, after=whole)


def test_another_model_is_not_continued(whole):
    with pytest.raises(InvalidArgument, match="`model` must be that of the run"):
        METHOD.sample(lopsided(0.05), after=whole)


def test_a_damaged_checkpoint_is_refused(whole, tmp_path):
    path = tmp_path / "run.npz"
    whole.save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InvalidArgument, match="must be a complete checkpoint"):
        METHOD.sample(MODEL, checkpoint=path)
    path.write_bytes(b"")
    with pytest.raises(InvalidArgument, match="must be a complete checkpoint"):
        Samples.load(path)


def test_the_first_tables_hold_the_fastest_rate():
    stepping = Stepping.of(van_der_pol(2.0, 0.2), splitting, 0.01)
    rate, X = stepping.fastest(-1.0, 1.5)
    assert rate == pytest.approx(2.0 * (2.0 * 1.5**2 - 1.0))
    assert X == 1.5


def test_an_interrupt_without_a_checkpoint_leaves_a_file(whole, monkeypatch, tmp_path):
    calls = []

    def interrupted(*arguments, original=run._Loop.advance):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(run, "CHUNKS_AT_ONCE", 8)
    monkeypatch.setattr(run._Loop, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt) as stopped:
        METHOD.sample(MODEL)
    (kept,) = tmp_path.iterdir()
    assert str(kept) in stopped.value.__notes__[0]
    same_bits(whole, METHOD.sample(MODEL, checkpoint=kept))


def test_a_double_step_that_blows_up_does_not_end_the_run():
    """A stiff spring that bears Δt = 0.25 and not 0.5: an infinite error says so."""
    model = boltzmann(lambda x: -2.0 * x**3, constant(0.5), 0.5)
    method = Langevin(step=0.25, duration=3000.0, seed=1, start=(0.0, 0.0))
    samples = method.sample(model)
    assert np.isfinite(samples.moments["phonon_number"].mean)
    assert all(np.isnan(m) and error == np.inf for m, error in samples.step_change.values())
    alone = replace(method, checked=0).sample(model)
    assert alone.moments == samples.moments
    assert samples.progress.reach == alone.progress.reach
    resumed = replace(method, duration=700.0, burn_in=0.0).sample(model)
    assert method.sample(model, after=resumed).moments == samples.moments


def test_starts_are_spread_over_the_region_that_may_hold_the_state():
    model = boltzmann(lambda x: 2.0 * x - 0.1 * x**3, constant(0.3), 0.6)  # two wells, x = ±√10
    X, P = spread(model, 3)(4000)
    energy = P**2 + X**2 - 2.0 * X**2 + 0.1 * X**4
    depth = -1.0 / 0.4
    assert np.all(energy >= depth - 1e-3)
    assert np.mean(X < 0.0) == pytest.approx(0.5, abs=0.03)
    assert np.mean(P < 0.0) == pytest.approx(0.5, abs=0.03)
    assert np.max(energy) - depth == pytest.approx(42.0 * 0.6, rel=0.2)
    # E = E_max v²: half of all starts below a quarter of the largest.
    assert np.mean(energy - depth < 0.25 * np.max(energy - depth)) == pytest.approx(0.5, abs=0.03)
    assert np.array_equal(spread(model, 3)(50), np.stack([X, P])[:, :50])
    assert not np.any(spread(model, 4)(50) == np.stack([X, P])[:, :50])


def test_a_start_is_a_position_and_a_momentum():
    model = damped_oscillator(0.3, 1.2, frequency=0.6, mass=1.7)
    method = Langevin(duration=100.0, step=0.1, start=(2.0, 3.0), trajectories=5)
    X, P = Simulation.begin(method, model).progress.fine.state
    assert np.array([2.0 / model.length] * 5) == pytest.approx(X)
    assert np.array([3.0 / model.momentum] * 5) == pytest.approx(P)


def test_starts_in_one_place_are_not_seen_to_hide_a_well_but_spread_ones_are():
    """A barrier of sixteen temperatures is not crossed within the run."""
    model = boltzmann(lambda x: 2.0 * x - 0.1 * x**3, constant(0.3), 2.5 / 16.0)
    method = Langevin(duration=600.0, step=0.1, seed=1, checked=0)
    blind = replace(method, start=(10.0**0.5, 0.0)).sample(model)
    assert blind.moments["x"].mean > 10.0 * blind.moments["x"].standard_error
    with pytest.raises(NotConverged, match="do not mix"):
        method.sample(model)
    # The user's own burn-in stands for the user's judgement; the number is still there.
    forced = replace(method, burn_in=50.0).sample(model)
    assert forced.details["mixing"] > 3.0 * forced.details["mixing_bound"]


def test_trajectories_that_mix_are_not_refused():
    """Over 100 seeds the ratio of the two variances is Fisher's F, here with 15 and 15."""
    model = damped_oscillator(0.2, 0.8)
    method = Langevin(duration=800.0, step=0.25, trajectories=16, checked=0, threads=1)
    ratios = [replace(method, seed=i).sample(model).details["mixing"] for i in range(100)]
    assert 1.0 < np.median(ratios) < 1.8  # of the larger of two; one alone has median 1
    assert np.max(ratios) < 10.0


def test_printouts_are_short(whole):
    assert repr(METHOD) == (
        "Langevin(duration=6400.0, trajectories=37, step=0.25, seed=11, checked=11, threads=1)"
    )
    assert repr(Langevin(duration=5.0)) == "Langevin(duration=5.0)"
    assert repr(EulerMaruyama(0.1, duration=5.0)) == "EulerMaruyama(duration=5.0, step=0.1)"
    assert repr(whole).startswith("Samples(phonon_number=")
    histogram = replace(METHOD, burn_in=100.0).histogram(MODEL, 8)
    assert repr(histogram).startswith("Histogram(8 x 8 bins")
    for text in (repr(whole), repr(histogram)):
        assert len(text) < 200
