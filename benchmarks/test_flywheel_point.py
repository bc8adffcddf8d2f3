"""One bias of the flywheel from nothing: no table, orbit or mesh is left from the round before."""

from dataclasses import replace

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import measure

import wheelwork as ww
from wheelwork import thermodynamics
from wheelwork.machines.flywheel.fock_state import fock_state
from wheelwork.machines.flywheel.state import FlywheelState
from wheelwork.phase_space import table_tolerance
from wheelwork.phase_space.stationary import circle_solver
from wheelwork.phase_space.stationary.orbits import Orbits, find_orbits

RTOL = 1e-6
TABLES = table_tolerance(RTOL)
BIAS = 12.0
TARGET = 0.3  # seconds, at BIAS


def point(bias: float, method: ww.FokkerPlanck | ww.EnergyDiffusion) -> FlywheelState:
    """Solve, and read all that a result offers: observables, errors, audit, density matrix."""
    state = ww.Flywheel.paper(bias).steady_state(method)
    assert state.observables
    assert state.errors
    assert state.audit
    assert state.density_matrix.size
    return state


@pytest.mark.parametrize("bias", [BIAS, 0.0, 16.0, 32.0])
def test_whole_point(benchmark: BenchmarkFixture, bias: float) -> None:
    label = f"flywheel, V = {bias:g}, rtol = {RTOL:g}"
    target = TARGET if bias == BIAS else None
    measure(benchmark, label, lambda: point(bias, ww.FokkerPlanck(RTOL)), target=target)


def test_energy_diffusion(benchmark: BenchmarkFixture) -> None:
    label = f"flywheel, V = {BIAS:g}, EnergyDiffusion"
    measure(benchmark, label, lambda: point(BIAS, ww.EnergyDiffusion(RTOL)))


@pytest.fixture(scope="module")
def orbits() -> Orbits:
    return find_orbits(ww.Flywheel.paper(BIAS).model(TABLES), TABLES)


@pytest.fixture(scope="module")
def state() -> FlywheelState:
    return point(BIAS, ww.FokkerPlanck(RTOL))


def test_part_coefficients(benchmark: BenchmarkFixture) -> None:
    x = np.linspace(-60.0, 60.0, 100)
    label = f"  part: coefficients at 100 x to {TABLES:.0e}"
    measure(benchmark, label, lambda: ww.Flywheel.paper(BIAS).coefficients(x, TABLES))


def test_part_orbits(benchmark: BenchmarkFixture) -> None:
    model = ww.Flywheel.paper(BIAS).model(TABLES)
    label = "  part: orbits, with all coefficients they need"
    measure(benchmark, label, lambda: find_orbits(model, TABLES))


def test_part_modulation(benchmark: BenchmarkFixture, orbits: Orbits, state: FlywheelState) -> None:
    details = state.solution.details
    nodes, harmonics = int(details["mesh_radii"]), int(details["harmonics"])
    measure(
        benchmark,
        f"  part: modulation on {nodes} radii, {harmonics} harmonics",
        lambda fresh: circle_solver.solve(fresh, nodes, harmonics),
        fresh=lambda: (replace(orbits),),  # without what the last round derived from it
    )


def test_part_fock(benchmark: BenchmarkFixture, state: FlywheelState) -> None:
    distribution = state.solution.distribution
    label = f"  part: diagonals in the Fock basis, {state.fock.levels} levels"
    measure(benchmark, label, lambda: fock_state(distribution, 1e-2 * RTOL))


def test_part_spectrum(benchmark: BenchmarkFixture, state: FlywheelState) -> None:
    diagonals = state.fock.diagonals
    label = f"  part: eigenvalues, {len(diagonals)} diagonals"
    measure(benchmark, label, lambda: thermodynamics.banded_spectrum(diagonals))
