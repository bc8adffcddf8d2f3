"""Lanes of trajectories stepped together in compiled code.

The state is (2N, lanes): real and imaginary part of site j in rows 2j and 2j + 1. Lanes do not
see each other: splitting a bundle changes no bit of any of them. A step draws its normals from
blocks of four, numbered by step: one for each two sites, then two for each active site.
"""

import math

import numpy as np

from wheelwork.methods.sampling_method import SAMPLE
from wheelwork.numerics.compiling import compiled, inlined
from wheelwork.numerics.cubic_cells import cubic, locate_octave
from wheelwork.numerics.random import fill_normals
from wheelwork.oscillator_networks.langevin.steps import DENSE, EULER

COUNTED = 4  # of so many samples one enters the histograms: more would tell little new
FIXED_ROWS = 2  # of the sums, before those of sites, edges and local observables
_ROOT_HALF = math.sqrt(0.5)


@compiled
def propagate(  # type: ignore[no-untyped-def]
    state, sums, counts, groups, linear, active, measured, noise, first_step, steps, joined
):
    """Carry lanes through `steps` steps from number `first_step` on, in place.

    sums: (rows, lanes), added to after every fourth step; nothing is if it has no rows.
    counts: (groups, N, bins) of |α_j|, or no groups. groups: (lanes,) group of each lane.
    linear: (kind, matrix, mixing, turn, spread, bonds, angles). active: (sites, steps tables,
    noisy, inverse scale, k). measured: (edges, couplings, local observables, inverse bin width).
    noise: (seed, first trajectory). joined: each step takes the noise of two.
    """
    lanes, sites = state.shape[1], state.shape[0] // 2
    work, other = np.empty_like(state), np.empty((linear[2].shape[1] * 2, lanes))
    kicks = np.empty((2 * active[0].size, lanes))
    z, z2 = np.empty((4, lanes)), np.empty((4, lanes))
    pairs = (sites + 1) // 2
    blocks = pairs + 2 * active[0].size
    every = SAMPLE // 2 if joined else SAMPLE
    for i in range(first_step, first_step + steps):
        base = i * blocks * (2 if joined else 1)
        if linear[0] == EULER:
            _kicks(state, kicks, active, z, z2, base + pairs, blocks, noise, joined)
            _euler(work, state, linear[3], linear[5], linear[6])
            _add_local(state, work, linear[4], z, z2, base, blocks, noise, joined)
            for a in range(active[0].size):
                j = active[0][a]
                for lane in range(lanes):
                    state[2 * j, lane] += kicks[2 * a, lane]
                    state[2 * j + 1, lane] += kicks[2 * a + 1, lane]
        else:
            _stir(state, active, z, z2, base + pairs, 0, blocks, noise, joined)
            _drift(state, active)
            if linear[0] == DENSE:
                _dense(work, state, linear[1], False)
                if other.shape[0] > 0:
                    _fill(other, z, z2, base, blocks, noise, joined)
                    _dense(work, other, linear[2], True)
                _add_local(state, work, linear[4], z, z2, base, blocks, noise, joined)
            else:
                _rotate(state, linear[5], linear[6], False)
                _turn(work, state, linear[3])
                _add_local(state, work, linear[4], z, z2, base, blocks, noise, joined)
                _rotate(state, linear[5], linear[6], True)
            _drift(state, active)
            _stir(state, active, z, z2, base + pairs, 1, blocks, noise, joined)
        if sums.shape[0] > 0 and (i + 1) % every == 0:
            _measure(state, sums, active, measured, z)
            if counts.shape[0] > 0 and (i + 1) % (COUNTED * every) == 0:
                _count(state, counts, groups, measured[3])


