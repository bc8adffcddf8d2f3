"""What active sites do during a step, as tables: the exact flow of R, and the noise D."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.langevin.tables import FINEST, Function, tabulate

FLOW_STEPS = 16  # Runge–Kutta steps per 1/R
FUNCTIONS = 3


@dataclass(frozen=True, eq=False)
class ActiveSteps:
    """Tables of all active sites, on cells of one fineness.

    steps: (K, 3, cells, 4), F, b² and c. local_observables: (C K, cells, 4). noisy: (K,)
    whether D > 0 anywhere. inverse_scale: (K,). error: largest relative error of the tables.
    Splitting: a drift adds Fα, a noise bζ + c[ζ Re(α*ζ) − α(1 + iV)]. Euler: both at once, c = 0.
    """

    steps: FloatArray
    local_observables: FloatArray
    noisy: np.ndarray
    inverse_scale: FloatArray
    fineness: int
    error: float


def split_steps(model: NoisyModel, step: float) -> ActiveSteps:
    """Return the tables for half steps of drift and noise.

    F = exp(½∫R dt) − 1 along dn/dt = R n, without noise: exact. For the noise alone, Itô
    dα = √(D/2) (dW_x + i dW_y), the weak scheme of order two without derivatives of E. Platen
    (P. E. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations (1992),
    Eq. (15.1.3)), with the differences of the noise expanded: with b_0 = √(D/2) and ζ = ξ_x + iξ_y,
    b = √τ (b_0 + ¼τ b_0² ∇²b_0), c = ¼ τ D'(n); V is the normal that stands for the
    area between W_x and W_y, which turns the phase.
    """
    tau = 0.5 * step
    parts = max(4, math.ceil(FLOW_STEPS * tau * model.strongest))
    triples = [
        [_flow(model, k, tau, parts), *_noise_terms(model, k, tau)]
        for k in range(model.active.size)
    ]
    return _tables(model, triples)


def euler_steps(model: NoisyModel, step: float) -> ActiveSteps:
    """Return the tables of the Euler–Maruyama scheme: F = ½R Δt, b² = ½D Δt."""

    def gain(k: int) -> Function:
        return lambda n: 0.5 * step * model.activity.rate(k, n)

    def spread(k: int) -> Function:
        return lambda n: 0.5 * step * model.activity.noise(k, n)

    return _tables(model, [[gain(k), spread(k), np.zeros_like] for k in range(model.active.size)])


def _tables(model: NoisyModel, triples: list[list[Function]]) -> ActiveSteps:
    scale, count = model.activity.scale, len(model.activity.names)
    per_site = [
        [*triple, *(_local_observable(model, c, k) for c in range(count))]
        for k, triple in enumerate(triples)
    ]
    found = [tabulate(each, float(s)) for each, s in zip(per_site, scale, strict=True)]
    k = max((table.fineness for table in found), default=FINEST)
    same = [
        table if table.fineness == k else tabulate(each, float(s), k)
        for table, each, s in zip(found, per_site, scale, strict=True)
    ]
    cells = same[0].coefficients.shape[1] if same else 1
    tables = np.array([table.coefficients for table in same]).reshape(
        -1, FUNCTIONS + count, cells, 4
    )
    local_observables = np.ascontiguousarray(np.swapaxes(tables[:, FUNCTIONS:], 0, 1))
    steps = np.ascontiguousarray(tables[:, :FUNCTIONS])
    return ActiveSteps(
        steps=steps,
        local_observables=local_observables.reshape(-1, cells, 4),
        noisy=np.any(steps[:, 1] != 0.0, axis=(1, 2)),
        inverse_scale=1.0 / scale,
        fineness=k,
        error=max((table.error for table in same), default=0.0),
    )


def _local_observable(model: NoisyModel, c: int, k: int) -> Function:
    def values(n: FloatArray) -> FloatArray:
        found: FloatArray = model.activity.local_observables(k, n)[c]
        return found

    return values


def _flow(model: NoisyModel, k: int, tau: float, parts: int) -> Function:
    """√(n(τ)/n(0)) − 1 along dn/dt = R(n) n, by Runge and Kutta's fourth order in ln n."""
    h = tau / parts

    def factor(n: FloatArray) -> FloatArray:
        w = np.zeros_like(n)
        for _ in range(parts):
            k1 = model.activity.rate(k, n * np.exp(w))
            k2 = model.activity.rate(k, n * np.exp(w + 0.5 * h * k1))
            k3 = model.activity.rate(k, n * np.exp(w + 0.5 * h * k2))
            k4 = model.activity.rate(k, n * np.exp(w + h * k3))
            w += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        return np.expm1(0.5 * w)

    return factor


def _noise_terms(model: NoisyModel, k: int, tau: float) -> tuple[Function, Function]:
    """b² and c of `split_steps`; derivatives from a spline of D over u = 1 + n/scale."""
    scale = float(model.activity.scale[k])
    mesh = np.concatenate([np.linspace(0.0, 1.0, 257)[:-1], np.geomspace(1.0, 2.0**41, 41 * 64)])
    diffusion = model.activity.noise(k, mesh * scale)
    spline = CubicSpline(mesh * scale, diffusion)
    first, second = spline.derivative(1), spline.derivative(2)

    def slope(n: FloatArray) -> FloatArray:
        return 0.25 * tau * first(n)

    def spread(n: FloatArray) -> FloatArray:
        D = model.activity.noise(k, n)
        # b_0² = D/2, so that b_0² ∇²b_0 = b_0 (D' + n D'' − n D'²/(2D)), with ∇²f = 4(n f'' + f').
        with np.errstate(divide="ignore", invalid="ignore"):
            curved = np.where(D > 0.0, first(n) + n * second(n) - 0.5 * n * first(n) ** 2 / D, 0.0)
        correction = np.clip(0.25 * tau * curved, -0.5, 0.5)
        return 0.5 * tau * D * (1.0 + correction) ** 2

    return spread, slope
