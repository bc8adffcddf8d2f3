"""Quantum grids at the limits: no damping, many quanta, absurd rates; what was reached is kept."""

import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.power_grid.model import gain_rates, linear_network, loss_rates
from wheelwork.machines.power_grid.quantum import jumps
from wheelwork.machines.power_grid.quantum.estimate import (
    quanta_from_above,
    quanta_from_below,
    tail,
)
from wheelwork.machines.power_grid.quantum.rates import GridRates
from wheelwork.numerics.work import counted

TASK = "iterations for a steady state by charges"


def chain(injection=4.0, extraction=6.0, damping=0.1, **fields):
    return ww.PowerGrid.chain(2, injection, extraction, damping, **fields)


def single(generator, engine, damping=0.0, thermal=0.0):
    elements = {name: {0: each} for name, each in (("g", generator), ("e", engine)) if each}
    return ww.PowerGrid(
        nx.path_graph(1),
        generators=elements.get("g", {}),
        engines=elements.get("e", {}),
        damping=damping,
        thermal_occupation=thermal,
    )


# ---------------------------------------------------------------------- no damping


def test_without_damping_there_is_one_state_where_loss_exceeds_gain():
    """One node: p(n + 1)/p(n) = Γ_i(n)/Γ_e(n) = 2/3, so that ⟨n⟩ = 2."""
    state = single(ww.Saturable(4.0), ww.Saturable(6.0)).steady_state(ww.MasterEquation())
    assert state.occupation[0] == pytest.approx(2.0, abs=state.occupation.errors[0] + 1e-9)
    assert state.passed


def test_a_chain_without_damping():
    """All that is injected is extracted, and flows along the edge; the tail falls by Γ_i/Γ_e."""
    state = chain(0.5, damping=0.0).steady_state(ww.MasterEquation())
    assert state.passed
    assert state.dissipated == 0.0
    assert state.extracted == pytest.approx(state.injected, rel=1e-6)
    assert state.current[(0, 1)] == pytest.approx(state.injected, rel=1e-6)
    slight = chain(0.5, damping=1e-7).steady_state(ww.MasterEquation())
    assert slight.occupation[0] == pytest.approx(state.occupation[0], rel=1e-5)
    assert tail(GridRates.of(chain(4.0, 6.0, 0.0))) == pytest.approx(2.0 / 3.0, rel=1e-12)


@pytest.mark.parametrize("injection", [6.0, 7.0])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_without_damping_gain_must_be_below_loss(injection, exponent):
    grid = chain(injection, 6.0, 0.0, exponent=exponent)
    with counted() as counts, pytest.raises(NoSteadyState, match="far out gain is no less"):
        grid.steady_state(ww.MasterEquation())
    assert not counts


# ---------------------------------------------------------------------- budgets


@pytest.mark.parametrize("saturation", [1e6, 5e11, 1e300])
def test_many_quanta_are_refused_before_work(saturation):
    with counted() as counts, pytest.raises(NotConverged, match=r"Langevin\(duration") as refused:
        chain(saturation=saturation).steady_state(ww.MasterEquation())
    assert not counts
    assert refused.value.partial is None
    assert "`operations`" in str(refused.value)


def test_many_quanta_that_stay_away_are_solved():
    """n0 = 1e6 with loss above gain: few quanta, as without saturation."""
    fields = {"injection": 0.1, "extraction": 6.0, "damping": 1.0}
    state = chain(saturation=1e6, **fields).steady_state(ww.MasterEquation())
    linear = chain(exponent=0.0, **fields).steady_state(ww.MasterEquation())
    np.testing.assert_allclose(state.occupation.array, linear.occupation.array, rtol=1e-6)


def test_work_is_counted_and_limited():
    grid = chain()
    with counted() as counts:
        state = grid.steady_state(ww.MasterEquation())
    assert 10 < counts[TASK] < 100
    less = ww.MasterEquation(operations=0.5 * state.solution.work)
    with counted() as counts, pytest.raises(NotConverged, match=r"`operations`|budget") as reason:
        grid.steady_state(less)
    partial = reason.value.partial
    assert partial.solution.work <= less.operations
    assert partial.cutoff < state.cutoff
    assert not partial.passed
    off = abs(partial.occupation[0] - state.occupation[0])
    assert off <= partial.occupation.errors[0]


def test_time_limits_act_inside():
    limited = ww.MasterEquation(time_limit=1e-9)
    with pytest.raises(NotConverged, match="time limit"):
        chain().steady_state(limited)
    run = ww.QuantumJumps(cutoff=8, duration=10.0, burn_in=1.0, time_limit=1e-9)
    assert run == replace(run, time_limit=1.0)
    with pytest.raises(NotConverged, match="time limit"):
        chain().steady_state(run)


