"""Every dataset of a result can be written to a file and read back as it was."""

import numpy as np
import pytest
import xarray as xr
from public_objects import CHAIN, COARSE, DEVICE, OBJECTS, RUN, made

from wheelwork import sweeps

RESULTS = [name for name in OBJECTS if hasattr(made(name), "to_xarray")]
TAU, OMEGA = np.linspace(0.0, 50.0, 6), np.linspace(-1.0, 1.0, 7)
DATASETS = {
    **{name: made(name).to_xarray for name in RESULTS},
    "Response over axes": lambda: made("Response").to_xarray(TAU, OMEGA),
    "branch map": lambda: CHAIN.branch_map({"injection": [3.0, 4.0], "extraction": [6.0]}),
    "sweep": lambda: sweeps.sweep(DEVICE, {"bias": [0.0, 12.0]}, COARSE),
}
pytestmark = pytest.mark.filterwarnings("ignore::wheelwork.errors.WheelworkWarning")


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_survives_a_file(name, tmp_path):
    dataset = DATASETS[name]()
    dataset.to_netcdf(tmp_path / "one.nc")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "one.nc"), dataset)


@pytest.mark.parametrize("name", DATASETS)
def test_its_numbers_are_plain_and_errors_belong_to_them(name):
    dataset = DATASETS[name]()
    for key, variable in dataset.variables.items():
        assert variable.dtype.kind in "fiuOU"  # neither complex nor bool
        value = dataset.get(key.removesuffix("_error"), variable)
        if key.endswith("_error"):
            assert set(variable.dims) <= set(value.dims)
            assert variable.attrs.get("units", "") in ("", value.attrs.get("units"))


def test_what_it_computes_over_axes_is_what_its_methods_return():
    response, dataset = made("Response"), made("Response").to_xarray(TAU, OMEGA)
    np.testing.assert_array_equal(dataset["emission_imag"], response.emission(TAU).imag)
    np.testing.assert_array_equal(dataset["g2"], response.g2(TAU))
    np.testing.assert_array_equal(dataset["g2_error"], np.full(TAU.size, response.errors["g2"]))
    spectrum = response.emission_spectrum(OMEGA)
    np.testing.assert_array_equal(dataset["emission_spectrum"], spectrum)
    assert dataset["line_width"].item() == response.line.width
    assert set(dataset["check"].values) == set(response.audit)


def test_samples_keep_means_errors_and_checks():
    samples, dataset = made("Samples"), made("Samples").to_xarray()
    number = samples.moments["phonon_number"]
    assert (dataset["phonon_number"].item(), dataset["phonon_number_error"].item()) == number
    assert dataset.attrs["trajectories"] == RUN.trajectories
    assert bool(np.all(dataset["audit_ok"] == 1)) == samples.passed


def test_density_matrices_and_means_are_in_two_parts():
    steady, evolution = made("SteadyState"), made("lindblad.Evolution")
    dataset = steady.to_xarray()
    rho = dataset["density_matrix_real"].values + 1j * dataset["density_matrix_imag"].values
    np.testing.assert_array_equal(rho, steady.state.density_matrix)
    np.testing.assert_array_equal(evolution.to_xarray()["n"], evolution.means["n"])
