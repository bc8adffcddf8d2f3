"""Between density matrix and Wigner function: 200 levels, a 200 × 200 mesh."""

import inspect

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare, measure

from wheelwork.states import density_matrix_from_wigner, wigner_from_density_matrix
from wheelwork.states.density import ComplexArray

LEVELS = 200
AXIS = np.linspace(-25.0, 25.0, 200)  # √(2·200) = 20 is where 200 levels end
LABEL = "Wigner function of a dense state"
TARGET = 0.05


@pytest.fixture(scope="module")
def rho() -> ComplexArray:
    """A dense complex state of full rank."""
    random = np.random.default_rng(1)
    real, imaginary = random.normal(size=(2, LEVELS, LEVELS))
    root = real + 1j * imaginary
    matrix = root @ root.conj().T
    return np.asarray(matrix / np.trace(matrix))


def test_wigner(benchmark: BenchmarkFixture, rho: ComplexArray) -> None:
    label = f"{LABEL}, {LEVELS} levels on {AXIS.size}²"
    measure(benchmark, label, lambda: wigner_from_density_matrix(rho, AXIS, AXIS), target=TARGET)


def test_density_matrix(benchmark: BenchmarkFixture, rho: ComplexArray) -> None:
    axis = np.linspace(-25.0, 25.0, 768)  # steps that resolve wave number 2·20, and a margin
    wigner = wigner_from_density_matrix(rho, axis, axis)
    back = measure(
        benchmark,
        f"density matrix of that, {axis.size}² points",
        lambda: density_matrix_from_wigner(wigner, axis, axis, levels=LEVELS),
    )
    np.testing.assert_allclose(back, rho, atol=1e-12)


@pytest.mark.parametrize("method", ["default", "clenshaw"])
def test_wigner_against_qutip(benchmark: BenchmarkFixture, rho: ComplexArray, method: str) -> None:
    qutip = pytest.importorskip("qutip")
    default = inspect.signature(qutip.wigner).parameters["method"].default
    if method == default:
        pytest.skip(f"{default} is the default, which is timed already")
    if method == "default":
        method = default
    state = qutip.Qobj(rho)
    ours = wigner_from_density_matrix(rho, AXIS, AXIS)
    theirs = qutip.wigner(state, AXIS, AXIS, method=method).T  # its rows are momenta
    difference = np.max(np.abs(theirs - ours)) / np.max(np.abs(ours))
    compare(
        benchmark,
        lambda: wigner_from_density_matrix(rho, AXIS, AXIS),
        lambda: qutip.wigner(state, AXIS, AXIS, method=method),
        labels=(LABEL, f"qutip {qutip.__version__}, {method}"),
        note=f"they differ by {difference:.0e} of the maximum",
        rounds=3,
    )
