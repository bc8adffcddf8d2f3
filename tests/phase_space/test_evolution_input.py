"""What an evolution refuses, and what it cannot do, said with numbers."""

import numpy as np
import pytest
from phase_space_systems import constant, damped_oscillator

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.phase_space import PhaseSpaceModel
from wheelwork.phase_space.evolution.evolve import evolve
from wheelwork.states import Cat, Coherent, Ground, Thermal

MODEL = damped_oscillator(0.3, 1.2)


@pytest.mark.parametrize(
    ("schedule", "times", "message"),
    [
        ([(0.0, MODEL)], [1.0, 1.0], "`times` must increase"),
        ([(0.0, MODEL)], [-1.0, 1.0], "`times` must not be before the schedule starts at 0"),
        ([(2.0, MODEL)], [1.0, 3.0], "must not be before the schedule starts at 2, but is 1"),
        ([(0.0, MODEL)], [], "`times` must hold at least one time"),
        ([(0.0, MODEL)], [np.nan], "`times` must be finite"),
        ([(0.0, MODEL)], 1.0, r"`times` must have 1 dimension"),
        ([], [1.0], "`schedule` must hold at least one model"),
        ([(-1.0, MODEL)], [1.0], "`start` must not be negative"),
        ([(0.0, MODEL), (0.0, MODEL)], [1.0], "`schedule` must be in order of time"),
        ([MODEL], [1.0], r"`schedule` must hold pairs \(start, model\)"),
        ([(0.0, "model")], [1.0], "`schedule` must hold models of phase space"),
        (
            [(0.0, MODEL), (1.0, damped_oscillator(frequency=2.0))],
            [2.0],
            r"`schedule` must keep the same frequency, but has \[1.0, 2.0\]",
        ),
        (
            [(0.0, MODEL), (1.0, damped_oscillator(mass=2.0))],
            [2.0],
            r"`schedule` must keep the same mass, but has \[1.0, 2.0\]",
        ),
    ],
)
def test_bad_schedules_and_times(schedule, times, message):
    with pytest.raises(InvalidArgument, match=message):
        evolve(schedule, Ground(), times)


@pytest.mark.parametrize("rtol", [0.0, 1.0, 1e-13, "small"])
def test_bad_tolerances(rtol):
    with pytest.raises(InvalidArgument, match="`rtol` must"):
        evolve([(0.0, MODEL)], Ground(), [1.0], rtol)


def test_a_state_must_be_one():
    with pytest.raises(InvalidArgument, match=r"`initial` must be a state such as Ground\(\)"):
        evolve([(0.0, MODEL)], "ground", [1.0])


@pytest.mark.parametrize("state", [Cat(40.0), Coherent(1e6), Thermal(1e9)])
def test_a_state_too_large_for_any_mesh(state):
    with pytest.raises(InvalidArgument, match=r"`initial` must fit a mesh of 2048² points"):
        evolve([(0.0, MODEL)], state, [1.0])


def test_negative_diffusion_is_refused():
    model = PhaseSpaceModel.from_functions(
        force=constant(0.0), friction=constant(0.1), diffusion=lambda x: 1.0 - x
    )
    with pytest.raises(InvalidArgument, match="`diffusion` must not be negative, but is -"):
        evolve([(0.0, model)], Ground(), [1.0])


def test_running_away_names_the_time():
    with pytest.raises(NotConverged, match=r"at time \d+.* the state reaches \|x\| = 1\d\d\d"):
        evolve([(0.0, damped_oscillator(-0.1, 0.2))], Thermal(1e4), [1000.0], rtol=1e-2)


def test_a_state_that_leaves_where_the_model_is_known():
    def coefficients(x):
        if np.max(np.abs(x)) > 8.0:
            raise NoSteadyState("the band ends at |x| = 8")
        return np.stack([0.0 * x, -0.2 + 0.0 * x, 0.5 + 0.0 * x])

    with pytest.raises(NotConverged, match="the model has no coefficients: the band ends"):
        evolve([(0.0, PhaseSpaceModel(coefficients))], Ground(), [100.0], rtol=1e-4)


def test_structure_finer_than_any_mesh():
    """Shear without noise winds W up without end."""
    model = PhaseSpaceModel.from_functions(
        force=lambda x: -0.3 * x**3, friction=constant(0.0), diffusion=constant(0.0)
    )
    with pytest.raises(NotConverged, match=r"at time \d+.* needs a mesh of \d+² points"):
        evolve([(0.0, model)], Coherent(2.5), [1000.0], rtol=1e-1)


def test_rounding_is_said_to_be_the_limit():
    with pytest.raises(NotConverged, match="rtol = 1e-12 is out of reach: at time"):
        evolve([(0.0, damped_oscillator(0.1, 0.4))], Coherent(1.0), [100.0], rtol=1e-12)
