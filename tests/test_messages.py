"""What refusals say: the nearest name, what must be given, and values that are not too long."""

import copy
import inspect
import pickle

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import LONGEST_SHOWN, InvalidArgument, UnknownName, shown

LINE = ww.Lorentzian(rate=2.0, centre=0.5, width=1.0)
LEAD = ww.Lead(0.0, 2.0, LINE)


@pytest.mark.parametrize(
    ("make", "name", "near"),
    [
        (lambda: ww.Flywheel((LEAD, LEAD), frequenzy=0.2), "frequenzy", "frequency"),
        (lambda: ww.Flywheel.paper(frequenzy=0.2), "frequenzy", "frequency"),
        (lambda: ww.FokkerPlanck(rtoll=1e-6), "rtoll", "rtol"),
        (lambda: ww.Langevin(duration=1.0, trajectores=8), "trajectores", "trajectories"),
        (lambda: ww.Lorentzian(rate=2.0, center=0.5, width=1.0), "center", "centre"),
        (lambda: ww.Lead(0.0, temprature=2.0, lineshape=LINE), "temprature", "temperature"),
        (lambda: ww.Saturable(4.0, saturaton=1.0), "saturaton", "saturation"),
        (lambda: ww.PowerGrid.chain(2, 4.0, 4.0, dampin=0.1), "dampin", "damping"),
        (lambda: ww.PowerGrid.paper(dampin=0.1), "dampin", "damping"),
        (lambda: ww.PowerGrid.lattice(2, 2, {}, {}, dampin=0.1), "dampin", "damping"),
        (lambda: ww.RotorEngine.paper(feld_cold=0.1), "feld_cold", "field_cold"),
        (lambda: ww.RotorStart(excited_cod=0.1), "excited_cod", "excited_cold"),
        (lambda: ww.Thermal(ocupation=1.0), "ocupation", "occupation"),
    ],
)
def test_a_misspelt_argument_names_the_nearest(make, name, near):
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert str(caught.value).startswith(f"`{name}` must be one of ")
    assert f"did you mean `{near}`?" in str(caught.value)


def test_an_unknown_argument_is_a_type_error_too():
    with pytest.raises(TypeError) as caught:
        ww.FokkerPlanck(rtoll=1e-6)
    assert type(caught.value) is UnknownName
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(TypeError, match=r"`bias` is derived .* `replace`"):
        ww.Flywheel((LEAD, LEAD), bias=1.0)
    with pytest.raises(TypeError, match="missing 1 required"):
        ww.Lead(0.0, 2.0)


def test_signatures_and_copies_are_as_they_were():
    assert list(inspect.signature(ww.Lead).parameters) == [
        "chemical_potential", "temperature", "lineshape",
    ]  # fmt: skip
    assert "sites" in inspect.signature(ww.PowerGrid.chain).parameters
    assert copy.deepcopy(LEAD) == pickle.loads(pickle.dumps(LEAD)) == LEAD


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ww.Lead(None, 2.0, LINE), "`chemical_potential` must be given, and be a real"),
        (lambda: ww.Lead(0.0, 2.0, None), "`lineshape` must be given, and be a line shape"),
        (lambda: ww.Flywheel(None), "`leads` must be given, and be a tuple of leads"),
        (lambda: ww.PowerGrid.chain(3, 4.0, 4.0, None), "`damping` must be given, and be a real"),
        (lambda: ww.PowerGrid(None, generators={}, engines={}), "`graph` must be given, and be a"),
        (lambda: ww.PowerGrid(nx.path_graph(2), generators=None, engines={}),
         "`generators` must be given, and map nodes"),
        (lambda: ww.Langevin(duration=None), "`duration` must be given, and be a real number"),
        (lambda: ww.FokkerPlanck(rtol=None), "`rtol` must be given, and be a real number"),
    ],
)  # fmt: skip
def test_what_is_none_must_be_given(make, message):
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert message in str(caught.value)
    assert "None" not in str(caught.value)


LONG = "x" * 5000


@pytest.mark.parametrize(
    "make",
    [
        lambda: ww.Lead(LONG, 2.0, LINE),
        lambda: ww.Lead(0.0, 2.0, LONG),
        lambda: ww.Flywheel(LONG),
        lambda: ww.Flywheel((LEAD, np.zeros((100, 100)))),
        lambda: ww.Flywheel.paper(LONG),
        lambda: ww.FokkerPlanck(rtol=LONG),
        lambda: ww.PowerGrid(LONG, generators={}, engines={}),
        lambda: ww.PowerGrid(nx.path_graph(2), generators={LONG: 1}, engines={}),
        lambda: ww.PowerGrid(nx.path_graph(2), generators={0: LONG}, engines={}),
        lambda: ww.PowerGrid(nx.Graph([(LONG, LONG + "y")]), generators={}, engines={}),
        lambda: ww.Thermal(LONG),
        lambda: ww.steady_state(ww.Flywheel.paper(), LONG),
        lambda: ww.sweep(ww.Flywheel.paper(), LONG),
        lambda: ww.sweep(ww.Flywheel.paper(), {"bias": LONG}),
        lambda: ww.sweep(ww.Flywheel.paper(), {"leads[0].x" + LONG: [1.0]}),
        lambda: ww.Flywheel.paper().replace(**{LONG: 1.0}),
        lambda: ww.FokkerPlanck(**{LONG: 1.0}),
    ],
)
def test_values_in_messages_are_cut(make):
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert len(str(caught.value)) < 600
    assert len(str(caught.value).splitlines()) == 1


def test_anything_can_be_shown():
    class Strange:
        def __repr__(self):
            raise RuntimeError

    assert shown("a" * 200) == "'" + "a" * (LONGEST_SHOWN - 2) + "…"
    assert shown(Strange()) == "of type Strange"
    assert shown(10**5000) == "of type int"
    assert "\n" not in shown(np.zeros((5, 5)))
