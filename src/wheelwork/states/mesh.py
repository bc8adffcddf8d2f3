"""What both transforms need of their arguments: uniform axes, scaled units, memory in bounds."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray, finite_array, positive
from wheelwork.errors import InvalidArgument

MEMORY_LIMIT = 4 * 2**30  # bytes

ROUNDING = 39.0  # exp(-39) = 1e-17


class Scaled(NamedTuple):
    """A phase-space mesh in the oscillator's units: x sqrt(m omega) and p / sqrt(m omega)."""

    x: FloatArray
    p: FloatArray


def scale_mesh(x: npt.ArrayLike, p: npt.ArrayLike, mass: float, frequency: float) -> Scaled:
    """Check the axes and scale them; dx dp stays what it is."""
    unit = math.sqrt(positive("mass", mass) * positive("frequency", frequency))
    mesh = Scaled(finite_array("x", x, ndim=1) * unit, finite_array("p", p, ndim=1) / unit)
    for name, axis in zip("xp", mesh, strict=True):
        if axis.size == 0:
            raise InvalidArgument(f"`{name}` must not be empty")
    return mesh


def is_uniform(axis: FloatArray) -> bool:
    """Whether points rise in equal steps, to rounding (a single point does)."""
    steps = np.diff(axis)
    if steps.size == 0:
        return True
    slack = 1e-12 * max(abs(float(axis[0])), abs(float(axis[-1])))
    return bool(steps.min() > 0.0 and steps.max() - steps.min() <= 2.0 * slack)


def uniform_step(name: str, axis: FloatArray) -> float:
    """The step of a uniform axis of at least 8 points, or InvalidArgument."""
    if axis.size < 8 or not is_uniform(axis):
        raise InvalidArgument(f"`{name}` must hold at least 8 points that rise in equal steps")
    return float(axis[-1] - axis[0]) / (axis.size - 1)


def refuse_memory(name: str, size: float) -> None:
    """Refuse a computation whose arrays would take more than 4 GiB."""
    if size > MEMORY_LIMIT:
        raise InvalidArgument(
            f"`{name}` must be such that the arrays fit in {MEMORY_LIMIT} bytes, "
            f"but they would take {size:.3g} bytes"
        )
