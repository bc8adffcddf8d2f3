"""Random flywheels and grids for short sampled runs, evolutions and correlations.

`CALLS` maps a kind to a strategy of (text, call, check), as `judge` takes them.
"""

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from scipy.linalg import solve_continuous_lyapunov

import wheelwork as ww
from wheelwork.phase_space import PhaseSpaceModel

SECONDS = 0.7  # of any call: what it has reached by then is its partial result
CHANCE = 5.0  # standard errors of a right answer
UNITS = (1e-24, 1e-9, 1.0, 1e9, 1e15)  # of energy


def decades(low, high):
    """Positive numbers, evenly over decades."""
    return st.floats(low, high).map(lambda power: float(10.0**power))


@st.composite
def flywheels(draw):
    """Two leads of Lorentzian lines, from far below to far beyond the threshold."""
    unit = draw(st.sampled_from(UNITS))
    bias, level = draw(st.floats(-30.0, 30.0)), draw(st.floats(-5.0, 5.0))

    def lead(side):
        line = ww.Lorentzian(
            rate=draw(decades(-1.0, 1.0)) * unit,
            centre=draw(st.floats(-4.0, 4.0)) * unit,
            width=draw(decades(-0.5, 1.0)) * unit,
        )
        temperature = draw(decades(-0.5, 1.0)) * unit
        return ww.Lead(chemical_potential=0.5 * side * bias * unit, temperature=temperature,
                       lineshape=line)  # fmt: skip

    frequency = draw(decades(-2.0, 0.5))
    coupling = draw(decades(-2.0, 0.5))  # λ
    force = coupling * np.sqrt(2.0 * frequency)  # F = 2λ/x0 with m = 1
    return ww.Flywheel(
        leads=(lead(1), lead(-1)), level=level * unit, frequency=frequency * unit,
        mass=1.0 / unit, force=float(force) * unit,
    )  # fmt: skip


@st.composite
def methods(draw, frequency, shortest=-1.0, longest=3.5):
    """Sampling methods from one chunk to some thousands of periods."""
    fields = {
        "duration": draw(decades(shortest, longest)) / frequency,
        "trajectories": draw(st.sampled_from([1, 2, 7, 16, 32])),
        "seed": draw(st.integers(0, 2**64 - 1)),
        "time_limit": SECONDS,
    }
    if draw(st.booleans()):
        fields["burn_in"] = fields["duration"] * draw(st.floats(0.0, 0.99))
    if draw(st.integers(0, 3)) == 0:
        step = draw(decades(-4.0, -1.0)) / frequency
        return ww.EulerMaruyama(step=step, **fields)
    if draw(st.booleans()):
        fields["step"] = draw(decades(-2.5, 0.5)) / frequency
    return ww.Langevin(**fields)


def held(result):
    """Nothing to check but the audit."""


@st.composite
def flywheel_samples(draw):
    device = draw(flywheels())
    method = draw(methods(device.frequency))
    verb = "sample"
    if isinstance(method, ww.Langevin):
        verb = draw(st.sampled_from(["sample", "sample", "steady_state"]))

    def call():
        return getattr(device, verb)(method)

    return f"{device!r}.{verb}({method!r})", call, sound_samples if verb == "sample" else held


def sound_samples(samples):
    """What must hold of accepted samples, whatever the device."""
    for name, (mean, error) in samples.moments.items():
        if not (np.isfinite(mean) and np.isfinite(error) and error >= 0.0):
            return f"{name} is {mean} ± {error}"
    if samples.shortfall:
        return "accepted with a shortfall"
    return None


@st.composite
def evolutions(draw):
    device = draw(flywheels())
    start = draw(st.sampled_from([ww.Ground(), ww.Thermal(2.0), ww.Coherent(1.5), ww.Cat(1.0)]))
    period = 2.0 * np.pi / device.frequency
    ends = draw(st.lists(decades(-3.0, 0.5), min_size=1, max_size=3, unique=True))
    times = [end * period for end in sorted(ends)]
    method = ww.FokkerPlanck(draw(decades(-6.0, -2.0)), time_limit=SECONDS)

    def call():
        return device.evolve(start, times, method)

    def check(result):
        return None if np.allclose(result.times, times) else f"times are {result.times}"

    return f"{device!r}.evolve({start!r}, {times!r}, {method!r})", call, check


@st.composite
def correlations(draw):
    device = draw(flywheels())
    method = ww.FokkerPlanck(draw(decades(-5.0, -2.0)), time_limit=SECONDS)

    def check(response):
        at_zero = response.g1([0.0])[0]
        if not abs(at_zero - 1.0) < 1e-2:
            return f"g1(0) is {at_zero}"
        return None if response.line.width > 0.0 else "a line without width"

    return f"{device!r}.correlations({method!r})", lambda: device.correlations(method), check


