"""One step of a trajectory, as arrays and tables for compiled loops.

The linear network with its thermal noise is one part; each active site is another: the exact flow
of its rate R, and its noise D.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.linalg import expm

from wheelwork._checks import FloatArray
from wheelwork.methods.sampling_method import SamplingMethod
from wheelwork.numerics.cubic_cells import FINEST, OCTAVES, TERMS, Function, octave_cells
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.model import ComplexArray, IntArray

DENSE, BONDS, EULER = 0, 1, 2
LARGEST_DENSE = 24  # sites, beyond which bonds are faster
LONGEST_BLOCK = 1.0  # norm of LΔt up to which a block exponential keeps all digits
FLOW_STEPS = 16  # Runge–Kutta steps per 1/R: an error of 1e-7, far below that of the tables
FUNCTIONS = 3  # of a site that a step needs, before its local observables: F, b² and c
MOST_CORRECTION = 0.5  # of b: more only where D varies within a quantum, which has no meaning


@dataclass(frozen=True, eq=False)
class Stepper:
    """One step of a scheme: `linear` and `active` parts for Δt."""

    linear: "LinearStep"
    active: "ActiveSteps"

    @classmethod
    def of(cls, method: SamplingMethod, model: NoisyModel, step: float) -> "Stepper":
        """Return a step of the method's scheme; splitting is dense up to 24 sites."""
        if method.scheme == "euler":
            return cls(euler_step(model, step), euler_steps(model, step))
        linear = dense_step if model.sites <= LARGEST_DENSE else bond_step
        return cls(linear(model, step), split_steps(model, step))


@dataclass(frozen=True, eq=False)
class LinearStep:
    """α → M α + S ζ, ζ complex normal of variance two per site; or its parts.

    kind: DENSE, BONDS or EULER. matrix, mixing: real and imaginary parts of M and S, (2, N, N);
    `mixing` is empty where the noise of each site is its own. turn: (2, N), complex factor per
    site. spread: (N,) standard deviation of the noise of real and imaginary part. bonds: (B, 2)
    pairs of sites, in the order of their rotations, `angles`: (B, 2), cosine and sine.
    """

    kind: int
    matrix: FloatArray
    mixing: FloatArray
    turn: FloatArray
    spread: FloatArray
    bonds: IntArray
    angles: FloatArray


def dense_step(model: NoisyModel, step: float) -> LinearStep:
    """Return e^{LΔt} with the covariance of its thermal noise: exact.

    ∫₀^Δt e^{Ls} diag(γN) e^{L†s} ds is N(1 − e^{−γΔt}) for equal γ and N, else see `_covariance`.
    """
    N = model.sites
    matrix = expm(step * model.linear)
    if model.uniform:
        spread, mixing = _local_spread(model, step), np.zeros((2, 0, 0))
    else:
        values, vectors = np.linalg.eigh(_covariance(model, step))
        root: ComplexArray = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.conj().T
        spread, mixing = np.zeros(N), _parts(np.sqrt(0.5) * root)
    turn, no_bonds = np.stack([np.ones(N), np.zeros(N)]), np.zeros((0, 2), np.intp)
    return LinearStep(DENSE, _parts(matrix), mixing, turn, spread, no_bonds, np.zeros((0, 2)))


def bond_step(model: NoisyModel, step: float) -> LinearStep:
    """Return rotations of all edges by half of gΔt/2, colour by colour, each site by itself
    (damping, detuning and thermal noise exact over Δt), and the rotations in reverse order.

    Edges of one colour share no site. Of second order in Δt, linear in nodes and edges.
    """
    order = coloured(model.edges, model.sites)
    angle = 0.25 * step * model.couplings[order]
    turn: ComplexArray = np.exp(step * (-0.5 * model.dampings - 1j * model.detunings))
    angles = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _by_site(BONDS, turn, _local_spread(model, step), model.edges[order], angles)


def euler_step(model: NoisyModel, step: float) -> LinearStep:
    """Return 1 + LΔt and noise γNΔt; `angles` hold the step of a bond."""
    turn = np.asarray(1.0 + step * (-0.5 * model.dampings - 1j * model.detunings), complex)
    spread = np.sqrt(0.5 * step * model.dampings * model.thermal)
    angles = np.stack([np.ones(len(model.edges)), 0.5 * step * model.couplings], axis=1)
    return _by_site(EULER, turn, spread, model.edges, angles)


def _by_site(
    kind: int, turn: ComplexArray, spread: FloatArray, bonds: IntArray, angles: FloatArray
) -> LinearStep:
    none = np.zeros((2, 0, 0))
    return LinearStep(kind, none, none, np.stack([turn.real, turn.imag]), spread, bonds, angles)


def coloured(edges: IntArray, sites: int) -> npt.NDArray[np.intp]:
    """Return the edges in the order of their colours, greedily given: at most 2 · degree − 1."""
    used: list[set[int]] = [set() for _ in range(sites)]
    colours = np.empty(len(edges), np.intp)
    for i, (u, v) in enumerate(edges.tolist()):
        taken = used[u] | used[v]
        colour = next(c for c in range(len(taken) + 1) if c not in taken)
        colours[i] = colour
        used[u].add(colour)
        used[v].add(colour)
    return np.argsort(colours, kind="stable")


