"""The style of every figure: sizes, fonts, colours that colour-blind readers can distinguish."""

import string
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

__all__ = ["save_figure"]

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
    "mathtext.fontset": "dejavusans",
    **dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize"), 8.0),
    **dict.fromkeys(("legend.fontsize", "xtick.labelsize", "ytick.labelsize"), 7.0),
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.6),
    **dict.fromkeys(("xtick.direction", "ytick.direction"), "in"),
    **dict.fromkeys(("xtick.top", "ytick.right"), True),
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.3,
}


@contextmanager
def new_sheet(height: float, width: float = TWO_COLUMNS) -> Iterator[Figure]:
    """Yield a new figure, sizes in inches, and draw in the style meanwhile."""
    layout = ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05)
    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout=layout)


def save_figure(figure: Figure, path: Path, file_format: str | None = None) -> None:
    """Write `figure` to `path`; text in PDF stays text."""
    with mpl.rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, dpi=RESOLUTION, format=file_format)


def letter_panels(panels: Iterable[Axes]) -> None:
    """Write (a), (b), ... above the upper left corner of each panel."""
    for letter, panel in zip(string.ascii_lowercase, panels, strict=False):
        panel.set_title(f"({letter})", loc="left", fontweight="bold")
