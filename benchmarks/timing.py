"""How the benchmarks time: from cold, labelled, and side by side with what they compare to.

Everything written here into `benchmark.extra_info` is read by `summary.py`.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

from pytest_benchmark.fixture import BenchmarkFixture

from wheelwork.phase_space import discretisation
from wheelwork.states import polar

Work = Callable[[], object]


def forget() -> None:
    """Empty the few tables of pure numbers that wheelwork keeps for a process."""
    discretisation._weights.cache_clear()
    polar._panel.cache_clear()


def measure(
    benchmark: BenchmarkFixture,
    label: str,
    work: Callable[..., object],
    *,
    fresh: Callable[[], tuple[Any, ...]] = tuple,
    rounds: int = 10,
    target: float | None = None,
) -> Any:
    """Time `work(*fresh())`, the arguments made anew and untimed for each round; return its result.

    target: seconds that the median is held against in the summary.
    """

    def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
        forget()
        return fresh(), {}

    benchmark.extra_info |= {"label": label, "target": target}
    return benchmark.pedantic(  # type: ignore[no-untyped-call]
        work, setup=setup, rounds=rounds, warmup_rounds=1
    )


def compare(
    benchmark: BenchmarkFixture,
    work: Work,
    other: Work,
    *,
    labels: tuple[str, str],
    note: str = "",
    scale: float = 1.0,
    rounds: int = 5,
    repeats: int = 1,
) -> None:
    """Time `work` and `other` in turn, so that whatever slows the machine slows both.

    labels: of `work` and of `other`. note: what to know about `other`. scale: factor from the
    time of `other` to what is reported for it; anything but one is an extrapolation. repeats: of
    `work` in each turn, where it takes so much less time that what `other` left in the caches
    would count.
    """
    seconds: list[float] = []
    calls = itertools.count()

    def setup() -> None:
        if next(calls) % repeats == 0:
            start = time.perf_counter()
            other()
            seconds.append(time.perf_counter() - start)
        forget()

    other()  # warm, as `work` is
    work()
    benchmark.pedantic(work, setup=setup, rounds=rounds * repeats)  # type: ignore[no-untyped-call]
    benchmark.extra_info |= {
        "label": labels[0],
        "other": labels[1],
        "other_seconds": scale * statistics.median(seconds),
        "extrapolated": scale != 1.0,
        "note": note,
    }
