"""One object, at least, of every public class: what contracts about all of them go over.

A public class without one here fails `tests/contracts/test_travel.py`.
"""

import importlib
import inspect
import pkgutil
import warnings
from functools import cache
from pathlib import Path

import networkx as nx
import numpy as np
from open_systems import jaynes_cummings, lowering

import wheelwork
import wheelwork as ww
from wheelwork import errors, lindblad, methods, phase_space, states, sweeps
from wheelwork import oscillator_networks as networks
from wheelwork.lindblad import graded
from wheelwork.machines import power_grid, rotor
from wheelwork.numerics.statistics import Estimate
from wheelwork.results import AuditEntry
from wheelwork.sweeps.execution import Share
from wheelwork.sweeps.store import Manifest, Store
from wheelwork.thermodynamics import population_inversion
from wheelwork.transport import ResonantLevel

TABLE = np.linspace(-6.0, 6.0, 41)
CHAIN = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
WARM = CHAIN.replace(saturation=100.0, thermal_occupation=10.0)
DEVICE, ENGINE = ww.Flywheel.paper(bias=12.0), ww.RotorEngine.paper(beta_ratio=0.2)
COARSE = ww.FokkerPlanck(1e-3)
RUN = ww.Langevin(duration=2e3, trajectories=8, burn_in=1e3, step=0.05, rtol=0.1)
SYSTEM = jaynes_cummings(4)


def decay(x):
    """A rate of an element, by name, so that it can travel."""
    return 4.0 / (1.0 + x)


def pull(x):
    return np.zeros_like(x)


def rub(x):
    return np.full_like(x, 0.3)


def shake(x):
    return np.full_like(x, 1.2)


