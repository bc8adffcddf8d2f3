"""Print what a benchmark run found: python benchmarks/summary.py RUN.json."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 118  # of a table that goes to a file or a pipe


def seconds(value: float) -> str:
    """Three digits with a unit."""
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def timings(cases: list[dict[str, Any]]) -> Table:
    """Median and best of every case, against its target."""
    table = Table("case", "median", "best", "target", title="one core, from cold", box=None)
    for case in cases:
        info, stats = case["extra_info"], case["stats"]
        table.add_row(info["label"], seconds(stats["median"]), seconds(stats["min"]), _target(case))
    return table


def _target(case: dict[str, Any]) -> str:
    target = case["extra_info"].get("target")
    if target is None:
        return ""
    return f"{seconds(target)}: {'met' if case['stats']['median'] <= target else 'MISSED'}"


def comparisons(cases: list[dict[str, Any]]) -> Table:
    """Medians of each pair that was timed in turn, and their ratio."""
    table = Table("", "its median", "wheelwork", "ratio", "", title="timed in turn", box=None)
    previous = ""
    for case in cases:
        info, own = case["extra_info"], case["stats"]["median"]
        if info["label"] != previous:
            previous = info["label"]
            table.add_row(f"[bold]{previous}, against[/bold]")
        other, about = info["other_seconds"], "≈ " if info["extrapolated"] else ""
        table.add_row(
            f"  {info['other']}",
            about + seconds(other),
            seconds(own),
            about + _ratio(other / own),
            info["note"],
        )
    return table


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 10.0 else f"{value:.0f}"


def main(path: Path) -> None:
    """Print both tables."""
    run = json.loads(path.read_text(encoding="utf-8"))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    cases = run["benchmarks"]
    console.print()
    console.print(timings([case for case in cases if "other" not in case["extra_info"]]))
    console.print()
    console.print(comparisons([case for case in cases if "other" in case["extra_info"]]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
