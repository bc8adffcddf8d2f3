"""All rotating steady states of amplitude equations that a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork.oscillator_networks.crossings import Places
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    GrowthRows,
    Mirror,
    ModelRows,
    find_mirror,
    invertible,
)
from wheelwork.oscillator_networks.newton import Solutions, largest_rate, newton
from wheelwork.oscillator_networks.starts import random_amplitudes, standing_waves
from wheelwork.oscillator_networks.two_site_curve import PairCurve, pair_curve

SAME = 1e-6  # distance of two solutions that are one, against their norm
NEAR, FAR = 24, 40  # steps of Newton's method from starts on the curve, and from others
ROUNDS = 3  # of random starts on top, while they still find new states


@dataclass(frozen=True, eq=False)
class Search:
    """How the steady states of one model are looked for.

    random_starts, seed: of the search that is not exhaustive. rtol: relative error of |α| that a
    solution must meet. known_curve: of the same network, for at least as large rates.
    """

    model: AmplitudeModel
    random_starts: int
    seed: int
    rtol: float
    known_curve: PairCurve | None = None

    @cached_property
    def mirror(self) -> Mirror | None:
        """The symmetry that gives each state a partner."""
        if self.known_curve is not None:
            return self.known_curve.mirror
        return find_mirror(self.model.linear)

    @property
    def exhaustive(self) -> bool:
        """Whether every steady state is found, not only those that the starts lead to."""
        return self.model.active.size == 2 and invertible(self.model.growth)

    @cached_property
    def curve(self) -> PairCurve:
        """What the passive network lets two active sites do."""
        if self.known_curve is not None:
            return self.known_curve
        return pair_curve(self.model, self.model.growth.rates(np.zeros(2)))

    def run(self) -> tuple[Solutions, int]:
        """Return the steady states without α = 0, the one nearest to the band's centre first.

        And how many of them only the last round of the search met: zero if it is exhaustive.
        """
        if self.exhaustive:
            starts = self.curve.starts(self.places)
            return self.kept(newton(self.model, *starts, NEAR)), 0
        found, fresh = self._by_starts()
        return self._in_order(found), fresh

    @property
    def places(self) -> Places:
        """Where an exhaustive search begins; TypeError for another."""
        growth = self.model.growth
        if not invertible(growth):
            raise TypeError(f"{growth!r} cannot be inverted")
        return self.curve.places(growth)

    def kept(self, solved: Solutions) -> Solutions:
        """Those of an exhaustive search that meet `rtol`, once each, with their images."""
        return self._in_order(self._accepted(solved))

    def _in_order(self, found: Solutions) -> Solutions:
        centre = 0.0 if self.mirror is None else self.mirror.centre
        return in_order(self.model, found, centre)

    def _by_starts(self) -> tuple[Solutions, int]:
        model = self.model
        found = self._accepted(newton(model, *standing_waves(model), FAR))
        random = np.random.default_rng(self.seed)
        known = 0
        for _ in range(ROUNDS):
            known = len(found)
            occupied = np.abs(found.amplitudes) ** 2
            scale = float(np.median(occupied)) if known else 1.0
            starts = random_amplitudes(model, self.random_starts, scale, random)
            found = self._together(found, self._accepted(newton(model, *starts, FAR)))
            if len(found) == known:
                break
        return found, len(found) - known

    def _together(self, first: Solutions, second: Solutions) -> Solutions:
        return distinct(joined(first, second), largest_rate(self.model))

    def _accepted(self, solved: Solutions) -> Solutions:
        size = np.linalg.norm(solved.amplitudes, axis=1)
        solved = solved.chosen(solved.error <= self.rtol * size)
        solved = distinct(solved, largest_rate(self.model))
        if self.mirror is None or len(solved) == 0:
            return solved
        image = self.mirror.image(solved.amplitudes, solved.frequency)
        return self._together(solved, Solutions(*image, solved.error))


def run_together(searches: Sequence[Search], growth: GrowthRows) -> list[Solutions]:
    """Run exhaustive searches on one network, with shared steps of Newton's method.

    growth: whose row s belongs to search s.
    """
    if not searches:
        return []
    first = searches[0]
    places = [search.places for search in searches]
    owner = np.repeat(np.arange(len(searches)), [len(each) for each in places])
    rows = ModelRows(first.model.linear, first.model.active, growth).rows(owner)
    solved = newton(rows, *first.curve.starts(Places.joined(places)), NEAR)
    return [search.kept(solved.chosen(owner == s)) for s, search in enumerate(searches)]


def joined(first: Solutions, second: Solutions) -> Solutions:
    """Both, one after the other."""
    return Solutions(
        np.concatenate([first.amplitudes, second.amplitudes]),
        np.concatenate([first.frequency, second.frequency]),
        np.concatenate([first.error, second.error]),
    )


def distinct(found: Solutions, scale: float) -> Solutions:
    """Leave out solutions that differ from an earlier one by no more than a global phase.

    scale: the largest rate, to which frequencies are compared.
    """
    size = np.linalg.norm(found.amplitudes, axis=1)
    overlap = np.abs(found.amplitudes.conj() @ found.amplitudes.T)
    square = size[:, None] ** 2 + size**2 - 2.0 * overlap
    close = square <= (SAME * size[:, None]) ** 2 + 1e-14 * size[:, None] ** 2
    near = np.abs(found.frequency[:, None] - found.frequency) <= SAME * scale
    same = np.tril(close & near, -1)
    return found.chosen(~np.any(same, axis=1))


def in_order(model: AmplitudeModel, found: Solutions, centre: float) -> Solutions:
    """Sorted by distance from the centre, and turned so that the first active site is positive."""
    scale = largest_rate(model)
    rounded = np.round((found.frequency - centre) / scale, 9)
    norm = -np.linalg.norm(found.amplitudes, axis=1)
    found = found.chosen(np.lexsort((norm, -np.sign(rounded), np.abs(rounded))))
    reference = found.amplitudes[:, model.active[0]] if model.active.size else None
    if reference is None or len(found) == 0:
        return found
    largest = np.take_along_axis(
        found.amplitudes, np.argmax(np.abs(found.amplitudes), axis=1)[:, None], axis=1
    )[:, 0]
    reference = np.where(np.abs(reference) > 1e-9 * np.abs(largest), reference, largest)
    phase = reference.conj() / np.abs(reference)
    return Solutions(found.amplitudes * phase[:, None], found.frequency, found.error)
