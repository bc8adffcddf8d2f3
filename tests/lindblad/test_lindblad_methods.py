"""Which method solves what, what is tried when it fails, and what is refused beforehand."""

import numpy as np
import pytest
import scipy.sparse as sp
from open_systems import SIGMA, driven_cavity, lowering, product, random_system, rotor, unit

from wheelwork.errors import NotConverged
from wheelwork.lindblad import (
    Krylov,
    Lindblad,
    SparseLU,
    counting_statistics,
    diagonal_sector,
    steady_methods,
    steady_state,
)
from wheelwork.lindblad.displacement import displaced
from wheelwork.numerics.work import counted


def kerr(levels):
    a = lowering(levels)
    n = a.T @ a
    return Lindblad(0.3 * n + 0.05 * (n @ n - n) + 0.8 * (a + a.T), [a])


def kerr_moment(p, q, shift=0.3, strength=0.05, drive=0.8, rate=1.0):
    """⟨a†^p a^q⟩ in closed form (P. D. Drummond, D. F. Walls, J. Phys. A 13, 725 (1980))."""
    c = complex(shift, -rate / 2) / strength
    z = -drive / strength
    one, other = (np.prod(d + np.arange(k)) for d, k in ((c, q), (c.conjugate(), p)))
    series = hypergeometric(c + q, c.conjugate() + p, 2.0 * z**2)
    whole = hypergeometric(c, c.conjugate(), 2.0 * z**2)
    return z ** (p + q) / (one * other) * series / whole


def hypergeometric(b, d, x):
    """₀F₂(; b, d; x) by its series."""
    k = np.arange(400)
    return 1.0 + np.sum(np.cumprod(x / ((b + k) * (d + k) * (k + 1.0))))


def test_a_driven_anharmonic_oscillator_of_180_levels():
    a, equation = lowering(180), kerr(180)
    result = steady_state(equation)
    amplitude, number = kerr_moment(0, 1), kerr_moment(1, 1).real
    assert result.expect(a) == pytest.approx(amplitude, abs=1e-10)
    assert result.expect(a.T @ a) == pytest.approx(number, abs=1e-10)


@pytest.mark.parametrize("levels", [30, 60])
def test_gmres_solves_a_driven_cavity(levels):
    """⟨a⟩ = −iF/(κ/2), by one cycle: in the displaced form no jump occurs."""
    a, drive = lowering(levels), 0.02 * np.pi
    with counted() as counts:
        result = steady_state(Lindblad(drive * (a + a.T), [np.sqrt(0.05) * a]), Krylov())
    assert counts["products with the generator"] < 700
    if levels == 60:  # of 30 levels the last hold 1e-9
        assert result.expect(a) == pytest.approx(-2j * drive / 0.05, abs=1e-10)


def test_displaced_jumps_are_the_same_equation():
    system = random_system(3)
    moved = displaced(system.lindblad, np.array([0.3 - 0.4j, 0.0, -1.1j]))
    _, here = diagonal_sector(system.lindblad)
    _, there = diagonal_sector(moved)
    np.testing.assert_allclose(there.toarray(), here.toarray(), atol=1e-12)
    assert abs(moved.jumps[0] - system.jumps[0]).max() == pytest.approx(0.5)


class Failing:
    """A method that gives up."""

    def solve(self, lindblad, sector, generator):
        raise NotConverged("no luck")


@pytest.mark.parametrize("good", [SparseLU(), Krylov()])
def test_the_other_method_is_tried(good, monkeypatch):
    monkeypatch.setattr(steady_methods, "_by_cost", lambda *_: (Failing(), good))
    system = driven_cavity(14)
    result = steady_state(system.lindblad)
    expected = steady_state(system.lindblad, SparseLU())
    np.testing.assert_allclose(result.state.values, expected.state.values, atol=1e-12)


def test_both_reasons_are_named(monkeypatch):
    monkeypatch.setattr(steady_methods, "_by_cost", lambda *_: (Failing(), Krylov(iterations=2)))
    with pytest.raises(NotConverged, match=r"both methods failed. Failing: no luck; Krylov: GMRES"):
        steady_state(rotor(5, coupling=1.0, damping=0.05).lindblad)


