"""Panels: exact rules, bisection that loses nothing, maps to infinity."""

import numpy as np
import pytest

from wheelwork.transport.lineshapes import Landmarks
from wheelwork.transport.panels import (
    SINGULAR_LEFT,
    TAIL_LEFT,
    TAIL_RIGHT,
    Panels,
    crowded,
    graded_mesh,
)


def _panel(start, stop, kind=0):
    return Panels(np.array([float(start)]), np.array([float(stop)]), np.array([kind]))


def _integrate(panels, function):
    return np.sum(panels.weights() * function(panels.nodes()), axis=(1, 2))


def test_rule_is_exact_to_degree_31_and_its_error_to_degree_19():
    panel = _panel(0.0, 1.0)
    for degree in range(32):
        value, error = _integrate(panel, lambda w, n=degree: w**n)
        assert value == pytest.approx(1.0 / (degree + 1), rel=1e-14)
        assert (abs(error) < 1e-15) == (degree < 20)


@pytest.mark.parametrize("kind", range(6))
def test_bisection_keeps_the_integral(kind):
    def function(w):
        return np.exp(-((w - 0.4) ** 2)) / (1.0 + w**2)

    whole = _panel(-0.5, 1.0, kind)
    for _ in range(4):
        whole = whole.bisect()
    halves = whole.bisect()
    assert len(halves) == 2 * len(whole)
    assert _integrate(halves, function)[0] == pytest.approx(
        _integrate(whole, function)[0], rel=1e-10
    )


@pytest.mark.parametrize("kind", [TAIL_LEFT, TAIL_RIGHT])
def test_half_line_takes_algebraic_tails(kind):
    panel = _panel(1.0, 2.0, kind) if kind == TAIL_RIGHT else _panel(-2.0, -1.0, kind)
    value, error = _integrate(panel, lambda w: 1.0 / w**2)
    assert value == pytest.approx(1.0, rel=1e-13)
    assert abs(error) < 1e-13


def test_singular_end_smooths_a_root():
    value, error = _integrate(_panel(0.0, 1.0, SINGULAR_LEFT), np.sqrt)
    assert value == pytest.approx(2.0 / 3.0, rel=1e-14)
    assert abs(error) < 1e-14


def test_graded_mesh_covers_the_axis_and_respects_poles():
    marks = Landmarks(poles=((0.3, 1e-3), (40.0, 2.0)), edges=(-1.0, 5.0))
    mesh = graded_mesh(marks, -3.0, 3.0)
    assert mesh.kind[0] == TAIL_LEFT
    assert mesh.kind[-1] == TAIL_RIGHT
    np.testing.assert_array_equal(mesh.start[1:], mesh.stop[:-1])
    assert {-1.0, 5.0} <= set(mesh.start)
    assert not crowded(mesh, *np.array(marks.poles).T).any()
    for position, width in marks.poles:
        line = mesh.weights() * width / ((mesh.nodes() - position) ** 2 + width**2)
        assert np.sum(line[0]) == pytest.approx(np.pi, rel=1e-13)
