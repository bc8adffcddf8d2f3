"""Random flywheels, typical and extreme, and what must hold of every answer."""

import math
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

import wheelwork as ww

RTOL = 1e-5


def decades(low, high):
    """Numbers over many decades, their logarithm evenly spread."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


def lineshapes(rates, centres, widths):
    lorentzian = st.builds(ww.Lorentzian, rate=rates, centre=centres, width=widths)
    band = st.builds(ww.WideBand, rate=rates)
    semicircle = st.builds(ww.Semicircle, rate=rates, centre=centres, width=widths)
    return st.one_of(lorentzian, band, semicircle, st.builds(tabulated, rates, centres, widths))


def tabulated(rate, centre, width):
    """A smooth bump of samples that falls to zero at both ends."""
    t = np.linspace(-1.0, 1.0, 9)
    return ww.Tabulated(tuple(centre + 4.0 * width * t), tuple(rate * (1.0 - t * t) ** 2))


def leads(potentials, temperatures, lines, most=4):
    one = st.builds(ww.Lead, potentials, temperatures, lines)
    return st.lists(one, min_size=1, max_size=most).map(tuple)


@st.composite
def typical(draw):
    """Slow oscillators, weakly coupled to one to four leads."""
    lines = lineshapes(st.floats(0.8, 4.0), st.floats(-1.0, 1.0), st.floats(0.7, 3.0))
    baths = draw(leads(st.floats(-4.0, 4.0), st.floats(0.8, 3.0), lines))
    frequency = draw(st.floats(0.1, 0.4))
    device = ww.Flywheel(baths, draw(st.floats(-1.0, 1.0)), frequency, draw(decades(-3.0, 3.0)))
    return device.replace(coupling=draw(st.floats(0.02, 0.2)) * draw(st.sampled_from([-1, 1])))


@st.composite
def equilibrium(draw):
    """Leads of one temperature and one potential."""
    device = draw(typical())
    temperature, potential = draw(st.floats(0.5, 5.0)), draw(st.floats(-3.0, 3.0))
    baths = tuple(
        one.replace(temperature=temperature, chemical_potential=potential) for one in device.leads
    )
    return device.replace(leads=baths)


@st.composite
def extreme(draw, decade=6.0):
    """Every parameter over many decades, and now and then at the end of all numbers.

    Returns what builds the device, as its parameters may be refused.
    """
    usual = st.one_of(decades(-1.0, 1.0), decades(-decade, decade))
    rare = decades(-290.0, 290.0)
    size = st.integers(0, 39).flatmap(lambda chance: usual if chance else rare)
    number = st.builds(math.copysign, size | st.just(0.0), st.sampled_from([-1.0, 1.0]))
    kinds = st.sampled_from([ww.Lorentzian, ww.Semicircle, tabulated])
    line = st.tuples(kinds, size, number, size)
    baths = draw(st.lists(st.tuples(number, size, line), min_size=1, max_size=3))
    oscillator = draw(st.tuples(number, size, size, number))
    return Blueprint(baths, oscillator)


@dataclass(frozen=True)
class Blueprint:
    """Numbers of a flywheel: of its leads, and level, frequency, mass and force."""

    baths: list
    oscillator: tuple

    def steady_state(self, method):
        leads = tuple(ww.Lead(mu, t, kind(*line)) for mu, t, (kind, *line) in self.baths)
        return ww.Flywheel(leads, *self.oscillator).steady_state(method)


def lawful(state):
    """What is wrong with a state whose audit holds: bounds, first and second law."""
    if not state.phonon_number >= -state.error("phonon_number"):
        return f"the phonon number is {state.phonon_number}"
    if not 0.0 < state.purity <= 1.0 + state.error("purity"):
        return f"the purity is {state.purity}"
    heat = sum(state.heat_currents.values())
    work = sum(
        lead.chemical_potential * state.particle_currents[i]
        for i, lead in enumerate(state.machine.leads)
    )
    size = sum(map(abs, state.energy_currents.values())) + abs(work)
    if abs(heat + work) > 1e-6 * size + sum(state.flow_errors["heat_currents"].values()):
        return f"heat {heat} and work {work} do not balance"
    production = -sum(
        heat / lead.temperature
        for heat, lead in zip(state.heat_currents.values(), state.machine.leads, strict=True)
    )
    if production < -state.error("entropy_production") - 1e-9 * size:
        return f"the entropy production is {production}"
    return None


def thermal(state):
    """At equilibrium ⟨p²⟩/m is the temperature, in any potential."""
    temperature = state.machine.leads[0].temperature
    found = 2.0 * state.machine.frequency * state.solution.moments["p_squared"]
    if abs(found - temperature) > 10.0 * RTOL * temperature:
        return f"p²/m is {found} at temperature {temperature}"
    return lawful(state)


def _call(device, check):
    method = ww.FokkerPlanck(rtol=RTOL)
    fields = [device.level, device.frequency, device.mass, device.force]
    text = f"Flywheel({device.leads!r}, *{fields!r})"
    return text, lambda: device.steady_state(method), check


def _extreme_call(blueprint):
    method = ww.FokkerPlanck(rtol=RTOL)
    return repr(blueprint), lambda: blueprint.steady_state(method), lawful


CALLS = {
    "flywheel, typical": typical().map(lambda device: _call(device, lawful)),
    "flywheel, at equilibrium": equilibrium().map(lambda device: _call(device, thermal)),
    "flywheel, over many decades": extreme().map(_extreme_call),
}
