"""Units in parameter files: every number knows its dimension, and all share hbar = k_B = e = 1."""

import math
from pathlib import Path

import pytest
from scipy import constants

from wheelwork.cli.jobs import load_text
from wheelwork.cli.quantities import (
    CHARGE,
    CLOCK,
    ENERGY,
    FORCE,
    LENGTH,
    MASS,
    PLAIN,
    TIME,
    UnitSystem,
    dimension_of,
)
from wheelwork.cli.run import name_units
from wheelwork.errors import InvalidArgument

FILE = """
machine = "flywheel"
units = {{ energy = "ueV"{length} }}
[device]
frequency = "50 MHz"
bias = "1 mV"
{device}
[[leads]]
temperature = "50 mK"
lineshape = {{ kind = "lorentzian", rate = "10 GHz", width = "5 GHz" }}
[[leads]]
temperature = "50 mK"
lineshape = {{ kind = "wideband", rate = "10 GHz" }}
[sweep]
{sweep}
"""


def load(device='force = "0.1 pN"', length="", sweep="values = [0.0]"):
    text = FILE.format(device=device, length=length and f', length = "{length}"', sweep=sweep)
    return load_text(text, Path("device.toml")).run


@pytest.mark.parametrize(
    ("text", "dimension", "units", "expected"),
    [
        ("5 nm", LENGTH, UnitSystem("meV", "um"), 5e-3),
        ("2 Å", LENGTH, UnitSystem("meV", "nm"), 0.2),
        ("1 s", TIME, UnitSystem("J"), 1.0 / constants.hbar),
        ("2 1/meV", TIME, UnitSystem("eV"), 2e3),
        ("1 kg", MASS, UnitSystem("J", "m"), 1.0 / constants.hbar**2),
        ("1 u", MASS, UnitSystem("J", "m"), constants.atomic_mass / constants.hbar**2),
        ("1 kg m^2", TIME, UnitSystem("J"), 1.0 / constants.hbar**2),
        ("1 kg m²/s²", ENERGY, UnitSystem("J"), 1.0),
        ("1 N", FORCE, UnitSystem("J", "m"), 1.0),
        ("2 meV/nm", FORCE, UnitSystem("eV", "um"), 2.0),
        ("3 e", CHARGE, UnitSystem(), 3.0),
        ("1 C", CHARGE, UnitSystem(), 1.0 / constants.e),
        ("5 min", CLOCK, UnitSystem(), 300.0),
        ("250 ms", CLOCK, UnitSystem(), 0.25),
        ("0.5 rad", PLAIN, UnitSystem(), 0.5),
    ],
)
def test_conversion(text, dimension, units, expected):
    assert units.read(text, dimension) == pytest.approx(expected, rel=2e-8)


def test_declared_units_are_dimensions():
    assert dimension_of("1/(energy length^2)") == dimension_of("mass") == MASS
    assert dimension_of("energy/length") == dimension_of("force") == FORCE
    assert dimension_of("1/energy") == dimension_of("time") == TIME
    assert dimension_of("rate") == dimension_of("temperature") == ENERGY
    assert dimension_of("1") == dimension_of("apples") == PLAIN


def test_mass_and_force_give_the_zero_point_motion_and_coupling_of_the_si():
    """x0 = sqrt(2 hbar/(m omega)), lambda = F x0/2: lengths drop out of lambda/energy."""
    machine = load('mass = "1e-21 kg"\nforce = "0.1 pN"', "nm").machine
    omega = 2.0 * math.pi * 50e6
    length = math.sqrt(2.0 * constants.hbar / (1e-21 * omega))  # m
    assert machine.length == pytest.approx(length * 1e9, rel=1e-9)
    assert machine.coupling == pytest.approx(0.5e-13 * length / (1e-6 * constants.e), rel=1e-9)
    others = load('mass = "1e-21 kg"\nforce = "0.1 pN"', "pm").machine
    assert others.coupling == pytest.approx(machine.coupling, rel=1e-12)


@pytest.mark.parametrize(
    ("device", "length", "sweep", "message"),
    [
        ('level = "5 nm"', "", "values = [0.0]",
         '`device.level` must be an energy, such as "0.2 meV", "20 mK" or "1.5 GHz", '
         'but "5 nm" is a length'),
        ('mass = "5 meV"', "nm", "values = [0.0]",
         '`device.mass` must be a mass, such as "1e-21 kg" or "50 u", but "5 meV" is an energy'),
        ('mass = "5 kg"', "", "values = [0.0]",
         '`device.mass` must be a bare number, but is "5 kg": lengths are dimensionless here '
         '(give [units] length = "nm", or another unit, to change that)'),
        ("force = 1.0", "meV", "values = [0.0]",
         '`units.length` must be a unit of length, such as "nm", but is "meV", one of energy'),
        ("force = 1.0", "", 'parameter = "mass"\nvalues = [1.0, "5 nm"]',
         '`sweep.values[1]` must be a mass, such as "1e-21 kg" or "50 u", but "5 nm" is a length'),
        ("force = 1.0", "", 'start = "1 s"\nstop = 1\npoints = 3', '"1 s" is a time'),
        ("force = 1.0", "", 'parameter = "bais"\nvalues = [1.0]', "did you mean `bias`?"),
        ("force = 1.0", "", 'parameter = "leads[0].lineshape.widht"\nvalues = [1.0]',
         "did you mean `width`?"),
        ("force = 1.0", "", 'parameter = "leads[0].lineshape.kind"\nvalues = [1.0]',
         "must lead to a parameter"),
        ("force = 1.0", "", 'parameter = "leads[7].temperature"\nvalues = [1.0]', "no `7`"),
        ("force = 1.0", "",
         'values = [0.0]\n[method]\nkind = "fokker-planck"\ntime_limit = "5 K"',
         '`method.time_limit` must be a time of computing, such as "60 s" or "5 min", '
         'but "5 K" is a temperature'),
        ('level = "1 parsec"', "", "values = [0.0]",
         'has the unknown unit "parsec"; it must be an energy'),
        ('level = "0,1 meV"', "", "values = [0.0]", 'must have a decimal point, not a comma'),
        ('level = "1 meV/parsec"', "", "values = [0.0]", 'has the unknown unit "parsec"'),
        ('level = "1 meV//"', "", "values = [0.0]", 'has the unknown unit "meV//"; the nearest'),
    ],
)  # fmt: skip
def test_a_unit_of_another_dimension_is_refused_with_the_one_wanted(device, length, sweep, message):
    if device != "force = 1.0":
        device += "\nforce = 1.0"
    with pytest.raises(InvalidArgument) as caught:
        load(device, length, sweep)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_times_of_methods_are_counted_in_the_unit_of_energy():
    text = """
machine = "power-grid"
units.energy = "ueV"
device = { kind = "chain", sites = 3, injection = "1 MHz", damping = "1 kHz" }
sweep.values = ["1 MHz"]
method = { kind = "langevin", duration = "2 us" }
"""
    run = load_text(text, Path("device.toml")).run
    turns = run.machine.engines[2].rate * run.method.duration
    assert turns == pytest.approx(2.0 * math.pi * 2.0, rel=1e-9)  # h nu t/hbar


def test_results_name_the_unit_of_length():
    xr = pytest.importorskip("xarray")
    data = xr.Dataset({"f": ((), 1.0, {"units": "energy/length"})})
    assert name_units(data, "ueV", "nm")["f"].attrs["units"] == "ueV/nm"
    data = xr.Dataset({"f": ((), 1.0, {"units": "energy/length"})})
    assert name_units(data, "ueV")["f"].attrs["units"] == "ueV/length"