def test_runs_of_trajectories_have_a_budget(monkeypatch):
    run = ww.QuantumJumps(cutoff=8, duration=1e9, burn_in=1.0)
    with pytest.raises(NotConverged, match=r"the run needs about .* `duration`"):
        chain().steady_state(run)
    monkeypatch.setattr(jumps, "OVERESTIMATED", math.inf)  # so that it begins
    run = ww.QuantumJumps(cutoff=60, duration=40.0, burn_in=20.0, trajectories=128, operations=4e6)
    with pytest.raises(NotConverged, match="`operations`") as reason:
        chain().steady_state(run)
    partial = reason.value.partial
    exact = chain().steady_state(ww.MasterEquation(rtol=1e-3)).occupation[0]
    assert 2 <= len(partial.samples.counts) < 128
    assert not partial.audit["trajectories left out"].ok
    assert abs(partial.occupation[0] - exact) < 5.0 * partial.occupation.errors[0]


# ---------------------------------------------------------------------- what was reached


def test_a_cutoff_that_is_too_small_leaves_its_state():
    with pytest.raises(NotConverged, match="raise `cutoff`") as reason:
        chain().steady_state(ww.MasterEquation(cutoff=8))
    partial, exact = reason.value.partial, chain().steady_state(ww.MasterEquation())
    assert isinstance(partial, type(exact))
    assert partial.cutoff == 8
    assert not partial.audit["edge population"].ok
    assert np.all(np.abs(partial.occupation.array - exact.occupation.array) < 1.0)
    assert float(partial.to_xarray()["injected"]) == partial.injected


def test_runs_that_are_too_short_leave_their_means():
    grid = single(ww.Saturable(3.0, 60.0), ww.Saturable(60.0, 2.0), damping=0.5)  # bistable
    exact = grid.steady_state(ww.MasterEquation(rtol=1e-4)).occupation[0]
    run = ww.QuantumJumps(cutoff=150, duration=40.0, burn_in=20.0, trajectories=16, times=8)
    with pytest.raises(NotConverged) as reason:
        grid.steady_state(run)
    partial = reason.value.partial
    assert not partial.passed
    assert abs(partial.occupation[0] - exact) < 3.0 * partial.occupation.errors[0]
    slow = chain(4.0, 0.5, 1e-3)
    run = ww.QuantumJumps(cutoff=60, duration=60.0, burn_in=0.0, trajectories=64, times=16)
    with pytest.raises(NotConverged, match="not stationary yet") as reason:
        slow.steady_state(run)
    means = reason.value.partial.samples.means["occupation 0"]
    drift = abs(float(means[:8].mean() - means[8:].mean()))
    assert reason.value.partial.occupation.errors[0] >= drift


# ---------------------------------------------------------------------- absurd numbers


def test_no_saturation_at_all_is_a_qubit():
    """n0 → 0, ν = ∞: elements act on the lowest step only, whatever way that is said."""
    one = chain(saturation=5e-324).steady_state(ww.MasterEquation())
    two = chain(exponent=1e308).steady_state(ww.MasterEquation())
    np.testing.assert_allclose(one.occupation.array, two.occupation.array, rtol=1e-12)
    assert one.passed
    alone = single(ww.Saturable(2.0, 5e-324), ww.Saturable(3.0, 5e-324))
    alone = alone.replace(damping=1.0).steady_state(ww.MasterEquation())
    p = alone.populations[0]
    assert p[1] / p[0] == pytest.approx(2.0 / 4.0)
    assert p[2] == pytest.approx(0.0, abs=1e-14)


def test_nodes_that_are_cut_off():
    """g = 1e-308: the first node by itself, the second empty."""
    state = chain(coupling=1e-308).steady_state(ww.MasterEquation())
    alone = single(ww.Saturable(4.0), None, damping=0.1).steady_state(ww.MasterEquation())
    assert state.occupation[0] == pytest.approx(alone.occupation[0], rel=1e-6)
    assert abs(state.occupation[1]) < 1e-12
    assert state.passed


@pytest.mark.parametrize(
    "fields",
    [
        {"coupling": 1e160},
        {"extraction": 1e308},
        {"injection": 1e308},
        {"detuning": {0: 0.0, 1: 1e300}},
        {"thermal_occupation": 1e90},
        {"thermal_occupation": 1e300},
        {"coupling": 1e160, "damping": 5e-324},
    ],
    ids=str,
)
@pytest.mark.parametrize("cutoff", [None, 4])
def test_absurd_numbers_are_refused_by_name(fields, cutoff):
    with pytest.raises((NotConverged, InvalidArgument)) as reason:
        chain(**fields).steady_state(ww.MasterEquation(cutoff=cutoff))
    partial = getattr(reason.value, "partial", None)
    assert partial is None or not partial.passed


