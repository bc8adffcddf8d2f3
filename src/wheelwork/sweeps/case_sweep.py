"""A machine at many parameter values, as one labelled dataset."""

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from wheelwork._deferred import xr
from wheelwork.errors import InvalidArgument, shown
from wheelwork.methods.method import seconds
from wheelwork.numerics.progress import POINTS, progress_if
from wheelwork.numerics.work import Report, tell
from wheelwork.results import Labels
from wheelwork.sweeps.cases import as_cases
from wheelwork.sweeps.dataset import Columns, to_dataset
from wheelwork.sweeps.execution import Processes, Share, Work, compute, open_pool
from wheelwork.sweeps.identity import code_version, exact, own_code, provenance
from wheelwork.sweeps.names import label_at, replace_at
from wheelwork.sweeps.point import Point, Task, checked_observables
from wheelwork.sweeps.stopping import STOPS, load_datasets, sigterm_raised, with_dataset
from wheelwork.sweeps.store import Manifest, Store, prepare_store
from wheelwork.sweeps.store.folder import Ledger
from wheelwork.verbs import Labelled, Machine, State, require_machine

NO_SEAL = bytes(32)  # key of the points of a sweep without a store, as long as that of one with


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
    time_limit: float = math.inf,
    progress: bool | Report = False,
    on_point: Callable[[Point], None] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> "xr.Dataset":
    """Solve `machine` at every combination of `values` and return all numbers, labelled.

    values: a mapping of parameter names to values, (n,), in the machine's units, combined as a
    product, the last varying fastest; or `Zipped`, values side by side; or a table, a list of
    mappings. Names are those of `machine.replace`, or lead into it: "leads[0].temperature".
    method: the algorithm; None: the machine's direct one. observables: names to keep; None: all.
    store: a folder in which every finished point is saved. Called again, the sweep resumes where it
    stopped, for whatever reason; several processes may share a store.
    executor: None to compute in this process; `Processes(n)`; or any concurrent.futures.Executor.
    workers: number of batches that the executor runs at once, if it cannot be queried.
    shard: (i, n), to compute only the i-th of n equal parts, counted from 1; the dataset holds that
    part, and stored points of the others.
    time_limit: computing time of a point in seconds; no part of what identifies a store. A point
    that exceeds it fails, and is computed again by a sweep that resumes.
    progress: True to show how far it is, or a function (see `wheelwork.progress`).
    on_point: called after each point, in the order in which they finish, with `stored` set for
    points from the store. recipe: JSON material that a new store keeps for whoever resumes it.

    The dataset holds each observable with its `<name>_error`, an array (`array_observables` of the
    state) over its own dimensions, too, and per point `failed`, `failure`,
    `warning` (the ValidityWarnings) and the audit; its attributes record how it was computed. A
    point without a steady state is NaN with the reason in `failure`; one that did not converge
    keeps what was reached, with `failed` = 1 and `audit_passed` = 0, where its error has a
    `partial` result. A single undefined observable is NaN with the reason in `<name>_missing`.
    With `shard` the dataset holds the points known so far, and its attribute `complete` is 0; so
    does the attribute `dataset` of the exception that ends a sweep early: KeyboardInterrupt or
    WorkersLost.
    An exception that is no numerical failure, such as TypeError, is raised where no point
    has been computed yet; later it is the failure of its point, which is not stored.

    Raises InvalidArgument, before anything is computed, if a name or the first values are invalid,
    or the store holds another sweep; StoreError where the store cannot be written.
    """
    require_machine(machine, "replace", "steady_state")
    cases = as_cases(values)
    replace_at(machine, cases.parameters(0))  # raises here for a misspelt name, not at every point
    limit = seconds("time_limit", time_limit)
    task = Task(machine, method, checked_observables(observables), limit)
    share = None if shard is None else Share.of_pair(shard)
    columns = Columns(len(cases))

    def receive(index: int, point: Point) -> None:
        columns.put(index, point)
        tell_of(point, columns.known, len(cases))
        if on_point is not None:
            on_point(point)

    labels = labels_of(machine, cases.columns)
    opened = store_for(store, task, cases.describe(), labels, recipe)
    seal = NO_SEAL if opened is None else opened.manifest.seal
    attributes = provenance(machine, method) if opened is None else opened.manifest.attributes

    def kept() -> "xr.Dataset":
        dataset = to_dataset(cases, columns, labels, task.observables)
        return dataset.assign_attrs(attributes, complete=int(columns.complete))

    load_datasets()
    try:
        with (
            sigterm_raised(),
            ledger_of(opened, shard) as ledger,
            progress_if(progress),
            open_pool(task, executor, workers) as pool,
        ):
            tell(POINTS, 0, len(cases))
            compute(task, Work(cases, seal, receive, ledger, share), pool)
        return kept()
    except STOPS as reason:
        raise with_dataset(reason, kept(), f"{columns.kept} of {len(cases)}", store) from None


def tell_of(point: Point, done: float, total: float) -> None:
    """Tell how far a sweep is; stored points, which cost no time, are told with the next one."""
    if not point.stored or done == total:
        tell(POINTS, done, total)


def labels_of(machine: Any, names: Iterable[str]) -> Labels:
    """Return the labels of a machine that has any, and those of nested parameters in `names`."""
    labels = dict(machine.labels) if isinstance(machine, Labelled) else {}
    nested = {name: label_at(machine, name) for name in names if name not in labels}
    return labels | {name: label for name, label in nested.items() if label is not None}


def store_for(
    store: str | Path | None,
    task: Task,
    values: Any,
    labels: Labels,
    recipe: Mapping[str, Any] | None = None,
) -> Store | None:
    """Return the store for a task at `values` (JSON material), None if none is requested."""
    if store is None:
        return None
    if not isinstance(store, str | Path) or not str(store) or "\0" in str(store):
        raise InvalidArgument(f"`store` must be the path of a folder, but is {shown(store)}")
    made_by = provenance(task.machine, task.method)
    return prepare_store(
        store, Manifest(identity_of(task, values), labels, made_by, dict(recipe or {}))
    )


def identity_of(task: Task, values: Any) -> dict[str, Any]:
    """Return all that determines the numbers of a sweep, as JSON material.

    Raises InvalidArgument where the machine or method holds what cannot be written as text.
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


def ledger_of(
    store: Store | None, shard: tuple[int, int] | None = None
) -> AbstractContextManager[Ledger | None]:
    """Return a context with a ledger of `store`, None where there is none."""
    return contextlib.nullcontext() if store is None else store.ledger(shard)
