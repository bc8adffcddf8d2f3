"""Generators and engines: gain or loss whose rate depends on the occupation of its node."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, shown
from wheelwork.parameters import Parameters, ShortRepr, non_negative, parameter, positive

# Step h of a numerical derivative, against the occupation: near ε^(1/5), the best compromise of the
# error of the rule, h⁴, and rounding, ε/h.
STEP = 2e-4
SMALLEST_SCALE = 0.1  # of the element's scale: below, the step no longer shrinks with n
PROBES = np.concatenate([[0.0], np.logspace(-6.0, 12.0, 37)])  # where rates are checked
WIDE = np.concatenate([[0.0], np.logspace(-30.0, 30.0, 121)])  # where the scale is looked for
STEEP = 64.0  # exponent above which 1/(1 + x) is too coarse: ln(1 + x) keeps the digits of x


@runtime_checkable
class ActiveElement(Protocol):
    """Gain or loss of an oscillator with n quanta; n ≥ 0 has any shape, and so have the results."""

    def rate_at(self, occupation: FloatArray) -> FloatArray:
        """Γ(n) ≥ 0: a generator adds Γ(n)|α|² quanta per time, an engine takes them."""

    def slope_at(self, occupation: FloatArray) -> FloatArray:
        """dΓ/dn."""

    def gain_noise_at(self, occupation: FloatArray) -> FloatArray:
        """Diffusion ⟨|dα|²⟩/dt of the P function due to it, as a generator."""

    def loss_noise_at(self, occupation: FloatArray) -> FloatArray:
        """Diffusion of the P function due to it, as an engine."""


@dataclass(frozen=True, repr=False)
class Saturable(Parameters):
    """Γ(n) = rate/(1 + n/saturation)^exponent, as of a driven few-level system.

    (Huber and Rabl, Eq. (2) and Appendix D 1, with exponent ν: f² = Γ(n)/rate.)
    rate: Γ ≥ 0, per time. saturation: n0 > 0, quanta. exponent: ν ≥ 0; 2 in the paper's main text,
    1 for a laser, 0 for no saturation.
    Noise: of a generator Γ(n), its spontaneous emission (Eq. (3)); of an engine none.
    Raises InvalidArgument for numbers outside these ranges.
    """

    rate: float = parameter(r"\Gamma", "rate", "rate of an empty node", check=non_negative)
    saturation: float = parameter("n_0", "1", "saturation number", check=positive, default=1.0)
    exponent: float = parameter(
        r"\nu", "1", "exponent of the saturation", check=non_negative, default=2.0
    )

    @property
    def scale(self) -> float:
        """Quanta over which the rate varies."""
        return self.saturation / max(self.exponent, 1.0)

    @property
    def limit(self) -> float:
        """Γ(∞)."""
        return self.rate if self.exponent == 0.0 else 0.0

    def rate_at(self, occupation: FloatArray) -> FloatArray:
        return np.asarray(self.rate * saturated(occupation / self.saturation, self.exponent))

    def gain_noise_at(self, occupation: FloatArray) -> FloatArray:
        return self.rate_at(occupation)

    def loss_noise_at(self, occupation: FloatArray) -> FloatArray:
        return np.zeros_like(occupation)

    def slope_at(self, occupation: FloatArray) -> FloatArray:
        falling = saturated(occupation / self.saturation, self.exponent + 1.0)
        return np.asarray(-self.rate * (self.exponent / self.saturation) * falling)

    def occupation_at(self, rate: FloatArray) -> FloatArray:
        """n with Γ(n) = `rate`: zero where `rate` ≥ Γ(0), infinite where none is that large."""
        if self.rate == 0.0 or self.exponent == 0.0:
            return np.where(rate >= self.rate, 0.0, np.inf)
        with np.errstate(divide="ignore", over="ignore"):
            share = np.maximum(rate, 0.0) / self.rate
            occupation = self.saturation * np.expm1(-np.log(share) / self.exponent)
        return np.maximum(occupation, 0.0)


def saturated(share: FloatArray, exponent: float | FloatArray) -> FloatArray:
    """Return (1 + share)^−exponent."""
    if np.max(exponent, initial=0.0) <= STEEP:
        return np.asarray((1.0 / (1.0 + share)) ** exponent)
    return np.exp(-exponent * np.log1p(share))


def half_change(rate: Callable[[FloatArray], FloatArray]) -> float:
    """Return the quanta at which `rate` has changed by half of its range; one if it is constant."""
    with np.errstate(all="ignore"):
        rates = np.asarray(rate(WIDE))
    change = np.nan_to_num(np.abs(rates - rates[0]), nan=0.0, posinf=0.0)
    changed = np.flatnonzero(change > 0.5 * np.max(change))
    return float(WIDE[changed[0]]) if changed.size else 1.0


def scale_of(element: ActiveElement) -> float:
    """Return the quanta over which the rate of `element` varies."""
    known = getattr(element, "scale", None)
    return half_change(element.rate_at) if known is None else float(known)


def limit_of(element: ActiveElement) -> float:
    """Return Γ(∞), or the rate at the largest occupation at which it was checked."""
    return element.limit if isinstance(element, Saturable) else float(element.rate_at(PROBES)[-1])


@dataclass(frozen=True, repr=False)
class CallableElement(ShortRepr, Computed):
    """An element made of two functions of the occupation, rate Γ(n) and noise, both vectorised.

    The slope is a difference quotient of fourth order, which limits the precision of exponents.
    """

    rate: Callable[[FloatArray], FloatArray]
    noise: Callable[[FloatArray], FloatArray]

    @cached_property
    def scale(self) -> float:
        """Quanta over which the rate varies."""
        return half_change(self.rate_at)

    def rate_at(self, occupation: FloatArray) -> FloatArray:
        return np.asarray(self.rate(occupation), dtype=np.float64)

    def gain_noise_at(self, occupation: FloatArray) -> FloatArray:
        return np.asarray(self.noise(occupation), dtype=np.float64)

    loss_noise_at = gain_noise_at

    def slope_at(self, occupation: FloatArray) -> FloatArray:
        """dΓ/dn, by differences on one side where n is small."""
        h = STEP * np.maximum(occupation, SMALLEST_SCALE * self.scale)
        start = np.maximum(occupation - 2.0 * h, 0.0)
        position = (occupation - start) / h  # 2 inside, less near n = 0
        values = [self.rate_at(start + k * h) for k in range(5)]
        # derivative of the polynomial through five points, at `position`
        weights = [_lagrange_slope(k, position) for k in range(5)]
        total: FloatArray = sum(w * v for w, v in zip(weights, values, strict=True)) / h
        return total


def _lagrange_slope(k: int, position: FloatArray) -> FloatArray:
    others = [j for j in range(5) if j != k]
    total = np.zeros_like(position)
    for left_out in others:
        term = np.ones_like(position)
        for j in others:
            term = term * ((position - j) if j != left_out else 1.0) / (k - j)
        total = total + term
    return total


def element(name: str, value: object, where: str) -> ActiveElement:
    """Return `value` as an active element; a pair of callables becomes a `CallableElement`.

    Raises InvalidArgument for anything else, and where a rate or noise is negative or not a number.
    """
    if isinstance(value, Saturable):
        return value
    if isinstance(value, tuple) and len(value) == 2 and all(callable(part) for part in value):
        value = CallableElement(*value)
    if isinstance(value, type) or not isinstance(value, ActiveElement):
        raise InvalidArgument(
            f"`{name}` must hold Saturable(rate, saturation, exponent), a pair (rate, noise) of "
            f"callables or another ActiveElement, but is {shown(value)} ({where})"
        )
    noise = value.gain_noise_at if name == "generators" else value.loss_noise_at
    for what, function in (("rate", value.rate_at), ("noise", noise)):
        numbers = np.asarray(function(PROBES))
        if numbers.shape != PROBES.shape:
            raise InvalidArgument(
                f"`{what}` must return an array of the shape of the occupation, {PROBES.shape}, "
                f"but returns shape {numbers.shape} ({name}, {where})"
            )
        wrong = ~(np.isfinite(numbers) & (numbers >= 0.0))
        if wrong.any():
            n = PROBES[np.argmax(wrong)]
            raise InvalidArgument(
                f"`{what}` must be finite and not negative at every occupation, "
                f"but is {float(numbers[np.argmax(wrong)])!r} at n = {n:g} ({name}, {where})"
            )
    return value
