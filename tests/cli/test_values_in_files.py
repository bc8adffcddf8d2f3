"""What a value in a file may be: with units, integers, members of enums, numbers by node."""

import enum
import json
import sys
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import wheelwork as ww
from wheelwork.cli import main
from wheelwork.cli.jobs import load_job, load_text
from wheelwork.errors import InvalidArgument, ValidityWarning
from wheelwork.numerics.work import tick
from wheelwork.parameters import Parameters, parameter
from wheelwork.results import AuditEntry, Result, observable

ROTOR = """
machine = "rotor"
[units]
energy = "meV"
[device]
temperature_cold = 10.0
temperature_hot = 50.0
temperature_load = 11.0
field_cold = 4.0
field_hot = 10.0
coupling = 0.1
bath_coupling = 1.0
load_damping = 5e-5
moment_of_inertia = 1.0
[sweep]
parameter = "beta_ratio"
values = [0.2, 0.4]
"""
GRID = """
machine = "power-grid"
[device]
kind = "graph"
edges = [[1, 2], [2, 3]]
damping = 1e-2
generators = [{ node = 1, rate = 4.0 }]
engines = [{ node = 3, rate = 4.0 }]
[sweep]
values = [1.0]
"""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@dataclass(frozen=True)
class Inner:
    width: float = 1.0
    count: int = 1

    def __post_init__(self):
        if self.width <= 0.0:
            raise InvalidArgument(f"`width` must be positive, but is {self.width!r}")


@dataclass(frozen=True, repr=False)
class Coloured(Parameters):
    gap: float = parameter("w", "energy", "gap", default=1.0)
    share: float = parameter("s", "1", "share", default=0.5)
    count: int = parameter("N", "1", "number", default=2)
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    strange: complex = 0j
    inner: Inner = field(default_factory=Inner)
    weights: dict[str, float] = field(default_factory=lambda: {"a": 1.0})

    def steady_state(self, method=None):
        assert type(self.count) is int
        if self.gap == 2.0:
            warnings.warn("near its limit", ValidityWarning, stacklevel=1)
        for unit in range(1000) if self.gap == 3.0 else ():
            tick("a long one", unit, 1000)
            time.sleep(1e-4)
        return ColouredState(self)


@dataclass(frozen=True, repr=False)
class ColouredState(Result):
    machine: Coloured
    method: object = None

    @observable("n", "1", "number")
    def number(self):
        return float(self.machine.count)

    @property
    def audit(self):
        return {"count": AuditEntry(0.0, 1.0)}


OWN = """
machine = "test_values_in_files:Coloured"
[units]
energy = "meV"
[device]
count = 3
[sweep]
parameter = "gap"
values = [1.0, 2.0]
"""


GAP = '"gap"\nvalues = [1.0, 2.0]'


def load(text, old="", new=""):
    assert old in text
    return load_job_text(text.replace(old, new, 1) if old else text)


def load_job_text(text):
    return load_text(text, Path("device.toml"))


# ------------------------------------------------------------------ swept values


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (ROTOR, "[0.2, 0.4]", '["1 K"]',
         '`sweep.values[0]` must be a plain number, but "1 K" is a temperature'),
        (OWN, GAP, '"share"\nvalues = ["1 K"]', "`sweep.values[0]` must be a"),
        (OWN, GAP, '"inner.count"\nvalues = ["1 K"]', "an integer"),
        (OWN, GAP, '"count"\nvalues = [2.5]', "must be an integer, but is 2.5"),
        (OWN, GAP, '"count"\nstart = 1\nstop = 4\npoints = 3',
         "`sweep` must give integers to `count`, but gives 2.5"),
        (OWN, GAP, '"inner.width"\nvalues = [-1.0]',
         "`inner.width` must be positive, but is -1.0"),
        (OWN, GAP, '"gap"\nstart = -1.5e308\nstop = 1.5e308\npoints = 3',
         "whose difference is a number"),
    ],
)  # fmt: skip
def test_swept_values_are_those_of_their_parameter(text, old, new, message):
    with pytest.raises(InvalidArgument) as caught:
        load(text, old, new)
    assert message in str(caught.value)


