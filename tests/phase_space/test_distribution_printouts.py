"""Printouts of results: short, whatever the arrays behind them."""

import numpy as np
import pytest
from phase_space_systems import damped_oscillator

from wheelwork.phase_space import EnergyDiffusion, FokkerPlanck
from wheelwork.states import Cat, FromDensityMatrix, Ground

LONGEST = 200  # characters


@pytest.fixture(scope="module")
def model():
    return damped_oscillator(friction=0.01, diffusion=0.1)


def test_a_stationary_state_prints_its_moments_with_errors(model):
    state = FokkerPlanck().solve(model)
    assert repr(state).startswith("Stationary(phonon_number=")
    assert "±" in repr(state)
    for part in (state, state.distribution, state.distribution.nodes, state.rates, model):
        assert len(repr(part)) < LONGEST


def test_an_orbit_average_prints_like_the_full_solution(model):
    assert repr(EnergyDiffusion().solve(model)).startswith("Stationary(phonon_number=")


def test_a_response_prints_its_line_also_as_a_table(model):
    response = FokkerPlanck().correlations(model)
    assert "line_width=" in repr(response)
    assert len(repr(response)) < LONGEST
    assert "<th>line_width</th>" in response._repr_html_()


def test_an_evolution_prints_its_times(model):
    evolution = FokkerPlanck().evolve([(0.0, model)], Ground(), [0.0, 1.0, 2.0])
    assert repr(evolution).startswith("Evolution(<3 times from 0 to 2")
    assert repr(evolution.snapshots[-1]).startswith("Snapshot(time=2, phonon_number=")
    assert len(repr(evolution.snapshots[-1].field)) < LONGEST


def test_initial_states_print_what_makes_them():
    assert repr(Cat(2.0)) == "Cat(amplitude=(2+0j), phase=0.0)"
    assert repr(FromDensityMatrix(np.eye(30) / 30)) == "FromDensityMatrix(<30 levels>)"
