"""Noisy amplitude equations that know their own answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_continuous_lyapunov

from wheelwork.oscillator_networks.langevin.noisy_model import NoisyModel
from wheelwork.phase_space import EulerMaruyama, Langevin


@dataclass(frozen=True)
class Local:
    """Rate R(n) and noise D(n) at each active site; local observables: R and R n."""

    rates: tuple[Callable, ...] = ()
    noises: tuple[Callable, ...] = ()
    scales: tuple[float, ...] | None = None
    names = ("rate", "flow")

    @property
    def scale(self):
        return np.array(self.scales) if self.scales else np.ones(len(self.rates))

    def rate(self, site, n):
        return self.rates[site](n)

    def noise(self, site, n):
        return self.noises[site](n)

    def local_observables(self, site, n):
        return np.stack([self.rate(site, n), self.rate(site, n) * n])


def network(edges, coupling, damping, thermal, detuning=0.0, active=(), local=None):
    """A model; numbers are spread over all sites."""
    sites = max((max(edge) for edge in edges), default=0) + 1
    pairs = np.array(edges, dtype=np.intp).reshape(-1, 2)

    def every(value, size):
        return np.broadcast_to(np.asarray(value, dtype=float), (size,)).copy()

    return NoisyModel(
        edges=pairs,
        couplings=every(coupling, len(pairs)),
        dampings=every(damping, sites),
        detunings=every(detuning, sites),
        thermal=every(thermal, sites),
        active=np.array(active, dtype=np.intp),
        activity=local or Local(),
    )


def chain(sites, **numbers):
    return network([(i, i + 1) for i in range(sites - 1)], **numbers)


def saturable(rate, saturation, exponent=2.0):
    return lambda n: rate * (1.0 + n / saturation) ** -exponent


def nothing(n):
    return np.zeros_like(n)


def laser(gain=4.0, saturation=5.0, damping=0.5, thermal=0.5, exponent=2.0):
    """One site with gain, spontaneous emission and thermal noise."""
    rate = saturable(gain, saturation, exponent)
    local = Local((rate,), (rate,), (saturation,))
    return network([], 1.0, damping, thermal, active=(0,), local=local)


def radial_moment(rate, noise, power, most):
    """⟨n^power⟩ of P(n) ∝ exp(∫R/D dn)/D: the flux ½R r P − ¼ d(DP)/dr vanishes at each r."""
    n = np.concatenate([[0.0], np.geomspace(1e-6, most, 200_001)])
    slope = rate(n) / noise(n)
    potential = np.concatenate([[0.0], np.cumsum(0.5 * (slope[1:] + slope[:-1]) * np.diff(n))])
    weight = np.exp(potential - potential.max()) / noise(n)
    return np.trapezoid(weight * n**power, n) / np.trapezoid(weight, n)


def laser_moment(model, power, most=400.0):
    """Of a single site, by direct integration."""
    damping, thermal = float(model.dampings[0]), float(model.thermal[0])
    activity = model.activity
    return radial_moment(
        lambda n: activity.rate(0, n) - damping,
        lambda n: activity.noise(0, n) + damping * thermal,
        power,
        most,
    )


def gaussian_covariance(model):
    """⟨α_j α_k*⟩ of a passive network: L C + C L† + diag(γN) = 0."""
    return solve_continuous_lyapunov(
        model.linear, -np.diag(model.dampings * model.thermal).astype(complex)
    )


def gaussian_fluctuation(model):
    """ΔJ of each edge by Wick's theorem, J = g Im(α_u* α_v)."""
    covariance = gaussian_covariance(model)
    u, v = model.edges.T
    c = covariance[v, u]  # ⟨α_v α_u*⟩
    product = covariance[u, u].real * covariance[v, v].real
    square = 0.5 * (product + np.abs(c) ** 2) - (c**2).real
    return np.abs(model.couplings) * np.sqrt(square - c.imag**2)


def settings(*, euler=False, **fields):
    """A method for short runs."""
    default = {
        "duration": 1000.0,
        "trajectories": 64,
        "step": 0.1,
        "seed": 1,
        "checked": 0,
        "threads": 1,
    }
    return (EulerMaruyama if euler else Langevin)(**default | fields)
