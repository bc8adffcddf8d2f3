"""What equations, states and results print: their size, and their numbers with errors."""

import numpy as np
from open_systems import jaynes_cummings, lowering

from wheelwork.lindblad import (
    Lindblad,
    Truncation,
    counting_statistics,
    evolve,
    grow,
    sample_jumps,
    steady_state,
)
from wheelwork.lindblad.graded import GradedLindblad, Link
from wheelwork.lindblad.graded import steady_state as graded_steady_state

SYSTEM = jaynes_cummings(4)


def test_an_equation_prints_its_size():
    assert repr(SYSTEM.lindblad) == "Lindblad(8 levels, 3 jumps)"


def test_a_steady_state_prints_its_accuracy():
    steady = steady_state(SYSTEM.lindblad)
    unknowns = steady.sector.size
    assert repr(steady.sector) == f"Sector({unknowns} unknowns of 8 levels)"
    assert repr(steady).startswith(f"SteadyState(8 levels, {unknowns} unknowns, error ")
    rho = steady.state.density_matrix
    assert abs(steady.state.purity - np.trace(rho @ rho).real) < 1e-14
    assert repr(steady.state) == f"State(8 levels, trace 1, purity {steady.state.purity:.6g})"


def test_an_evolution_prints_its_times_and_means():
    evolution = evolve(SYSTEM.lindblad, SYSTEM.start, [0.5, 1.0], observables=SYSTEM.observables)
    assert repr(evolution).startswith("Evolution(2 times to 1, ")
    assert "means of n, up, flow" in repr(evolution)


def test_samples_and_counts_print_numbers_with_errors():
    samples = sample_jumps(
        SYSTEM.lindblad, SYSTEM.start, [0.0, 1.0], observables=SYSTEM.observables, trajectories=4
    )
    assert repr(samples).startswith("JumpSamples(4 trajectories, 2 times, n = ")
    assert "±" in repr(samples)
    assert samples._repr_html_().count("<tr>") == 1 + len(SYSTEM.observables)
    counts = counting_statistics(steady_state(SYSTEM.lindblad), [1.0, -1.0, 0.0], order=3)
    assert repr(counts).startswith("CountingStatistics(cumulants per time ")
    assert counts._repr_html_().count("<tr>") == 4


def test_a_grown_truncation_prints_means_and_cutoffs():
    def warm_cavity(cutoffs):
        a = lowering(cutoffs[0])
        n = a.T @ a
        return Truncation(Lindblad(n, [a, 0.3 * a.T]), [[cutoffs[0] - 1]], {"n": n})

    grown = grow(warm_cavity, [4])
    assert repr(warm_cavity([4])) == "Truncation(Lindblad(4 levels, 2 jumps), 1 cutoffs: n)"
    assert repr(grown).startswith(f"GrownTruncation(cutoffs {grown.cutoffs}, n = ")
    assert "<b>GrownTruncation, cutoffs" in grown._repr_html_()


def test_graded_equations_print_their_size():
    link = Link(np.array([0]), np.ones((1, 1)), np.full((1, 1), 0.5))
    equation = GradedLindblad((np.zeros((1, 1)), np.zeros((1, 1))), ((link,),))
    shown = "GradedLindblad(charges 0 to 1, 2 real unknowns)"
    assert repr(equation) == shown
    assert repr(graded_steady_state(equation)).startswith(f"GradedSteadyState(of {shown}, error ")
