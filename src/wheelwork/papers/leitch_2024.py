"""The rotor engine of Leitch et al.: the sweep behind Figs. 2-3, regimes, and rectification.

H. Leitch, K. Hammam, G. De Chiara, Thermodynamics of hybrid quantum rotor devices (2024).
`PRESENTATION` serves any other rotor engine too.
"""

import warnings
from typing import Any

import numpy as np
import xarray as xr

from wheelwork._checks import integer
from wheelwork.errors import WheelworkError
from wheelwork.machines.rotor import GlobalMasterEquation, LocalMasterEquation, RotorEngine
from wheelwork.papers.runs import Presentation, Run, missing_parts
from wheelwork.plots import rotor_sheet

# The hot temperatures of Figs. 4 and 5 are not printed in the paper; these show their trends.
RECTIFIED_RATIOS = (0.1, 0.2, 0.3)
PUBLISHED = RotorEngine.paper()
PUBLISHED_COUPLING = 0.5  # g of Figs. 4 and 5; it is 1 in Fig. 2
ASYMMETRIES = np.linspace(0.0, 0.95, 39)  # axis of Figs. 4 and 5; at 1 a qubit has no bath
ALPHAS = (0.0, 0.5, 1.0)  # weights of R in Γ_α: size alone, both alike, ratio alone
BOUNDARIES = {
    "work_vanishes": "the engine ends: the work of the qubits changes sign",
    "heat_reverses": "heat reverses: refrigeration begins",
    "qubit_ergotropy_vanishes": "the ergotropy of the two qubits vanishes",
    "efficiency_peaks": "the efficiency has a local maximum",
}


def run(points: int = 89, rtol: float = 1e-9) -> Run:
    """Return the sweep of Figs. 2-3: `points` values of beta_2/beta_1 from 0.02 to 0.9.

    At 0.9 the hot bath is as warm as the load, beta_2 = beta_r.
    """
    values = np.linspace(0.02, 0.9, integer("points", points, minimum=2))
    method = LocalMasterEquation(rtol=rtol)
    return Run(RotorEngine.paper(), "beta_ratio", values, method, PRESENTATION, name="rotor")


def complete(dataset: xr.Dataset, machine: Any, parameter: str, method: Any) -> xr.Dataset:
    """Return `dataset` with regime boundaries and rectification, for a sweep of temperature."""
    if parameter != "beta_ratio":
        return dataset
    dataset = add_boundaries(dataset, machine, method)
    if machine.replace(temperature_hot=PUBLISHED.temperature_hot) == PUBLISHED:
        machine = machine.replace(bath_coupling=PUBLISHED_COUPLING)
    return add_rectification(dataset, machine, method)


def add_boundaries(dataset: xr.Dataset, machine: Any, method: Any) -> xr.Dataset:
    """Return `dataset` with the values of beta_ratio at which the operation changes."""
    axis = dataset["beta_ratio"]
    try:
        boundaries = machine.regime_boundaries(float(axis.min()), float(axis.max()), method)
    except WheelworkError as reason:
        return dataset.assign_attrs(boundaries_missing=str(reason))
    for name, words in BOUNDARIES.items():
        value = xr.Variable((), getattr(boundaries, name), {**axis.attrs, "long_name": words})
        dataset = dataset.assign({name: value})
    return dataset


