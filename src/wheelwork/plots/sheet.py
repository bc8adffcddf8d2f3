"""A sheet of panels: its size, letters, and the key of what marks mean in all of them."""

import string
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from wheelwork.plots.legends import MARK, settle_legends
from wheelwork.plots.style import GREY, SMALL, STYLE, TWO_COLUMNS

NOTE = 0.1  # inches, height of a note beside a key
LONGEST_KEY = 60  # characters


class Sheet(Figure):
    """A figure that a notebook shows at the end of a cell, also without pyplot."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


@contextmanager
def new_sheet(height: float, width: float = TWO_COLUMNS) -> Iterator[Figure]:
    """Yield a new figure, sizes in inches, and draw in the style meanwhile; legends find their
    places at the end.
    """
    layout = ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05)
    with mpl.rc_context(STYLE):
        figure = Sheet(figsize=(width, height), layout=layout)
        yield figure
        settle_legends(figure, figure.axes)


def finish_sheet(figure: Figure, panels: Iterable[Axes], note: str = "") -> None:
    """Letter the panels, and explain below them each kind of mark that they have.

    note: words in the lower right corner.
    """
    for letter, panel in zip(string.ascii_lowercase, panels, strict=False):
        panel.set_title(f"({letter})", loc="left", fontweight="bold")
    marks = {
        str(artist.get_label()): artist
        for axes in figure.axes
        for artist in axes.get_children()
        if artist.get_gid() == MARK and artist.get_label()
    }
    taken = 0.0
    if note:
        beside = {"y": NOTE / figure.get_figheight()} if marks else {}
        words = figure.supxlabel(note, fontsize=SMALL, color=GREY, x=0.99, ha="right", **beside)
        taken = words.get_window_extent().width
    if marks:
        _add_key(figure, marks, figure.bbox.width - taken)


def _add_key(figure: Figure, marks: Mapping[str, Artist], width: float) -> None:
    """Add the key, with as many columns as there is room for. width: in pixels."""
    words = [word if len(word) <= LONGEST_KEY else f"{word[:LONGEST_KEY]} …" for word in marks]
    for columns in range(len(marks), 0, -1):
        key = figure.legend(list(marks.values()), words, loc="outside lower left", ncols=columns,
                            columnspacing=1.5)  # fmt: skip
        if columns == 1 or key.get_window_extent().width < width:
            return
        key.remove()
