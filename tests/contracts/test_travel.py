"""Every public object travels: it is pickled, copied, and found again in a fresh process."""

import copy
import dataclasses
import importlib
import inspect
import os
import pickle
import pkgutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

import networkx as nx
import numpy as np
import pytest
from observed import observe_all, observed
from public_objects import CALLED, DEVICE, FIRST_RESULT, OBJECTS, made, public_classes

import wheelwork
import wheelwork as ww
from wheelwork import states, sweeps
from wheelwork._computed import Computed
from wheelwork._deferred import Deferred
from wheelwork.machines import power_grid
from wheelwork.results import Observable, Result, Series, Summary
from wheelwork.sweeps.execution import Work

TESTS = Path(__file__).parents[1]
# The open points of a sweep, with the store of this process; what stands for a module; bases and
# declarations, of which every state is made.
NOT_TO_TRAVEL = {Work, Deferred, Result, Series, Summary, Observable}
INPUTS = list(OBJECTS)[: list(OBJECTS).index(FIRST_RESULT)]
EQUATIONS = {
    "Lindblad", "Truncation", "GradedLindblad", "Link", "AmplitudeModel", "Search",
    "TwoSiteCurve", "Mirror",
}  # fmt: skip
COMPARED = [name for name in INPUTS if name not in EQUATIONS]  # matrices are compared by identity
LARGEST = 4_000_000  # bytes: what a message between processes should be at most
LONGEST_NAMES = 5_000  # bytes that the observables already read may add
ROUNDING = 1e-13  # of numbers that are computed again, relative
every_object = pytest.mark.parametrize("name", OBJECTS)

RELOAD = """
import pickle, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from observed import observe_all
from public_objects import CALLED, OBJECTS
objects, compared = pickle.loads(Path(sys.argv[1]).read_bytes())
equal = {name: (objects[name] == OBJECTS[name](), hash(objects[name]) == hash(OBJECTS[name]()))
         for name in compared}
Path(sys.argv[2]).write_bytes(pickle.dumps((observe_all(objects, CALLED), equal)))
"""


@pytest.fixture(scope="module")
def fresh():
    """All objects as bytes, before anything was read from them but what others were made of."""
    return {name: pickle.dumps(made(name)) for name in OBJECTS}


@pytest.fixture(scope="module")
def reloaded(fresh, tmp_path_factory):
    """What a process that has never seen the objects finds in them."""
    folder = tmp_path_factory.mktemp("travel")
    there, back = folder / "there", folder / "back"
    objects = {name: pickle.loads(data) for name, data in fresh.items()}
    there.write_bytes(pickle.dumps((objects, COMPARED)))
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", RELOAD, there, back, TESTS / "systems"],
        check=True, env=environment, timeout=120,
    )  # fmt: skip
    return pickle.loads(back.read_bytes())


def test_no_public_class_is_left_out():
    """A class that you add to a package's `__all__` gets an object in `public_objects.OBJECTS`."""
    seen = {type(made(name)) for name in OBJECTS} | NOT_TO_TRAVEL
    left_out = {
        each for each in public_classes() - seen if not getattr(each, "_is_protocol", False)
    }
    assert left_out == set()


