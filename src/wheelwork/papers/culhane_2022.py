"""The flywheel of Culhane et al.: the sweep behind Figs. 2-4, and what these figures show besides.

O. Culhane, M. T. Mitchison, J. Goold, Extractable work in quantum electromechanics, Phys. Rev. E
106, L032104 (2022). `PRESENTATION` serves any other flywheel too.
"""

import warnings
from typing import Any

import numpy as np
import xarray as xr

from wheelwork._checks import FloatArray, integer, positive
from wheelwork.errors import WheelworkError
from wheelwork.machines.flywheel import Flywheel
from wheelwork.papers.runs import Presentation, Run
from wheelwork.phase_space import FokkerPlanck
from wheelwork.plots import flywheel_sheet
from wheelwork.sweeps import replace_at

MESH_POINTS = 201  # per axis of a drawn Wigner function: finer than print can show
VISIBLE = 1e-2  # of the maximum: below it a Wigner function cannot be seen in the colours used
JUST_ABOVE = 1.4  # times the threshold: 12 for the paper's device, V/2 = 6 on its axes


def run(points: int = 65, bias_max: float = 32.0, rtol: float = 1e-6) -> Run:
    """Return the sweep of Figs. 2-4: the device of Fig. 2, `points` biases from 0 to `bias_max`.

    The axes of the figures show half of the bias, up to 16.
    """
    values = np.linspace(0.0, positive("bias_max", bias_max), integer("points", points, minimum=2))
    method = FokkerPlanck(rtol=rtol)
    return Run(Flywheel.paper(), "bias", values, method, PRESENTATION, name="flywheel")


def complete(dataset: xr.Dataset, machine: Any, parameter: str, method: Any) -> xr.Dataset:
    """Return `dataset` with the threshold and a few Wigner functions."""
    dataset = add_threshold(dataset, machine, parameter)
    try:
        return add_wigner(dataset, machine, parameter, method)
    except WheelworkError as reason:  # the sweep is worth having without them
        warnings.warn(f"no Wigner functions: {reason}", stacklevel=2)
        return dataset


def add_threshold(dataset: xr.Dataset, machine: Any, parameter: str) -> xr.Dataset:
    """Return `dataset` with the scalar `threshold`, where the sweep is over a bias that has one."""
    if parameter != "bias":
        return dataset
    low, high = float(dataset[parameter].min()), float(dataset[parameter].max())
    try:
        bias = float(machine.threshold_bias(low, high))
    except WheelworkError as reason:
        return dataset.assign_attrs(threshold_missing=str(reason))
    words = "bias at which the friction at the rest position changes sign"
    attributes = {**dataset[parameter].attrs, "long_name": words}
    return dataset.assign(threshold=xr.Variable((), bias, attributes))


def add_wigner(dataset: xr.Dataset, machine: Any, parameter: str, method: Any) -> xr.Dataset:
    """Return `dataset` with `wigner` over (wigner_<parameter>, x, p), and the scales x0 and p0.

    The states are those of the first value, one just above threshold (the middle one without a
    threshold) and the last, on one mesh that holds all that can be seen of them.
    """
    shown = shown_values(dataset, parameter)
    if not shown:
        return dataset
    states = [replace_at(machine, {parameter: value}).steady_state(method) for value in shown]
    x = _common_axis([state.wigner for state in states], "x")
    p = _common_axis([state.wigner for state in states], "p")
    wigner = np.array([state.wigner_on(x, p) for state in states])
    return dataset.assign(
        wigner=((f"wigner_{parameter}", "x", "p"), wigner, {"long_name": "Wigner function"}),
        x0=((), machine.length, {"long_name": "x0 in a = x/x0 + i p/p0"}),
        p0=((), machine.momentum, {"long_name": "p0 in a = x/x0 + i p/p0"}),
    ).assign_coords({f"wigner_{parameter}": shown, "x": x, "p": p})


def shown_values(dataset: xr.Dataset, parameter: str) -> list[float]:
    """Return up to three values with a result: the first, one just above threshold, the last."""
    axis = dataset[parameter].values[dataset["failure"].values == ""]
    if axis.size == 0:
        return []
    middle = axis[axis.size // 2]
    if "threshold" in dataset:
        threshold = float(dataset["threshold"])
        aim = min(JUST_ABOVE * threshold, 0.5 * (threshold + axis[-1]))
        middle = axis[np.argmin(np.abs(axis - aim))]
    return list(dict.fromkeys(float(value) for value in (axis[0], middle, axis[-1])))


def _common_axis(functions: list[xr.DataArray], dim: str) -> FloatArray:
    ends: list[float] = []
    for function in functions:
        profile = abs(function).max("p" if dim == "x" else "x")
        visible = function[dim].values[profile.values > VISIBLE * float(profile.max())]
        ends += [visible.min(), visible.max()]
    margin = 0.1 * (max(ends) - min(ends))
    return np.linspace(min(ends) - margin, max(ends) + margin, MESH_POINTS)


def remarks(dataset: xr.Dataset) -> list[str]:
    """Return what there is to say about the threshold and about a missing free energy."""
    lines = []
    if "threshold" in dataset:
        lines.append(
            f"threshold: bias = {float(dataset['threshold']):.7g}, "
            "where the friction at the rest position changes sign"
        )
    elif missing := dataset.attrs.get("threshold_missing", ""):
        lines.append(f"threshold: none found ({missing})")
    reasons = dataset.get("free_energy_gain_missing")
    if reasons is not None:
        given = [str(one) for one in reasons.values[dataset["failure"].values == ""] if one]
        lines += [f"W_F: none at {len(given)} point(s): {_in_a_file(given[0])}"] if given else []
    return lines


def _in_a_file(reason: str) -> str:
    if "differ in temperature" in reason:
        return "the baths differ in temperature; [device] temperature names the bath's"
    return reason


PRESENTATION = Presentation(
    headings={
        "phonon_number": "⟨n⟩",
        "g2": "g²(0)",
        "energy": "U",
        "ergotropy": "W_E",
        "free_energy_gain": "W_F",
        "entropy": "S",
        "particle_current": "I",
    },
    judged="phonon_number",
    error_heading="δn/n",
    complete=complete,
    draw=flywheel_sheet,
    remarks=remarks,
)
