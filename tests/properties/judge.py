"""What came of a call with random input: a right answer, a failing audit, a refusal, or a fault.

Used by the property tests here and by `benchmarks/random_machines.py`, which runs the same
strategies thousands of times and counts the outcomes.
"""

import math
import time
import traceback
import warnings
from dataclasses import dataclass

from wheelwork.errors import NotConverged, WheelworkError, WheelworkWarning
from wheelwork.results import Result, Series, verdict

UNBOUNDED = {"carnot_cop"}  # observables that may be infinite
RIGHT, DOUBTED, REFUSED, BAD = "right", "failing audit", "refused", "bad"


@dataclass(frozen=True)
class Outcome:
    """kind: one of the above. reason: of all but a right answer. seconds: of the processor."""

    kind: str
    reason: str
    seconds: float
    call: str

    @property
    def bad(self):
        return self.kind == BAD


def judge(call, check=lambda result: None, text=""):
    """Return the outcome of `call()`, which solves a machine and returns its result.

    check: an independent test of a result whose audit holds; returns None, or what is wrong.
    text: of the call, for reports.
    """
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", WheelworkWarning)
            result = call()
            kind, reason = verdict_on(result)
            if kind == RIGHT and (wrong := check(result)):
                kind, reason = BAD, wrong
    except WheelworkError as refusal:
        kind, reason = REFUSED, f"{type(refusal).__name__}: {refusal}"
        partial = refusal.partial if isinstance(refusal, NotConverged) else None
        if isinstance(partial, Result) and partial.passed:
            kind, reason = BAD, f"a partial result passes its audit: {reason}"
        if not str(refusal):
            kind, reason = BAD, f"{type(refusal).__name__} without a message"
    except Exception:  # what these tests look for
        kind, reason = BAD, traceback.format_exc(limit=-3)
    return Outcome(kind, reason, time.process_time() - start, text)


def verdict_on(result):
    """The kind of a result, and why it is not right."""
    for one in result if isinstance(result, Series) else [result]:
        if not isinstance(one, Result):
            continue
        for name, value in one.observables.items():
            if math.isinf(value) and name not in UNBOUNDED:
                return BAD, f"{name} is infinite"
            if math.isnan(value) and not one.missing[name]:
                return BAD, f"{name} is NaN without a reason"
            if one.error(name) < 0.0:
                return BAD, f"the error of {name} is negative"
        if not one.passed:
            return DOUBTED, verdict(one.audit)
    return RIGHT, ""
