"""The rotor engine in time: powers, laws at every time, runs without a load, rectification."""

import numpy as np
import pytest
import rotor_systems as rs
from scipy.linalg import expm

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NotConverged
from wheelwork.machines.rotor.block_state import Window
from wheelwork.machines.rotor.evolution import RotorStart, evolve_on

pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")

METHODS = {
    "local": ww.LocalMasterEquation(),
    "global": ww.GlobalMasterEquation(cutoff=20.0),
}


def test_powers_of_figure_8():
    """β_2/β_1 = 0.8: net power peaks and vanishes, intrinsic power tends to −Q̇_r."""
    engine = ww.RotorEngine.paper(0.8)
    times = np.linspace(0.0, 4e5, 1601)
    evolution = engine.evolve(None, times)
    net = evolution.observables["net_power"]
    peak = int(np.argmax(net))
    assert times[peak] == pytest.approx(15460.0, abs=250.0)
    assert net[peak] == pytest.approx(6.03e-6, rel=1e-3)
    last = {name: values[-1] for name, values in evolution.observables.items()}
    assert last["intrinsic_power"] == pytest.approx(1.80557e-5, rel=1e-5)
    assert last["intrinsic_power"] == pytest.approx(-last["heat_load"], rel=1e-6)
    assert abs(last["net_power"]) < 1e-12
    assert abs(last["kinetic_power"]) < 1e-11
    settled = engine.steady_state()
    assert last["angular_momentum"] == pytest.approx(settled.angular_momentum, rel=1e-6)
    assert last["heat_hot"] == pytest.approx(settled.heat_hot, rel=1e-6)


def test_populations_of_figure_7():
    """With the load the most likely l stops at 2, with ⟨L_z⟩ = 1.913."""
    engine = ww.RotorEngine.paper(0.2, field_cold=10.0, load_damping=5e-4)
    evolution = engine.evolve(RotorStart(0), [0.0, 1e3, 1e5])
    momenta = evolution.model.window.momenta
    assert momenta[np.argmax(evolution.rotor[0])] == 0
    assert momenta[np.argmax(evolution.rotor[-1])] == 2
    assert evolution.angular_momentum[-1] == pytest.approx(1.913, abs=5e-4)


def test_populations_of_figure_6():
    """Without the load the rotor runs out of any window, and the windows say when."""
    engine = ww.RotorEngine.paper(0.2, field_cold=10.0, load_damping=0.0)
    evolution = engine.evolve(RotorStart(0), [0.0, 2e3, 1e5])
    assert evolution.angular_momentum[1] > 2.0
    assert evolution.angular_momentum[2] > evolution.angular_momentum[1]
    assert evolution.model.window.highest > 20
    narrow = ww.LocalMasterEquation(window=(-5, 10))
    with pytest.raises(NotConverged, match=r"cannot hold the rotor: until t = 2000 the ends of -5"):
        engine.evolve(None, [0.0, 2e3, 1e5], narrow)


