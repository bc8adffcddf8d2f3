"""Thirty-digit reference values for Lorentzian leads, by a route of their own.

Run as a script, it writes `transport_reference.json` beside it. Nothing of wheelwork is used:
Gauss-Legendre with mpmath on panels graded towards the exact poles, and the friction from the
derivative of the spectral function itself, where the library integrates by parts.
"""

import json
from itertools import pairwise
from pathlib import Path

import mpmath as mp
import numpy as np

PATH = Path(__file__).with_name("transport_reference.json")

# name: (level - force x, force, [(mu, T, rate, centre, width), ...])
CASES = {
    "paper": (1.25, 0.0632, [(8.0, 2.0, 2.0, 0.5, 1.0), (-8.0, 2.0, 2.0, -0.5, 1.0)]),
    "one lead": (0.3, 0.1, [(0.1, 0.5, 1.5, -0.4, 0.7)]),
    "cold": (-0.7, 1.0, [(3.0, 0.02, 2.0, 0.5, 1.0), (-3.0, 0.02, 2.0, -0.5, 1.0)]),
    "narrow lines": (0.2, 1.0, [(1.0, 0.3, 2.0, 0.5, 0.02), (-1.0, 0.3, 1.0, -0.5, 0.02)]),
    "large bias": (2.0, 1.0, [(50.0, 2.0, 2.0, 0.5, 1.0), (-50.0, 2.0, 1.0, -0.5, 0.6)]),
    "sharp resonance": (50.0, 1.0, [(50.0, 2.0, 2.0, 0.5, 0.02), (-50.0, 1.0, 2.0, -0.5, 0.02)]),
    "cold, narrow, biased": (
        3.0,
        1.0,
        [(50.0, 0.02, 2.0, 0.5, 0.02), (-50.0, 0.02, 2.0, -0.5, 1.0)],
    ),
    "two temperatures": (0.4, 1.0, [(0.0, 3.0, 1.0, 1.5, 0.5), (0.0, 0.1, 2.0, -0.5, 2.0)]),
    "tiny bias": (0.1, 1.0, [(5e-9, 0.5, 1.0, 0.3, 1.0), (-5e-9, 0.5, 2.0, -0.5, 1.0)]),
    "weak coupling": (0.8, 1.0, [(0.8, 0.05, 1e-5, 0.5, 1.0), (0.7, 0.05, 2e-5, -0.5, 1.0)]),
    "empty level": (9.0, 1.0, [(0.0, 0.3, 0.5, 9.0, 0.3), (-1.0, 0.2, 0.5, 8.0, 0.3)]),
    "three leads": (
        -0.3,
        1.0,
        [(1.0, 0.5, 1.0, 0.3, 1.0), (-1.0, 0.1, 2.0, -0.5, 0.3), (0.2, 2.0, 0.7, 0.0, 3.0)],
    ),
}


def _poles(level, leads):
    """Positions and distances from the real axis: lines, Fermi functions, Green function."""
    effective = np.diag([complex(level), *(centre - 1j * width for *_, centre, width in leads)])
    for k, (_, _, rate, _, width) in enumerate(leads, start=1):
        effective[0, k] = effective[k, 0] = np.sqrt(rate * width / 2.0)
    points = [(value.real, abs(value.imag)) for value in np.linalg.eigvals(effective)]
    points += [(centre, width) for *_, centre, width in leads]
    return points + [(mu, np.pi * temperature) for mu, temperature, *_ in leads]


def _ends(poles):
    reach = 4.0 * max(abs(p) + d for p, d in poles)
    ends = {-reach, reach}
    for position, distance in poles:
        ends.add(position)
        step = distance / 2.0
        while step < 2.0 * reach:
            ends |= {end for end in (position - step, position + step) if abs(end) < reach}
            step *= 2.0
    return sorted(ends)


def _gauss(order):
    nodes = []
    for start in np.polynomial.legendre.leggauss(order)[0]:
        t = mp.findroot(lambda s: mp.legendre(order, s), mp.mpf(start))
        slope = order * (t * mp.legendre(order, t) - mp.legendre(order - 1, t)) / (t * t - 1)
        nodes.append((t, 2 / ((1 - t * t) * slope**2)))
    return nodes


def _integrands(w, level, leads):
    """Return all integrands at w; the derivative of the spectral function is analytic."""
    chi = slope_chi = mp.mpc(0)
    kappa, fermi = [], []
    for mu, temperature, rate, centre, width in leads:
        line = 1 / (w - centre + 1j * mp.mpf(width))
        chi += mp.mpf(rate) * width / 2 * line
        slope_chi -= mp.mpf(rate) * width / 2 * line * line
        kappa.append(-2 * (mp.mpf(rate) * width / 2 * line).imag)
        fermi.append(1 / (mp.exp((w - mu) / mp.mpf(temperature)) + 1))
    green = 1 / (w - level - chi)
    a_slope = 2 * (green**2 * (1 - slope_chi)).imag
    square = abs(green) ** 2
    g = square * mp.fdot(kappa, fermi)
    empty = square * mp.fdot(kappa, [1 - f for f in fermi])
    flows = [
        square * k * mp.fsum(other * (f - h) for other, h in zip(kappa, fermi, strict=True))
        for k, f in zip(kappa, fermi, strict=True)
    ]
    return [g, g * empty, g * a_slope, *flows, *(w * flow for flow in flows)]


def _integrate(level, leads, nodes):
    """Sum the panels, and the two tails in the variable 1/w."""
    total = [mp.mpf(0)] * (3 + 2 * len(leads))
    ends = _ends(_poles(level, leads))
    for left, right in pairwise(ends):
        half, middle = (mp.mpf(right) - left) / 2, (mp.mpf(right) + left) / 2
        for t, weight in nodes:
            values = _integrands(middle + half * t, level, leads)
            total = [s + half * weight * v for s, v in zip(total, values, strict=True)]
    for sign in (-1, 1):
        for k in range(12):  # panels of 1/w graded towards the end of the axis
            low, high = (mp.mpf(2) ** -(k + 1) if k < 11 else mp.mpf(0)), mp.mpf(2) ** -k
            for t, weight in nodes:
                u = (low + high) / 2 + (high - low) / 2 * t
                jacobian = (high - low) / 2 * weight * ends[-1] / u**2
                values = _integrands(sign * ends[-1] / u, level, leads)
                total = [s + jacobian * v for s, v in zip(total, values, strict=True)]
    return [value / (2 * mp.pi) for value in total]


def reference(case):
    """Return the integrals of one case by name, with force one, as lists of 20-digit strings."""
    level, _, leads = CASES[case]
    with mp.workdps(34):
        values = [mp.nstr(v, 20) for v in _integrate(level, leads, _gauss(30))]
    occupation, diffusion, friction, *flows = values
    return {
        "occupation": occupation,
        "diffusion": diffusion,
        "friction": friction,
        "particle_currents": flows[: len(leads)],
        "energy_currents": flows[len(leads) :],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps({name: reference(name) for name in CASES}, indent=1) + "\n")
