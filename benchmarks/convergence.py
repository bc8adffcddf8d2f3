"""Print the numbers that docs/how-it-is-solved.md quotes: python benchmarks/convergence.py."""

import time
import warnings
from dataclasses import replace

import conftest  # noqa: F401  one thread
import numpy as np

import wheelwork as ww
from wheelwork._checks import FloatArray
from wheelwork.machines import FlywheelState
from wheelwork.phase_space import PhaseSpaceModel, Stationary
from wheelwork.phase_space.distribution import moments
from wheelwork.phase_space.stationary import circle_solver
from wheelwork.phase_space.stationary.adaptive_solver import LEVELS
from wheelwork.phase_space.stationary.orbit_distribution import OrbitDistribution

BIAS = 12.0
FINEST = 1e-9


def main() -> None:
    """Print all sections."""
    exact = _solve(BIAS, FINEST)
    _print_size_of_correction(exact)
    _print_meshes(exact)
    print("\nrtol = 1e-6: true errors against estimates")
    for bias in (0.0, 8.0, 12.0, 16.0, 32.0):
        _print_estimates(bias)
    _print_audit(_solve(BIAS, 1e-6))
    print("\nstrong friction and two wells, rtol = 1e-6")
    for friction in (0.03, 0.1, 0.3, 1.0, 3.0):
        _print_solution(f"uneven noise, gamma/omega0 = {friction:g}", _uneven_noise(friction))
    for strength in (0.1, 0.3):
        _print_solution(f"van der Pol, mu = {strength:g}", _van_der_pol(strength))
    well = _print_solution("two wells", _two_wells())
    if well is not None:
        print(f"  <p²> = m T to {abs(2.0 * well.moments['p_squared'] - 1.0):.0e}")
    _print_description()


def _solve(bias: float, rtol: float) -> FlywheelState:
    return ww.Flywheel.paper(bias).steady_state(ww.FokkerPlanck(rtol))


def _off(value: float, exact: float) -> str:
    return f"{abs(value / exact - 1.0):.0e}"


def _orbit_distribution(state: FlywheelState) -> OrbitDistribution:
    distribution = state.solution.distribution
    assert isinstance(distribution, OrbitDistribution)
    return distribution


def _print_size_of_correction(state: FlywheelState) -> None:
    found = _orbit_distribution(state)
    u = found.modulation.on_circles(found.circles.R, found.circles.phi)
    weight = found.nodes.weight
    u /= np.sum(weight * u)
    spread = np.sqrt(np.sum(weight * (u - 1.0) ** 2))
    x = state.machine.length * found.nodes.X[found.nodes.density > 1e-9 * found.nodes.density.max()]
    friction = state.machine.coefficients(np.linspace(x.min(), x.max(), 201)).friction
    ratio = friction / state.machine.mass / state.machine.frequency
    print(f"V = {BIAS:g}: gamma/omega0 from {ratio.min():.1e} to {ratio.max():.1e}")
    print(f"u: standard deviation {spread:.1e}, from {u.min():.3f} to {u.max():.3f}")


def _print_meshes(state: FlywheelState) -> None:
    exact = _orbit_distribution(state)
    print("\nradii, harmonics: off in <n>, g2, and distance of W")
    for level in LEVELS[:5]:
        found = replace(exact, modulation=circle_solver.solve(exact.orbits, *level))
        values = moments(found)
        errors = _off(values["phonon_number"], state.phonon_number), _off(values["g2"], state.g2)
        print(level, *errors, f"{exact.distances(found)[0]:.0e}")


def _print_estimates(bias: float) -> None:
    exact, state = _solve(bias, FINEST), _solve(bias, 1e-6)
    average = ww.Flywheel.paper(bias).steady_state(ww.EnergyDiffusion())
    print(
        f"V = {bias:g}: <n> {_off(state.phonon_number, exact.phonon_number)}, "
        f"g2 {_off(state.g2, exact.g2)}, estimate {state.solution.relative_error:.0e}, "
        f"{dict(state.solution.details)}; "
        f"EnergyDiffusion: <n> {_off(average.phonon_number, exact.phonon_number)}, "
        f"estimate {average.solution.relative_error:.0e}; "
        f"{state.fock.levels} levels, {len(state.fock.diagonals)} diagonals"
    )


def _print_audit(state: FlywheelState) -> None:
    print(f"\naudit at V = {BIAS:g}")
    for name, entry in state.audit.items():
        print(f"  {name}: {entry.value:.1e}, bound {entry.bound:.1e}, ok: {entry.ok}")


def _uneven_noise(friction: float) -> PhaseSpaceModel:
    """A harmonic oscillator with constant friction, and noise that rises threefold with x."""
    return PhaseSpaceModel.from_functions(
        force=lambda x: 0.0 * x,
        friction=lambda x: friction + 0.0 * x,
        diffusion=lambda x: 2.0 * friction * (1.0 + 0.5 * np.tanh(x)),
    )


def _van_der_pol(strength: float) -> PhaseSpaceModel:
    """A ring of radius 2 that turns into a relaxation oscillation as mu grows."""
    return PhaseSpaceModel.from_functions(
        force=lambda x: 0.0 * x,
        friction=lambda x: strength * (x**2 - 1.0),
        diffusion=lambda x: strength + 0.0 * x,
    )


def _two_wells() -> PhaseSpaceModel:
    """Equilibrium at T = 1 in −x²/2 + x⁴/8."""

    def force(x: FloatArray) -> FloatArray:
        return 2.0 * x - 0.5 * x**3

    return PhaseSpaceModel.from_functions(
        force=force, friction=lambda x: 0.1 + 0.0 * x, diffusion=lambda x: 0.2 + 0.0 * x
    )


def _print_solution(name: str, model: PhaseSpaceModel) -> Stationary | None:
    start = time.perf_counter()
    try:
        found = ww.FokkerPlanck(1e-6).solve(model)
    except ww.WheelworkError as reason:
        print(f"{name}: {time.perf_counter() - start:.2f} s, {reason}")
        return None
    elapsed = time.perf_counter() - start
    density = found.distribution.nodes.density
    lowest = np.min(density) / np.max(density)
    print(f"{name}: {elapsed:.2f} s, {dict(found.details)}, lowest W {lowest:.0e} of its maximum")
    return found


def _print_description() -> None:
    """What the classical noise costs a harmonic oscillator at the paper's ω0 and T."""
    device = ww.Flywheel.paper()
    temperature = device.leads[0].temperature
    classical = temperature / device.frequency - 0.5
    quantum = 1.0 / np.expm1(device.frequency / temperature)
    print(f"\nT/omega0 - 1/2 = {classical:.5f}, Planck's number {quantum:.5f}")
    for divisor in (1.0, 4.0):
        leads = [replace(lead, temperature=device.frequency / divisor) for lead in device.leads]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ww.ValidityWarning)
            state = device.replace(leads=tuple(leads)).steady_state()
        try:
            verdict = f"entropy {state.entropy:.3f}"
        except ww.UnphysicalState as reason:
            verdict = f"UnphysicalState: {reason}"
        print(f"T = omega0/{divisor:g}, <n> = {state.phonon_number:.3f}: {verdict}")


if __name__ == "__main__":
    main()
