"""Undamped and weakly damped systems over long times: exact, whatever the output times."""

import mpmath
import numpy as np
import pytest
from open_systems import basis, driven_cavity, exact_state, lowering, product, spin_chain, unit

from wheelwork.errors import NotConverged
from wheelwork.lindblad import ExplicitSteps, Exponential, ImplicitSteps, Lindblad, evolve
from wheelwork.numerics.work import counted

FLIP, DETUNING = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([0.0, 0.3])
QUBIT = Lindblad(0.5 * FLIP + DETUNING)
Z = np.diag([1.0, -1.0])


def rabi(time):
    """⟨σ_z⟩ from the lower state on, by the formula in 40 digits."""
    with mpmath.workdps(40):
        d, w = mpmath.mpf(0.3), mpmath.sqrt(1 + mpmath.mpf(0.3) ** 2)
        assert d == 0.3
        return float(1 - 2 / w**2 * mpmath.sin(w * mpmath.mpf(time) / 2) ** 2)


@pytest.mark.parametrize("time", [1e5, 1e6])
@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_an_undamped_qubit_at_any_time(time, count):
    times = np.linspace(0.0, time, count + 1)[1:]
    with counted() as work:
        result = evolve(QUBIT, basis(2, 0), times, observables={"z": Z})
    expected = [rabi(t) for t in times]
    assert np.all(np.abs(result.means["z"] - expected) <= 2.0 * result.error + 1e-15)
    assert result.error.max() <= 1e-9
    assert work.total() <= count + 2  # unknowns and eigenstates once, then one unit for each time


def test_the_output_times_do_not_matter():
    for system in (QUBIT, driven_cavity(8).lindblad):
        start = basis(system.dimension, 0)
        one = evolve(system, start, [3.0e4], method=Exponential())
        many = evolve(system, start, np.linspace(0.0, 3.0e4, 31), method=Exponential())
        np.testing.assert_allclose(one.final.values, many.final.values, rtol=0.0, atol=1e-12)


def test_beyond_rounding_the_state_is_kept_with_its_error():
    """At 1e9 turns, double precision knows the phase to 1e-7: a refusal that holds the state."""
    with pytest.raises(NotConverged, match=r"known to .* only, not to 1e-09; raise `rtol`") as info:
        evolve(QUBIT, basis(2, 0), [1.0, 1e9], observables={"z": Z})
    partial = info.value.partial
    assert partial.error[0] < 1e-14
    assert 1e-9 < partial.error[1] < 1e-5
    for position, time in enumerate((1.0, 1e9)):
        assert abs(partial.means["z"][position] - rabi(time)) <= 2.0 * partial.error[position]
    result = evolve(QUBIT, basis(2, 0), [1e9], method=Exponential(rtol=1e-5))
    assert result.error[0] <= 1e-5


def test_a_spin_chain_without_baths():
    """65,536 elements, by 256 eigenstates: against the exponential of the dense matrix."""
    system = spin_chain(8)
    result = evolve(Lindblad(system.hamiltonian), system.start, [1e4])
    energies, vectors = np.linalg.eigh(system.hamiltonian.toarray())
    psi = vectors @ (np.exp(-1e4j * energies) * (vectors.conj().T @ system.start))
    np.testing.assert_allclose(
        result.final.density_matrix, np.outer(psi, psi.conj()), rtol=0.0, atol=1e-10
    )
    assert result.error[0] < 1e-9


def test_a_fast_rotation_that_decays_slowly():
    """⟨a⟩ of a coherent state over 1e6 rotations: α exp(−(iΔ + κ/2) t)."""
    a = lowering(24)
    n, alpha = np.arange(24), 0.7
    psi = np.cumprod(np.concatenate(([1.0], alpha / np.sqrt(n[1:]))))
    psi = psi / np.linalg.norm(psi)
    lindblad = Lindblad(40.0 * a.T @ a, [np.sqrt(1e-4) * a])
    result = evolve(lindblad, psi, [100.0, 2000.0], observables={"a": a})
    for time, mean, error in zip(result.times, result.means["a"], result.error, strict=True):
        turned = np.exp(-40.0j * time - 0.5e-4 * time)
        assert abs(mean - alpha * turned) <= 5.0 * error + 1e-11
    assert result.error.max() <= 1e-9


def test_a_damped_system_of_a_thousand_unknowns_that_keeps_turning():
    """Where implicit steps run out of their budget, the exponential answers."""
    system = driven_cavity(12, detuning=300.0, rate=1e-3)
    with counted() as work:
        result = evolve(system.lindblad, system.start, [30.0])
    expected = exact_state(system, np.outer(system.start, system.start.conj()), 30.0)
    np.testing.assert_allclose(result.final.density_matrix, expected, rtol=0.0, atol=1e-9)
    assert work["implicit steps"] <= 2200  # with those refused
    assert result.error[0] <= 1e-9


