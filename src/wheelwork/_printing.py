"""Printouts: tables for notebooks, and numbers to the digits that their errors justify."""

import math
from collections.abc import Sequence
from html import escape

SHOWN_DIGITS = 6  # of a value without an error


def html_table(title: str, rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> str:
    """Return an HTML table for notebooks; the first cell of each row is a name."""
    names = "".join(f"<th>{escape(text)}</th>" for text in header)
    cells = (
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in others)}</tr>"
        for name, *others in rows
    )
    lines = [f"<tr>{names}</tr>"] if header else []
    return f"<b>{escape(title)}</b><table>{''.join([*lines, *cells])}</table>"


def with_error(value: complex, error: float = math.nan) -> str:
    """Return "59.550145 ± 2e-06", to the digits that the error justifies."""
    if not math.isfinite(error) or not math.isfinite(abs(value)):
        return f"{value:.{SHOWN_DIGITS}g}"
    if error <= 0.0 or value == 0.0:
        return f"{value:.{SHOWN_DIGITS}g} ± {error:.1g}"
    known = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 1
    return f"{value:.{min(max(known, 1), 12)}g} ± {error:.1g}"  # float64 holds no more than that
