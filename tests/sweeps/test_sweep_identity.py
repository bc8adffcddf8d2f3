"""What a store must not take for the same, and what a sweep must not swallow."""

import io
import itertools
import json
import math
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import xarray as xr
from rich.console import Console
from store_tools import entries
from sweep_systems import Entry, Settled, Thermal

from wheelwork.cli.jobs import Execution, Job
from wheelwork.cli.run import run
from wheelwork.errors import InvalidArgument, ValidityWarning, WheelworkError
from wheelwork.papers.culhane_2022 import PRESENTATION
from wheelwork.papers.runs import Run
from wheelwork.sweeps import (
    Crossing,
    StoreError,
    Zipped,
    collect,
    identity,
    refine,
    status,
    sweep,
)
from wheelwork.sweeps.execution.workers import Batch, Case, compute_batch
from wheelwork.sweeps.export import same_numbers, write_netcdf
from wheelwork.sweeps.identity import point_key
from wheelwork.sweeps.point import Point, Task
from wheelwork.sweeps.store import open_store

FREQUENCY = {"frequency": [1.0, 2.0, 3.0]}


@dataclass(frozen=True)
class Probe:
    """y = 2x; raises `reason` instead, where there is one, or warns of it."""

    x: float = 0.0
    y: float = 0.0
    reason: Any = None
    extra: Any = None
    observables: Any = field(default_factory=dict)

    def replace(self, **fields: Any) -> "Probe":
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> Settled:
        if isinstance(self.reason, str):
            warnings.warn(self.reason, ValidityWarning, stacklevel=1)
        elif self.reason is not None:
            raise self.reason
        found: Mapping[str, float] = {"twice": 2.0 * self.x, **self.observables}
        return Settled(found, {"twice": math.nan}, {"sound": Entry(-math.nan, 1.0, True)})


# ------------------------------------------------------------------ what is not the same


OWN_MACHINE = """
import sys
from dataclasses import dataclass, replace
from wheelwork.sweeps import sweep

@dataclass(frozen=True)
class State:
    observables: dict
    errors: dict
    audit: dict

@dataclass(frozen=True)
class Own:
    x: float = 0.0

    def replace(self, **fields):
        return replace(self, **fields)

    def steady_state(self, method=None):
        return State({"y": 2.0 * self.x}, {}, {})

print(sweep(Own(), {"x": [1.0, 2.0]}, store=sys.argv[1]).y.values.tolist())
"""


def test_points_of_a_machine_whose_own_file_has_changed_are_not_used(tmp_path):
    def run():
        call = [sys.executable, str(tmp_path / "own.py"), str(tmp_path / "store")]
        return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)

    (tmp_path / "own.py").write_text(OWN_MACHINE)
    assert run().stdout == "[2.0, 4.0]\n"
    assert run().stdout == "[2.0, 4.0]\n"
    (tmp_path / "own.py").write_text(OWN_MACHINE.replace("2.0 * self", "3.0 * self"))
    changed = run()
    assert changed.stdout == ""
    assert "`store` must hold this sweep" in changed.stderr
    assert "code.file of __main__ is" in changed.stderr


def test_the_files_of_all_parts_count():
    class Part:
        pass

    found = identity.own_code(Probe(extra={"a": [Thermal(), 1.0]}), Part())
    assert set(found) == {f"file of {kind.__module__}" for kind in (Probe, Thermal)}
    assert identity.own_code(1.0, np.zeros(3), "text", None) == {}


def test_a_machine_without_a_file_is_not_kept(tmp_path):
    space: dict[str, Any] = {"__name__": "typed_in"}
    exec("class Typed:\n    pass\n", space)
    with pytest.raises(InvalidArgument, match=r"classes defined in files .* Typed"):
        sweep(Probe(extra=space["Typed"]()), {"x": [1.0]}, store=tmp_path / "store")


class Colour(Enum):
    RED = 1
    BLUE = 2


@pytest.mark.parametrize(
    "value",
    [
        scipy.sparse.csr_array(np.eye(3)),
        xr.DataArray(np.arange(5000.0)),
        np.random.default_rng(1),
        {1.0, 2.0},
        np.sin,
    ],
)
def test_what_does_not_show_all_it_holds_is_not_kept(tmp_path, value):
    with pytest.raises(InvalidArgument, match="`machine` must consist of values that can be writ"):
        sweep(Probe(extra=value), {"x": [1.0]}, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Colour.RED, Colour.BLUE),
        (1.0 + 2.0j, 1.0 - 2.0j),
        (np.longdouble(1) / 3, np.longdouble(1) / 3 + np.longdouble(1e-18)),
        (np.random.SeedSequence(1), np.random.SeedSequence(2)),
    ],
)
def test_what_shows_all_it_holds_is_told_apart(one, other):
    if isinstance(one, np.longdouble) and one == other:
        pytest.skip("long double is double here")
    assert identity.exact("x", one) == identity.exact("x", one)
    assert identity.exact("x", one) != identity.exact("x", other)


