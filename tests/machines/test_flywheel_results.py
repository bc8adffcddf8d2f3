"""What a flywheel's results offer alike: labels, errors, datasets, reasons, short printouts."""

import pickle

import numpy as np
import pytest

import wheelwork as ww
from wheelwork import states, thermodynamics
from wheelwork.errors import NotConverged
from wheelwork.machines.flywheel import accuracy

LONGEST_PRINTOUT = 1500


@pytest.fixture(scope="module")
def device():
    return ww.Flywheel.paper(bias=12.0)


@pytest.fixture(scope="module")
def state(device):
    return device.steady_state()


@pytest.fixture(scope="module")
def run(device):
    return device.evolve(ww.Coherent(1.0), [0.0, 10.0, 20.0])


@pytest.fixture(scope="module")
def results(state, run):
    return {"steady state": state, "snapshot": run[1]}


@pytest.mark.parametrize("kind", ["steady state", "snapshot"])
def test_labels_observables_errors_and_dataset_agree(results, kind):
    result = results[kind]
    dataset, labels = result.to_xarray(), result.labels()
    assert list(result.observables) == list(labels) == list(result.by_name)
    assert set(result.errors) == set(labels)  # of everything, where nothing is missing
    assert result.missing == {}
    for name, (symbol, unit, meaning) in labels.items():
        assert dataset[name].attrs == {"symbol": symbol, "units": unit, "long_name": meaning}
        assert dataset[name].item() == result.observables[name] == result.value(name)
        assert dataset[f"{name}_error"].item() == result.errors[name] == result.error(name)
    for name in set(labels) & set(result.declared):
        assert result.observables[name] == getattr(result, name)
    assert dataset["wigner"].dims == ("x", "p")
    np.testing.assert_array_equal(dataset["population"], result.fock.populations)


def test_steady_states_and_snapshots_share_their_declarations(state, run):
    shared = set(state.labels()) - {"ring_radius", "rest_weight", "rest_phonon_number"}
    assert shared == set(run[0].labels()) - {"position", "momentum", "charging_power"}
    assert {name: state.labels()[name] for name in shared} == {
        name: run[0].labels()[name] for name in shared
    }


def test_a_machine_labels_its_parameters_and_observables(device, state):
    assert {"leads", "level", "frequency", "mass", "force", "temperature"} <= set(device.labels)
    assert {"bias", "mean_potential", "coupling"} <= set(device.labels)
    assert set(state.observables) <= set(device.labels)


def test_an_evolution_has_every_observable_against_time(run):
    dataset = run.to_xarray()
    for name in run[0].labels():
        values = getattr(run, name)
        np.testing.assert_array_equal(values, [one.observables[name] for one in run])
        np.testing.assert_array_equal(dataset[name], values)
        np.testing.assert_array_equal(dataset[f"{name}_error"], run.errors[name])
    assert dataset["bias"].attrs["units"] == "energy"


def test_the_energy_of_an_evolution_needs_no_density_matrix(device):
    run = device.evolve(ww.Coherent(1.0), [0.0, 10.0])
    assert run.energy.size == run.particle_current.size == 2
    assert not any({"fock", "stored_work"} & vars(one).keys() for one in run)


def test_currents_are_mappings_by_lead(state, run):
    for result in (state, run[1]):
        assert list(result.heat_currents) == list(result.particle_currents) == [0, 1]
        assert result.particle_currents[0] == result.particle_current
        for i, lead in enumerate(result.machine.leads):
            work = lead.chemical_potential * result.particle_currents[i]
            assert result.heat_currents[i] == pytest.approx(result.energy_currents[i] - work)


def test_currents_at_fixed_positions_conserve_energy_at_every_time(run):
    for one in run:
        total = sum(one.heat_currents.values()) + one.electrical_power
        assert total == pytest.approx(0.0, abs=1e-9)


def test_an_evolution_audits_the_worst_of_its_snapshots(run):
    for name in run.audit.keys() - run.validity.keys():
        assert run.audit[name].value == max(one.audit[name].value for one in run)
    assert all(one.passed for one in run)


