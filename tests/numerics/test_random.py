"""The generator against published vectors, and its deviates against the normal distribution."""

import numpy as np
import pytest
from scipy import stats

from wheelwork.numerics.random import fill_normals, join_normals, philox4x32

# Random123's known-answer vectors for philox4x32 with 10 rounds: counter, key, block.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip
SEED = np.uint64(0x0123456789ABCDEF)


def words(text):
    return np.array([int(word, 16) for word in text.split()], dtype=np.uint64)


def normals(block, first, lanes, seed=SEED):
    values = np.empty((4, lanes))
    fill_normals(values, block, first, seed)
    return values


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_published_vectors(counter, key, block):
    assert np.array_equal(philox4x32(words(counter), words(key)), words(block))


@pytest.mark.parametrize("block", [0, 7, 2**32 + 5])
def test_normals_are_box_muller_of_the_block(block):
    """The same words through NumPy's logarithm and cosine: radius, quadrant and angle."""
    counter = np.array([block & 0xFFFFFFFF, block >> 32, 11, 0], dtype=np.uint64)
    a, b, c, d = (int(w) for w in philox4x32(counter, words("89abcdef 01234567")))
    expected = []
    for radial, angular in ((a, b), (c, d)):
        radius = np.sqrt(-2.0 * np.log((radial + 0.5) / 2.0**32))
        within = ((angular % 2**30 + 0.5) / 2.0**30 - 0.5) * np.pi / 2.0
        q = angular >> 30
        # Quadrants 0 … 3 turn by 0, a quarter, a half, three quarters.
        angle = within + (q & 1) * np.pi / 2.0 + (q >> 1) * np.pi
        expected += [radius * np.cos(angle), radius * np.sin(angle)]
    assert normals(block, 11, 1)[:, 0] == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_lanes_do_not_depend_on_their_neighbours():
    together = normals(5, 0, 37)
    for first, lanes in ((0, 8), (8, 1), (9, 28)):
        assert np.array_equal(normals(5, first, lanes), together[:, first : first + lanes])


def test_deviates_are_standard_normal_and_independent():
    values = np.concatenate([normals(block, 0, 50_000) for block in range(4)])
    assert stats.kstest(values.ravel(), "norm").pvalue > 1e-3
    assert np.mean(values**4) == pytest.approx(3.0, abs=5 * np.sqrt(96.0 / values.size))
    correlation = np.corrcoef(values) - np.eye(len(values))
    assert np.max(np.abs(correlation)) < 5.0 / np.sqrt(values.shape[1])
    assert not np.any(values == np.concatenate([normals(b, 0, 50_000, SEED + 1) for b in range(4)]))


def test_joined_deviates_follow_the_same_path():
    fine = normals(3, 0, 20)
    joined = fine.copy()
    join_normals(joined)
    assert joined[0] == pytest.approx((fine[0] + fine[1]) / np.sqrt(2.0), rel=1e-14)
    assert joined[1] == pytest.approx((fine[2] + fine[3]) / np.sqrt(2.0), rel=1e-14)
