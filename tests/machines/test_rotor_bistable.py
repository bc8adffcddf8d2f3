"""Rotors with two motions that persist: about rest, and at the resonance of the pairs."""

import numpy as np
import pytest
from scipy.optimize import brentq

from wheelwork import lindblad
from wheelwork.errors import NotConverged
from wheelwork.machines.rotor import GlobalMasterEquation, LocalMasterEquation, RotorEngine
from wheelwork.machines.rotor.block_state import Window
from wheelwork.machines.rotor.stationary import guess_chain, on_window

HEAVY = RotorEngine(
    temperature_cold=0.71,
    temperature_hot=58.0,
    temperature_load=4.9,
    field_cold=5.5,
    field_hot=11.2,
    coupling=0.14,
    bath_coupling=0.62,
    bath_asymmetry=0.0,
    load_damping=1.5e-6,
    moment_of_inertia=104.0,
)
BISTABLE = RotorEngine(
    temperature_cold=0.343,
    temperature_hot=19.5,
    temperature_load=2.1,
    field_cold=5.17,
    field_hot=13.1,
    coupling=0.486,
    bath_coupling=0.415,
    bath_asymmetry=0.0,
    load_damping=0.00024,
    moment_of_inertia=7.54,
)


def frozen_current(machine, momentum):
    """J of two qubits that exchange excitations at the detuning of a rotor held still."""
    lower = np.array([[0.0, 1.0], [0.0, 0.0]])
    s1, s2 = np.kron(lower, np.eye(2)), np.kron(np.eye(2), lower)
    gap = (
        2.0 * (machine.field_cold - machine.field_hot)
        + (momentum + 0.5) / machine.moment_of_inertia
    )
    hop = machine.coupling * (s1.T @ s2 + s2.T @ s1)
    cold, hot = machine.cold, machine.hot
    jumps = [
        np.sqrt(cold.rate_down) * s1,
        np.sqrt(cold.rate_up) * s1.T,
        np.sqrt(hot.rate_down) * s2,
        np.sqrt(hot.rate_up) * s2.T,
    ]
    steady = lindblad.steady_state(lindblad.Lindblad(gap * s1.T @ s1 + hop, jumps))
    excited = steady.expect(s1.T @ s1)
    return cold.rate_down * excited - cold.rate_up * (1.0 - excited)


def test_a_heavy_rotor_turns_at_resonance():
    """Far beyond the rotor at rest the qubits drive it against friction; there it stays."""
    machine = HEAVY
    rest, resonance = 200.0, 2.0 * machine.moment_of_inertia * 5.7

    def excess(momentum):
        return frozen_current(machine, momentum) - machine.load_damping * momentum

    assert excess(rest) < 0.0 < excess(resonance)
    balance = brentq(excess, resonance, 4.0 * resonance)
    state = machine.steady_state()
    assert state.angular_momentum == pytest.approx(balance, rel=1e-3)
    assert state.audit["another motion beyond the window"].ok
    mirrored = machine.replace(
        field_cold=machine.field_hot,
        field_hot=machine.field_cold,
        temperature_cold=machine.temperature_hot,
        temperature_hot=machine.temperature_cold,
    )
    assert mirrored.steady_state().angular_momentum == pytest.approx(-state.angular_momentum)


def test_a_rotor_too_heavy_for_any_window_is_refused():
    machine = HEAVY.replace(moment_of_inertia=1e4, load_damping=1e-8)
    with pytest.raises(NotConverged, match=r"drive it beyond \|l\| = 65536, to their resonance"):
        machine.steady_state()
    weak = machine.replace(coupling=1e-5).steady_state(LocalMasterEquation(rtol=1e-7))
    assert weak.window.highest < 20_000
    assert weak.angular_momentum * machine.load_damping == pytest.approx(
        frozen_current(weak.machine, weak.angular_momentum), rel=0.01
    )


@pytest.mark.parametrize(
    ("machine", "method", "top"),
    [
        (BISTABLE, GlobalMasterEquation(rtol=1e-4), 140),
        (BISTABLE.replace(load_damping=1e-5), LocalMasterEquation(rtol=1e-4), 148),
    ],
)
def test_the_chain_weighs_both_motions(machine, method, top):
    """Nothing flows through any l on the whole, so that short windows have the right ratios."""
    step, margin, exact = 4, 12, 0.0
    for lowest in range(-margin, top - margin, step):
        window = Window(lowest, lowest + step + 2 * margin)
        part = on_window(machine, method, window).blocks.rotor
        exact += np.log(part[margin + step] / part[margin])
    chain = guess_chain(machine, method)
    first = int(chain.momenta[0])
    guessed = chain.log_population[top - first] - chain.log_population[-first]
    assert guessed == pytest.approx(exact, abs=5.0)


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_two_motions_at_once_are_refused_and_one_can_be_chosen():
    with pytest.raises(NotConverged, match="between two metastable motions"):
        BISTABLE.steady_state(GlobalMasterEquation(rtol=1e-6))
    for window, momentum in (((-35, 60), 12.05), ((100, 187), 137.9)):
        chosen = BISTABLE.steady_state(GlobalMasterEquation(rtol=1e-6, window=window))
        assert chosen.angular_momentum == pytest.approx(momentum, rel=0.02)
        assert chosen.audit["kinetic energy beyond the window"].ok
        assert not chosen.audit["another motion beyond the window"].ok


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_tails_flatter_than_those_of_the_chain_are_seen():
    """A rotor at resonance that the chain takes for narrower than it is: errors still cover."""
    machine = RotorEngine(
        temperature_cold=0.949,
        temperature_hot=929.5,
        temperature_load=63.19,
        field_cold=2.936,
        field_hot=6.167,
        coupling=0.2533,
        bath_coupling=0.09086,
        bath_asymmetry=-0.2088,
        load_damping=4.432e-5,
        moment_of_inertia=14.81,
    )
    state = machine.steady_state(GlobalMasterEquation(rtol=1e-7))
    ends = state.window.lowest - 40, state.window.highest + 40
    wide = machine.steady_state(GlobalMasterEquation(rtol=1e-7, window=ends))
    for name in ("angular_momentum", "kinetic_energy", "heat_load", "heat_hot", "entropy"):
        off = abs(state.observables[name] - wide.observables[name])
        assert off <= state.errors[name] + wide.errors[name], name
    assert state.errors["kinetic_energy"] < 1e-6 * state.kinetic_energy


def test_a_window_that_heavy_tails_need_is_refused_as_such():
    machine = RotorEngine.paper(temperature_load=0.18, moment_of_inertia=1.286)
    with pytest.raises(NotConverged, match="reaches beyond the largest window"):
        machine.steady_state(LocalMasterEquation(rtol=1e-5))
