"""The linear part of a step, with its thermal noise, as arrays for compiled loops."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.oscillator_networks.model import ComplexArray, IntArray

DENSE, BONDS, EULER = 0, 1, 2
LARGEST_DENSE = 24  # sites, beyond which bonds are faster


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

    ∫₀^Δt e^{Ls} diag(γN) e^{L†s} ds is N(1 − e^{−γΔt}) for equal γ and N; else by Van Loan's
    exponential of a block matrix (IEEE Trans. Autom. Control 23, 395 (1978)).
    """
    N = model.sites
    matrix = expm(step * model.linear)
    if model.uniform:
        spread, mixing = _local_spread(model, step), np.zeros((2, 0, 0))
    else:
        root = _root(_covariance(model, step))
        spread, mixing = np.zeros(N), _parts(np.sqrt(0.5) * root)
    return LinearStep(
        kind=DENSE,
        matrix=_parts(matrix),
        mixing=mixing,
        turn=np.stack([np.ones(N), np.zeros(N)]),
        spread=spread,
        bonds=np.zeros((0, 2), np.intp),
        angles=np.zeros((0, 2)),
    )


def bond_step(model: NoisyModel, step: float) -> LinearStep:
    """Return rotations of all edges by half of gΔt/2, colour by colour, each site by itself
    (damping, detuning and thermal noise exact over Δt), and the rotations in reverse order.

    Edges of one colour share no site. Of second order in Δt, linear in nodes and edges.
    """
    order = coloured(model.edges, model.sites)
    angle = 0.25 * step * model.couplings[order]
    exponent = step * (-0.5 * model.dampings - 1j * model.detunings)
    turn = np.exp(exponent)
    return LinearStep(
        kind=BONDS,
        matrix=np.zeros((2, 0, 0)),
        mixing=np.zeros((2, 0, 0)),
        turn=np.stack([turn.real, turn.imag]),
        spread=_local_spread(model, step),
        bonds=model.edges[order],
        angles=np.stack([np.cos(angle), np.sin(angle)], axis=1),
    )


def euler_step(model: NoisyModel, step: float) -> LinearStep:
    """Return 1 + LΔt and noise γNΔt; `angles` hold the step of a bond."""
    turn = 1.0 + step * (-0.5 * model.dampings - 1j * model.detunings)
    return LinearStep(
        kind=EULER,
        matrix=np.zeros((2, 0, 0)),
        mixing=np.zeros((2, 0, 0)),
        turn=np.stack([turn.real, turn.imag]),
        spread=np.sqrt(0.5 * step * model.dampings * model.thermal),
        bonds=model.edges,
        angles=np.stack([np.ones(len(model.edges)), 0.5 * step * model.couplings], axis=1),
    )


def coloured(edges: IntArray, sites: int) -> npt.NDArray[np.intp]:
    """Return an order of the edges, by colours found greedily: at most 2 · degree − 1 of them."""
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
    """⟨ξ_j ξ_k*⟩ of the noise over a step."""
    N, L = model.sites, model.linear
    blocks = np.zeros((2 * N, 2 * N), np.complex128)
    blocks[:N, :N], blocks[N:, N:] = -L, L.conj().T
    blocks[:N, N:] = np.diag(model.dampings * model.thermal)
    exponential = expm(step * blocks)
    found: ComplexArray = exponential[N:, N:].conj().T @ exponential[:N, N:]
    return 0.5 * (found + found.conj().T)


def _root(covariance: ComplexArray) -> ComplexArray:
    values, vectors = np.linalg.eigh(covariance)
    root: ComplexArray = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.conj().T
    return root


def _parts(matrix: ComplexArray) -> FloatArray:
    return np.ascontiguousarray(np.stack([matrix.real, matrix.imag]))