def _local_spread(model: NoisyModel, step: float) -> FloatArray:
    spread: FloatArray = np.sqrt(-0.5 * model.thermal * np.expm1(-step * model.dampings))
    return spread


def _covariance(model: NoisyModel, step: float) -> ComplexArray:
    """⟨ξ_j ξ_k*⟩ of the noise over a step, C(Δt) = ∫₀^Δt e^{Ls} diag(γN) e^{L†s} ds.

    By the exponential of a block matrix (C. F. Van Loan, IEEE Trans. Autom. Control 23, 395
    (1978)). That holds e^{−LΔt}, which grows, and loses its digits to it in a long step; there
    C is built up from a short one by C(2s) = C(s) + e^{Ls} C(s) e^{L†s}, sums of positive matrices.
    """
    N, L = model.sites, model.linear
    size = step * float(np.linalg.norm(L, 1))
    doublings = max(0, math.ceil(math.log2(size / LONGEST_BLOCK))) if size > 0.0 else 0
    blocks = np.zeros((2 * N, 2 * N), np.complex128)
    blocks[:N, :N], blocks[N:, N:] = -L, L.conj().T
    blocks[:N, N:] = np.diag(model.dampings * model.thermal)
    exponential = expm(step * 0.5**doublings * blocks)
    move: ComplexArray = exponential[N:, N:].conj().T
    covariance = move @ exponential[:N, N:]
    for _ in range(doublings):
        covariance = covariance + move @ covariance @ move.conj().T
        move = move @ move
    return 0.5 * (covariance + covariance.conj().T)


def _parts(matrix: ComplexArray) -> FloatArray:
    return np.ascontiguousarray(np.stack([matrix.real, matrix.imag]))


@dataclass(frozen=True, eq=False)
class ActiveSteps:
    """Tables of all active sites, on cells of one fineness.

    steps: (K, cells, 3, 4), F, b² and c. local: (K, cells, C, 4), local observables. noisy: (K,)
    whether D > 0 anywhere. inverse_scale: (K,). error: largest relative error of the tables.
    Splitting: a drift adds Fα, a noise bζ + c[ζ Re(α*ζ) − α(1 + iV)]. Euler: both at once, c = 0.
    """

    steps: FloatArray
    local: FloatArray
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
    sites = range(model.active.size)
    return _tables(
        model, [[_flow(model, k, tau, parts), *_noise_terms(model, k, tau)] for k in sites]
    )


def euler_steps(model: NoisyModel, step: float) -> ActiveSteps:
    """Return the tables of the Euler–Maruyama scheme: F = ½R Δt, b² = ½D Δt."""

    def triple(k: int) -> list[Function]:
        return [
            lambda n: 0.5 * step * model.activity.rate(k, n),
            lambda n: 0.5 * step * model.activity.noise(k, n),
            np.zeros_like,
        ]

    return _tables(model, [triple(k) for k in range(model.active.size)])


def _tables(model: NoisyModel, triples: list[list[Function]]) -> ActiveSteps:
    scale, count = model.activity.scale, len(model.activity.names)
    functions = [
        [*triple, *(_local_observable(model, c, k) for c in range(count))]
        for k, triple in enumerate(triples)
    ]
    tables = [octave_cells(each, float(s)) for each, s in zip(functions, scale, strict=True)]
    fineness = max((table.fineness for table in tables), default=FINEST)
    same = [
        table if table.fineness == fineness else octave_cells(each, float(s), fineness)
        for table, each, s in zip(tables, functions, scale, strict=True)
    ]
    cells = OCTAVES * 2**fineness if same else 1
    coefficients = np.array([table.coefficients for table in same])
    coefficients = coefficients.reshape(-1, cells, FUNCTIONS + count, TERMS)
    steps = np.ascontiguousarray(coefficients[:, :, :FUNCTIONS])
    return ActiveSteps(
        steps=steps,
        local=np.ascontiguousarray(coefficients[:, :, FUNCTIONS:]),
        noisy=np.any(steps[:, :, 1] != 0.0, axis=(1, 2)),
        inverse_scale=1.0 / scale,
        fineness=fineness,
        error=max((table.error for table in same), default=0.0),
    )


def _local_observable(model: NoisyModel, c: int, k: int) -> Function:
    return lambda n: np.asarray(model.activity.local_observables(k, n)[c])


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

    def spread(n: FloatArray) -> FloatArray:
        D = model.activity.noise(k, n)
        # b_0² = D/2, so that b_0² ∇²b_0 = b_0 (D' + n D'' − n D'²/(2D)), with ∇²f = 4(n f'' + f').
        with np.errstate(divide="ignore", invalid="ignore"):
            curved = np.where(D > 0.0, first(n) + n * second(n) - 0.5 * n * first(n) ** 2 / D, 0.0)
        correction = np.clip(0.25 * tau * curved, -MOST_CORRECTION, MOST_CORRECTION)
        return 0.5 * tau * D * (1.0 + correction) ** 2

    return spread, lambda n: 0.25 * tau * first(n)
