"""What the figures of Culhane et al. show besides the sweep."""

import numpy as np
import pytest
import xarray as xr

from wheelwork.papers.culhane_2022 import shown_values


@pytest.mark.parametrize(
    ("values", "threshold", "expected"),
    [
        (np.linspace(0, 32, 65), 8.463278, [0, 12, 32]),  # the paper's 0, 6 and 16 on each lead
        (np.linspace(0, 120, 33), 88.54, [0, 105, 120]),
        (np.linspace(0, 8, 9), None, [0, 4, 8]),
        ([5.0], None, [5]),
    ],
)
def test_the_states_shown_are_first_just_above_threshold_and_last(values, threshold, expected):
    dataset = xr.Dataset({"failure": ("bias", [""] * len(values))}, coords={"bias": values})
    if threshold is not None:
        dataset["threshold"] = threshold
    assert shown_values(dataset, "bias") == expected
