"""The global master equation of the rotor engine: detailed balance, bases, a second route."""

import numpy as np
import pytest
import rotor_systems as rs

import wheelwork as ww
from wheelwork.errors import InvalidArgument, ValidityWarning
from wheelwork.machines.rotor.block_state import BlockState, Window, pair_indices
from wheelwork.machines.rotor.stationary import on_window

pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")

CUTOFF = 20.0
WINDOW = Window(-3, 4)
MACHINES = {
    "paper": {},
    "heavy": {"moment_of_inertia": 3.7, "coupling": 0.9, "bath_asymmetry": -0.4},
    "equal fields": {"field_cold": 6.0, "field_hot": 6.0, "coupling": -0.5},
    "negative frequencies": {"moment_of_inertia": 0.1, "field_cold": 1.2, "coupling": 2.0},
}


def machine(name, **fields):
    return ww.RotorEngine.paper(0.3, load_damping=0.05, **MACHINES[name] | fields)


def model_of(engine, window=WINDOW):
    return ww.GlobalMasterEquation(cutoff=CUTOFF).model(engine, window)


def random_blocks(rng, window=WINDOW):
    """A state with no symmetry but that of the machine."""
    N = window.levels
    populations = rng.uniform(size=(4, N))
    populations /= populations.sum()
    size = 0.9 * np.sqrt(populations[2, 1:] * populations[1, :-1])
    return BlockState(window, populations, size * np.exp(2j * np.pi * rng.uniform(size=N - 1)))


@pytest.mark.parametrize("name", MACHINES)
def test_every_basis_within_an_energy_gives_the_same_equation(name):
    """Against dense eigenvectors, turned at random where E(l) = E(−l), with all pairs summed."""
    engine, rng = machine(name), np.random.default_rng(5)
    o = rs.operators(engine, WINDOW.lowest, WINDOW.highest)
    model = model_of(engine)
    rho = random_blocks(rng).matrix()
    rows, columns = pair_indices(WINDOW.levels)
    for _ in range(3):
        theirs = rs.global_jumps(engine, o, CUTOFF, rng)
        for bath, dissipator in (("cold", model.cold), ("hot", model.hot)):
            jumps = [A.toarray() for A in (*dissipator.down, *dissipator.up)]
            change = sum(rs.dissipate(A, rho) for A in jumps)
            expected = sum(rs.dissipate(A, rho) for A in theirs[bath])
            scale = np.max(abs(expected))
            np.testing.assert_allclose(change.diagonal(), expected.diagonal(), atol=1e-12 * scale)
            np.testing.assert_allclose(
                change[rows, columns], expected[rows, columns], atol=1e-12 * scale
            )


@pytest.mark.parametrize("name", MACHINES)
def test_steady_state_agrees_with_the_whole_equation(name):
    """N = 8: all 1024 elements, one jump for each Bohr frequency."""
    engine = machine(name)
    o = rs.operators(engine, WINDOW.lowest, WINDOW.highest)
    theirs = rs.global_jumps(engine, o, CUTOFF, np.random.default_rng(1))
    load = [A.toarray() for A in model_of(engine).load]
    reference = rs.steady_state(o.total, theirs["cold"] + theirs["hot"] + load)
    solution = on_window(engine, ww.GlobalMasterEquation(cutoff=CUTOFF), WINDOW)
    np.testing.assert_allclose(solution.blocks.matrix(), reference, atol=1e-12)
    assert solution.steady.sector.size == 6 * 8 - 2


@pytest.mark.parametrize("name", MACHINES)
def test_flows_of_any_state_against_matrices(name):
    engine, rng = machine(name), np.random.default_rng(7)
    o = rs.operators(engine, WINDOW.lowest, WINDOW.highest)
    model, blocks = model_of(engine), random_blocks(rng)
    rho = blocks.matrix()
    number = o.s1 @ o.s1.T + o.s2 @ o.s2.T
    kinetic = o.L @ o.L / (2.0 * engine.moment_of_inertia)
    for dissipator in (model.cold, model.hot):
        jumps = [A.toarray() for A in (*dissipator.down, *dissipator.up)]
        for value, operator in (
            (dissipator.heat(blocks), o.total),
            (dissipator.excitations(blocks), number),
            (dissipator.angular_momentum_rate(blocks), o.L),
            (dissipator.kinetic_power(blocks), kinetic),
        ):
            assert value == pytest.approx(rs.rate(operator, jumps, rho), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("name", MACHINES)
def test_detailed_balance(name):
    """At one temperature the Gibbs state of H_S is stationary, up to the load."""
    engine = machine(name).replace(beta_ratio=1.0)
    o = rs.operators(engine, WINDOW.lowest, WINDOW.highest)
    energies, vectors = np.linalg.eigh(o.total)
    weights = np.exp(-(energies - energies[0]) / engine.temperature_cold)
    gibbs = (vectors * (weights / weights.sum())) @ vectors.T
    model = model_of(engine)
    for dissipator in (model.cold, model.hot):
        jumps = [A.toarray() for A in (*dissipator.down, *dissipator.up)]
        change = sum(rs.dissipate(A, gibbs) for A in jumps)
        speed = max(np.max(abs(A)) ** 2 for A in jumps)
        assert np.max(abs(change)) < 1e-14 * speed


def test_equilibrium_with_a_weak_load():
    """With the load at the same temperature every flow vanishes with a = β/4I."""
    flows = []
    for inertia in (4.0, 16.0):
        engine = ww.RotorEngine.paper(
            1.0, temperature_load=10.0, moment_of_inertia=inertia, load_damping=1e-2
        )
        state = engine.steady_state(ww.GlobalMasterEquation())
        flows.append(abs(state.heat_load) / (engine.load_damping * engine.temperature_load))
    assert flows[0] < 1e-3
    assert flows[1] < 0.3 * flows[0]


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.8])
def test_laws(ratio):
    engine = ww.RotorEngine.paper(ratio, bath_coupling=0.5)
    state = engine.steady_state(ww.GlobalMasterEquation())
    assert all(entry.ok for name, entry in state.audit.items() if name not in state.validity)
    assert abs(state.flows.total) < 1e-13
    assert state.work_qubits == 0.0
    assert state.angular_momentum == pytest.approx(
        state.particle_current / engine.load_damping, rel=1e-10
    )
    assert state.entropy_production > 0.0
    assert state.intrinsic_power == pytest.approx(-state.back_action, abs=1e-12)


