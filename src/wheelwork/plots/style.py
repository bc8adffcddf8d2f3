"""The style of every figure: sizes, fonts, colours that colour-blind readers can distinguish."""

from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

__all__ = ["save_figure"]

ONE_COLUMN, TWO_COLUMNS = 3.38, 7.0  # inches, within the 86 and 178 mm of journals
RESOLUTION = 300  # dots per inch, what journals ask of figures with colours

# Of the palette of Okabe and Ito, which can be distinguished with any kind of colour vision.
BLACK = "#000000"
BLUE = "#0072B2"
VERMILION = "#D55E00"
ORANGE = "#E69F00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
GREY = "#7f7f7f"
PALE = "#d4d4d4"  # of a shade behind curves

WIGNER_COLOURS = "viridis"  # of evenly rising lightness, so that it can be printed in grey
SIGNED_COLOURS = "PuOr"  # of two hues, and white at zero
OCCUPATION_COLOURS = "cividis"
CURRENT_COLOURS = "viridis"
FLOW_COLOURS = "Reds"

# Curves of one panel differ in colour, in dashes and in marks: in grey the latter two are left.
DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (4, 1, 1, 1)))
COLOURS = (BLACK, VERMILION, BLUE, GREEN, ORANGE)
MARKERS = ("o", "s", "^", "v", "D")
SMALL = 6.5  # points, letters of notes

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "mathtext.fontset": "dejavusans",
    **dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize"), 8.0),
    **dict.fromkeys(("legend.fontsize", "xtick.labelsize", "ytick.labelsize"), 7.0),
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.direction", "ytick.direction"), "in"),
    **dict.fromkeys(("xtick.top", "ytick.right"), True),
    "legend.frameon": False,
    "legend.handlelength": 2.0,
    "legend.borderpad": 0.2,
    "legend.title_fontsize": 7.0,
    "lines.linewidth": 1.3,
    "hatch.linewidth": 0.5,
}
# What matplotlib reads when it writes a file; 42: text in PDF stays text.
SAVED = {"pdf.fonttype": 42, "ps.fonttype": 42, "hatch.linewidth": STYLE["hatch.linewidth"]}


def series(number: int) -> dict[str, Any]:
    """Return colour and dashes of the curve of that number in a panel; 25 of them differ."""
    combinations = [
        {"color": COLOURS[(i + shift) % len(COLOURS)], "linestyle": DASHES[i]}
        for shift, i in product(range(len(COLOURS)), range(len(DASHES)))
    ]
    return combinations[number % len(combinations)]


def marker(number: int) -> str:
    """Return the marker of the curve of that number in a panel."""
    return MARKERS[number % len(MARKERS)]


def save_figure(figure: Figure, path: Path, file_format: str | None = None) -> None:
    """Write `figure` to `path`; text in PDF stays text."""
    with mpl.rc_context(SAVED):
        figure.savefig(path, dpi=RESOLUTION, format=file_format)
