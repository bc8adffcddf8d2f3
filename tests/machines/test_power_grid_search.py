"""Which branches a search finds, what it refuses, and maps that agree with it."""

import math

import networkx as nx
import numpy as np
import pytest

import wheelwork as ww
from wheelwork.errors import InvalidArgument, NoSteadyState
from wheelwork.machines.power_grid.model import amplitude_model, noisy_model
from wheelwork.oscillator_networks.newton import newton
from wheelwork.oscillator_networks.steady_states import distinct, random_amplitudes


def chain(sites, injection, extraction, **more):
    return ww.PowerGrid.chain(sites, injection, extraction, **{"damping": 1e-3} | more)


def test_motion_that_does_not_settle():
    """ν = 1, Γ_i = 4 (Huber and Rabl, Fig. 7): no branch is stable at Γ_e = 3.5."""
    machine = chain(10, 4.0, 3.5, damping=1e-2, exponent=1.0)
    state = machine.steady_state(ww.MeanField(trajectories=1, duration=2000.0))
    assert state.stable_branches == ()
    (motion,) = state.oscillations
    assert state.observables["motions"] == 1.0
    lost = motion.extracted + motion.dissipated
    assert motion.injected == pytest.approx(lost, rel=0.02)
    assert motion.extracted == pytest.approx(
        motion.current[(8, 9)] - 1e-2 * motion.occupation[9], rel=0.03
    )
    assert state.observables["extracted"] == motion.extracted
    assert motion.current.errors[0] < 0.3 * motion.current[(0, 1)]
    assert state.audit["no attractor"].ok
    without = machine.steady_state(ww.MeanField(trajectories=0))
    assert not without.audit["no attractor"].ok


@pytest.mark.parametrize(
    ("elements", "damping"),
    [
        ({"generators": {0: ww.Saturable(2.0, 1.0, 0.0)}, "engines": {1: ww.Saturable(0.5)}}, 1e-3),
        ({"generators": {0: ww.Saturable(2.0)}, "engines": {}}, 0.0),
        ({"generators": {0: ww.Saturable(2.0)}, "engines": {1: ww.Saturable(1.0)}}, 0.0),
    ],
)
def test_unbounded_amplitudes_are_refused(elements, damping):
    machine = ww.PowerGrid(nx.path_graph(2), damping=damping, **elements)
    with pytest.raises(NoSteadyState, match="amplitudes are unbounded"):
        machine.steady_state()


@pytest.mark.parametrize("sites", [2, 3, 6])
def test_a_continuum_of_states_is_said_to_be_one(sites):
    """γ = 0 and Γ_e = Γ_i: at any occupation gain and loss balance, and the whole chain rotates."""
    machine = chain(sites, 4.0, 4.0, damping=0.0)
    with pytest.raises(NoSteadyState, match="continuum of steady states"):
        machine.steady_state()
    assert chain(sites, 4.0, 4.0, damping=0.1).steady_state().branches


def test_the_states_of_the_continuum_are_steady():
    """α = √n (1, ie^{iφ}) with Γ f²(n) = g cos φ, for any n that allows it."""
    model = amplitude_model(chain(2, 4.0, 4.0, damping=0.0))
    for n in (1.5, 10.0, 400.0):
        cosine = 4.0 / (1.0 + n) ** 2
        sine = math.sqrt(1.0 - cosine**2)
        for side in (1.0, -1.0):
            alpha = math.sqrt(n) * np.array([1.0, 1j * (cosine + 1j * side * sine)])
            velocity = model.velocity(alpha)
            assert np.abs(velocity / alpha - (velocity / alpha)[0]).max() < 1e-12
            assert np.abs((velocity / alpha).real).max() < 1e-12


def test_undamped_but_bounded():
    """γ = 0 and Γ_e > Γ_i: the engine takes all, and holds the amplitudes."""
    branch = chain(2, 4.0, 8.0, damping=0.0).steady_state().branches[0]
    assert branch.injected == pytest.approx(branch.extracted, rel=1e-12)


def test_custom_elements_agree_with_saturable_ones():
    """The same rates as callables: slopes by differences, the search by starts."""

    def pair(rate, noisy):
        return (
            lambda n: rate / (1.0 + n) ** 2,
            lambda n: rate / (1.0 + n) ** 2 if noisy else 0.0 * n,
        )

    ours = chain(2, 6.0, 5.5)
    theirs = ww.PowerGrid(
        nx.path_graph(2),
        generators={0: pair(6.0, True)},
        engines={1: pair(5.5, False)},
        damping=1e-3,
    )
    n, noise = np.array([[0.0, 3.0], [2.0, 1e-3]]), noisy_model(ours).activity.noise
    for site, at_rest in enumerate((6.0, 0.0)):
        assert noisy_model(theirs).activity.noise(site, n) == pytest.approx(noise(site, n))
        assert noise(site, np.zeros(1)) == pytest.approx([at_rest])
    first, second = ours.steady_state(), theirs.steady_state()
    assert not second.exhaustive
    assert len(first.branches) == len(second.branches)
    for a, b in zip(first.branches, second.branches, strict=True):
        assert b.current[(0, 1)] == pytest.approx(a.current[(0, 1)], abs=1e-10)
        assert b.growth_rate == pytest.approx(a.growth_rate, abs=1e-7)


UNEVEN = ww.PowerGrid(
    nx.path_graph(4),
    generators={0: ww.Saturable(4.0, 2.0, 1.0)},
    engines={3: ww.Saturable(2.0, 0.5, 2.0)},
    damping=1e-2,
)


