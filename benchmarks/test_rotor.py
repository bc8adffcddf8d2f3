"""The rotor engine: the sweep of Fig. 2, one point, and building the global master equation."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from timing import compare, measure

import wheelwork as ww
from wheelwork.lindblad.sector import diagonal_sector
from wheelwork.machines.rotor.block_state import Window

ENGINE = ww.RotorEngine.paper(beta_ratio=0.2)
RATIOS = np.linspace(0.05, 0.9, 200)
SWEEP_TARGET = 2.0  # seconds, for all that a result offers at every point
LEVELS, QUTIP_LEVELS, CUTOFF = 64, 8, 20.0


def test_sweep_of_figure_2(benchmark: BenchmarkFixture) -> None:
    label = f"rotor, sweep of Fig. 2 with {RATIOS.size} points"
    dataset = measure(
        benchmark,
        label,
        lambda: ww.sweep(ENGINE, {"beta_ratio": RATIOS}),
        rounds=3,
        target=SWEEP_TARGET,
    )
    assert np.all(dataset["audit_passed"] == 1)


@pytest.mark.parametrize("method", [ww.LocalMasterEquation(), ww.GlobalMasterEquation(CUTOFF)])
@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_whole_point(
    benchmark: BenchmarkFixture, method: ww.LocalMasterEquation | ww.GlobalMasterEquation
) -> None:
    def point() -> None:
        state = ENGINE.steady_state(method)
        assert state.observables
        assert state.errors
        assert state.audit

    measure(benchmark, f"rotor, r = 0.2, {type(method).__name__}", point)


def global_generator(levels: int) -> object:
    """Jumps of the global equation, and the generator on the elements that matter."""
    lowest = -(levels // 2)
    window = Window(lowest, lowest + levels - 1)
    model = ww.GlobalMasterEquation(CUTOFF).model(ENGINE, window)
    return diagonal_sector(model.lindblad)[1]


def test_global_equation(benchmark: BenchmarkFixture) -> None:
    measure(
        benchmark,
        f"rotor, global equation built, {LEVELS} levels",
        lambda: global_generator(LEVELS),
    )


def test_global_equation_against_qutip(benchmark: BenchmarkFixture) -> None:
    """`bloch_redfield_tensor` at 8 levels against ours at 64; at 12 levels it takes a minute."""
    qutip = pytest.importorskip("qutip")
    arguments = bloch_redfield(qutip, QUTIP_LEVELS)
    compare(
        benchmark,
        lambda: global_generator(LEVELS),
        lambda: qutip.bloch_redfield_tensor(*arguments, sec_cutoff=1e-6, fock_basis=True),
        labels=(
            f"rotor, global equation built, {LEVELS} levels",
            f"qutip {qutip.__version__}, bloch_redfield_tensor, {QUTIP_LEVELS} levels",
        ),
        note="without the load",
        rounds=1,
    )


def bloch_redfield(qutip, levels):  # type: ignore[no-untyped-def]
    """Hamiltonian and couplings to the two baths as QuTiP takes them."""
    lowest = -(levels // 2)
    window = Window(lowest, lowest + levels - 1)
    model = ww.GlobalMasterEquation(CUTOFF).model(ENGINE, window)
    H = qutip.Qobj((model.free + model.interaction).toarray())

    def spectrum(bath):  # type: ignore[no-untyped-def]
        def power(w):  # type: ignore[no-untyped-def]
            if w == 0.0:
                return bath.coupling_rate * bath.temperature
            size = bath.coupling_rate * abs(w) * CUTOFF**2 / (w**2 + CUTOFF**2)
            occupation = 1.0 / np.expm1(min(abs(w) / bath.temperature, 700.0))
            return size * (occupation + (1.0 if w > 0.0 else 0.0))

        return power

    couplings = []
    for site, bath in enumerate((ENGINE.cold, ENGINE.hot)):
        flip = np.array([[0.0, 1.0], [1.0, 0.0]])
        parts = [np.eye(2), np.eye(2), np.eye(levels)]
        parts[site] = flip
        operator = np.kron(np.kron(parts[0], parts[1]), parts[2])
        couplings.append([qutip.Qobj(operator), spectrum(bath)])
    return H, couplings
