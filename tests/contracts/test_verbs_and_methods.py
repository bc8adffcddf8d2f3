"""Every machine with every verb and every method: a result, or InvalidArgument."""

import inspect

import numpy as np
import pytest

import wheelwork as ww
from wheelwork import lindblad, methods
from wheelwork.phase_space import Samples
from wheelwork.results import Result, Series

CHAIN = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
MACHINES = {
    "flywheel": ww.Flywheel.paper(bias=4.0),
    "rotor": ww.RotorEngine.paper(beta_ratio=0.2),
    "power grid": CHAIN,
}
# coarse, so that each takes a moment
METHODS = {
    "none": None,
    "FokkerPlanck": ww.FokkerPlanck(1e-2),
    "EnergyDiffusion": ww.EnergyDiffusion(1e-2),
    "Langevin": ww.Langevin(duration=2e3, trajectories=8, burn_in=1e3, step=0.05, rtol=0.1),
    "EulerMaruyama": ww.EulerMaruyama(step=5e-3, duration=1e2, trajectories=8, burn_in=50.0),
    "MeanField": ww.MeanField(1e-6),
    "MasterEquation": ww.MasterEquation(1e-2),
    "QuantumJumps": ww.QuantumJumps(duration=20.0, trajectories=8, cutoff=24, burn_in=5.0),
    "LocalMasterEquation": ww.LocalMasterEquation(rtol=1e-4),
    "GlobalMasterEquation": ww.GlobalMasterEquation(rtol=1e-4, cutoff=20.0),
    "lindblad.SparseLU": lindblad.SparseLU(),
    "lindblad.Krylov": lindblad.Krylov(),
    "the base": methods.Method(),
    "a class": ww.FokkerPlanck,
    "text": "FokkerPlanck",
    "a number": 1e-6,
}
INITIAL = {"flywheel": ww.Thermal(1.0), "rotor": None, "power grid": np.eye(4) / 4}
VERBS = {
    "steady_state": lambda name, method: ww.steady_state(MACHINES[name], method),
    "evolve": lambda name, method: ww.evolve(MACHINES[name], INITIAL[name], [0.0, 1.0], method),
    "sample": lambda name, method: ww.sample(MACHINES[name], method),
}


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_result_or_a_refusal(machine, verb, method):
    outcome = outcome_of(lambda: VERBS[verb](machine, METHODS[method]))
    if isinstance(outcome, ww.NotConverged):  # a run that is too short
        assert verb != "evolve"
        assert method in ("Langevin", "EulerMaruyama", "QuantumJumps")
    elif isinstance(outcome, ww.InvalidArgument):
        assert "`m" in str(outcome)  # of the machine, or of the method
    else:
        assert isinstance(outcome, Result | Series | Samples)


def outcome_of(call):
    try:
        return call()
    except (ww.InvalidArgument, ww.NotConverged) as refusal:
        return refusal


def test_no_method_of_the_library_is_left_out():
    offered = {name for name in ww.__all__ if _is_method(getattr(ww, name))}
    assert offered <= METHODS.keys()


def _is_method(value):
    return inspect.isclass(value) and issubclass(value, methods.Method)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", [None, 1.0, "flywheel", ww.Flywheel, ww.FokkerPlanck(), object()])
def test_what_is_no_machine_is_refused(verb, what):
    arguments = {"steady_state": (None,), "evolve": (None, [0.0]), "sample": (None,)}[verb]
    with pytest.raises(ww.InvalidArgument, match="`machine` must "):
        getattr(ww, verb)(what, *arguments)
