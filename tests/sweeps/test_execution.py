"""Whoever computes the points, and whoever of them dies, the numbers are the same."""

import itertools
import multiprocessing
import os
import sys
import threading
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest
from sweep_systems import Settled, Thermal, notes
from threadpoolctl import threadpool_info

from wheelwork.errors import InvalidArgument, ValidityWarning
from wheelwork.sweeps import (
    Processes,
    StoreError,
    WorkersLost,
    collect,
    status,
    sweep,
)
from wheelwork.sweeps.execution import processes
from wheelwork.sweeps.execution.workers import BATCH_SECONDS, GROWTH, LARGEST, BatchSize
from wheelwork.sweeps.export import same_numbers
from wheelwork.sweeps.point import Point

VALUES = {"frequency": np.linspace(0.1, 10.0, 60), "baths[0].temperature": [1.0, 2.0]}
MACHINE = Thermal(limit=9.5)


@pytest.fixture(scope="module")
def pool():
    """Two workers for all tests that do not kill them."""
    with Processes(2).start() as executor:
        yield executor


@pytest.fixture(scope="module")
def reference():
    return sweep(MACHINE, VALUES)


@dataclass(frozen=True)
class Odd:
    """A machine that does what its field says instead of settling."""

    doing: str = "nothing"
    x: float = 0.0

    def replace(self, **fields: Any) -> "Odd":
        return replace(self, **fields)

    def steady_state(self, method: Any = None) -> Settled:
        threads = 0.0
        if self.doing == "fault":
            raise AttributeError("a misspelt attribute")
        if self.doing == "strange fault":
            raise Unsendable(1, 2)
        if self.doing == "warn":
            warnings.warn("stretched", ValidityWarning, stacklevel=1)
        if self.doing == "count threads":
            np.ones((2, 2)) @ np.ones((2, 2))
            threads = float(max(library["num_threads"] for library in threadpool_info()))
        return Settled(MappingProxyType({"threads": threads}), {}, {})


class Unsendable(Exception):
    """An exception that pickle cannot make again."""

    def __init__(self, one, two):
        super().__init__(f"{one}, {two}")


class Immediate(Executor):
    """Computes on submission; what `spoil` names is lost."""

    def __init__(self, spoil=lambda batch: False):
        self.spoil, self.sizes = spoil, []

    def submit(self, function, /, *arguments, **options):
        future = Future()
        (batch,) = arguments
        self.sizes.append(len(batch.cases))
        if self.spoil(batch):
            future.set_exception(ConnectionError("worker gone"))
        else:
            future.set_result(function(batch))
        return future


def test_processes_give_the_same(pool, reference, tmp_path):
    assert same_numbers(sweep(MACHINE, VALUES, executor=pool), reference)
    kept = sweep(MACHINE, VALUES, executor=pool, store=tmp_path / "store")
    assert same_numbers(kept, reference)
    assert same_numbers(collect(tmp_path / "store"), reference)


def test_any_executor_gives_the_same(reference):
    with ThreadPoolExecutor(2) as threads:
        assert same_numbers(sweep(MACHINE, VALUES, executor=threads), reference)
    assert same_numbers(sweep(MACHINE, VALUES, executor=Immediate(), workers=3), reference)


def test_each_worker_has_one_thread(pool):
    dataset = sweep(Odd("count threads"), {"x": [1.0, 2.0]}, executor=pool)
    assert dataset.threads.values.tolist() == [1.0, 1.0]


def test_a_fault_of_the_code_is_seen_with_its_place(pool):
    with pytest.raises(AttributeError, match="misspelt") as caught:
        sweep(Odd("fault"), {"x": [1.0]}, executor=pool)
    assert "in steady_state" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Unsendable: 1, 2"):
        sweep(Odd("strange fault"), {"x": [1.0]}, executor=pool)


def test_warnings_of_workers_arrive(pool):
    with pytest.warns(ValidityWarning, match="stretched"):
        sweep(Odd("warn"), {"x": [1.0]}, executor=pool)


def test_functions_and_classes_of_the_program_are_sent_too(pool, spring):
    dataset = sweep(spring(before=lambda spring: None), {"stretch": [1.0]}, executor=pool)
    assert dataset.energy.values.tolist() == [1.0]


def test_a_machine_that_cannot_be_sent_is_refused(pool, spring):
    with pytest.raises(InvalidArgument, match="`machine` must be such that it can be sent"):
        sweep(spring(shape=threading.Lock()), {"stretch": [1.0]}, executor=pool)


def test_a_module_that_workers_cannot_import_is_named(pool, monkeypatch):
    module = ModuleType("only_here")
    monkeypatch.setitem(sys.modules, "only_here", module)
    module.Odd = type("Odd", (Odd,), {"__module__": "only_here"})
    with pytest.raises(InvalidArgument, match=r"workers can import its modules, .* 'only_here'"):
        sweep(module.Odd(), {"x": [1.0]}, executor=pool)


@pytest.mark.parametrize("own", [True, False])
def test_a_killed_worker_costs_nothing(own, reference, tmp_path):
    deaths = tmp_path / "deaths"
    deaths.write_text("once\n")
    lethal = float(VALUES["frequency"][30])
    machine = replace(MACHINE, lethal=lethal, deaths=str(deaths))
    context = multiprocessing.get_context("spawn")
    executor = Processes(2) if own else ProcessPoolExecutor(2, context)
    dataset = sweep(machine, VALUES, executor=executor, store=tmp_path / "store")
    assert notes(deaths) == []
    assert same_numbers(dataset.drop_attrs(deep=False), reference.drop_attrs(deep=False))
    if not own:
        executor.shutdown()


