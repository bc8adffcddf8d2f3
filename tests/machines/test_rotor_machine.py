"""The rotor engine as a machine: parameters, operation, statistics, sweeps, bad input."""

import math
import pickle

import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.machines.rotor.energetics import REGIMES, Operation

PAPER = ww.RotorEngine.paper(beta_ratio=0.2)


def test_paper_and_replace():
    assert PAPER.beta_ratio == pytest.approx(0.2, rel=1e-15)
    assert PAPER.temperature_hot == pytest.approx(50.0)
    assert PAPER.temperature_load == pytest.approx(1.0 / 0.09)
    assert (PAPER.field_cold, PAPER.field_hot, PAPER.moment_of_inertia) == (4.0, 10.0, 1.0)
    assert (PAPER.coupling, PAPER.bath_coupling, PAPER.load_damping) == (0.1, 1.0, 5e-5)
    other = PAPER.replace(beta_ratio=0.5, temperature_cold=4.0)
    assert (other.temperature_cold, other.temperature_hot) == (4.0, 8.0)
    assert ww.RotorEngine.paper() == PAPER
    assert ww.RotorEngine.paper(temperature_hot=20.0).beta_ratio == 0.5
    assert PAPER.swapped().beta_ratio == pytest.approx(5.0)
    assert PAPER.swapped().swapped() == PAPER


def test_couplings_to_the_baths():
    """g_1 = g(1 − χ) and g_2 = g(1 + χ), rates their squares (Eqs. (14), (15))."""
    engine = PAPER.replace(bath_coupling=2.0, bath_asymmetry=0.25)
    assert engine.cold.coupling_rate == pytest.approx(2.25)
    assert engine.hot.coupling_rate == pytest.approx(6.25)
    assert engine.cold.rate_down / engine.cold.rate_up == pytest.approx(math.exp(0.8))


@pytest.mark.parametrize(
    ("ratio", "regime"), [(0.2, "engine"), (0.47, "accelerator"), (0.7, "refrigerator")]
)
def test_regimes_of_the_paper(ratio, regime):
    state = PAPER.replace(beta_ratio=ratio).steady_state()
    assert state.regime == regime
    assert REGIMES[int(state.observables["regime_code"])] == regime
    assert (state.efficiency > 0.0) == (regime == "engine")
    assert (state.cop > 0.0) == (regime == "refrigerator")
    assert state.carnot_efficiency == pytest.approx(1.0 - ratio)
    assert state.carnot_cop == pytest.approx(ratio / (1.0 - ratio))
    assert not state.efficiency > state.carnot_efficiency
    assert not state.cop > state.carnot_cop


@pytest.mark.parametrize(
    ("signs", "regime"),
    [
        ((-1, 2, -1), "engine"),
        ((-3, 2, 1), "accelerator"),
        ((1, -2, 1), "refrigerator"),
        ((-1, -1, 2), "heater"),
        ((1, -1, -1), "load-driven"),
        ((1, 1, -1), "load-driven"),
        ((0, 0, 0), "idle"),
    ],
)
def test_operation_by_signs(signs, regime):
    operation = Operation(*map(float, signs), temperature_cold=1.0, temperature_hot=3.0)
    assert operation.regime == regime
    noisy = Operation(*(signs + 0.1 * np.ones(3)), 1.0, 3.0, errors=(0.2, 0.2, 0.2))
    assert noisy.regime == regime
    assert operation.carnot_cop == 0.5
    assert operation.carnot_efficiency == pytest.approx(2.0 / 3.0)


