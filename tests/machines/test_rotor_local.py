"""The local master equation of the rotor engine: reference numbers, exact laws, a second route."""

import numpy as np
import pytest
import rotor_systems as rs

import wheelwork as ww
from wheelwork.errors import NotConverged
from wheelwork.lindblad.sector import diagonal_sector
from wheelwork.machines.rotor.block_state import BlockState, Window, pairs_of, total_energies
from wheelwork.machines.rotor.energetics import ergotropies
from wheelwork.machines.rotor.evolution import RotorStart
from wheelwork.machines.rotor.stationary import on_window

pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")

# l in [-40, 60]; heat from the cold bath, the hot bath, the load, and work on the qubits
REFERENCE = {
    0.1: (-1.994300112e-3, 4.98575028e-3, -2.210667227e-3, -7.807829059e-4),
    0.2: (-1.246694863e-3, 3.116737156e-3, -1.383206473e-3, -4.86835785e-4),
    0.8: (2.750068901e-4, -6.875172251e-4, -1.805566218e-5, 4.305659387e-4),
}
ODD = {  # no symmetry between the qubits, and a coupling that is not small
    "coupling": 1.3,
    "bath_coupling": 0.7,
    "bath_asymmetry": 0.3,
    "load_damping": 0.11,
    "moment_of_inertia": 0.8,
    "temperature_load": 1.7,
    "temperature_cold": 2.1,
    "temperature_hot": 7.9,
    "field_cold": 1.1,
    "field_hot": 1.9,
}


@pytest.mark.parametrize("ratio", REFERENCE)
@pytest.mark.parametrize("window", [None, (-40, 60)])
def test_reference_table(ratio, window):
    state = ww.RotorEngine.paper(ratio).steady_state(ww.LocalMasterEquation(window=window))
    values = (state.heat_cold, state.heat_hot, state.heat_load, state.work_qubits)
    assert values == pytest.approx(REFERENCE[ratio], rel=1e-9)
    assert all(entry.ok for entry in state.audit.values())


@pytest.mark.parametrize("ratio", [0.1, 0.2, 0.45, 0.8])
def test_exact_identities(ratio):
    """Of an unbounded rotor, to 1e-10; the flows by matrices, not by the formulas."""
    engine = ww.RotorEngine.paper(ratio)
    state = engine.steady_state()
    o = rs.operators(engine, state.window.lowest, state.window.highest)
    rho = state.density_matrix
    jumps = rs.local_jumps(engine, o)
    J = 2.0 * engine.coupling * float(np.trace(o.hop @ rho).imag)
    gamma, T, inertia = engine.load_damping, engine.temperature_load, engine.moment_of_inertia
    square = float(np.trace(o.L @ o.L @ rho).real)
    interaction = float(np.trace(o.interaction @ rho).real)
    assert float(np.trace(o.L @ rho).real) == pytest.approx(J / gamma, rel=1e-10)
    assert state.angular_momentum == pytest.approx(J / gamma, rel=1e-10)
    assert state.particle_current == pytest.approx(J, rel=1e-10)
    assert rs.rate(o.free, jumps["cold"], rho) == pytest.approx(state.heat_cold, rel=1e-10)
    assert rs.rate(o.free, jumps["hot"], rho) == pytest.approx(state.heat_hot, rel=1e-10)
    assert state.heat_cold / state.heat_hot == pytest.approx(-0.4, rel=1e-14)
    load = gamma * T - gamma / inertia * (1.0 - 1.0 / (16.0 * inertia * T)) * square
    assert rs.rate(o.free, jumps["load"], rho) == pytest.approx(load, rel=1e-10)
    assert state.heat_load == pytest.approx(load, rel=1e-10)
    by_load = rs.rate(o.interaction, jumps["load"], rho)
    assert by_load == pytest.approx(-gamma / (16.0 * inertia * T) * interaction, rel=1e-9)
    assert state.work_load == pytest.approx(by_load, rel=1e-9)
    by_baths = rs.rate(o.interaction, jumps["cold"] + jumps["hot"], rho)  # Eq. (24)
    assert state.work_qubits == pytest.approx(by_baths, rel=1e-10)  # Eq. (23)
    assert abs(state.flows.total) < 1e-13


@pytest.mark.parametrize("fields", [{}, ODD])
def test_reduced_equation_agrees_with_the_whole(fields):
    """N = 8: all 1024 elements against the 46 that the symmetries leave."""
    engine = ww.RotorEngine.paper(0.2, load_damping=0.05).replace(**fields)
    method = ww.LocalMasterEquation(window=(-4, 3))
    model = method.model(engine, Window(-4, 3))
    sector, _ = diagonal_sector(model.lindblad)
    assert sector.size == 6 * 8 - 2
    o = rs.operators(engine, -4, 3)
    load = [A.toarray() for A in model.load]
    jumps = [A for name in ("cold", "hot") for A in rs.local_jumps(engine, o)[name]] + load
    reference = rs.steady_state(o.total, jumps)
    blocks = on_window(engine, method, Window(-4, 3)).blocks
    np.testing.assert_allclose(blocks.matrix(), reference, atol=1e-12)
    assert abs(reference[2 * 8 + 1, 8]) > 1e-5  # the coherences are not all zero


