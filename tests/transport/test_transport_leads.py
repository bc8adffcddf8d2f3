"""Leads: Fermi functions without cancellation, and refusals."""

import mpmath as mp
import numpy as np
import pytest

from wheelwork.errors import InvalidArgument
from wheelwork.transport import Lead, Tabulated, WideBand
from wheelwork.transport.leads import filling, filling_difference

BAND = WideBand(1.0)


def _fermi(lead, w):
    return 1 / (mp.exp((mp.mpf(w) - lead.chemical_potential) / lead.temperature) + 1)


@pytest.mark.parametrize("w", [-300.0, -20.0, -0.5, 0.0, 0.25, 3.0, 40.0, 350.0])
def test_filling_keeps_both_small_ends(w):
    lead = Lead(0.25, 0.5, BAND)
    state = filling(lead, np.array(w))
    with mp.workdps(400):
        np.testing.assert_allclose(state.occupied, float(_fermi(lead, w)), rtol=1e-12)
        np.testing.assert_allclose(state.empty, float(1 - _fermi(lead, w)), rtol=1e-12)
    assert lead.occupation(w) == state.occupied


@pytest.mark.parametrize("w", [-30.0, -1.0, 0.1, 2.0, 30.0])
@pytest.mark.parametrize(
    ("mu", "temperature"),
    [(1e-9, 0.5), (3.0, 0.5), (-3.0, 0.5), (0.0, 0.1), (1.0, 2.0), (0.0, 0.5)],
)
def test_difference_of_fillings_is_relatively_exact(w, mu, temperature):
    one, other = Lead(mu, temperature, BAND), Lead(0.0, 0.5, BAND)
    at = np.array(w)
    difference = filling_difference((one, filling(one, at)), (other, filling(other, at)))
    with mp.workdps(120):
        np.testing.assert_allclose(difference, float(_fermi(one, w) - _fermi(other, w)), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, -1.0, BAND), "`temperature` must be positive, but is -1.0"),
        ((0.0, 0.0, BAND), "`temperature` must be positive, but is 0.0"),
        ((0.0, np.nan, BAND), "`temperature` must be finite, but is nan"),
        ((np.inf, 1.0, BAND), "`chemical_potential` must be finite, but is inf"),
        ((0.0, 1.0, 2.0), r"`lineshape` must be a line shape, such as .*, but is 2.0"),
        ((0.0, 1.0, WideBand), "`lineshape` must be a line shape, such as .*, but is <class .*"),
    ],
)
def test_bad_leads_are_refused(arguments, message):
    with pytest.raises(InvalidArgument, match=f"^{message}$"):
        Lead(*arguments)


def test_a_lead_prints_shortly_and_declares_its_fields():
    frequency = np.linspace(-5.0, 5.0, 10_000)
    lead = Lead(8.0, 2.0, Tabulated(frequency, np.exp(-(frequency**2))))
    samples = "Tabulated(<10000 samples from -5.0 to 5.0>)"
    assert repr(lead) == f"Lead(chemical_potential=8.0, temperature=2.0, lineshape={samples})"
    assert Lead.parameter_labels()["temperature"] == ("T", "energy", "temperature")
    assert lead.replace(temperature=3.0).temperature == 3.0
