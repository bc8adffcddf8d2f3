"""Numbers of docs/power-grid.md by second routes: python benchmarks/second_routes.py [N].

They share no code with the library: a chain with thermal noise by Runge-Kutta steps, window after
window of N trajectories (16: some ten minutes); two quantum nodes by every element of the generator
and SuperLU.
"""

import itertools
import math
import sys

import numba
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla

import wheelwork as ww
from wheelwork._checks import FloatArray

SITES, INJECTION, DAMPING, HEAT = 6, 4.0, 1e-3, 10.0  # HEAT: N_th/n0
STEP, LENGTH, WINDOWS = 0.05, 5e4, 30
FIRST_MIXED = 8  # windows before it remember the start

# ---------------------------------------------------------------- a chain with thermal noise


@numba.njit(nogil=True)
def _velocity(z, out, extraction):  # type: ignore[no-untyped-def]
    """dα/dt of the chain, α in units of √n0."""
    last = z.size - 1
    for j in range(z.size):
        out[j] = -0.5 * DAMPING * z[j]
        if j > 0:
            out[j] += 0.5j * z[j - 1]
        if j < last:
            out[j] += 0.5j * z[j + 1]
    out[0] += 0.5 * INJECTION * z[0] / (1.0 + abs(z[0]) ** 2) ** 2
    out[last] -= 0.5 * extraction * z[last] / (1.0 + abs(z[last]) ** 2) ** 2


@numba.njit(nogil=True)
def _kick(z, width, random):  # type: ignore[no-untyped-def]
    for j in range(z.size):
        z[j] += width * complex(random.standard_normal(), random.standard_normal())


@numba.njit(nogil=True)
def windows_of(z, random, extraction, windows, steps, dt):  # type: ignore[no-untyped-def]
    """Means of J, J_01, J_01², Λ − G over each window of one trajectory: (windows, 4)."""
    slopes = np.empty((4, z.size), np.complex128)
    width = math.sqrt(0.25 * DAMPING * HEAT * dt)  # of half a step's noise
    means = np.zeros((windows, 4))
    for w in range(windows):
        for _ in range(steps):
            _kick(z, width, random)
            _velocity(z, slopes[0], extraction)
            _velocity(z + 0.5 * dt * slopes[0], slopes[1], extraction)
            _velocity(z + 0.5 * dt * slopes[1], slopes[2], extraction)
            _velocity(z + dt * slopes[2], slopes[3], extraction)
            z += dt / 6.0 * (slopes[0] + 2.0 * slopes[1] + 2.0 * slopes[2] + slopes[3])
            _kick(z, width, random)
            first = (z[0].conjugate() * z[1]).imag
            total = 0.0
            for j in range(z.size - 1):
                total += (z[j].conjugate() * z[j + 1]).imag
            means[w, 0] += total / (z.size - 1)
            means[w, 1] += first
            means[w, 2] += first * first
            means[w, 3] += extraction / (1.0 + abs(z[-1]) ** 2) ** 2
            means[w, 3] -= INJECTION / (1.0 + abs(z[0]) ** 2) ** 2
        means[w] /= steps
    return means