def test_the_load_is_that_of_the_paper():
    """Eq. (17) in cosine and sine against jumps that move l by one, away from the ends."""
    engine = ww.RotorEngine.paper(0.2, load_damping=0.3, moment_of_inertia=0.7)
    model = ww.LocalMasterEquation().model(engine, Window(-5, 6))
    o = rs.operators(engine, -5, 6)
    rng = np.random.default_rng(3)
    rho = np.zeros((48, 48), dtype=complex)
    inner = np.concatenate([12 * pair + np.arange(3, 9) for pair in range(4)])
    part = rng.normal(size=(24, 24)) + 1j * rng.normal(size=(24, 24))
    rho[np.ix_(inner, inner)] = part @ part.conj().T
    ours = sum(rs.dissipate(A.toarray(), rho) for A in model.load)
    theirs = sum(rs.dissipate(A, rho) for A in rs.load_jumps(engine, o))
    np.testing.assert_allclose(ours, theirs, atol=1e-14 * abs(rho).max() * 48)


@pytest.mark.parametrize("levels", [2, 5, 31, 64])
def test_number_of_unknowns(levels):
    model = ww.LocalMasterEquation().model(ww.RotorEngine.paper(0.2), Window(-1, levels - 2))
    assert diagonal_sector(model.lindblad)[0].size == 6 * levels - 2


