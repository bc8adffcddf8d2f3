"""A Wigner function over its phase space."""

from collections.abc import Callable
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from wheelwork._checks import FloatArray
from wheelwork.plots.curves import leave_out
from wheelwork.plots.style import WIGNER_COLOURS

__all__ = ["plot_wigner"]


def plot_wigner(axes: Axes, x: FloatArray, p: FloatArray, wigner: FloatArray) -> Any:
    """Draw `wigner` of shape (n_x, n_p) over `x` (to the right) and `p` (up); return the image.

    Colours are relative to the panel's own maximum, which is written into the panel: peaks of a
    blob and of a ring differ tenfold and more, so a common scale would hide the ring. Made for a
    Wigner function that is not negative; the colour scale starts at zero.
    """
    peak = float(wigner.max())
    image = axes.pcolormesh(x, p, wigner.T / peak, cmap=WIGNER_COLOURS, vmin=0.0, vmax=1.0,
                            rasterized=True)  # fmt: skip
    axes.set_aspect("equal")
    axes.tick_params(color="white", which="both")
    axes.text(
        0.97, 0.03, rf"$\max W$ = {_decimal(peak)}", transform=axes.transAxes,
        ha="right", va="bottom", color="white", fontsize="small",
    )  # fmt: skip
    return image


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
    for panel in row[wigner.shape[0] :]:
        panel.set_axis_off()
    for panel, state in zip(row, wigner, strict=False):
        image = plot_wigner(panel, x, p, state.values)
        panel.set_title(title(state[wigner.dims[0]]))
        panel.set_xlabel("$x/x_0$")
    row[0].set_ylabel("$p/p_0$")
    bar = figure.colorbar(image, ax=row, shrink=0.86, aspect=18, pad=0.01)
    bar.set_label(r"$W/\max W$")


def _decimal(number: float) -> str:
    if number >= 1e-2:
        return f"{number:.3g}"
    mantissa, exponent = f"{number:.2e}".split("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"
