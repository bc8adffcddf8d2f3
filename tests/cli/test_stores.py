"""Stores from the command line: run, status, resume, collect, shards, clusters, exit codes."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from wheelwork.cli import main
from wheelwork.cli.jobs import load_job
from wheelwork.cli.known import MACHINES
from wheelwork.cli.parameter_file import json_schema
from wheelwork.cli.progress_bar import Meter
from wheelwork.sweeps import Point, collect, status, sweep
from wheelwork.sweeps.store import journal

EXAMPLE = Path(__file__).parents[2] / "examples" / "rotor.toml"
POINTS = 8


@pytest.fixture
def file(tmp_path):
    """Eight quick points, without what is only drawn for a sweep of temperature."""
    text = EXAMPLE.read_text()
    for old, new in (
        ('"beta_ratio"', '"coupling"'),
        ("start = 0.02", "start = 0.05"),
        ("stop = 0.9", "stop = 0.2"),
        ("points = 89", f"points = {POINTS}"),
        ('folder = "out/rotor"', f'folder = "{tmp_path / "out"}"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "rotor.toml"
    path.write_text(text)
    return path


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def reference(file):
    job = load_job(file)
    return sweep(job.run.machine, {job.run.parameter: job.run.values}, job.run.method)


def said(capsys):
    return json.loads(capsys.readouterr().out)


def same_as(reference, found):
    for name in reference.data_vars:
        np.testing.assert_array_equal(found[name].values, reference[name].values)


def test_a_job_with_a_store_is_the_same_job(file, store, reference, capsys):
    assert main(["run", str(file), "--store", str(store), "--workers", "2"]) == 0
    assert "checks passed at 8 points" in capsys.readouterr().out
    with xr.open_dataset(file.parent / "out" / "rotor.nc") as found:
        same_as(reference, found)
    assert (file.parent / "out" / "rotor.png").exists()
    same_as(reference, collect(store))

    assert main(["status", str(store)]) == 0
    assert f"8 of {POINTS} points, 0 without a result" in capsys.readouterr().out
    assert main(["status", str(store), "--json"]) == 0
    found = said(capsys)
    assert (found["done"], found["total"], found["complete"], found["writers"]) == (8, 8, True, 0)

    table = file.parent / "table.csv"
    assert main(["collect", str(store), "--csv", str(table)]) == 0
    assert f"wrote {store}.nc" in capsys.readouterr().out
    with xr.open_dataset(f"{store}.nc") as found:
        same_as(reference, found)
        assert found.attrs["energy_unit"] == "1"
    assert len(table.read_text().splitlines()) == 1 + POINTS


def test_shards_are_put_together_by_resume(file, store, reference, capsys):
    assert main(["run", str(file), "--store", str(store), "--shard", "1/2", "--json"]) == 0
    found = said(capsys)
    assert (found["computed"], found["done"], found["complete"]) == (4, 4, False)
    assert not (file.parent / "out").exists()

    assert main(["status", str(store)]) == 3
    capsys.readouterr()
    assert main(["collect", str(store)]) == 3
    captured = capsys.readouterr()
    assert "4 of 8 points" in captured.err
    assert "nothing written; resume it, or add --partial" in captured.err
    assert not Path(f"{store}.nc").exists()
    assert main(["collect", str(store), "--partial", "--json"]) == 0
    assert said(capsys)["files"] == [f"{store}.nc"]

    assert main(["run", str(file), "--store", str(store), "--shard", "2/2"]) == 0
    assert "shard 2/2: 4 points computed, 4 of 4 in" in capsys.readouterr().out
    file.unlink()  # the store knows the job
    assert main(["resume", str(store), "--json"]) == 0
    found = said(capsys)
    assert (found["computed"], found["complete"], found["failed"]) == (0, True, 0)
    assert {Path(name).name for name in found["files"]} == {"rotor.nc", "rotor.png", "rotor.pdf"}
    same_as(reference, collect(store))


def test_a_preset_is_resumed_too(store, tmp_path, capsys):
    options = ["--points", "2", "--bias-max", "12", "--rtol", "1e-4"]
    out = ["--out", str(tmp_path / "out")]
    command = ["run", "flywheel", *options, *out, "--store", str(store)]
    assert main([*command, "--shard", "1/2", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["resume", str(store)]) == 0
    assert "59.55" in capsys.readouterr().out
    assert (tmp_path / "out" / "flywheel.nc").exists()


def test_killed_and_resumed_it_is_the_same(file, store, reference):
    command = [str(Path(sys.executable).parent / "wheelwork"), "run", str(file)]
    slow = file.read_text().replace(f"points = {POINTS}", "points = 400")
    file.write_text(slow)
    process = subprocess.Popen(
        [*command, "--store", str(store), "--workers", "1", "--quiet"],
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (store / "manifest.json").exists() or status(store).done < 20:
        assert time.monotonic() < end
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 20 <= status(store).done < 400
    job = load_job(file)
    whole = sweep(job.run.machine, {job.run.parameter: job.run.values}, job.run.method, store=store)
    assert whole.attrs["complete"] == 1
    assert status(store).done == 400


def test_another_job_in_the_store_is_refused(file, store, capsys):
    assert main(["run", str(file), "--store", str(store), "--shard", "1/8", "--quiet"]) == 0
    file.write_text(file.read_text().replace("load_damping = 5e-5", "load_damping = 6e-5"))
    assert main(["run", str(file), "--store", str(store)]) == 2
    message = capsys.readouterr().err
    assert "holds another: machine.load_damping is 5e-05 there, 6e-05 here" in message
    assert len(message.strip().splitlines()) == 1  # older rich ends its bar by an empty line


def test_a_store_from_python_is_resumed_in_python(store, capsys, file):
    job = load_job(file)
    sweep(job.run.machine, {job.run.parameter: job.run.values[:1]}, job.run.method, store=store)
    assert main(["resume", str(store)]) == 2
    assert "was made from Python" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_code_1(file, store, capsys, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal, "_write_all", full)
    assert main(["run", str(file), "--store", str(store)]) == 1
    message = capsys.readouterr().err
    assert f"cannot write into the store '{store}': No space left on device" in message
    assert len(message.strip().splitlines()) == 1  # older rich ends its bar by an empty line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "3/2", "--store", "s"], "`--shard` must read i/n with i from 1 to n"),
        (["--shard", "0/2", "--store", "s"], "`--shard` must read i/n"),
        (["--shard", "1/2"], "`--shard` must be used with `--store`"),
        (["--workers", "0"], "`--workers` must be at least 1, but is 0"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "together with `--scheduler`"),
    ],
)
def test_options_that_make_no_sense_are_refused(file, options, message, capsys):
    assert main(["run", str(file), *options]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["status", "resume", "collect"])
def test_what_is_no_store_is_refused(command, tmp_path, capsys):
    assert main([command, str(tmp_path)]) == 2
    assert "`store` must be a store of a sweep" in capsys.readouterr().err


@pytest.mark.filterwarnings("default")
def test_a_scheduler_computes_the_same(file, store, reference):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(host="127.0.0.1", processes=True, **options) as cluster,
    ):
        address = cluster.scheduler_address
        command = ["run", str(file), "--store", str(store), "--scheduler", address, "--quiet"]
        assert main(command) == 0
    same_as(reference, collect(store))


def test_the_schema_names_every_machine_and_lets_units_pass(capsys):
    assert main(["schema"]) == 0
    schema = said(capsys)
    assert schema == json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(MACHINES)
    forms = schema["$defs"]
    energy = forms["SemicircleTable"]["properties"]["centre"]
    assert {"type": "string"} in energy["anyOf"]
    assert all(not form.get("additionalProperties", False) for form in forms.values())


def test_the_rate_counts_only_what_was_computed():
    meter = Meter(total=10)
    for stored in (True, True, True, False, False):
        meter.add(Point(0, 10, {}, failure="" if stored else "no", stored=stored))
    assert (meter.known, meter.computed, meter.failed) == (5, 2, 2)
    meter.started -= 4.0 - meter.seconds
    assert meter.rate == pytest.approx(0.5, rel=0.01)


def test_a_nested_parameter_runs_to_its_figure(tmp_path, capsys):
    text = (EXAMPLE.parent / "flywheel-by-definition.toml").read_text()
    text = text.replace('parameter = "bias"', 'parameter = "leads[0].temperature"')
    text = text.replace("start = 0.0\nstop = 32.0\npoints = 65", "values = [2.0, 3.0]")
    text = text.replace("rtol = 1e-6", "rtol = 1e-3")
    (tmp_path / "nested.toml").write_text(text)
    assert main(["run", str(tmp_path / "nested.toml"), "--out", str(tmp_path / "out")]) == 0
    assert {"leads[0].", "temperature"} <= set(capsys.readouterr().out.split())
    assert (tmp_path / "out" / "flywheel.png").exists()
    with xr.open_dataset(tmp_path / "out" / "flywheel.nc") as found:
        assert found["leads[0].temperature"].values.tolist() == [2.0, 3.0]
        assert found.sizes["wigner_leads[0].temperature"] == 2
