"""What the figure of the rotor engine shows besides the sweep."""

import warnings

import numpy as np
import pytest
import xarray as xr

from wheelwork import GlobalMasterEquation
from wheelwork.papers import leitch_2024


def test_every_rectification_keeps_its_warnings_and_one_is_issued(monkeypatch):
    monkeypatch.setattr(leitch_2024, "ASYMMETRIES", np.array([0.0, 0.5]))
    monkeypatch.setattr(leitch_2024, "RECTIFIED_RATIOS", (0.2,))
    method = GlobalMasterEquation()
    machine = leitch_2024.PUBLISHED.replace(bath_coupling=0.5)
    axis = xr.Dataset(coords={"beta_ratio": [0.2]})
    with pytest.warns(UserWarning, match="rectification: .* beyond its validity") as issued:
        added = leitch_2024.add_rectification(axis, machine, method)
    assert len(issued) == 1
    for chi, text in zip([0.0, 0.5], added["rectification_warning"].values[0], strict=True):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            machine.replace(beta_ratio=0.2, bath_asymmetry=chi).rectification(method)
        assert text == "; ".join(str(warning.message) for warning in caught)
        assert text.startswith("the master equation is beyond its validity: ")
