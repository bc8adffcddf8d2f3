"""Laws that hold for any flywheel, on devices without the symmetries of the published one."""

import numpy as np
import pytest
from scipy.optimize import brentq

import wheelwork as ww
from wheelwork import states, thermodynamics

WARM, COLD, THIRD = (
    ww.Lead(3.0, 2.5, ww.Lorentzian(2.0, 0.6, 1.2)),
    ww.Lead(-4.0, 1.2, ww.Lorentzian(1.5, -0.4, 0.8)),
    ww.Lead(0.5, 2.0, ww.WideBand(0.3)),
)
DEVICES = {
    "two temperatures": ww.Flywheel((WARM, COLD), 0.3, 0.2, 1.7, force=0.07, temperature=2.0),
    "three leads": ww.Flywheel((WARM, COLD, THIRD), -0.4, 0.15, 0.8, force=0.05, temperature=1.0),
    "one lead": ww.Flywheel((WARM,), 1.0, 0.2, 1.0, force=0.08),
    "above threshold": ww.Flywheel.paper(bias=14.0),
    "band": ww.Flywheel(
        (WARM, ww.Lead(0.0, 1.5, ww.Semicircle(1.0, 0.0, 15.0))), force=0.05, temperature=1.5
    ),
}


@pytest.fixture(scope="module", params=DEVICES)
def state(request):
    return DEVICES[request.param].steady_state(ww.FokkerPlanck(1e-6))


def test_audit_passes(state):
    assert [name for name, entry in state.audit.items() if not entry.ok] == []


def test_first_law(state):
    assert sum(state.particle_currents.values()) == pytest.approx(0.0, abs=1e-12)
    assert sum(state.energy_currents.values()) == pytest.approx(0.0, abs=1e-12)
    heat = sum(state.heat_currents.values())
    assert heat + state.electrical_power == pytest.approx(0.0, abs=1e-12)


def test_second_law(state):
    assert state.entropy_production > (0.0 if len(state.machine.leads) > 1 else -1e-15)


def test_what_friction_takes_noise_gives(state):
    assert abs(state.solution.imbalance) < 1e-6


def test_density_matrix_is_a_state(state):
    rho = state.density_matrix
    assert rho.shape == (state.fock.levels, state.fock.levels)
    assert rho.dtype == np.complex128
    assert np.array_equal(rho, rho.conj().T)
    assert np.trace(rho).real == pytest.approx(1.0, abs=1e-9)
    assert np.min(np.linalg.eigvalsh(rho)) > -1e-10


def test_fock_and_wigner_moments_agree(state):
    """Two orderings, two representations: ⟨a†a⟩, g², ⟨a⟩ and ⟨a²⟩."""
    rho, moments = state.density_matrix, state.solution.moments
    n = np.arange(1, len(rho))
    assert thermodynamics.phonon_number(rho) == pytest.approx(state.phonon_number, rel=1e-7)
    assert thermodynamics.g2(rho) == pytest.approx(state.g2, rel=1e-6)
    amplitude = np.sum(np.sqrt(n) * np.diag(rho, -1))
    assert amplitude == pytest.approx(moments["x"] + 1j * moments["p"], abs=2e-7)
    square = np.sum(np.sqrt(n[:-1] * n[1:]) * np.diag(rho, -2))
    expected = moments["x_squared"] - moments["p_squared"] + 2j * moments["x_p"]
    assert square == pytest.approx(expected, abs=1e-5)


def test_transform_agrees_with_the_one_through_position_space(state):
    reach = state.solution.distribution.extent
    axis = np.linspace(-reach, reach, 400)
    device = state.machine
    x, p = axis * device.length, axis * device.momentum
    other = states.density_matrix_from_wigner(
        state.wigner_on(x, p), x, p, levels=60, mass=device.mass, frequency=device.frequency
    )
    assert np.max(np.abs(other - state.density_matrix[:60, :60])) < 1e-8


def test_work_is_bounded_by_free_energy(state):
    assert -1e-12 < state.ergotropy_diagonal <= state.ergotropy + 1e-9
    assert state.ergotropy <= state.energy
    passive = state.passive_state
    ladder = state.machine.frequency * np.arange(len(passive))
    assert np.trace(passive @ np.diag(ladder)) == pytest.approx(
        state.energy - state.ergotropy, rel=1e-6
    )
    assert thermodynamics.ergotropy(passive, ladder) == pytest.approx(0.0, abs=1e-12)
    if state.machine.free_energy_temperature is not None:
        assert state.ergotropy <= state.free_energy_gain + 1e-9


def test_wigner_function_is_labelled_normalised_and_positive(state):
    wigner = state.wigner
    assert wigner.dims == ("x", "p")
    step = float(wigner.x[1] - wigner.x[0]) * float(wigner.p[1] - wigner.p[0])
    assert float(wigner.sum()) * step == pytest.approx(1.0, abs=1e-6)
    assert float(wigner.min()) >= 0.0
    assert float((wigner * wigner.x).sum()) * step == pytest.approx(
        state.solution.moments["x"] * state.machine.length, abs=1e-5
    )