def test_names_in_another_order_are_another_sweep(tmp_path):
    one = {"x": [0.0, 1.0], "y": [5.0, 6.0, 7.0]}
    sweep(Probe(), one, store=tmp_path / "store")
    with pytest.raises(InvalidArgument, match=r"values\.order is"):
        sweep(Probe(), dict(reversed(one.items())), store=tmp_path / "store")


def test_workers_of_another_version_compute_nothing():
    task, case = Task(Thermal()), Case("key", 0, {"frequency": 1.0})
    here = identity.code_version()
    assert len(compute_batch(Batch(task, [case], 1, -1, here)).points) == 1
    outcome = compute_batch(Batch(task, [case], 1, -1, here | {"numpy": "99.0"}))
    assert outcome.points == ()
    assert isinstance(outcome.fault, WheelworkError)
    assert "workers must have the versions" in str(outcome.fault)


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    "column",
    [
        ["1", "2"],
        [True, False],
        np.array(["2020"], dtype="datetime64[s]"),
        np.ma.masked_array([1.0, 2.0], [False, True]),
    ],
)
def test_what_is_no_number_is_refused(column):
    with pytest.raises(InvalidArgument, match="`x` must be an array of real numbers"):
        sweep(Probe(), {"x": column})


@pytest.mark.parametrize("kind", [list, np.array])
def test_integers_that_would_be_rounded_are_refused(kind):
    with pytest.raises(InvalidArgument, match="double precision can, but holds 9007199254740993"):
        sweep(Probe(), {"x": kind([2**53 + 1, 2**53])})
    assert sweep(Probe(), {"x": kind([2**53])}).twice.item() == 2.0**54


def test_numbers_of_any_kind_are_the_same_sweep(tmp_path):
    kinds = ([1, 2], (1.0, 2.0), np.float32([1, 2]), np.int64([1, 2]), range(1, 3))
    found = [sweep(Probe(), {"x": kind}, store=tmp_path / "store") for kind in kinds]
    assert all(same_numbers(one, other) for one, other in itertools.pairwise(found))
    assert status(tmp_path / "store").done == 2


def test_nothing_and_minus_nothing_are_two_points(tmp_path):
    values = {"x": [0.0, -0.0, 1.0]}
    sweep(Probe(), values, store=tmp_path / "store", shard=(1, 2))
    found = status(tmp_path / "store")
    assert (found.total, found.done, found.complete) == (3, 2, False)
    whole = sweep(Probe(), values, store=tmp_path / "store")
    assert np.signbit(whole.twice.values).tolist() == [False, True, False]
    assert same_numbers(collect(tmp_path / "store"), whole)


@pytest.mark.parametrize("name", ["check", "failed", "failure", "audit_ok"])
def test_names_that_the_dataset_needs_are_refused(name):
    with pytest.raises(InvalidArgument, match=f"must not name a parameter `{name}`"):
        Zipped({name: [1.0]})


# ------------------------------------------------------------------ observables and failures


def test_observables_may_come_from_anything_that_can_be_gone_through():
    found = sweep(Thermal(), FREQUENCY, observables=(name for name in ["entropy"]))
    assert "entropy" in found
    assert "occupation" not in found
    assert "audit_ok" in sweep(Thermal(), FREQUENCY, observables=[])
    with pytest.raises(InvalidArgument, match="`observables` must be a list of names, but is 3"):
        sweep(Thermal(), FREQUENCY, observables=3)


def test_all_nan_are_one_so_that_stored_ones_are_the_same_bit_for_bit(tmp_path):
    machine = Probe(observables={"strange": -math.nan})
    computed = sweep(machine, {"x": [1.0]}, store=tmp_path / "store")
    read = sweep(machine, {"x": [1.0]}, store=tmp_path / "store")
    assert same_numbers(computed, read)
    assert same_numbers(computed, collect(tmp_path / "store"))


def test_a_lack_of_memory_is_reported_and_tried_again(tmp_path):
    task = sweep(Probe(reason=MemoryError("full")), {"x": [1.0]}, store=tmp_path / "store")
    assert task.failure.values.tolist() == ["MemoryError: full"]
    assert task.failed.values.tolist() == [1]
    assert status(tmp_path / "store").done == 0


def test_a_failure_in_any_words_fits_in_a_file(tmp_path):
    found = sweep(Probe(reason=ValueError("böse\n\udcff\0 end")), {"x": [1.0]})
    write_netcdf(found, tmp_path / "found.nc")
    with xr.open_dataset(tmp_path / "found.nc") as read:
        assert read.failure.values.tolist() == ["ValueError: böse ? end"]


