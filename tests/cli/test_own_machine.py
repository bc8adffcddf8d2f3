"""A machine of the user's own, run, swept, stored, resumed and plotted by the usual commands."""

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from wheelwork.cli import main
from wheelwork.cli.jobs import load_job
from wheelwork.cli.parameter_file import json_schema
from wheelwork.errors import InvalidArgument

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-machine.toml"
NAMES = (f"toy_{number}" for number in itertools.count())  # a module is imported once

TOY = """
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from wheelwork.parameters import Parameters, parameter, positive, real
from wheelwork.results import AuditEntry, Result, observable
from wheelwork.transport import Lead


class Potential(Protocol):
    def energy(self, x: float) -> float: ...


@dataclass(frozen=True)
class Quartic:
    strength: float = parameter("u", "energy", "strength", check=positive)
    power: int = 4

    def energy(self, x: float) -> float:
        return self.strength * x**self.power


@dataclass(frozen=True)
class Newton:
    steps: int = 10
    order: Literal[1, 2] = 2


@dataclass(frozen=True, repr=False)
class Toy(Parameters):
    leads: tuple[Lead, ...] = parameter("", "", "leads")
    potential: Potential = parameter("V", "energy", "potential")
    frequency: float = parameter("w", "energy", "frequency", check=positive)
    friction: float = parameter("c", "rate", "friction", check=real, default=0.0)
    size: float = parameter("x", "length", "size", check=real, default=2.0)

    derived = {"period": ("T", "1/energy", "period")}
    sets = {"period": ("frequency", 1.0)}

    def replace(self, **changes: Any) -> "Toy":
        if "period" in changes:
            changes["frequency"] = 1.0 / changes.pop("period")
        return super().replace(**changes)

    @property
    def labels(self):
        return {**self.parameter_labels(), **ToyState.labels()}

    def steady_state(self, method=None):
        return ToyState(self, method)


@dataclass(frozen=True, repr=False)
class ToyState(Result):
    machine: Toy
    method: Any

    @observable("E", "energy", "energy", error=lambda state: 1e-3)
    def energy(self):
        return self.machine.frequency + self.machine.potential.energy(self.machine.size)

    @observable("N", "1", "steps")
    def steps(self):
        return self.method.steps if self.method else 0

    @property
    def audit(self):
        return {"size": AuditEntry(self.machine.size, 10.0)}
"""

