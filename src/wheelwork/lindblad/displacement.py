"""Another form of the same Lindblad equation, in which jumps are rare.

L → L − c and −iH → −iH + ½Σ(c* L − c L†) leave the equation as it is. With c = ⟨L⟩ the rate of
jumps falls from ⟨L†L⟩ to ⟨L†L⟩ − |⟨L⟩|², which vanishes in a coherent state.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.lindblad.block_preconditioner import mixed_sets
from wheelwork.lindblad.equation import Lindblad
from wheelwork.lindblad.operators import ComplexArray
from wheelwork.lindblad.sector import Sector
from wheelwork.numerics.work import tick

SHARE = 0.01  # of ⟨L†L⟩ that |⟨L⟩|² must be for a displacement to pay
MOST = 32  # jumps: among more, the mean of each is a small part
STEPS = 6  # of the search for a state of no jumps; it only starts an iteration
UNCHANGED = 1e-4  # Σ|δc|² relative to Σ|c|² that ends this search


def displaced(lindblad: Lindblad, means: ComplexArray) -> Lindblad:
    """Return the equation with the jumps L_k − c_k; means: c, (K,)."""
    if not np.any(means):
        return lindblad
    H, one = lindblad.hamiltonian, sp.eye_array(lindblad.dimension, format="csc")
    jumps = list(lindblad.jumps)
    for k in np.flatnonzero(means):
        half = 0.5j * np.conj(means[k]) * jumps[k]
        H = H + half + half.conj().T
        jumps[k] = sp.csc_array(jumps[k] - means[k] * one)
    return Lindblad(sp.csc_array(0.5 * (H + H.conj().T)), tuple(jumps))


def jump_means(lindblad: Lindblad, sector: Sector, values: FloatArray) -> ComplexArray:
    """Return ⟨L_k⟩ of each jump, (K,); zero where it is a small part of √⟨L†L⟩."""
    means = np.zeros(len(lindblad.jumps), dtype=np.complex128)
    if means.size > MOST:
        return means
    rho = sector.matrix(values)
    for k, L in enumerate(lindblad.jumps):
        moved = L @ rho
        mean, rate = moved.trace(), L.conj().multiply(moved).sum().real
        if abs(mean) ** 2 > SHARE * rate:
            means[k] = mean
    return means


def state_without_jumps(
    lindblad: Lindblad, sector: Sector
) -> tuple[FloatArray, ComplexArray] | None:
    """Return the slowest decaying state between displaced jumps, on the sector, and ⟨L_k⟩ in it.

    None where H and the jumps do not mix all basis states, or jumps are many.
    """
    if len(lindblad.jumps) > MOST or mixed_sets(lindblad.drift).max(initial=0):
        return None
    means = np.zeros(len(lindblad.jumps), dtype=np.complex128)
    for step in range(STEPS):
        tick("state without jumps", step, STEPS)
        rates, vectors = np.linalg.eig(displaced(lindblad, means).drift.toarray())
        v = vectors[:, np.argmax(rates.real)]
        last, means = means, _means(lindblad.jumps, v / np.linalg.norm(v))
        if np.sum(abs(means - last) ** 2) <= UNCHANGED * np.sum(abs(means) ** 2):
            break
    values = (v[sector.row] * v[sector.column].conj() * sector.factors.conj()).real
    trace = float(sector.trace @ values)
    return (values / trace, means) if trace > 0.0 else None


def _means(jumps: Sequence[sp.csc_array], v: ComplexArray) -> ComplexArray:
    """⟨v|L_k|v⟩, (K,)."""
    return np.array([np.sum(v.conj() * np.asarray(L @ v)) for L in jumps], dtype=np.complex128)
