"""Loops over one rung and the jumps between two, and the solution between jumps in real numbers."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def descend(above, down, upper, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of jumps that lower the charge, from the rung above."""
    for i in range(above.size):
        for j in range(above.size):
            weight = 0.0
            for k in range(down.shape[0]):
                weight += down[k, i] * down[k, j]
            out[i, j] += weight * upper[above[i], above[j]]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def climb(above, up, lower, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of jumps that raise the charge, from the rung below."""
    for i in range(above.size):
        for j in range(above.size):
            weight = 0.0
            for k in range(up.shape[0]):
                weight += up[k, i] * up[k, j]
            out[above[i], above[j]] += weight * lower[i, j]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def drift(indptr, indices, data, block, out):  # type: ignore[no-untyped-def]
    """Set out = D ρ + (D ρ)† for a sparse D, by rows."""
    half = np.zeros_like(block)
    for i in range(block.shape[0]):
        for place in range(indptr[i], indptr[i + 1]):
            k, value = indices[place], data[place]
            for j in range(block.shape[1]):
                half[i, j] += value * block[k, j]
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            out[i, j] = half[i, j] + np.conj(half[j, i])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def solve_real(left, right, pairs, unlike, like, source):  # type: ignore[no-untyped-def]
    """`RealModes.solve`: pass to the kept modes, divide, and pass back; the result is symmetric."""
    h = like.shape[0]
    part = left @ source @ left.T
    for i in range(h):
        for j in range(h):
            a = part[i, j]
            b = part[i, h + j] if j < pairs else 0.0
            c = part[h + i, j] if i < pairs else 0.0
            d = part[h + i, h + j] if i < pairs and j < pairs else 0.0
            y = complex(a + d, c - b) * unlike[i, j]
            z = complex(a - d, b + c) * like[i, j]
            part[i, j] = 2.0 * (y.real + z.real)
            if j < pairs:
                part[i, h + j] = 2.0 * (y.imag - z.imag)
            if i < pairs:
                part[h + i, j] = -2.0 * (y.imag + z.imag)
                if j < pairs:
                    part[h + i, h + j] = 2.0 * (y.real - z.real)
    found = right @ part @ right.T
    for i in range(found.shape[0]):
        for j in range(i):
            found[i, j] = found[j, i] = 0.5 * (found[i, j] + found[j, i])
    return found