def test_of_a_point_stored_twice_the_first_counts_whole(tmp_path):
    sweep(Probe(), {"x": [1.0]}, store=tmp_path / "store")
    whole, store = collect(tmp_path / "store"), open_store(tmp_path / "store")
    (key,) = [entry["point"] for entry in entries(tmp_path / "store") if "point" in entry]
    (first,) = store.journals()
    first.rename(first.with_name("aaa.journal"))
    with store.ledger() as ledger:
        ledger.append([Point(0, 1, {"x": 1.0}, failure="NotConverged: no").entry(key)])
    assert store.journals()[0].name == "aaa.journal"
    assert same_numbers(collect(tmp_path / "store"), whole)


def test_a_refinement_cut_short_says_so():
    def interrupt_at(count):
        seen = itertools.count(1)

        def on_point(point):
            if next(seen) == count:
                raise KeyboardInterrupt

        return on_point

    def found(**more):
        return refine(Probe(), {"x": [0.0, 1.0]}, Crossing("twice", 1.0), 0.01, **more)

    assert found().attrs["complete"] == 1
    for count in range(1, found().sizes["point"]):
        with pytest.raises(KeyboardInterrupt) as stopped:
            found(on_point=interrupt_at(count))
        assert stopped.value.dataset.attrs["complete"] == 0
    with pytest.raises(KeyboardInterrupt, match="0 points are done"):
        refine(Probe(reason=KeyboardInterrupt()), {"x": [0.0, 1.0]}, Crossing("twice"), 0.1)


def test_a_removed_journal_is_told(tmp_path):
    def remove(point):
        for path in (tmp_path / "store" / "journals").iterdir():
            path.unlink()

    with pytest.raises(StoreError, match="its journal was removed"):
        sweep(Probe(), {"x": [1.0, 2.0]}, store=tmp_path / "store", on_point=remove)


# ------------------------------------------------------------------ arguments


@pytest.mark.parametrize("shard", ["1/2", (1,), (1, 2, 3), 1])
def test_a_shard_is_a_pair(shard):
    with pytest.raises(InvalidArgument, match=r"`shard` must be a pair \(i, n\)"):
        sweep(Thermal(), FREQUENCY, shard=shard)


@pytest.mark.parametrize("store", ["", 3, False])
def test_a_store_is_a_path(store):
    with pytest.raises(InvalidArgument, match="`store` must be the path of a folder"):
        sweep(Thermal(), FREQUENCY, store=store)


@dataclass(frozen=True)
class Halting(Probe):
    """A machine at which one presses Ctrl-C when x is -0."""

    def steady_state(self, method: Any = None) -> Settled:
        if math.copysign(1.0, self.x) < 0.0:
            raise KeyboardInterrupt
        return Probe.steady_state(self, method)


def summary_of(tmp_path, machine, **how):
    """Exit code and JSON of the command line for a machine."""
    values = np.array([0.0, 1.0, 2.0, -0.0])
    job = Job(Run(machine, "x", values, None, PRESENTATION, "probe"), tmp_path / "out")
    with (tmp_path / "out.json").open("w") as file:
        code = run(
            job, Console(file=file), Console(file=io.StringIO()), Execution(json=True, **how)
        )
    return code, json.loads((tmp_path / "out.json").read_text())


def test_a_shard_passes_warnings_on(tmp_path):
    how = {"store": tmp_path / "store", "shard": "2/2"}
    code, summary = summary_of(tmp_path, Probe(reason="at its limit"), **how)
    assert code == 0
    assert (summary["warnings"], summary["done"]) == (["at its limit"], 2)


def test_a_shard_without_its_minus_nothing_is_not_done(tmp_path):
    how = {"store": tmp_path / "store", "shard": "2/2"}
    code, summary = summary_of(tmp_path, Halting(), **how)
    assert (code, summary["done"]) == (130, 1)


def test_an_interrupt_before_the_first_point_gives_json_too(tmp_path):
    code, summary = summary_of(tmp_path, Probe(reason=KeyboardInterrupt()))
    assert code == 130
    assert (summary["done"], summary["complete"], summary["files"]) == (0, False, [])


def test_half_a_process_is_refused():
    with pytest.raises(InvalidArgument, match=r"`--workers` must be an integer, but is 1\.5"):
        Execution(workers=1.5).checked()
    processes = Execution(workers=2.0).checked().executor()
    assert processes is not None
    assert processes.workers == 2


def test_a_name_that_utf_8_cannot_hold_identifies_its_point():
    one, other = ({f"engines[{node}].rate": 1.0} for node in ("\ud800", "\ud801"))
    assert point_key(bytes(32), one) != point_key(bytes(32), other)
