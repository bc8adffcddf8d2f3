"""Comparisons of steady states: boundaries of regimes, and rectification."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NotConverged, shown
from wheelwork.machines.rotor.parameters import AnyRotor
from wheelwork.machines.rotor.state import RotorState
from wheelwork.results import html_table, with_error

SCAN_POINTS = 33  # steps of 0.03 over the default ranges: regimes of the paper are wider
ROOT_XTOL, ROOT_RTOL = 1e-11, 1e-12  # of a root in β_2/β_1, against the lower end of the range and
# against the root; errors of the flows allow no more
PEAK_XTOL = 1e-8  # of a maximum, which values of relative precision 1e-16 do not fix better
LARGEST_CHI = 1.0 - 1e-6  # at ±1 a bath is cut off, and ratios of flows lose their meaning
Quantity = Literal["heat", "angular_momentum"]
QUANTITIES: Sequence[Quantity] = ("heat", "angular_momentum")

# ---------------------------------------------------------------------- boundaries of regimes


@dataclass(frozen=True)
class RegimeBoundaries:
    """Values of β_2/β_1; NaN if not in the range.

    work_vanishes: Ẇ changes sign (end of the engine). heat_reverses: Q̇_1 changes sign (begin of the
    refrigerator); in the local description Q̇_2 does so there too. qubit_ergotropy_vanishes:
    p_01 = p_10. efficiency_peaks: local maximum of the engine's efficiency inside its range.

    For Leitch et al., Fig. 2: 0.434235, 0.503882, 0.39995 and 0.30884. The second is 0.54 in their
    text, a likely misprint of 0.504.
    """

    work_vanishes: float
    heat_reverses: float
    qubit_ergotropy_vanishes: float
    efficiency_peaks: float

    def _repr_html_(self) -> str:
        rows = [(name, f"{value:.8g}") for name, value in vars(self).items()]
        return html_table("RegimeBoundaries", rows)


def regime_boundaries(
    parameters: AnyRotor, steady_state: Callable[[AnyRotor], RotorState], low: float, high: float
) -> RegimeBoundaries:
    """Return the first of each kind in low ≤ β_2/β_1 ≤ high: a scan of 33 values, then Brent."""
    low, high = _checks.positive("low", low), _checks.positive("high", high)
    if low >= high:
        raise InvalidArgument(f"`high` must be larger than `low` = {low:g}, but is {high:g}")
    scan = np.linspace(low, high, SCAN_POINTS)

    def state_at(ratio: float) -> RotorState:
        return steady_state(parameters.replace(beta_ratio=ratio))

    states = [state_at(float(ratio)) for ratio in scan]

    def crossing(value: Callable[[RotorState], float], *names: str) -> float:
        values = np.array([value(state) for state in states])
        errors = np.array([sum(state.error(name) for name in names) for state in states])
        return _first_root(lambda ratio: value(state_at(ratio)), scan, values, errors)

    efficiencies = np.array([state.efficiency for state in states])
    return RegimeBoundaries(
        work_vanishes=crossing(
            lambda state: state.operation.work, "work_qubits", "heat_load", "work_load"
        ),
        heat_reverses=crossing(lambda state: state.heat_cold, "heat_cold"),
        qubit_ergotropy_vanishes=crossing(lambda state: state.qubit_inversion, "qubit_inversion"),
        efficiency_peaks=_first_peak(lambda ratio: state_at(ratio).efficiency, scan, efficiencies),
    )


def _first_root(
    f: Callable[[float], float], scan: FloatArray, values: FloatArray, errors: FloatArray
) -> float:
    """The first change of sign between values that exceed their errors, NaN without one."""
    known = np.flatnonzero(np.abs(values) > errors)
    changes = np.flatnonzero(np.diff(np.sign(values[known])))
    if changes.size == 0:
        return math.nan
    low, high = known[changes[0]], known[changes[0] + 1]
    return float(
        brentq(
            f, float(scan[low]), float(scan[high]), xtol=ROOT_XTOL * float(scan[0]), rtol=ROOT_RTOL
        )
    )


def _first_peak(f: Callable[[float], float], scan: FloatArray, values: FloatArray) -> float:
    """The first maximum between two points of the scan, NaN without one."""
    inner = (values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])
    peaks = np.flatnonzero(inner) + 1
    return _maximum_near(f, scan, int(peaks[0]))[0] if peaks.size else math.nan


def _maximum_near(f: Callable[[float], float], scan: FloatArray, i: int) -> tuple[float, float]:
    """The argument and the value of the largest f between the neighbours of scan[i]."""
    low, high = scan[max(i - 1, 0)], scan[min(i + 1, scan.size - 1)]
    peak = minimize_scalar(
        lambda x: -f(float(x)),
        bounds=(float(low), float(high)),
        method="bounded",
        options={"xatol": PEAK_XTOL},
    )
    return float(peak.x), -float(peak.fun)


# ---------------------------------------------------------------------- rectification


@dataclass(frozen=True)
class Rectification:
    """Flows of a machine with the temperatures of its qubits' baths as given, and exchanged.

    heat: Q̇ = Q̇_2. heat_swapped: Q̇_1 with the temperatures swapped (Leitch et al., Eq. (38)).
    momentum, momentum_swapped: ⟨L_z⟩ of both. unit: λg², which makes heat dimensionless.
    heat_error, momentum_error: estimated, of either sum or difference.

    R is no fraction: where the two flows have opposite signs it exceeds one, and it diverges where
    they cancel.
    """

    heat: float
    heat_swapped: float
    momentum: float
    momentum_swapped: float
    unit: float
    heat_error: float
    momentum_error: float

    def ratio(self, quantity: Quantity = "heat") -> float:
        """R = |(a − b)/(a + b)| (Leitch et al., Eqs. (39), (42)).

        Infinite where a + b is zero within its error, NaN where a and b are.
        """
        a, b = self.both(quantity)
        error = self.heat_error if quantity == "heat" else self.momentum_error
        if max(abs(a), abs(b)) <= error:
            return math.nan
        return abs((a - b) / (a + b)) if abs(a + b) > error else math.inf

    def size(self, quantity: Quantity = "heat") -> float:
        """J, the larger magnitude (Leitch et al., Eqs. (40), (43)), of heat in units of λg²."""
        largest = max(abs(value) for value in self.both(quantity))
        return largest / self.unit if quantity == "heat" else largest

    def performance(self, alpha: float, quantity: Quantity = "heat") -> float:
        """Γ_α = α R + (1 − α) J (Leitch et al., Eqs. (41), (44)), 0 ≤ α ≤ 1."""
        weight = _checks.within("alpha", alpha, 0.0, 1.0)
        size = (1.0 - weight) * self.size(quantity) if weight < 1.0 else 0.0
        return size + (weight * self.ratio(quantity) if weight > 0.0 else 0.0)

    def _repr_html_(self) -> str:
        errors = {"heat": self.heat_error, "angular_momentum": self.momentum_error}
        rows: list[Sequence[str]] = [("", "forward", "swapped", "R", "J")]
        for quantity in QUANTITIES:
            flows = (with_error(value, errors[quantity]) for value in self.both(quantity))
            numbers = (f"{self.ratio(quantity):.6g}", f"{self.size(quantity):.6g}")
            rows.append((quantity, *flows, *numbers))
        return html_table("Rectification", rows)

    def both(self, quantity: Quantity = "heat") -> tuple[float, float]:
        """The flow before and after the exchange."""
        if quantity not in QUANTITIES:
            raise InvalidArgument(
                f"`quantity` must be one of {', '.join(QUANTITIES)}, but is {shown(quantity)}"
            )
        if quantity == "heat":
            return self.heat, self.heat_swapped
        return self.momentum, self.momentum_swapped


@dataclass(frozen=True)
class Optimum:
    """The asymmetry χ with the largest Γ_α, and the rectification there."""

    bath_asymmetry: float
    performance: float
    rectification: Rectification

    def _repr_html_(self) -> str:
        names = ("bath_asymmetry", "performance")
        table = html_table("Optimum", [(name, f"{getattr(self, name):.6g}") for name in names])
        return table + self.rectification._repr_html_()


def rectification(
    parameters: AnyRotor, steady_state: Callable[[AnyRotor], RotorState]
) -> Rectification:
    """Return the rectification of a machine."""
    if parameters.coupling == 0.0:
        raise InvalidArgument(
            "`coupling` must not be zero for a rectification: nothing flows, but is 0.0"
        )
    forward, backward = steady_state(parameters), steady_state(parameters.swapped())
    return Rectification(
        heat=forward.heat_hot,
        heat_swapped=backward.heat_cold,
        momentum=forward.angular_momentum,
        momentum_swapped=backward.angular_momentum,
        unit=abs(parameters.coupling) * parameters.bath_coupling**2,
        heat_error=forward.flow_errors["heat_hot"] + backward.flow_errors["heat_cold"],
        momentum_error=sum(state.flow_errors["angular_momentum"] for state in (forward, backward)),
    )


def best_rectification(
    parameters: AnyRotor,
    steady_state: Callable[[AnyRotor], RotorState],
    alpha: float,
    quantity: Quantity,
    bounds: tuple[float, float],
) -> Optimum:
    """Return the χ within `bounds` of the largest Γ_α: a scan of 33 values, then Brent's method."""
    weight = _checks.within("alpha", alpha, 0.0, 1.0)
    low, high = (min(max(_checks.real("bounds", end), -LARGEST_CHI), LARGEST_CHI) for end in bounds)
    if low >= high:
        raise InvalidArgument(f"`bounds` must be ascending, but is {shown(bounds)}")

    def rectification_at(chi: float) -> Rectification:
        return rectification(parameters.replace(bath_asymmetry=chi), steady_state)

    scan = np.linspace(low, high, SCAN_POINTS)
    points = [rectification_at(float(chi)) for chi in scan]
    ratios = np.array([point.ratio(quantity) for point in points])
    if np.all(np.isnan(ratios)):
        raise NotConverged("both flows vanish within their errors throughout the bounds")
    sums = np.array([sum(point.both(quantity)) for point in points])
    sums[np.isnan(ratios)] = np.nan  # where nothing flows beyond the errors, no sign is known
    poles = np.flatnonzero(sums[:-1] * sums[1:] <= 0.0)
    if weight > 0.0 and poles.size:
        raise NotConverged(
            f"Γ has no largest value: R diverges between χ = {scan[poles[0]]:.4g} and "
            f"{scan[poles[0] + 1]:.4g}, where the two flows cancel; narrow `bounds`"
        )
    values = [point.performance(weight, quantity) for point in points]
    best = int(np.nanargmax(values))
    chi, largest = _maximum_near(
        lambda chi: rectification_at(chi).performance(weight, quantity), scan, best
    )
    chi = chi if largest >= values[best] else float(scan[best])
    optimum = rectification_at(chi)
    return Optimum(chi, optimum.performance(weight, quantity), optimum)