def test_the_whole_range_of_units():
    """All rates times 1e-290 and 1e290: the same state."""
    one = chain().steady_state(ww.MasterEquation())
    for unit in (1e-290, 1e290):
        two = chain(4.0 * unit, 6.0 * unit, 0.1 * unit, coupling=unit)
        two = two.steady_state(ww.MasterEquation())
        np.testing.assert_allclose(two.occupation.array, one.occupation.array, rtol=1e-9)
        assert two.current[(0, 1)] / unit == pytest.approx(one.current[(0, 1)], rel=1e-9)
        assert two.current_fluctuation[(0, 1)] / unit == pytest.approx(
            one.current_fluctuation[(0, 1)], rel=1e-9
        )
        assert two.passed


def test_the_vacuum_has_no_negative_numbers():
    state = chain(0.0, 3.0, 1e-20).steady_state(ww.MasterEquation())
    for name, value in state.observables.items():
        assert value >= 0.0, name
    assert state.passed
    assert state.current_fluctuation_normal[(0, 1)] == 0.0


def test_variances_without_classical_amplitudes_say_so():
    """A generator of single quanta: ⟨:J²:⟩ < ⟨J⟩²."""
    state = chain(1.0, 4.0, 0.01, saturation=5e-324).steady_state(ww.MasterEquation())
    assert state.moments.normal[0] < state.current[(0, 1)] ** 2
    name = "current_fluctuation_normal"
    assert math.isnan(state.observables[name])
    assert "variance of a current is negative" in state.missing[name]


# ---------------------------------------------------------------------- estimates


def gaussian_occupations(grid):
    L, N = linear_network(grid), len(grid.nodes)
    gain, loss = gain_rates(grid, np.zeros(N)), loss_rates(grid, np.zeros(N))
    L = L + np.diag(0.5 * (gain - loss))
    source = gain + grid.dampings * grid.thermal_occupations
    return solve_continuous_lyapunov(L.conj(), -np.diag(source).astype(complex)).diagonal().real


def test_estimates_are_exact_for_linear_grids():
    grid = ww.PowerGrid(
        nx.cycle_graph(3),
        generators={0: ww.Saturable(0.7, exponent=0.0)},
        engines={2: ww.Saturable(0.5, exponent=0.0)},
        damping={0: 0.9, 1: 1e-4, 2: 0.8},
        thermal_occupation={0: 0.1, 1: 300.0, 2: 0.0},
        detuning={0: 0.3, 1: -0.2, 2: 0.5},
    )
    exact = gaussian_occupations(grid)
    np.testing.assert_allclose(quanta_from_below(GridRates.of(grid), 1e9), exact, rtol=3e-3)
    np.testing.assert_allclose(quanta_from_above(GridRates.of(grid)), exact, rtol=3e-3)


def test_estimates_from_both_sides_see_both_branches():
    """Γ_i(n)(n + 1) = (Γ_e(n) + γ) n has three solutions; the outer two are stable."""
    grid = single(ww.Saturable(3.0, 60.0), ww.Saturable(60.0, 2.0), damping=0.5)
    n = np.linspace(0.0, 200.0, 2_000_001)
    net = 3.0 / (1.0 + n / 60.0) ** 2 * (n + 1.0) - (60.0 / (1.0 + n / 2.0) ** 2 + 0.5) * n
    zeros = n[np.flatnonzero(np.diff(np.sign(net)))]
    assert len(zeros) == 3
    rates = GridRates.of(grid)
    assert quanta_from_below(rates, 1e6)[0] == pytest.approx(zeros[0], rel=1e-2)
    assert quanta_from_above(rates)[0] == pytest.approx(zeros[2], rel=1e-2)


# ---------------------------------------------------------------------- states of nodes


def test_reduced_states():
    """In products of Fock states: means, purities, and the whole in another order."""
    grid = ww.PowerGrid.chain(3, 0.6, 2.0, 0.4, detuning={0: 0.3, 1: 0.0, 2: -0.4})
    state = grid.steady_state(ww.MasterEquation(rtol=1e-2))
    d = state.cutoff + 1
    a = np.diag(np.sqrt(np.arange(1.0, d)), 1)
    rho, dims = state.reduced_state([2, 0])
    assert dims == (d, d)
    one = np.eye(d)
    assert np.trace(rho) == pytest.approx(1.0)
    np.testing.assert_allclose(rho, rho.conj().T, atol=1e-15)
    n2, n0 = np.kron(a.T @ a, one), np.kron(one, a.T @ a)
    assert np.trace(rho @ n2).real == pytest.approx(state.occupation[2], rel=1e-10)
    assert np.trace(rho @ n0).real == pytest.approx(state.occupation[0], rel=1e-10)
    pair, _ = state.reduced_state([0, 1])
    hop = np.kron(a.T, a)
    assert np.trace(pair @ hop).imag == pytest.approx(state.current[(0, 1)], rel=1e-8)
    alone, dims = state.reduced_state([1])
    np.testing.assert_allclose(alone, np.diag(state.populations[1]), atol=1e-15)
    assert dims == (d,)