def test_what_is_missing_has_a_reason(device):
    shape = ww.Lorentzian(2.0, 0.5, 1.0)
    leads = (ww.Lead(1.0, 1.0, shape), ww.Lead(-1.0, 2.0, ww.WideBand(1.0)))
    state = ww.Flywheel(leads, force=0.05).steady_state(ww.FokkerPlanck(1e-3))
    assert list(state.missing) == ["free_energy_gain"]
    assert "`temperature` must be given" in state.missing["free_energy_gain"]
    [ground] = device.evolve(ww.Ground(), [0.0])
    assert "within its error" in ground.missing["g2"]
    with pytest.raises(NotConverged, match="within its error"):
        _ = ground.g2


def test_a_state_of_too_many_levels_is_exported_without_populations():
    state = ww.Flywheel.paper(12.0, force=0.003).steady_state(ww.EnergyDiffusion(1e-4))
    assert {"entropy", "ergotropy", "free_energy_gain"} <= state.missing.keys()
    assert all("Fock levels" in reason for reason in state.missing.values())
    assert not state.missing.keys() & state.errors.keys()
    assert "population" not in state.to_xarray()
    assert "ergotropy = nan" in repr(state)


def test_printouts_are_short(device, state, run):
    for thing in (device, state, run, run[1]):
        assert len(repr(thing)) < LONGEST_PRINTOUT / 2, type(thing).__name__
        assert len(thing._repr_html_()) < LONGEST_PRINTOUT
        assert repr(thing).startswith(type(thing).__name__)
    assert "bias 12" in repr(device)
    assert "ergotropy = 0.5307903 ± 6e-07" in repr(state)
    assert "all 15 checks hold" in repr(state)
    assert "at t = 10" in repr(run[1])


def test_results_can_be_pickled(state, run):
    assert state.ergotropy
    assert state.audit
    again = pickle.loads(pickle.dumps(state))
    assert again.observables == state.observables
    assert again.machine == state.machine
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(run)).entropy, run.entropy)


def test_derived_parameters_can_be_replaced(device):
    moved = device.replace(bias=4.0, mean_potential=1.0, coupling=0.2, mass=2.0)
    assert [lead.chemical_potential for lead in moved.leads] == [3.0, -1.0]
    assert (moved.bias, moved.mean_potential, moved.mass) == (4.0, 1.0, 2.0)
    assert moved.coupling == pytest.approx(0.2)
    with pytest.raises(ww.errors.InvalidArgument, match="`coupling` must not be given together"):
        device.replace(force=0.1, coupling=0.1)
    with pytest.raises(ww.errors.InvalidArgument, match="`coupling` must be a real number"):
        device.replace(coupling="strong")


def test_work_where_not_all_levels_are_mixed_is_that_of_the_whole_density_matrix(state):
    full = np.linalg.eigvalsh(state.density_matrix)[::-1]
    mixed, outermost = state.fock._mixed
    assert mixed < 0.8 * state.fock.levels
    assert outermost < len(state.fock.diagonals) - 1
    share = 0.1 * accuracy.FOCK_SHARE * state.method.rtol
    entropy = thermodynamics.spectral_entropy(np.maximum(full, 0.0))
    assert state.entropy == pytest.approx(entropy, rel=share)
    energies = state.stored_work.energies
    ergotropy = thermodynamics.spectral_ergotropy(full, state.fock.populations, energies)
    assert state.ergotropy == pytest.approx(ergotropy, abs=share * state.energy)


@pytest.mark.parametrize("bias", [0.0, 12.0])
def test_diagonals_from_few_radii_are_those_from_many(bias):
    state = ww.Flywheel.paper(bias).steady_state()
    distribution, fock = state.solution.distribution, state.fock
    radius = min(distribution.extent, np.sqrt(fock.levels) + 4.0)
    mesh = states.radial_mesh(radius, fock.levels)
    theta = 2.0 * np.pi / 64 * np.arange(64)
    r = mesh.radius[:, None]
    W = distribution.density(r * np.cos(theta), r * np.sin(theta))
    components = np.fft.rfft(W, axis=1, norm="forward").T[: len(fock.diagonals)]
    exact = states.density_matrix_from_harmonics(components, mesh, fock.levels)
    present = np.any(fock.diagonals != 0.0, axis=1)
    np.testing.assert_allclose(fock.diagonals[present], exact[present], rtol=0, atol=1e-11)
