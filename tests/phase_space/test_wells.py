"""States that coexist: weights, barriers and rates against routes that share no code with them."""

import math
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import quad
from scipy.sparse.linalg import eigsh

from wheelwork.numerics.work import counted
from wheelwork.phase_space import FokkerPlanck, PhaseSpaceModel, find_wells

A, UNIT = 2.3, math.sqrt(2.0)  # of the friction below; x0 at m = ω0 = 1


def hard(size=5.0, friction=1e-3, scale=1.0):
    """Mean friction over circles of radius R: friction (1 − A r² + r⁴), r = R/size: hard at A > 2.

    Noise as of one quantum at rest. All energies times `scale`.
    """
    unit = UNIT / scale  # x0 where both mass and frequency are `scale`

    def gamma(x):
        r = x / unit / size
        return scale**2 * friction * (1.0 - 4.0 * A * r**2 + 8.0 * r**4)

    return PhaseSpaceModel.from_functions(
        force=lambda x: 0.0 * x,
        friction=gamma,
        diffusion=lambda x: 2.0 * scale**3 * friction + 0.0 * x,
        frequency=scale,
        mass=scale,
    )


def double_well(height=6.0, friction=0.01, tilt=0.1, mirror=1.0):
    """U/T = height ((x/4)² − 1)² + tilt x at T = 1."""

    def force(x):
        y = mirror * x
        return x - mirror * (4.0 * height * y / 16.0 * ((y / 4.0) ** 2 - 1.0) + tilt)

    return PhaseSpaceModel.from_functions(
        force=force,
        friction=lambda x: friction + 0.0 * x,
        diffusion=lambda x: 2.0 * friction + 0.0 * x,
    )


def slow_rate_on_circles(size, friction, cells):
    """Slowest rate of the diffusion in n = R², where ln w = −(n − A n²/2s² + n³/3s⁴), n/s² = r²."""
    edge = np.linspace(0.0, 2.6 * size**2, cells + 1)
    n = 0.5 * (edge[1:] + edge[:-1])

    def log_w(n):
        return -(n - A * n**2 / (2.0 * size**2) + n**3 / (3.0 * size**4))

    # ∂p/∂t = ∂_n [friction n w ∂_n (p/w)]: P² averages to n/2, with 4 d⟨P²⟩ = friction n
    width = edge[1] - edge[0]
    hop = friction * edge[1:-1] * np.exp(log_w(edge[1:-1])) / width**2
    w = np.exp(log_w(n))
    out = np.concatenate([[0.0], hop]) + np.concatenate([hop, [0.0]])
    side = hop / np.sqrt(w[1:] * w[:-1])
    operator = sp.diags_array([out / w, -side, -side], offsets=[0, 1, -1]).tocsc()
    shift = -1e-3 * friction / size**2
    return float(np.sort(eigsh(operator, k=2, sigma=shift, return_eigenvectors=False))[1])


@pytest.mark.parametrize("size", [4.0, 5.0, 6.0, 8.0])
def test_the_switching_rate_is_that_of_the_diffusion_in_energy(size):
    wells = find_wells(hard(size))
    error = wells[0].switching_rate_error / wells[0].switching_rate ** 2
    assert wells[0].lifetime_error == pytest.approx(error)
    coarse, fine = (slow_rate_on_circles(size, 1e-3, cells) for cells in (4000, 8000))
    exact = fine + (fine - coarse) / 3.0  # of second order in the width of cells
    found = float(np.sum(wells.rates))
    assert -2e-5 <= math.log(found / exact) <= wells[0].log_switching_rate_error
    assert wells[0].log_switching_rate_error < {4.0: 0.2, 5.0: 0.05, 6.0: 0.01, 8.0: 1e-3}[size]


def test_weights_and_barriers_are_integrals_of_w():
    size = 7.0
    wells = find_wells(hard(size))
    inner, outer = (A - math.sqrt(A**2 - 4.0)) / 2.0, (A + math.sqrt(A**2 - 4.0)) / 2.0

    def log_w(r2):
        return -(size**2) * (r2 - A * r2**2 / 2.0 + r2**3 / 3.0)

    masses = [quad(lambda y: math.exp(log_w(y)), *ends)[0] for ends in ((0.0, inner), (inner, 4.0))]
    assert [one.weight for one in wells] == pytest.approx(np.array(masses) / sum(masses), rel=1e-6)
    assert wells[0].barrier == pytest.approx(-log_w(inner), rel=1e-6)
    assert wells[1].barrier == pytest.approx(log_w(outer) - log_w(inner), rel=1e-6)
    assert wells[0].weight * wells.rates[0, 1] == pytest.approx(
        wells[1].weight * wells.rates[1, 0], rel=1e-12
    )
    assert wells.from_rest is wells[0]
    assert wells[0].phonon_number < 2.0 < wells[1].phonon_number