def test_energies_may_be_swept_with_units_and_integers_stay_so():
    job = load(OWN, "[1.0, 2.0]", '["1 K", 2]')
    assert job.run.values[0] == pytest.approx(0.0861733, rel=1e-6)
    job = load(OWN, GAP, '"count"\nstart = 1\nstop = 5\npoints = 3')
    dataset = ww.sweep(job.run.machine, {"count": job.run.values})
    assert dataset.number.values.tolist() == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("name", ["leads[0].temperature", "leads[1].lineshape.rate", "bias"])
def test_nested_energies_take_units(name):
    text = f"""
machine = "flywheel"
units.energy = "meV"
device = {{ frequency = 0.01, force = 0.01, mean_potential = 0.0, bias = 1.0 }}
[[leads]]
temperature = 2.0
lineshape = {{ kind = "lorentzian", rate = 2, centre = 0, width = 1 }}
[[leads]]
temperature = 2.0
lineshape = {{ kind = "wideband", rate = 2 }}
[sweep]
parameter = "{name}"
values = ["20 K"]
"""
    assert load_job_text(text).run.values[0] == pytest.approx(1.7234666, rel=1e-6)


# ------------------------------------------------------------------ fields


def test_a_member_of_an_enum_is_given_by_its_value_or_name():
    machine = load(OWN, "count = 3", 'count = 3\ncolour = "blue"\nsize = "LARGE"').run.machine
    assert (machine.colour, machine.size) == (Colour.BLUE, Size.LARGE)
    assert load(OWN).run.machine.colour is Colour.RED
    with pytest.raises(
        InvalidArgument, match=r"`device\.colour` must be 'red' or 'blue', but is 'g'"
    ):
        load(OWN, "count = 3", 'colour = "g"')


def test_a_field_that_no_file_can_hold_says_so():
    with pytest.raises(InvalidArgument, match=r"`device\.strange` must be left out, since a file"):
        load(OWN, "count = 3", "strange = 1")


def test_numbers_may_differ_from_node_to_node():
    grid = load(GRID, "1e-2", "{ 1 = 0.01, 2 = 0.02, 3 = 0.03 }").run.machine
    assert grid.damping == {1: 0.01, 2: 0.02, 3: 0.03}
    assert grid.dampings.tolist() == [0.01, 0.02, 0.03]
    named = GRID.replace("[[1, 2], [2, 3]]", '[["a", "b"]]').replace("node = 1", 'node = "a"')
    named = named.replace("node = 3", 'node = "b"').replace("1e-2", "{ a = 0.1, b = 0.2 }")
    assert load(named).run.machine.dampings.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{ 1 = 0.1, 2 = true, 3 = 'x' }", "`device.damping.2` must be a finite number"),
        ("{ 1 = 0.1 }", "damping"),
        ("'much'", '`device.damping` must be a number, with a unit or without, but is "much"'),
        ("{}", "a table of numbers by node, but is {}"),
    ],
)
def test_a_mistake_in_numbers_by_node_is_named(value, message):
    with pytest.raises(InvalidArgument) as caught:
        load(GRID, "1e-2", value)
    assert message in str(caught.value)


# ------------------------------------------------------------------ texts that are no files