def assert_same(one, other):
    """Equal; arrays up to rounding, as vector instructions depend on where an array begins."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_same(first, second)
    elif isinstance(one, np.ndarray) and one.dtype.kind in "fc":
        largest = float(np.max(np.abs(other), initial=0.0, where=np.isfinite(other)))
        np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING * largest)
    else:
        np.testing.assert_equal(one, other)


@every_object
def test_a_fresh_process_finds_the_same(name, reloaded):
    """With all that is computed only where it is read."""
    assert_same(reloaded[0][name], observe_all({name: made(name)}, CALLED)[name])


@every_object
def test_it_is_pickled_and_copied_after_use(name, fresh):
    """Whatever was computed in it by then; what can be computed again does not travel."""
    one = made(name)
    observe_all({name: one}, CALLED)
    before = observed(one, 1)
    travels = [lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(2, 6)]
    for travel in (*travels, copy.copy, copy.deepcopy):
        there = travel(one)
        assert type(there) is type(one)
        assert_same(observed(there, 1), before)
    size = len(pickle.dumps(one))
    assert size <= LARGEST
    assert size <= len(fresh[name]) + LONGEST_NAMES


@pytest.mark.parametrize("name", COMPARED)
def test_equal_inputs_are_equal_everywhere(name, reloaded):
    """Made twice, reloaded, and reloaded where hashes of text are others."""
    one, again = OBJECTS[name](), pickle.loads(pickle.dumps(made(name)))
    assert one == made(name) == again
    assert hash(one) == hash(made(name)) == hash(again)
    assert reloaded[1][name] == (True, True)


LINE = np.linspace(-6.0, 6.0, 7)
EQUAL = {
    "whole numbers": (ww.Saturable(4), ww.Saturable(4.0)),
    "numbers of NumPy": (ww.FokkerPlanck(np.float64(1e-5)), ww.FokkerPlanck(1e-5)),
    "signed zeros": (DEVICE.replace(bias=0.0), DEVICE.replace(bias=-0.0)),
    "arrays and lists": (ww.Tabulated(LINE, LINE**2), ww.Tabulated(list(LINE), list(LINE**2))),
    "guards of time": (ww.MeanField(time_limit=1.0), ww.MeanField()),
    "starts": (ww.Thermal(1), ww.Thermal(1.0)),
    "matrices": (
        states.FromDensityMatrix(np.diag([0.5, 0.5])),
        states.FromDensityMatrix([[0.5, 0.0], [-0.0, 0.5]]),
    ),
    "values of sweeps": (
        sweeps.Product({"a": [0, 1]}), sweeps.Product({"a": np.array([-0.0, 1.0])})
    ),
    "order of elements": tuple(
        ww.PowerGrid(
            nx.path_graph(3), generators=dict.fromkeys(nodes, ww.Saturable(1.0)), engines={},
            damping=1.0,
        )
        for nodes in ([0, 2], [2, 0])
    ),
    "attributes of graphs": tuple(
        ww.PowerGrid(nx.path_graph(2), generators={}, engines={}, damping=1.0, detuning=kind(2))
        for kind in (int, float)
    ),
}  # fmt: skip
DIFFERENT = {
    "values": (sweeps.Product({"a": [0.0]}), sweeps.Product({"a": [1.0]})),
    "kinds of values": (sweeps.Product({"a": [0.0]}), sweeps.Zipped({"a": [0.0]})),
    "matrices": (
        states.FromDensityMatrix(np.diag([1.0, 0.0])), states.FromDensityMatrix(np.diag([0.0, 1.0]))
    ),
    "graphs": tuple(
        power_grid.GridParameters(graph, generators={}, engines={}, damping=1.0)
        for graph in (nx.path_graph(3), nx.cycle_graph(3))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_equal_values_give_equal_hashes(name):
    one, other = EQUAL[name]
    assert one == other
    assert hash(one) == hash(other)
    assert {one: "found"}[other] == "found"


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_values_are_not_equal(name):
    one, other = DIFFERENT[name]
    assert one != other


def test_a_partial_result_travels_with_its_exception():
    reason = pickle.loads(pickle.dumps(made("NotConverged")))
    assert str(reason) == str(made("NotConverged"))
    assert reason.partial.phonon_number == made("NotConverged").partial.phonon_number
    assert not reason.partial.passed


def test_functions_of_a_notebook_travel_by_value():
    """As Dask and joblib send them: also functions that no module holds."""
    cloudpickle = pytest.importorskip("cloudpickle")
    grid = ww.PowerGrid(
        nx.path_graph(2), generators={0: (lambda n: 1.0 / (1.0 + n), lambda n: 0.0 * n)},
        engines={}, damping=0.1,
    )  # fmt: skip
    there = cloudpickle.loads(cloudpickle.dumps(grid))
    ours, theirs = (each.steady_state().branches[0].occupation for each in (grid, there))
    np.testing.assert_array_equal(theirs, ours)


def own_classes():
    """Every class of the library, public or not."""
    for each in pkgutil.walk_packages(wheelwork.__path__, "wheelwork."):
        members = vars(importlib.import_module(each.name)).values()
        yield from (c for c in members if inspect.isclass(c) and c.__module__ == each.name)


def test_every_class_that_keeps_values_leaves_them_at_home():
    """A class with a `cached_property` derives from `Computed`."""
    keeping = {
        kind for kind in own_classes()
        if any(isinstance(member, cached_property) for member in vars(kind).values())
    }  # fmt: skip
    assert {kind for kind in keeping if not issubclass(kind, Computed)} == set()


def is_array(annotation):
    """Whether it is an array, or may be one."""
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return get_origin(annotation) is np.ndarray or any(map(is_array, options))


def test_no_dataclass_compares_arrays():
    """NumPy refuses the truth of an array: such a class has eq=False, or an `__eq__` of its own."""
    comparing = {
        kind for kind in own_classes()
        if dataclasses.is_dataclass(kind) and kind.__dataclass_params__.eq
    }  # fmt: skip
    held = {
        (kind.__name__, each.name)
        for kind in comparing
        for each in dataclasses.fields(kind)
        if each.compare and is_array(each.type)
    }
    assert held == set()
