"""Observables with dimensions of their own, in sweeps, stores and tables."""

import pickle
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from store_tools import entries

from wheelwork.errors import InvalidArgument, NoSteadyState
from wheelwork.numerics.labelled import Axis, LabelledArray, keys_of
from wheelwork.results import Result, Series, observable
from wheelwork.sweeps import Change, Processes, collect, refine, sweep
from wheelwork.sweeps.export import same_numbers, to_table, write_csv, write_netcdf

VALUES = {"hopping": np.linspace(0.1, 2.0, 5)}


@dataclass(frozen=True)
class Ring:
    """Sites whose quanta can be worked out by hand; there is no state above `limit`."""

    hopping: float = 1.0
    sites: int = 3
    limit: float = 1e9

    def replace(self, **fields: Any) -> "Ring":
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> "RingState":
        if self.hopping > self.limit:
            raise NoSteadyState("too fast")
        return RingState(self, method)


@dataclass(frozen=True, repr=False)
class RingState(Result):
    machine: Ring
    method: Any = None

    audit = property(lambda self: {})

    @property
    def axes(self):
        return {"part": Axis("part", ("real", "imaginary"))}

    @observable("N", "1", "quanta in all")
    def total(self):
        return float(sum(self.quanta.values()))

    @observable("n", "1", "quanta by site", over="site", error=lambda state: 1e-9)
    def quanta(self):
        return {
            (0, site): self.machine.hopping / (site + 3.0) for site in range(self.machine.sites)
        }

    @observable("c", "rate", "coherences", over=("site_pair", "part"), key="coherence")
    def coherences(self):
        pairs = np.arange(1.0, self.machine.sites)
        return np.stack([pairs / 7.0, -self.machine.hopping * pairs / 3.0], axis=1)

    @observable("g", "1", "gaps", over="part")
    def gaps(self):
        if self.machine.hopping > 1.0:
            raise InvalidArgument("there is no gap\nbeyond 1")
        return np.array([1.0, np.nan])


def test_arrays_stand_over_the_parameters_and_their_own_dimensions():
    dataset = sweep(Ring(), VALUES)
    assert dataset.quanta.dims == ("hopping", "site")
    assert dataset.coherence.dims == ("hopping", "site_pair", "part")
    assert dataset.quanta.attrs == {"symbol": "n", "units": "1", "long_name": "quanta by site"}
    assert dataset.quanta_error.attrs["units"] == "1"
    assert np.all(dataset.quanta_error == 1e-9)
    assert "coherence_error" not in dataset
    np.testing.assert_array_equal(dataset.quanta.sel(site="(0, 1)"), VALUES["hopping"] / 4.0)
    np.testing.assert_allclose(dataset.quanta.sum("site"), dataset.total)
    imaginary = dataset.coherence.sel(part="imaginary", site_pair=1)
    np.testing.assert_array_equal(imaginary, -VALUES["hopping"] * 2.0 / 3.0)
    assert keys_of(dataset.site) == ((0, 0), (0, 1), (0, 2))


def test_a_state_has_the_same_arrays_as_a_sweep():
    state = Ring().steady_state().to_xarray()
    dataset = sweep(Ring(), {"hopping": [1.0]}).isel(hopping=0, drop=True)
    for name in ("quanta", "quanta_error", "coherence", "gaps", "gaps_missing"):
        assert dataset[name].identical(state[name])


@dataclass(frozen=True, repr=False)
class RingInTime(Series):
    states: tuple
    kind = RingState
    results = property(lambda self: self.states)
    times = property(lambda self: np.arange(float(len(self.states))))


def test_an_evolution_has_arrays_over_time():
    states = tuple(Ring(hopping).steady_state() for hopping in (0.5, 2.0))
    dataset = RingInTime(states).to_xarray()
    assert dataset.quanta.dims == ("time", "site")
    np.testing.assert_array_equal(dataset.quanta[:, 1], [0.125, 0.5])
    assert dataset.gaps_missing.values[1] == "there is no gap\nbeyond 1"
    dataset = RingInTime(()).to_xarray()
    assert dataset.sizes["time"] == 0


def test_why_numbers_are_missing():
    dataset = sweep(Ring(limit=1.9), VALUES)
    assert dataset.gaps_missing.values.tolist() == [
        *["`gaps` is not defined for this state"] * 2,
        *["there is no gap beyond 1"] * 2,
        "",
    ]
    assert dataset.failure.values[-1] == "NoSteadyState: too fast"
    assert np.isnan(dataset.quanta[-1]).all()
    assert not np.isnan(dataset.quanta[:-1]).any()


