"""What public objects print: short, whatever they hold, and how parameters were given."""

import networkx as nx
import numpy as np
import pytest
from public_objects import DEVICE, OBJECTS, made

import wheelwork as ww
from wheelwork import lindblad, phase_space, states, sweeps
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid import EdgeNumbers
from wheelwork.thermodynamics import population_inversion

LONGEST = 2_000  # characters: a screen, as are those of a notebook without their marks
LONGEST_HTML = 4_000
MANY = 10_000
NODES = 200


def large_grid():
    return ww.PowerGrid(
        nx.path_graph(NODES),
        generators={i: ww.Saturable(4.0) for i in range(0, NODES, 2)},
        engines={i: ww.Saturable(2.0) for i in range(1, NODES, 2)},
        damping=dict.fromkeys(range(NODES), 1e-2),
    )


def long_line():
    w = np.linspace(-6.0, 6.0, MANY)
    return ww.Tabulated(w, np.exp(-(w**2)) * (36.0 - w**2))


def large_equation(levels=NODES):
    a = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    return lindblad.Lindblad(a.T @ a, [a] * 50)


def long_model():
    edges = tuple(float(x) for x in range(MANY))
    return phase_space.PhaseSpaceModel(np.sin, 1.0, 1.0, ("one", "other"), edges)


LARGE = {
    "grid of 200 nodes": large_grid,
    "graph of 200 nodes": lambda: large_grid().graph,
    "its amplitude model": lambda: large_grid().amplitude_model,
    "its current": lambda: EdgeNumbers(
        {(i, i + 1): i for i in range(NODES - 1)}, np.ones(NODES - 1), np.ones(NODES - 1)
    ),
    "line of 10,000 points": long_line,
    "its landmarks": lambda: long_line().landmarks,
    "lead of it": lambda: ww.Lead(0.0, 1.0, long_line()),
    "flywheel of it": lambda: ww.Flywheel([ww.Lead(0.0, 1.0, long_line())] * 2, force=0.1),
    "model of 10,000 landmarks": long_model,
    "coefficients at 1,000 points": lambda: DEVICE.coefficients(np.linspace(-1.0, 1.0, 1000)),
    "density matrix": lambda: states.FromDensityMatrix(np.eye(NODES) / NODES),
    "equation of 50 jumps": large_equation,
    "link of 10,000 states": lambda: graded.Link(
        np.arange(MANY), np.ones((1, MANY)), np.ones((1, MANY))
    ),
    "inversion": lambda: population_inversion(np.arange(1.0, MANY)),
    "values of a sweep": lambda: sweeps.Product({"bias": np.arange(1e5), "force": np.arange(1e5)}),
    "point of a sweep": lambda: sweeps.Point(
        0, 1, {f"p{i}": 1.0 for i in range(50)}, {f"o{i}": 1.0 for i in range(MANY)}, {}, {}
    ),
}  # fmt: skip
ALL = {**OBJECTS, **LARGE}


def thing(name):
    return LARGE[name]() if name in LARGE else made(name)


@pytest.mark.parametrize("name", ALL)
def test_printouts_are_short(name):
    one = thing(name)
    for text in (repr(one), str(one)):
        assert len(text) <= LONGEST
        assert " at 0x" not in text
    html = getattr(one, "_repr_html_", str)()
    assert len(html) <= LONGEST_HTML
    assert " at 0x" not in html


@pytest.mark.parametrize(
    "name",
    [
        "Lorentzian", "WideBand", "Semicircle", "RotorEngine", "RotorParameters", "Saturable",
        "FokkerPlanck", "EnergyDiffusion", "Langevin", "EulerMaruyama", "MeanField",
        "MasterEquation", "QuantumJumps", "LocalMasterEquation", "GlobalMasterEquation", "SparseLU",
        "Krylov", "Exponential", "ExplicitSteps", "ImplicitSteps", "Ground", "Thermal", "Coherent",
        "Cat", "RotorStart", "Processes", "Crossing", "Change", "Verdict",
    ],
)  # fmt: skip
def test_a_printout_of_parameters_makes_them_again(name):
    names = {kind.__name__: kind for kind in (type(made(each)) for each in OBJECTS)}
    assert eval(repr(made(name)), names) == made(name)