def test_what_was_reached_is_kept_and_marked():
    slow = Lindblad(np.diag([0.0, 1.0]), [SIGMA, 1e-9 * SIGMA.T])
    with pytest.raises(NotConverged) as refusal:
        steady_state(kerr(40), Krylov(iterations=3, restart=2))
    partial = refusal.value.partial
    assert not partial.passed
    assert np.isinf(partial.error)
    assert 0.0 < partial.residual < 1.0
    assert partial.unique is None
    assert partial.state.trace == pytest.approx(1.0)
    assert steady_state(slow).passed


def test_work_beyond_the_budget_is_refused_before_it_begins():
    large = kerr(180)
    with counted() as counts, pytest.raises(NotConverged, match="raise the `budget` of `SparseLU`"):
        steady_state(large, SparseLU(budget=1e-3))
    assert counts["LU of the generator"] == 0
    with counted() as counts, pytest.raises(NotConverged, match="the `budget` of `Krylov`"):
        steady_state(large, Krylov(budget=1e-3))
    assert counts["products with the generator"] == 0
    assert SparseLU(budget=1.0) == SparseLU()  # a guard is no part of a method's identity


def test_many_filled_jumps_are_refused_with_the_number():
    random = np.random.default_rng(2)
    jumps = [sp.csc_array(random.normal(size=(160, 160))) for _ in range(100)]
    with pytest.raises(NotConverged, match=r"100 jumps\) needs about 33 seconds, more than"):
        steady_state(Lindblad(np.eye(160), jumps))


def filled(levels, count, seed=4):
    random = np.random.default_rng(seed)
    shape = (count + 1, levels, levels)
    parts = random.normal(size=shape) + 1j * random.normal(size=shape)
    return parts[0] + parts[0].conj().T, list(parts[1:])


def test_sixty_filled_jumps_against_the_equation_itself():
    """dρ/dt = 0 as matrices; and counting: every jump counts once, Σ⟨L†L⟩ per time."""
    H, jumps = filled(24, 60)
    result = steady_state(Lindblad(H, jumps))
    rho = result.state.density_matrix
    rate = sum(L.conj().T @ L for L in jumps)
    change = -1j * (H @ rho - rho @ H) + sum(L @ rho @ L.conj().T for L in jumps)
    change -= 0.5 * (rate @ rho + rho @ rate)
    assert np.abs(change).max() < 1e-11
    assert np.trace(rho).real == pytest.approx(1.0)
    counts = counting_statistics(result, np.ones(60), order=1)
    assert counts.mean == pytest.approx(np.trace(rate @ rho).real, rel=1e-10)


def test_the_adjoint_sums_over_jumps():
    """Against the sum of dense products; sparse, filled and chosen jumps."""
    random = np.random.default_rng(9)
    for H, jumps in (filled(6, 7), (np.eye(8), [product(unit(2), lowering(4)), np.eye(8, k=3)])):
        D = len(np.asarray(H))
        O = random.normal(size=(D, D)) + 1j * random.normal(size=(D, D))  # noqa: E741
        equation = Lindblad(H, jumps)
        for chosen in (None, [1], [0, 0], []):
            used = range(len(jumps)) if chosen is None else chosen
            expected = np.zeros((D, D), dtype=complex)
            for k in used:
                L = equation.jumps[k].toarray()
                rate = L.conj().T @ L
                expected += L.conj().T @ O @ L - 0.5 * (rate @ O + O @ rate)
            ours = equation.adjoint_dissipator(O, chosen).toarray()
            np.testing.assert_allclose(ours, expected, atol=1e-12)


@pytest.mark.parametrize("energy", [1e-24, 1e-9, 1e9, 1e15])
@pytest.mark.parametrize("method", [SparseLU(), Krylov()])
def test_the_unit_of_energy_is_free(energy, method):
    system = driven_cavity(14, occupation=0.1)
    H, jumps = energy * system.hamiltonian, [np.sqrt(energy) * L for L in system.jumps]
    with counted() as here:
        usual = steady_state(system.lindblad, method)
    with counted() as there:
        scaled = steady_state(Lindblad(H, jumps), method)
    np.testing.assert_allclose(scaled.state.values, usual.state.values, atol=1e-13)
    assert scaled.relaxation_rate == pytest.approx(energy * usual.relaxation_rate, rel=0.2)
    for task, count in here.items():
        assert there[task] == pytest.approx(count, rel=0.2, abs=3)