def test_the_rate_is_that_of_the_fokker_planck_equation():
    model = hard(5.0, friction=0.01)
    slowest = FokkerPlanck(1e-3).correlations(model).relaxation.slowest_rate
    wells = find_wells(model)
    assert abs(math.log(np.sum(wells.rates) / slowest)) <= wells[0].log_switching_rate_error < 0.03


# friction: slowest rate, by FokkerPlanck(1e-2).correlations on the plane (7 to 70 seconds each)
SLOWEST = {0.01: 5.818e-4, 0.1: 3.7804e-3, 0.3: 6.1891e-3, 1.0: 5.1491e-3}


@pytest.mark.parametrize("friction", SLOWEST)
def test_rates_between_minima_of_the_potential_hold_from_weak_to_strong_friction(friction):
    wells = find_wells(double_well(4.0, friction))
    error = math.log(np.sum(wells.rates) / SLOWEST[friction])
    assert abs(error) <= min(0.25, wells[0].log_switching_rate_error)


@pytest.mark.slow
def test_the_slow_rate_of_a_double_well_is_what_the_tests_say():
    rate = FokkerPlanck(1e-2).correlations(double_well(4.0, 1.0)).relaxation.slowest_rate
    assert rate == pytest.approx(SLOWEST[1.0], rel=0.01)


def test_minima_of_the_potential_have_their_boltzmann_weights_and_are_mirrored():
    wells, mirrored = find_wells(double_well()), find_wells(double_well(mirror=-1.0))
    x = np.linspace(-9.0, 9.0, 20001)
    density = np.exp(-(6.0 * ((x / 4.0) ** 2 - 1.0) ** 2 + 0.1 * x))
    right = np.sum(density[x > 0.0]) / np.sum(density)
    by_side = {one.X > 0.0: one for one in wells}
    # orbits that enclose both minima belong to one of them
    assert abs(by_side[True].weight - right) <= by_side[True].weight_error < 0.03
    assert [one.weight for one in mirrored] == pytest.approx([one.weight for one in wells])
    assert [one.X for one in mirrored] == pytest.approx([-one.X for one in wells])
    assert np.sum(mirrored.rates) == pytest.approx(np.sum(wells.rates))
    assert wells.from_rest is not None


def test_rest_on_a_ridge_is_in_no_well():
    wells = find_wells(double_well(tilt=0.0))
    assert [one.weight for one in wells] == pytest.approx([0.5, 0.5], abs=0.03)
    assert wells.from_rest is None


def test_rates_too_rare_for_floating_point_are_known_by_their_logarithm():
    wells = find_wells(hard(60.0))
    assert wells[1].switching_rate == 0.0
    assert wells[1].lifetime > 1e300
    larger = find_wells(hard(90.0))
    for k in (0, 1):  # barriers and ln of rates grow with the number of quanta
        assert larger[k].barrier == pytest.approx(2.25 * wells[k].barrier, rel=1e-5)
        assert larger[k].log_switching_rate == pytest.approx(
            2.25 * wells[k].log_switching_rate, rel=0.1
        )
    assert "e+" in repr(wells)


def test_one_state_is_all_there_is():
    free = PhaseSpaceModel.from_functions(
        force=lambda x: 0.0 * x,
        friction=lambda x: 0.01 + 0.0 * x,
        diffusion=lambda x: 0.1 + 0.0 * x,
    )
    (only,) = find_wells(free)
    assert (only.weight, only.barrier, only.switching_rate) == (1.0, math.inf, 0.0)
    assert only.phonon_number == pytest.approx(4.5, rel=1e-6)  # D/(2 m γ ω0) less one half
    assert only.contains_rest


@pytest.mark.parametrize("scale", [1e-24, 1e-9, 1e9, 1e15])
def test_wells_know_no_unit_of_energy(scale):
    with counted() as here:
        wells = find_wells(hard())
    with counted() as there:
        scaled = find_wells(hard(scale=scale))
    assert here == there
    for one, other in zip(wells, scaled, strict=True):
        assert other.weight == pytest.approx(one.weight, rel=1e-9)
        assert other.barrier == pytest.approx(one.barrier, rel=1e-9)
        assert other.switching_rate / scale == pytest.approx(one.switching_rate, rel=1e-8)


def test_wells_survive_pickling():
    wells = find_wells(hard())
    copy = pickle.loads(pickle.dumps(wells))
    assert tuple(copy) == tuple(wells)
    np.testing.assert_array_equal(copy.log_density, wells.log_density)
