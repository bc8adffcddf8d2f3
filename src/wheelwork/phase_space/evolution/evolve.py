"""The Fokker–Planck equation in time: W(x, p) at chosen times, under models that may change."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.phase_space.evolution.snapshots import Evolution, snapshot
from wheelwork.phase_space.evolution.split_steps import Flow
from wheelwork.phase_space.evolution.step_control import Budget, advanced, started
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.states.preparations import Preparation

Schedule = Sequence[tuple[float, PhaseSpaceModel]]


def evolve(
    schedule: Schedule, initial: Preparation, times: npt.ArrayLike, rtol: float = 1e-6
) -> Evolution:
    """W(x, p) at `times`, by the Fokker–Planck equation (Culhane et al., Eq. (A24)).

    schedule: (start, model) in order of time, each model in force from its start on; all of the
    same mass and frequency. `initial` is the state at the first start. times: increasing, from
    the first start on. rtol: bound on the estimated ∫|δW| (1 + H/⟨H⟩ + H²/⟨H²⟩) dX dP with
    H = X² + P², hence on the relative errors of all second and fourth moments;
    between 1e-12 and 0.1.

    Steps of second order, time-symmetric, exact for the free rotation and for friction, force
    and noise at fixed x, are taken at three sizes at once and extrapolated to sixth order. Mesh and
    steps adapt. W may have either sign; its integral is kept to 1e-12. The cost grows with the
    number of periods, 10 to 20 ms each, and with friction that is strong (against ω0) where W
    ends. Errors since the start are added up without regard to damping.

    Raises InvalidArgument on bad schedules, times or states, NotConverged when the state outgrows
    the largest mesh (naming the time) or `rtol` is out of reach. Exact for the equation; the
    equation itself holds for slow oscillators only (ω0, λ ≪ T, Γ).
    """
    rtol = _checks.tolerance("rtol", rtol)
    starts, models = _checked_schedule(schedule)
    moments = _checked_times(times, starts[0])
    if isinstance(initial, type) or not isinstance(initial, Preparation):
        raise InvalidArgument(
            f"`initial` must be a state such as Ground() or Coherent(2.0), but is {initial!r}"
        )
    flows = [Flow(model, table_tolerance(rtol)) for model in models]
    budget = Budget(rtol, starts[0], float(moments[-1]), 2.0 * math.pi / models[0].frequency)
    state = started(initial, budget, models[0].length)
    snapshots = []
    current = 0
    for time in moments:
        while current + 1 < len(flows) and starts[current + 1] <= time:
            state = advanced(state, flows[current], starts[current + 1], budget)
            current += 1
        state = advanced(state, flows[current], float(time), budget)
        snapshots.append(snapshot(state, flows[current], initial.error))
    return Evolution(tuple(snapshots), initial.error)


def _checked_schedule(schedule: Any) -> tuple[list[float], list[PhaseSpaceModel]]:
    starts, models = [], []
    for i, entry in enumerate(schedule):
        try:
            start, model = entry
        except (TypeError, ValueError):
            raise InvalidArgument(
                f"`schedule` must hold pairs (start, model), but is {entry!r} (entry {i})"
            ) from None
        if not isinstance(model, PhaseSpaceModel):
            raise InvalidArgument(
                f"`schedule` must hold models of phase space, but is {model!r} (entry {i})"
            )
        starts.append(_checks.non_negative("start", start, f"entry {i} of the schedule"))
        models.append(model)
    if not models:
        raise InvalidArgument("`schedule` must hold at least one model, but is empty")
    if np.any(np.diff(starts) <= 0.0):
        raise InvalidArgument(f"`schedule` must be in order of time, but starts at {starts}")
    for name in ("frequency", "mass"):
        values = [getattr(model, name) for model in models]
        if len(set(values)) > 1:
            raise InvalidArgument(f"`schedule` must keep the same {name}, but has {values}")
    return starts, models


def _checked_times(times: npt.ArrayLike, start: float) -> FloatArray:
    moments = _checks.finite_array("times", times, ndim=1)
    if moments.size == 0:
        raise InvalidArgument("`times` must hold at least one time, but is empty")
    if np.any(np.diff(moments) <= 0.0):
        raise InvalidArgument(f"`times` must increase, but is {times!r}")
    if moments[0] < start:
        raise InvalidArgument(
            f"`times` must not be before the schedule starts at {start:g}, but is {moments[0]:g}"
        )
    return moments
