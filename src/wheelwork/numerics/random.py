"""Gaussian noise as a pure function of (seed, trajectory, position in the sequence).

Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as
easy as 1, 2, 3, SC11 (2011)) encrypts a counter, so that no state is carried along: results do
not depend on how work is split among threads or on where a run was stopped and resumed.
The four 32-bit words of a block become four normal deviates by the Box–Muller transform.

Logarithm, sine and cosine are polynomials of multiplications and additions: they compile to
vector instructions, and give the same bits whether a lane is computed alone or in a vector.
"""

import math

import numpy as np

from wheelwork.numerics.compiling import compiled, inlined

BLOCK = 4  # normal deviates of one call of the generator

_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_WORD, _WORD_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)
_NOUGHT, _ONE, _TWO = np.uint64(0), np.uint64(1), np.uint64(2)
_QUADRANT_BITS, _ANGLE = np.uint64(30), np.uint64(0x3FFFFFFF)
_MANTISSA_BITS = np.int64(52)
_ROOT_HALF = np.int64(np.float64(math.sqrt(0.5)).view(np.int64))
_LN2 = math.log(2.0)
_INVERSE_ROOT_TWO = math.sqrt(0.5)


@inlined
def _round(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    a, b = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
    return (b >> _WORD_BITS) ^ c1 ^ k0, b & _WORD, (a >> _WORD_BITS) ^ c3 ^ k1, a & _WORD


@inlined
def _philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    """Ten rounds on four 32-bit words, each held in a uint64."""
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0, k1 = (k0 + _WEYL_0) & _WORD, (k1 + _WEYL_1) & _WORD
    return c0, c1, c2, c3


@compiled
def philox4x32(counter, key):  # type: ignore[no-untyped-def]
    """Return the Philox4x32-10 block of a counter (4,) and a key (2,), all uint64 below 2³²."""
    words = _philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])
    return np.array(words)


@inlined
def _logarithm(u):  # type: ignore[no-untyped-def]
    """ln u for positive normal u: 2 artanh((m − 1)/(m + 1)) + e ln 2, √½ ≤ m < √2, to 1e-14."""
    bits = np.float64(u).view(np.int64)
    exponent = (bits - _ROOT_HALF) >> _MANTISSA_BITS
    m = np.int64(bits - (exponent << _MANTISSA_BITS)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1.0 / 17.0
    p = p * z + 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z + 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z + 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z + 1.0 / 3.0
    p = p * z + 1.0
    return np.float64(exponent) * _LN2 + 2.0 * s * p


@inlined
def _sine(f):  # type: ignore[no-untyped-def]
    """Taylor series to f¹⁵, for |f| ≤ π/4."""
    z = f * f
    s = -1.0 / 1307674368000.0
    s = s * z + 1.0 / 6227020800.0
    s = s * z - 1.0 / 39916800.0
    s = s * z + 1.0 / 362880.0
    s = s * z - 1.0 / 5040.0
    s = s * z + 1.0 / 120.0
    s = s * z - 1.0 / 6.0
    return (s * z + 1.0) * f


@inlined
def _cosine(f):  # type: ignore[no-untyped-def]
    """Taylor series to f¹⁴, for |f| ≤ π/4."""
    z = f * f
    c = -1.0 / 87178291200.0
    c = c * z + 1.0 / 479001600.0
    c = c * z - 1.0 / 3628800.0
    c = c * z + 1.0 / 40320.0
    c = c * z - 1.0 / 720.0
    c = c * z + 1.0 / 24.0
    c = c * z - 0.5
    return c * z + 1.0


@inlined
def _normal_pair(radial, angular):  # type: ignore[no-untyped-def]
    """Box–Muller: a radius from one word, a quadrant and an angle within it from the other."""
    r = math.sqrt(-2.0 * _logarithm((np.float64(np.int64(radial)) + 0.5) * 2.0**-32))
    fraction = (np.float64(np.int64(angular & _ANGLE)) + 0.5) * 2.0**-30 - 0.5
    f = fraction * (0.5 * math.pi)
    s, c = _sine(f), _cosine(f)
    quadrant = angular >> _QUADRANT_BITS
    swap, flip = (quadrant & _ONE) != _NOUGHT, (quadrant & _TWO) != _NOUGHT
    r = -r if flip else r
    return r * (-s if swap else c), r * (c if swap else s)


@compiled
def fill_normals(normals, block, first, seed):  # type: ignore[no-untyped-def]
    """Fill `normals` (4, lanes) with deviates 4·block … 4·block + 3 of each trajectory.

    Lane l belongs to trajectory first + l; seed is a uint64. Deviates have mean 0 and variance 1;
    a radius has 2³² possible values, so that none exceeds 6.8 (the probability cut off is 2e-11).
    """
    low, high = np.uint64(block) & _WORD, np.uint64(block) >> _WORD_BITS
    k0, k1 = seed & _WORD, seed >> _WORD_BITS
    for lane in range(normals.shape[1]):
        trajectory = np.uint64(first + lane)
        a, b, c, d = _philox(low, high, trajectory, _NOUGHT, k0, k1)
        normals[0, lane], normals[1, lane] = _normal_pair(a, b)
        normals[2, lane], normals[3, lane] = _normal_pair(c, d)


@compiled
def join_normals(normals):  # type: ignore[no-untyped-def]
    """Turn four deviates per lane into two, those of the same path seen at twice the step."""
    for lane in range(normals.shape[1]):
        normals[0, lane] = (normals[0, lane] + normals[1, lane]) * _INVERSE_ROOT_TWO
    for lane in range(normals.shape[1]):
        normals[1, lane] = (normals[2, lane] + normals[3, lane]) * _INVERSE_ROOT_TWO
