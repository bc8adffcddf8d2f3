"""The command line as a person meets it."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from wheelwork.cli import main
from wheelwork.errors import NotConverged

EXAMPLE = Path(__file__).parents[2] / "examples" / "flywheel-by-definition.toml"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["rum"], 'Unknown command "rum". Did you mean "run"?'),
        (["run"], "FILE"),
        (
            ["run", "flywhel"],
            "`run` must be given `flywheel`, `rotor`, `power-grid` or a TOML file, "
            "but is given 'flywhel'",
        ),
        (["run", "none.toml"], "`FILE` must be a readable TOML file, but is 'none.toml'"),
        (["run", "flywheel", "--points", "1"], "`--points` must be at least 2, but is 1"),
        (["run", "flywheel", "--points", "few"], "--points"),
        (["run", "flywheel", "--bias-max", "-3"], "`--bias-max` must be positive, but is -3.0"),
        (["run", "flywheel", "--bias-max", "nan"], "`--bias-max` must be finite, but is nan"),
        (["run", "flywheel", "--rtol", "3"], "`--rtol` must lie between 1e-12 and 0.1"),
        (["run", "flywheel", "--pionts", "3"], "Unknown option: --pionts. Did you mean --points?"),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(capsys, tokens, message):
    assert main(tokens) == 2
    captured = capsys.readouterr()
    said, message = captured.err.replace('"', ""), message.replace('"', "")
    assert message in said  # cyclopts 4 quotes options
    assert len(captured.err.splitlines()) == 1


def test_an_unwritable_folder_is_one_line_and_code_2(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert main(["run", "flywheel", "--out", str(tmp_path / "file" / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("wheelwork: `--out` must be a writable folder")
    assert len(captured.err.splitlines()) == 1


def test_a_misspelt_key_is_one_line_and_code_2(capsys, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(EXAMPLE.read_text().replace("frequency =", "frequncy ="))
    assert main(["run", str(bad)]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert "`device` has no key `frequncy`; the nearest valid key is `frequency`" in first


def test_the_preset_runs(capsys, tmp_path):
    options = ["--points", "2", "--bias-max", "12", "--rtol", "1e-4", "--out", str(tmp_path)]
    assert main(["run", "flywheel", *options]) == 0
    text = capsys.readouterr().out
    assert "59.55" in text
    assert "threshold: bias = 8.463278" in text


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "wheelwork: interrupted; nothing written"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (NotConverged("the mesh ran out"), 1, "wheelwork: the mesh ran out"),
        (MemoryError(), 1, "wheelwork: MemoryError"),
    ],
)
def test_what_ends_a_run_is_one_line_and_a_code(capsys, monkeypatch, raised, code, message):
    def fail(*arguments):
        raise raised

    monkeypatch.setattr("wheelwork.cli.run.run", fail)
    assert main(["run", "flywheel"]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


def test_version_and_help(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == version("wheelwork")
    assert main(["run", "--help"]) == 0
    assert "flywheel" in capsys.readouterr().out


def test_the_installed_command_runs():
    command = [str(Path(sys.executable).parent / "wheelwork"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, version("wheelwork"))


@pytest.mark.parametrize("asked", ["schema", "--help"])  # Python's own output, and Rich's
def test_a_reader_that_goes_away_is_no_error(asked):
    command = [str(Path(sys.executable).parent / "wheelwork"), asked]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 141)


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_closed_streams_are_no_error():
    program = str(Path(sys.executable).parent / "wheelwork")
    command = ["sh", "-c", 'exec "$0" --help <&- >&-', program]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_package_is_the_command():
    command = [sys.executable, "-m", "wheelwork", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == version("wheelwork")