@pytest.mark.parametrize("machine", [chain(4, 4.0, 2.0), UNEVEN], ids=["alike", "uneven"])
def test_map_agrees_with_single_points(machine):
    values = {"injection": np.array([0.3, 2.0, 6.0]), "extraction": np.array([0.5, 5.5])}
    dataset = machine.branch_map(values)
    assert dataset.sizes["injection"] == 3
    for i, injection in enumerate(values["injection"]):
        for j, extraction in enumerate(values["extraction"]):
            state = machine.replace(injection=injection, extraction=extraction).steady_state()
            here = dataset.isel(injection=i, extraction=j)
            count = int(here["branches"])
            assert count == len(state.branches) - 1
            assert int(here["stable_branches"]) == sum(b.stable for b in state.branches[:-1])
            assert bool(here["rest_stable"]) == state.branches[-1].stable
            ours = np.sort([b.extracted for b in state.branches[:-1]])
            assert np.sort(here["extracted"].values[:count]) == pytest.approx(ours, abs=1e-9)
            for branch in state.branches[:-1]:
                k = int(
                    np.nanargmin(
                        np.abs(here["frequency"].values - branch.frequency)
                        + np.abs(here["extracted"].values - branch.extracted)
                    )
                )
                assert here["edge_current"].values[k] == pytest.approx(
                    branch.current.array, abs=1e-9
                )
                assert bool(here["stable"].values[k]) == branch.stable
            assert np.all(np.isnan(here["frequency"].values[count:]))


def two_elements(graph, gain, loss, damping, detunings):
    """gain, loss: (node, rate, saturation, exponent)."""
    return ww.PowerGrid(
        nx.Graph(graph),
        generators={gain[0]: ww.Saturable(*gain[1:])},
        engines={loss[0]: ww.Saturable(*loss[1:])},
        damping=damping,
        detuning=dict(enumerate(detunings)),
    )


RING = [(0, 1), (0, 5), (1, 2), (2, 3), (3, 4), (4, 5)]


HIDDEN = {  # each with states where a coarse look at the passive network sees nothing
    "narrow modes": two_elements(
        [(0, 1)], (1, 7.09, 1.6, 1.5), (0, 0.267, 1.84, 2.5), 0.0087, (-0.059, -0.013)
    ),
    "modes of a network with a held site": two_elements(
        [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4)],
        (2, 7.19, 1.48, 1.0),
        (1, 0.58, 0.85, 1.0),
        0.0888,
        (0.033, -0.166, -0.235, 0.225, 0.49),
    ),
    "few quanta": two_elements(
        RING, (4, 0.2755290, 1.13, 1.5), (3, 1.3039, 0.833, 2.5), 0.06966, [0.0] * 6
    ),
    "fewest quanta": two_elements(
        RING, (4, 2.8194, 1.13, 1.5), (3, 1.3039, 0.833, 2.5), 0.06966, [0.0] * 6
    ),
    "corner of what elements do": two_elements(
        [(j, j + 1) for j in range(5)],
        (1, 2.011, 1.193, 1.5),
        (4, 0.19275, 1.108, 2.5),
        0.00153,
        [0.0] * 6,
    ),
    "two states close by": two_elements(
        [(0, 2), (1, 2), (1, 4), (2, 4), (3, 4)],
        (1, 6.601, 1.094, 1.5),
        (0, 3.057, 1.673, 1.0),
        0.01784,
        [0.0] * 5,
    ),
}


@pytest.mark.parametrize("name", list(HIDDEN))
def test_an_exhaustive_search_finds_what_random_starts_find(name):
    machine = HIDDEN[name]
    state = machine.steady_state(ww.MeanField(trajectories=0))
    assert state.exhaustive
    random, model = np.random.default_rng(1), machine.amplitude_model
    starts = [random_amplitudes(model, 300, scale, random) for scale in (0.01, 1.0, 30.0)]
    met = newton(model, *(np.concatenate(each) for each in zip(*starts, strict=True)), 60)
    size = np.linalg.norm(met.amplitudes, axis=1)
    met = distinct(met.chosen((met.error <= 1e-9 * size) & (size > 1e-6)), 10.0)
    assert len(met) > 1
    known = np.array([[b.frequency, np.linalg.norm(b.amplitudes)] for b in state.branches[:-1]])
    for frequency, amplitudes in zip(met.frequency, met.amplitudes, strict=True):
        here = frequency, np.linalg.norm(amplitudes)
        assert np.min(np.max(np.abs(known - here), axis=1)) < 1e-5, here


def test_map_over_the_network_itself():
    """A parameter of the network asks for a new curve at each value."""
    machine = chain(3, 4.0, 6.0)
    dataset = machine.branch_map({"coupling": [0.5, 1.0], "damping": [1e-3, 0.1]})
    for g in (0.5, 1.0):
        for damping in (1e-3, 0.1):
            state = machine.replace(coupling=g, damping=damping).steady_state()
            here = dataset.sel(coupling=g, damping=damping)
            ours = np.sort([b.extracted for b in state.branches[:-1]])
            count = int(here["branches"])
            assert np.sort(here["extracted"].values[:count]) == pytest.approx(ours, abs=1e-9)
    with pytest.raises(InvalidArgument, match="must name two parameters"):
        machine.branch_map({"coupling": [1.0]})
