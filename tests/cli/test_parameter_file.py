"""Parameter files: what they mean, and what they say about a mistake."""

import math
from pathlib import Path

import pytest

from wheelwork.cli.jobs import load_job
from wheelwork.errors import InvalidArgument

EXAMPLES = Path(__file__).parents[2] / "examples"

GOOD = """
machine = "flywheel"
[device]
frequency = 0.2
force = 0.1
[[leads]]
chemical_potential = 4.0
temperature = 2.0
lineshape = { kind = "lorentzian", rate = 2.0, centre = 0.5, width = 1.0 }
[[leads]]
chemical_potential = -4.0
temperature = 2.0
lineshape = { kind = "wideband", rate = 1.5 }
[sweep]
values = [0.0, 8.0]
"""


@pytest.fixture
def load(tmp_path):
    def from_text(text, old="", new=""):
        assert old in text
        (tmp_path / "device.toml").write_text(text.replace(old, new, 1))
        return load_job(tmp_path / "device.toml")

    return from_text


def test_the_values_reach_the_machine(load):
    job = load(GOOD)
    left, right = job.run.machine.leads
    assert (left.chemical_potential, right.chemical_potential) == (4.0, -4.0)
    assert (left.lineshape.rate, left.lineshape.centre, left.lineshape.width) == (2.0, 0.5, 1.0)
    assert type(right.lineshape).__name__ == "WideBand"
    assert (job.run.machine.frequency, job.run.machine.force, job.run.machine.mass) == (
        0.2,
        0.1,
        1.0,
    )
    assert job.run.values.tolist() == [0.0, 8.0]
    assert job.run.method.rtol == 1e-6


def test_bias_and_mean_potential_split_evenly(load):
    text = GOOD.replace("chemical_potential = 4.0\n", "").replace("chemical_potential = -4.0\n", "")
    job = load(text, "force = 0.1", "force = 0.1\nbias = 6.0\nmean_potential = 1.0")
    assert [lead.chemical_potential for lead in job.run.machine.leads] == [4.0, -2.0]


def test_coupling_is_half_the_force_times_x0(load):
    job = load(GOOD, "force = 0.1", "coupling = 0.1\nmass = 3.0")
    x0 = math.sqrt(2 / (3.0 * 0.2))
    assert job.run.machine.force * x0 / 2 == pytest.approx(0.1, rel=1e-15)


def test_units_are_converted_to_the_one_chosen(load):
    text = GOOD.replace("[device]", '[units]\nenergy = "meV"\n[device]')
    job = load(text, "temperature = 2.0", 'temperature = "20 K"')
    assert job.run.machine.leads[0].temperature == pytest.approx(1.7234666, rel=1e-7)
    assert job.run.machine.leads[1].temperature == 2.0
    assert job.energy_unit == "meV"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("frequency", "frequncy", "`device` has no key `frequncy`; the nearest valid key is `freq"),
        (
            "width = 1.0",
            "widht = 1.0",
            "`leads[0].lineshape` of kind 'lorentzian' has no key `widht`; .* is `width`",
        ),
        ("[sweep]", "[swep]", "the file has no key `swep`; the nearest valid key is `sweep`"),
        ("frequency = 0.2\n", "", "`device.frequency` is missing"),
        ('kind = "wideband", ', "", "`leads[1].lineshape.kind` is missing"),
        ("wideband", "widebnd", "`leads[1].lineshape.kind` must be one of 'lorentzian', .*widebnd"),
        ("temperature = 2.0", "temperature = -1.0", "`leads[0].temperature` must be positive, but"),
        (
            "temperature = 2.0",
            "temperature = nan",
            "`leads[0].temperature` must be a finite number",
        ),
        (
            "temperature = 2.0",
            "temperature = inf",
            "`leads[0].temperature` must be a finite number",
        ),
        ("temperature = 2.0", "temperature = true", "`leads[0].temperature` must be a finite num"),
        ("rate = 1.5", "rate = 0", "`leads[1].lineshape.rate` must be positive, but is 0"),
        ("frequency = 0.2", "frequency = -0.2", "`device.frequency` must be positive, but is -0.2"),
        ("0.0, 8.0", "0.0, nan", "`sweep.values[1]` must be a finite number, but is nan"),
        ("0.0, 8.0", "", "`sweep.values` must .* at least 1 item"),
        ("values = [0.0, 8.0]", "start = 0.0", "`sweep` must hold `start`, `stop` and `points`"),
        ("values = [", "start = 0.0\nvalues = [", "`sweep` must hold either `values` or `start`"),
        ("values", 'parameter = "bais"\nvalues', "`sweep.parameter` must be 'bias', .* 'bais'"),
        ("force = 0.1", "", "`device` must hold exactly one of `force` and `coupling`"),
        ("force = 0.1", "force = 0.1\ncoupling = 1.0", "exactly one of `force` and `coupling`"),
        ("force = 0.1", "force = 0.1\nbias = 1.0", "the file must hold either [device] `bias`"),
        ("chemical_potential = 4.0", "", "must hold `chemical_potential` in each of [[leads]]"),
        (
            '"flywheel"',
            '"flywhel"',
            "`machine` must be 'flywheel' or .* or 'module:Class', but is",
        ),
        (
            "force = 0.1",
            'force = "0.1 meV"',
            '`device.force` must be a force, such as .* "0.1 meV" is an energy',
        ),
        ("frequency = 0.2", 'frequency = "0.2 meV"', "`device.frequency` must be a bare number"),
        ("frequency = 0.2", 'frequency = "0.2 mev"', 'unknown unit "mev"; .* "meV"'),
        ("frequency = 0.2", 'frequency = "fast"', '`device.frequency` must be a number.*"fast"'),
        ("[device]", '[units]\nenergy = "mev"\n[device]', '`units.energy` .* "mev"; .* "meV"'),
        ("[device]", "[units]\nenergy = 3\n[device]", "`units.energy` must be a valid string"),
        ("[device]", "[device", "`FILE` must be valid TOML"),
        ("values", "\nvalues = [1]\nvalues", "`FILE` must be valid TOML"),
    ],
)
def test_a_mistake_is_named_by_its_key(load, old, new, message):
    pattern = message.replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(InvalidArgument, match=pattern) as caught:
        load(GOOD, old, new)
    assert "device.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("frequency = [-1, 0, 1]", "must hold the lists `frequency` and `rate`, or `file`"),
        ('rate = [1], file = "a.csv"', "either `file` or the lists `frequency` and `rate`, not"),
        ("frequency = [-1, 0], rate = [1]", "frequency"),
    ],
)
def test_a_tabulated_shape_needs_one_whole_source(load, fields, message):
    with pytest.raises(InvalidArgument, match=message):
        load(GOOD, 'kind = "wideband", rate = 1.5', f'kind = "tabulated", {fields}')


