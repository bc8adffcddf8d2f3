"""A Wigner function over its phase space."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from wheelwork._checks import FloatArray
from wheelwork.plots.curves import leave_out
from wheelwork.plots.labels import add_bar, decimal
from wheelwork.plots.style import BLACK, SIGNED_COLOURS, WIGNER_COLOURS

__all__ = ["plot_wigner"]

VISIBLE = 1e-2  # of the largest |W|: what is smaller cannot be seen in the colours used
PEAK = {False: r"$\max W$", True: r"$\max |W|$"}


def plot_wigner(
    axes: Axes, x: FloatArray, p: FloatArray, wigner: FloatArray, signed: bool | None = None
) -> Any:
    """Draw `wigner` of shape (n_x, n_p) over `x` (to the right) and `p` (up); return the image.

    Colours are relative to the panel's own largest |W|, which is written into the panel: peaks of a
    blob and of a ring differ tenfold and more, so a common scale would hide the ring. The scale
    starts at zero, or for a Wigner function with negative parts, or with `signed`, at minus one.
    """
    peak = float(np.max(np.abs(wigner), initial=0.0, where=np.isfinite(wigner)))
    signed = has_negative_parts(wigner) if signed is None else signed
    image = axes.pcolormesh(
        x, p, wigner.T / (peak or 1.0), cmap=SIGNED_COLOURS if signed else WIGNER_COLOURS,
        vmin=-1.0 if signed else 0.0, vmax=1.0, rasterized=True,
    )  # fmt: skip
    axes.set_aspect("equal")
    ink = BLACK if signed else "white"
    axes.tick_params(color=ink, which="both")
    axes.text(
        0.97, 0.03, rf"{PEAK[signed]} = {decimal(peak)}", transform=axes.transAxes,
        ha="right", va="bottom", color=ink, fontsize="small",
    )  # fmt: skip
    return image


def has_negative_parts(wigner: FloatArray) -> bool:
    """Whether parts of a Wigner function are negative beyond what colours can show."""
    values = wigner[np.isfinite(wigner)]
    return bool(values.size and values.min() < -VISIBLE * np.max(np.abs(values)))


def draw_wigner_row(
    figure: SubFigure, row: list[Axes], dataset: xr.Dataset, title: Callable[[xr.DataArray], str]
) -> None:
    """Draw `wigner` over (one dimension, x, p) into a row of panels with one scale of colours.

    `dataset` has the scalars `x0` and `p0` as well. title: of the coordinate of each panel.
    """
    if "wigner" not in dataset:
        for panel in row:
            leave_out(panel)
        return
    wigner = dataset["wigner"].transpose(..., "x", "p")
    x, p = ((wigner[axis] / dataset[f"{axis}0"]).values for axis in ("x", "p"))
    signed = any(has_negative_parts(state.values) for state in wigner)
    for panel in row[wigner.shape[0] :]:
        panel.set_axis_off()
    for panel, state in zip(row, wigner, strict=False):
        image = plot_wigner(panel, x, p, state.values, signed)
        panel.set_title(title(state[wigner.dims[0]]))
        panel.set_xlabel("$x/x_0$")
    row[0].set_ylabel("$p/p_0$")
    add_bar(figure, row, image, rf"$W$/{PEAK[signed]}", shrink=0.86, aspect=18, pad=0.01)