def test_each_flow_is_held_against_its_own_error():
    """Ẇ = 1.7e-13 ± 1e-11 may have either sign; a small heat flow that is known has its own."""
    boundary = PAPER.regime_boundaries(0.4, 0.5).work_vanishes
    for shift in (-1e-10, 1e-10):
        state = PAPER.replace(beta_ratio=boundary + shift).steady_state()
        assert 1e-13 < abs(state.work_qubits) < state.errors["work_qubits"]
        assert state.regime == "load-driven"
    assert PAPER.replace(beta_ratio=boundary - 1e-6).steady_state().regime == "engine"
    assert PAPER.replace(beta_ratio=boundary + 1e-6).steady_state().regime == "accelerator"
    strong = ww.RotorEngine(0.152, 533.0, 28.3, 0.107, 7.3, 0.0021, 0.289, -0.59, 63.0, 0.696)
    state = strong.steady_state(ww.LocalMasterEquation(rtol=1e-7))
    assert abs(state.heat_cold) > 10.0 * state.errors["heat_cold"]
    assert state.regime == "engine"


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_global_heats_reverse_where_the_cold_one_does():
    """Heat and excitations do not vanish together where excitations bring different heats."""
    method = ww.GlobalMasterEquation(rtol=1e-7)
    machine = PAPER.replace(bath_coupling=0.5, coupling=0.5, load_damping=1e-3)
    reversal = machine.regime_boundaries(0.9, 1.0, method).heat_reverses
    state = machine.replace(beta_ratio=reversal).steady_state(method)
    assert abs(state.heat_cold) < 1e-10
    assert abs(state.heat_hot) > 1e-4
    assert abs(state.particle_current) > 1e-6
    after = machine.replace(beta_ratio=reversal + 1e-4).steady_state(method)
    assert after.regime == "refrigerator"


def test_operation_looks_at_the_temperatures():
    """With the warm bath at qubit 1 the same flows are an accelerator, not a refrigerator."""
    state = PAPER.replace(beta_ratio=2.0).steady_state()
    assert state.heat_cold > 0.0
    assert state.heat_hot < 0.0
    assert state.work_qubits > 0.0
    assert state.regime == "accelerator"
    assert state.carnot_efficiency == pytest.approx(0.5)
    assert PAPER.replace(beta_ratio=1.0).steady_state().carnot_cop == math.inf


def test_boundaries_of_the_paper():
    """Its text has 0.54 for the second, where the numbers say 0.504."""
    boundaries = PAPER.regime_boundaries(0.05, 0.9)
    assert boundaries.work_vanishes == pytest.approx(0.43423506, abs=1e-8)
    assert boundaries.heat_reverses == pytest.approx(0.50388180, abs=1e-8)
    assert boundaries.qubit_ergotropy_vanishes == pytest.approx(0.39995, abs=5e-6)
    assert boundaries.efficiency_peaks == pytest.approx(0.30884, abs=5e-6)
    below, above = (
        PAPER.replace(beta_ratio=boundaries.qubit_ergotropy_vanishes + d).steady_state()
        for d in (-1e-4, 1e-4)
    )
    assert below.ergotropy["qubits"] > 1e-5
    assert above.ergotropy["qubits"] < 1e-12


def test_no_boundary_in_range():
    boundaries = PAPER.regime_boundaries(0.6, 0.9)
    assert math.isnan(boundaries.work_vanishes)
    assert math.isnan(boundaries.efficiency_peaks)
    with pytest.raises(InvalidArgument, match=r"`high` must be larger than `low` = 0\.9"):
        PAPER.regime_boundaries(0.9, 0.6)


def test_efficiency_grows_again_and_cop_is_monotonic():
    efficiency = [PAPER.replace(beta_ratio=r).steady_state().efficiency for r in (0.05, 0.1, 0.14)]
    assert efficiency[0] > efficiency[1] > efficiency[2]
    cop = [PAPER.replace(beta_ratio=r).steady_state().cop for r in np.linspace(0.51, 0.89, 12)]
    assert np.all(np.diff(cop) > 0.0)


@pytest.mark.parametrize("ratio", [0.2, 0.8])
def test_counting_gives_the_mean_and_the_tilted_noise(ratio):
    """Noise and Fano factor against finite differences of the tilted generator's eigenvalue."""
    engine = PAPER.replace(beta_ratio=ratio, load_damping=0.05)
    state = engine.steady_state()
    counted = state.counting(order=3)
    assert counted.mean == pytest.approx(state.particle_current, rel=1e-11)
    assert state.particle_noise == counted.noise
    curve = tilted_eigenvalues(engine, np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) * 2e-2)
    weights = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / (12.0 * 4e-4)
    assert counted.noise == pytest.approx(weights @ curve, rel=1e-6)
    assert state.fano_factor == pytest.approx(counted.noise / abs(counted.mean))
    assert state.uncertainty_ratio == pytest.approx(
        counted.noise * state.entropy_production / (2.0 * counted.mean**2)
    )
    assert state.uncertainty_ratio > 1.0


