"""The region of phase space that holds the state, from a coarse estimate over all positions.

The orbit-averaged density w(E) is estimated by quadrature on a mesh that runs to a million quanta
(further, where it still rises there), so that a second hump far out is seen, and growth without
bound is told from a large state.
"""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState, NotConverged
from wheelwork.numerics.work import tick
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel

LARGEST_REACH = 1000.0  # in x0: a million quanta
FARTHEST_LOOK = 1e12  # in x0; how far out a state that still rises is followed, to tell its growth
CORE = 10.0  # |X| at which the mesh turns from uniform to logarithmic
STEP = 0.06  # ratio of neighbouring |X| on the logarithmic part, less one
APART = 0.1  # of the distance of a landmark, from which the next one has a mesh of its own
FALL = 42.0  # the domain holds all of W above e^-42 = 6e-19 of its maximum
ENERGIES = 160  # in equal ratios; six per factor of two up to a million quanta


@dataclass(frozen=True)
class Domain:
    """Region that holds the state: X from low to high, on orbits up to `energy` = P² + U."""

    low: float
    high: float
    energy: float

    @property
    def reach(self) -> float:
        """Largest |X|."""
        return max(abs(self.low), abs(self.high), 1.0)


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """Potential U(X) above its minimum, and ln w over energies up to the edges of the mesh.

    No energies where the minimum lies at an end of the mesh.
    """

    X: FloatArray
    potential: FloatArray
    energy: FloatArray
    slope: FloatArray
    log_density: FloatArray
    friction: FloatArray

    @property
    def rises(self) -> bool:
        """Whether w still rises at the ends of the mesh, or no orbit closes there."""
        return not self.energy.size or bool(self.slope[-1] >= 0.0)

    @property
    def held(self) -> Domain | None:
        """Region of all W above e^-42 of its maximum, None where the mesh ends before."""
        alive = self.log_density >= np.max(self.log_density) - FALL
        if alive[-1]:
            return None
        return self.domain(float(self.energy[int(np.flatnonzero(alive)[-1]) + 1]))

    def domain(self, energy: float) -> Domain:
        """The region of orbits up to an energy."""
        held = np.flatnonzero(self.potential <= energy)
        first, last = int(held[0]), int(held[-1])
        if first == last:  # a well far out, where the mesh is coarse, between its neighbours
            first, last = max(first - 1, 0), min(last + 1, self.X.size - 1)
        return Domain(float(self.X[first]), float(self.X[last]), energy)


def find_domain(model: PhaseSpaceModel) -> Domain:
    """Return the region that holds the state.

    Raises NoSteadyState, naming x, when the friction averaged over ever larger orbits stays
    negative or no potential minimum exists, NotConverged when the state is too large.
    """
    try:
        profile = _profile(model, LARGEST_REACH)
    except NoSteadyState as refusal:
        return _closer_domain(model, refusal)
    if profile.rises:
        try:
            profile = _profile(model, FARTHEST_LOOK)
        except NoSteadyState:
            raise _too_large(model, LARGEST_REACH) from None
    if not profile.energy.size:
        raise NoSteadyState(
            "the potential has no minimum within "
            f"|x| < {FARTHEST_LOOK * model.length:g}: the force pulls the oscillator away"
        )
    if profile.rises:
        raise _unbounded(model, profile)
    held = profile.held
    domain = held or profile.domain(float(profile.energy[-1]))
    if held is None or domain.reach > LARGEST_REACH:
        raise _too_large(model, domain.reach)
    return domain


def _closer_domain(model: PhaseSpaceModel, refusal: NoSteadyState) -> Domain:
    """Region of a model without coefficients far out (a band ends), if the state ends before."""
    low, high = 1.0, LARGEST_REACH
    while high > 1.01 * low:
        middle = np.sqrt(low * high)
        try:
            model.scaled(np.array([-middle, middle]))
            low = middle
        except NoSteadyState:
            high = middle
    try:
        profile = _profile(model, low)
    except NoSteadyState:
        raise refusal from None
    if profile.rises or (held := profile.held) is None:
        raise refusal
    return held


