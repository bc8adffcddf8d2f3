"""Steady states of the textbook's open systems, in turn with QuTiP's: the summary's ratios.

Sizes go up to where QuTiP takes some ten seconds on one core.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare

from wheelwork.lindblad import Lindblad, steady_state

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "systems"))
from open_systems import SIGMA, jaynes_cummings, lowering, optomechanics, product, unit

SLOWEST = 2.0  # times QuTiP's: none may be slower
Equation = tuple[Any, list[Any]]  # H and jumps


def driven_cavity(levels: int) -> Equation:
    a = lowering(levels)
    return 0.02 * np.pi * (a + a.T), [np.sqrt(0.05) * a]


def kerr(levels: int) -> Equation:
    a = lowering(levels)
    n = a.T @ a
    return 0.3 * n + 0.05 * (n @ n - n) + 0.8 * (a + a.T), [a]


def warm_kerr(levels: int) -> Equation:
    H, (a,) = kerr(levels)
    return H, [np.sqrt(1.1) * a, np.sqrt(0.1) * a.T]


def thermal(levels: int) -> Equation:
    a = lowering(levels)
    return a.T @ a, [np.sqrt(1.5) * a, np.sqrt(0.5) * a.T]


def conserving_jaynes_cummings(levels: int) -> Equation:
    system = jaynes_cummings(levels)
    return system.hamiltonian, system.jumps


def driven_jaynes_cummings(levels: int) -> Equation:
    a, s = product(lowering(levels), unit(2)), product(unit(levels), SIGMA)
    H = 0.1 * (a.T @ a) + 0.2 * (s.T @ s) + 0.6 * (a.T @ s + a @ s.T) + 0.2 * (a + a.T)
    return H, [np.sqrt(0.1) * a, 0.3 * s]


def dispersive(levels: int) -> Equation:
    a, s = product(lowering(levels), unit(2)), product(unit(levels), SIGMA)
    up = s.T @ s
    H = -0.1 * (a.T @ a @ up) + 0.3 * (a + a.T) + 0.02 * (s + s.T)
    return H, [np.sqrt(0.1) * a, 0.1 * s, np.sqrt(0.005) * up]


def two_cavities(levels: int) -> Equation:
    a, b = product(lowering(levels), unit(levels)), product(unit(levels), lowering(levels))
    H = 0.1 * (a.T @ a) - 0.2 * (b.T @ b) + 0.5 * (a.T @ b + a @ b.T) + 0.4 * (a + a.T)
    return H + 0.1 * (a.T @ a.T @ a @ a), [np.sqrt(0.5) * a, np.sqrt(0.3) * b]


def sites(count: int) -> list[Any]:
    return [product(*[SIGMA if i == k else unit(2) for i in range(count)]) for k in range(count)]


def ising(count: int) -> Equation:
    lower = sites(count)
    z = [2.0 * s.T @ s - unit(2**count) for s in lower]
    H = sum(0.4 * (s + s.T) for s in lower)
    H = H + sum(0.5 * z[k] @ z[k + 1] for k in range(count - 1))
    return H, [np.sqrt(0.3) * s for s in lower]


def heisenberg(count: int) -> Equation:
    lower = sites(count)
    z = [2.0 * s.T @ s - unit(2**count) for s in lower]
    hops = sum(lower[k].T @ lower[k + 1] for k in range(count - 1))
    H = hops + hops.T + sum(0.5 * z[k] @ z[k + 1] for k in range(count - 1))
    one, last = lower[0], lower[-1]
    ends = [np.sqrt(0.7) * one.T, np.sqrt(0.2) * one, np.sqrt(0.2) * last.T, np.sqrt(0.7) * last]
    return H, ends + [np.sqrt(0.05) * each for each in z]


def filled(levels: int, jumps: int = 3) -> Equation:
    random = np.random.default_rng(1)
    parts = [random.normal(size=(2, levels, levels)) for _ in range(jumps + 1)]
    H, *L = [sp.csc_array(part[0] + 1j * part[1]) for part in parts]
    return H + H.conj().T, [jump / np.sqrt(levels) for jump in L]


def many_filled(levels: int) -> Equation:
    return filled(levels, 60)


def lambda_system(levels: int) -> Equation:
    """A three-level atom driven on both legs, in a driven cavity on one of them."""
    atom = [sp.csc_array(([1.0], ([to], [2])), shape=(3, 3)) for to in (0, 1)]
    a, (one, two) = product(lowering(levels), unit(3)), [product(unit(levels), s) for s in atom]
    H = 0.6 * (one + one.T) + 0.8 * (two + two.T) + 0.05 * (two @ two.T) + 0.1 * (a + a.T)
    return H + 0.4 * (a.T @ one + a @ one.T), [0.5 * a, one, two]


def mirror(phonons: int) -> Equation:
    system = optomechanics(phonons // 4, phonons)
    return system.hamiltonian, system.jumps


FAMILY: list[tuple[Callable[[int], Equation], tuple[int, ...]]] = [
    (driven_cavity, (30, 120)),
    (kerr, (30, 180)),
    (warm_kerr, (30, 80)),
    (thermal, (50, 300)),
    (conserving_jaynes_cummings, (10, 40)),
    (driven_jaynes_cummings, (10, 45)),
    (dispersive, (15, 50)),
    (two_cavities, (4, 7, 9)),
    (ising, (3, 4, 5)),
    (heisenberg, (3, 6)),
    (filled, (8, 16, 32)),
    (many_filled, (8, 32)),
    (lambda_system, (1, 6)),
    (mirror, (8, 16)),
]


@pytest.mark.parametrize(
    ("build", "size"), [(build, size) for build, sizes in FAMILY for size in sizes]
)
def test_family_against_qutip(
    benchmark: BenchmarkFixture, build: Callable[[int], Equation], size: int
) -> None:
    qutip = pytest.importorskip("qutip")
    H, jumps = build(size)
    operators = qutip.Qobj(H), [qutip.Qobj(jump) for jump in jumps]
    ours = steady_state(Lindblad(H, jumps)).state.density_matrix
    off = float(np.abs(ours - qutip.steadystate(*operators).full()).max())
    assert off < 1e-9
    name = build.__name__.replace("_", " ")
    compare(
        benchmark,
        lambda: steady_state(Lindblad(H, jumps)),
        lambda: qutip.steadystate(*operators),
        labels=(f"{name}, {size}: {H.shape[0]} levels", "QuTiP steadystate"),
        note=f"ρ differs by {off:.0e}",
        rounds=3,
    )
    if benchmark.stats is not None:  # None where timings are disabled
        median = benchmark.stats.stats.median
        assert median < SLOWEST * benchmark.extra_info["other_seconds"]
