"""What the terminal shows at 50, 80 and 120 columns, compared with the screens stored beside this.

`WHEELWORK_RENEW=1 pytest tests/cli/test_screens.py` writes them anew; read the difference then.
"""

import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from wheelwork.cli import main
from wheelwork.cli.progress_bar import Meter, line, shown
from wheelwork.cli.report import print_report
from wheelwork.cli.table import as_told_apart, table_of
from wheelwork.cli.terminal import IN_ASCII, screen
from wheelwork.papers import culhane_2022
from wheelwork.papers.runs import Presentation
from wheelwork.plots import sweep_sheet
from wheelwork.sweeps import Point

SCREENS = Path(__file__).parent / "screens"
WIDTHS = 50, 80, 120
FILES = [Path("out/flywheel.nc"), Path("out/flywheel.png")]


def dataset(parameter, values, observables, texts=()):
    """A dataset as a sweep makes it; texts: of the first failures."""
    size = len(values)
    failure = np.array([*texts, *[""] * (size - len(texts))], dtype=object)
    passed = np.where(failure == "", 1, [0, -1][len(texts) > 1])
    return xr.Dataset(
        {
            **{name: (parameter, column) for name, column in observables.items()},
            "failure": (parameter, failure),
            "warning": (parameter, np.full(size, "", dtype=object)),
            "audit_passed": (parameter, passed),
        },
        coords={parameter: values},
        attrs={"complete": 1, "energy_unit": "meV"},
    )


def flywheel():
    """The numbers of a flywheel, one of which has not converged."""
    values = np.linspace(0.0, 32.0, 5)
    numbers = {
        name: np.array([scale, -1.5 * scale, 1.23456789e-7 * scale, np.nan, 12345.678 * scale])
        for name, scale in zip(culhane_2022.PRESENTATION.headings, range(1, 8), strict=True)
    }
    numbers["phonon_number_error"] = np.full(5, 1e-6)
    failure = ["NotConverged: the mesh ran out at 512 points"]
    return dataset("bias", values, numbers, failure).assign(threshold=8.46327816)


def flywheel_screen(console):
    print_report(
        console, flywheel(), culhane_2022.PRESENTATION, ["a number is at its limit"], FILES
    )


def own_machine_screen(console):
    """Long names, more observables than fit, and values that agree in fourteen digits."""
    values = 1.0 + 1e-14 * np.arange(4)
    names = [f"entropy_production_rate_of_lead_{i}" for i in range(4)]
    numbers = {name: np.array([1.5, 1e300, -1e-300, np.nan]) for name in [*names, "x", "flow"]}
    numbers["flow_error"] = np.full(4, 1e-9)
    show = Presentation(draw=sweep_sheet, judged="flow")
    failed = dataset("leads[0].temperature", values, numbers, ["NoSteadyState: none"] * 2)
    print_report(console, failed, show, [], [])


def bar_screen(console):
    """The states of a bar, one in a line."""
    for known, failed, doing in ((0, 0, "plane, meshes, 3 of 8"), (12, 0, ""), (640, 7, "orbits")):
        numbers = {"known": known, "computed": known, "failed": failed}
        meter = Meter(1000, **numbers, started=0.0, clock=lambda: 100.0)
        for title in ("flywheel: bias", "a-name-of-files: leads[0].lineshape.rate"):
            console.print(line(meter, title, doing, console))


CASES = {"flywheel": flywheel_screen, "own-machine": own_machine_screen, "bar": bar_screen}


def shown_at(width, draw, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=IN_ASCII)
    draw(Console(width=width, file=file))
    file.flush()
    text = file.buffer.getvalue().decode(encoding)
    return "".join(f"{row.rstrip()}\n" for row in text.splitlines())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("case", CASES)
def test_the_screen_is_the_stored_one(case, width, stored):
    stored(SCREENS / f"{case}-{width}.txt", shown_at(width, CASES[case]))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_unicode_gets_words(encoding, stored):
    stored(SCREENS / f"flywheel-80-{encoding}.txt", shown_at(80, flywheel_screen, encoding))


@pytest.mark.parametrize("width", range(12, 130, 3))
def test_no_digit_is_cut_at_any_width(width):
    """Each number of the narrow table stands in the wide one, in the same order."""
    wide, narrow = (shown_at(w, flywheel_screen).split("energies in")[0] for w in (200, width))
    rows = [row for row in wide.splitlines() if re.match(r" +\d", row)]
    found = [row for row in narrow.splitlines() if re.match(r" *\d", row)]
    assert len(found) == len(rows) == 5
    for row, cut in zip(rows, found, strict=True):
        assert "…" not in cut
        cells = iter(row.split())
        assert all(cell in cells for cell in cut.split())


@pytest.mark.parametrize("width", range(12, 130, 3))
def test_the_bar_fits_and_keeps_its_count(width):
    for row in shown_at(width, bar_screen).splitlines():
        assert len(row) < width
        assert re.search(r"\b(0|12|640)/1000\b", row)


def test_all_columns_are_there_or_named():
    for width in (20, 60, 200):
        console = Console(width=width, file=io.StringIO())
        table, hidden = table_of(flywheel(), culhane_2022.PRESENTATION, console)
        headings = [column.header for column in table.columns]
        assert {*headings, *hidden} == {
            "bias", *culhane_2022.PRESENTATION.headings.values(), "δn/n", "audit"
        }  # fmt: skip
        assert headings[0] == "bias"


def test_values_get_the_digits_that_tell_them_apart():
    assert as_told_apart([0.1, 0.2, 0.1]) == ["0.1", "0.2", "0.1"]
    assert as_told_apart([1.0, np.nextafter(1.0, 2.0)]) == ["1", "1.0000000000000002"]
    assert as_told_apart([]) == []


def test_equal_values_of_a_sweep_are_told_one_by_one():
    failed = dataset("bias", [1.0, 1.0], {"flow": [np.nan] * 2}, ["NoSteadyState: none"] * 2)
    text = io.StringIO()
    print_report(Console(file=text), failed, Presentation(draw=sweep_sheet), [], [])
    assert text.getvalue().count("no result at bias = 1: NoSteadyState: none") == 2


# ---------------------------------------------------------------------------- kinds of terminals


def test_a_pipe_gets_a_table_of_a_hundred_characters_or_as_asked(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen().width == 100
    monkeypatch.setenv("COLUMNS", "50")
    assert screen().width == 50


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_plain_terminals_get_no_colours(variables):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=60, _environ=variables)
    with shown(console, "flywheel: bias", 2) as meter:
        meter.add(Point(0, 2, {}))
    flywheel_screen(console)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text.getvalue())
    if "TERM" in variables:
        assert "\x1b" not in text.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_the_command_line_writes_what_an_encoding_lacks_as_words(encoding, tmp_path, monkeypatch):
    """As under LANG=C, and of a pipe on Windows."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    options = ["--points", "2", "--bias-max", "4", "--rtol", "1e-2", "--out", str(tmp_path / "Ω")]
    assert main(["run", "flywheel", *options]) == 0
    text = sys.stdout.buffer.getvalue().decode(encoding)
    assert "<n>" in text
    assert "hbar = e = k_B = 1" in text
