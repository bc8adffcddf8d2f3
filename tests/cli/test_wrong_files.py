"""Files as editors write them, values left out since they are swept, and mistakes told early."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wheelwork.cli
from wheelwork.cli import main
from wheelwork.cli.jobs import load_job, load_text
from wheelwork.cli.parameter_file import json_schema
from wheelwork.cli.toml_text import NAMES, stored_schema
from wheelwork.errors import InvalidArgument

FLYWHEEL = """machine = "flywheel"
[device]
frequency = 0.2
force = 0.1
bias = 1.0
[[leads]]
temperature = 2.0
lineshape = { kind = "lorentzian", rate = 2.0, centre = 0.5, width = 1.0 }
[[leads]]
temperature = 2.0
lineshape = { kind = "wideband", rate = 1.5 }
[sweep]
values = [3.0, 8.0]
"""
ROTOR = """machine = "rotor"
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
values = [0.2, 0.4]
"""
CHAIN = """machine = "power-grid"
device = { kind = "chain", sites = 3, injection = 4.0, damping = 1e-2, extraction = 2.0 }
sweep.values = [1.0]
"""
GRAPH = """machine = "power-grid"
[device]
kind = "graph"
edges = [["a", "b"]]
damping = 1e-2
generators = [{ node = "a", rate = 4.0 }]
engines = [{ node = "b", rate = 3.0 }]
[sweep]
parameter = "engines[b].rate"
values = [1.0]
"""


def load(text, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load_text(text, Path("device.toml")).run


# ------------------------------------------------------------------ bytes


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_files_of_windows_are_read(tmp_path, mark, end):
    shape = b"# frequency, rate\n-2,0\n-1,0.5\n0,1\n1,0.5\n2,0\n"
    (tmp_path / "shape.csv").write_bytes(mark + shape.replace(b"\n", end))
    text = FLYWHEEL.replace('"wideband", rate = 1.5', '"tabulated", file = "shape.csv"')
    (tmp_path / "device.toml").write_bytes(mark + text.encode().replace(b"\n", end))
    machine = load_job(tmp_path / "device.toml").run.machine
    assert machine.leads[1].lineshape.rate == (0.0, 0.5, 1.0, 0.5, 0.0)


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "(it is in UTF-16 or UTF-32: save it as UTF-8)"),
        ("utf-16-le", "(it is in UTF-16 or UTF-32: save it as UTF-8)"),
        ("utf-32", "(it is in UTF-16 or UTF-32: save it as UTF-8)"),
        ("latin-1", "(it is not text in UTF-8, from byte 0xb5 at line 3, column 11: save it as"),
    ],
)
def test_other_encodings_are_refused_with_what_to_do(tmp_path, capsys, encoding, message):
    text = FLYWHEEL.replace("[device]\n", '[units]\nenergy = "µeV"\n[device]\n')
    (tmp_path / "device.toml").write_bytes(text.encode(encoding))
    assert main(["run", str(tmp_path / "device.toml")]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


# ------------------------------------------------------------------ swept values


@pytest.mark.parametrize(
    ("text", "parameter", "given", "first"),
    [
        (FLYWHEEL, "bias", "bias = 1.0\n", 3.0),
        (FLYWHEEL, "frequency", "frequency = 0.2\n", 3.0),
        (FLYWHEEL, "force", "force = 0.1\n", 3.0),
        (FLYWHEEL, "coupling", "force = 0.1\n", 3.0),
        (FLYWHEEL, "leads[0].temperature", "temperature = 2.0\n", 3.0),
        (FLYWHEEL, "leads[1].lineshape.rate", ", rate = 1.5", 3.0),
        (FLYWHEEL, "leads[0].lineshape.width", ", width = 1.0", 3.0),
        (ROTOR, "beta_ratio", "temperature_hot = 50.0\n", 0.2),
        (ROTOR, "temperature_hot", "temperature_hot = 50.0\n", 0.2),
        (ROTOR, "moment_of_inertia", "moment_of_inertia = 1.0\n", 0.2),
        (CHAIN, "extraction", ", extraction = 2.0", 1.0),
        (CHAIN, "damping", ", damping = 1e-2", 1.0),
        (GRAPH, "engines[b].rate", ", rate = 3.0", 1.0),
    ],
)
def test_a_swept_parameter_need_not_stand_elsewhere_too(text, parameter, given, first):
    named = text.replace('parameter = "engines[b].rate"\n', "")
    name = f'parameter = "{parameter}"\n'
    named = named.replace("[sweep]\n", f"[sweep]\n{name}")
    named = named.replace("sweep.values", f"sweep.{name}sweep.values")
    run, whole = load(named, (given, "")), load(named)
    assert (run.parameter, run.values[0]) == (parameter, first)
    if "." not in parameter and "[" not in parameter:
        assert getattr(run.machine, parameter) == pytest.approx(first)
    assert type(run.machine) is type(whole.machine)


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("values = [-3.0]", "`sweep.values[0]` must be positive, but is -3.0 (device.toml)"),
        ("start = -3.0\nstop = 1\npoints = 2", "`sweep.start` must be positive, but is -3.0 ("),
        ('values = ["a"]', "`sweep.values[0]` must be a number, with a unit or without, but is"),
        ("values = []", "`sweep.values` must hold at least 1 item, but holds 0"),
        ("points = 3", "`sweep` must hold `start`, `stop` and `points`, or `values`"),
    ],
)
def test_a_mistake_in_it_is_told_of_the_key_where_it_stands(sweep, message):
    text = FLYWHEEL.replace("values = [3.0, 8.0]", f'parameter = "frequency"\n{sweep}')
    with pytest.raises(InvalidArgument) as caught:
        load(text, ("frequency = 0.2\n", ""))
    assert message in str(caught.value)


def test_other_fields_must_still_be_given():
    with pytest.raises(InvalidArgument, match=r"`device\.frequency` is missing"):
        load(FLYWHEEL, ("frequency = 0.2\n", ""))
    with pytest.raises(InvalidArgument, match=r"`leads\[1\]\.temperature` is missing"):
        load(FLYWHEEL.replace("temperature = 2.0\n", ""),
             ("[sweep]", '[sweep]\nparameter = "leads[0].temperature"'))  # fmt: skip


# ------------------------------------------------------------------ keys


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"wideband", rate = 1.5', '"tabulated", centre = 1.0',
         "`leads[1].lineshape` of kind 'tabulated' has no key `centre`; its keys are `file`, "
         "`frequency`, `rate`"),
        ('"wideband", rate', '"wideband", rat', "of kind 'wideband' has no key `rat`; the nearest"),
        ("[sweep]", "[swep]", "the file has no key `swep`; the nearest valid key is `sweep`"),
        ("[sweep]", '[method]\nkind = "fokker-planck"\nrtoll = 1\n[sweep]',
         "`method` of kind 'fokker-planck' has no key `rtoll`; the nearest valid key is `rtol`"),
        ("[sweep]", '[units]\nenergi = "eV"\n[sweep]', "`units` has no key `energi`; the nearest"),
        ('"wideband"', '"wide-band"', "did you mean `wideband`?"),
    ],
)  # fmt: skip
def test_an_unknown_key_names_the_right_ones(old, new, message):
    with pytest.raises(InvalidArgument) as caught:
        load(FLYWHEEL, (old, new))
    assert message in str(caught.value)


def test_the_stored_schema_is_the_derived_one():
    """To renew it: write json_schema() to schema.json, as `wheelwork schema` prints it."""
    assert stored_schema() == json_schema()
    assert set(NAMES) == set(json_schema()["discriminator"]["mapping"])
    assert Path(wheelwork.cli.__file__).with_name("schema.json").is_file()


EARLY = """
import sys, json
from pathlib import Path
from wheelwork.cli.toml_text import load_toml, read_text
from wheelwork.errors import InvalidArgument
told = []
for name in sys.argv[1:]:
    try:
        load_toml(read_text(Path(name)), Path(name))
    except (InvalidArgument, ValueError) as reason:
        told.append(str(reason))
heavy = {"numpy", "scipy", "numba", "xarray", "pandas", "networkx", "matplotlib"}
print(json.dumps([told, sorted(heavy & sys.modules.keys()), len(sys.modules)]))
"""


def test_a_wrong_file_is_refused_before_anything_heavy_is_imported(tmp_path):
    contents = [
        b"a = ",
        FLYWHEEL.encode("utf-16"),
        FLYWHEEL.replace("flywheel", "flywhel").encode(),
        FLYWHEEL.replace("frequency", "frequncy").encode(),
        FLYWHEEL.replace("width", "widht").encode(),
        GRAPH.replace("rate = 4.0", "rat = 4.0").encode(),
    ]
    names = [str(tmp_path / f"{i}.toml") for i in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        Path(name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", EARLY, *names], capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    told, heavy, modules = json.loads(done.stdout)
    assert len(told) == len(contents)
    assert heavy == []
    assert modules < 400