@cache
def made(name):
    """The object `name`; made once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return OBJECTS[name]()


def refusal(kind, call):
    """The exception of `kind` that `call` raises."""
    try:
        call()
    except kind as reason:
        return reason.with_traceback(None)
    raise AssertionError("nothing was raised")


def short_run():
    """A run that ends before it is what was asked for, with what it reached."""
    return refusal(errors.NotConverged, lambda: DEVICE.steady_state(ww.Langevin(duration=5e2)))


def warm_cavity(cutoffs):
    a = lowering(cutoffs[0])
    n = a.T @ a
    return lindblad.Truncation(lindblad.Lindblad(n, [a, 0.3 * a.T]), [[cutoffs[0] - 1]], {"n": n})


def double_well(x):
    return 4.0 * x - x**3


def two_levels():
    link = graded.Link(np.array([0]), np.ones((1, 1)), np.full((1, 1), 0.5))
    return graded.GradedLindblad((np.zeros((1, 1)), np.zeros((1, 1))), ((link,),))


def jump_samples():
    return lindblad.sample_jumps(
        SYSTEM.lindblad, SYSTEM.start, [0.0, 1.0], observables=SYSTEM.observables,
        trajectories=4, burn_in=0.5, records=True, states=True,
    )  # fmt: skip


def branch_path():
    branch = next(x for x in made("MeanFieldState").branches if not x.at_rest)
    return CHAIN.follow(branch, "injection", 4.5)


def natural_model():
    model = CHAIN.amplitude_model
    return networks.Units.of(model).natural(model)


def injected(rate):
    """The model at an injection rate, as a family for a `Continuation`."""
    model = CHAIN.replace(injection=rate).amplitude_model
    return networks.Units.of(CHAIN.amplitude_model).natural(model)


def search():
    return networks.MeanField().search(natural_model(), None)


def oscillating():
    grid = ww.PowerGrid.chain(10, 4.0, 3.5, damping=1e-2, exponent=1.0)
    return grid.steady_state(ww.MeanField(trajectories=1, duration=2000.0)).oscillations[0]


def points():
    seen = []
    sweeps.sweep(DEVICE, {"bias": [0.0, 12.0]}, COARSE, on_point=seen.append)
    return seen[0]


OBJECTS = {
    # --- inputs: machines, their parts, methods, starts, values of sweeps
    "Lorentzian": lambda: ww.Lorentzian(rate=2.0, centre=0.5, width=1.0),
    "WideBand": lambda: ww.WideBand(rate=2.0),
    "Semicircle": lambda: ww.Semicircle(rate=2.0, centre=0.0, width=4.0),
    "Tabulated": lambda: ww.Tabulated(TABLE, np.exp(-(TABLE**2)) * (36.0 - TABLE**2)),
    "Lead": lambda: ww.Lead(1.0, 2.0, made("Tabulated")),
    "ResonantLevel": lambda: ResonantLevel(DEVICE.leads, 0.0, 0.06),
    "Flywheel": lambda: ww.Flywheel.paper(bias=12.0),
    "Flywheel, tabulated": lambda: ww.Flywheel((made("Lead"), DEVICE.leads[1]), force=0.06),
    "RotorEngine": lambda: ww.RotorEngine.paper(beta_ratio=0.2),
    "RotorParameters": lambda: rotor.RotorParameters.paper(beta_ratio=0.2),
    "Saturable": lambda: ww.Saturable(rate=4.0),
    "PowerGrid": lambda: ww.PowerGrid.chain(3, 4.0, 6.0, damping={0: 1e-2, 1: 1e-3, 2: 1e-3}),
    "PowerGrid, functions": lambda: ww.PowerGrid(
        nx.path_graph(2), generators={0: (decay, decay)}, engines={}, damping=0.1
    ),
    "PowerGrid, labels": lambda: ww.PowerGrid(
        nx.Graph([("a", (1, 2)), ((1, 2), 3.5)]),
        generators={"a": ww.Saturable(1.0)},
        engines={},
        damping=0.1,
    ),
    "GridParameters": lambda: power_grid.GridParameters.chain(2, 4.0, 6.0, 1e-2),
    "Method": methods.Method,
    "FokkerPlanck": lambda: ww.FokkerPlanck(1e-5, time_limit=9.0),
    "EnergyDiffusion": lambda: ww.EnergyDiffusion(1e-5),
    "Langevin": lambda: ww.Langevin(duration=1e3, start=(0.0, 1.0)),
    "EulerMaruyama": lambda: ww.EulerMaruyama(step=5e-3, duration=1e2),
    "MeanField": ww.MeanField,
    "MasterEquation": ww.MasterEquation,
    "QuantumJumps": lambda: ww.QuantumJumps(duration=2e2, cutoff=24, burn_in=20.0),
    "LocalMasterEquation": ww.LocalMasterEquation,
    "GlobalMasterEquation": lambda: ww.GlobalMasterEquation(cutoff=20.0),
    "SparseLU": lindblad.SparseLU,
    "Krylov": lindblad.Krylov,
    "Exponential": lindblad.Exponential,
    "ExplicitSteps": lindblad.ExplicitSteps,
    "ImplicitSteps": lindblad.ImplicitSteps,
    "Ground": ww.Ground,
    "Thermal": lambda: ww.Thermal(1.0),
    "Coherent": lambda: ww.Coherent(1.0 + 2.0j),
    "Cat": lambda: ww.Cat(2.0),
    "FromDensityMatrix": lambda: states.FromDensityMatrix(np.eye(4) / 4),
    "RotorStart": lambda: ww.RotorStart(1, 0.2, 0.3),
    "Product": lambda: sweeps.Product({"bias": [0.0, 1.0], "force": [0.1]}),
    "Zipped": lambda: sweeps.Zipped({"bias": [0.0, 1.0], "force": [0.1, 0.2]}),
    "Processes": lambda: sweeps.Processes(2),
    "Crossing": lambda: sweeps.Crossing("g2", 1.5),
    "Change": lambda: sweeps.Change("regime"),
    "Verdict": sweeps.Verdict,
    "Link": lambda: two_levels().links[0][0],
    "Share": lambda: Share(1, 2),
    # --- equations
    "Lindblad": lambda: SYSTEM.lindblad,
    "Truncation": lambda: warm_cavity([4]),
    "GradedLindblad": two_levels,
    "PhaseSpaceModel": lambda: DEVICE.model(1e-9),
    "PhaseSpaceModel, functions": lambda: phase_space.PhaseSpaceModel.from_functions(
        force=pull, friction=rub, diffusion=shake
    ),
    "AmplitudeModel": lambda: CHAIN.amplitude_model,
    "Units": lambda: networks.Units.of(CHAIN.amplitude_model),
    "Search": search,
    "TwoSiteCurve": lambda: networks.two_site_curve(natural_model(), np.array([4.0, 6.0])),
    "Mirror": lambda: networks.find_mirror(natural_model().linear),
    # --- results of the flywheel
    "FlywheelState": lambda: DEVICE.steady_state(COARSE),
    "FlywheelState, orbits": lambda: DEVICE.steady_state(ww.EnergyDiffusion(1e-3)),
    "FlywheelState, trajectories": lambda: made("NotConverged").partial,
    "FlywheelEvolution": lambda: DEVICE.evolve(ww.Thermal(1.0), [0.0, 1.0], ww.FokkerPlanck(1e-2)),
    "FlywheelSnapshot": lambda: made("FlywheelEvolution")[1],
    "Stationary": lambda: made("FlywheelState").solution,
    "Evolution": lambda: made("FlywheelEvolution").evolution,
    "Snapshot": lambda: made("Evolution").snapshots[1],
    "Stationary, plane": lambda: ww.FokkerPlanck(1e-2).solve(
        phase_space.PhaseSpaceModel.from_functions(force=double_well, friction=rub, diffusion=shake)
    ),
    "Nodes": lambda: made("Stationary").distribution.nodes,
    "Wells": lambda: DEVICE.steady_state(COARSE).wells,
    "Well": lambda: made("Wells")[0],
    "Response": lambda: DEVICE.correlations(ww.FokkerPlanck(1e-2)),
    "Line": lambda: DEVICE.correlations(ww.FokkerPlanck(1e-2)).line,
    "Switching": lambda: phase_space.Switching((0.5, 0.5), (1.0, 1.0), (0.0, 1.0), (1.0, 2.0), 0.1),
    "Samples": lambda: RUN.sample(made("PhaseSpaceModel, functions")),
    "SampledCorrelations": lambda: RUN.correlations(made("PhaseSpaceModel, functions"), [0.0, 4.0]),
    "SampledSpectrum": lambda: RUN.spectrum(made("PhaseSpaceModel, functions"), 0.1),
    "Histogram": lambda: RUN.histogram(made("PhaseSpaceModel, functions"), 16),
    "Estimate": lambda: Estimate(1.0, 0.1),
    "Coefficients": lambda: DEVICE.coefficients([0.0, 1.0]),
    "OscillationThresholds": lambda: ww.Flywheel.paper().oscillation_thresholds(),
    "Inversion": lambda: population_inversion(np.array([0.2, 0.5, 0.3])),
    "RadialMesh": lambda: states.radial_mesh(3.0, 8),
    # --- results of the rotor
    "RotorState": lambda: ENGINE.steady_state(ww.LocalMasterEquation(rtol=1e-4)),
    "RotorState, global": lambda: ENGINE.steady_state(
        ww.GlobalMasterEquation(rtol=1e-4, cutoff=20.0)
    ),
    "RotorEvolution": lambda: ENGINE.evolve(
        None, [0.0, 1.0, 2.0], ww.LocalMasterEquation(rtol=1e-4)
    ),
    "RotorSnapshot": lambda: made("RotorEvolution")[1],
    "RegimeBoundaries": lambda: rotor.RegimeBoundaries(0.1, 0.2, 0.3, 0.4),
    "Rectification": lambda: rotor.Rectification(1.0, 0.5, 0.1, 0.2, 1.0, 1e-3, 1e-3),
    "Optimum": lambda: rotor.Optimum(0.5, 1.0, made("Rectification")),
    # --- results of the power grid
    "MeanFieldState": CHAIN.steady_state,
    "Branch": lambda: next(iter(made("MeanFieldState").branches)),
    "BranchPath": branch_path,
    "Oscillation": oscillating,
    "SampledState": lambda: WARM.steady_state(RUN),
    "QuantumState": lambda: CHAIN.steady_state(ww.MasterEquation(1e-2)),
    "SampledQuantumState": lambda: CHAIN.steady_state(
        ww.QuantumJumps(duration=20.0, trajectories=8, cutoff=24, burn_in=5.0)
    ),
    "EdgeNumbers": lambda: made("QuantumState").current,
    "EdgeNumbers, sampled": lambda: made("SampledState").current,
    "Attractors": lambda: made("MeanFieldState").attractors,
    "Deviations": lambda: made("Branch").deviations,
    "TimeAverage": lambda: made("Oscillation").motion,
    "Solutions": lambda: search().run()[0],
    "Point": lambda: branch_path().points[0],
    "Event": lambda: networks.Event("fold", 1.0, 1e-9, 0.1, 0.0),
    "Continuation": lambda: networks.Continuation(injected, 4.0, 4.5, 1e-9),
    # --- results of Lindblad equations
    "SteadyState": lambda: lindblad.steady_state(SYSTEM.lindblad),
    "SteadyState, Krylov": lambda: lindblad.steady_state(SYSTEM.lindblad, lindblad.Krylov()),
    "State": lambda: made("SteadyState").state,
    "Sector": lambda: made("SteadyState").sector,
    "lindblad.Evolution": lambda: lindblad.evolve(
        SYSTEM.lindblad, SYSTEM.start, [0.0, 0.5, 1.0], observables=SYSTEM.observables
    ),
    "CountingStatistics": lambda: lindblad.counting_statistics(
        made("SteadyState"), [1.0, -1.0, 0.0]
    ),
    "JumpSamples": jump_samples,
    "JumpRecord": lambda: jump_samples().records[0],
    "GrownTruncation": lambda: lindblad.grow(warm_cavity, [4]),
    "GradedSteadyState": lambda: graded.steady_state(two_levels()),
    # --- sweeps
    "sweeps.Point": points,
    "Manifest": lambda: Manifest({"machine": "any"}),
    "Store": lambda: Store(Path("runs"), made("Manifest")),
    "Status": lambda: sweeps.Status(Path("runs"), 4, 2, 1, 0, 0, 1, 2.0),
    "AuditEntry": lambda: AuditEntry(1e-9, 1e-6),
    # --- exceptions
    "InvalidArgument": lambda: refusal(errors.InvalidArgument, lambda: ww.FokkerPlanck(-1.0)),
    "UnknownKey": lambda: refusal(
        errors.UnknownKey, lambda: made("MeanFieldState").branches[0].current[(0, 7)]
    ),
    "NotConverged": short_run,
    "OutOfTime": lambda: errors.OutOfTime("out of time", partial=made("FlywheelState")),
}
FIRST_RESULT = "FlywheelState"  # those before it are given by a user: equal where their values are

# What methods return, of objects that compute more than they hold.
CALLED = {
    "Tabulated": lambda line: tuple(line.sample(np.linspace(-3.0, 3.0, 7))),
    "ResonantLevel": lambda level: level.coefficients(np.linspace(-3.0, 3.0, 7)).friction,
    "PhaseSpaceModel": lambda model: model.scaled(np.linspace(-1.0, 1.0, 5)),
    "PhaseSpaceModel, functions": lambda model: model.scaled(np.linspace(-1.0, 1.0, 5)),
    "FlywheelState": lambda state: state.wigner_on([0.0, 1.0], [0.5]),
    "FlywheelSnapshot": lambda state: state.wigner_on([0.0, 1.0], [0.5]),
    "Stationary, plane": lambda it: it.distribution.density(np.zeros(3), np.arange(3.0)),
    "Response": lambda it: [it.emission([0.0, 1.0]), it.g2([0.0, 1.0]), it.eigenvalues(3)],
    "SteadyState": lambda it: lindblad.counting_statistics(it, [1.0, -1.0, 0.0]).cumulants,
    "SteadyState, Krylov": lambda it: lindblad.counting_statistics(it, [1.0, 0.0, 0.0]).cumulants,
    "Lindblad": lambda it: lindblad.steady_state(it).state.density_matrix,
    "Branch": lambda it: it.response_time(0) if hasattr(it, "response_time") else None,
}


def public_classes():
    """Every class that a public package names, and every exception and warning of `errors`."""
    modules = pkgutil.walk_packages(wheelwork.__path__, "wheelwork.")
    offered = list(vars(errors).values())
    for module in (wheelwork, *(importlib.import_module(each.name) for each in modules)):
        offered += [getattr(module, name) for name in getattr(module, "__all__", ())]
    classes = {each for each in offered if inspect.isclass(each)}
    return {each for each in classes if each.__module__.startswith("wheelwork")}


for _kind in sorted(
    public_classes(), key=lambda kind: kind.__name__
):  # exceptions and warnings of which a message is all
    if issubclass(_kind, Exception):
        OBJECTS.setdefault(_kind.__name__, lambda kind=_kind: kind("the reason"))
