"""`collect` writes what `run` and `resume` write."""

import json
from pathlib import Path

import pytest
import xarray as xr

from wheelwork.cli import main
from wheelwork.papers import leitch_2024
from wheelwork.sweeps.export import same_numbers

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def flywheel(tmp_path):
    """Options of a job with a threshold and Wigner functions."""
    out, store = tmp_path / "out", tmp_path / "store"
    options = ["--points", "3", "--bias-max", "24", "--rtol", "1e-3", "--out", str(out)]
    return ["flywheel", *options, "--store", str(store), "--quiet"]


def written(path):
    with xr.open_dataset(path) as dataset:
        return dataset.load()


def written_by_all(job, folder):
    """What run, resume and collect write for a job of which the store is in `folder`."""
    store = folder / "store"
    assert main(["run", *job]) == 0
    (ran,) = (folder / "out").glob("*.nc")
    assert main(["resume", str(store), "--out", str(folder / "again"), "--quiet"]) == 0
    assert main(["collect", str(store)]) == 0
    return [written(path) for path in (ran, folder / "again" / ran.name, folder / "store.nc")]


def test_threshold_and_wigner_functions_are_collected(flywheel, tmp_path, capsys):
    ran, resumed, collected = written_by_all(flywheel, tmp_path)
    assert {"threshold", "wigner", "x0"} <= set(ran.variables)
    assert same_numbers(ran, resumed)
    assert same_numbers(ran, collected)
    assert capsys.readouterr().err == ""


def test_boundaries_of_a_file_with_units_are_collected(tmp_path, monkeypatch):
    monkeypatch.setattr(leitch_2024, "ASYMMETRIES", leitch_2024.ASYMMETRIES[:2])
    file = tmp_path / "rotor.toml"
    text = (EXAMPLES / "rotor.toml").read_text().replace("points = 89", "points = 2")
    file.write_text(text)
    out, store = str(tmp_path / "out"), str(tmp_path / "store")
    job = [str(file), "--out", out, "--store", store, "--quiet"]
    ran, resumed, collected = written_by_all(job, tmp_path)
    assert {"work_vanishes", "heat_rectification"} <= set(ran.variables)
    assert same_numbers(ran, resumed)
    assert same_numbers(ran, collected)


def test_a_part_of_a_sweep_is_collected_without_what_follows_from_the_whole(flywheel, tmp_path):
    assert main(["run", *flywheel, "--shard", "1/3"]) == 0
    assert main(["collect", str(tmp_path / "store"), "--partial"]) == 0
    collected = written(tmp_path / "store.nc")
    assert collected.attrs["complete"] == 0
    assert "threshold" not in collected


def test_of_a_store_by_other_code_the_points_are_collected(flywheel, tmp_path, capsys, monkeypatch):
    assert main(["run", *flywheel]) == 0
    other = {"wheelwork": "another"}
    monkeypatch.setattr("wheelwork.sweeps.case_sweep.code_version", lambda: other)
    assert main(["collect", str(tmp_path / "store")]) == 0
    told = capsys.readouterr().err
    assert told.startswith("wheelwork: warning: only the sweep itself is collected: ")
    assert "code.wheelwork is" in told
    assert "threshold" not in written(tmp_path / "store.nc")


def test_of_a_class_that_has_gone_the_points_are_collected(tmp_path, capsys):
    own = tmp_path / "own_that_goes.py"
    own.write_text("from wheelwork import RotorEngine\n\n\nclass Own(RotorEngine):\n    pass\n")
    text = (EXAMPLES / "rotor.toml").read_text().replace("points = 89", "points = 2")
    file = tmp_path / "job.toml"
    file.write_text(text.replace('"rotor"', f'"{own.name}:Own"', 1))
    job = [str(file), "--store", str(tmp_path / "store"), "--shard", "1/1", "--quiet"]
    assert main(["run", *job]) == 0
    own.unlink()
    assert main(["collect", str(tmp_path / "store"), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["warnings"]
    assert told.startswith("only the sweep itself is collected: `machine` must be that of a class")
    assert written(tmp_path / "store.nc").sizes["beta_ratio"] == 2
