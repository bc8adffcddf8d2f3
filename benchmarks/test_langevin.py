"""Trajectories of the flywheel: time per step, threads, and what half a percent costs."""

import math

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare, measure

import wheelwork as ww
from wheelwork.methods.sampling_method import CHUNK
from wheelwork.phase_space import PhaseSpaceModel
from wheelwork.phase_space.langevin.methods import Langevin
from wheelwork.phase_space.langevin.run import Ensemble, Progress, advance
from wheelwork.phase_space.langevin.stepping import OBSERVABLES, Stepping, splitting

STEP, REACH = 0.5, 27.0  # REACH: of the tables, wide enough for every run here
TRAJECTORIES = 128
CHUNKS = 512
STEPS = TRAJECTORIES * CHUNKS * CHUNK  # 1.7e7
TARGET = 25e-9  # seconds a step
LABEL = f"Langevin, V = 8, {STEPS:.1e} steps"
# Bias, duration for half a percent in ⟨n⟩.
HALF_PERCENT = {0.0: 5.5e6, 8.0: 6e6, 12.0: 6e6, 16.0: 5e6}


@pytest.fixture(scope="module")
def stepping() -> Stepping:
    return Stepping.of(model_at(8.0), splitting, STEP, REACH)


def model_at(bias: float) -> PhaseSpaceModel:
    return ww.Flywheel.paper(bias).model(1e-10)


def run(stepping: Stepping, threads: int) -> Progress:
    """All observables and the four local observables of the flywheel, as `Langevin` takes them."""
    observables = len(OBSERVABLES) + len(stepping.model.local_observables)
    fine, coarse = (
        Ensemble.starting(np.zeros((2, lanes)), observables, 128) for lanes in (TRAJECTORIES, 0)
    )
    start = Progress(fine, coarse, 0.0, 0.0, REACH)
    return advance(start, stepping, seed=1, chunks=CHUNKS, threads=threads)[0]


def in_numpy(stepping: Stepping, trajectories: int, steps: int) -> float:
    """The same splitting on whole arrays; noise from NumPy's generator, look-up by nearest cell."""
    random = np.random.default_rng(1)
    mesh = np.linspace(-stepping.reach, stepping.reach, 20001)
    loss, push, variance = stepping.fine.kicks(mesh, stepping.rates(mesh)[:3])
    spread, per_cell = np.sqrt(variance), 1.0 / (mesh[1] - mesh[0])
    c, s = math.cos(0.2 * STEP), math.sin(0.2 * STEP)
    X, P, energy = np.zeros(trajectories), np.zeros(trajectories), 0.0
    for _ in range(steps):
        X, P = c * X + s * P, c * P - s * X
        cell = ((X + stepping.reach) * per_cell + 0.5).astype(np.intp)
        P += loss[cell] * P + push[cell] + spread[cell] * random.standard_normal(trajectories)
        energy += float(np.sum(X * X + P * P))
    return energy / (steps * trajectories)


def test_time_per_step(benchmark: BenchmarkFixture, stepping: Stepping) -> None:
    measure(benchmark, LABEL, lambda: run(stepping, 1), target=STEPS * TARGET)


@pytest.mark.parametrize("trajectories", [64, 1000])
def test_against_numpy(benchmark: BenchmarkFixture, stepping: Stepping, trajectories: int) -> None:
    steps = 500_000 // trajectories
    compare(
        benchmark,
        lambda: run(stepping, 1),
        lambda: in_numpy(stepping, trajectories, steps),
        labels=(LABEL, f"the same in NumPy, {trajectories} paths at once"),
        note="energy only, scaled to as many steps",
        scale=STEPS / (steps * trajectories),
    )


def test_two_threads(benchmark: BenchmarkFixture, stepping: Stepping) -> None:
    compare(
        benchmark,
        lambda: run(stepping, 2),
        lambda: run(stepping, 1),
        labels=(f"{LABEL}, two threads", "one thread"),
        note="wanted: 1.8",
    )


def test_density(benchmark: BenchmarkFixture) -> None:
    """From the model to a fitted density with 32 replicas; 3.2e7 steps."""
    method = Langevin(duration=2.5e5, step=STEP, seed=2, checked=0, threads=1, rtol=0.1)
    measure(benchmark, "Langevin, V = 8, density", lambda: method.solve(model_at(8.0)), rounds=3)


def test_correlations(benchmark: BenchmarkFixture) -> None:
    """Position, amplitude and intensity at 200 delays up to 1e4; 3.2e7 steps."""
    method = Langevin(duration=2.5e5, step=STEP, seed=2, checked=0, threads=1)
    delays = 50.0 * np.arange(200)
    measure(
        benchmark,
        "Langevin, V = 8, correlations",
        lambda: method.correlations(model_at(8.0), delays),
        rounds=3,
    )


@pytest.mark.parametrize("bias", list(HALF_PERCENT))
def test_half_a_percent(benchmark: BenchmarkFixture, bias: float) -> None:
    """⟨n⟩ and g² to half a percent, from the tables to the error bars, on all processors."""
    method = Langevin(duration=HALF_PERCENT[bias], step=STEP, seed=2, checked=0)
    samples = benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: method.sample(model_at(bias)), rounds=1
    )
    exact = ww.FokkerPlanck(1e-6).solve(model_at(bias)).moments
    off = []
    for name in ("phonon_number", "g2"):
        mean, error = samples.moments[name]
        assert error < 0.005 * mean
        assert abs(mean - exact[name]) < 3.0 * error
        off.append((mean - exact[name]) / error)
    benchmark.extra_info |= {
        "label": f"Langevin to 0.5 %, V = {bias:g}, off by {off[0]:+.1f} and {off[1]:+.1f} errors",
        "target": None,
    }
