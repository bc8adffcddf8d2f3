"""Every steady state of two active sites: the passive network between them leaves a curve.

At frequency ω the active sites must supply net rates S_1, S_2 with det(diag(S) − H(ω)) = 0,
H = (X_aa)^{-1} of the passive network. These two real equations leave a curve (S_1, S_2)(ω), with
|β_2/β_1|² = |S_1 − H_11|²/|H_12|² along it, that does not know the active elements. They pick the
points at which S_k = R_k(|β_k|²)/2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.oscillator_networks.crossings import Places, changes_sign
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    ComplexArray,
    IntArray,
    InvertibleGrowth,
    Mirror,
    find_mirror,
)
from wheelwork.oscillator_networks.passive import PassiveNetwork

COARSE = 40  # first points per site
FINE = 0.03  # of asinh(S/scale) and ln|β_2/β_1|² between neighbours
SMALL = 1e-6  # of the largest rate
GRADED = 46
BISECTIONS = 50
HALVINGS = 16  # of an interval, to begin Newton's method
BEYOND = 1.5  # the range of S, so that its ends lie between points
LEVELS = 44  # bisections of a first interval
LARGEST = 400_000
VAST = 1e30
STEEP = 2.0  # of n_1 at neighbouring points
DIP = 0.5  # a minimum of the mismatch that may hide two roots, against the rise beside it


@dataclass(frozen=True, eq=False)
class PairCurve:
    """The curve of two active sites, point by point.

    omega, first, second, ratio: (M,), ω, S_1, S_2 and |β_2/β_1|². turn: β_2/β_1 over its modulus.
    linked: (M − 1,), whether a point and the next are neighbours on the curve.
    mirror: of the network; the curve is then the half with ω ≥ its centre.
    """

    network: PassiveNetwork
    mirror: Mirror | None
    omega: FloatArray
    first: FloatArray
    second: FloatArray
    ratio: FloatArray
    turn: ComplexArray
    linked: np.ndarray

    def mismatch(self, growth: InvertibleGrowth) -> tuple[FloatArray, FloatArray]:
        """R_2(n_2)/2 − S_2, where n_1 has R_1(n_1)/2 = S_1 and n_2 follows; and n_1; (M,)."""
        first = np.minimum(growth.occupation(0, 2.0 * self.first), VAST)
        second = np.minimum(first * self.ratio, VAST)
        return 0.5 * growth.rate(1, second) - self.second, first

    def places(self, growth: InvertibleGrowth) -> Places:
        """Return where on the curve something is near that fits `growth`."""
        miss, n = self.mismatch(growth)
        inside = (n > 0.0) & (n < VAST)
        i = np.flatnonzero(self.linked & inside[:-1] & inside[1:])
        i = i[changes_sign(miss[i], miss[i + 1], growth)]
        ends = np.flatnonzero(self.linked & (inside[:-1] != inside[1:]))
        where = np.concatenate(
            [
                self._shares(growth, i, miss, n),
                self._at_limits(growth, ends, n),
                self._touching(miss, inside),
            ]
        )
        i = np.minimum(np.floor(where).astype(np.intp), max(self.omega.size - 2, 0))
        quanta = growth.occupation(0, 2.0 * self._between(self.first, i, where - i))
        kept = (quanta > 0.0) & (quanta < VAST)
        return Places(i[kept], (where - i)[kept], quanta[kept])

    def _shares(
        self, growth: InvertibleGrowth, i: IntArray, miss: FloatArray, n: FloatArray
    ) -> FloatArray:
        """Places after points i where the mismatch vanishes: by a line, halving where n_1 is steep.

        As it is near n_1 = 0, where α = 0 would draw starts of too few quanta to itself.
        """
        fewer, more = np.minimum(n[i], n[i + 1]), np.maximum(n[i], n[i + 1])
        steep = more > STEEP * fewer
        j = i[~steep]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.nan_to_num(miss[j] / (miss[j] - miss[j + 1]))
        k = i[steep]
        return np.concatenate(
            [j + share, self._halved(growth, k, np.zeros(k.size), np.ones(k.size))]
        )

    def _at_limits(self, growth: InvertibleGrowth, i: IntArray, n: FloatArray) -> FloatArray:
        """Places in intervals of which one end is beyond what element 1 does.

        Where the mismatch changes its sign within what it does; and the other end, where it nearly
        does so at the limit: Newton's method finds a state of few quanta from one of more.
        """
        begins_inside = (n[i] > 0.0) & (n[i] < VAST)
        outside = np.where(begins_inside, n[i + 1], n[i])
        limit = np.where(outside > 0.0, 0.0, 0.5 * growth.rates(np.zeros(2))[0])
        cut = (limit - self.first[i]) / (self.first[i + 1] - self.first[i])
        cut, end = np.clip(cut, 0.0, 1.0), np.where(begins_inside, 0.0, 1.0)
        at_cut, at_end = self._mismatch_at(growth, i, cut), self._mismatch_at(growth, i, end)
        inner = changes_sign(at_cut, at_end, growth)
        near = np.abs(at_cut) <= DIP * np.abs(at_end - at_cut)
        return np.concatenate(
            [self._halved(growth, i[inner], cut[inner], end[inner]), (i + end)[near]]
        )

    def _halved(
        self, growth: InvertibleGrowth, i: IntArray, low: FloatArray, high: FloatArray
    ) -> FloatArray:
        """Places after points i where the mismatch changes its sign, by halving."""
        if i.size == 0:
            return np.empty(0)
        below = self._mismatch_at(growth, i, low) < 0.0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            same = (self._mismatch_at(growth, i, middle) < 0.0) == below
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return np.asarray(i + 0.5 * (low + high))

    def _mismatch_at(self, growth: InvertibleGrowth, i: IntArray, share: FloatArray) -> FloatArray:
        """`mismatch` between points i and the next ones."""
        quanta = growth.occupation(0, 2.0 * self._between(self.first, i, share))
        ratio = np.exp(self._between(self._log_ratio, i, share))
        second = np.minimum(np.minimum(quanta, VAST) * ratio, VAST)
        return 0.5 * growth.rate(1, second) - self._between(self.second, i, share)

    @cached_property
    def _log_ratio(self) -> FloatArray:
        return np.log(self.ratio)

    def _between(self, values: FloatArray, i: IntArray, share: FloatArray) -> FloatArray:
        """Interpolate `values` from points i to the next ones."""
        here, there = values[i], values[self._next(i)]
        whole = share == 0.0  # whatever the next point holds
        mixed: FloatArray = np.where(whole, here, (1.0 - share) * here + share * there)
        return mixed

    def _touching(self, miss: FloatArray, inside: np.ndarray) -> FloatArray:
        """Places, in points, about a dip of |mismatch| to zero between points of the same sign.

        Two roots about to merge: Newton's method meets one each from either side. Of points that
        nearly coincide both may lie on one side, so that the next but one are tried as well.
        """
        size = np.abs(miss)
        alike = self.linked & (miss[1:] * miss[:-1] > 0.0) & inside[1:] & inside[:-1]
        lowest = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:])
        i = 1 + np.flatnonzero(alike[:-1] & alike[1:] & lowest)
        linked = np.concatenate([[False], self.linked, [False]])  # of a point with the one before
        left, right = i - 1 - linked[i - 1], i + 1 + linked[i + 2]
        rise = (
            np.fmax(np.fmax(size[left], size[right]), np.fmax(size[i - 1], size[i + 1])) - size[i]
        )
        near = (rise > 1e-9 * size[i]) & (size[i] < DIP * rise)
        found = np.concatenate([each[near] for each in (left, i - 1, i + 1, right)])
        return np.unique(found).astype(np.float64)

    def _next(self, i: IntArray) -> IntArray:
        return np.minimum(i + 1, self.omega.size - 1)

    def starts(self, places: Places) -> tuple[ComplexArray, FloatArray]:
        """Amplitudes (B, N) and frequencies (B,) at places on the curve."""
        i, share = places.after, places.share
        nearest = np.where(share < 0.5, i, self._next(i))
        root = np.sqrt(places.quanta)
        driven = np.empty((i.size, 2), dtype=np.complex128)
        driven[:, 0] = self._between(self.first, i, share) * root
        size = root * np.exp(0.5 * self._between(self._log_ratio, i, share))
        driven[:, 1] = self._between(self.second, i, share) * size * self.turn[nearest]
        omega = self._between(self.omega, i, share)
        alpha = np.einsum("mnk,mk->mn", self.network.response(omega), driven)
        return alpha, omega


def pair_curve(model: AmplitudeModel, rest: FloatArray) -> PairCurve:
    """Return the curve of two active sites for S_k between 0 and `rest`_k/2, resolved to `FINE`.

    rest: (2,), R_k(0), with its sign. Of a network with a mirror, the half with ω ≥ its centre.
    Raises NotConverged when the curve cannot be resolved.
    """
    mirror = find_mirror(model.linear)
    network = PassiveNetwork(model.linear, model.active)
    largest = 0.5 * float(np.max(np.abs(rest)))
    reach = float(np.max(np.sum(np.abs(model.linear), axis=1))) + largest
    low = -reach if mirror is None else mirror.centre
    omega = np.linspace(low, reach, COARSE * model.sites)
    centres = np.concatenate([_special(network, omega), _modes(network)])
    omega = np.union1d(omega, _around(centres, low, reach))
    branches = _branches(network, omega)
    for _ in range(LEVELS):
        split = _coarse(branches, rest)
        if not split.any():
            break
        if omega.size + int(split.sum()) > LARGEST:
            raise NotConverged(
                f"the curve of steady states needs more than {LARGEST} points at rtol = {FINE:g}: "
                "the damping is too small against the couplings"
            )
        added = 0.5 * (omega[:-1] + omega[1:])[split]
        place = np.flatnonzero(split) + 1
        omega = np.insert(omega, place, added)
        branches = np.insert(branches, place, _branches(network, added), axis=1)
    curve = _joined(network, mirror, omega, branches)
    if mirror is not None:
        curve = _with_centre(curve, mirror.centre, rest)
    return _within(curve, rest)


def _within(curve: PairCurve, rest: FloatArray) -> PairCurve:
    """The part where either element can be, with the points next to it."""
    rates = np.stack([curve.first, curve.second], axis=1)
    small = SMALL * np.max(np.abs(rest))
    low, high = np.minimum(0.0, 0.5 * rest) - small, np.maximum(0.0, 0.5 * rest) + small
    least, most = np.minimum(rates[1:], rates[:-1]), np.maximum(rates[1:], rates[:-1])
    linked = curve.linked & np.all((most >= low) & (least <= high), axis=1)
    kept = np.zeros(curve.omega.size, dtype=bool)
    kept[:-1] |= linked
    kept[1:] |= linked
    places = np.flatnonzero(kept)
    together = linked[places[:-1]] & (np.diff(places) == 1)
    return PairCurve(
        curve.network,
        curve.mirror,
        curve.omega[kept],
        curve.first[kept],
        curve.second[kept],
        curve.ratio[kept],
        curve.turn[kept],
        together,
    )


def _special(network: PassiveNetwork, omega: FloatArray) -> FloatArray:
    """Frequencies where the curve is met however narrow it is: a = 0, b = 0 or ab + c = 0.

    With a, b the reactances that the active sites feel and c = Re H_12 H_21: there the discriminant
    of `_branches` is not negative, beside them it soon may be. The last are the modes of the
    network with one active site held still, as by an element that is saturated. Also poles.
    """

    def reactance(values: FloatArray) -> FloatArray:
        a1, a2 = network.active
        H = np.linalg.inv(network.response(values)[:, [a1, a2], :])
        a, b = H[:, 0, 0].imag, H[:, 1, 1].imag
        found: FloatArray = np.stack([a, b, a * b + (H[:, 0, 1] * H[:, 1, 0]).real])
        return found

    sign: FloatArray = np.sign(reactance(omega))
    which, place = np.nonzero(sign[:, 1:] != sign[:, :-1])
    low: FloatArray = omega[place]
    high: FloatArray = omega[place + 1]
    kept = sign[which, place]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        left = np.sign(reactance(middle)[which, np.arange(which.size)]) == kept
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    found: FloatArray = 0.5 * (low + high)
    return found


def _modes(network: PassiveNetwork) -> FloatArray:
    """Frequencies of the network, whole and with either active site or both held still.

    Pairs of zeros closer than the first points, as of modes that hardly touch an active site, show
    by no change of sign.
    """
    held: list[list[int]] = [[], *([int(site)] for site in network.active)]
    held.append([int(site) for site in network.active])
    parts = [np.delete(np.delete(network.linear, out, 0), out, 1) for out in held]
    return np.concatenate([-np.linalg.eigvals(part).imag for part in parts])


def _around(centres: FloatArray, low: float, high: float) -> FloatArray:
    """Points ever closer to each of `centres`."""
    step = (high - low) * np.logspace(-11.0, -2.0, GRADED)
    points = (centres[:, None] + np.concatenate([-step, [0.0], step])).ravel()
    inside: FloatArray = points[(points > low) & (points < high)]
    return inside


def _with_centre(curve: PairCurve, centre: float, rest: FloatArray) -> PairCurve:
    """Add the states at the mirror's own frequency, where any S_1 has its S_2."""
    network = curve.network
    a1, a2 = network.active
    H = np.linalg.inv(network.response(np.array([centre]))[0, [a1, a2], :])
    scale = 0.5 * abs(float(rest[0]))
    product = float((H[0, 1] * H[1, 0]).real)
    near = scale * np.logspace(-14.0, 0.5, int(14.5 * np.log(10.0) / FINE))
    x = np.concatenate([-near[::-1], near])  # fine also where S_2 passes through zero
    turning = -product / H[1, 1].real - x if H[1, 1].real else x
    first = np.union1d(np.union1d(x, turning) + H[0, 0].real, x)
    first = first[(first != H[0, 0].real) & (np.abs(first) <= BEYOND * scale)]
    x = first - H[0, 0].real
    ratio = x / H[0, 1]
    return PairCurve(
        network,
        curve.mirror,
        np.concatenate([curve.omega, np.full(first.size, centre)]),
        np.concatenate([curve.first, first]),
        np.concatenate([curve.second, product / x + H[1, 1].real]),
        np.concatenate([curve.ratio, np.abs(ratio) ** 2]),
        np.concatenate([curve.turn, ratio / np.abs(ratio)]),
        np.concatenate([curve.linked, [False], (x[1:] > 0.0) == (x[:-1] > 0.0)]),
    )