def tilted_eigenvalues(engine, fields):
    """Largest eigenvalue of the 6N − 2 generator with e^{±χ} on the jumps of the cold bath."""
    N, low = 40, -20
    l = low + np.arange(N)  # noqa: E741
    place = {}
    for s in np.ndindex(2, 2):
        for j in range(N):
            place[(*s, j)] = len(place)
    for part in range(2):
        for j in range(N - 1):
            place["c", part, j] = len(place)
    size = len(place)

    def generator(field):
        A = np.zeros((size, size))
        g = engine.load_damping * engine.moment_of_inertia * engine.temperature_load
        a = 0.25 / (engine.moment_of_inertia * engine.temperature_load)
        rates = {}
        for site, bath in enumerate((engine.cold, engine.hot)):
            rates[site] = (bath.rate_up, bath.rate_down)
        for s1, s2, j in [key for key in place if key[0] != "c"]:
            me = place[s1, s2, j]
            for site, s in enumerate((s1, s2)):
                rate = rates[site][s]
                to = (1 - s1, s2, j) if site == 0 else (s1, 1 - s2, j)
                tilt = np.exp(field * (1.0 if s else -1.0)) if site == 0 else 1.0
                A[place[to], me] += rate * tilt
                A[me, me] -= rate
            for step, sign in ((1, -1.0), (-1, 1.0)):
                if 0 <= j + step < N:
                    rate = g * (1.0 + sign * a * l[j]) ** 2
                    A[place[s1, s2, j + step], me] += rate
                    A[me, me] -= rate
        width = 0.5 * sum(sum(r) for r in rates.values())
        for j in range(N - 1):
            re, im = place["c", 0, j], place["c", 1, j]
            up, down = place[1, 0, j + 1], place[0, 1, j]
            energy = 2.0 * (engine.field_cold - engine.field_hot)
            energy += (2.0 * l[j] + 1.0) / (2.0 * engine.moment_of_inertia)
            lam = engine.coupling
            A[re, im] += energy
            A[im, re] -= energy
            A[im, up] += lam
            A[im, down] -= lam
            A[up, im] -= 2.0 * lam
            A[down, im] += 2.0 * lam
            for part in (re, im):
                A[part, part] -= width
            for part in range(2):
                me = place["c", part, j]
                for step, sign in ((1, -1.0), (-1, 1.0)):
                    ends = (1.0 + sign * a * l[j + 1], 1.0 + sign * a * l[j])
                    kept = [0 <= j + 1 + step < N, 0 <= j + step < N]
                    A[me, me] -= 0.5 * g * sum(e**2 for e, k in zip(ends, kept, strict=True) if k)
                    if all(kept):
                        A[place["c", part, j + step], me] += g * ends[0] * ends[1]
        return A

    return np.array([np.linalg.eigvals(generator(field)).real.max() for field in fields])


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@pytest.mark.parametrize("method", [ww.LocalMasterEquation(), ww.GlobalMasterEquation()])
@pytest.mark.parametrize("unit", [1e-5, 1e4])
def test_the_unit_of_energy_does_not_matter(method, unit):
    """Flows scale with its square; local baths have g² for a rate, global ones for a number."""
    energies = ("temperature_cold", "temperature_hot", "temperature_load", "field_cold")
    energies += ("field_hot", "coupling", "load_damping")
    fields = {name: unit * getattr(PAPER, name) for name in energies}
    fields["moment_of_inertia"] = PAPER.moment_of_inertia / unit
    if isinstance(method, ww.LocalMasterEquation):
        fields["bath_coupling"] = PAPER.bath_coupling * math.sqrt(unit)
    one, other = PAPER.steady_state(method), PAPER.replace(**fields).steady_state(method)
    powers = {"energy^2": 2, "energy": 1, "1": 0}
    for name, value in one.observables.items():
        scaled = other.observables[name] / unit ** powers[PAPER.labels[name][1]]
        error = one.errors.get(name, 0.0)
        assert scaled == pytest.approx(value, rel=1e-9, abs=2.0 * error, nan_ok=True), name
    for name, entry in one.audit.items():
        assert other.audit[name].ok == entry.ok, name


