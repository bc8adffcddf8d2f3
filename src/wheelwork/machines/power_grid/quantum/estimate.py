"""Where the quanta of a grid will be, from closed equations for its second moments.

With every Γ(n) taken at the mean occupation of its node, ⟨a_j†a_k⟩ obeys a Lyapunov equation. Its
steady state is exact for linear grids, and right to a factor of about two for others; it takes
milliseconds, and tells whether a master equation can hold the grid before one is solved.
"""

import math

import numpy as np
from scipy.linalg import lapack, schur

from wheelwork._checks import FloatArray
from wheelwork.errors import NoSteadyState
from wheelwork.machines.power_grid.quantum.rates import GridRates, SaturableRates
from wheelwork.oscillator_networks import ComplexArray

STEPS = 100  # some ten are usual
CHANGE = 1e-3  # relative, of occupations in one step, at which they count as steady
# Of the largest rate: decay added to every mode, so that the equation has a solution. Slower modes
# stay as they began.
SLOWEST = 1e-12
OVERTAKING = 3.0  # a step of time is 1/3 of that in which the fastest growing mode grows by e
FALLING = 0.5  # of the rate of loss: what is lost in a step leaves 1/3, so that no branch is missed
MOST_HEATING = 1e60  # in units of the largest rate: beyond any basis, within what LAPACK solves
RISING = 0.1  # so that noise fills a node at most tenfold in a step
ROUNDING = 1e-14  # of the largest rate: real parts below count as zero
FELT = 1e-9  # of the largest rate: slower losses are not followed
VAST = 1e15  # quanta of the start from above; one quantum is then below rounding


def quanta_from_below(rates: GridRates, most: float) -> FloatArray:
    """Return the occupations reached from the vacuum, (N,); larger than `most` where they pass it.

    Of several stable states that with the fewest quanta.
    """
    return _steady(rates, 0.0, most)


def quanta_from_above(rates: GridRates) -> FloatArray:
    """Return the occupations reached from vast ones: of several stable states the fullest."""
    if not np.any(rates.gain.full + rates.heating > 0.0):
        return np.zeros(len(rates.dampings))
    return _steady(rates, _vast(rates), math.inf)


def _vast(rates: GridRates) -> float:
    """As many quanta as are lost at a rate above rounding somewhere."""
    most = VAST
    while most > 1.0:
        n = np.full(len(rates.dampings), most)
        if np.max(rates.dampings + rates.loss.at(n)) > FELT:
            break
        most *= 0.1
    return most