def chain(extraction: float, trajectories: int) -> None:
    """Print J, ΔJ of the first edge and Γ̄ of windows that follow the start in equilibrium."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(trajectories):
        normal = random.standard_normal((2, SITES))
        start = math.sqrt(0.5 * HEAT) * (normal[0] + 1j * normal[1])
        found.append(windows_of(start, random, extraction, WINDOWS, int(LENGTH / STEP), STEP))
    means = np.array(found)
    for first, last in ((0, 1), (1, 2), (2, 4), (4, FIRST_MIXED), (FIRST_MIXED, WINDOWS)):
        each = means[:, first:last].mean(axis=1)
        J, J1, square, rate = each.mean(axis=0)
        errors = each.std(axis=0, ddof=1) / math.sqrt(trajectories)
        print(
            f"Γ_e = {extraction:g}, {first * LENGTH:7.0f} to {last * LENGTH:7.0f} /g: J = {J:.5f} "
            f"± {errors[0]:.5f}, ΔJ = {math.sqrt(square - J1 * J1):.3f}, Γ̄ = {rate:.4f} ± "
            f"{errors[3]:.4f}",
            flush=True,
        )


# ---------------------------------------------------------------- two quantum nodes


def generator(cutoff: int, extraction: float, damping: float) -> tuple[sp.csc_matrix, FloatArray]:
    """The generator on elements |n, K−n⟩⟨m, K−m| with K ≤ cutoff, and their (K, n, m)."""
    labels = [
        (K, n, m) for K in range(cutoff + 1) for n, m in itertools.product(range(K + 1), repeat=2)
    ]
    place = {label: i for i, label in enumerate(labels)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[complex] = []

    def add(target: tuple[int, int, int], source: int, value: complex) -> None:
        if target in place:
            rows.append(place[target])
            columns.append(source)
            values.append(value)

    def down(n: int) -> float:
        """⟨n−1|A|n⟩ of A = a/(1 + a†a) in the order of Huber and Rabl, Eq. (2)."""
        return math.sqrt(n) / n if n else 0.0

    def gained(K: int, n: int, m: int) -> float:
        return INJECTION * (down(n + 1) ** 2 + down(m + 1) ** 2) if cutoff > K else 0.0

    for i, (K, n, m) in enumerate(labels):
        k, q = K - n, K - m  # quanta of the other node
        for step, hop in ((1, (n + 1) * k), (-1, n * (k + 1))):
            add((K, n + step, m), i, 0.5j * math.sqrt(hop))
        for step, hop in ((1, (m + 1) * q), (-1, m * (q + 1))):
            add((K, n, m + step), i, -0.5j * math.sqrt(hop))
        add((K + 1, n + 1, m + 1), i, INJECTION * down(n + 1) * down(m + 1))
        add((K - 1, n - 1, m - 1), i, damping * math.sqrt(n * m))
        if k and q:
            fall = extraction * down(k) * down(q) + damping * math.sqrt(k * q)
            add((K - 1, n, m), i, fall)
        lost = extraction * (down(k) ** 2 + down(q) ** 2) + damping * (n + m + k + q)
        add((K, n, m), i, -0.5 * (lost + gained(K, n, m)))
    size = len(labels)
    return sp.csc_matrix((values, (rows, columns)), shape=(size, size)), np.array(labels)


def pair(cutoff: int, extraction: float, damping: float) -> tuple[float, float, float]:
    """J, ΔJ and p(cutoff) of two nodes, n0 = 1, without heat."""
    matrix, labels = generator(cutoff, extraction, damping)
    solved = sla.splu(
        matrix[1:, 1:],
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    rho = np.append(1.0, solved.solve(-matrix[1:, [0]].toarray()[:, 0]))
    K, n, m = labels.T
    rho /= np.sum(rho[n == m])
    k = K - n
    once, twice, equal = m == n + 1, m == n + 2, m == n
    J = float(np.sum(rho[once].imag * np.sqrt((n + 1.0) * k)[once]))
    square = 0.25 * np.sum(rho[equal].real * (2 * n * k + n + k)[equal])
    square -= 0.5 * np.sum(rho[twice].real * np.sqrt((n + 1.0) * (n + 2.0) * k * (k - 1.0))[twice])
    edge = float(np.sum(rho[equal & (cutoff == K)].real))
    return J, math.sqrt(square - J * J), edge


def cutoffs(extraction: float, damping: float) -> None:
    """Print ΔJ at growing cutoffs by this route, as far as it goes, and by `MasterEquation`."""
    for cutoff in (30, 50, 60, 70):
        J, width, edge = pair(cutoff, extraction, damping)
        print(f"M = {cutoff:3d}: J = {J:+.6f}, ΔJ = {width:.6f}, p(M) = {edge:.1e}", flush=True)
    grid = ww.PowerGrid.chain(2, INJECTION, extraction, damping)
    for cutoff in (70, 90, 100, 140):
        state = grid.steady_state(ww.MasterEquation(rtol=0.05, cutoff=cutoff, operations=1e13))
        edge = state.audit["edge population"].value
        J, width = state.current[(0, 1)], state.current_fluctuation[(0, 1)]
        print(f"MasterEquation(cutoff={cutoff}): J = {J:+.6f}, ΔJ = {width:.6f}, p(M) = {edge:.1e}")


if __name__ == "__main__":
    cutoffs(4.0, DAMPING)
    chain(8.0, int(sys.argv[1]) if len(sys.argv) > 1 else 16)