def test_a_mark_at_the_beginning_is_no_mistake(tmp_path):
    (tmp_path / "device.toml").write_bytes(b"\xef\xbb\xbf" + ROTOR.encode())
    assert load_job(tmp_path / "device.toml").run.parameter == "beta_ratio"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.2, 0.4", "1" + "0" * 400, "`sweep.values[0]` must be a finite number, but is 1000"),
        ("0.2, 0.4", "1" * 5000, "`FILE` must be valid TOML, but is not: Exceeds the limit"),
        ("0.2, 0.4", "0x" + "f" * 5000, "must be a finite number, but is of type int"),
        ("0.2, 0.4", "[" * 5000 + "]" * 5000, "valid TOML, but is nested too deeply"),
        ("0.2, 0.4", "[" * 100 + "]" * 100, "`sweep.values[0]` must be a finite number"),
        ('"beta_ratio"', '"beta\\u0000ratio"', "`sweep.parameter` must be"),
        ("[sweep]", '[output]\nfolder = "a\\u0000b"\n[sweep]', "`output.folder` must be the path"),
        ("[sweep]", f'[output]\nname = "{"n" * 300}"\n[sweep]', "`output.name` must be"),
        ('"rotor"', f'"{"n" * 5000}.py:Class"', "`machine` must be that of a class"),
        ('"rotor"', f'"{"n" * 300}.py:Class"', "`machine` must be that of a class in a file"),
        ('"rotor"', '"a\\u0000b.py:Class"', "`machine` must be that of a class"),
        ("[sweep]", f"[sweep]\n{'k' * 100_000} = 1", "`sweep` has no key `kkk"),
        ("[sweep]", '[sweep]\n"a\\nb\\u001b" = 1', r"`sweep` has no key `a\nb\x1b`"),
        ('"meV"', '"' + "1" * 100_000 + '"', "unit"),
    ],
)  # fmt: skip
def test_what_is_out_of_all_bounds_is_one_line_and_code_2(tmp_path, capsys, old, new, message):
    assert old in ROTOR
    (tmp_path / "device.toml").write_text(ROTOR.replace(old, new, 1))
    assert main(["run", str(tmp_path / "device.toml"), "--out", str(tmp_path / "out")]) == 2
    text = capsys.readouterr().err
    assert message in text
    assert len(text.splitlines()) == 1
    assert len(text) < 1000


@pytest.mark.parametrize("name", ["n" * 5000, "n" * 5000 + ".toml", "a\0b", "a\0b.toml"])
def test_a_name_that_no_file_can_have_is_bad_input(capsys, tmp_path, name):
    assert main(["run", name]) == 2
    assert main(["run", "rotor", "--out", str(tmp_path / name)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_the_schema_of_these_forms_can_be_made(capsys, monkeypatch):
    assert main(["schema", "test_values_in_files:Coloured"]) == 0
    assert '"red"' in capsys.readouterr().out
    assert replace(Coloured(), count=4).count == 4
    assert "test_values_in_files" in sys.modules


# ------------------------------------------------------------------ warnings and time


def run(tmp_path, capsys, text, *options):
    """Return the exit code and what is printed."""
    (tmp_path / "own.toml").write_text(text)
    code = main(["run", str(tmp_path / "own.toml"), "--out", str(tmp_path / "out"),
                 "--store", str(tmp_path / "store"), *options])  # fmt: skip
    return code, capsys.readouterr().out


def test_warnings_are_told_with_their_point_also_when_it_was_stored(tmp_path, capsys):
    for _ in range(2):
        code, text = run(tmp_path, capsys, OWN)
        assert code == 0
        lines = [line for line in text.splitlines() if "near its limit" in line]
        assert lines == ["warning at gap = 2: near its limit"]
    code, text = run(tmp_path, capsys, OWN, "--json")
    assert json.loads(text)["warnings"] == ["near its limit"]
    assert json.loads(text)["computed"] == 0


def test_a_point_out_of_time_is_told_and_tried_again(tmp_path, capsys):
    late = OWN.replace("2.0]", "3.0]")
    code, text = run(tmp_path, capsys, late, "--time-limit", "0.01")
    assert code == 1
    assert "no result at gap = 3: OutOfTime: the time limit of 0.01 s has passed during: " in text
    assert main(["status", str(tmp_path / "store")]) == 3
    assert main(["resume", str(tmp_path / "store"), "--json"]) == 0
    assert '"computed": 1' in capsys.readouterr().out


def test_the_time_limit_of_a_method_is_a_key_of_its_table(tmp_path, capsys):
    limited = load(ROTOR, "[sweep]", '[method]\nkind = "local"\ntime_limit = 60\n[sweep]')
    assert limited.run.method.time_limit == 60.0
    assert limited.run.method == ww.LocalMasterEquation()
    with pytest.raises(InvalidArgument, match=r"`method\.time_limit` must be positive"):
        load(ROTOR, "[sweep]", '[method]\nkind = "local"\ntime_limit = 0\n[sweep]')
    assert main(["run", "rotor", "--time-limit", "-1", "--out", str(tmp_path)]) == 2
    assert "`--time-limit` must be positive" in capsys.readouterr().err