def test_all_observables_of_an_odd_machine_against_dense_algebra():
    engine = ww.RotorEngine(**ODD)
    state = engine.steady_state()
    o = rs.operators(engine, state.window.lowest, state.window.highest)
    rho, jumps = state.density_matrix, rs.local_jumps(engine, o)
    H, levels = o.total, state.window.levels
    assert state.energy == pytest.approx(np.trace(H @ rho).real, rel=1e-12)
    assert state.heat_cold == pytest.approx(rs.rate(o.free, jumps["cold"], rho), rel=1e-10)
    assert state.heat_hot == pytest.approx(rs.rate(o.free, jumps["hot"], rho), rel=1e-10)
    assert state.heat_load == pytest.approx(rs.rate(o.free, jumps["load"], rho), rel=1e-9)
    kinetic = o.L @ o.L / (2.0 * engine.moment_of_inertia)
    by_force = np.trace(-1j * (H @ rho - rho @ H) @ kinetic).real  # Eq. (32)
    assert state.intrinsic_power == pytest.approx(by_force, rel=1e-10)
    everything = jumps["cold"] + jumps["hot"] + jumps["load"]
    assert state.back_action == pytest.approx(rs.rate(kinetic, everything, rho), rel=1e-9)
    produced = -sum(
        rs.rate(o.free, jumps[bath], rho) / getattr(engine, f"temperature_{bath}")
        for bath in ("cold", "hot", "load")
    )
    assert state.entropy_production == pytest.approx(produced, rel=1e-9)
    values = np.linalg.eigvalsh(rho)
    entropy = -sum(r * np.log(r) for r in values if r > 1e-300)
    assert state.entropy == pytest.approx(entropy, rel=1e-10)
    qubits, rotor, cold, hot = rs.partial_traces(rho, levels)
    Z = np.diag([-1.0, 1.0])
    both = engine.field_cold * np.kron(Z, np.eye(2)) + engine.field_hot * np.kron(np.eye(2), Z)
    for name, reduced, hamiltonian in (
        ("total", rho, H),
        ("qubits", qubits, both),
        ("rotor", rotor, kinetic[:levels, :levels]),
        ("cold", cold, engine.field_cold * Z),
        ("hot", hot, engine.field_hot * Z),
    ):
        dense = rs.ergotropy(reduced, hamiltonian)
        assert state.ergotropy[name] == pytest.approx(dense, rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("fields", [{}, ODD])
def test_spectra_of_any_state(fields):
    """Also with weight at the ends of the window, where pairs lack a member."""
    engine, window = ww.RotorEngine.paper(0.2).replace(**fields), Window(-3, 4)
    rng = np.random.default_rng(9)
    populations = rng.uniform(size=(4, 8))
    size = 0.9 * np.sqrt(populations[2, 1:] * populations[1, :-1])
    state = BlockState(window, populations, size * np.exp(2j * np.pi * rng.uniform(size=7)))
    H = rs.operators(engine, -3, 4).total
    energies = total_energies(engine, window)
    np.testing.assert_allclose(np.sort(energies), np.linalg.eigvalsh(H), rtol=1e-13)
    mean = state.in_eigenstates(pairs_of(engine, window)) @ energies
    assert mean == pytest.approx(np.trace(H @ state.matrix()).real, rel=1e-13)
    expected = np.linalg.eigvalsh(state.matrix())[::-1]
    np.testing.assert_allclose(state.eigenvalues, expected, atol=1e-14)
    wide = Window(-20, 20)
    H = rs.operators(engine, wide.lowest, wide.highest).total
    total = ergotropies(engine, state)["total"]
    assert total == pytest.approx(rs.ergotropy(state.on(wide).matrix(), H), rel=1e-12)


def test_a_turning_rotor_can_be_stopped():
    """|l = 20⟩ gives l²/2I, though the state's own window does not reach l = 0."""
    engine = ww.RotorEngine.paper(0.2, coupling=0.0, moment_of_inertia=2.0)
    values = ergotropies(engine, RotorStart(20, 0.0, 1.0).blocks(engine))
    assert values["rotor"] == pytest.approx(100.0, rel=1e-14)
    assert values["hot"] == pytest.approx(2.0 * engine.field_hot)
    assert values["cold"] == 0.0
    assert values["total"] == pytest.approx(100.0 + 2.0 * engine.field_hot)


def test_load_alone():
    """⟨L_z²⟩ = (I/β)/(1 − β/16I), not quite Gibbs; and no torque, no flow."""
    engine = ww.RotorEngine.paper(0.2, coupling=0.0, temperature_load=0.9, moment_of_inertia=0.4)
    state = engine.steady_state()
    I, T = engine.moment_of_inertia, engine.temperature_load  # noqa: E741
    assert state.angular_momentum_variance == pytest.approx(
        I * T / (1 - 1 / (16 * I * T)), rel=1e-9
    )
    assert state.angular_momentum == pytest.approx(0.0, abs=1e-10)
    assert state.regime == "idle"
    assert state.ergotropy["rotor"] == pytest.approx(0.0, abs=1e-10)


def test_qubits_alone_are_thermal():
    state = ww.RotorEngine.paper(0.3, coupling=0.0).steady_state()
    for site, (field, temperature) in enumerate(((4.0, 10.0), (10.0, 10.0 / 0.3))):
        boltzmann = np.exp(-2.0 * field / temperature)
        assert state.blocks.excited(site) == pytest.approx(boltzmann / (1 + boltzmann), rel=1e-12)


def test_error_estimates_are_honest():
    """Against a much wider window, for machines drawn at random."""
    rng = np.random.default_rng(11)
    for _ in range(12):
        engine = random_engine(rng)
        rough = engine.steady_state(ww.LocalMasterEquation(rtol=1e-3))
        window = rough.window
        wide = (window.lowest - 40, window.highest + 40)
        fine = engine.steady_state(ww.LocalMasterEquation(window=wide))
        for name, error in rough.errors.items():
            off = abs(rough.observables[name] - fine.observables[name])
            assert off <= error + fine.errors[name], (name, engine)


def test_a_narrow_window_knows_its_error():
    """The tail that is cut off is estimated within a factor of a few."""
    engine = ww.RotorEngine.paper(0.2)
    true = engine.steady_state()
    for window in ((-16, 30), (-25, 22), (-13, 21)):
        state = engine.steady_state(ww.LocalMasterEquation(rtol=0.1, window=window))
        for name in state.errors:
            off = abs(state.observables[name] - true.observables[name])
            assert off <= state.errors[name] + true.errors[name], (name, window)


def test_the_window_of_the_paper_is_refused():
    with pytest.raises(NotConverged, match=r"-5 ≤ l ≤ 10 cannot hold the rotor"):
        ww.RotorEngine.paper(0.2).steady_state(ww.LocalMasterEquation(window=(-5, 10)))


@pytest.mark.parametrize("seed", range(8))
def test_laws_hold_for_any_machine(seed):
    engine = random_engine(np.random.default_rng(seed))
    state = engine.steady_state()
    assert state.entropy_production > -1e-10 * state.flows.scale
    assert all(entry.ok for name, entry in state.audit.items() if name not in state.validity)
    assert state.ergotropy["total"] >= state.ergotropy["qubits"] + state.ergotropy["rotor"] - abs(
        2.0 * engine.coupling
    )


def random_engine(rng):
    cold = rng.uniform(2.0, 12.0)
    return ww.RotorEngine(
        temperature_cold=cold,
        temperature_hot=cold * rng.uniform(1.0, 8.0),
        temperature_load=rng.uniform(1.0, 12.0),
        field_cold=rng.uniform(0.5, 5.0),
        field_hot=rng.uniform(0.5, 12.0),
        coupling=10.0 ** rng.uniform(-2.0, 0.0),
        bath_coupling=rng.uniform(0.2, 1.5),
        bath_asymmetry=rng.uniform(-0.8, 0.8),
        load_damping=10.0 ** rng.uniform(-4.0, -1.0),
        moment_of_inertia=rng.uniform(0.5, 2.0),
    )
