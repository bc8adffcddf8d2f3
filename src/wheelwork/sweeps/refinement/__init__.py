"""Adaptive sweeps: more points where something happens."""

from wheelwork.sweeps.refinement.events import Change, Crossing, Event, Verdict
from wheelwork.sweeps.refinement.refine import refine

__all__ = ["Change", "Crossing", "Event", "Verdict", "refine"]
