"""A Wigner function over its phase space."""

from typing import Any

from matplotlib.axes import Axes

from wheelwork._checks import FloatArray
from wheelwork.plots.style import WIGNER_COLOURS


def plot_wigner(axes: Axes, x: FloatArray, p: FloatArray, wigner: FloatArray) -> Any:
    """Draw `wigner` of shape (n_x, n_p) over `x` (to the right) and `p` (up); return the image.

    Colours are relative to the panel's own maximum, which is written into the panel: peaks of a
    blob and of a ring differ tenfold and more, so a common scale would hide the ring. Made for a
    Wigner function that is not negative; the colour scale starts at zero.
    """
    peak = float(wigner.max())
    image = axes.pcolormesh(
        x, p, wigner.T / peak, cmap=WIGNER_COLOURS, vmin=0.0, vmax=1.0, rasterized=True
    )
    axes.set_aspect("equal")
    axes.tick_params(color="white", which="both")
    axes.text(
        0.97, 0.03, rf"$\max W$ = {_decimal(peak)}", transform=axes.transAxes,
        ha="right", va="bottom", color="white", fontsize="small",
    )  # fmt: skip
    return image


def _decimal(number: float) -> str:
    mantissa, exponent = f"{number:.2e}".split("e")
    return (
        number.__format__(".3g") if number >= 1e-2 else rf"${mantissa}\times10^{{{int(exponent)}}}$"
    )
