"""Random rotor engines: typical ones, and finite parameters over many decades."""

import math

import numpy as np
from hypothesis import strategies as st

import wheelwork as ww

ENERGIES = ("temperature_cold", "temperature_hot", "temperature_load", "field_cold", "field_hot",
            "coupling", "load_damping")  # fmt: skip


def decades(low, high):
    """Numbers spread evenly over the powers of ten from low to high."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


def rarely(value, usual):
    """Values of `usual`, and `value` in one case of eight."""
    return st.tuples(st.integers(0, 7), usual).map(lambda pair: value if pair[0] == 5 else pair[1])


def engines(spread):
    """Engines about the paper's device, each parameter by up to `spread` decades off."""

    def near(value):
        return decades(-spread, spread).map(lambda factor: value * factor)

    return st.builds(
        ww.RotorEngine,
        temperature_cold=near(10.0),
        temperature_hot=near(30.0),
        temperature_load=near(10.0),
        field_cold=near(4.0),
        field_hot=near(8.0),
        coupling=rarely(0.0, st.one_of(near(0.1), near(-0.1))),
        bath_coupling=near(1.0),
        bath_asymmetry=st.floats(-1.0, 1.0),
        load_damping=rarely(0.0, near(1e-3)),
        moment_of_inertia=near(1.0),
    )


extreme_numbers = st.one_of(
    decades(-308.0, 308.0), st.sampled_from([5e-324, 1e-300, 1e-30, 1e30, 1e300, 1.7e308])
)


one_extreme = st.tuples(
    st.sampled_from([*ENERGIES, "bath_coupling", "moment_of_inertia"]), extreme_numbers
)
extreme_changes = st.lists(one_extreme, min_size=1, max_size=2).map(dict)

methods = st.one_of(
    st.builds(ww.LocalMasterEquation, rtol=decades(-10.0, -3.0)),
    st.builds(ww.GlobalMasterEquation, rtol=decades(-10.0, -3.0)),
    st.builds(ww.GlobalMasterEquation, cutoff=decades(-1.0, 3.0)),
)


def rescaled(engine, method, unit):
    """Engine and method, with energies in a unit that makes their numbers `unit` times as large.

    g² is a rate in the local equation, and has no unit in the global one.
    """
    energies = {name: unit * getattr(engine, name) for name in ENERGIES}
    engine = engine.replace(**energies, moment_of_inertia=engine.moment_of_inertia / unit)
    if isinstance(method, ww.LocalMasterEquation):
        return engine.replace(bath_coupling=math.sqrt(unit) * engine.bath_coupling), method
    return engine, method.replace(cutoff=None if method.cutoff is None else unit * method.cutoff)


def laws(state):
    """What is wrong with a state, by formulas that are independent of the solver."""
    engine = state.machine
    heat = sum(state.heat_currents.values())
    work = state.work_qubits + state.work_load
    size = max(abs(q) for q in state.heat_currents.values()) + abs(state.work_qubits)
    off = sum(state.error(n) for n in ("heat_cold", "heat_hot", "heat_load", "work_qubits",
                                       "work_load"))  # fmt: skip
    if not abs(heat + work) <= 1e-9 * size + off:
        return f"the first law is off by {heat + work:.2e} of {size:.2e}"
    current, damped = state.particle_current, engine.load_damping * state.angular_momentum
    slack = state.error("particle_current") + engine.load_damping * state.error("angular_momentum")
    if not abs(current - damped) <= 1e-9 * abs(current) + slack:
        return f"the current {current:.6e} is not gamma <L_z> = {damped:.6e}"
    if not np.isclose(np.sum(state.rotor_distribution), 1.0, atol=1e-8):
        return "the populations do not sum to one"
    if state.ergotropy["total"] < -state.error("ergotropy_total"):
        return "the ergotropy is negative"
    if state.ergotropy["rotor"] > state.kinetic_energy + state.error("kinetic_energy"):
        return "the rotor's ergotropy exceeds its kinetic energy"
    return None


unchanged = st.just({})


def calls(machines, changes=unchanged):
    """Text, call and check of a steady state."""

    def call(engine, changes, method):
        text = f"{engine!r}.replace(**{changes}), {method!r}"
        return text, lambda: engine.replace(**changes).steady_state(method), laws

    return st.builds(call, machines, changes, methods)


CALLS = {
    "typical": calls(engines(0.7)),
    "wide": calls(engines(3.0)),
    "extreme": calls(engines(0.5), extreme_changes),
}
