"""Base of all methods that sample trajectories: their fields, and time in whole chunks."""

import math
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.methods.method import Method
from wheelwork.numerics.stationarity import BURN_IN_SHARE
from wheelwork.numerics.work import require_budget
from wheelwork.parameters import parameter

CHUNK = 256  # steps: time is counted in chunks, long against the cost of handing one to a thread
SAMPLE = 4  # steps from one sample to the next: nearer ones would tell little new
MOST_CHUNKS = 2**40  # keeps the numbers of the blocks of noise, some per step, below 2^62
MOST_TRAJECTORIES = 1_000_000  # keeps states and sums within memory; numbers must be below 2^32
LEAST_CHECKED = 8  # trajectories at 2Δt by default: fewer give no error of the change
ROUNDING = 1e-9  # of a chunk: a duration that is a multiple but for rounding stays one
MOST_STEPS = 1e12  # of oscillators, all trajectories together: about an hour of one processor


@dataclass(frozen=True, kw_only=True, repr=False)
class SamplingMethod(Method):
    """Fields as in `phase_space.Langevin`.

    scheme: of a step. order: p of its weak error O(Δtᵖ).
    """

    scheme: ClassVar[Literal["splitting", "euler"]]
    order: ClassVar[int]

    duration: float = parameter("T", "1/energy", "length of the run")
    trajectories: int = 64
    step: float | None = parameter(r"\Delta t", "1/energy", "step", optional=True, default=None)
    seed: int = 0
    burn_in: float | None = parameter(
        "T_0", "1/energy", "part of the run left out", optional=True, default=None
    )
    checked: int | None = None
    start: tuple[float, float] | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        trajectories = _checks.integer("trajectories", self.trajectories, 1)
        values: dict[str, object] = {
            "duration": _checks.positive("duration", self.duration),
            "seed": _checks.integer("seed", self.seed, 0),
            "trajectories": trajectories,
            "checked": _checked(self.checked, trajectories),
        }
        if self.start is not None:
            values["start"] = tuple(_checks.finite_array("start", self.start, 1).tolist())
        if self.step is not None:
            values["step"] = _checks.positive("step", self.step)
        if self.threads is not None:
            values["threads"] = _checks.integer("threads", self.threads, 1)
        if self.burn_in is not None:
            values["burn_in"] = _checks.non_negative("burn_in", self.burn_in)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.start is not None and len(self.start) != 2:
            raise InvalidArgument(f"`start` must be (x, p), but is {self.start!r}")
        if self.trajectories > MOST_TRAJECTORIES:
            raise InvalidArgument(
                f"`trajectories` must be at most {MOST_TRAJECTORIES}, but is {self.trajectories}"
            )
        if self.seed >= 2**64:
            raise InvalidArgument(f"`seed` must be below 2**64, but is {self.seed}")
        if self.burn_in is not None and self.burn_in >= self.duration:
            raise InvalidArgument(
                f"`burn_in` must be shorter than `duration` = {self.duration!r}, "
                f"but is {self.burn_in!r}"
            )

    @property
    def checks(self) -> int:
        """Number of trajectories that are repeated at 2Δt."""
        return self.checked or 0

    def chunks(self, step: float) -> int:
        """Return the chunks that cover the duration. Raises InvalidArgument beyond 2^40."""
        chunks = math.ceil(self.duration / (CHUNK * step) - ROUNDING)
        if chunks > MOST_CHUNKS:
            raise InvalidArgument(
                f"`duration` must be at most {MOST_CHUNKS * CHUNK:.1e} steps, but is "
                f"{self.duration!r}"
            )
        return chunks

    def require_affordable(self, steps: float) -> None:
        """Raise NotConverged beyond 1e12 steps of oscillators, unless there is a `time_limit`."""
        if self.time_limit == math.inf:
            advice = "shorten `duration`, lengthen `step`, or set a `time_limit` to try regardless"
            require_budget("this run", steps, MOST_STEPS, "steps of oscillators", advice)

    def burn_in_chunks(self, step: float) -> int:
        """Return the chunks that cover the burn-in: the given one, or a quarter of the run."""
        burn_in = BURN_IN_SHARE * self.chunks(step)
        if self.burn_in is not None:
            burn_in = self.burn_in / (CHUNK * step)
        return math.ceil(burn_in - ROUNDING)

    def __repr__(self) -> str:
        """Name and the fields that differ from their defaults."""
        usual = {field.name: field.default for field in fields(self) if field.repr}
        usual["checked"] = _checked(None, self.trajectories)
        values = {name: getattr(self, name) for name in usual}
        shown = (f"{name}={value!r}" for name, value in values.items() if value != usual[name])
        return f"{type(self).__name__}({', '.join(shown)})"


def _checked(checked: int | None, trajectories: int) -> int:
    if checked is None:
        return min(trajectories, max(LEAST_CHECKED, trajectories // 4))
    count = _checks.integer("checked", checked, 0)
    if count > trajectories:
        raise InvalidArgument(f"`checked` must be at most `trajectories`, but is {count}")
    return count