@pytest.mark.parametrize("method", METHODS)
def test_against_the_whole_equation(method):
    """Against the exponential of a dense Liouvillian without symmetries, from an odd start."""
    engine = ww.RotorEngine.paper(0.3, load_damping=0.02, coupling=0.7, bath_asymmetry=0.2)
    window = Window(-2, 3)
    start = RotorStart(1, excited_cold=0.1, excited_hot=0.9).blocks(engine)
    evolution = evolve_on(engine, start, np.array([0.0, 0.07, 0.4]), METHODS[method], window)
    o = rs.operators(engine, window.lowest, window.highest)
    jumps = rs.local_jumps if method == "local" else rs.global_jumps
    by_bath = jumps(engine, o)
    load = [A.toarray() for A in evolution.model.load]
    generator = rs.generator(o.total, by_bath["cold"] + by_bath["hot"] + load)
    rho = evolution.states[0].matrix()
    np.testing.assert_allclose(rho[21, 21], 0.09, atol=1e-15)  # both excited, l = 1
    for time, state in zip(evolution.times, evolution.states, strict=True):
        expected = (expm(generator * time) @ rho.ravel()).reshape(24, 24)
        np.testing.assert_allclose(state.matrix(), expected, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_laws_at_every_time(method):
    """First law with U̇ from the states themselves; powers as derivatives of ⟨L_z²⟩ and ⟨L_z⟩²."""
    engine = ww.RotorEngine.paper(0.3, load_damping=0.02, coupling=0.7, moment_of_inertia=1.3)
    middle, step = np.array([0.3, 2.0, 30.0]), 2e-3
    times = np.sort(np.concatenate([middle + k * step for k in (-2, -1, 0, 1, 2)]))
    evolution = engine.evolve(RotorStart(2, 0.0, 1.0), times, METHODS[method])
    o = rs.operators(engine, evolution.model.window.lowest, evolution.model.window.highest)
    energy = np.array([np.sum(o.total * state.matrix()).real for state in evolution.states])
    square = evolution.angular_momentum**2 / (2.0 * engine.moment_of_inertia)
    for name, values in (
        ("total", energy),
        ("kinetic_power", evolution.kinetic_energy),
        ("net_power", square),
    ):
        power = np.array([getattr(flow, name) for flow in evolution.flows]).reshape(3, 5)[:, 2]
        rows = values.reshape(3, 5)
        slope = (rows @ [1.0, -8.0, 0.0, 8.0, -1.0]) / (12.0 * step)
        np.testing.assert_allclose(slope, power, rtol=2e-6, atol=1e-7, err_msg=name)
    assert abs(evolution.flows[0].total) > 1e-2


def test_an_evolution_can_go_on():
    engine = ww.RotorEngine.paper(0.2)
    whole = engine.evolve(None, [4e3])
    half = engine.evolve(None, [1.5e3])
    rest = engine.evolve(half.states[-1], [2.5e3])
    assert rest.angular_momentum[0] == pytest.approx(whole.angular_momentum[0], rel=1e-7)
    still = engine.evolve(engine.steady_state(), [0.0, 1e4])
    assert still.angular_momentum[1] == pytest.approx(still.angular_momentum[0], rel=1e-9)


def test_an_evolution_is_a_sequence_of_results():
    engine = ww.RotorEngine.paper(0.2)
    evolution = engine.evolve(None, [0.0, 5.0, 40.0])
    assert len(evolution) == 3
    last = evolution[-1]
    assert last.angular_momentum == evolution.angular_momentum[2]
    assert evolution.ergotropy_total[2] == last.ergotropy["total"]
    assert last.heat_currents["hot"] == last.flows.heat_hot
    assert [result.solution.time for result in evolution] == [0.0, 5.0, 40.0]
    assert last.passed
    assert set(evolution.audit) == set(last.audit)
    onwards = engine.evolve(last, [7.0]), engine.evolve(evolution.states[-1], [7.0])
    assert onwards[0].energy == onwards[1].energy


def test_an_evolution_from_a_density_matrix():
    """On the fixed window that its rows are for; coherences between charges have no effect."""
    engine, start = ww.RotorEngine.paper(0.2), RotorStart(1, 0.2, 0.7)
    method = ww.LocalMasterEquation(window=(-20, 25))
    rho = start.blocks(engine).on(Window(-20, 25)).matrix()
    expected = engine.evolve(start, [3.0], method)
    assert engine.evolve(rho, [3.0], method).energy == expected.energy
    rho[0, 5] = rho[5, 0] = 1e-3
    assert engine.evolve(rho, [3.0], method).energy == expected.energy
    with pytest.raises(InvalidArgument, match="`initial` must come with a fixed window"):
        engine.evolve(rho, [3.0])
    with pytest.raises(InvalidArgument, match=r"`initial` must have the shape \(184, 184\)"):
        engine.evolve(rho[1:, 1:], [3.0], method)
    with pytest.raises(InvalidArgument, match="positive and of trace one"):
        engine.evolve(2.0 * rho, [3.0], method)
    with pytest.raises(InvalidArgument, match="`initial` must be Hermitian"):
        engine.evolve(np.triu(rho), [3.0], method)


@pytest.mark.parametrize("method", [ww.LocalMasterEquation(), ww.GlobalMasterEquation()])
def test_long_after_relaxation_the_state_is_the_steady_one(method):
    """Rounding of steps would add up with time; the ends are watched on the way all the same."""
    engine = ww.RotorEngine.paper()
    early, late = engine.evolve(None, [5e3, 1e7], method)
    steady = engine.steady_state(method)
    assert late.angular_momentum == pytest.approx(steady.angular_momentum, rel=1e-9)
    assert late.kinetic_energy == pytest.approx(steady.kinetic_energy, rel=1e-9)
    assert np.all(late.solution.error < 1e-9)
    sooner = engine.evolve(None, [5e3], method)[0]
    assert early.angular_momentum == pytest.approx(sooner.angular_momentum, rel=1e-7)


def test_free_spreading_over_a_long_time():
    """Without a load the rotor goes on to turn faster, and the window grows with it."""
    engine = ww.RotorEngine.paper(0.2, load_damping=0.0)
    first, second = engine.evolve(None, [5e6, 1e7])
    assert second.angular_momentum > 1.05 * first.angular_momentum > 0.0
    assert second.model.window.highest > 100  # it has grown for times on the way


def test_what_was_reached_is_an_evolution_of_the_rotor():
    with pytest.raises(NotConverged, match="too long a time") as refused:
        ww.RotorEngine.paper().evolve(None, [0.0, 1.0, 1e200])
    reached = refused.value.partial
    assert reached.times.tolist() == [0.0, 1.0]
    assert reached.angular_momentum[1] > 0.0


def test_what_the_window_turns_back_on_the_way_counts():
    """A fast rotor spreads as it slows down: wide of the window, long before the time asked for."""
    engine = ww.RotorEngine.paper(temperature_load=1.0, load_damping=0.1)
    method, start = ww.LocalMasterEquation(rtol=1e-7), RotorStart(60)
    evolution = engine.evolve(start, [40.0], method)
    wide = evolve_on(engine, start.blocks(engine), evolution.times, method, Window(-100, 400))
    narrow = evolve_on(engine, start.blocks(engine), evolution.times, method, Window(-19, 77))
    off = {}
    for run in (evolution, narrow):
        inside = run.states[0].on(wide.model.window)
        off[run] = np.abs(inside.populations - wide.states[0].populations).sum()
        assert off[run] <= run.error[0] + wide.error[0]
    assert evolution.error[0] < 1e-7
    assert off[narrow] > 1e-4
    assert evolution.kinetic_energy[0] == pytest.approx(wide.kinetic_energy[0], rel=1e-6)
    assert evolution.rotor[0, -1] < 0.1 * evolution.ends[0, 1]
    with pytest.raises(NotConverged, match="until t = 40 the ends of -19 ≤ l ≤ 77 turned back"):
        engine.evolve(start, [40.0], ww.LocalMasterEquation(rtol=1e-7, window=(-19, 77)))


def test_a_short_time_needs_no_window_of_the_end():
    """Also where the rotor ends thousands of quanta away, or nowhere."""
    heavy = ww.RotorEngine.paper(
        temperature_cold=0.71,
        temperature_hot=58.0,
        temperature_load=4.9,
        field_cold=5.5,
        field_hot=11.2,
        coupling=0.14,
        bath_coupling=0.62,
        load_damping=1.5e-6,
        moment_of_inertia=104.0,
    )
    assert heavy.steady_state().angular_momentum > 1000.0
    assert heavy.evolve(None, [10.0]).model.window.levels < 100
    tailed = ww.RotorEngine.paper(temperature_load=0.1)
    with pytest.raises(NotConverged, match="no window holds the rotor"):
        tailed.steady_state()
    assert tailed.evolve(None, [10.0]).model.window.levels < 200


def test_export():
    evolution = ww.RotorEngine.paper(0.2).evolve(None, [0.0, 10.0])
    dataset = evolution.to_xarray()
    assert dict(dataset.sizes)["time"] == 2
    assert float(dataset["rotor_population"].sel(time=0.0, l=0)) == pytest.approx(1.0)
    assert dataset["net_power"].attrs["long_name"] == "net power"


@pytest.mark.parametrize(
    ("initial", "times", "message"),
    [
        (None, [1.0, 0.5], "`times` must be ascending"),
        (None, [-1.0], "`times` must be ascending from 0"),
        (None, [], "`times` must hold at least one time"),
        ("rest", [1.0], "`initial` must be a RotorStart"),
    ],
)
def test_bad_evolutions(initial, times, message):
    with pytest.raises(InvalidArgument, match=message):
        ww.RotorEngine.paper(0.2).evolve(initial, times)


def test_bad_starts():
    with pytest.raises(InvalidArgument, match="`excited_hot` must lie between 0 and 1"):
        RotorStart(excited_hot=1.2)
    with pytest.raises(InvalidArgument, match="`angular_momentum` must be an integer"):
        RotorStart(0.5)
    with pytest.raises(InvalidArgument, match="`window` must hold the initial state"):
        ww.RotorEngine.paper().evolve(RotorStart(20), [1.0], ww.LocalMasterEquation(window=(0, 9)))


# ---------------------------------------------------------------------- rectification


def test_rectification_by_its_definition():
    engine = ww.RotorEngine.paper(0.2, bath_coupling=0.5)
    result = engine.rectification()
    forward = engine.steady_state(ww.GlobalMasterEquation())
    exchanged = engine.replace(temperature_cold=50.0, temperature_hot=10.0)
    backward = exchanged.steady_state(ww.GlobalMasterEquation())
    assert result.heat == forward.heat_hot
    assert result.heat_swapped == backward.heat_cold
    a, b = forward.heat_hot, backward.heat_cold
    assert result.ratio() == pytest.approx(abs((a - b) / (a + b)))
    assert result.size() == pytest.approx(max(abs(a), abs(b)) / (0.1 * 0.25))
    assert result.performance(0.3) == pytest.approx(0.3 * result.ratio() + 0.7 * result.size())
    a, b = forward.angular_momentum, backward.angular_momentum
    assert result.ratio("angular_momentum") == pytest.approx(abs((a - b) / (a + b)))
    assert result.ratio("angular_momentum") > 1.0  # opposite signs
    assert result.size("angular_momentum") == pytest.approx(a)


def test_equal_qubits_do_not_rectify_heat():
    """With nothing to tell the qubits apart but the direction of rotation."""
    engine = ww.RotorEngine.paper(
        0.2, field_cold=6.0, field_hot=6.0, load_damping=1e-3, bath_coupling=0.5
    )
    result = engine.rectification()
    assert result.ratio() < 1e-9
    assert result.momentum == pytest.approx(-result.momentum_swapped, rel=1e-9)


def test_optimum_over_the_asymmetry():
    """Against a plain scan; R and J both rise at first, as in Fig. 4."""
    engine = ww.RotorEngine.paper(0.3, bath_coupling=0.5)
    best = engine.best_rectification(0.5, bounds=(0.6, 0.9))
    assert best.bath_asymmetry == pytest.approx(0.79976, abs=1e-4)
    for chi in (0.75, 0.79, 0.81, 0.85):
        other = engine.replace(bath_asymmetry=chi).rectification()
        assert other.performance(0.5) <= best.performance
    assert best.performance == best.rectification.performance(0.5)
    low = engine.replace(bath_asymmetry=0.0).rectification()
    assert best.rectification.ratio() > low.ratio()
    assert best.rectification.size() > low.size()


def test_a_divergent_ratio_is_refused():
    engine = ww.RotorEngine.paper(0.1, bath_coupling=0.5)
    with pytest.raises(NotConverged, match=r"R diverges between χ = 0\.9\d+ and 0\.9\d+"):
        engine.best_rectification(0.5, "angular_momentum", bounds=(0.9, 0.995))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.performance(1.5), "`alpha` must lie between 0 and 1"),
        (lambda r: r.ratio("work"), "`quantity` must be one of heat, angular_momentum"),
    ],
)
def test_bad_rectification(call, message):
    result = ww.RotorEngine.paper(0.2).rectification(ww.LocalMasterEquation())
    with pytest.raises(InvalidArgument, match=message):
        call(result)
