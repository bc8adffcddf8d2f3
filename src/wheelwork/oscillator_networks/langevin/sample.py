"""Trajectories of a noisy network, from random starts to stationary means."""

import math

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.numerics.sampling_method import SamplingMethod
from wheelwork.numerics.stationarity import (
    half_means,
    require_burn_in,
    require_forgotten,
    require_mixing,
    require_no_drift,
)
from wheelwork.oscillator_networks.langevin.kernel import draw_starts
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.run import Course, Run
from wheelwork.oscillator_networks.langevin.samples import AmplitudeSamples, Means
from wheelwork.oscillator_networks.langevin.steps import LARGEST_DENSE, Stepper

AUTOMATIC, LONGEST = (
    0.1,
    1.0,
)  # step times the model's fastest rate: errors below 0.5 %, and stability
ROUNDING = 1e-12  # of an exponent
LARGEST_MATRIX = 400  # sites, up to which the stability of a scheme is looked at beforehand
START_RANGE = 3.0  # starts differ by factors e^±3 in their occupations


def sample_amplitudes(model: NoisyModel, method: SamplingMethod) -> AmplitudeSamples:
    """Return stationary means of `model` over trajectories.

    A step is half of the elements' noise, half of their drift, the linear network over Δt, the
    other halves in reverse order: weak order two. e^{LΔt} and its thermal noise are exact up to
    24 sites; beyond, bonds are rotated colour by colour. Starts: complex normal amplitudes of
    occupations from e^-3 to e^3 times those expected, those of trajectory i from (seed, i) alone;
    the method's `start` is not used. The burn-in is a quarter of the run, unless given.

    Raises InvalidArgument for a step too large for the scheme, NotConverged for a run that is too
    short, is not stationary or whose trajectories stay apart (with a burn-in given, only the
    first), and where amplitudes grow beyond all bounds.
    """
    step = _step(model, method)
    course = Course.of(method.chunks(step), method.burn_in_chunks(step), method.trajectories)
    state = random_starts(model, method.seed, method.trajectories)
    run, parts = Run(model, method.seed, method.threads), len(course.parts) - 1
    fine = run.ensemble(Stepper.of(method, model, step), state, parts, False, True)
    ensembles = [fine]
    if method.checks and not (method.scheme == "euler" and 2.0 * step > _euler_limit(model)):
        stepper = Stepper.of(method, model, 2.0 * step)
        ensembles.append(run.ensemble(stepper, state[:, : method.checks], parts, True, False))
    run.carry(ensembles, course)
    samples, alike, coarse = course.samples, None, None
    if len(ensembles) > 1 and not ensembles[1].lost:
        alike = Means.of(model, fine.sums[:, :, : method.checks], samples)
        coarse = Means.of(model, ensembles[1].sums, samples)
    result = AmplitudeSamples(
        model=model,
        step=step,
        order=method.order,
        course=course,
        fine=Means.of(model, fine.sums, samples),
        alike=alike,
        coarse=coarse,
        halves=half_means(fine.sums, samples, parts // 2),
        starts=state[::2] ** 2 + state[1::2] ** 2,
        counts=fine.counts,
        bin_width=1.0 / run.per_width,
        table_error=fine.stepper.active.error,
    )
    if method.burn_in is None:
        require_mixing(result.mixing)
        require_no_drift(result.drift, "occupation")
        require_burn_in(result.burn_in, result.correlation_time, "occupation")
        require_forgotten(result.memory, "occupation of a node")
    return result


def random_starts(model: NoisyModel, seed: int, trajectories: int) -> FloatArray:
    """Return (2N, trajectories) real and imaginary parts, spread over what can be reached."""
    rows = 2 * model.sites
    normals = np.empty((4 * -(-(rows + 2) // 4), trajectories))
    draw_starts(normals, np.uint64(seed), 0)
    # of two normals u, v the phase of u + iv is uniform
    share = np.arctan2(normals[rows], normals[rows + 1]) / math.pi
    size = np.sqrt(0.5 * model.occupation_scale * np.exp(START_RANGE * share))
    return np.ascontiguousarray(size * normals[:rows])


def _step(model: NoisyModel, method: SamplingMethod) -> float:
    if method.step is None:
        return AUTOMATIC / model.fastest_rate
    step = method.step
    exact = model.active.size == 0 and model.sites <= LARGEST_DENSE
    longest = math.inf if exact else LONGEST / model.fastest_rate
    if method.scheme == "euler":
        longest = _euler_limit(model)
        if longest == 0.0:
            raise InvalidArgument(
                "`damping` must reach every mode for Euler and Maruyama's scheme, in which an "
                "undamped one grows at any step"
            )
    if step > longest:
        scheme = {"euler": "Euler and Maruyama's scheme on", "splitting": "the splitting of"}
        raise InvalidArgument(
            f"`step` must be at most {longest:.3g} for {scheme[method.scheme]} this network, "
            f"but is {step!r}"
        )
    return step


def _euler_limit(model: NoisyModel) -> float:
    """Step beyond which 1 + LΔt lets amplitudes grow: min −2 Re λ/|λ|²."""
    if model.sites > LARGEST_MATRIX:
        return LONGEST / model.fastest_rate
    exponents = np.linalg.eigvals(model.linear)
    size = np.maximum(np.abs(exponents), 1e-300)
    damping = np.where(-exponents.real > ROUNDING * np.max(size), -exponents.real, 0.0)
    return float(np.min(2.0 * damping / size**2))
