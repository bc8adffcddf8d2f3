"""What both transforms need of their arguments: uniform axes, scaled units, memory in bounds."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

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


def held_wigner(wigner: npt.ArrayLike, mesh: Scaled, accuracy: float) -> tuple[FloatArray, float]:
    """A Wigner function W[i_x, i_p] that the mesh holds to `accuracy`, and its integral.

    Raises InvalidArgument when shapes disagree, a step is uneven, W does not integrate to one (to
    1e-6, or `accuracy` if larger), or the mesh ends too early or is too coarse.
    """
    cell = uniform_step("x", mesh.x) * uniform_step("p", mesh.p)
    values = finite_array("wigner", wigner, ndim=2)
    if values.shape != (mesh.x.size, mesh.p.size):
        raise InvalidArgument(
            f"`wigner` must have shape {(mesh.x.size, mesh.p.size)} as (x, p), "
            f"but has {values.shape}"
        )
    norm = float(values.sum()) * cell
    if abs(norm - 1.0) > max(accuracy, 1e-6):
        raise InvalidArgument(f"`wigner` must integrate to one over dx dp, but gives {norm!r}")
    _refuse_edges(values, accuracy)
    _refuse_coarse(values, accuracy)
    return values, norm


def _refuse_edges(values: FloatArray, accuracy: float) -> None:
    edges = {"x": values[[0, -1]], "p": values[:, [0, -1]]}
    for name, edge in edges.items():
        relative = float(np.abs(edge).max() / np.abs(values).max())
        if relative > accuracy:
            raise InvalidArgument(
                f"`{name}` must extend to where `wigner` is below {accuracy:.1e} of its maximum, "
                f"but it ends at {relative:.1e}"
            )


def _refuse_coarse(values: FloatArray, accuracy: float) -> None:
    """The Fourier content in the top tenth of wave numbers must be negligible."""
    for axis, name in enumerate("xp"):
        content = np.abs(rfft(values, axis=axis)).max(axis=1 - axis)
        # at least two: the very last vanishes for a symmetric W
        relative = float(content[-max(2, content.size // 10) :].max() / content.max())
        if relative > accuracy:
            raise InvalidArgument(
                f"`{name}` must resolve `wigner` so that its Fourier transform falls below "
                f"{accuracy:.1e} of its maximum, but it ends at {relative:.1e}: use smaller steps"
            )


def refuse_memory(name: str, size: float) -> None:
    """Refuse a computation whose arrays would take more than 4 GiB."""
    if size > MEMORY_LIMIT:
        raise InvalidArgument(
            f"`{name}` must be such that the arrays fit in {MEMORY_LIMIT} bytes, "
            f"but they would take {size:.3g} bytes"
        )
