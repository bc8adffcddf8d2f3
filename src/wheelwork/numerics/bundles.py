"""Trajectories shared out among threads: bundles of lanes that compiled code steps together."""

import itertools
import os

import numpy as np


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def bundles(lanes: int, workers: int, fewest: int, most: int) -> list[slice]:
    """Cut `lanes` into nearly equal bundles: one per worker, unless these get too small or large.

    most: lanes of a bundle, at most. fewest: lanes below which a bundle is not cut further.
    Lanes never see each other, so that the cut changes no bit of a result.
    """
    number = max(-(-lanes // most), min(workers, -(-lanes // fewest)), 1)
    edges = np.linspace(0, lanes, number + 1).astype(int).tolist()
    return [slice(a, b) for a, b in itertools.pairwise(edges)]
