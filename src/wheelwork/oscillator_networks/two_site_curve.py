"""The curve of all steady states that a passive network allows two active sites.

At frequency ω the active sites must supply net rates S_1, S_2 with det(diag(S) − H(ω)) = 0, where
H = (X_aa)⁻¹ is the inverse response of the passive network. These two real equations leave a curve
(S_1, S_2)(ω), with |β_2/β_1|² = |S_1 − H_11|²/|H_12|² along it, which does not depend on the active
elements. A steady state is a point of it where S_k = R_k(|β_k|²)/2 (see `crossings`).
Derived in docs/developers/two-site-curve.md, to whose equations the numbers (1) to (9) refer.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import linalg

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged
from wheelwork.numerics.work import tick
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    ComplexArray,
    IntArray,
    Mirror,
    find_mirror,
)
from wheelwork.parameters import ShortRepr

# First points per site. The modes of N sites are on average 1/N of the band apart, so that each has
# about 40 points about it before the refinement begins.
FIRST_POINTS_PER_SITE = 40
# Largest change of asinh(S/scale) and ln|β_2/β_1|² between neighbours: a linear interpolation is
# then good to about 1e-4, from where Newton's method converges.
LARGEST_CHANGE = 0.03
# Of the largest rate: S below it counts as zero in asinh(S/scale), and the curve extends
# by this beyond the range of S, so that its ends lie between points.
NEGLIGIBLE_RATE = 1e-6
# Points on either side of a special frequency, at 1e-11 to 1e-2 of the range: five per decade.
CLOSEST, GRADED = 1e-11, 46
NARROWEST = 1e-8  # of the range: a part of the curve that the points between these resolve
BISECTIONS = 50  # of a special frequency: 2^-50 of a first interval is below rounding
BEYOND = 1.5  # extent of S_1 at the centre of a mirror, against its largest value: past the end
# Bisections of a first interval: 2^-44 of one is about the rounding of ω.
MOST_SPLITS = 44
# Points, which bounds time and memory: the responses of ten sites then take 130 MB.
MOST_POINTS = 400_000
FEWEST_MODES = 16  # sites from which a sum over modes is faster than back substitution
MOST_SKEWED = 1e4  # condition number of the modes: the sum then has twelve digits
CHUNK = 20_000  # frequencies at once: their modes fill some 100 MB


@dataclass(frozen=True, eq=False, repr=False)
class PassiveNetwork(ShortRepr, Computed):
    """(−iω − L) α = E v: amplitudes α, (N,), sustained by drives v, (K,), at active sites."""

    linear: ComplexArray
    active: IntArray

    @cached_property
    def _schur(self) -> tuple[ComplexArray, ComplexArray]:
        triangle, unitary = linalg.schur(self.linear, output="complex")
        return triangle, unitary

    @cached_property
    def _modes(self) -> tuple[ComplexArray, ComplexArray] | None:
        """Eigenvalues of L, (N,), and their residues in X between active sites, (N, K²).

        None where modes are far from orthogonal, which costs digits.
        """
        exponents, modes = np.linalg.eig(self.linear)
        if not np.linalg.cond(modes) < MOST_SKEWED:
            return None
        left = np.linalg.inv(modes)[:, self.active]
        residues = modes[self.active].T[:, :, None] * left[:, None, :]
        return exponents, residues.reshape(exponents.size, -1)

    def response(self, frequency: FloatArray) -> ComplexArray:
        """X(ω) with α = X v, (M, N, K), by back substitution in Schur form."""
        triangle, unitary = self._schur
        N, K, M = self.linear.shape[0], self.active.size, frequency.size
        driven = unitary.conj().T[:, self.active]
        turned = np.empty((N, K, M), dtype=np.complex128)
        with np.errstate(all="ignore"):  # at the frequency of an undamped mode it is infinite
            for i in range(N - 1, -1, -1):
                fed = np.tensordot(triangle[i, i + 1 :], turned[i + 1 :], axes=1)
                turned[i] = (driven[i][:, None] + fed) / (-1j * frequency - triangle[i, i])
            response: ComplexArray = np.moveaxis(np.tensordot(unitary, turned, axes=1), 2, 0)
        return response

    def between_active(self, frequency: FloatArray) -> ComplexArray:
        """X(ω) between active sites, (M, K, K)."""
        K = self.active.size
        if self.linear.shape[0] < FEWEST_MODES or self._modes is None:
            return self.response(frequency)[:, self.active, :]
        exponents, residues = self._modes
        with np.errstate(all="ignore"):
            parts = [
                (1.0 / (-1j * part[:, None] - exponents)) @ residues
                for part in np.array_split(frequency, 1 + frequency.size // CHUNK)
            ]
        return np.concatenate(parts).reshape(-1, K, K)

    def inverse(self, frequency: FloatArray) -> ComplexArray:
        """H(ω) = X⁻¹ between two active sites, (M, 2, 2); not finite where there is none."""
        X = self.between_active(frequency)
        H = np.empty_like(X)
        with np.errstate(all="ignore"):
            determinant = X[:, 0, 0] * X[:, 1, 1] - X[:, 0, 1] * X[:, 1, 0]
            H[:, 0, 0], H[:, 1, 1] = X[:, 1, 1] / determinant, X[:, 0, 0] / determinant
            H[:, 0, 1], H[:, 1, 0] = -X[:, 0, 1] / determinant, -X[:, 1, 0] / determinant
        return H


@dataclass(frozen=True, eq=False, repr=False)
class TwoSiteCurve(ShortRepr, Computed):
    """The curve of two active sites, point by point.

    omega, first, second, ratio: (M,), ω, S_1, S_2 and |β_2/β_1|². turn: β_2/β_1 over its modulus.
    linked: (M − 1,), whether a point and the next are neighbours on the curve.
    mirror: of the network; the curve is then the half with ω ≥ its centre.
    narrow: whether a part may be narrower in ω than its points are apart.
    """

    network: PassiveNetwork
    mirror: Mirror | None
    omega: FloatArray
    first: FloatArray
    second: FloatArray
    ratio: FloatArray
    turn: ComplexArray
    linked: np.ndarray
    narrow: bool = False

    @cached_property
    def log_ratio(self) -> FloatArray:
        """ln|β_2/β_1|², (M,)."""
        return np.log(self.ratio)

    def following(self, i: IntArray) -> IntArray:
        """The points after points i; the last maps to itself."""
        return np.minimum(i + 1, self.omega.size - 1)

    def between(self, values: FloatArray, i: IntArray, share: FloatArray) -> FloatArray:
        """Interpolate `values`, (M,), at `share` of the way from points i to the next ones."""
        here, there = values[i], values[self.following(i)]
        whole = share == 0.0  # the next point may hold NaN or infinity
        mixed: FloatArray = np.where(whole, here, (1.0 - share) * here + share * there)
        return mixed


def two_site_curve(model: AmplitudeModel, rates: FloatArray) -> TwoSiteCurve:
    """Return the curve of two active sites for S_k between 0 and `rates`_k/2.

    rates: (2,), R_k(0), with its sign. Of a network with a mirror, the half with ω ≥ its centre.
    All frequencies are within `reach`, a bound on the eigenvalues of L + diag(S) (Gershgorin).
    Raises NotConverged when the curve cannot be resolved.
    """
    mirror = find_mirror(model.linear)
    network = PassiveNetwork(model.linear, model.active)
    largest = 0.5 * float(np.max(np.abs(rates)))
    reach = float(np.max(np.sum(np.abs(model.linear), axis=1))) + largest
    low = -reach if mirror is None else mirror.centre
    omega = np.linspace(low, reach, FIRST_POINTS_PER_SITE * model.sites)
    modes = np.sort(_modes(network))
    between = np.clip(0.5 * (modes[1:] + modes[:-1]), low, reach)
    special = _special_frequencies(network, np.union1d(omega, between))
    narrow = mirror is None and _has_narrow_arm(network, special, reach, largest)
    centres = np.concatenate([special, modes])
    omega = np.union1d(omega, _around(centres, low, reach))
    branches = _branches(network, omega)
    for step in range(MOST_SPLITS):
        tick("curve of steady states", step, MOST_SPLITS)
        split = _needs_splitting(branches, rates)
        if not split.any():
            break
        if omega.size + int(split.sum()) > MOST_POINTS:
            raise NotConverged(
                f"the curve of steady states needs more than {MOST_POINTS} points at rtol = "
                f"{LARGEST_CHANGE:g}: the damping is too small against the couplings"
            )
        added = 0.5 * (omega[:-1] + omega[1:])[split]
        after = np.flatnonzero(split) + 1
        omega = np.insert(omega, after, added)
        branches = np.insert(branches, after, _branches(network, added), axis=1)
    curve = _joined(network, mirror, omega, branches)
    if mirror is not None:
        curve = _with_centre(curve, mirror.centre, rates)
    return replace(_within(curve, rates), narrow=narrow)


def _within(curve: TwoSiteCurve, full_rates: FloatArray) -> TwoSiteCurve:
    """The part with S_k between 0 and `full_rates`_k/2, with the points next to it."""
    values = np.stack([curve.first, curve.second], axis=1)
    small = NEGLIGIBLE_RATE * np.max(np.abs(full_rates))
    low = np.minimum(0.0, 0.5 * full_rates) - small
    high = np.maximum(0.0, 0.5 * full_rates) + small
    least, most = np.minimum(values[1:], values[:-1]), np.maximum(values[1:], values[:-1])
    linked = curve.linked & np.all((most >= low) & (least <= high), axis=1)
    kept = np.zeros(curve.omega.size, dtype=bool)
    kept[:-1] |= linked
    kept[1:] |= linked
    index = np.flatnonzero(kept)
    together = linked[index[:-1]] & (np.diff(index) == 1)
    return TwoSiteCurve(
        curve.network,
        curve.mirror,
        curve.omega[kept],
        curve.first[kept],
        curve.second[kept],
        curve.ratio[kept],
        curve.turn[kept],
        together,
    )


def _special_frequencies(network: PassiveNetwork, omega: FloatArray) -> FloatArray:
    """Frequencies at which the curve exists however narrow it is: a = 0, b = 0 or ab + c = 0.

    With a = Im H_11, b = Im H_22 and c = Re H_12 H_21, the discriminant d² − 4ab(ab + c) of (5) is
    not negative there, while beside them it soon may be. Without damping they are the modes of the
    network with site 2 held still (a = 0), with site 1 held still (b = 0), and of the whole
    network. Changes of sign at poles of H, the modes with both sites held still, count as well.
    """

    def reactance(values: FloatArray) -> FloatArray:
        H = network.inverse(values)
        a, b = H[:, 0, 0].imag, H[:, 1, 1].imag
        with np.errstate(all="ignore"):
            stacked: FloatArray = np.stack([a, b, a * b + (H[:, 0, 1] * H[:, 1, 0]).real])
        return np.nan_to_num(stacked)

    sign: FloatArray = np.sign(reactance(omega))
    which, interval = np.nonzero(sign[:, 1:] != sign[:, :-1])
    low: FloatArray = omega[interval]
    high: FloatArray = omega[interval + 1]
    kept = sign[which, interval]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        left = np.sign(reactance(middle)[which, np.arange(which.size)]) == kept
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    zeros: FloatArray = 0.5 * (low + high)
    return zeros


def _has_narrow_arm(
    network: PassiveNetwork, special: FloatArray, reach: float, largest: float
) -> bool:
    """Whether the curve passes one of the special frequencies too fast to be seen.

    Where a vanishes, it changes along the curve as Im P/(x_2 − ib) does, with P = H_12 H_21 and
    x_2 = S_2 − Re H_22 (likewise b): hardly at all where sites are far detuned, or alike and
    coupled weakly.
    """
    H = network.inverse(special)
    H = H[np.all(np.isfinite(H), axis=(1, 2))]
    a, b = H[:, 0, 0].imag, H[:, 1, 1].imag
    other = np.where(np.abs(a) < np.abs(b), b, a)
    with np.errstate(all="ignore"):
        product = H[:, 0, 1] * H[:, 1, 0]
        ends = product / (largest - 1j * other), product / (0.5 * largest - 1j * other)
    width = np.abs((ends[1] - ends[0]).imag)
    return bool(np.any((np.abs(product) > 0.0) & (width < NARROWEST * reach)))


def _modes(network: PassiveNetwork) -> FloatArray:
    """Frequencies of the modes of the network, whole and with active sites held still.

    Special frequencies are near them, and two that are closer than the first points, as of a mode
    that hardly involves an active site, are told apart by a point between these.
    """
    held: list[list[int]] = [[], *([int(site)] for site in network.active)]
    held.append([int(site) for site in network.active])
    parts = [np.delete(np.delete(network.linear, out, 0), out, 1) for out in held]
    return np.concatenate([-np.linalg.eigvals(part).imag for part in parts])


def _around(centres: FloatArray, low: float, high: float) -> FloatArray:
    """Points on either side of each of `centres`, geometrically closer to it."""
    step = (high - low) * np.geomspace(CLOSEST, 1e-2, GRADED)
    points = (centres[:, None] + np.concatenate([-step, [0.0], step])).ravel()
    inside: FloatArray = points[(points > low) & (points < high)]
    return inside


def _with_centre(curve: TwoSiteCurve, centre: float, rates: FloatArray) -> TwoSiteCurve:
    """Add the curve at the mirror's centre, where each S_1 has an S_2 (9).

    S_1 is spaced geometrically on either side of its pole, S_1 = H_11, and of the zero of S_2.
    """
    network = curve.network
    H = network.inverse(np.array([centre]))[0]
    if not (np.all(np.isfinite(H)) and abs(H[0, 1]) > 0.0):
        return curve  # a coupling below the smallest number
    scale = 0.5 * abs(float(rates[0]))
    product = float((H[0, 1] * H[1, 0]).real)
    near = scale * np.logspace(-14.0, 0.5, int(14.5 * np.log(10.0) / LARGEST_CHANGE))
    x = np.concatenate([-near[::-1], near])
    turning = -product / H[1, 1].real - x if H[1, 1].real else x
    first = np.union1d(np.union1d(x, turning) + H[0, 0].real, x)
    first = first[(first != H[0, 0].real) & (np.abs(first) <= BEYOND * scale)]
    x = first - H[0, 0].real
    ratio = x / H[0, 1]
    apart = np.zeros(min(curve.omega.size, 1), dtype=bool)
    return TwoSiteCurve(
        network,
        curve.mirror,
        np.concatenate([curve.omega, np.full(first.size, centre)]),
        np.concatenate([curve.first, first]),
        np.concatenate([curve.second, product / x + H[1, 1].real]),
        np.concatenate([curve.ratio, np.abs(ratio) ** 2]),
        np.concatenate([curve.turn, ratio / np.abs(ratio)]),
        np.concatenate([curve.linked, apart, (x[1:] > 0.0) == (x[:-1] > 0.0)]),
    )


def _branches(network: PassiveNetwork, omega: FloatArray) -> ComplexArray:
    """Both solutions of (5) at each ω, (2, M, 3): S_1, S_2 and β_2/β_1, NaN where there is none."""
    H = network.inverse(omega)
    with np.errstate(all="ignore"):
        product = H[:, 0, 1] * H[:, 1, 0]
    a, b = H[:, 0, 0].imag, H[:, 1, 1].imag
    c, d = product.real, product.imag
    solutions = np.full((2, omega.size, 3), np.nan + 0.0j)
    with np.errstate(all="ignore"):
        # (5): b x² + d x + (b a² + c a) = 0 for x = S_1 − Re H_11, without cancellation;
        # the first solution is the one with +√, so that either is continuous in ω.
        discriminant = d * d - 4.0 * b * (b * a * a + c * a)
        root = np.sqrt(discriminant)
        far = -(d + np.copysign(root, d)) / 2.0
        pair = far / b, (b * a * a + c * a) / far
        ordered = np.where(d > 0.0, pair[1], pair[0]), np.where(d > 0.0, pair[0], pair[1])
        for k, x in enumerate(ordered):
            p = x - 1j * a
            solutions[k, :, 0] = x + H[:, 0, 0].real
            solutions[k, :, 1] = (product / p).real + H[:, 1, 1].real
            solutions[k, :, 2] = p / H[:, 0, 1]
    return solutions


def _needs_splitting(branches: ComplexArray, full_rates: FloatArray) -> np.ndarray:
    """Whether a solution within the range of S changes too much, or ends, between neighbours."""
    supply, ratio = branches[:, :, :2].real, np.abs(branches[:, :, 2])
    small = NEGLIGIBLE_RATE * np.max(np.abs(full_rates))
    low = np.minimum(0.0, 0.5 * full_rates) - small
    high = np.maximum(0.0, 0.5 * full_rates) + small
    near = np.all((supply >= low) & (supply <= high), axis=2)
    least = np.minimum(supply[:, 1:], supply[:, :-1])
    most = np.maximum(supply[:, 1:], supply[:, :-1])
    relevant = np.all((most >= low) & (least <= high), axis=2)  # also if both ends are outside
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.concatenate([np.arcsinh(supply / small), np.log(ratio)[:, :, None]], axis=2)
        jump = np.max(np.abs(np.diff(curve, axis=1)), axis=2)
    ends = near[:, 1:] != near[:, :-1]
    jump = np.where(np.isfinite(jump), jump, np.inf)
    wide: np.ndarray = np.any(relevant & (jump > LARGEST_CHANGE) | ends, axis=0)
    return wide


def _joined(
    network: PassiveNetwork, mirror: Mirror | None, omega: FloatArray, branches: ComplexArray
) -> TwoSiteCurve:
    """Both solutions of every interval of ω in a row, linked where they merge at its ends."""
    columns, links = [], []
    there = np.isfinite(branches[:, :, 0].real)
    edge = np.diff(there[0].astype(np.int8), prepend=0, append=0)
    for start, stop in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
        path = np.concatenate([np.arange(start, stop), np.arange(stop - 1, start - 1, -1)])
        which = np.repeat([0, 1], stop - start)
        columns.append(np.column_stack([omega[path], branches[which, path]]))
        linked = np.ones(path.size, dtype=bool)
        linked[-1] = False
        links.append(linked)
        if start > 0:  # both solutions also meet where the interval begins
            columns.append(columns[-1][[-1, 0]])
            links.append(np.array([True, False]))
    if not columns:
        columns, links = [np.empty((0, 4), dtype=np.complex128)], [np.empty(0, dtype=bool)]
    points = np.concatenate(columns)
    ratio = np.abs(points[:, 3]) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        turn = points[:, 3] / np.sqrt(ratio)
    keep = np.isfinite(ratio) & (ratio > 0.0)
    linked = np.concatenate(links)
    linked[:-1] &= keep[:-1] & keep[1:]
    ratio = np.where(keep, ratio, 1.0)
    return TwoSiteCurve(
        network,
        mirror,
        points[:, 0].real,
        points[:, 1].real,
        points[:, 2].real,
        ratio,
        np.where(keep, turn, 1.0),
        linked[:-1],
    )