def _branches(network: PassiveNetwork, omega: FloatArray) -> ComplexArray:
    """Both solutions at each ω as (2, M, 3): S_1, S_2 and β_2/β_1, NaN where there is none."""
    a1, a2 = network.active
    response = network.response(omega)
    H = np.linalg.inv(response[:, [a1, a2], :])
    product = H[:, 0, 1] * H[:, 1, 0]
    a, b = H[:, 0, 0].imag, H[:, 1, 1].imag
    c, d = product.real, product.imag
    found = np.full((2, omega.size, 3), np.nan + 0.0j)
    with np.errstate(all="ignore"):
        # b x² + d x + (b a² + c a) = 0 for x = S_1 − Re H_11
        discriminant = d * d - 4.0 * b * (b * a * a + c * a)
        root = np.sqrt(discriminant)
        far = -(d + np.copysign(root, d)) / 2.0
        pair = far / b, (b * a * a + c * a) / far
        ordered = np.where(d > 0.0, pair[1], pair[0]), np.where(d > 0.0, pair[0], pair[1])
        for k, x in enumerate(ordered):
            p = x - 1j * a
            found[k, :, 0] = x + H[:, 0, 0].real
            found[k, :, 1] = (product / p).real + H[:, 1, 1].real
            found[k, :, 2] = p / H[:, 0, 1]
    return found


