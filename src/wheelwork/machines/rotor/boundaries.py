"""Where a rotor engine changes its operation: roots in β_2/β_1."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.rotor.parameters import AnyRotor
from wheelwork.machines.rotor.state import RotorState
from wheelwork.results import html_table

SCAN_POINTS = 33  # steps of 0.03 over the default range: regimes of the paper are wider
ROOT_XTOL, ROOT_RTOL = 1e-11, 1e-12  # of a root in β_2/β_1; errors of the flows allow no more
PEAK_XTOL = 1e-8  # of a maximum, which values of relative precision 1e-16 do not fix better


@dataclass(frozen=True)
class RegimeBoundaries:
    """Values of β_2/β_1; NaN where there is none in the range.

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
    return float(brentq(f, float(scan[low]), float(scan[high]), xtol=ROOT_XTOL, rtol=ROOT_RTOL))


def _first_peak(f: Callable[[float], float], scan: FloatArray, values: FloatArray) -> float:
    """The first maximum between two points of the scan, NaN without one."""
    inner = (values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])
    peaks = np.flatnonzero(inner) + 1
    if peaks.size == 0:
        return math.nan
    i = int(peaks[0])
    peak = minimize_scalar(
        lambda ratio: -f(float(ratio)),
        bounds=(float(scan[i - 1]), float(scan[i + 1])),
        method="bounded",
        options={"xatol": PEAK_XTOL},
    )
    return float(peak.x)
