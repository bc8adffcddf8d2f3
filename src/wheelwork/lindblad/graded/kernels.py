"""Loops over one rung and the jumps between two, and the solution between jumps in real numbers."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def descend(above, down, upper, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of jumps that lower the charge, from the rung above."""
    for i in range(above.size):
        row = upper[above[i]]
        for k in range(down.shape[0]):
            factor = down[k, i]
            if factor != 0.0:
                for j in range(above.size):
                    out[i, j] += factor * down[k, j] * row[above[j]]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def climb(above, up, lower, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of jumps that raise the charge, from the rung below."""
    for i in range(above.size):
        row = out[above[i]]
        for k in range(up.shape[0]):
            factor = up[k, i]
            if factor != 0.0:
                for j in range(above.size):
                    row[above[j]] += factor * up[k, j] * lower[i, j]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def arrive(K, sizes, starts, links, vector, out):  # type: ignore[no-untyped-def]
    """Add what jumps bring to rung K from its neighbours; links: `FlatLinks.arrays`."""
    first, begins, above, down, up = links
    d = sizes[K]
    if sizes.size > K + 1:
        upper = vector[starts[K + 1] : starts[K + 2]].reshape(sizes[K + 1], sizes[K + 1])
        for link in range(first[K], first[K + 1]):
            part = slice(begins[link], begins[link] + d)
            descend(above[part], down[:, part], upper, out)
    if K > 0:
        below = sizes[K - 1]
        lower = vector[starts[K - 1] : starts[K]].reshape(below, below)
        for link in range(first[K - 1], first[K]):
            part = slice(begins[link], begins[link] + below)
            climb(above[part], up[:, part], lower, out)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rate(sizes, starts, links, drifts, vector, out):  # type: ignore[no-untyped-def]
    """Set out = D ρ + (D ρ)† + what jumps bring, on every rung; drifts: all D in sparse rows."""
    indptr, indices, data = drifts
    row = 0
    for K in range(sizes.size):
        d = sizes[K]
        block = vector[starts[K] : starts[K + 1]].reshape(d, d)
        result = out[starts[K] : starts[K + 1]].reshape(d, d)
        half = np.zeros_like(block)
        for i in range(d):
            for place in range(indptr[row + i], indptr[row + i + 1]):
                k, value = indices[place], data[place]
                for j in range(d):
                    half[i, j] += value * block[k, j]
        for i in range(d):
            for j in range(d):
                result[i, j] = half[i, j] + np.conj(half[j, i])
        arrive(K, sizes, starts, links, vector, result)
        row += d


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


@numba.njit(cache=True, nogil=True, error_model="numpy")
def settle_real(rungs, sizes, starts, links, modes, wanted, x):  # type: ignore[no-untyped-def]
    """Solve on each of `rungs` for what is wanted but for what arrives; modes: of `RealSweeps`."""
    left, right, pairs, kept, begins, unlike, like = modes
    for K in rungs:
        d, h = sizes[K], kept[K]
        whole, part = slice(starts[K], starts[K + 1]), slice(begins[K], begins[K] + h * h)
        arriving = np.zeros((d, d))
        arrive(K, sizes, starts, links, x, arriving)
        x[whole].reshape(d, d)[:] = solve_real(
            left[whole].reshape(d, d),
            right[whole].reshape(d, d),
            pairs[K],
            unlike[part].reshape(h, h),
            like[part].reshape(h, h),
            wanted[whole].reshape(d, d) - arriving,
        )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def correct_real(sizes, starts, chain, residual, x):  # type: ignore[no-untyped-def]
    """Add the answer of a chain of populations to a residual; chain: of `RealCorrection`."""
    states, parts, weights, inverses, up, down, at = chain
    top = sizes.size - 1
    p = np.empty(states[-1])
    for K in range(top + 1):
        d, h = sizes[K], states[K + 1] - states[K]
        S = parts[at[0, K] : at[0, K + 1]].reshape(d, 2 * h)
        moved = residual[starts[K] : starts[K + 1]].reshape(d, d) @ S
        for k in range(h):
            total = 0.0
            for i in range(d):
                total += S[i, k] * moved[i, k] + S[i, h + k] * moved[i, h + k]
            p[states[K] + k] = weights[states[K] + k] * total
    for K in range(top, 0, -1):
        h = states[K + 1] - states[K]
        inverse = inverses[at[1, K] : at[1, K + 1]].reshape(h, h)
        link = down[at[2, K] : at[2, K + 1]].reshape(states[K] - states[K - 1], h)
        p[states[K - 1] : states[K]] -= link @ (inverse @ p[states[K] : states[K + 1]])
    for K in range(top + 1):
        here, h = p[states[K] : states[K + 1]], states[K + 1] - states[K]
        if K > 0:
            link = up[at[2, K] : at[2, K + 1]].reshape(h, states[K] - states[K - 1])
            here -= link @ p[states[K - 1] : states[K]]
        here[:] = inverses[at[1, K] : at[1, K + 1]].reshape(h, h) @ here
        d = sizes[K]
        S = parts[at[0, K] : at[0, K + 1]].reshape(d, 2 * h)
        weighted = S.copy()
        for i in range(d):
            for k in range(h):
                weighted[i, k] *= here[k]
                weighted[i, h + k] *= here[k]
        x[starts[K] : starts[K + 1]].reshape(d, d)[:] += weighted @ S.T
