"""The style of every figure: sizes, fonts, colours that colour-blind readers can distinguish."""

import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

TWO_COLUMNS = 7.0  # inches, the width of a journal page
RESOLUTION = 300  # dots per inch, what journals ask of figures with colours

# Of the palette of Okabe and Ito, which can be distinguished with any kind of colour vision.
BLACK = "#000000"
BLUE = "#0072B2"
VERMILION = "#D55E00"
ORANGE = "#E69F00"
GREEN = "#009E73"
GREY = "#7f7f7f"

WIGNER_COLOURS = "viridis"  # of evenly rising lightness, so that it can be printed in grey
OCCUPATION_COLOURS = "cividis"
CURRENT_COLOURS = "viridis"
FLOW_COLOURS = "Reds"

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.6,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.3,
    "mathtext.fontset": "dejavusans",
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


def save_figure(figure: Figure, path: Path, file_format: str | None = None) -> None:
    """Write `figure` to `path`; text in PDF stays text."""
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, dpi=RESOLUTION, format=file_format)


def letter_panels(panels: Iterable[Axes]) -> None:
    """Write (a), (b), ... above the upper left corner of each panel."""
    for letter, panel in zip(string.ascii_lowercase, panels, strict=False):
        panel.set_title(f"({letter})", loc="left", fontweight="bold")
