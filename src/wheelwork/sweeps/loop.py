"""A machine at many parameter values, as one labelled dataset."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import xarray as xr

from wheelwork.errors import InvalidArgument
from wheelwork.sweeps.cases import as_cases
from wheelwork.sweeps.columns import Columns
from wheelwork.sweeps.dataset import to_dataset
from wheelwork.sweeps.execution import Processes, Share, Work, compute, crew_of
from wheelwork.sweeps.identity import code_version, exact, own_code
from wheelwork.sweeps.nested import replace_at
from wheelwork.sweeps.point import Point, Task, checked_observables
from wheelwork.sweeps.provenance import provenance
from wheelwork.sweeps.store import Manifest, Store, prepare_store
from wheelwork.sweeps.store.folder import Ledger
from wheelwork.verbs import Labelled, Machine, State

NO_SEAL = bytes(32)


def sweep(
    machine: Machine[State],
    values: Any,
    method: Any = None,
    *,
    observables: Sequence[str] | None = None,
    store: str | Path | None = None,
    executor: Executor | Processes | None = None,
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    on_point: Callable[[Point], None] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Settle `machine` at every combination of `values` and return all numbers, labelled.

    values: a mapping of parameter names to values, (n,), in the machine's units, several spanning
    their product, the last varying fastest; or `Zipped`, values side by side; or a table, a list
    of mappings. Names are those of `machine.replace`, or lead into it: "leads[0].temperature".
    method: the algorithm, None the machine's direct one. observables: names to keep, None all.
    store: a folder in which every finished point is kept. Called again, the sweep goes on where it
    was ended, however that was; several processes may work on one store at once.
    executor: None to compute here; `Processes(n)`; or any concurrent.futures.Executor. workers:
    how many batches the executor computes at once, where it does not tell (see `Crew`).
    shard: (i, n), to compute the i-th of n equal parts only, counted from 1; the dataset then holds
    no more than that part for certain.
    on_point: called after each point in the order in which they finish, with `stored` set for
    those of the store. recipe: JSON material that a new store keeps for whoever resumes it.

    The dataset holds each observable with its `<name>_error`, and per point `failed`, `failure`
    and the audit; its attributes say how it was made. A point without a steady state, or short of
    its tolerance, is NaN with the reason in `failure`. Interrupted from the keyboard, or of a
    shard, it holds what is known, and the attribute `complete` is 0.

    Raises InvalidArgument, before anything is computed, where a name or the first values are not
    accepted, or the store holds another sweep; StoreError where the store cannot be written.
    """
    cases = as_cases(values)
    replace_at(machine, cases.parameters(0))  # a misspelt name ends here, not as n failed points
    task = Task(machine, method, checked_observables(observables))
    share = None if shard is None else Share.of_pair(shard)
    columns = Columns(len(cases))

    def receive(index: int, point: Point) -> None:
        columns.put(index, point)
        if on_point is not None:
            on_point(point)

    kept = kept_in(store, task, cases.describe(), recipe)
    seal = NO_SEAL if kept is None else kept.manifest.seal
    interruptible = contextlib.suppress(KeyboardInterrupt)
    with interruptible, ledger_of(kept, shard) as ledger, crew_of(task, executor, workers) as crew:
        compute(task, Work(cases, seal, receive, ledger, share), crew)
    attributes = provenance(machine, method) if kept is None else kept.manifest.attributes
    dataset = to_dataset(cases, columns, labels_of(machine))
    return dataset.assign_attrs(attributes, complete=int(columns.complete))


def labels_of(machine: Any) -> Mapping[str, tuple[str, str, str]]:
    """Return the labels of a machine that has any."""
    return machine.labels if isinstance(machine, Labelled) else {}


def kept_in(
    store: str | Path | None, task: Task, values: Any, recipe: Mapping[str, Any] | None
) -> Store | None:
    """Return the store for a task at `values` (JSON material), None where none is asked for."""
    if store is None:
        return None
    if not isinstance(store, str | Path) or not str(store):
        raise InvalidArgument(f"`store` must be the path of a folder, but is {store!r}")
    manifest = Manifest(
        identity_of(task, values),
        {name: list(label) for name, label in labels_of(task.machine).items()},
        provenance(task.machine, task.method),
        dict(recipe or {}),
    )
    return prepare_store(store, manifest)


def identity_of(task: Task, values: Any) -> dict[str, Any]:
    """Return all that decides on the numbers of a sweep, as JSON material.

    Raises InvalidArgument where the machine or method holds what cannot be written down.
    """
    kind = type(task.machine)
    return {
        "code": {**code_version(), **own_code(task.machine, task.method)},
        "machine_type": f"{kind.__module__}.{kind.__qualname__}",
        "machine": exact("machine", task.machine),
        "method": exact("method", task.method),
        "observables": list(task.observables) if task.observables is not None else None,
        "values": values,
    }


@contextlib.contextmanager
def ledger_of(store: Store | None, shard: tuple[int, int] | None = None) -> Iterator[Ledger | None]:
    """Take part in filling `store`, if there is one."""
    if store is None:
        yield None
        return
    with store.ledger(shard) as ledger:
        yield ledger
