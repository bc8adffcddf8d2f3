"""Lanes shared out among threads."""

import pytest

from wheelwork.numerics.bundles import bundles, processors


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("lanes", [1, 9, 37, 64, 1000])
def test_bundles_cover_all_lanes_once(lanes, workers):
    cut = bundles(lanes, workers, 8, 128)
    assert [i for each in cut for i in range(each.start, each.stop)] == list(range(lanes))
    sizes = [each.stop - each.start for each in cut]
    assert max(sizes) <= 128
    assert max(sizes) - min(sizes) <= 1


def test_bundles_are_one_per_worker_between_the_limits():
    assert len(bundles(64, 4, 8, 128)) == 4
    assert len(bundles(64, 100, 8, 128)) == 8
    assert len(bundles(64, 1, 8, 16)) == 4
    assert processors() >= 1