@compiled
def draw_starts(normals, seed, first):  # type: ignore[no-untyped-def]
    """Fill `normals` (4 B, lanes) from blocks that no step reaches."""
    for block in range(normals.shape[0] // 4):
        fill_normals(normals[4 * block : 4 * block + 4], (1 << 62) + block, first, seed)


@compiled
def _draw(z, z2, one, two, noise, joined):  # type: ignore[no-untyped-def]
    fill_normals(z, one, noise[1], noise[0])
    if joined:
        fill_normals(z2, two, noise[1], noise[0])
        for r in range(4):
            for lane in range(z.shape[1]):
                z[r, lane] = (z[r, lane] + z2[r, lane]) * _ROOT_HALF


@compiled
def _fill(other, z, z2, base, blocks, noise, joined):  # type: ignore[no-untyped-def]
    """Fill all rows with normals."""
    for pair in range((other.shape[0] + 3) // 4):
        _draw(z, z2, base + pair, base + blocks + pair, noise, joined)
        for r in range(min(4, other.shape[0] - 4 * pair)):
            other[4 * pair + r] = z[r]


@compiled
def _add_local(state, work, spread, z, z2, base, blocks, noise, joined):  # type: ignore[no-untyped-def]
    """state = work + spread · noise."""
    sites = spread.size
    for pair in range((sites + 1) // 2):
        size = min(2, sites - 2 * pair)
        if spread[2 * pair] == 0.0 and spread[2 * pair + size - 1] == 0.0:
            state[4 * pair : 4 * pair + 2 * size] = work[4 * pair : 4 * pair + 2 * size]
            continue
        _draw(z, z2, base + pair, base + blocks + pair, noise, joined)
        for r in range(2 * size):
            width = spread[2 * pair + r // 2]
            for lane in range(state.shape[1]):
                state[4 * pair + r, lane] = work[4 * pair + r, lane] + width * z[r, lane]


@compiled
def _dense(out, state, matrix, add):  # type: ignore[no-untyped-def]
    """out = M state, or added to it; two columns at a time."""
    real, imag = matrix[0], matrix[1]
    N = real.shape[0]
    for i in range(N):
        X, Y = out[2 * i], out[2 * i + 1]
        if not add:
            X[:] = 0.0
            Y[:] = 0.0
        for k in range(0, N - 1, 2):
            a, b, c, d = real[i, k], imag[i, k], real[i, k + 1], imag[i, k + 1]
            for lane in range(out.shape[1]):
                x, y = state[2 * k, lane], state[2 * k + 1, lane]
                u, v = state[2 * k + 2, lane], state[2 * k + 3, lane]
                X[lane] += (a * x - b * y) + (c * u - d * v)
                Y[lane] += (a * y + b * x) + (c * v + d * u)
        if N % 2 == 1:
            a, b = real[i, N - 1], imag[i, N - 1]
            for lane in range(out.shape[1]):
                x, y = state[2 * N - 2, lane], state[2 * N - 1, lane]
                X[lane] += a * x - b * y
                Y[lane] += a * y + b * x


@compiled
def _rotate(state, bonds, angles, backwards):  # type: ignore[no-untyped-def]
    """e^{i θ (0 1; 1 0)} on each bond in turn."""
    count = len(bonds)
    for index in range(count):
        b = count - 1 - index if backwards else index
        u, v = bonds[b, 0], bonds[b, 1]
        c, s = angles[b, 0], angles[b, 1]
        for lane in range(state.shape[1]):
            ux, uy = state[2 * u, lane], state[2 * u + 1, lane]
            vx, vy = state[2 * v, lane], state[2 * v + 1, lane]
            state[2 * u, lane] = c * ux - s * vy
            state[2 * u + 1, lane] = c * uy + s * vx
            state[2 * v, lane] = c * vx - s * uy
            state[2 * v + 1, lane] = c * vy + s * ux


@compiled
def _turn(out, state, turn):  # type: ignore[no-untyped-def]
    """Multiply each site by its complex factor."""
    for j in range(turn.shape[1]):
        c, s = turn[0, j], turn[1, j]
        for lane in range(out.shape[1]):
            x, y = state[2 * j, lane], state[2 * j + 1, lane]
            out[2 * j, lane] = c * x - s * y
            out[2 * j + 1, lane] = c * y + s * x


@compiled
def _euler(out, state, turn, bonds, angles):  # type: ignore[no-untyped-def]
    _turn(out, state, turn)
    for b in range(len(bonds)):
        u, v, s = bonds[b, 0], bonds[b, 1], angles[b, 1]
        for lane in range(out.shape[1]):
            out[2 * u, lane] -= s * state[2 * v + 1, lane]
            out[2 * u + 1, lane] += s * state[2 * v, lane]
            out[2 * v, lane] -= s * state[2 * u + 1, lane]
            out[2 * v + 1, lane] += s * state[2 * u, lane]


@compiled
def _drift(state, active):  # type: ignore[no-untyped-def]
    """α → α + F(n) α."""
    where, tables, _, inverse, k = active
    last = np.uint64(tables.shape[1])
    for a in range(where.size):
        X, Y = state[2 * where[a]], state[2 * where[a] + 1]
        for lane in range(X.size):
            n = X[lane] * X[lane] + Y[lane] * Y[lane]
            cell, t = locate_octave(1.0 + n * inverse[a], k, last)
            factor = cubic(tables[a], cell, 0, t)
            X[lane] += factor * X[lane]
            Y[lane] += factor * Y[lane]


@compiled
def _stir(state, active, z, z2, base, half, blocks, noise, joined):  # type: ignore[no-untyped-def]
    """α → α + bζ + c[ζ Re(α*ζ) − α(1 + iV)], the noise of half a step."""
    where, tables, noisy, inverse, k = active
    last = np.uint64(tables.shape[1])
    for a in range(where.size):
        if not noisy[a]:
            continue
        own = base + 2 * a
        if joined:
            _draw(z, z2, own + half * blocks, own + half * blocks + 1, noise, joined)
        else:
            _draw(z, z2, own + half, own + half, noise, joined)
        X, Y = state[2 * where[a]], state[2 * where[a] + 1]
        for lane in range(X.size):
            x, y = X[lane], Y[lane]
            cell, t = locate_octave(1.0 + (x * x + y * y) * inverse[a], k, last)
            variance = cubic(tables[a], cell, 1, t)
            b = math.sqrt(variance) if variance > 0.0 else 0.0
            c = cubic(tables[a], cell, 2, t)
            X[lane], Y[lane] = stirred(x, y, z[0, lane], z[1, lane], z[2, lane], b, c)


@inlined
def stirred(x, y, u, v, area, b, c):  # type: ignore[no-untyped-def]
    """Return α + bζ + c[ζ Re(α*ζ) − α(1 + iV)] with ζ = u + iv, V = area."""
    along = x * u + y * v
    return (
        x + (b * u + c * (u * along - x + y * area)),
        y + (b * v + c * (v * along - y - x * area)),
    )


@compiled
def _kicks(state, kicks, active, z, z2, base, blocks, noise, joined):  # type: ignore[no-untyped-def]
    """Fα + bζ of each active site, from the old α."""
    where, tables, _, inverse, k = active
    last = np.uint64(tables.shape[1])
    for a in range(where.size):
        _draw(z, z2, base + 2 * a, base + 2 * a + blocks, noise, joined)
        X, Y = state[2 * where[a]], state[2 * where[a] + 1]
        for lane in range(X.size):
            cell, t = locate_octave(1.0 + (X[lane] ** 2 + Y[lane] ** 2) * inverse[a], k, last)
            gain, variance = cubic(tables[a], cell, 0, t), cubic(tables[a], cell, 1, t)
            b = math.sqrt(variance) if variance > 0.0 else 0.0
            kicks[2 * a, lane] = gain * X[lane] + b * z[0, lane]
            kicks[2 * a + 1, lane] = gain * Y[lane] + b * z[1, lane]


@compiled
def _measure(state, sums, active, measured, z):  # type: ignore[no-untyped-def]
    """Rows: Σn, (Σn)², n_j, J_e, J_e², local observables of each active site."""
    where, _, _, inverse, k = active
    edges, couplings, local, _ = measured
    sites, lanes, total = state.shape[0] // 2, state.shape[1], z[0]
    total[:] = 0.0
    for j in range(sites):
        for lane in range(lanes):
            n = state[2 * j, lane] ** 2 + state[2 * j + 1, lane] ** 2
            sums[2 + j, lane] += n
            total[lane] += n
    for lane in range(lanes):
        sums[0, lane] += total[lane]
        sums[1, lane] += total[lane] * total[lane]
    row = 2 + sites
    for e in range(couplings.size):
        u, v, g = edges[e, 0], edges[e, 1], couplings[e]
        for lane in range(lanes):
            J = g * (
                state[2 * u, lane] * state[2 * v + 1, lane]
                - state[2 * u + 1, lane] * state[2 * v, lane]
            )
            sums[row + e, lane] += J
            sums[row + couplings.size + e, lane] += J * J
    row += 2 * couplings.size
    last = np.uint64(local.shape[1])
    for a in range(where.size):
        X, Y = state[2 * where[a]], state[2 * where[a] + 1]
        for lane in range(lanes):
            n = X[lane] ** 2 + Y[lane] ** 2
            cell, t = locate_octave(1.0 + n * inverse[a], k, last)
            for c in range(local.shape[2]):
                sums[row + c * where.size + a, lane] += cubic(local[a], cell, c, t)


@compiled
def _count(state, counts, groups, per_width):  # type: ignore[no-untyped-def]
    """Count |α_j| in bins of equal width; the last holds all beyond."""
    last = counts.shape[2] - 1
    for j in range(per_width.size):
        for lane in range(groups.size):
            r = math.sqrt(state[2 * j, lane] ** 2 + state[2 * j + 1, lane] ** 2) * per_width[j]
            counts[groups[lane], j, int(r) if r < last else last] += np.uint32(1)
