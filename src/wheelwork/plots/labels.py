"""Words beside axes: names, symbols and units from attributes; powers of ten before the unit."""

import re
import textwrap
from functools import lru_cache
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cbook import is_math_text
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, SubFigure
from matplotlib.mathtext import MathTextParser
from matplotlib.ticker import MaxNLocator, ScalarFormatter

LINE = 26  # characters of a line beside or below a panel: no wider than the panel
MOST_LINES = 3  # of a long name
INTERVALS = 6  # between ticks, at most: labels of four digits do not touch
POWERS = (-3, 4)  # beyond these a power of ten is split off
SPLIT_OFF = re.compile(r"(?:1e([-−]?\d+))?(?:([-−+])(.+))?")  # "1e-3+7", as matplotlib has it
DIMENSIONLESS = {"", "1", "1/1", "rate"}  # rates of a power grid count in a unit without a name


@lru_cache(maxsize=256)
def readable(text: str) -> str:
    """Return `text` for matplotlib: what is no mathematics that it can draw is taken literally."""
    if is_math_text(text):
        try:
            MathTextParser("path").parse(text)
        except ValueError:
            pass
        else:
            return text
    return re.sub(r"(?<!\\)\$", r"\\$", text)


def symbol_of(variable: xr.DataArray) -> str:
    """Return the symbol of a variable as mathematics, or its name where it has none."""
    symbol = f"${variable.attrs['symbol']}$" if variable.attrs.get("symbol") else ""
    if symbol and readable(symbol) == symbol:
        return symbol
    return wrapped(str(variable.attrs.get("symbol") or variable.name).replace("_", " "))


def wrapped(words: str) -> str:
    """Return words in short lines, the last one cut; mathematics stays on one line."""
    words = readable(words)
    if is_math_text(words):
        return words
    return "\n".join(textwrap.wrap(words, LINE, max_lines=MOST_LINES, placeholder=" …"))


def name_and_symbol(variable: xr.DataArray) -> str:
    """Return "long name symbol" from the attributes, as far as they are set."""
    words = variable.attrs.get("long_name")
    if words is None:
        return symbol_of(variable)
    if not variable.attrs.get("symbol"):
        return wrapped(words)
    return _beside(wrapped(words), symbol_of(variable))


def units_of(variable: xr.DataArray) -> str:
    """Return the units, "1" where there are none."""
    return str(variable.attrs.get("units", "1"))


def with_units(label: str, units: str, power: int = 0) -> str:
    """Return "label (10^power units)", without what is one."""
    typeset = re.sub(r"\^(-?\d+)", r"$^{\1}$", units) if units not in DIMENSIONLESS else ""
    factor = f"$10^{{{power}}}$" if power else ""
    inside = " ".join(part for part in (factor, typeset) if part)
    return _beside(label, f"({inside})") if inside else label


def with_value(label: str, value: float, units: str) -> str:
    """Return "label = value units", with four digits."""
    return f"{label} = {decimal(value, 4)}" + (f" {units}" if units not in DIMENSIONLESS else "")


def decimal(number: float, digits: int = 3) -> str:
    """Return a number with its power of ten as mathematics, where it needs one."""
    if 1e-2 <= abs(number) < 1e4 or number == 0.0:
        return f"{number:.{digits}g}"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"


def _beside(lines: str, more: str) -> str:
    """Return both on one line, or where that is too long with `more` on a line of its own."""
    last = lines.rpartition("\n")[2]
    return f"{lines}{' ' if _length(last) + _length(more) < LINE else chr(10)}{more}"


def _length(text: str) -> int:
    """The characters of a label that are seen, about."""
    return len(re.sub(r"\\[a-z]+", "x", re.sub(r"\\(mathrm|mathcal|d?dot|bar)|[{}$^_]", "", text)))


class PowerInLabel(ScalarFormatter):
    """Numbers at ticks whose common power of ten, and offset, stand in the label of the axis.

    The label follows the range of the axis, also where it changes later.
    """

    def __init__(self, label: str, units: str) -> None:
        super().__init__(useMathText=False)
        self.set_powerlimits(POWERS)
        self.label, self.units = label, units

    def set_locs(self, locs: list[float]) -> None:
        """Choose power and offset for the ticks, and write the label."""
        super().set_locs(locs)
        split = SPLIT_OFF.fullmatch(super().get_offset())
        power, sign, offset = split.groups() if split else (None, None, None)
        label = f"{self.label} {'−' if sign == '+' else '+'} {offset}" if offset else self.label
        label = with_units(label, self.units, int(power.replace("−", "-")) if power else 0)
        axis: Any = self.axis
        if axis.get_label_text() != label:
            axis.set_label_text(label)

    def get_offset(self) -> str:
        """Return nothing to write at the end of the axis."""
        return ""


def label_axis(axis: Axis, label: str, units: str = "1", *, whole: bool = False) -> None:
    """Label an axis whose scale is set. whole: only integers have ticks."""
    axis.set_label_text(with_units(label, units))
    if axis.get_scale() == "linear":
        axis.set_major_locator(MaxNLocator(INTERVALS, steps=[1, 2, 2.5, 5, 10], integer=whole))
        axis.set_major_formatter(PowerInLabel(label, units))


def label_by(axis: Axis, variable: xr.DataArray) -> None:
    """Label an axis by the attributes of a variable."""
    label_axis(axis, name_and_symbol(variable), units_of(variable))


def add_bar(
    figure: Figure | SubFigure, panels: Axes | list[Axes], image: Any, label: str,
    units: str = "1", **bar: Any,
) -> Colorbar:  # fmt: skip
    """Add the scale of the colours of an image, labelled."""
    scale = figure.colorbar(image, ax=panels, **bar)
    scale.set_label(with_units(label, units))
    axis = scale.ax.yaxis if scale.orientation == "vertical" else scale.ax.xaxis
    if axis.get_scale() == "linear":
        scale.formatter = PowerInLabel(label, units)
        scale.update_ticks()
    return scale