FILE = """
machine = "NAME.py:Toy"
[units]
energy = "meV"
[device]
frequency = "0.2 meV"
[potential]
kind = "NAME.py:Quartic"
strength = "1000 ueV"
[[leads]]
chemical_potential = 0.0
temperature = "20 K"
lineshape = { kind = "semicircle", rate = 1.0, width = 2.0 }
[sweep]
parameter = "size"
values = [1.0, 2.0]
[method]
kind = "NAME.py:Newton"
order = 1
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Write a module and a parameter file beside it; return the path of the latter."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = next(NAMES)

    def write(old="", new="", module=TOY, file=FILE):
        (tmp_path / f"{name}.py").write_text(module)
        assert old in file
        path = tmp_path / f"{name}.toml"
        path.write_text(file.replace(old, new, 1).replace("NAME", name))
        return path

    return write


def test_the_example_is_run_and_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["run", str(EXAMPLE), "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "particle_current" in said
    assert "all 2 checks passed at 41 points" in said
    assert {"own-machine.png", "own-machine.pdf"} <= {path.name for path in tmp_path.iterdir()}
    with xr.open_dataset(tmp_path / "own-machine.nc") as data:
        # Tight coupling: the efficiency is V/level, and the current stops at Carnot's.
        np.testing.assert_allclose(data["efficiency"][:30], data["voltage"][:30] / 100.0)
        current = data["particle_current"]
        stop = float(data["voltage"][int(np.argmax(current.values < 0.0))])
        assert stop == pytest.approx(80.0, abs=2.5)
        assert data["power"].attrs["units"] == "ueV^2"


def test_fields_kinds_units_and_methods_come_from_the_classes(toy):
    job = load_job(toy())
    machine, method = job.run.machine, job.run.method
    assert (machine.frequency, machine.size, machine.friction) == (0.2, 2.0, 0.0)
    assert (machine.potential.strength, machine.potential.power) == (1.0, 4)
    assert machine.leads[0].temperature == pytest.approx(1.7234666, rel=1e-7)
    assert machine.leads[0].lineshape.centre == 0.0
    assert (method.steps, method.order) == (10, 1)
    assert job.run.name == "toy"


def test_a_new_field_needs_no_change_of_the_command_line(toy):
    declaration = 'friction: float = parameter("c"'
    new = 'mass: float = parameter("m", "energy", "mass", check=positive, default=1.0)\n    '
    assert TOY.count(declaration) == 1
    path = toy(
        "[potential]", 'mass = "3 ueV"\n[potential]', TOY.replace(declaration, new + declaration)
    )
    assert load_job(path).run.machine.mass == pytest.approx(3e-3)
    schema = json_schema(f"{path.stem}.py:Toy", path.parent)
    device = schema["$defs"]["ToyDevice"]
    assert device["properties"]["mass"]["description"].startswith(
        "mass; a number, or a text with a unit: "
    )
    assert "mass" in schema["$defs"]["ToySweep"]["properties"]["parameter"]["anyOf"][0]["enum"]
    assert device["required"] == []  # frequency or period


def test_a_derived_parameter_takes_the_place_of_a_field(toy):
    path = toy('frequency = "0.2 meV"', "period = 0.5")
    assert load_job(path).run.machine.frequency == 2.0
    with pytest.raises(InvalidArgument, match="exactly one of `frequency` and `period`"):
        load_job(toy('frequency = "0.2 meV"', "period = 0.5\nfrequency = 1.0"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("frequency", "frequncy", "`device` has no key `frequncy`; the nearest valid key is `freq"),
        ('"0.2 meV"', '"-0.2 meV"', "`device.frequency` must be positive, but is -0.2"),
        ('"1000 ueV"', "0", "`potential.strength` must be positive, but is 0.0"),
        ("strength =", "strenth =", "`potential` has no key `strenth`"),
        ("NAME.py:Quartic", "quartic", "`potential.kind` must be .* 'module:Class', but is 'quar"),
        ("NAME.py:Quartic", "NAME.py:Quintic", "`potential.kind` must be that of a class, but"),
        ("order = 1", "order = 3", "`method.order` must be 1 or 2, but is 3"),
        ("order = 1", "steps = 1.5", "`method.steps` must be an integer, but is 1.5"),
        ('parameter = "size"\n', "", "`sweep.parameter` is missing"),
        ('"size"', '"sise"', "`sweep.parameter` must be 'period', .* 'leads.0..chemical_"),
        ('"size"', '"leads[1].temperature"', "there is no `1` in"),
        ("NAME.py:Toy", "NAME.py:Newton", "`machine` must be that of a dataclass with the methods"),
        ("NAME.py:Toy", "NAME.py:Top", "`machine` must be that of a class, but 'toy_.*' has no"),
        ("NAME.py:Toy", "none.py:Toy", "`machine` must be that of a class in a file, but '.*' is"),
        ("NAME.py:Toy", "no_such_module:Toy", "cannot: No module named 'no_such_module'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_key(toy, old, new, message):
    with pytest.raises(InvalidArgument, match=message):
        load_job(toy(old, new))


def test_a_file_with_the_name_of_another_module_is_refused(toy, tmp_path):
    (tmp_path / "json.py").write_text(TOY)
    with pytest.raises(InvalidArgument, match="another module is called 'json'"):
        load_job(toy("NAME.py:Toy", "json.py:Toy"))


@pytest.mark.parametrize("hint", ["Newton | None", "tuple[Newton, ...]", "Newton | Quartic | None"])
def test_an_optional_field_of_its_own_type_is_left_out(toy, hint):
    module = TOY.replace("steps: int = 10", f'steps: int = 10\n    coarse: "{hint}" = ()')
    assert load_job(toy(module=module)).run.method.coarse == ()


def test_a_required_field_of_its_own_type_is_refused(toy):
    module = TOY.replace("steps: int = 10", 'coarse: "Newton"\n    steps: int = 10')
    with pytest.raises(InvalidArgument, match=r"`Newton` must have fields .*, but `coarse` is"):
        load_job(toy(module=module))


def test_it_is_stored_resumed_collected_and_shown(toy, tmp_path, capsys):
    path, store = toy(), tmp_path / "store"
    out = ["--out", str(tmp_path / "out")]
    assert main(["run", str(path), "--store", str(store), "--shard", "1/2", *out]) == 0
    assert main(["resume", str(store)]) == 0
    assert "energies in meV" in capsys.readouterr().out
    assert (tmp_path / "out" / "toy.png").exists()
    assert main(["collect", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["complete"]
    with xr.open_dataset(f"{store}.nc") as data:
        np.testing.assert_allclose(data["energy"], [1.2, 16.2])
        assert data["steps"].values.tolist() == [10.0, 10.0]
        assert data["energy"].attrs == {"symbol": "E", "units": "meV", "long_name": "energy"}


def test_other_processes_import_it_too(toy, tmp_path):
    command = ["run", str(toy()), "--store", str(tmp_path / "s"), "--workers", "1", "--quiet"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0


def test_a_plain_dataclass_will_do(toy, tmp_path, capsys):
    module = """
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class State:
    observables: dict
    errors: dict
    audit: dict


