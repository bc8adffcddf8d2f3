"""Amplitude equations that know their own answers."""

from dataclasses import dataclass

import numpy as np

from wheelwork.oscillator_networks import AmplitudeModel


@dataclass(frozen=True)
class PowerLaw:
    """R_k(n) = rate_k/(1 + n/saturation_k)^exponent; monotonic, without a change of sign."""

    strength: np.ndarray
    saturation: np.ndarray
    exponent: float = 2.0

    def rates(self, n):
        return self.strength * (1.0 + n / self.saturation) ** -self.exponent

    def slopes(self, n):
        falling = (1.0 + n / self.saturation) ** (-self.exponent - 1.0)
        return -self.exponent * self.strength / self.saturation * falling

    def rate(self, site, n):
        return self.strength[site] * (1.0 + n / self.saturation[site]) ** -self.exponent

    def occupation(self, site, rate):
        share = rate / self.strength[site]
        with np.errstate(all="ignore"):
            n = self.saturation[site] * (share ** (-1.0 / self.exponent) - 1.0)
        return np.where(share <= 0.0, np.inf, np.where(share >= 1.0, 0.0, n))


@dataclass(frozen=True)
class Hidden:
    """The same rates without their inverse: the search has to go by starts."""

    inner: PowerLaw

    def rates(self, n):
        return self.inner.rates(n)

    def slopes(self, n):
        return self.inner.slopes(n)


@dataclass(frozen=True)
class Absorber:
    """One site with gain a/(1 + n) and absorption b/(1 + n/s), which bleaches sooner if s < 1.

    With damping γ the amplitudes obey a/(1 + n) − b/(1 + n/s) = γ, quadratic in n.
    """

    a: float
    b: float
    s: float

    def rates(self, n):
        return self.a / (1.0 + n) - self.b / (1.0 + n / self.s)

    def slopes(self, n):
        return -self.a / (1.0 + n) ** 2 + self.b / self.s / (1.0 + n / self.s) ** 2

    def roots(self, damping):
        """Occupations of the steady states, ascending."""
        a, b, s, g = self.a, self.b, self.s, damping
        roots = np.roots([g, g * (1.0 + s) + b * s - a, g * s + b * s - a * s])
        return np.sort(roots[(abs(roots.imag) < 1e-12) & (roots.real > 0.0)].real)


def chain_matrix(sites, damping, detuning=0.0, coupling=1.0):
    """L of a chain; `damping` and `detuning` may be arrays."""
    diagonal = np.zeros(sites, complex) - 0.5 * np.asarray(damping) - 1j * np.asarray(detuning)
    linear = np.diag(diagonal)
    for j in range(sites - 1):
        linear[j, j + 1] = linear[j + 1, j] = 0.5j * coupling
    return linear


def chain_model(sites, gain, loss, damping=1e-3, detuning=0.0, saturation=(1.0, 1.0), exponent=2.0):
    """Gain at the first site, loss at the last."""
    growth = PowerLaw(np.array([gain, -loss]), np.array(saturation), exponent)
    return AmplitudeModel(chain_matrix(sites, damping, detuning), np.array([0, sites - 1]), growth)


def laser(gain, damping, detuning, saturation=1.0, exponent=2.0):
    """One site."""
    growth = PowerLaw(np.array([gain]), np.array([saturation]), exponent)
    return AmplitudeModel(chain_matrix(1, damping, detuning), np.array([0]), growth)
