"""Devices shared by the tests of transport."""

import numpy as np

from wheelwork.transport import Lead, Lorentzian, ResonantLevel, Semicircle, Tabulated, WideBand

FORCE = 0.2 / np.sqrt(2.0 / 0.2)  # 2 lambda / x0


def paper(bias, temperature=2.0):
    """The device of Culhane et al., Fig. 2."""
    left = Lead(0.5 * bias, temperature, Lorentzian(2.0, 0.5, 1.0))
    right = Lead(-0.5 * bias, temperature, Lorentzian(2.0, -0.5, 1.0))
    return ResonantLevel((left, right), 0.0, FORCE)


def bump(samples=41):
    """Samples of a smooth width on (-3, 3) that ends in zeros."""
    frequency = np.linspace(-3.0, 3.0, samples)
    return Tabulated(frequency, np.exp(-((frequency - 0.3) ** 2)) * (9.0 - frequency**2))


LINES = {
    "Lorentzian": Lorentzian(2.0, 0.5, 1.0),
    "narrow Lorentzian": Lorentzian(1.0, -0.2, 0.02),
    "wide band": WideBand(0.7),
    "semicircle": Semicircle(1.5, 0.2, 2.0),
    "tabulated": bump(),
}
