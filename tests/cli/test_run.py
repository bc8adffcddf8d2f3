"""Carrying out a job: what is written, what is said, and that nothing is lost."""

import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from wheelwork.cli.progress_bar import shown
from wheelwork.cli.report import print_report
from wheelwork.cli.run import run
from wheelwork.errors import InvalidArgument, NotConverged, ValidityWarning
from wheelwork.numerics.work import tick
from wheelwork.papers.culhane_2022 import PRESENTATION


@pytest.fixture
def carry_out():
    """Run a job; return its exit code and what it printed."""

    def go(job):
        out = Console(width=100, file=io.StringIO())
        code = run(job, out, Console(file=io.StringIO()))
        return code, out.file.getvalue()

    return go


@pytest.fixture
def read():
    def load(job, name="flywheel.nc"):
        with xr.open_dataset(job.folder / name) as dataset:
            return dataset.load()

    return load


def interrupt_at(bias):
    def before(machine):
        if machine.bias == bias:
            raise KeyboardInterrupt

    return before


def test_a_finished_job_leaves_data_and_figures_and_no_scraps(job, carry_out, read):
    code, text = carry_out(job())
    assert code == 0
    assert sorted(path.name for path in job().folder.iterdir()) == [
        "flywheel.nc", "flywheel.pdf", "flywheel.png",
    ]  # fmt: skip
    dataset = read(job())
    np.testing.assert_array_equal(dataset.phonon_number, [1, 2, 3, 5])
    assert float(dataset.threshold) == 3.0
    assert dataset.attrs["complete"] == 1
    assert "threshold: bias = 3," in text
    assert "all 1 checks passed at 4 points" in text
    assert "flywheel.nc" in text


def test_the_wigner_functions_are_normalised_and_at_values_of_the_sweep(job, carry_out, read):
    carry_out(job())
    dataset = read(job())
    assert dataset.wigner.dims == ("wigner_bias", "x", "p")
    assert dataset.wigner_bias.values.tolist() == [0.0, 4.0]  # nothing between threshold and last
    norm = dataset.wigner.integrate("x").integrate("p")
    np.testing.assert_allclose(norm, 1.0, atol=1e-3)
    assert (float(dataset.x0), float(dataset.p0)) == (1.5, 0.5)


def test_units_of_energy_take_the_name_chosen(job, carry_out, read):
    carry_out(job(energy_unit="meV"))
    dataset = read(job())
    assert dataset.energy.attrs["units"] == "meV"
    assert dataset.bias.attrs["units"] == "meV"


def test_ctrl_c_keeps_and_writes_what_is_done(job, oscillator, carry_out, read):
    interrupted = job(oscillator(before=interrupt_at(2.0)))
    code, text = carry_out(interrupted)
    assert code == 130
    assert "interrupted: 2 of 4 points done and kept" in text
    dataset = read(interrupted)
    np.testing.assert_array_equal(dataset.phonon_number, [1, 2, np.nan, np.nan])
    assert dataset.attrs["complete"] == 0
    assert (interrupted.folder / "flywheel.png").exists()


def test_ctrl_c_does_not_replace_an_earlier_result(job, oscillator, carry_out, read):
    carry_out(job())
    interrupted = job(oscillator(before=interrupt_at(2.0)))
    assert carry_out(interrupted)[0] == 130
    assert read(interrupted).attrs["complete"] == 1
    assert read(interrupted, "flywheel-partial.nc").attrs["complete"] == 0


def test_ctrl_c_after_the_sweep_keeps_the_sweep(job, oscillator, carry_out, read):
    seen = []

    def before(machine):
        seen.append(machine.bias)
        if len(seen) > 4:  # the four points are done: this is a Wigner function
            raise KeyboardInterrupt

    code, _ = carry_out(job(oscillator(before=before)))
    assert code == 130
    np.testing.assert_array_equal(read(job()).phonon_number, [1, 2, 3, 5])


def test_ctrl_c_at_once_writes_nothing_and_says_so(job, oscillator, carry_out):
    code, text = carry_out(job(oscillator(before=interrupt_at(0.0))))
    assert code == 130
    assert "nothing written" in text
    assert list(job().folder.iterdir()) == []


def test_a_failed_point_is_told_and_changes_the_exit_code(job, oscillator, carry_out, read):
    def before(machine):
        if machine.bias == 1.0:
            raise NotConverged("the mesh ran out at 512 points")

    code, text = carry_out(job(oscillator(before=before)))
    assert code == 1
    assert "no result at bias = 1: NotConverged: the mesh ran out at 512 points" in text
    np.testing.assert_array_equal(read(job()).phonon_number, [1, np.nan, 3, 5])


def test_all_points_failed_still_reports(job, oscillator, carry_out):
    def before(machine):
        raise NotConverged("no luck")

    code, text = carry_out(job(oscillator(before=before)))
    assert code == 1
    assert "no luck" in text


def test_a_failed_check_is_named_with_its_worst_place(job, carry_out):
    code, text = carry_out(job(values=(0.0, 6.0, 8.0, 2.0)))
    assert code == 0
    assert "edge_probability fails at 2 point(s), worst 8e-09 against 5e-09 at bias = 8" in text