def test_a_point_that_always_kills_its_worker_is_named_and_not_stored(reference, tmp_path):
    deaths = tmp_path / "deaths"
    deaths.write_text("again\n" * 99)
    lethal = float(VALUES["frequency"][30])
    machine = replace(MACHINE, lethal=lethal, deaths=str(deaths))
    values = {"frequency": VALUES["frequency"]}
    dataset = sweep(machine, values, executor=Processes(2), store=tmp_path / "store")
    failure = dataset.failure.sel(frequency=lethal).item()
    assert failure.startswith("its worker was lost 3 times: SIGKILL ended it")
    assert int(dataset.failed.sum()) == 1 + int((values["frequency"] > 9.5).sum())
    assert status(tmp_path / "store").done == 59
    deaths.write_text("")
    healed = sweep(machine, values, store=tmp_path / "store")
    assert healed.failure.sel(frequency=lethal).item() == ""


def test_lost_batches_are_tried_point_by_point(reference):
    victim = 41
    executor = Immediate(lambda batch: victim in [case.index for case in batch.cases])
    dataset = sweep(MACHINE, VALUES, executor=executor, workers=1)
    failed = dataset.failure.values.ravel()
    assert failed[victim] == "its worker was lost 3 times: ConnectionError: worker gone"
    others = np.arange(failed.size) != victim
    np.testing.assert_array_equal(failed[others], reference.failure.values.ravel()[others])


def test_an_executor_that_loses_everything_is_given_up():
    with pytest.raises(WorkersLost, match="loses whatever it is given: ConnectionError") as lost:
        sweep(MACHINE, VALUES, executor=Immediate(lambda batch: True))
    assert "0 of 120 points are done" in str(lost.value)


def test_what_was_done_before_the_workers_were_lost_is_kept(tmp_path):
    lost = Immediate(lambda batch: batch.cases[-1].index >= 40)
    with pytest.raises(WorkersLost, match=r"points are stored in .* to go on") as caught:
        sweep(MACHINE, VALUES, executor=lost, workers=1, store=tmp_path / "store")
    done = status(tmp_path / "store").done
    assert 0 < done <= 40
    assert f"; {done} of 120 points" in str(caught.value)
    kept = collect(tmp_path / "store", partial=True).occupation
    np.testing.assert_array_equal(caught.value.dataset.occupation, kept)


def test_processes_that_cannot_begin_are_told_at_once(monkeypatch):
    monkeypatch.setattr(processes, "_begin_worker", partial(os._exit, 3))
    with pytest.raises(WorkersLost, match=r"no worker process could begin: .* exit code 3"):
        sweep(MACHINE, VALUES, executor=Processes(2))


def test_interrupted_with_workers_what_is_finished_is_kept(tmp_path):
    main = threading.get_ident()

    def interrupt(point):
        assert threading.get_ident() == main
        if point.index == 10:
            raise KeyboardInterrupt

    with (
        Processes(1).start() as executor,
        pytest.raises(KeyboardInterrupt, match="stored in") as caught,
    ):
        sweep(MACHINE, VALUES, executor=executor, store=tmp_path / "store", on_point=interrupt)
    assert caught.value.dataset.attrs["complete"] == 0
    assert status(tmp_path / "store").done >= 10
    assert sweep(MACHINE, VALUES, store=tmp_path / "store").attrs["complete"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"executor": 2}, "`executor` must be an Executor"),
        ({"executor": Immediate(), "workers": 0}, "`workers` must be at least 1"),
        ({"shard": (3, 2)}, "`shard` must be at most 2, but is 3"),
        ({"shard": (0, 2)}, "`number` must be at least 1"),
        ({"observables": "occupation"}, "`observables` must be a list of names"),
        ({"observables": ["ocupation"]}, "`observables` must be among .* names 'ocupation'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        sweep(MACHINE, VALUES, **arguments)


def test_full_disks_are_told_with_workers_too(pool, tmp_path):
    with pytest.raises(StoreError, match="cannot make the store"):
        sweep(MACHINE, VALUES, executor=pool, store="/proc/nowhere/store")


# ------------------------------------------------------------------ sizes of batches


def batch(count, seconds):
    return [Point(0, 1, {}, seconds=seconds)] * count


def test_batches_grow_to_their_time_and_no_further():
    size = BatchSize(workers=2)
    sizes = [size.next(10**9)]
    for _ in range(6):
        size.learn(batch(sizes[-1], 1e-3))
        sizes.append(size.next(10**9))
    assert sizes[0] == 1
    assert all(after <= GROWTH * before for before, after in itertools.pairwise(sizes))
    assert sizes[-1] == pytest.approx(BATCH_SECONDS / 1e-3, abs=1)
    size.learn(batch(5, 10.0))
    assert size.next(10**9) == 1
    for _ in range(9):
        size.learn(batch(5, 0.0))
    assert size.next(10**9) == LARGEST


def test_batches_get_smaller_at_the_end():
    size = BatchSize(workers=4)
    for _ in range(9):
        size.learn(batch(5, 1e-6))
    assert size.next(80) == 10
    assert size.next(3) == 1