@dataclass(frozen=True)
class Toy:
    size: float
    shape: object = None

    def replace(self, **changes):
        return replace(self, **changes)

    def steady_state(self, method=None):
        return State({"area": self.size**2, "none": float("nan")}, {}, {})
"""
    file = """
machine = "NAME.py:Toy"
[device]
size = 1.0
[sweep]
parameter = "size"
values = [1, 3]
"""
    assert main(["run", str(toy(module=module, file=file)), "--out", str(tmp_path)]) == 0
    assert "area" in capsys.readouterr().out
    with xr.open_dataset(tmp_path / "toy.nc") as data:
        assert data["area"].values.tolist() == [1.0, 9.0]
        assert math.isnan(data["none"][0])


def test_a_machine_derived_from_a_known_one_is_solved_and_drawn_like_it(toy, tmp_path):
    module = """
from dataclasses import dataclass

from wheelwork import PowerGrid, Saturable
from wheelwork.parameters import non_negative, parameter


@dataclass(frozen=True, repr=False)
class Toy(PowerGrid):
    price: float = parameter("p", "1", "price", check=non_negative, default=2.0)


@dataclass(frozen=True)
class Linear(Saturable):
    exponent: float = 0.0
"""
    file = """
machine = "NAME.py:Toy"
[device]
kind = "graph"
edges = [[0, 1], [1, "end"]]
damping = 0.05
price = 3.0
generators = [{ node = 0, rate = 4.0 }]
engines = [{ node = "end", kind = "NAME.py:Linear", rate = 6.0 }]
[sweep]
parameter = "engines[end].rate"
values = [2.0, 6.0]
"""
    path = toy(module=module, file=file)
    job = load_job(path)
    assert (job.run.machine.price, job.run.machine.engines["end"].exponent) == (3.0, 0.0)
    assert type(job.run.machine).__name__ == "Toy"
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 0
    with xr.open_dataset(tmp_path / "out" / "toy.nc") as data:
        assert data["node_role"].values.tolist() == ["G", "", "E"]
    schema = json_schema(f"{path.stem}.py:Toy", tmp_path)
    assert "price" in schema["$defs"]["ToyTable"]["properties"]
    assert list(schema["$defs"]["SaturableTable"]["properties"])[:2] == ["kind", "node"]


@pytest.mark.parametrize(
    "code", ["1 / 0", "import no_such_module", "x =", "import sys; sys.exit(3)"]
)
def test_a_module_that_cannot_be_imported_is_said(tmp_path, code):
    (tmp_path / "broken_machine.py").write_text(code)
    file = tmp_path / "broken.toml"
    file.write_text('machine = "broken_machine.py:A"\n')
    with pytest.raises(InvalidArgument, match="can be imported, but"):
        load_job(file)