def test_no_threshold_in_range_is_said(job, oscillator, carry_out):
    _, text = carry_out(job(oscillator(threshold=99.0)))
    assert "threshold: none found (no sign change between 0.0 and 4.0)" in text


def test_the_table_is_short_for_a_long_sweep(job, carry_out):
    _, text = carry_out(job(values=np.linspace(0, 4, 65)))
    rows = [line for line in text.splitlines() if line.rstrip().endswith(" ok")]
    assert len(rows) == 17


@pytest.mark.parametrize("where", ["file/below", "file"])
def test_an_unwritable_folder_is_found_before_computing(
    job, oscillator, carry_out, tmp_path, where
):
    (tmp_path / "file").write_text("in the way")

    def never(machine):
        raise AssertionError("computed")

    bad = replace(job(oscillator(before=never)), folder=tmp_path / where)
    with pytest.raises(InvalidArgument, match=r"`--out` must be a writable folder, but is .*file"):
        carry_out(bad)


def test_a_folder_in_the_way_of_a_file_is_found_before_computing(job, carry_out):
    (job().folder / "flywheel.nc").mkdir(parents=True)
    with pytest.raises(InvalidArgument, match=r"leave room for flywheel\.nc"):
        carry_out(job())


def test_a_failing_writer_leaves_the_old_file(job, carry_out, read, monkeypatch):
    carry_out(job())

    def half(self, path, **options):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", half)
    with pytest.raises(OSError, match="disk full"):
        carry_out(job())
    assert read(job()).attrs["complete"] == 1
    assert not list(job().folder.glob(".*"))


def test_repeated_messages_are_cut_short(job, oscillator, carry_out):
    def before(machine):
        warnings.warn(f"stretched at {machine.bias}", ValidityWarning, stacklevel=1)
        if machine.bias > 1:
            raise NotConverged(f"failed at {machine.bias}")

    _, text = carry_out(job(oscillator(before=before), values=np.linspace(0, 20, 21)))
    assert text.count("warning at bias = ") == 5
    assert "warning at bias = 3: stretched at 3.0" in text
    assert text.count("NotConverged: failed at") == 5
    assert "... and 16 more of this kind" in text
    assert "... and 14 more of this kind" in text


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "`temperature` must be given (...): the baths differ in temperature",
            "the baths differ in temperature; [device] temperature names the bath's",
        ),
        ("the density matrix would need 9000 Fock levels",) * 2,
    ],
)
def test_a_missing_free_energy_is_explained(reason, told):
    dataset = xr.Dataset(
        {
            "free_energy_gain": ("bias", [1.0, np.nan]),
            "free_energy_gain_missing": ("bias", np.array(["", reason], dtype=object)),
            "failure": ("bias", ["", ""]),
            "audit_passed": ("bias", [1, 1]),
        },
        coords={"bias": [0.0, 1.0]},
    )
    out = Console(width=100, file=io.StringIO())
    print_report(out, dataset, PRESENTATION, [], [])
    assert f"W_F: none at 1 point(s): {told}" in out.file.getvalue()


# ------------------------------------------------------------------ points that fall short


def test_numbers_that_did_not_converge_are_in_brackets(job, oscillator, carry_out, read):
    def before(machine):
        if machine.bias in (1.0, 2.0):
            partial = replace(machine, before=lambda machine: None).steady_state()
            raise NotConverged("too noisy", partial if machine.bias == 1.0 else None)

    code, text = carry_out(job(oscillator(before=before)))
    assert code == 1
    assert "not converged at bias = 1: NotConverged: too noisy" in text
    assert "no result at bias = 2: NotConverged: too noisy" in text
    assert "numbers in brackets have not converged" in text
    row = next(line for line in text.splitlines() if line.strip().startswith("1 "))
    assert row.split()[1] == "(2)"
    assert "not converged" in row
    dataset = read(job())
    np.testing.assert_array_equal(dataset.phonon_number, [1, 2, np.nan, 5])
    assert dataset.audit_passed.values.tolist() == [1, 0, -1, 1]


def test_a_job_of_partial_results_alone_is_drawn(job, oscillator, carry_out):
    def before(machine):
        partial = replace(machine, before=lambda machine: None).steady_state()
        raise NotConverged("too noisy", partial)

    code, _ = carry_out(job(oscillator(before=before)))
    assert code == 1
    assert (job().folder / "flywheel.png").exists()


def test_a_sweep_is_kept_where_nothing_else_can_be_computed(job, carry_out, read):
    def complete(*_):
        raise ZeroDivisionError("of what is shown besides")

    whole = job()
    presentation = replace(PRESENTATION, complete=complete)
    code, text = carry_out(replace(whole, run=replace(whole.run, presentation=presentation)))
    assert code == 0
    assert "warning: only the sweep itself is shown: ZeroDivisionError: of what is" in text
    np.testing.assert_array_equal(read(whole).phonon_number, [1, 2, 3, 5])


def test_the_bar_shows_what_the_solver_does():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with shown(console, "flywheel: bias", 2):
        tick("plane, meshes", 3, 8)
    assert "plane, meshes, 3 of 8" in screen.getvalue()
