"""The time in which a power grid forgets a change, against motion in time."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import wheelwork as ww
from wheelwork.errors import InvalidArgument


def chain(sites, injection, extraction, damping=1e-3, **more):
    return ww.PowerGrid.chain(sites, injection, extraction, damping, **more)


def followed(branch, site, change=0.1):
    """Appendix F: the times at which δ|α|² is last 1e-5 and 1e-8, in time; the equations anew."""
    gain, loss, damping = 4.0, branch.machine.extraction, 1e-3
    N, omega = branch.amplitudes.size, branch.frequency

    def velocity(_, packed):
        a = packed.view(np.complex128)
        net = np.full(N, -0.5 * damping)
        net[0] += 0.5 * gain / (1.0 + abs(a[0]) ** 2) ** 2
        net[-1] -= 0.5 * loss / (1.0 + abs(a[-1]) ** 2) ** 2
        moved = (net + 1j * omega) * a
        moved[1:] += 0.5j * a[:-1]
        moved[:-1] += 0.5j * a[1:]
        return moved.view(np.float64)

    start = branch.amplitudes.copy()
    start[site] += change * start[site] / abs(start[site])
    times = np.arange(0.0, 500.0, 0.02)
    path = solve_ivp(
        velocity, (0.0, 500.0), start.view(np.float64), "DOP853", times, rtol=1e-12, atol=1e-13
    ).y.T
    n = np.abs(np.ascontiguousarray(path).view(np.complex128)[:, site]) ** 2
    off = np.abs(n - branch.occupation[site])
    first, last = (times[np.flatnonzero(off >= level)[-1]] for level in (1e-5, 1e-8))
    return (last - first) / math.log(1e3)


@pytest.mark.parametrize(("sites", "time"), [(4, 1476.0), (6, 1674.0), (8, 1739.0)])
def test_response_in_the_symmetric_phase(sites, time):
    """Γ_i = 4, Γ_e = 2: by the procedure of Appendix F."""
    branch = chain(sites, 4.0, 2.0).steady_state()[0]
    assert branch.response_time(0) == pytest.approx(time, rel=1.5e-3)
    slowest = -1.0 / branch.growth_rate
    assert 0.9 * slowest < branch.response_time(0) < slowest


@pytest.mark.parametrize(("sites", "site", "extraction"), [(4, 0, 6.0), (4, 3, 6.0), (3, 1, 9.0)])
def test_response_agrees_with_motion(sites, site, extraction):
    branch = chain(sites, 4.0, extraction).steady_state()[0]
    assert branch.stable
    assert branch.response_time(site) == pytest.approx(followed(branch, site), rel=0.02)


def test_response_near_the_transition():
    """Γ_e = 3.9: no mode is of the amplitudes alone, but the response has its time."""
    state = chain(6, 4.0, 3.9).steady_state()
    branch = state.stable_branches[0]
    assert branch.relaxation_times["amplitude"].size == 0
    slowest = -1.0 / branch.growth_rate
    assert 0.2 * slowest < branch.response_time(0) <= 1.01 * slowest


def test_what_has_no_response_time():
    state = chain(3, 4.0, 2.0).steady_state()
    unstable = next(branch for branch in state if not branch.stable)
    for branch, site in ((unstable, 0), (state[0], 7), (state[0], []), (state[0], "0")):
        with pytest.raises(InvalidArgument):
            branch.response_time(site)
    (rest,) = chain(3, 0.5, 1.0).steady_state().branches
    with pytest.raises(InvalidArgument, match="must carry quanta"):
        rest.response_time(1)
