"""Progress reaches whoever waits, seldom enough to cost nothing, and leaves no trace."""

import dataclasses
import math
import subprocess
import sys
import types

import pytest

import wheelwork as ww
from wheelwork.numerics import progress as progress_module
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


def sweep_of(count, **how):
    return ww.sweep(Turning(), {"angle": [float(k) for k in range(count)]}, **how)


@dataclasses.dataclass(frozen=True)
class Turning:
    """A machine whose solver has three steps."""

    angle: float = 0.0

    def replace(self, **fields):
        return dataclasses.replace(self, **fields)

    def steady_state(self, method=None):
        work(3)
        return types.SimpleNamespace(observables={"angle": self.angle}, errors={}, audit={})


def test_a_sweep_reports_its_points_to_a_function_first_and_last():
    heard = []
    sweep_of(5, progress=lambda *report: heard.append(report))
    points = [report for report in heard if report[0] == "points"]
    assert points[0] == ("points", 0, 5)
    assert points[-1] == ("points", 5, 5)
    assert ("turning", 1, 3) in heard


@pytest.mark.parametrize("columns", [50, 80])
def test_a_sweep_has_one_line_on_a_terminal(capsys, monkeypatch, columns):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    with ww.progress():  # shows the line, so that the sweep shows no second one
        sweep_of(5, progress=True)
    first, *rest, last, _ = capsys.readouterr().err.split("\r")[1:]
    assert first.rstrip() == "points, 0 of 5 [....................]"
    assert rest[-1].startswith("points, 5 of 5 [####################]") or not rest[-1].strip()
    assert {len(line) for line in (first, *rest, last)} == {columns - 1}


def test_the_line_of_a_sweep_has_rate_time_left_and_what_the_solver_does(monkeypatch):
    lines, clock = [], iter([0.0, 10.0])
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: next(clock))
    text = progress_module._Words(types.SimpleNamespace(show=lines.append))
    text.show("points", 5, 20)
    text.show("points", 10, 20)
    text.show("turning", 1, 3)
    bar = "points, 10 of 20 [##########..........] 0.5/s, 0:00:20 left"
    assert lines == ["points, 5 of 20 [#####...............]", bar, f"{bar}, turning, 1 of 3"]


def test_a_sweep_is_silent_unless_asked_and_refuses_what_is_no_function(capsys):
    sweep_of(2)
    assert capsys.readouterr().err == ""
    with pytest.raises(ww.InvalidArgument, match="`progress` must be True, False or a function"):
        sweep_of(2, progress="yes")


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