def test_a_semicircle_and_the_other_method(load):
    shape = 'kind = "semicircle", rate = 1.5, centre = 0.25, width = 8.0'
    job = load(
        GOOD + '[method]\nkind = "energy-diffusion"\nrtol = 1e-3',
        'kind = "wideband", rate = 1.5',
        shape,
    )
    band = job.run.machine.leads[1].lineshape
    assert (band.rate, band.centre, band.width) == (1.5, 0.25, 8.0)
    assert type(job.run.method).__name__ == "EnergyDiffusion"
    assert job.run.method.rtol == 1e-3


def test_the_folder_of_the_command_line_goes_before_that_of_the_file(tmp_path):
    path = tmp_path / "device.toml"
    path.write_text(GOOD + '[output]\nfolder = "here"\nname = "mine"\n')
    assert load_job(path).folder == Path("here")
    assert load_job(path, tmp_path).folder == tmp_path
    assert load_job(path).run.name == "mine"


def test_every_mistake_has_its_line(load):
    text = GOOD.replace("frequency", "frequncy").replace("rate = 1.5", "rat = 1.5")
    with pytest.raises(InvalidArgument) as caught:
        load(text)
    assert ["frequncy" in line for line in str(caught.value).splitlines()] == [True, False]
    text = GOOD.replace("frequency = 0.2", "frequency = -1").replace("rate = 1.5", "rate = -1.5")
    with pytest.raises(InvalidArgument) as caught:
        load(text)
    lines = str(caught.value).splitlines()
    assert ["device.frequency" in line for line in lines] == [True, False]
    assert ["leads[1].lineshape.rate" in line for line in lines] == [False, True]


def test_a_bias_needs_two_leads(load):
    third = GOOD.split("[sweep]")[0].split("[[leads]]")[1]
    with pytest.raises(
        InvalidArgument, match=r"`bias` must be used with a device of two leads, .* 3"
    ):
        load(GOOD.replace("[sweep]", f"[[leads]]{third}[sweep]"))


def test_a_tabulated_line_shape_comes_from_a_csv_file_beside_the_toml(load, tmp_path):
    rows = "# frequency, rate\n-2,0\n-1,0.5\n0,1\n1,0.5\n2,0\n"
    (tmp_path / "shape.csv").write_text(rows)
    job = load(GOOD, 'kind = "wideband", rate = 1.5', 'kind = "tabulated", file = "shape.csv"')
    shape = job.run.machine.leads[1].lineshape
    assert list(shape.frequency) == [-2, -1, 0, 1, 2]
    assert list(shape.rate) == [0, 0.5, 1, 0.5, 0]


@pytest.mark.parametrize("line", ["frequency,rate", "-2;0,5"])
def test_a_line_of_a_csv_file_that_holds_no_numbers_is_shown(load, tmp_path, line):
    (tmp_path / "shape.csv").write_text(f"# ours\n{line}\n-1,0.5\n")
    with pytest.raises(InvalidArgument, match=f"line 2 of .* is '{line}'; comments"):
        load(GOOD, 'kind = "wideband", rate = 1.5', 'kind = "tabulated", file = "shape.csv"')


def test_a_missing_csv_file_is_named(load):
    with pytest.raises(InvalidArgument, match=r"CSV file of two columns .*none\.csv"):
        load(GOOD, 'kind = "wideband", rate = 1.5', 'kind = "tabulated", file = "none.csv"')


def test_the_examples_load():
    definition = load_job(EXAMPLES / "flywheel-by-definition.toml")
    plotted = load_job(EXAMPLES / "flywheel-as-plotted.toml")
    nanotube = load_job(EXAMPLES / "flywheel-nanotube.toml")
    assert definition.run.machine.force == pytest.approx(0.2 / math.sqrt(10), rel=1e-15)
    assert plotted.run.machine.force == 0.1
    assert definition.run.values.size == plotted.run.values.size == 65
    assert nanotube.run.machine.frequency == pytest.approx(
        0.41356677, rel=1e-7
    )  # h * 0.1 GHz in ueV
    assert nanotube.run.machine.leads[0].temperature == pytest.approx(4.3086663, rel=1e-7)


def test_a_sweep_may_lead_into_a_lead(load):
    text = GOOD.replace("[0.0, 8.0]", "[1.0, 8.0]")
    job = load(text, "[sweep]", '[sweep]\nparameter = "leads[1].lineshape.rate"')
    assert job.run.parameter == "leads[1].lineshape.rate"
    with pytest.raises(InvalidArgument, match=r"`sweep.parameter` must be .* 'leads\[0\]"):
        load(GOOD, "[sweep]", '[sweep]\nparameter = "leads.temperature"')