def test_the_default_cutoff_is_the_hot_gap():
    engine = ww.RotorEngine.paper(0.2)
    default = engine.steady_state(ww.GlobalMasterEquation())
    named = engine.steady_state(ww.GlobalMasterEquation(cutoff=20.0))
    other = engine.steady_state(ww.GlobalMasterEquation(cutoff=40.0))
    assert default.heat_hot == named.heat_hot
    assert other.heat_hot != pytest.approx(named.heat_hot, rel=1e-3)


def test_merged_frequencies_join_smoothly():
    """A pair closer than 1e-6 is one frequency: only its coherences notice, and relax together.

    The local equation with the rates at the gaps is what a degenerate pair must give.
    """
    engine = machine("equal fields", moment_of_inertia=0.5, coupling=1e-7)
    engine = engine.replace(field_hot=6.5)  # |1,0,l+1⟩ and |0,1,l⟩ meet at l = 0
    model = model_of(engine)
    splitting = 2.0 * model.cold.pairs.half_splitting
    assert np.sum(splitting < 1e-6) == 1
    o = rs.operators(engine, WINDOW.lowest, WINDOW.highest)
    rho = random_blocks(np.random.default_rng(2)).matrix()
    theirs = rs.global_jumps(engine, o, CUTOFF, width=1e-6)
    for bath, dissipator in (("cold", model.cold), ("hot", model.hot)):
        ours = sum(rs.dissipate(A.toarray(), rho) for A in (*dissipator.down, *dissipator.up))
        expected = sum(rs.dissipate(A, rho) for A in theirs[bath])
        rows, columns = pair_indices(WINDOW.levels)
        np.testing.assert_allclose(ours.diagonal(), expected.diagonal(), atol=1e-5)
        np.testing.assert_allclose(ours[rows, columns], expected[rows, columns], atol=1e-5)


def test_the_weak_coupling_limit_is_not_the_local_one():
    """λ → 0 at fixed g: the currents differ ever more, and the audit says which one fails."""
    ratios, flags = [], []
    for coupling in (0.1, 0.01):
        engine = ww.RotorEngine.paper(0.2, coupling=coupling)
        state = engine.steady_state(ww.GlobalMasterEquation(cutoff=20.0))
        ratios.append(state.particle_current / engine.steady_state().particle_current)
        flags.append(state.audit["bath rate / level splitting"])
    assert ratios[0] > 4.0
    assert ratios[1] > 10.0 * ratios[0] / 10.0
    assert not any(flag.ok for flag in flags)


def test_a_warning_where_the_secular_approximation_fails():
    with pytest.warns(ValidityWarning, match=r"bath rate / level splitting = \d"):
        ww.RotorEngine.paper(0.2).steady_state(ww.GlobalMasterEquation(cutoff=20.0))


@pytest.mark.filterwarnings("error::wheelwork.errors.ValidityWarning")
def test_no_warning_where_it_holds():
    engine = ww.RotorEngine.paper(0.3, bath_coupling=0.02, coupling=0.5, load_damping=1e-5)
    state = engine.steady_state(ww.GlobalMasterEquation())
    assert all(entry.ok for entry in state.audit.values())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cutoff": 0.0}, "`cutoff` must be positive"),
        ({"cutoff": float("inf")}, "`cutoff` must be finite"),
        ({"rtol": 1e-15}, "`rtol` must lie between"),
        ({"window": (3, 1)}, "`highest` must be larger than `lowest` = 3, but is 1"),
    ],
)
def test_bad_fields_are_named(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.GlobalMasterEquation(**fields)
