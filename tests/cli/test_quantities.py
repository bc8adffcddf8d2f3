"""Units, against values from the definition of the SI."""

import pytest

from wheelwork.cli.quantities import UnitSystem
from wheelwork.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1 eV", "J", 1.602176634e-19),
        ("20 mK", "ueV", 1.7234666),  # k_B = 1.380649e-23 J/K
        ("1.5 GHz", "ueV", 6.2035016),  # h = 6.62607015e-34 J s
        ("1e9 rad/s", "neV", 658.2119569),  # hbar
        ("1e9 1/s", "neV", 658.2119569),
        ("2 mV", "meV", 2.0),
        ("300K", "meV", 25.8519997),
        ("-.5 meV", "µeV", -500.0),
        ("+2. kJ", "J", 2000.0),
        ("1 THz", "GHz", 1000.0),
        ("7", "meV", 7.0),
    ],
)
def test_conversion(text, unit, expected):
    assert UnitSystem(unit).read(text) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 mev", '"mev"; the nearest valid unit is "meV"'),
        ("1 GHzz", '"GHzz"; the nearest valid unit is "GHz"'),
        ("1 rad", '"1 rad" is an angle'),
        ("meV", 'must be a number, with a unit or without, but is "meV"'),
        ("", "must be a number"),
    ],
)
def test_what_cannot_be_read_is_named(text, message):
    with pytest.raises(InvalidArgument, match=message):
        UnitSystem("meV").read(text)


def test_a_unit_needs_energies_with_a_unit():
    with pytest.raises(InvalidArgument, match="energies are dimensionless here"):
        UnitSystem().read("1 meV")
    assert UnitSystem().read("1.5") == 1.5


def test_the_unit_itself_must_exist():
    with pytest.raises(
        InvalidArgument, match='`energy` must be a unit of energy, such as "meV", but is "metre"'
    ):
        UnitSystem("metre")
