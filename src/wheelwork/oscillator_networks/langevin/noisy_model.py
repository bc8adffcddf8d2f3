"""Amplitude equations with white noise, on the edges of a network."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import ComplexArray, IntArray


class LocalActivity(Protocol):
    """Rates and noise at K active sites, as functions of an occupation n ≥ 0, (M,).

    Every function of site k is smooth on the scale n + `scale[k]`.
    """

    @property
    def scale(self) -> FloatArray:
        """(K,) occupations below which the functions hardly vary."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the local observables."""

    def rate(self, site: int, occupation: FloatArray) -> FloatArray:
        """R_k(n), gain minus loss, (M,)."""

    def noise(self, site: int, occupation: FloatArray) -> FloatArray:
        """D_k(n) ≥ 0 besides the thermal noise, (M,)."""

    def local_observables(self, site: int, occupation: FloatArray) -> FloatArray:
        """Functions of n whose means are wanted, (C, M)."""


@dataclass(frozen=True, eq=False)
class NoisyModel:
    """dα = (L + ½ diag R(|α|²)) α dt + dξ with ⟨|dξ_j|²⟩ = (γ_j N_j + D_j(|α_j|²)) dt, Itô.

    (Huber and Rabl, Eqs. (3)–(5).) L has −γ_j/2 − iΔ_j on its diagonal and i g_jk/2 beside it; the
    noise is complex, white, of one strength in all directions and independent between sites.
    edges: (E, 2) pairs of sites. couplings: g, (E,). dampings: γ ≥ 0, detunings: Δ, thermal:
    N ≥ 0, (N,). active: (K,) ascending sites of `activity`. Per time, in one unit.
    """

    edges: IntArray
    couplings: FloatArray
    dampings: FloatArray
    detunings: FloatArray
    thermal: FloatArray
    active: IntArray
    activity: LocalActivity

    def __repr__(self) -> str:
        return f"NoisyModel({self.sites} sites, {len(self.edges)} edges, {self.active.size} active)"

    @property
    def sites(self) -> int:
        """N."""
        return int(self.dampings.size)

    @property
    def linear(self) -> ComplexArray:
        """L, (N, N): for small networks."""
        matrix = np.diag(-0.5 * self.dampings - 1j * self.detunings)
        u, v = self.edges.T
        matrix[u, v] = matrix[v, u] = 0.5j * self.couplings
        return matrix

    @property
    def uniform(self) -> bool:
        """Whether damping and thermal occupation are the same at all sites."""
        return all(np.ptp(values) == 0.0 for values in (self.dampings, self.thermal))

    @property
    def fastest_rate(self) -> float:
        """Rate that limits the step: half of all g at a site plus half the spread of the detunings;
        half of γ; an eighth of |R| and of |dD/dn|.
        """
        around = np.zeros(self.sites)
        for ends in self.edges.T:
            np.add.at(around, ends, 0.5 * np.abs(self.couplings))
        coherent = float(np.max(around)) + 0.5 * float(np.ptp(self.detunings))
        local = 0.125 * max(self.strongest, self.steepest)
        fastest = max(coherent, 0.5 * float(np.max(self.dampings)), local)
        return fastest if fastest > 0.0 else 1.0

    @property
    def strongest(self) -> float:
        """Largest |R|, over occupations up to 1e12 scales."""
        shape = np.concatenate([[0.0], np.logspace(-6.0, 12.0, 181)])
        scales = enumerate(self.activity.scale)
        peaks = [np.max(np.abs(self.activity.rate(k, shape * scale))) for k, scale in scales]
        return float(max(peaks, default=0.0))

    @property
    def steepest(self) -> float:
        """Largest |dD/dn|, by which noise moves an occupation: not small where gain and loss are
        strong but cancel. At most D/(n + 1), as what happens within a quantum has no meaning.
        """
        shape = np.concatenate([[0.0], np.logspace(-3.0, 9.0, 241)])
        slopes = [0.0]
        for k, scale in enumerate(self.activity.scale):
            n = shape * scale
            noise = self.activity.noise(k, n)
            slope = np.abs(np.diff(noise)) / np.diff(n)
            slopes.append(float(np.max(np.minimum(slope, (noise / (n + 1.0))[:-1]))))
        return max(slopes)

    @property
    def occupation_scale(self) -> float:
        """An occupation of the order of those reached: thermal, or where gain and loss balance."""
        own = max(float(np.max(self.thermal)), *self.activity.scale, 0.0)
        decade = math.floor(math.log10(own)) if own > 0.0 else 0
        n = 10.0**decade * np.logspace(-6.0, 12.0, 721)
        net = -float(np.sum(self.dampings)) * n + float(np.sum(self.dampings @ self.thermal))
        for k in range(self.active.size):
            net = net + self.activity.rate(k, n) * n + self.activity.noise(k, n)
        growing = np.flatnonzero(net > 0.0)
        balanced = float(n[growing[-1]]) if growing.size else 0.0
        least = float(np.min(self.activity.scale)) if self.active.size else 1.0
        return max(balanced, float(np.max(self.thermal)), 1e-3 * least)
