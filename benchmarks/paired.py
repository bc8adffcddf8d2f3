"""Is this tree slower than another? Times the public calls of both in turn, pair by pair.

    git worktree add /somewhere/before COMMIT
    python benchmarks/paired.py /somewhere/before/src [--pairs 15] [--only rotor]

Each tree runs in a process of its own that stays alive; a pair times a job once in each, in
alternating order, so that whatever slows the machine slows both. Printed are the median of the
ratios this/other and its 95 % interval by order statistics, which assumes nothing about noise.
The exit code is 1 where an interval lies above 1.05.
"""

import argparse
import contextlib
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

BOUND = 1.05
SHORTEST = 0.05  # seconds of one timing: shorter jobs are repeated


def jobs() -> dict[str, Callable[[], object]]:
    """Return the calls that are timed: public ones, which both trees have."""
    import networkx as nx
    import numpy as np

    import wheelwork as ww

    def whole(state):  # type: ignore[no-untyped-def]
        assert state.observables
        assert state.errors
        assert state.audit
        return state

    def point(bias, method):  # type: ignore[no-untyped-def]
        return whole(ww.Flywheel.paper(bias).steady_state(method)).density_matrix

    def run(grid, duration):  # type: ignore[no-untyped-def]
        method = ww.EulerMaruyama(step=1e-3, duration=duration, trajectories=16, seed=1)
        with contextlib.suppress(ww.NotConverged):  # too short to mix, but as much work
            grid.steady_state(method)

    engine = ww.RotorEngine.paper(beta_ratio=0.2)
    local, large = ww.LocalMasterEquation(), ww.LocalMasterEquation(window=(-128, 127))
    chain = ww.PowerGrid.chain(sites=10, injection=4.0, extraction=4.0, damping=1e-3)
    hot = chain.replace(thermal_occupation=10.0)
    pair = ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2)
    ring = ww.PowerGrid(
        nx.cycle_graph(100),
        generators={0: ww.Saturable(rate=4.0, saturation=50.0)},
        engines={50: ww.Saturable(rate=2.0, saturation=50.0)},
        damping=1e-2,
        thermal_occupation=10.0,
    )
    rates, x = np.linspace(1.0, 8.0, 12), np.linspace(-60.0, 60.0, 100)
    sampled = ww.Langevin(duration=2e5, trajectories=64, rtol=0.1, seed=1)
    return {
        "flywheel coefficients": lambda: ww.Flywheel.paper(12.0).coefficients(x, 1e-9),
        "flywheel V=12": lambda: point(12.0, ww.FokkerPlanck(1e-6)),
        "flywheel V=32": lambda: point(32.0, ww.FokkerPlanck(1e-6)),
        "flywheel energy diffusion": lambda: point(12.0, ww.EnergyDiffusion(1e-6)),
        "flywheel Langevin": lambda: ww.Flywheel.paper(8.0).sample(sampled),
        "flywheel evolution": lambda: ww.Flywheel.paper(16.0).evolve(
            ww.Ground(), np.linspace(0.0, 300.0, 4), ww.FokkerPlanck(1e-5)
        ),
        "flywheel correlations": lambda: ww.Flywheel.paper(12.0).correlations().line.width,
        "rotor local": lambda: whole(engine.steady_state(local)),
        "rotor local, 256 levels": lambda: engine.steady_state(large).heat_cold,
        "rotor global": lambda: whole(engine.steady_state(ww.GlobalMasterEquation(20.0))),
        "rotor evolution": lambda: engine.evolve(None, np.linspace(0.0, 50.0, 6)),
        "rotor sweep of 20": lambda: ww.sweep(engine, {"beta_ratio": np.linspace(0.1, 0.9, 20)}),
        "grid branches": lambda: whole(chain.steady_state(ww.MeanField())),
        "grid map 12 x 12": lambda: chain.branch_map({"injection": rates, "extraction": rates}),
        "grid Langevin, 10 sites": lambda: run(hot, 50.0),
        "grid Langevin, 100 sites": lambda: run(ring, 5.0),
        "grid master equation": lambda: whole(pair.steady_state(ww.MasterEquation())),
        "grid jumps": lambda: pair.steady_state(
            ww.QuantumJumps(duration=50.0, trajectories=32, cutoff=24, burn_in=10.0, seed=1)
        ),
    }


def serve() -> None:
    """Run jobs named on standard input; answer each with its seconds."""
    known = jobs()
    repeats: dict[str, int] = {}
    for line in sys.stdin:
        name = line.strip()
        work = known[name]
        if name not in repeats:
            try:
                work()
                start = time.perf_counter()
                work()
                repeats[name] = max(1, math.ceil(SHORTEST / (time.perf_counter() - start)))
            except Exception as reason:
                print(f"failed {type(reason).__name__}: {reason}".replace("\n", " "), flush=True)
                continue
        start = time.perf_counter()
        for _ in range(repeats[name]):
            work()
        print((time.perf_counter() - start) / repeats[name], flush=True)


class Tree:
    """A process that runs the jobs with the sources of one tree."""

    def __init__(self, sources: Path) -> None:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, "--serve"],
            env={**os.environ, **threads, "PYTHONPATH": str(sources)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, job: str) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(job, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if answer.startswith("failed"):
            raise RuntimeError(answer)
        return float(answer)


def interval(ratios: list[float]) -> tuple[float, float]:
    """95 % interval of the median: the order statistics that hold it with that probability."""
    n, ordered = len(ratios), sorted(ratios)
    tail, below = 0.0, 0
    while below < n // 2 and tail + math.comb(n, below) / 2**n <= 0.025:
        tail += math.comb(n, below) / 2**n
        below += 1
    low = max(below - 1, 0)
    return ordered[low], ordered[n - 1 - low]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, nargs="?", help="sources of the other tree")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--only", default="", help="jobs whose names contain this")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return 0
    this = Tree(Path(__file__).parents[1] / "src")
    other = Tree(given.other.resolve())
    slower = 0
    print(f"{'job':28} {'this':>9} {'other':>9}  ratio  95 % interval, {given.pairs} pairs")
    for name in jobs():
        if given.only not in name:
            continue
        try:
            this.seconds(name), other.seconds(name)
        except RuntimeError as reason:
            print(f"{name:28} {reason}")
            continue
        times = []
        for turn in range(given.pairs):
            order = (this, other) if turn % 2 else (other, this)
            taken = {tree: tree.seconds(name) for tree in order}
            times.append((taken[this], taken[other]))
        ratios = [a / b for a, b in times]
        low, high = interval(ratios)
        mine, others = (statistics.median(column) for column in zip(*times, strict=True))
        verdict = "slower" if low > 1.0 and high > BOUND else ""
        slower += high > BOUND
        print(
            f"{name:28} {mine:8.4f}s {others:8.4f}s  {statistics.median(ratios):.3f}  "
            f"{low:.3f} ... {high:.3f} {verdict}",
            flush=True,
        )
    return int(slower > 0)


if __name__ == "__main__":
    sys.exit(main())
