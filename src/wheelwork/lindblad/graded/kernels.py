"""Compiled loops over charge sectors: the equation, and its preconditioner in real numbers.

Vectors, sectors and links are as in `GradedLindblad`; the algebra of `solve_real` and
`correct_real` is derived in docs/developers/lindblad.md.
"""

import numpy as np

from wheelwork.numerics.compiling import compiled


@compiled
def add_lowered(above, down, upper, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of the jumps of a link that lower the charge; upper: ρ of sector K + 1."""
    for i in range(above.size):
        row = upper[above[i]]
        for k in range(down.shape[0]):
            factor = down[k, i]
            if factor != 0.0:
                for j in range(above.size):
                    out[i, j] += factor * down[k, j] * row[above[j]]


@compiled
def add_raised(above, up, lower, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† of the jumps of a link that raise the charge; lower: ρ of sector K."""
    for i in range(above.size):
        row = out[above[i]]
        for k in range(up.shape[0]):
            factor = up[k, i]
            if factor != 0.0:
                for j in range(above.size):
                    row[above[j]] += factor * up[k, j] * lower[i, j]


@compiled
def add_gain(K, sizes, starts, links, vector, out):  # type: ignore[no-untyped-def]
    """Add Σ_k L_k ρ L_k† in sector K, from the sectors K ± 1; links: as `flat_links`."""
    first, begins, above, down, up = links
    d = sizes[K]
    if sizes.size > K + 1:
        upper = vector[starts[K + 1] : starts[K + 2]].reshape(sizes[K + 1], sizes[K + 1])
        for link in range(first[K], first[K + 1]):
            part = slice(begins[link], begins[link] + d)
            add_lowered(above[part], down[:, part], upper, out)
    if K > 0:
        below = sizes[K - 1]
        lower = vector[starts[K - 1] : starts[K]].reshape(below, below)
        for link in range(first[K - 1], first[K]):
            part = slice(begins[link], begins[link] + below)
            add_raised(above[part], up[:, part], lower, out)


@compiled
def rate(sizes, starts, links, drifts, vector, out):  # type: ignore[no-untyped-def]
    """Set out = D ρ + (D ρ)† + Σ_k L_k ρ L_k†, in every sector; drifts: all D in sparse rows."""
    indptr, indices, data = drifts
    row = 0
    for K in range(sizes.size):
        d = sizes[K]
        block = vector[starts[K] : starts[K + 1]].reshape(d, d)
        result = out[starts[K] : starts[K + 1]].reshape(d, d)
        half = np.zeros_like(block)
        for i in range(d):
            for entry in range(indptr[row + i], indptr[row + i + 1]):
                k, value = indices[entry], data[entry]
                for j in range(d):
                    half[i, j] += value * block[k, j]
        for i in range(d):
            for j in range(d):
                result[i, j] = half[i, j] + np.conj(half[j, i])
        add_gain(K, sizes, starts, links, vector, result)
        row += d


@compiled
def solve_real(left, right, pairs, quotient, mirrored, source):  # type: ignore[no-untyped-def]
    """`RealModes.solve`: to the basis of the kept modes, divide, and back; symmetric.

    y and z are X_ij between modes i and j, and between mode i and the conjugate of mode j.
    """
    h = mirrored.shape[0]
    part = left @ source @ left.T
    for i in range(h):
        for j in range(h):
            a = part[i, j]
            b = part[i, h + j] if j < pairs else 0.0
            c = part[h + i, j] if i < pairs else 0.0
            d = part[h + i, h + j] if i < pairs and j < pairs else 0.0
            y = complex(a + d, c - b) * quotient[i, j]
            z = complex(a - d, b + c) * mirrored[i, j]
            part[i, j] = 2.0 * (y.real + z.real)
            if j < pairs:
                part[i, h + j] = 2.0 * (y.imag - z.imag)
            if i < pairs:
                part[h + i, j] = -2.0 * (y.imag + z.imag)
                if j < pairs:
                    part[h + i, h + j] = 2.0 * (y.real - z.real)
    result = right @ part @ right.T
    for i in range(result.shape[0]):
        for j in range(i):
            result[i, j] = result[j, i] = 0.5 * (result[i, j] + result[j, i])
    return result


@compiled
def sweep_real(sectors, sizes, starts, links, modes, target, x):  # type: ignore[no-untyped-def]
    """Set x, in each of `sectors` in turn, so that its rate there is `target`.

    The gain from the sectors K ± 1 is taken from x as it is by then. modes: of `RealSweeps`.
    """
    left, right, pairs, kept, begins, quotient, mirrored = modes
    for K in sectors:
        d, h = sizes[K], kept[K]
        whole, part = slice(starts[K], starts[K + 1]), slice(begins[K], begins[K] + h * h)
        gain = np.zeros((d, d))
        add_gain(K, sizes, starts, links, x, gain)
        x[whole].reshape(d, d)[:] = solve_real(
            left[whole].reshape(d, d),
            right[whole].reshape(d, d),
            pairs[K],
            quotient[part].reshape(h, h),
            mirrored[part].reshape(h, h),
            target[whole].reshape(d, d) - gain,
        )


@compiled
def correct_real(sizes, starts, chain, residual, x):  # type: ignore[no-untyped-def]
    """Add to x what `PopulationChain.correct` adds for a residual; chain: of `RealCorrection`."""
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