def test_observables_are_chosen_by_name():
    dataset = sweep(Ring(), VALUES, observables=["quanta"])
    assert "quanta_error" in dataset
    assert not {"coherence", "total", "site_pair"} & set(dataset.variables)
    with pytest.raises(
        InvalidArgument, match=r"among total, quanta, coherence, gaps, but .*'flow'"
    ):
        sweep(Ring(), VALUES, observables=["flow"])


def test_a_store_keeps_every_bit(tmp_path):
    reference = sweep(Ring(limit=1.5), VALUES)
    half = {"hopping": VALUES["hopping"]}
    sweep(Ring(limit=1.5), half, store=tmp_path / "store", shard=(1, 2))
    resumed = sweep(Ring(limit=1.5), VALUES, store=tmp_path / "store")
    assert same_numbers(resumed, reference)
    assert same_numbers(collect(tmp_path / "store"), reference)
    write_netcdf(resumed, tmp_path / "one.nc")
    with xr.open_dataset(tmp_path / "one.nc") as read:
        xr.testing.assert_equal(read.load(), reference)
        assert keys_of(read.site) == keys_of(reference.site)


def test_workers_send_arrays(tmp_path):
    points = []
    reference = sweep(Ring(), VALUES, on_point=points.append)
    again = pickle.loads(pickle.dumps(points))
    assert again[2].arrays["quanta"].values.tobytes() == points[2].arrays["quanta"].values.tobytes()
    assert again[2].arrays["quanta"].axes == points[2].arrays["quanta"].axes
    assert same_numbers(sweep(Ring(), VALUES, executor=Processes(1)), reference)


def test_machines_of_different_sizes_are_filled_up_with_a_reason(tmp_path):
    dataset = sweep(Ring(), {"sites": [2, 4]}, store=tmp_path / "store")
    assert keys_of(dataset.site) == ((0, 0), (0, 1), (0, 2), (0, 3))
    assert np.isnan(dataset.quanta.values).tolist() == [[False, False, True, True], [False] * 4]
    assert dataset.quanta_missing.values.tolist() == [
        "there is no site (0, 2), (0, 3) at this point",
        "",
    ]
    assert dataset.coherence.shape == (2, 3, 2)
    assert same_numbers(collect(tmp_path / "store"), dataset)


def test_refinement_keeps_arrays():
    found = refine(Ring(limit=1.2), {"hopping": [0.5, 2.0]}, Change("total"), 0.5)
    assert found.quanta.dims == ("point", "site")


def test_tables_have_a_column_for_every_key(tmp_path):
    dataset = sweep(Ring(), VALUES)
    table = to_table(dataset)
    np.testing.assert_array_equal(table["quanta[(0, 1)]"], dataset.quanta.values[:, 1])
    np.testing.assert_array_equal(
        table["coherence[1, imaginary]"], dataset.coherence.values[:, 1, 1]
    )
    write_csv(dataset, tmp_path / "table.csv")
    assert '"quanta[(0, 1)]"' in (tmp_path / "table.csv").read_text()


@dataclass(frozen=True)
class ByHand:
    """A machine whose states are not built on `Result`; its array has a dimension "x"."""

    x: float = 1.0
    y: float = 1.0

    observables = errors = audit = property(lambda self: {})

    def replace(self, **fields):
        return replace(self, **fields)

    def steady_state(self, method=None):
        return self

    @property
    def array_observables(self):
        return {"profile": LabelledArray.of(("x",), np.array([self.x, self.y]))}


def test_a_state_made_by_hand_may_have_arrays():
    dataset = sweep(ByHand(), {"y": [2.0, 3.0]})
    assert dataset.profile.values.tolist() == [[1.0, 2.0], [1.0, 3.0]]


def test_a_dimension_named_like_a_parameter_is_refused():
    with pytest.raises(InvalidArgument, match=r"`profile` must not be kept .* has a `x` itself"):
        sweep(ByHand(), {"x": [2.0, 3.0]})


@pytest.mark.filterwarnings("error")
def test_two_hundred_nodes_at_a_hundred_points_are_kept_in_full(tmp_path):
    values = {"hopping": np.linspace(0.1, 2.0, 100)}
    dataset = sweep(Ring(sites=200), values, store=tmp_path / "store")
    assert dataset.quanta.shape == (100, 200)
    (first, *_) = (entry for entry in entries(tmp_path / "store") if "point" in entry)
    assert len(first["arrays"]["quanta"]["values"]) == 200
    assert same_numbers(collect(tmp_path / "store"), dataset)