def add_rectification(dataset: xr.Dataset, machine: Any, method: Any) -> xr.Dataset:
    """Return `dataset` with R and J of heat and angular momentum, by the global equation.

    Over (rectified_beta_ratio, bath_asymmetry), and over (rectified_beta_ratio, alpha) the
    asymmetry, among those computed, where Γ_α = α R + (1 − α) J is largest. `method` where it is a
    global one, else the default. `rectification_warning` holds the texts of its warnings.
    """
    dims = ("rectified_beta_ratio", "bath_asymmetry")
    method = method if isinstance(method, GlobalMasterEquation) else GlobalMasterEquation()
    try:
        rectified, warned = _rectified(machine, method)
    except WheelworkError as reason:
        return dataset.assign_attrs(rectification_missing=str(reason))
    label = {"long_name": "warnings of validity of the rectification"}
    added: dict[str, Any] = {"rectification_warning": (dims, warned, label)}
    for name, quantity, words in (
        ("heat", "heat", r"heat flow $J/\lambda g^2$"),
        ("momentum", "angular_momentum", r"angular momentum $J$"),
    ):
        ratio = np.array([[one.ratio(quantity) for one in row] for row in rectified])
        size = np.array([[one.size(quantity) for one in row] for row in rectified])
        best = [
            [ASYMMETRIES[np.argmax(alpha * R + (1.0 - alpha) * J)] for alpha in ALPHAS]
            for R, J in zip(np.where(np.isfinite(ratio), ratio, 0.0), size, strict=True)
        ]
        added[f"{name}_rectification"] = (dims, ratio, {"long_name": f"rectification of {name}"})
        added[f"{name}_size"] = (dims, size, {"long_name": words})
        label = {"long_name": f"asymmetry of largest performance, {name}"}
        added[f"{name}_best_asymmetry"] = (("rectified_beta_ratio", "alpha"), np.array(best), label)
    attributes = dict(dataset["beta_ratio"].attrs)
    return dataset.assign(added).assign_coords(
        rectified_beta_ratio=("rectified_beta_ratio", list(RECTIFIED_RATIOS), attributes),
        bath_asymmetry=("bath_asymmetry", ASYMMETRIES, {"symbol": r"\chi"}),
        alpha=("alpha", list(ALPHAS), {"symbol": r"\alpha"}),
        rectified_bath_coupling=((), machine.bath_coupling, {"symbol": "g"}),
    )


def _rectified(machine: Any, method: Any) -> tuple[list[list[Any]], list[list[str]]]:
    """Rectification at every ratio and asymmetry, and what is warned of; one warning for all."""
    rectified: list[list[Any]] = []
    warned: list[list[str]] = []
    for ratio in RECTIFIED_RATIOS:
        rectified.append([])
        warned.append([])
        for chi in ASYMMETRIES:
            one = machine.replace(beta_ratio=ratio, bath_asymmetry=float(chi))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                rectified[-1].append(one.rectification(method))
            warned[-1].append("; ".join(str(warning.message) for warning in caught))
    if texts := [text for row in warned for text in row if text]:
        warnings.warn(f"rectification: {texts[0].partition('; ')[0]}, and alike", stacklevel=2)
    return rectified, warned


def remarks(dataset: xr.Dataset) -> list[str]:
    """Return the boundaries, and the best asymmetries for rectification."""
    lines = [
        f"beta_ratio = {float(dataset[name]):.8f}: {words}"
        for name, words in BOUNDARIES.items()
        if name in dataset and np.isfinite(dataset[name])
    ]
    lines += missing_parts(dataset)
    if "heat_best_asymmetry" in dataset:
        coupling = float(dataset["rectified_bath_coupling"])
        for row in dataset["heat_best_asymmetry"].sel(alpha=0.5):
            lines.append(
                f"beta_ratio = {float(row['rectified_beta_ratio']):g}: heat is rectified best "
                f"(alpha = 0.5) near bath_asymmetry = {float(row):.3g}, with bath_coupling = "
                f"{coupling:g}"
            )
    return lines


PRESENTATION = Presentation(
    headings={
        "heat_cold": "Q̇₁",
        "heat_hot": "Q̇₂",
        "heat_load": "Q̇_r",
        "work_qubits": "Ẇ",
        "efficiency": "η",
        "cop": "COP",
        "angular_momentum": "⟨L_z⟩",
    },
    judged="heat_hot",
    complete=complete,
    draw=rotor_sheet,
    remarks=remarks,
)
