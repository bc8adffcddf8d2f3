"""The example files run, and give the numbers they promise."""

from pathlib import Path

import pytest

from wheelwork.cli import main
from wheelwork.cli.jobs import load_job
from wheelwork.sweeps import sweep

EXAMPLES = Path(__file__).parents[2] / "examples"


def sweep_at(name, values):
    job = load_job(EXAMPLES / name)
    dataset = sweep(job.run.machine, {job.run.parameter: values}, job.run.method)
    assert dataset.failure.values.tolist() == [""] * len(values)
    return dataset


@pytest.mark.parametrize(
    ("name", "bias", "phonon_number", "g2"),
    [
        ("flywheel-by-definition.toml", 0.0, 9.55831, 1.99996),
        ("flywheel-by-definition.toml", 12.0, 59.5501, 1.43145),
        ("flywheel-as-plotted.toml", 12.0, 35.780, 1.5591),
    ],
)
def test_the_two_readings_of_the_force_give_their_known_numbers(name, bias, phonon_number, g2):
    dataset = sweep_at(name, [bias])
    assert dataset.phonon_number.item() == pytest.approx(phonon_number, rel=2e-5)
    assert dataset.g2.item() == pytest.approx(g2, rel=2e-5)


@pytest.mark.filterwarnings("ignore::wheelwork.errors.ValidityWarning")
def test_the_nanotube_starts_to_oscillate():
    job = load_job(EXAMPLES / "flywheel-nanotube.toml")
    threshold = job.run.machine.threshold_bias(job.run.values[0], job.run.values[-1])
    assert 80 < threshold < 100  # in ueV, as the file says: near 0.09 mV
    dataset = sweep_at("flywheel-nanotube.toml", [0.0, job.run.values[-1]])
    temperature, frequency = job.run.machine.leads[0].temperature, job.run.machine.frequency
    assert float(dataset.phonon_number[0]) == pytest.approx(temperature / frequency, rel=0.1)
    assert float(dataset.g2[0]) == pytest.approx(2.0, abs=0.01)
    assert float(dataset.g2[1]) < 1.5


def test_a_file_runs_from_the_command_line(tmp_path, capsys):
    text = (EXAMPLES / "flywheel-as-plotted.toml").read_text()
    small = tmp_path / "small.toml"
    small.write_text(text.replace("start = 0.0\nstop = 32.0\npoints = 65", "values = [0.0, 12.0]"))
    assert main(["run", str(small), "--out", str(tmp_path / "out")]) == 0
    assert "threshold: bias = 8.46" in capsys.readouterr().out
    assert (tmp_path / "out" / "flywheel.nc").exists()
    assert (tmp_path / "out" / "flywheel.png").exists()


def test_the_grid_is_a_transistor():
    """An engine at 7 that takes more than the generator gives lets quanta pass to 9."""
    job = load_job(EXAMPLES / "power-grid.toml")
    into_9 = [
        job.run.machine.replace(**{job.run.parameter: rate})
        .steady_state(job.run.method)
        .current[6, 9]
        .mean
        for rate in (2.0, 8.0)
    ]
    saturation = job.run.machine.engines[9].saturation
    assert into_9[0] < 0.15 * saturation
    assert into_9[1] > 0.3 * saturation


def test_the_file_in_the_documentation_loads(tmp_path):
    page = (EXAMPLES.parent / "docs" / "parameter-files.md").read_text()
    (tmp_path / "device.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    run = load_job(tmp_path / "device.toml").run
    assert (run.parameter, run.values.size) == ("bias", 33)
    assert run.machine.coupling == pytest.approx(2.0 * run.machine.frequency)