def test_equilibrium_is_thermal_for_any_shape():
    """No bias: W ∝ exp(−H_eff/T) whatever the leads; g² = 2 up to the spring's softening."""
    leads = (
        ww.Lead(0.4, 1.5, ww.Lorentzian(2.0, 0.6, 1.2)),
        ww.Lead(0.4, 1.5, ww.Semicircle(1.0, 0.0, 12.0)),
    )
    state = ww.Flywheel(leads, 0.2, 0.1, force=0.03).steady_state(ww.FokkerPlanck(1e-8))
    assert state.solution.moments["p_squared"] == pytest.approx(1.5 / 0.2, rel=1e-8)
    assert state.particle_current == pytest.approx(0.0, abs=1e-14)
    assert state.free_energy_gain < 2e-3


def test_particle_hole_symmetry_reverses_the_motion():
    """x → −x, μ → −μ, ω_α → −ω_α, ε → −ε leaves the physics as it is."""
    device = DEVICES["two temperatures"]
    mirrored = tuple(
        ww.Lead(
            -lead.chemical_potential,
            lead.temperature,
            ww.Lorentzian(lead.lineshape.rate, -lead.lineshape.centre, lead.lineshape.width),
        )
        for lead in device.leads
    )
    here = device.steady_state()
    there = device.replace(leads=mirrored, level=-device.level).steady_state()
    assert abs(here.solution.moments["x"]) > 1e-5
    assert there.solution.moments["x"] == pytest.approx(-here.solution.moments["x"], rel=1e-3)
    assert there.phonon_number == pytest.approx(here.phonon_number, rel=1e-7)
    assert there.particle_current == pytest.approx(-here.particle_current, rel=1e-7)


def test_only_ratios_of_mass_and_force_matter():
    """Rescaling x: m → s²m, F → sF leaves λ and the quantum state alone."""
    one = ww.Flywheel.paper(bias=12.0)
    other = one.replace(mass=4.0 * one.mass, force=2.0 * one.force)
    assert other.coupling == pytest.approx(one.coupling)
    a, b = one.steady_state(), other.steady_state()
    assert b.phonon_number == pytest.approx(a.phonon_number, rel=1e-8)
    assert b.ergotropy == pytest.approx(a.ergotropy, rel=1e-6)


def test_energy_diffusion_agrees_within_its_estimate():
    device = ww.Flywheel.paper(bias=12.0)
    fast, full = device.steady_state(ww.EnergyDiffusion()), device.steady_state()
    for name in ("phonon_number", "g2", "ergotropy_diagonal"):
        assert fast.observables[name] == pytest.approx(full.observables[name], rel=1e-5)
    assert abs(fast.phonon_number - full.phonon_number) < fast.errors["phonon_number"]


def test_first_order_change_of_the_state_is_seen_by_coherences_only():
    """u − 1 is odd in P to first order in γ/ω0: it turns the ellipse, Im ρ ≠ 0."""
    device = ww.Flywheel.paper(bias=12.0)
    full = device.steady_state().density_matrix
    fast = device.steady_state(ww.EnergyDiffusion()).density_matrix
    assert np.max(np.abs(np.imag(np.diag(full, 2)))) > 1e-7
    assert np.max(np.abs(np.imag(np.diag(fast, 2)))) < 1e-12


def test_errors_are_honest_on_random_devices():
    """True errors, against a much finer solution, stay below the estimates (28 of 30 at least)."""
    rng = np.random.default_rng(2024)
    honest = 0
    for _ in range(30):
        device = random_device(rng)
        state, fine = device.steady_state(), device.steady_state(ww.FokkerPlanck(2e-9))
        names = ("phonon_number", "g2", "purity", "entropy", "ergotropy", "particle_current")
        true = [abs(state.observables[name] - fine.observables[name]) for name in names]
        honest += all(t <= state.errors[n] for t, n in zip(true, names, strict=True))
    assert honest >= 28


def random_device(rng):
    """Asymmetric leads of two temperatures, a detuned level."""
    bias = rng.uniform(0.0, 16.0)
    leads = tuple(
        ww.Lead(
            side * bias / 2.0 + rng.uniform(-1.0, 1.0),
            rng.uniform(1.0, 3.0),
            ww.Lorentzian(
                rng.uniform(1.0, 4.0), side * rng.uniform(0.0, 1.0), rng.uniform(0.6, 2.0)
            ),
        )
        for side in (1.0, -1.0)
    )
    frequency, coupling = rng.uniform(0.1, 0.25), rng.uniform(0.03, 0.1)
    return ww.Flywheel(
        leads,
        rng.uniform(-1.0, 1.0),
        frequency,
        force=2.0 * coupling / np.sqrt(2.0 / frequency),
        temperature=2.0,
    )


def test_the_ring_opens_at_the_threshold():
    """Friction at rest turns negative where W stops being largest at rest, and there only."""
    threshold = ww.Flywheel.paper().threshold_bias()
    below = ww.Flywheel.paper(bias=threshold - 0.01).steady_state()
    above = ww.Flywheel.paper(bias=threshold + 0.01).steady_state()
    assert below.ring_radius == 0.0
    assert 0.1 < above.ring_radius < 1.0


def test_the_ring_is_where_energy_diffusion_turns():
    """On the crest friction averaged over the orbit vanishes: s = 0, to first order in γ/ω0."""
    state = ww.Flywheel.paper(bias=16.0).steady_state()
    slope = state.solution.distribution.orbits.slope
    radius = brentq(lambda R: slope(np.array([R]))[0, 0], 5.0, 12.0)
    # orbits are circles in ρ, near those of X: the force softens the spring by a percent
    assert state.ring_radius == pytest.approx(radius, rel=0.02)
    assert state.ring_radius**2 == pytest.approx(state.phonon_number, rel=0.25)