def test_many_unknowns_that_keep_turning_are_not_followed_for_minutes():
    """A driven cavity of 400 unknowns over 1e3 relaxation times: the steady state, by squarings."""
    a = lowering(20)
    system = Lindblad(1e3 * a.T @ a + 300.0 * (a + a.T), [a])
    n = {"n": a.T @ a}
    with counted() as work:
        result = evolve(system, basis(20, 0), [1e3], observables=n)
    displacement = 300.0**2 / (1e3**2 + 0.25)
    assert abs(result.means["n"][0] - displacement) <= 1e-9
    assert work["implicit steps"] <= 2500
    assert work["squarings of an exponential"] <= 60
    with counted() as work, pytest.raises(NotConverged, match="raise `products` of ImplicitSteps"):
        evolve(system, basis(20, 0), [1e3], method=ImplicitSteps(products=1e7))
    assert work["implicit steps"] <= 100


def test_budgets_are_counts():
    system = driven_cavity(30, detuning=300.0, rate=1e-3)
    with (
        counted() as work,
        pytest.raises(NotConverged, match=r"more than its budget .*: use ImplicitSteps"),
    ):
        evolve(system.lindblad, system.start, [30.0], method=Exponential(operations=1e6))
    assert set(work) == {"search for the unknowns"}
    with counted() as work, pytest.raises(NotConverged, match="raise `products`"):
        evolve(system.lindblad, system.start, [30.0], method=ExplicitSteps(products=1e6))
    assert set(work) == {"search for the unknowns"}
    with counted() as work, pytest.raises(NotConverged, match="raise `steps`") as info:
        evolve(system.lindblad, system.start, [1e-4, 30.0], method=ImplicitSteps(steps=100))
    assert work["implicit steps"] <= 130
    np.testing.assert_array_equal(info.value.partial.times, [1e-4])
    assert info.value.partial.final.trace == pytest.approx(1.0, abs=1e-12)


def test_a_time_limit_keeps_the_times_reached():
    system = driven_cavity(30, detuning=300.0, rate=1e-3)
    method = ImplicitSteps(time_limit=0.5)
    times = np.geomspace(1e-5, 30.0, 40)
    with pytest.raises(NotConverged, match="time limit") as info:
        evolve(system.lindblad, system.start, times, method=method)
    assert 0 < info.value.partial.times.size < 40


@pytest.mark.parametrize("unit_of_energy", [1e-24, 1e-9, 1e9, 1e15])
@pytest.mark.parametrize("method", [None, ImplicitSteps(), ExplicitSteps(), Exponential()])
def test_units_of_energy_do_not_matter(unit_of_energy, method):
    system = driven_cavity(8, occupation=0.3)
    times = np.array([0.0, 0.5, 3.0])
    n = {"n": system.observables["n"]}
    with counted() as work:
        one = evolve(system.lindblad, system.start, times, observables=n, method=method)
    H = unit_of_energy * system.hamiltonian
    scaled = Lindblad(H, [np.sqrt(unit_of_energy) * jump for jump in system.jumps])
    with counted() as again:
        other = evolve(scaled, system.start, times / unit_of_energy, observables=n, method=method)
    np.testing.assert_allclose(one.means["n"], other.means["n"], rtol=1e-9, atol=1e-12)
    assert abs(work.total() - again.total()) <= 3


def test_mixtures_of_any_rank_turn_exactly():
    """A closed system of two parts, from a mixed product state: against the dense exponential."""
    a, s = product(lowering(5), unit(2)), product(unit(5), np.array([[0.0, 1.0], [0.0, 0.0]]))
    H = a.T @ a + 1.3 * (s.T @ s) + 0.4 * (a.T @ s + a @ s.T)
    weights = np.arange(1.0, 11.0) / 55.0
    result = evolve(Lindblad(H), np.diag(weights), [7.0])
    energies, vectors = np.linalg.eigh(H.toarray())
    U = vectors @ np.diag(np.exp(-7.0j * energies)) @ vectors.conj().T
    np.testing.assert_allclose(
        result.final.density_matrix, U @ np.diag(weights) @ U.conj().T, atol=1e-13
    )


@pytest.mark.parametrize("time", [0.0, 5e-324, 1e-300])
def test_times_of_nothing(time):
    system = driven_cavity(4)
    lindblad = Lindblad(1e15 * system.hamiltonian, [1e9 * jump for jump in system.jumps])
    result = evolve(lindblad, system.start, [time], method=Exponential())
    assert result.final.populations[0] == 1.0


def test_coherences_between_blocks_of_h():
    """Blocks of two sizes: their energies differ, and so do the phases between them."""
    H = np.array([[0.4, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -0.7]])
    psi = np.array([0.6, 0.0, 0.8])
    energies, vectors = np.linalg.eigh(H)
    result = evolve(Lindblad(H), psi, [2.5])
    after = vectors @ (np.exp(-2.5j * energies) * (vectors.T @ psi))
    np.testing.assert_allclose(
        result.final.density_matrix, np.outer(after, after.conj()), atol=1e-14
    )
