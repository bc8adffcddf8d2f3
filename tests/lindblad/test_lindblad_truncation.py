"""Cutoffs grow until they no longer matter, or say why they cannot."""

import time

import numpy as np
import pytest
from open_systems import lowering, rotor

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.lindblad import Lindblad, SparseLU, Truncation, grow, steady_state


def warm_cavity(occupation):
    def build(cutoffs):
        (levels,) = cutoffs
        a = lowering(levels)
        jumps = [np.sqrt(occupation + 1.0) * a, np.sqrt(occupation) * a.T]
        return Truncation(Lindblad(a.T @ a, jumps), [[levels - 1]], {"n": a.T @ a})

    return build


@pytest.mark.parametrize("occupation", [0.1, 2.0, 30.0])
def test_a_warm_cavity_grows_as_far_as_its_temperature_asks(occupation):
    result = grow(warm_cavity(occupation), [4], rtol=1e-9)
    assert abs(result.means["n"] - occupation) <= max(2.0 * result.errors["n"], 1e-9 * occupation)
    assert result.edge_populations[0] <= 1e-9
    assert result.cutoffs[0] == result.steady.lindblad.dimension


def test_a_coarser_tolerance_needs_fewer_levels():
    fine, coarse = (grow(warm_cavity(5.0), [4], rtol=rtol) for rtol in (1e-10, 1e-3))
    assert coarse.cutoffs[0] < fine.cutoffs[0]
    assert abs(coarse.means["n"] - 5.0) <= 2e-2


def test_only_the_side_that_overflows_grows():
    def build(cutoffs):
        below, above = cutoffs
        system = rotor(below + above + 1, lowest=-below, coupling=1.0, damping=0.02)
        levels = below + above + 1
        low = [k * levels for k in range(4)]
        high = [k * levels + levels - 1 for k in range(4)]
        return Truncation(system.lindblad, [low, high], system.observables)

    result = grow(build, [30, 3], rtol=1e-8)
    below, above = result.cutoffs
    assert below <= 45 < 3 * above
    wide = rotor(161, lowest=-70, coupling=1.0, damping=0.02)
    exact = steady_state(wide.lindblad)
    for name, mean in result.means.items():
        assert mean == pytest.approx(exact.expect(wide.observables[name]), rel=1e-7)


def test_populations_without_bound_are_refused():
    def heated(cutoffs):
        a = lowering(cutoffs[0])
        return Truncation(Lindblad(a.T @ a, [a, 1.1 * a.T]), [[cutoffs[0] - 1]], {"n": a.T @ a})

    with pytest.raises(NotConverged, match=r"cutoffs had to grow to .* no bound"):
        grow(heated, [10], largest=500)


def kerr(cutoffs):
    """Two branches: a weakly excited one, and beyond nearly empty levels another."""
    (levels,) = cutoffs
    a = lowering(levels)
    n = a.T @ a
    H = -4.0 * n + 0.1 * (n @ n - n) + 4.0 * (a + a.T)
    return Truncation(Lindblad(H, [a]), [[levels - 1]], {"n": n})


def test_a_second_branch_behind_a_barrier_is_found():
    exact = steady_state(kerr([90]).lindblad, SparseLU()).expect(kerr([90]).observables["n"])
    result = grow(kerr, [8], rtol=1e-6, largest=60_000)
    assert result.means["n"] == pytest.approx(exact, abs=1e-8)
    assert abs(result.means["n"] - exact) <= result.errors["n"]
    assert result.cutoffs[0] > 81
    assert result.checked == result.cutoffs  # three times as much is too large


def test_means_are_compared_far_out():
    result = grow(warm_cavity(2.0), [4], rtol=1e-6)
    assert result.checked == (3 * result.cutoffs[0],)


def parametric(cutoffs):
    """A parametric drive above its threshold: the amplitude grows for ever."""
    (levels,) = cutoffs
    a = lowering(levels)
    H = 0.6j * (a.T @ a.T - a @ a)
    return Truncation(Lindblad(H, [a]), [[levels - 1]], {"n": a.T @ a})


def test_a_drive_above_threshold_is_refused_and_its_edge_named():
    message = r"cutoffs had to grow to .* edges that held \d.*e-0\d at \(\d+,\).* no bound"
    with pytest.raises(NotConverged, match=message):
        grow(parametric, [10], largest=20_000)
    begun = time.perf_counter()
    with pytest.raises(NotConverged):
        grow(parametric, [10])
    assert time.perf_counter() - begun < 60.0


def test_a_failure_on_the_way_names_the_cutoffs():
    def split(cutoffs):
        a = lowering(cutoffs[0])
        rate = a if cutoffs[0] < 6 else a @ a
        return Truncation(Lindblad(a.T @ a, [rate]), [[cutoffs[0] - 1]], {"n": a.T @ a})

    with pytest.raises(NotConverged, match=r"at cutoffs \(6,\), after edges .* 2 independent"):
        grow(split, [4])
    with pytest.raises(NoSteadyState, match="there are 2 independent"):
        grow(split, [7])


def test_a_model_without_observables_is_refused():
    with pytest.raises(InvalidArgument, match="`observables` must hold at least one matrix"):
        Truncation(kerr([4]).lindblad, [[3]], {})


def test_every_cutoff_needs_its_edge():
    def build(cutoffs):
        return Truncation(warm_cavity(0.1)(cutoffs[:1]).lindblad, [[0]], {"one": np.eye(4)})

    with pytest.raises(InvalidArgument, match="`edges` must hold one entry for each of 2 cutoffs"):
        grow(build, [4, 4])
    with pytest.raises(InvalidArgument, match="`first` must be at least 1"):
        grow(build, [0])


def test_an_observable_must_be_hermitian():
    def build(cutoffs):
        model = warm_cavity(0.1)(cutoffs)
        return Truncation(model.lindblad, model.edges, {"a": lowering(cutoffs[0])})

    with pytest.raises(InvalidArgument, match=r"`observables\['a'\]` must be Hermitian"):
        grow(build, [4])