def _steady(rates: GridRates, start: float, most: float) -> FloatArray:
    """Implicit steps in time, in which the rates of elements stay as they were."""
    if not np.all(rates.heating <= MOST_HEATING):
        return np.full(len(rates.dampings), math.inf)
    C, passed = start * np.eye(len(rates.dampings), dtype=np.complex128), []
    for _ in range(STEPS):
        n = np.maximum(C.diagonal().real, 0.0)
        gain, loss = rates.gain.at(n), rates.loss.at(n)
        saturating = np.maximum(0.0, _fall(rates.gain, gain, n) - _fall(rates.loss, loss, n))
        losing = np.maximum(0.0, rates.dampings + loss - gain)
        noise, drift = rates.heating + gain, rates.drift(gain, loss).conj()
        hold = saturating + FALLING * losing + RISING * noise / (n + 1.0) + SLOWEST
        tried = _step(C, drift, noise, hold)
        if not np.all(tried.diagonal().real >= 0.0):
            tried = _step(C, drift, noise, np.full(n.size, np.max(hold)))
        C = tried
        after = np.maximum(C.diagonal().real, 0.0)
        if np.all(np.abs(after - n) <= CHANGE * after) or np.sum(after) > most:
            return after
        passed.append(after)
    return min(passed[STEPS // 2 :], key=np.sum)  # of occupations that swing the least


def _step(
    C: ComplexArray, drift: ComplexArray, noise: FloatArray, hold: FloatArray
) -> ComplexArray:
    """Return C' with drift C' + C' drift† + noise = ½{S, C' − C}, S = `hold` or more.

    hold: (N,), inverse of the step of time at each node; where all are equal, C' ≥ 0.
    """
    one = np.eye(hold.size)
    S = np.diag(hold)
    growth = float(np.max(np.linalg.eigvals(drift - 0.5 * S).real))
    S += OVERTAKING * max(growth, 0.0) * one
    return _lyapunov(drift - 0.5 * S, np.diag(noise) + 0.5 * (S @ C + C @ S))


def _lyapunov(drift: ComplexArray, source: ComplexArray) -> ComplexArray:
    """C with drift C + C drift† + source = 0; very large where there is none."""
    T, U = schur(drift, output="complex")
    inner, scale, _ = lapack.ztrsyl(T, T, -U.conj().T @ source @ U, tranb="C")
    return np.asarray(U @ inner @ U.conj().T / scale)


def _fall(element: SaturableRates, rate: FloatArray, n: FloatArray) -> FloatArray:
    """−n dΓ/dn, (N,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        share = 1.0 / (1.0 + element.saturation / np.maximum(n, np.finfo(float).tiny))
        return np.nan_to_num(rate * element.exponent * share, posinf=0.0)


def require_normalisable(rates: GridRates) -> None:
    """Raise NoSteadyState where gain is not below loss at infinitely many quanta, to rounding."""
    if not np.any(rates.gain.full > 0.0):
        return
    gain, loss = rates.gain.unsaturable, rates.loss.unsaturable
    fastest = float(np.max(np.linalg.eigvals(rates.drift(gain, loss)).real))
    if fastest < -ROUNDING:
        return
    linear = np.array_equal(rates.gain.full, gain) and np.array_equal(rates.loss.full, loss)
    ratios = _far_ratios(rates)
    if fastest > ROUNDING or linear or (ratios.size and np.min(ratios) >= 1.0):
        raise NoSteadyState(
            "the quanta are unbounded: far out gain is no less than loss (by a rate of "
            f"{max(fastest, 0.0) * rates.unit:.3g}); give the generators a saturation "
            "(exponent > 0) and the nodes some damping"
        )


def tail(rates: GridRates) -> float:
    """Return how probabilities of many quanta fall, p(K + 1)/p(K); 1 where it is not known.

    Far out the saturable elements are gone; what is left is linear, its state Gaussian, and the
    ratio ν/(1 + ν), ν the largest eigenvalue of ⟨a_j†a_k⟩. Where nothing is left, the elements that
    saturate most slowly decide.
    """
    gain, loss = rates.gain.unsaturable, rates.loss.unsaturable
    drift = rates.drift(gain, loss)
    if np.max(np.linalg.eigvals(drift).real) >= -ROUNDING:
        ratios = _far_ratios(rates)
        return min(1.0, float(np.max(ratios))) if ratios.size else 1.0
    noise = np.diag(rates.heating + gain).astype(np.complex128)
    quanta = _lyapunov(drift.conj(), noise)
    largest = max(0.0, float(np.linalg.eigvalsh(quanta)[-1]))
    return largest / (1.0 + largest)


def _far_ratios(rates: GridRates) -> FloatArray:
    """Gain against loss of each mode of a grid without damping, at very many quanta; else empty.

    Γ(n) n → Γ n0^ν n^(1 − ν) with n = |u|² K at a node; the least exponents remain.
    """
    if np.any(rates.dampings > 0.0) or np.any(rates.gain.unsaturable + rates.loss.unsaturable > 0):
        return np.zeros(0)
    shares = np.linalg.eigh(rates.hopping)[1] ** 2
    (power, into), (least, out) = (_far_out(each, shares) for each in (rates.gain, rates.loss))
    if power != least:
        return np.full(len(shares), math.inf if power < least else 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(np.exp(into - out), nan=1.0, posinf=math.inf)


def _far_out(element: SaturableRates, shares: FloatArray) -> tuple[float, FloatArray]:
    """The least exponent, and the logarithm of Σ Γ n0^ν |u|^(2 − 2ν) of each mode, (N,)."""
    acting = element.full > 0.0
    power = float(np.min(element.exponent[acting], initial=math.inf))
    least = acting & (element.exponent == power)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        parts = (
            np.log(element.full[least, None])
            + power * np.log(element.saturation[least, None])
            + (1.0 - power) * np.log(shares[least])
        )
        return power, np.asarray(np.logaddexp.reduce(parts, axis=0, initial=-math.inf))
