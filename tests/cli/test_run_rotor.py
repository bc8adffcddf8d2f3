"""`wheelwork run rotor` and its parameter file, end to end on few points."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from wheelwork import GlobalMasterEquation, RotorEngine
from wheelwork.cli import main
from wheelwork.cli.jobs import load_job
from wheelwork.errors import InvalidArgument
from wheelwork.papers import leitch_2024

EXAMPLE = Path(__file__).parents[2] / "examples" / "rotor.toml"


@pytest.fixture(autouse=True)
def _few_asymmetries(monkeypatch):
    monkeypatch.setattr(leitch_2024, "ASYMMETRIES", np.linspace(0.0, 0.9, 3))


@pytest.fixture
def few(tmp_path):
    text = EXAMPLE.read_text().replace("points = 89", "points = 12")
    path = tmp_path / "few.toml"
    path.write_text(text)
    return path


def test_the_command_prints_the_boundaries_and_writes_everything(tmp_path, capsys):
    assert main(["run", "rotor", "--points", "12", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for line in ("0.43423506: the engine ends", "0.50388180: heat reverses", "0.3999540"):
        assert line in said
    assert {"rotor.nc", "rotor.png", "rotor.pdf"} <= {path.name for path in tmp_path.iterdir()}
    with xr.open_dataset(tmp_path / "rotor.nc") as data:
        assert float(data["work_vanishes"]) == pytest.approx(0.43423506, abs=1e-7)
        assert data["heat_rectification"].dims == ("rectified_beta_ratio", "bath_asymmetry")
        assert data.attrs["complete"] == 1


def test_rectification_in_the_file_is_that_of_the_machine(tmp_path):
    main(["run", "rotor", "--points", "3", "--out", str(tmp_path)])
    machine = RotorEngine.paper(beta_ratio=0.2, bath_coupling=0.5, bath_asymmetry=0.45)
    with pytest.warns(match="validity"):
        expected = machine.rectification()
    with xr.open_dataset(tmp_path / "rotor.nc") as data:
        point = data.sel(rectified_beta_ratio=0.2, bath_asymmetry=0.45)
        assert float(point["heat_rectification"]) == pytest.approx(expected.ratio("heat"))
        assert float(point["momentum_size"]) == pytest.approx(expected.size("angular_momentum"))


def test_rectification_is_of_the_device_in_the_file(few, tmp_path, capsys):
    """Only of the published device g is another in the figures of rectification."""
    text = few.read_text().replace("points = 12", "points = 3")
    text = text.replace("bath_coupling = 1.0", "bath_coupling = 0.3")
    text = text.replace('kind = "local"', 'kind = "global"\ncutoff = 7.0')
    few.write_text(text)
    assert load_job(few).run.method.cutoff == 7.0
    main(["run", str(few), "--out", str(tmp_path)])
    machine = RotorEngine.paper(beta_ratio=0.2, bath_coupling=0.3, bath_asymmetry=0.45)
    with pytest.warns(match="validity"):
        expected = machine.rectification(GlobalMasterEquation(cutoff=7.0))
    assert "with bath_coupling = 0.3" in capsys.readouterr().out
    with xr.open_dataset(tmp_path / "rotor.nc") as data:
        point = data.sel(rectified_beta_ratio=0.2, bath_asymmetry=0.45)
        assert float(point["heat_rectification"]) == pytest.approx(expected.ratio("heat"), rel=1e-6)


def test_the_example_is_the_published_machine(few):
    job = load_job(few)
    assert job.run.machine == RotorEngine.paper(beta_ratio=0.2)
    assert job.run.parameter == "beta_ratio"
    assert job.run.values.size == 12
    assert job.run.name == "rotor"


def test_another_parameter_is_swept_without_boundaries(few, tmp_path):
    text = (
        few.read_text()
        .replace('"beta_ratio"', '"coupling"')
        .replace("start = 0.02", "start = 0.05")
    )
    few.write_text(text.replace("stop = 0.9", "stop = 0.2").replace("points = 12", "points = 3"))
    assert main(["run", str(few), "--out", str(tmp_path)]) == 0
    with xr.open_dataset(tmp_path / "rotor.nc") as data:
        assert "work_vanishes" not in data
        assert (tmp_path / "rotor.png").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "temperature_hot = 50.0",
            "temperature_hot = -1.0",
            "`device.temperature_hot` must be posi",
        ),
        ("field_hot = 10.0", "", "`device.field_hot` is missing"),
        ("coupling = 0.1", "couplin = 0.1", "nearest valid key is `coupling`"),
        ('kind = "local"', 'kind = "locl"', "`method.kind` must be one of 'local', 'global'"),
        ("bath_asymmetry = 0.0", "bath_asymmetry = 1.5", "must lie between -1 and 1"),
        ('parameter = "beta_ratio"', 'parameter = "bias"', "`sweep.parameter` must be"),
    ],
)
def test_mistakes_are_named_by_their_key(few, old, new, message):
    few.write_text(few.read_text().replace(old, new))
    with pytest.raises(InvalidArgument, match=message):
        load_job(few)
