"""One bias of the flywheel against what people do today, timed in turn.

wheelwork's side is the whole point: observables with errors, audit, density matrix. The others
give moments of W, of which ⟨n⟩ is compared here with a solution to 1e-9.
"""

import pytest
from baselines import (
    Lookup,
    euler_maruyama_compiled,
    euler_maruyama_numpy,
    euler_maruyama_python,
    lookup,
    sparse_lu,
)
from pytest_benchmark.fixture import BenchmarkFixture
from test_flywheel_point import point
from timing import compare

import wheelwork as ww

DEVICE = ww.Flywheel.paper(12.0)
LABEL = "flywheel, V = 12"
REACH = 24.0  # of the box; W is 1e-12 of its maximum there
TIME_STEP = 1e-3
PAPER_STEPS = 250_000_000  # Culhane et al., Appendix C
TIMED_STEPS = 1_000_000


def solve() -> float:
    return point(DEVICE.bias, ww.FokkerPlanck(1e-6)).phonon_number


@pytest.fixture(scope="module")
def exact() -> float:
    return DEVICE.steady_state(ww.FokkerPlanck(1e-9)).phonon_number


@pytest.fixture(scope="module")
def table() -> Lookup:
    return lookup(DEVICE, reach=100.0)


def _errors(exact: float, other: float) -> str:
    return f"off in ⟨n⟩: {abs(other / exact - 1):.0e}, wheelwork {abs(solve() / exact - 1):.0e}"


@pytest.mark.parametrize(("points", "ordering"), [(161, "default"), (161, "tuned"), (121, "tuned")])
def test_sparse_lu(benchmark: BenchmarkFixture, exact: float, points: int, ordering: str) -> None:
    other = sparse_lu(DEVICE, REACH, points, ordering)
    compare(
        benchmark,
        solve,
        lambda: sparse_lu(DEVICE, REACH, points, ordering),
        labels=(LABEL, f"LU, 4th order, {points}², {ordering} ordering"),
        note=_errors(exact, other),
    )


@pytest.mark.parametrize("style", ["plain Python", "NumPy, 1000 paths"])
def test_euler_maruyama_extrapolated(
    benchmark: BenchmarkFixture, table: Lookup, style: str
) -> None:
    def million() -> float:
        if style == "plain Python":
            return euler_maruyama_python(DEVICE, table, TIME_STEP, TIMED_STEPS, seed=1)
        return euler_maruyama_numpy(DEVICE, table, TIME_STEP, TIMED_STEPS, 1000, seed=1)

    compare(
        benchmark,
        solve,
        million,
        labels=(LABEL, f"paper's 2.5e8 steps, {style}"),
        note=f"extrapolated from {TIMED_STEPS:.0e} steps",
        scale=PAPER_STEPS / TIMED_STEPS,
        rounds=3,
    )


def test_euler_maruyama_in_full(benchmark: BenchmarkFixture, exact: float, table: Lookup) -> None:
    """Compiled, the paper's scheme can be run whole, and its error with it."""
    errors: list[float] = []

    def full() -> None:
        seed = len(errors)
        number = euler_maruyama_compiled(DEVICE, table, TIME_STEP, PAPER_STEPS, seed)
        errors.append(number / exact - 1.0)

    compare(
        benchmark,
        solve,
        full,
        labels=(LABEL, "paper's 2.5e8 steps, compiled, whole"),
        rounds=2,
    )
    listed = ", ".join(f"{error:+.0%}" for error in errors)
    benchmark.extra_info["note"] = f"off in ⟨n⟩: {listed} (three seeds)"
