"""Two-time correlations, spectra and switching rates of the stationary state."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import escape

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NotConverged, UnphysicalState, shown
from wheelwork.numerics.work import tick
from wheelwork.phase_space.phase_space_model import PhaseSpaceModel, table_tolerance
from wheelwork.phase_space.response import on_circles, on_plane
from wheelwork.phase_space.response.dataset import dataset
from wheelwork.phase_space.response.decay import ComplexArray, Decay, Line, find_line
from wheelwork.phase_space.response.relaxation import CORRELATIONS, SCALES, Relaxation, differences
from wheelwork.phase_space.stationary import plane
from wheelwork.phase_space.stationary.adaptive_solver import plane_instead
from wheelwork.phase_space.stationary.orbits import Orbits, SeveralWells, find_orbits, table_error
from wheelwork.results import AuditEntry, html_table, with_error

LEAST_SHARE = 0.9  # of the variance of W_1/W that the basins must explain
NEGLIGIBLE = 1e-9  # of the largest probability; below it W_1/W is rounding
# Radial functions of each harmonic, and harmonics. The harmonics rise by two at least: in a device
# that is even in x a single one would change nothing.
LEVELS = ((8, 4), (12, 6), (17, 8), (24, 10), (32, 12), (42, 16), (54, 22))
PLANE_LEVELS = (72, 108, 160)  # points per axis; a complex LU on the last takes seconds
BEST_GAIN = 30.0  # of the last level over the one before; with a larger excess it is not tried
STRONG = 0.2  # friction over the frequency, from which on the plane is tried where orbits fail
LARGEST_DENSE = 450  # unknowns, up to which all modes are computed at once
KRYLOV_SHARE = 0.1  # of rtol, for the error of the Krylov space
COARSEST_TABLES = 1e-2  # rtol of tables; the estimated error of coarser ones is too small


@dataclass(frozen=True)
class Switching:
    """Two states that exchange rarely, in the order of their mean |α|².

    weights: stationary probabilities. rates: k out of each, so that their sum is |λ1| and
    weights · rates balance. X, intensity: mean X and |α|² in each. mixing: variance of W_1/W
    within the basins over its whole variance, which is the relative error of the rates from the
    assumption of two states.
    """

    weights: tuple[float, float]
    rates: tuple[float, float]
    X: tuple[float, float]
    intensity: tuple[float, float]
    mixing: float


def find_switching(relaxation: Relaxation) -> Switching | None:
    """Split phase space by the sign of the slowest real mode W_1.

    With two states W_1/W is nearly constant on both sides. None where it is not.
    """
    slowest = relaxation.slowest_rate
    if math.isnan(slowest):
        return None
    present = relaxation.probability > NEGLIGIBLE * np.max(relaxation.probability)
    function = np.where(present, relaxation.slowest_mode(), 0.0)
    sides = function > 0.0, function <= 0.0
    weights = [float(np.sum(relaxation.probability[side])) for side in sides]
    if min(weights) <= 0.0:
        return None
    means = [_mean(relaxation, function, side) for side in sides]
    variance = float(relaxation.probability @ function**2)
    mixing = 1.0 - (weights[0] * means[0] ** 2 + weights[1] * means[1] ** 2) / variance
    if mixing > 1.0 - LEAST_SHARE:
        return None
    intensity = [_mean(relaxation, relaxation.positions[:, 2], side) for side in sides]
    X = [_mean(relaxation, relaxation.positions[:, 0], side) for side in sides]
    key = intensity if abs(intensity[0] - intensity[1]) > 1e-6 * sum(intensity) else X
    first, second = (0, 1) if key[0] < key[1] else (1, 0)
    rates = slowest * weights[second], slowest * weights[first]
    of_both = (X[first], X[second]), (intensity[first], intensity[second])
    return Switching((weights[first], weights[second]), rates, *of_both, mixing)


def _mean(relaxation: Relaxation, values: FloatArray, side: npt.NDArray[np.bool_]) -> float:
    weight = relaxation.probability[side]
    return float(np.sum(weight * values[side]) / np.sum(weight))


@dataclass(frozen=True, repr=False, eq=False)
class Response(Computed):
    """Correlations of the stationary state by the regression theorem, ⟨B(τ)A(0)⟩ = ∫ B e^{Lτ}(ÃW).

    Made by `response`. Delays τ ≥ 0 and angular frequencies ω are arrays of any shape; results
    have theirs. a = x/x0 + i p/p0 turns as e^{−iω0 t}.

    relaxation: the generator projected on a small space. relative_errors: estimated, of the
    correlations over their fluctuations at τ = 0 (the normally ordered ones: over those in
    symmetric order), at any delay; of the line's frequency over its width; of its width, coherence
    time and the slowest rate over themselves. details: sizes of the basis or mesh that was used.
    rtol: that was asked for.
    """

    model: PhaseSpaceModel
    relaxation: Relaxation
    relative_errors: Mapping[str, float]
    details: Mapping[str, float]
    rtol: float

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """Each of the relative errors against `rtol`, which bounds them."""
        return {name: AuditEntry(value, self.rtol) for name, value in self.relative_errors.items()}

    @property
    def passed(self) -> bool:
        """Whether all relative errors are within `rtol`."""
        return self.error <= self.rtol

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={text}" for name, text, _ in self._summary())
        return f"Response({shown})"

    def _repr_html_(self) -> str:
        worst = f"relative errors up to {self.error:.1e}; {escape(repr(self.model))}"
        return f"{html_table('Response', self._summary())}<p>{worst}</p>"

    def _summary(self) -> list[tuple[str, str, str]]:
        """Name, value with error and meaning of what a short printout shows."""
        rows = [("phonon_number", f"{self.phonon_number:.6g}", "mean number of quanta")]
        try:
            line, errors = self.line, self.errors
        except (NotConverged, UnphysicalState):
            return [*rows, ("line", "none", "of the emission spectrum")]
        values = (
            ("line_frequency", line.frequency, "of the maximum of the emission spectrum"),
            ("line_width", line.width, "full width at half maximum"),
            ("coherence_time", line.coherence_time, "of the emitted light"),
            ("slowest_rate", self.relaxation.slowest_rate, "of relaxation without oscillation"),
        )
        return rows + [(name, with_error(x, errors[name]), meaning) for name, x, meaning in values]

    def position(self, delays: npt.ArrayLike) -> FloatArray:
        """Re⟨x(t+τ)x(t)⟩ = E[x(τ)x(0)], which tends to ⟨x⟩² (Culhane et al., Eqs. (A28)–(A31))."""
        return self.model.length**2 * self._at("position", delays).real

    def momentum(self, delays: npt.ArrayLike) -> FloatArray:
        """Re⟨p(t+τ)p(t)⟩ = E[p(τ)p(0)]."""
        return self.model.momentum**2 * self._at("momentum", delays).real

    def amplitude(self, delays: npt.ArrayLike) -> ComplexArray:
        """½⟨{a†(t+τ), a(t)}⟩ = E[α*(τ)α(0)], what trajectories see: ⟨a†a⟩ + ½ at τ = 0."""
        return self._at("amplitude", delays)

    def emission(self, delays: npt.ArrayLike) -> ComplexArray:
        """⟨a†(t+τ)a(t)⟩, with phase e^{+iω0τ}: ⟨a†a⟩ at τ = 0, |⟨a⟩|² in the end.

        With aρ ↔ (α + ½∂_{α*})W, ∂_{α*} = ½(∂_X + i∂_P).
        """
        return self._at("emission", delays)

    def g1(self, delays: npt.ArrayLike) -> ComplexArray:
        """⟨a†(t+τ)a(t)⟩/⟨a†a⟩. Raises UnphysicalState unless there are quanta."""
        return self.emission(delays) / self._quanta

    def intensity(self, delays: npt.ArrayLike) -> FloatArray:
        """E[|α(τ)|²|α(0)|²], what trajectories see."""
        return self._at("intensity", delays).real

    def g2(self, delays: npt.ArrayLike) -> FloatArray:
        """⟨a†(t)a†(t+τ)a(t+τ)a(t)⟩/⟨a†a⟩²: the stationary g² at τ = 0, 1 in the end.

        With aρa† ↔ (α + ½∂_{α*})(α* + ½∂_α)W. Raises UnphysicalState unless there are quanta.
        """
        tau = _delays(delays)
        return 1.0 + self._decay("pair").fluctuation(tau).real / self._quanta**2

    def _at(self, name: str, delays: npt.ArrayLike) -> ComplexArray:
        decay = self._decay(name)
        return decay.constant + decay.fluctuation(_delays(delays))

    def _decay(self, name: str) -> Decay:
        return self.relaxation.correlation(name)

    def _spectrum(self, name: str, frequencies: npt.ArrayLike) -> FloatArray:
        return self._decay(name).spectrum(_checks.finite_array("frequencies", frequencies))

    def position_spectrum(self, frequencies: npt.ArrayLike) -> FloatArray:
        """∫ dτ e^{iωτ} (E[x(τ)x(0)] − ⟨x⟩²): even in ω; its ∫dω/2π is the variance of x."""
        return self.model.length**2 * self._spectrum("position", frequencies)

    def momentum_spectrum(self, frequencies: npt.ArrayLike) -> FloatArray:
        """The same spectrum of the momentum p."""
        return self.model.momentum**2 * self._spectrum("momentum", frequencies)

    def emission_spectrum(self, frequencies: npt.ArrayLike) -> FloatArray:
        """∫ dτ e^{−iωτ} (⟨a†(t+τ)a(t)⟩ − |⟨a⟩|²), with its line near +ω0.

        ∫dω/2π gives ⟨a†a⟩ − |⟨a⟩|². Far from the line, where it is smaller than the line by
        about (γ/ω0)², it may be negative: the Fokker–Planck equation is not valid there.
        """
        return self._spectrum("emission", frequencies)

    def amplitude_spectrum(self, frequencies: npt.ArrayLike) -> FloatArray:
        """∫ dτ e^{−iωτ} (E[α*(τ)α(0)] − |⟨a⟩|²): never negative."""
        return self._spectrum("amplitude", frequencies)

    @property
    def phonon_number(self) -> float:
        """⟨a†a⟩ of the state that correlations start from."""
        return float(self.relaxation.means[2] - 0.5)

    @property
    def _quanta(self) -> float:
        """`phonon_number` where it is positive; else raises UnphysicalState."""
        if self.phonon_number <= 0.0:
            raise UnphysicalState(
                f"the Wigner function is that of no quantum state: <a†a> is "
                f"{self.phonon_number:.3g}; the description needs temperatures above the frequency"
            )
        return self.phonon_number

    @cached_property
    def line(self) -> Line:
        """The highest maximum of `emission_spectrum`, with its full width at half maximum.

        Raises NotConverged when that spectrum is nowhere positive, UnphysicalState unless there
        are quanta: then what is positive in it is no line of the oscillator.
        """
        _ = self._quanta
        return find_line(self._decay("emission"))

    def eigenvalues(self, count: int) -> ComplexArray:
        """The slowest eigenvalues λ of the generator beside 0, in pairs where complex.

        (count,), or fewer if no more contribute to the correlations. Those near ±iω0 form the line;
        if the amplitude hardly fluctuates its width is 2|Re λ|, due to phase diffusion.
        """
        return self.relaxation.eigenvalues[: _checks.integer("count", count, 1)]

    def rates(self, count: int) -> FloatArray:
        """The slowest relaxation rates, −λ of real eigenvalues, (count,) or fewer."""
        values = self.relaxation.eigenvalues
        real = -values[values.imag == 0.0].real
        return np.asarray(real[: _checks.integer("count", count, 1)])

    @cached_property
    def switching(self) -> Switching | None:
        """Rates between two coexisting states, None where there are not two."""
        return find_switching(self.relaxation)

    def to_xarray(self, delays: npt.ArrayLike = (), frequencies: npt.ArrayLike = ()) -> xr.Dataset:
        """Correlations over `delay`, spectra over `frequency`, the line, errors and audit.

        Complex ones as NAME_real and NAME_imag; NaN where undefined. Raises InvalidArgument for
        delays below zero, and for axes that are not (n,).
        """
        return dataset(self, _delays(delays), frequencies)

    @property
    def error(self) -> float:
        """The largest of `relative_errors`."""
        return max(self.relative_errors.values())

    @cached_property
    def errors(self) -> Mapping[str, float]:
        """Estimated absolute errors of everything that `relative_errors` names, and of g2."""
        relative = self.relative_errors
        line = find_line(self._decay("amplitude"))
        scales = {
            name: abs(self._decay(SCALES.get(name, name)).initial) for name in CORRELATIONS
        } | {
            "line_frequency": line.width,
            "line_width": line.width,
            "coherence_time": line.coherence_time,
            "slowest_rate": self.relaxation.slowest_rate,
        }
        errors = {name: relative[name] * scale for name, scale in scales.items()}
        errors["position"] *= self.model.length**2
        errors["momentum"] *= self.model.momentum**2
        errors["g2"] = errors["pair"] / self.phonon_number**2
        return errors


def response(model: PhaseSpaceModel, rtol: float = 1e-6) -> Response:
    """Return correlations, spectra and slow rates of the stationary state of `model`.

    rtol: bound on `Response.relative_errors`; between 1e-12 and 0.1. One-well potentials are
    treated on their own orbits (in a second or less where W is smooth on the scale of an orbit);
    several wells, and friction beyond a fifth of ω0 where orbits fail, on a mesh of the (x, p)
    plane (some ten seconds), where errors are seldom below 1e-5. Rings at such friction may be
    beyond both.

    Raises NotConverged when `rtol` is not reached, with the best as its `partial`, NoSteadyState as
    `FokkerPlanck`. Exact for the equation; the regression theorem holds to the same order in ω0/T,
    λ/T as the equation itself.
    """
    if not isinstance(model, PhaseSpaceModel):
        raise InvalidArgument(f"`model` must be a PhaseSpaceModel, but is {shown(model)}")
    rtol = _checks.tolerance("rtol", rtol)
    try:
        orbits = find_orbits(model, table_tolerance(min(rtol, COARSEST_TABLES)))
    except SeveralWells:
        return _on_plane(model, rtol)
    try:
        return _on_circles(orbits, rtol)
    except NotConverged as reason:
        if orbits.potential.rates.magnitude[1] < STRONG * model.frequency:
            raise
        return plane_instead(_on_plane, model, rtol, reason)


def _on_circles(orbits: Orbits, rtol: float) -> Response:
    tables = table_error(orbits)
    coarse = on_circles.relaxation(orbits, *LEVELS[0])
    reached: Response | None = None
    with keeping(lambda: reached):
        for i, level in enumerate(LEVELS[1:], start=2):
            tick("correlations on orbits", i - 1, len(LEVELS) - 1)
            fine = on_circles.relaxation(orbits, *level)
            left: Mapping[str, float] = {}
            if len(fine.generator) > LARGEST_DENSE:
                fine, left = on_circles.compressed(fine, coarse.turning_rate, KRYLOV_SHARE * rtol)
            # Radial and angular errors fall at different speeds: no extrapolation is safe.
            changes = differences(coarse, fine)
            errors = {name: one + left.get(name, 0.0) + tables for name, one in changes.items()}
            worst = max(errors.values())
            details = {"radial_functions": level[0], "harmonics": level[1]}
            reached = Response(orbits.model, fine, errors, details, rtol)
            if worst <= rtol:
                return reached
            if i == len(LEVELS) - 1 and worst > rtol * BEST_GAIN:
                break
            coarse = fine
        raise NotConverged(
            f"correlations did not reach rtol = {rtol:g} with up to {level[0]} radial functions "
            f"and {level[1]} harmonics; the estimated error is {worst:.1e}, of which {tables:.1e} "
            "come from the tables of the coefficients"
        )


def _on_plane(model: PhaseSpaceModel, rtol: float) -> Response:
    box = plane.find_box(model, table_tolerance(min(rtol, COARSEST_TABLES)))
    share = KRYLOV_SHARE * rtol
    coarse, _ = on_plane.MeshProblem(box, PLANE_LEVELS[0]).compressed(share)
    reached: Response | None = None
    with keeping(lambda: reached):
        for points in PLANE_LEVELS[1:]:
            tick("correlations on a mesh of the plane", points, PLANE_LEVELS[-1])
            fine, left = on_plane.MeshProblem(box, points).compressed(share)
            changes = differences(coarse, fine)
            errors = {name: one + left[name] + box.table_error for name, one in changes.items()}
            worst = max(errors.values())
            details = {"mesh_points": points**2, "krylov_dimension": len(fine.generator)}
            reached = Response(model, fine, errors, details, rtol)
            if worst <= rtol:
                return reached
            coarse = fine
        raise NotConverged(
            f"correlations did not reach rtol = {rtol:g} on meshes of the plane up to {points} x "
            f"{points} with {len(fine.generator)} Krylov vectors; the estimated error is "
            f"{worst:.1e}, of {max(errors, key=errors.__getitem__)}"
        )


@contextmanager
def keeping(reached: Callable[[], Response | None]) -> Iterator[None]:
    """Give a NotConverged of the block the best response reached as its partial result."""
    try:
        yield
    except NotConverged as reason:
        reason.partial = reached()
        raise


def _delays(delays: npt.ArrayLike) -> FloatArray:
    tau = _checks.finite_array("delays", delays)
    if np.any(tau < 0.0):
        raise InvalidArgument(f"`delays` must not be negative, but holds {float(np.min(tau))!r}")
    return tau
