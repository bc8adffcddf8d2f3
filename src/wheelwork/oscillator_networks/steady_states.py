"""The search for all rotating steady states of amplitude equations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import NotConverged, OutOfTime
from wheelwork.numerics.work import require_budget
from wheelwork.oscillator_networks.crossings import Crossings, find_crossings
from wheelwork.oscillator_networks.modal_solution import solved_by_modes
from wheelwork.oscillator_networks.model import (
    AmplitudeModel,
    ComplexArray,
    GrowthRows,
    Mirror,
    ModelRows,
    find_mirror,
    invertible,
)
from wheelwork.oscillator_networks.newton import Solutions, largest_rate, newton
from wheelwork.oscillator_networks.two_site_curve import TwoSiteCurve, two_site_curve
from wheelwork.parameters import ShortRepr

# Distance of two solutions, against their norm, below which they are one: far above the error of a
# solution (rtol is 1e-9 by default), far below the distance of states near folds.
SAME = 1e-6
NO_STATE = 1e-2  # relative error of what is no solution, as |α| → 0 where gain is marginal
ROUNDED = 1e-14  # of |α|²: what rounding leaves of the squared distance of equal states
BLOCK = 256  # solutions compared at once: there may be ten thousand starts about few states
# Steps of Newton's method from starts on the curve, and from others: fewer than ten are needed once
# it converges quadratically, the rest is for shortened steps from far away.
NEAR, FAR = 24, 40
MOST_WORK = 3e10  # of dense steps from all starts: each start takes ten, in all about a minute
# Ratio of a mode's amplitudes at two active sites below which the part of the curve that belongs to
# it may be narrower than points of it can be told apart: rounding is 1e-16 of the frequencies.
NARROW = 1e-5
WEAKEST = 1e-60  # coupling in natural units: below, products of four of them leave the numbers
ROUNDS = 3  # of random starts, while they still find new states
# ln|α|² at which the net rate of a mode is evaluated, in natural units: from 2e-9 to 2e17, in steps
# of 28 %.
LOGARITHMS = np.linspace(-20.0, 40.0, 241)


@dataclass(frozen=True, eq=False, repr=False)
class Search(ShortRepr, Computed):
    """A search for the steady states of one model.

    random_starts, seed: of the search that is not exhaustive. rtol: relative error of |α| that a
    solution must meet. known_curve: of the same network, for at least as large rates.
    """

    model: AmplitudeModel
    random_starts: int
    seed: int
    rtol: float
    known_curve: TwoSiteCurve | None = None

    @cached_property
    def mirror(self) -> Mirror | None:
        """The symmetry that gives each state a partner."""
        if self.known_curve is not None:
            return self.known_curve.mirror
        return find_mirror(self.model.linear)

    @property
    def by_curve(self) -> bool:
        """Whether the steady states lie on one curve, that of two active sites, which is known."""
        return self.curve is not None

    @property
    def exhaustive(self) -> bool:
        """Whether the search finds every steady state, not only those reached from its starts."""
        return self.by_curve and not self.has_narrow_modes

    @cached_property
    def has_narrow_modes(self) -> bool:
        """Whether a mode ties one active site to the other so little that its curve is too narrow.

        Of a network with a mirror such modes are due to its symmetry, and the curve is not narrow.
        """
        model = self.model
        hops = np.abs(model.linear - np.diag(model.linear.diagonal()))
        if np.any((hops > 0.0) & (hops < WEAKEST)):
            return True
        if self.mirror is not None:
            return False
        modes = np.abs(_modes(model)[1])
        # with the neighbours: of a symmetry only the site itself stands still
        share = (modes + hops @ modes / np.max(hops, initial=WEAKEST))[model.active]
        largest = np.max(share, axis=0)
        if np.any((np.min(share, axis=0) < NARROW * largest) & (largest > NARROW)):
            return True
        return self.curve is not None and self.curve.narrow

    @cached_property
    def curve(self) -> TwoSiteCurve | None:
        """The curve of all steady states that the passive network allows two active sites.

        None for other networks, and where it takes too many points.
        """
        if self.model.active.size != 2 or not invertible(self.model.growth):
            return None
        if self.known_curve is not None:
            return self.known_curve
        try:
            return two_site_curve(self.model, self.model.growth.rates(np.zeros(2)))
        except OutOfTime:
            raise
        except NotConverged:
            return None

    def run(self) -> tuple[Solutions, int]:
        """Return the steady states without α = 0, the one nearest to the band's centre first.

        Also the number of those first reached in the last round of random starts: zero if
        exhaustive.
        """
        if self.curve is not None:
            starts = self.crossings.starts(self.curve)
            solutions = self._accepted(newton(self.model, *starts, NEAR))
            if self.has_narrow_modes:
                for waves in (standing_waves(self.model), local_waves(self.model)):
                    others = self._accepted(newton(self.model, *waves, FAR))
                    solutions = self._together(solutions, others)
            return self._in_order(solutions), 0
        solutions, last_new = self._by_starts()
        return self._in_order(solutions), last_new

    @property
    def crossings(self) -> Crossings:
        """Starts of an exhaustive search; raises TypeError for another."""
        growth = self.model.growth
        if self.curve is None or not invertible(growth):
            raise TypeError(f"{self.model!r} has no curve of steady states")
        return find_crossings(self.curve, growth)

    def finished(self, solved: Solutions) -> Solutions:
        """Solutions without duplicates, with their mirror images, and with those beyond `rtol`."""
        return self._in_order(self._with_images(self._distinct(solved)))

    def _in_order(self, solutions: Solutions) -> Solutions:
        centre = 0.0 if self.mirror is None else self.mirror.centre
        return in_order(self.model, solutions, centre)

    def _by_starts(self) -> tuple[Solutions, int]:
        model = self.model
        waves = standing_waves(model)
        self._require_budget(waves[1].size + ROUNDS * self.random_starts)
        solutions = self._accepted(newton(model, *waves, FAR))
        random = np.random.default_rng(self.seed)
        known = 0
        for _ in range(ROUNDS):
            known = len(solutions)
            occupied = np.abs(solutions.amplitudes) ** 2
            scale = float(np.median(occupied)) if known else 1.0
            starts = random_amplitudes(model, self.random_starts, scale, random)
            try:
                others = newton(model, *starts, FAR)
            except NotConverged as reason:  # out of time
                reason.partial = self._in_order(solutions)
                raise
            solutions = self._together(solutions, self._accepted(others))
            if len(solutions) == known:
                break
        return solutions, len(solutions) - known

    def _require_budget(self, starts: int) -> None:
        if not solved_by_modes(self.model):
            require_budget(
                "the search for steady states", starts * (2.0 * self.model.sites) ** 3, MOST_WORK,
                "multiplications per step", "leave out elements, or ask for fewer random_starts",
            )  # fmt: skip

    def _together(self, first: Solutions, second: Solutions) -> Solutions:
        return distinct(joined(first, second), largest_rate(self.model))

    def _accepted(self, solved: Solutions) -> Solutions:
        """Solutions without duplicates, with their mirror images; NotConverged beyond `rtol`."""
        reached = self._with_images(self._distinct(solved))
        worst = np.max(reached.error / np.linalg.norm(reached.amplitudes, axis=1), initial=0.0)
        if worst > self.rtol:
            raise NotConverged(
                f"a steady state was solved to a relative error of {worst:.1g} only, as rounding "
                f"allows, where rtol = {self.rtol:g}: ask for less, or increase the damping",
                self._in_order(reached),
            )
        return reached

    def _distinct(self, solved: Solutions) -> Solutions:
        size = np.linalg.norm(solved.amplitudes, axis=1)
        return distinct(solved.chosen(solved.error < NO_STATE * size), largest_rate(self.model))

    def _with_images(self, reached: Solutions) -> Solutions:
        if self.mirror is None or len(reached) == 0:
            return reached
        image = self.mirror.image(reached.amplitudes, reached.frequency)
        return self._together(reached, Solutions(*image, reached.error))


def run_together(searches: Sequence[Search], growth: GrowthRows) -> list[Solutions]:
    """Run exhaustive searches on one network, with shared steps of Newton's method.

    growth: whose row s belongs to search s.
    """
    if not searches:
        return []
    first = searches[0]
    crossings = [search.crossings for search in searches]
    owner = np.repeat(np.arange(len(searches)), [len(each) for each in crossings])
    rows = ModelRows(first.model.linear, first.model.active, growth).rows(owner)
    assert first.curve is not None  # of exhaustive searches
    solved = newton(rows, *Crossings.joined(crossings).starts(first.curve), NEAR)
    parts = (solved.chosen(owner == s) for s in range(len(searches)))
    return [search.finished(part) for search, part in zip(searches, parts, strict=True)]


def joined(first: Solutions, second: Solutions) -> Solutions:
    """Both, one after the other."""
    return Solutions(
        np.concatenate([first.amplitudes, second.amplitudes]),
        np.concatenate([first.frequency, second.frequency]),
        np.concatenate([first.error, second.error]),
    )


def distinct(solutions: Solutions, scale: float) -> Solutions:
    """Leave out solutions that differ from an earlier one by no more than a global phase.

    scale: the largest rate, to which frequencies are compared.
    """
    kept = np.empty(0, dtype=np.intp)
    for first in range(0, len(solutions), BLOCK):
        some = np.append(kept, np.arange(first, min(first + BLOCK, len(solutions))))
        kept = some[~_repeated(solutions.chosen(some), scale)]
    return solutions.chosen(kept)


def _repeated(solutions: Solutions, scale: float) -> np.ndarray:
    """Whether each solution, (B,), is one of those before it."""
    size = np.linalg.norm(solutions.amplitudes, axis=1)
    overlap = np.abs(solutions.amplitudes.conj() @ solutions.amplitudes.T)
    square = size[:, None] ** 2 + size**2 - 2.0 * overlap
    close = square <= (SAME * size[:, None]) ** 2 + ROUNDED * size[:, None] ** 2
    near = np.abs(solutions.frequency[:, None] - solutions.frequency) <= SAME * scale
    same: np.ndarray = np.any(np.tril(close & near, -1), axis=1)
    return same


def in_order(model: AmplitudeModel, solutions: Solutions, centre: float) -> Solutions:
    """Sorted by distance from the centre, and turned so that the first active site is positive."""
    scale = largest_rate(model) or 1.0
    rounded = np.round((solutions.frequency - centre) / scale, 9)
    norm = -np.linalg.norm(solutions.amplitudes, axis=1)
    solutions = solutions.chosen(np.lexsort((norm, -np.sign(rounded), np.abs(rounded))))
    reference = solutions.amplitudes[:, model.active[0]] if model.active.size else None
    if reference is None or len(solutions) == 0:
        return solutions
    largest = np.take_along_axis(
        solutions.amplitudes, np.argmax(np.abs(solutions.amplitudes), axis=1)[:, None], axis=1
    )[:, 0]
    reference = np.where(np.abs(reference) > 1e-9 * np.abs(largest), reference, largest)
    phase = reference.conj() / np.abs(reference)
    return Solutions(solutions.amplitudes * phase[:, None], solutions.frequency, solutions.error)


def standing_waves(model: AmplitudeModel) -> tuple[ComplexArray, FloatArray]:
    """Return the modes of the undamped network, (B, N), and their frequencies, (B,).

    Each is scaled to every |α|² at which gain and loss balance: these are the steady states in the
    limit of small rates. Of degenerate modes only one basis is tried.
    """
    return _balanced(model, *_modes(model))


def local_waves(model: AmplitudeModel) -> tuple[ComplexArray, FloatArray]:
    """Return waves that avoid an active site, (B, N): of the network without it, and of one site.

    They are the steady states in the limit of a small coupling between the active sites.
    """
    coherent = 0.5j * (model.linear - model.linear.conj().T)
    frequencies = [coherent.diagonal().real[model.active]]
    waves = [np.eye(model.sites, dtype=np.complex128)[:, model.active]]
    for held in model.active.tolist():
        others = np.delete(np.arange(model.sites), held)
        frequency, modes = np.linalg.eigh(coherent[np.ix_(others, others)])
        frequencies.append(frequency)
        waves.append(np.insert(modes, held, 0.0, axis=0))
    return _balanced(model, np.concatenate(frequencies), np.concatenate(waves, axis=1))


def _balanced(
    model: AmplitudeModel, frequency: FloatArray, modes: ComplexArray
) -> tuple[ComplexArray, FloatArray]:
    """Modes, columns of (N, M), at every |α|² at which each gains what it loses."""
    damping = np.real(np.einsum("nm,nk,km->m", modes.conj(), model.linear, modes))
    amplitudes, frequencies = [], []
    for m in range(frequency.size):
        share = np.abs(modes[:, m]) ** 2
        occupations = np.exp(LOGARITHMS)[:, None] * share[model.active]
        net = damping[m] + 0.5 * model.growth.rates(occupations) @ share[model.active]
        for i in np.flatnonzero(net[:-1] * net[1:] < 0.0):
            log = LOGARITHMS[i] + (LOGARITHMS[1] - LOGARITHMS[0]) * net[i] / (net[i] - net[i + 1])
            amplitudes.append(np.exp(0.5 * log) * modes[:, m])
            frequencies.append(frequency[m])
    waves = np.array(amplitudes, dtype=np.complex128).reshape(-1, model.sites)
    return waves, np.array(frequencies, dtype=np.float64)


def _modes(model: AmplitudeModel) -> tuple[FloatArray, ComplexArray]:
    """Frequencies and modes of the undamped network."""
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    frequency, modes = np.linalg.eigh(1j * coherent)
    return frequency, modes


def random_amplitudes(
    model: AmplitudeModel, number: int, scale: float, random: np.random.Generator
) -> tuple[ComplexArray, FloatArray]:
    """Return `number` complex normal amplitudes, with |α_j|² about `scale` within a factor e^±3.

    The frequencies are spread over those of the network.
    """
    shape = number, model.sites
    normal = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    size = np.sqrt(0.5 * scale * np.exp(random.uniform(-3.0, 3.0, number)))
    band = _modes(model)[0]
    return normal * size[:, None], random.uniform(band[0], band[-1], number)
