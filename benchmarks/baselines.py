"""The flywheel's steady state as one would compute it without wheelwork's solver.

Both get wheelwork's coefficients, and whatever has to be found by trying (the box, the mesh, the
time step) for nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numba
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from wheelwork import Flywheel
from wheelwork._checks import FloatArray

FIRST = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0
SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12.0
FACTORISATIONS: Mapping[str, Callable[[sp.csc_array], SuperLU]] = {
    "default": splu,
    "tuned": partial(
        splu, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    ),
}


def sparse_lu(device: Flywheel, reach: float, points: int, ordering: str) -> float:
    """⟨n⟩ from fourth-order central differences on |x/x0|, |p/p0| ≤ reach and one sparse LU."""
    axis = np.linspace(-reach, reach, points)
    generator = _generator(device, axis).tolil()
    pinned = points**2 // 2
    generator[pinned, :] = 0.0
    generator[pinned, pinned] = 1.0
    right = np.zeros(points**2)
    right[pinned] = 1.0
    W = FACTORISATIONS[ordering](generator.tocsc()).solve(right)
    energy = np.add.outer(axis**2, axis**2).ravel()
    return float(W @ energy / np.sum(W)) - 0.5


def _generator(device: Flywheel, axis: FloatArray) -> sp.csr_array:
    """−ω0 P ∂_X + ∂_P(ω0 X − f + γ P) + d ∂_P² in X = x/x0, P = p/p0."""
    c = device.coefficients(device.length * axis, 1e-10)
    force = device.force * (c.occupation - device.neutral_occupation) / device.momentum
    friction = sp.diags_array(c.friction / device.mass)
    diffusion = sp.diags_array(c.diffusion / (2.0 * device.momentum**2))
    step, P = axis[1] - axis[0], sp.diags_array(axis)
    first, second = _differences(FIRST / step, axis.size), _differences(SECOND / step**2, axis.size)
    return sp.csr_array(
        -device.frequency * sp.kron(first, P)
        + sp.kron(sp.diags_array(device.frequency * axis - force), first)
        + sp.kron(friction, first @ P)
        + sp.kron(diffusion, second)
    )


def _differences(weights: FloatArray, points: int) -> sp.csr_array:
    offsets = [-2, -1, 0, 1, 2]
    return sp.csr_array(sp.diags_array(list(weights), offsets=offsets, shape=(points, points)))


class Lookup(NamedTuple):
    """Force, friction γ and noise √D on a uniform mesh of x, for the loops below."""

    low: float
    per_step: float
    force: FloatArray
    friction: FloatArray
    noise: FloatArray


def lookup(device: Flywheel, reach: float, points: int = 4001) -> Lookup:
    """Tabulate on |x/x0| ≤ reach, to be read at the nearest point."""
    x = np.linspace(-reach, reach, points) * device.length
    c = device.coefficients(x, 1e-10)
    force = device.force * (c.occupation - device.neutral_occupation)
    per_step = float((points - 1) / (x[-1] - x[0]))
    return Lookup(float(x[0]), per_step, force, c.friction / device.mass, np.sqrt(c.diffusion))


def euler_maruyama_python(
    device: Flywheel, table: Lookup, dt: float, steps: int, seed: int
) -> float:
    """⟨n⟩ along one trajectory by Culhane et al., Eqs. (C1)–(C2), in plain Python."""
    random = np.random.default_rng(seed)
    kicks = (np.sqrt(dt) * random.normal(size=steps)).tolist()
    low, per_step = table.low - 0.5 / table.per_step, table.per_step
    force, friction, noise = table.force.tolist(), table.friction.tolist(), table.noise.tolist()
    mass, stiffness = device.mass, device.mass * device.frequency**2
    x = p = x2 = p2 = 0.0
    for kick in kicks:
        i = int((x - low) * per_step)
        slope = force[i] - stiffness * x - friction[i] * p
        x, p = x + p / mass * dt, p + slope * dt + noise[i] * kick
        x2 += x * x
        p2 += p * p
    return x2 / steps / device.length**2 + p2 / steps / device.momentum**2 - 0.5


def euler_maruyama_numpy(
    device: Flywheel, table: Lookup, dt: float, steps: int, trajectories: int, seed: int
) -> float:
    """The same along many trajectories at once, `steps` in all."""
    random = np.random.default_rng(seed)
    low, stiffness = table.low - 0.5 / table.per_step, device.mass * device.frequency**2
    x, p, total = np.zeros(trajectories), np.zeros(trajectories), 0.0
    for _ in range(steps // trajectories):
        i = ((x - low) * table.per_step).astype(np.intp)
        slope = table.force[i] - stiffness * x - table.friction[i] * p
        kick = random.normal(scale=np.sqrt(dt), size=trajectories)
        x, p = x + p / device.mass * dt, p + slope * dt + table.noise[i] * kick
        total += float(np.sum(x**2) / device.length**2 + np.sum(p**2) / device.momentum**2)
    return total / steps - 0.5


def euler_maruyama_compiled(
    device: Flywheel, table: Lookup, dt: float, steps: int, seed: int
) -> float:
    """The same along one trajectory, compiled."""
    stiffness = device.mass * device.frequency**2
    random = np.random.default_rng(seed)
    x2, p2 = _loop(table, device.mass, stiffness, dt, steps, random)
    return float(x2 / device.length**2 + p2 / device.momentum**2 - 0.5)


@numba.njit(cache=True, error_model="numpy")
def _loop(table, mass, stiffness, dt, steps, random):  # type: ignore[no-untyped-def]
    low = table.low - 0.5 / table.per_step
    last = table.force.size - 1
    root = np.sqrt(dt)
    x = p = x2 = p2 = 0.0
    for _ in range(steps):
        i = min(max(int((x - low) * table.per_step), 0), last)
        slope = table.force[i] - stiffness * x - table.friction[i] * p
        kick = root * random.standard_normal()
        x, p = x + p / mass * dt, p + slope * dt + table.noise[i] * kick
        x2 += x * x
        p2 += p * p
    return x2 / steps, p2 / steps