def test_the_whole_state_as_a_product():
    state = chain(0.6, 2.0, 0.4).steady_state(ww.MasterEquation(rtol=1e-3))
    rho, (d, _) = state.reduced_state([0, 1])
    at = state.occupation_basis @ np.array([d, 1])
    np.testing.assert_allclose(rho[np.ix_(at, at)], state.density_matrix, atol=1e-15)
    qutip = pytest.importorskip("qutip")
    theirs = state.to_qutip()
    assert theirs.dims == [[d, d], [d, d]]
    first = theirs.ptrace(0)
    assert qutip.expect(qutip.num(d), first) == pytest.approx(state.occupation[0], rel=1e-10)
    assert state.to_qutip([1]).dims == [[d], [d]]
    a = qutip.tensor(qutip.destroy(d), qutip.qeye(d))
    b = qutip.tensor(qutip.qeye(d), qutip.destroy(d))
    current = qutip.expect(-0.5j * (a.dag() * b - b.dag() * a), theirs)
    assert current == pytest.approx(state.current[(0, 1)], rel=1e-8)


def test_states_that_do_not_fit():
    state = ww.PowerGrid.chain(6, 0.02, 3.0, 0.5).steady_state(ww.MasterEquation(rtol=0.1))
    size = (state.cutoff + 1) ** 6
    for call in (lambda: state.reduced_state(range(6)), state.to_qutip):
        with pytest.raises(InvalidArgument, match=f"at most 8192 basis states, but has {size}"):
            call()
    for nodes in ([], [7], [0, 0], 0):
        with pytest.raises(InvalidArgument, match="`nodes` must name"):
            state.reduced_state(nodes)


def test_a_run_that_drifts_fails_its_audit_however_wide_its_errors_are():
    grid = chain(injection=4.0, extraction=3.0, saturation=20.0)  # too many quanta to start with
    run = ww.QuantumJumps(cutoff=6, duration=0.5, burn_in=0.0, trajectories=64, times=8)
    with pytest.raises(NotConverged, match="halves of the run differ") as reason:
        grid.steady_state(run)
    assert not reason.value.partial.audit["difference of the halves"].ok
    assert not reason.value.partial.passed


def test_rates_whose_flows_would_overflow_are_refused():
    grid = chain(injection=1e308, extraction=1.0)
    run = ww.QuantumJumps(cutoff=4, duration=1e-308, burn_in=5e-309, trajectories=6, times=4)
    for method in (run, ww.MasterEquation(cutoff=4)):
        with pytest.raises(ww.InvalidArgument, match="rates must be at most"):
            grid.steady_state(method)


# ---------------------------------------------------------------------- coupling beyond all rates


def strongly_coupled(coupling):
    graph = nx.path_graph(2)
    graph.edges[0, 1]["coupling"] = coupling
    return ww.PowerGrid(
        graph,
        generators={0: ww.Saturable(0.04, saturation=0.6)},
        engines={},
        damping={0: 1.0, 1: 0.0},
        thermal_occupation=1.0,
    )


@pytest.mark.parametrize("coupling", [1e6, 1e8, 1e12, 1e14])
def test_a_coupling_far_above_all_rates_shares_the_quanta(coupling):
    """Corrections to equal modes are of order (rate/g)²: 1e3 is as good as infinite, and every
    larger cutoff begins without its uppermost sectors, whose rates are lost beside those of H."""
    limit = strongly_coupled(1e3).steady_state(ww.MasterEquation(rtol=1e-8))
    state = strongly_coupled(coupling).steady_state(ww.MasterEquation(rtol=1e-7))
    assert len(state.solution.cutoffs) > 1
    assert state.total_occupation == pytest.approx(limit.total_occupation, rel=2e-7)
    assert state.injected == pytest.approx(state.dissipated, rel=2e-7)


def test_jumps_lost_in_the_rounding_of_the_coupling_are_refused():
    with pytest.raises(NotConverged, match="lost in rounding: H is"):
        strongly_coupled(1e18).steady_state(ww.MasterEquation())