def test_sweep_over_the_ratio():
    ratios = np.array([0.2, 0.45, 0.8])
    dataset = ww.sweep(PAPER, {"beta_ratio": ratios})
    assert list(dataset["regime_code"]) == [1, 2, 3]
    assert dataset["heat_hot"].attrs["symbol"] == r"\dot Q_2"
    assert np.all(dataset["audit_passed"] == 1)
    assert float(dataset["heat_cold"][0]) == PAPER.steady_state().heat_cold
    missing = ww.sweep(PAPER, {"load_damping": np.array([0.0, 5e-5])})
    assert "spread to ever larger" in str(missing["failure"].values[0])
    assert np.isfinite(float(missing["heat_hot"][1]))


def test_every_observable_is_labelled_and_exported():
    state = PAPER.steady_state()
    dataset = state.to_xarray()
    for name, value in state.observables.items():
        assert name in state.machine.labels
        np.testing.assert_equal(float(dataset[name]), value)
    assert dataset.attrs["regime"] == "engine"
    assert float(dataset["rotor_population"].sum()) == pytest.approx(1.0)
    assert float(dataset["rotor_population"].idxmax("l")) == 1.0
    assert state.errors["heat_hot"] < 1e-9 * state.heat_hot


def test_flows_and_entropy_by_bath():
    state = PAPER.steady_state()
    assert state.heat_currents == {
        "cold": state.heat_cold,
        "hot": state.heat_hot,
        "load": state.heat_load,
    }
    productions = state.entropy_productions
    assert productions["hot"] == pytest.approx(-state.heat_hot / 50.0, rel=1e-14)
    assert sum(productions.values()) == pytest.approx(state.entropy_production, rel=1e-12)


def test_one_observable_has_the_error_and_label_of_all():
    state, fresh = PAPER.steady_state(), PAPER.steady_state()
    for name, value in state.observables.items():
        np.testing.assert_equal(fresh.value(name), value)
        np.testing.assert_equal(fresh.error(name), state.errors.get(name, math.nan))
    assert state.missing.keys() <= {"cop", "efficiency"}
    assert set(state.observables) | set(PAPER.parameter_labels()) == set(PAPER.labels)
    without = {"regime_code", "carnot_efficiency", "carnot_cop", "cop"}  # cop: of no refrigerator
    assert set(state.errors) == set(state.observables) - without


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@pytest.mark.parametrize("method", [ww.LocalMasterEquation(), ww.GlobalMasterEquation(20.0)])
def test_states_can_be_pickled(method):
    state = PAPER.steady_state(method)
    before = dict(state.observables), dict(state.errors), dict(state.audit)
    copy = pickle.loads(pickle.dumps(state))
    np.testing.assert_equal((dict(copy.observables), dict(copy.errors), dict(copy.audit)), before)
    evolution = PAPER.evolve(None, [0.0, 3.0], method)
    assert len(evolution.energy) == 2
    copied = pickle.loads(pickle.dumps(evolution))
    assert list(copied.energy) == list(evolution.energy)


def test_printouts_are_short():
    state, evolution = PAPER.steady_state(), PAPER.evolve(None, [0.0, 1.0])
    local = ww.LocalMasterEquation(rtol=1e-7)
    shown = [state, evolution, evolution[0], PAPER.regime_boundaries(), PAPER.rectification(local)]
    shown.append(PAPER.best_rectification(0.5, bounds=(0.0, 0.5), method=local))
    for each in (*shown, PAPER):
        assert len(repr(each)) < 1000
        assert len(each._repr_html_()) < 1500
    assert "heat_hot = 0.0031167371" in repr(state)
    model = ww.GlobalMasterEquation().model(PAPER, state.window)
    for each in (PAPER, state.blocks, state.solution, state.flows, state.operation, model):
        assert len(repr(each)) < 500


