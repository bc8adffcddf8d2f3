"""Random machines by the thousand: what came of each call, and which took longest.

    python benchmarks/random_machines.py                        # 10,000 of each kind, hours
    python benchmarks/random_machines.py --examples 200 rotor   # fewer, of one kind

The strategies are those of the property tests (`tests/properties`). Every call must end in a right
answer, in a result whose audit fails and says why, or in a refusal by name; anything else is bad,
and so is a call without an answer in two minutes. Outcomes go to a file as they come, one JSON
object per line, from which `--report` prints the tables again.
"""

import argparse
import importlib
import json
import multiprocessing
import re
import signal
import sys
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

TESTS = Path(__file__).parents[1] / "tests"
CHUNK = 100  # examples per call of hypothesis, which varies its own earlier examples within one
LONGEST = 120  # seconds of a call, beyond which it counts as bad
SLOWEST = 20
KINDS = ("right", "failing audit", "refused", "bad")


def kinds():
    """Names of the modules of strategies, without "_strategies"."""
    found = sorted((TESTS / "properties").glob("*_strategies.py"))
    return [path.stem.removesuffix("_strategies") for path in found]


def late(signum, frame):
    raise TimeoutError(f"no answer in {LONGEST} s")


def outcomes(job):
    """Solve one chunk of examples of one kind."""
    kind, name, number, count = job
    sys.path[:0] = [str(TESTS / "properties"), str(TESTS / "systems")]
    judge = importlib.import_module("judge").judge
    strategy = importlib.import_module(f"{kind}_strategies").CALLS[name]
    results = []

    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case):
        text, call, check = case
        signal.signal(signal.SIGALRM, late)
        signal.alarm(LONGEST)
        try:
            results.append(judge(call, check, text))
        finally:
            signal.alarm(0)

    run()
    return [{"machine": kind, "strategy": name, **vars(outcome)} for outcome in results]


def jobs(chosen, examples, first_seed):
    """Chunks of all kinds, in turn, so that an interrupted run has some of each."""
    queues = []
    for kind in chosen:
        names = list(importlib.import_module(f"{kind}_strategies").CALLS)
        each = -(-examples // len(names))
        queues.append(
            [
                (kind, name, first_seed + number, min(CHUNK, each - number * CHUNK))
                for number in range(-(-each // CHUNK))
                for name in names
            ]
        )
    longest = max(map(len, queues))
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]


def report(lines):
    """Print counts by kind of machine, reasons, faults and the slowest calls."""
    outcomes = [json.loads(line) for line in lines]
    counts = Counter((one["machine"], one["kind"]) for one in outcomes)
    print("| machine | tried | different | right | failing audit | refused by name | bad |")
    print("|---|---|---|---|---|---|---|")
    for machine in dict.fromkeys(one["machine"] for one in outcomes):
        of_it = [one for one in outcomes if one["machine"] == machine]
        different = len({one["call"] for one in of_it})
        numbers = " | ".join(str(counts[machine, kind]) for kind in KINDS)
        print(f"| {machine} | {len(of_it)} | {different} | {numbers} |")
    reasons = Counter(
        (one["machine"], one["kind"], re.sub(r"[-+]?\d[\d.e+-]*", "…", one["reason"])[:160])
        for one in outcomes
        if one["kind"] != "right"
    )
    print("\nMost frequent reasons:")
    for (machine, kind, reason), number in reasons.most_common(40):
        print(f"{number:6d}  {machine}, {kind}: {' '.join(reason.split())}")
    print(f"\nSlowest {SLOWEST} calls:")
    for one in sorted(outcomes, key=lambda one: -one["seconds"])[:SLOWEST]:
        answer = f"{one['kind']} {one['reason'][:200]}"
        print(f"{one['seconds']:8.2f} s  {one['machine']}: {one['call']}\n            {answer}")
    bad = [one for one in outcomes if one["kind"] == "bad"]
    print(f"\nBad: {len(bad)}")
    for one in bad[:50]:
        print(f"  {one['machine']}/{one['strategy']}: {one['call']}\n    {one['reason']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("machines", nargs="*", help=f"of {', '.join(kinds())}; default: all")
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("random-machines.jsonl"))
    parser.add_argument("--report", type=Path, nargs="+", help="print the tables of these files")
    given_arguments = parser.parse_args()
    if given_arguments.report:
        texts = (path.read_text(encoding="utf-8") for path in given_arguments.report)
        report([line for text in texts for line in text.splitlines()])
        return
    sys.path[:0] = [str(TESTS / "properties"), str(TESTS / "systems")]
    chosen = given_arguments.machines or kinds()
    work = jobs(chosen, given_arguments.examples, given_arguments.seed)
    context = multiprocessing.get_context("spawn")
    with (
        context.Pool(given_arguments.processes) as pool,
        given_arguments.out.open("w", encoding="utf-8") as file,
    ):
        for done, results in enumerate(pool.imap_unordered(outcomes, work), start=1):
            file.writelines(json.dumps(one) + "\n" for one in results)
            file.flush()
            bad = sum(one["kind"] == "bad" for one in results)
            print(f"{done} of {len(work)} chunks", f"({bad} bad)" if bad else "", file=sys.stderr)
    report(given_arguments.out.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    main()
