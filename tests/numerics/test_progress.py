"""Progress reaches whoever waits, seldom enough to cost nothing, and leaves no trace."""

import math
import subprocess
import sys

import pytest

import wheelwork as ww
from wheelwork.numerics.progress import WIDTH, words
from wheelwork.numerics.work import tick


def work(units=100):
    for unit in range(units):
        tick("turning", unit + 1, units)


def test_a_function_hears_the_task_and_how_far_it_is():
    heard = []
    with ww.progress(lambda *report: heard.append(report), interval=1e-9):
        work(3)
    work(3)  # nobody listens
    assert heard == [("turning", 1, 3), ("turning", 2, 3), ("turning", 3, 3)]


def test_reports_are_seldom():
    heard = []
    with ww.progress(lambda *report: heard.append(report), interval=1e3):
        work()
    assert heard == [("turning", 1, 100)]


def test_a_terminal_has_one_line_that_goes_away(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with ww.progress():
        work()
    text = capsys.readouterr().err
    assert "\n" not in text
    assert text == f"\r{'turning, 1 of 100':<{WIDTH}}\r{'':{WIDTH}}\r"


def test_a_file_has_whole_lines(capsys):
    with ww.progress():
        work()
    assert capsys.readouterr().err == "turning, 1 of 100\n"


def test_solvers_report():
    heard = []
    with ww.progress(lambda *report: heard.append(report), interval=1e-9):
        ww.PowerGrid.chain(sites=2, injection=4.0, extraction=6.0, damping=1e-2).steady_state()
        ww.Flywheel.paper(bias=4.0).steady_state(ww.FokkerPlanck(1e-3))
        ww.RotorEngine.paper().steady_state(ww.LocalMasterEquation(rtol=1e-4))
    assert len({report[0] for report in heard}) >= 3  # tasks: at least one of each machine


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (("a", 1.0, 2.0), "a, 1 of 2"),
        (("a", 1.0, math.nan), "a, 1"),
        (("a", math.nan, 2.0), "a"),
    ],
)
def test_what_is_unknown_is_left_out(report, text):
    assert words(*report) == text


def test_an_interval_is_positive():
    with (
        pytest.raises(ww.InvalidArgument, match="`interval` must be positive"),
        ww.progress(interval=0.0),
    ):
        pass


PACKAGES = """
import sys
import wheelwork as ww
assert "numpy" not in sys.modules and "matplotlib" not in sys.modules
names = "plots lindblad thermodynamics states transport phase_space oscillator_networks papers "
names += "sweeps machines methods results parameters errors verbs cli"
for name in names.split():
    assert name in dir(ww)
    assert getattr(ww, name).__name__ == f"wheelwork.{name}"
try:
    ww.no_such_name
except AttributeError as reason:
    assert "no_such_name" in str(reason)
else:
    raise AssertionError
"""


def test_packages_load_on_first_use():
    subprocess.run([sys.executable, "-c", PACKAGES], check=True)