def _profile(model: PhaseSpaceModel, farthest: float) -> Profile:
    tick("region of the state")
    X = _mesh(model, farthest)
    force, friction, diffusion = model.scaled(X, rough=True)[:3]
    net = 2.0 * X - 2.0 / model.frequency * force
    steps = 0.5 * (net[1:] + net[:-1]) * np.diff(X)
    centre = int(np.argmin(np.abs(X)))
    # Summed from the centre outwards: sums from the far ends would lose the digits of the wells.
    below, above = np.cumsum(steps[:centre][::-1])[::-1], np.cumsum(steps[centre:])
    potential = np.concatenate([-below, [0.0], above])
    potential -= np.min(potential)
    edge = min(potential[0], potential[-1])
    if edge <= 0.0:
        return Profile(X, potential, X[:0], X[:0], X[:0], friction)
    energy = np.geomspace(min(0.05, 1e-3 * edge), edge, ENERGIES)
    # d ln w/dE = −∫γ P dX / (2 ∫ d P dX) over X where P = √(E − U) is real
    P = np.sqrt(np.maximum(energy[:, None] - potential, 0.0)) * np.gradient(X)
    noise = P @ diffusion
    if not np.all(noise[-ENERGIES // 4 :] > 0.0):
        raise NoSteadyState("no noise acts on the oscillator: `diffusion` is not positive")
    slope = -0.5 * (P @ friction) / np.maximum(noise, np.finfo(float).tiny)
    rises = 0.5 * (slope[1:] + slope[:-1]) * np.diff(energy)
    log_density = np.concatenate([[0.0], np.cumsum(rises)])
    return Profile(X, potential, energy, slope, log_density, friction)


def _mesh(model: PhaseSpaceModel, farthest: float) -> FloatArray:
    """Positions X, dense at the centre and about the landmarks of `model` that are far out."""
    around = _around(farthest)
    parts, last = [around], 0.0
    for mark in np.sort(np.array(model.landmarks) / model.length):
        far = LARGEST_REACH < abs(mark) < farthest
        if far and abs(mark - last) > APART * abs(mark):  # those close by share a mesh
            parts.append(mark + _around(0.5 * abs(mark)))
            last = mark
    X = np.unique(np.concatenate(parts))
    return np.asarray(X[np.abs(X) <= around[-1]])


def _around(reach: float) -> FloatArray:
    """Uniform up to `CORE`, then in equal ratios up to `reach` on both sides."""
    end = np.arcsinh(reach / CORE)
    half = CORE * np.sinh(np.linspace(0.0, end, int(end / STEP) + 1))
    return np.concatenate([-half[:0:-1], half])


def _unbounded(model: PhaseSpaceModel, profile: Profile) -> NoSteadyState:
    rising = profile.slope >= 0.0
    first = int(np.flatnonzero(~rising)[-1]) + 1 if not np.all(rising) else 0
    x = profile.domain(float(profile.energy[first])).reach * model.length
    middle = np.argmin(np.abs(profile.X - x / model.length))
    return NoSteadyState(
        f"no steady state: averaged over every orbit that turns beyond |x| = {x:.4g}, the "
        f"friction is negative (it is {profile.friction[middle] * model.mass:.3g} at the turn), "
        "so the oscillation grows without bound"
    )


def _too_large(model: PhaseSpaceModel, reach: float) -> NotConverged:
    return NotConverged(
        f"the steady state reaches to |x| = {reach * model.length:.4g}, {reach**2:.2g} quanta, "
        f"beyond the largest domain supported ({LARGEST_REACH**2:g} quanta)"
    )


def reach_of_wells(model: PhaseSpaceModel) -> float:
    """Return |X| up to which all maxima of w lie, and the region where W falls off beyond them.

    A maximum may be far out and hold next to nothing of the steady state, and yet be stable.
    Raises as `find_domain`.
    """
    try:
        profile = _profile(model, LARGEST_REACH)
    except NoSteadyState:
        return find_domain(model).reach
    if profile.rises:
        return find_domain(model).reach
    last = int(np.max(np.flatnonzero(profile.slope >= 0.0), initial=0))
    fallen = profile.log_density[last] - FALL > profile.log_density
    fallen[:last] = False
    end = int(np.argmax(fallen)) if np.any(fallen) else fallen.size - 1
    return profile.domain(float(profile.energy[end])).reach


def mean_friction(model: PhaseSpaceModel) -> tuple[FloatArray, FloatArray]:
    """Return √E of orbits in equal ratios, and their mean friction over the mean of its magnitude.

    By the coarse quadrature of the region, to some 1e-3. Friction that is a millionth of the
    largest counts as none.
    """
    profile = _profile(model, LARGEST_REACH)
    if not profile.energy.size:
        raise NoSteadyState("the potential has no minimum: the force pulls the oscillator away")
    P = np.sqrt(np.maximum(profile.energy[:, None] - profile.potential, 0.0))
    P *= np.gradient(profile.X)
    width = np.sum(P, axis=1)
    mean, size = (P @ row / width for row in (profile.friction, np.abs(profile.friction)))
    return np.sqrt(profile.energy), np.asarray(mean / (size + 1e-6 * np.max(size)))
