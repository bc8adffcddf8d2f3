"""How a job is carried out: where its points are kept, who computes them, what is said."""

import contextlib
import importlib
import re
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from wheelwork._checks import integer
from wheelwork.errors import InvalidArgument
from wheelwork.sweeps import Processes


@Parameter(name="*")
@dataclass(frozen=True)
class Execution:
    """Options of every command that computes.

    Parameters
    ----------
    store
        Folder in which every finished point is kept: run again, or resumed, the job goes on where
        it ended, however it ended. Several processes may work on one store.
    workers
        Number of processes on this machine.
    scheduler
        Address of a Dask scheduler, such as tcp://127.0.0.1:8786 (extra `dask`).
    shard
        i/n: compute the i-th of n equal parts only, counted from 1, into the store.
    json
        Print one JSON object at the end instead of bar and table.
    quiet
        Print errors only.
    """

    store: Path | None = None
    workers: float | None = None
    scheduler: str | None = None
    shard: str | None = None
    json: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False

    def checked(self) -> "Execution":
        """Return this; raises InvalidArgument where options contradict each other."""
        if self.executor() is not None and self.scheduler is not None:
            raise InvalidArgument(
                f"`--workers` must not be given together with `--scheduler`, but is {self.workers}"
            )
        if self.part is not None and self.store is None:
            raise InvalidArgument(
                f"`--shard` must be used with `--store`, but is {self.shard!r} without"
            )
        return self

    def executor(self) -> Processes | None:
        """Return the processes asked for, None for this one."""
        if self.workers is None:
            return None
        return Processes(integer("--workers", whole(self.workers), 1))

    @property
    def part(self) -> tuple[int, int] | None:
        """The shard as (i, n)."""
        if self.shard is None:
            return None
        match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", self.shard)
        if match is None or int(match[1]) > int(match[2]):
            raise InvalidArgument(
                f"`--shard` must read i/n with i from 1 to n, but is {self.shard!r}"
            )
        return int(match[1]), int(match[2])

    @property
    def talks(self) -> bool:
        """Whether tables and bars are shown."""
        return not (self.json or self.quiet)


def whole(number: float) -> float:
    """Return a whole number as an int: the parser itself would cut 2.5 to 2 in silence."""
    return int(number) if float(number).is_integer() else number


@contextlib.contextmanager
def executor_of(how: Execution) -> Iterator[tuple[Executor | Processes | None, int | None]]:
    """Yield who computes, and how many workers it has where it does not tell."""
    if how.scheduler is None:
        yield how.executor(), None
        return
    with _connected(how.scheduler) as client, client.get_executor() as executor:
        yield executor, max(1, sum(client.nthreads().values()))


def _connected(address: str) -> Any:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InvalidArgument(
            "`--scheduler` needs Dask, which is not installed: pip install 'wheelwork[dask]'"
        ) from None
    try:
        return distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as reason:
        raise InvalidArgument(
            f"`--scheduler` must be the address of a Dask scheduler, but is {address!r}: {reason}"
        ) from None