def _coarse(branches: ComplexArray, rest: FloatArray) -> np.ndarray:
    """Intervals over which a relevant branch changes too much, or ends."""
    rates, ratio = branches[:, :, :2].real, np.abs(branches[:, :, 2])
    small = SMALL * np.max(np.abs(rest))
    low, high = np.minimum(0.0, 0.5 * rest) - small, np.maximum(0.0, 0.5 * rest) + small
    near = np.all((rates >= low) & (rates <= high), axis=2)
    least, most = np.minimum(rates[:, 1:], rates[:, :-1]), np.maximum(rates[:, 1:], rates[:, :-1])
    relevant = np.all((most >= low) & (least <= high), axis=2)  # also if both ends are outside
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.concatenate([np.arcsinh(rates / small), np.log(ratio)[:, :, None]], axis=2)
        jump = np.max(np.abs(np.diff(curve, axis=1)), axis=2)
    ends = near[:, 1:] != near[:, :-1]
    alive = np.isfinite(jump)
    wide: np.ndarray = np.any(relevant & (np.where(alive, jump, np.inf) > FINE) | ends, axis=0)
    return wide


def _joined(
    network: PassiveNetwork, mirror: Mirror | None, omega: FloatArray, branches: ComplexArray
) -> PairCurve:
    """Both solutions one after the other, linked where they end in one another."""
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
    return PairCurve(
        network,
        mirror,
        points[:, 0].real,
        points[:, 1].real,
        points[:, 2].real,
        ratio,
        np.where(keep, turn, 1.0),
        linked[:-1],
    )