def test_density_matrix_is_a_state_and_goes_to_qutip():
    qutip = pytest.importorskip("qutip")
    state = PAPER.steady_state()
    rho = state.density_matrix
    assert np.trace(rho) == pytest.approx(1.0)
    assert np.min(np.linalg.eigvalsh(rho)) > -1e-12
    levels = state.window.levels
    L = qutip.tensor(qutip.qeye(4), qutip.Qobj(np.diag(state.window.momenta)))
    there = qutip.Qobj(state.to_qutip().full(), dims=[[4, levels], [4, levels]])
    assert qutip.expect(L, there) == pytest.approx(state.angular_momentum, rel=1e-12)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature_cold": 0.0}, r"`temperature_cold` must be positive, but is 0\.0"),
        ({"temperature_hot": -2.0}, r"`temperature_hot` must be positive, but is -2\.0"),
        ({"temperature_load": float("nan")}, "`temperature_load` must be finite"),
        ({"beta_ratio": -0.2}, r"`beta_ratio` must be positive, but is -0\.2"),
        ({"beta_ratio": 0.2, "temperature_hot": 1.0}, "`beta_ratio` must not be given together"),
        ({"bath_asymmetry": 1.2}, r"`bath_asymmetry` must lie between -1 and 1, but is 1\.2"),
        ({"bath_asymmetry": -1.1}, "`bath_asymmetry` must lie between -1 and 1"),
        ({"load_damping": -1e-5}, "`load_damping` must not be negative, but is -1e-05"),
        ({"moment_of_inertia": 0.0}, "`moment_of_inertia` must be positive"),
        ({"bath_coupling": 0.0}, "`bath_coupling` must be positive"),
        ({"field_cold": "four"}, "`field_cold` must be a real number, but is 'four'"),
        ({"inertia": 1.0}, "`inertia` must be one of temperature_cold, .*, beta_ratio"),
    ],
)
def test_bad_fields_are_named(fields, message):
    with pytest.raises(InvalidArgument, match=message):
        PAPER.replace(**fields)


def test_without_a_load_there_is_no_steady_state():
    with pytest.raises(NoSteadyState, match="populations spread"):
        PAPER.replace(load_damping=0.0).steady_state()


def test_a_load_too_cold_for_the_rotor():
    with pytest.raises(NoSteadyState, match=r"must exceed 1/\(16 I\) = 0\.0625, but is 0\.05"):
        PAPER.replace(temperature_load=0.05).steady_state()
    with pytest.raises(NotConverged, match="no window holds the rotor"):
        PAPER.replace(temperature_load=0.08).steady_state()


@pytest.mark.parametrize("method", ["local", 1e-9, ww.LocalMasterEquation, ww.FokkerPlanck()])
def test_a_method_must_be_one(method):
    with pytest.raises(InvalidArgument, match="`method` must be a method such as LocalMaster"):
        PAPER.steady_state(method)


@pytest.mark.parametrize("window", [(3, 3), (5, 1), "wide", (0.5, 3), (1, 2, 3)])
def test_a_window_must_be_one(window):
    with pytest.raises(InvalidArgument):
        ww.LocalMasterEquation(window=window)


def test_a_bath_cut_off_leaves_no_current():
    state = PAPER.replace(bath_asymmetry=1.0).steady_state()
    assert abs(state.particle_current) < 1e-14
    assert state.regime == "heater"  # the other bath's collisions still shake the rotor
    assert state.heat_load == pytest.approx(-state.work_qubits, rel=1e-6)


def test_a_figure_of_merit_of_another_operation_says_so():
    missing = ww.RotorEngine.paper(beta_ratio=0.2).steady_state().missing
    assert missing == {"cop": "`cop` is that of a refrigerator, but the regime is engine"}