@st.composite
def linear_oscillators(draw):
    """A damped oscillator under constant noise and pull: ⟨x²⟩, ⟨p²⟩ and ⟨x⟩ in closed form."""
    unit, mass = draw(st.sampled_from(UNITS)), draw(decades(-20.0, 20.0))
    frequency = draw(decades(-3.0, 3.0)) * unit
    friction = frequency * mass * draw(decades(-2.0, 0.0))
    temperature, pull = draw(decades(-1.0, 4.0)) * frequency, draw(st.floats(-3.0, 3.0))
    x0 = np.sqrt(2.0 / (mass * frequency))
    force = pull * mass * frequency**2 * x0
    model = PhaseSpaceModel(
        Constant((force, friction, 2.0 * friction * temperature)), frequency, mass
    )
    method = ww.Langevin(
        duration=draw(decades(2.5, 4.0)) * mass / friction, trajectories=32,
        seed=draw(st.integers(0, 1000)), time_limit=SECONDS,
    )  # fmt: skip

    def check(samples):
        spread = 0.5 * temperature / frequency  # of X and of P
        exact = {"x": pull, "x_squared": spread + pull**2, "p_squared": spread, "x_p": 0.0}
        for name, value in exact.items():
            mean, error = samples.moments[name]
            by_step = abs(samples.step_change[name].mean)  # three times what the step leaves
            if not abs(mean - value) <= CHANCE * error + by_step + 1e-12 * abs(value):
                return f"{name} is {mean} ± {error}, exactly {value}"
        return None

    return f"{method!r}.sample({model!r})", lambda: method.sample(model), check


class Constant:
    """Force, friction and diffusion that do not depend on x."""

    def __init__(self, values):
        self.values = values

    def __call__(self, x):
        return np.stack([np.full_like(x, value) for value in self.values])


@st.composite
def linear_grids(draw):
    """Coupled damped oscillators, each with its own bath: ⟨α_j* α_k⟩ by Lyapunov's equation."""
    unit, sites = draw(st.sampled_from(UNITS)), draw(st.integers(1, 5))
    damping = [draw(decades(-1.0, 1.0)) * unit for _ in range(sites)]
    bath = [draw(decades(-2.0, 6.0)) for _ in range(sites)]
    coupling = draw(decades(-2.0, 1.0)) * unit
    detuning = [draw(st.floats(-3.0, 3.0)) * unit for _ in range(sites)]
    graph = nx.path_graph(sites)
    grid = ww.PowerGrid(
        graph, generators={}, engines={}, damping=dict(enumerate(damping)),
        thermal_occupation=dict(enumerate(bath)),
        detuning=dict(enumerate(detuning)), coupling=coupling,
    )  # fmt: skip
    method = ww.Langevin(
        duration=draw(decades(2.0, 3.3)) / min(damping), trajectories=32, rtol=0.1,
        seed=draw(st.integers(0, 1000)), time_limit=SECONDS,
    )  # fmt: skip

    def check(state):
        L = np.diag(-0.5 * np.array(damping) - 1j * np.array(detuning))
        for j in range(sites - 1):
            L[j, j + 1] = L[j + 1, j] = 0.5j * coupling
        noise = np.diag(np.array(damping) * np.array(bath)).astype(complex)
        exact = solve_continuous_lyapunov(L, -noise).real.diagonal()
        for j, (mean, error) in enumerate(state.occupation[node] for node in range(sites)):
            if not abs(mean - exact[j]) <= CHANCE * error + 1e-9 * exact[j]:
                return f"node {j} holds {mean} ± {error}, exactly {exact[j]}"
        return None

    return f"{grid!r}.steady_state({method!r})", lambda: grid.steady_state(method), check


@st.composite
def grid_samples(draw):
    unit, sites = draw(st.sampled_from(UNITS)), draw(st.integers(2, 6))
    grid = ww.PowerGrid.chain(
        sites=sites,
        injection=draw(decades(-2.0, 2.0)) * unit,
        extraction=draw(decades(-2.0, 2.0)) * unit,
        damping=draw(st.sampled_from([0.0, 1e-3, 0.1, 10.0])) * unit,
        coupling=draw(decades(-2.0, 1.0)) * unit,
        saturation=draw(decades(-1.0, 13.0)),
        thermal_occupation=draw(st.sampled_from([0.0, 0.1, 100.0])),
    )
    method = draw(methods(unit, 0.5, 4.5))
    return f"{grid!r}.steady_state({method!r})", lambda: grid.steady_state(method), held


CALLS = {
    "samples of a flywheel": flywheel_samples(),
    "evolutions of a flywheel": evolutions(),
    "correlations of a flywheel": correlations(),
    "samples of a linear oscillator": linear_oscillators(),
    "samples of a linear grid": linear_grids(),
    "samples of a grid": grid_samples(),
}
