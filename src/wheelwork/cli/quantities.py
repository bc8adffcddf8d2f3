"""Numbers with units: "0.2 meV", "20 mK", "1.5 GHz", "5 nm", "0.1 pN", in the units of a file.

With hbar = k_B = e = 1 every quantity is a power of an energy times one of a length, and times one
of a charge: a temperature counts as k_B T, hertz as h nu, rad/s as hbar omega, a voltage as e V, a
time as t/hbar, a mass as m/hbar^2. A file chooses the units of energy and of length. The
constants are exact by the definition of the SI, but for the atomic mass.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from wheelwork.errors import InvalidArgument

ELEMENTARY_CHARGE = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K
PLANCK = 6.62607015e-34  # J s
HBAR = PLANCK / (2.0 * math.pi)
ATOMIC_MASS = 1.66053906892e-27  # kg, CODATA 2022
LONGEST = 80  # characters of a number with its unit; more is a mistake, and slow to search


class Dimension(NamedTuple):
    """Powers of energy, length and charge; `clock` of seconds of computing, which are no t/hbar."""

    energy: int = 0
    length: int = 0
    charge: int = 0
    clock: int = 0

    def times(self, other: "Dimension", power: int) -> "Dimension":
        pairs = zip(self, other, strict=True)
        return Dimension(*(one + power * another for one, another in pairs))


class Unit(NamedTuple):
    """A unit: its dimension, and its size in joules, metres and elementary charges."""

    dimension: Dimension
    size: float
    kind: str = ""  # of quantity, in words


PLAIN, ENERGY, LENGTH = Dimension(), Dimension(energy=1), Dimension(length=1)
TIME, MASS, CHARGE = Dimension(energy=-1), Dimension(energy=-1, length=-2), Dimension(charge=1)
FORCE, CLOCK = Dimension(energy=1, length=-1), Dimension(clock=1)
SECOND, KILOGRAM = 1.0 / HBAR, 1.0 / HBAR**2

# Whose units a file chooses: plural, an example, and the dimension.
BASES = {"energy": ("energies", "meV", ENERGY), "length": ("lengths", "nm", LENGTH)}
# What a field must be, and examples of it.
WANTED: Mapping[Dimension, tuple[str, str]] = {
    ENERGY: ("an energy", '"0.2 meV", "20 mK" or "1.5 GHz"'),
    TIME: ("in units of 1/energy", '"5 ns" or "2 1/meV"'),
    LENGTH: ("a length", '"5 nm"'),
    MASS: ("a mass", '"1e-21 kg" or "50 u"'),
    FORCE: ("a force", '"0.1 pN" or "2 meV/nm"'),
    CHARGE: ("a charge", '"2 e"'),
    CLOCK: ("a time of computing", '"60 s" or "5 min"'),
}
WORDS = {PLAIN: "a plain number", **{each: words for each, (words, _) in WANTED.items()}}

_PREFIXES = {"": 1.0, "a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6,
             "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}  # fmt: skip
_BASES = {
    "eV": Unit(ENERGY, ELEMENTARY_CHARGE, "an energy"),
    "V": Unit(ENERGY, ELEMENTARY_CHARGE, "a voltage"),
    "J": Unit(ENERGY, 1.0, "an energy"),
    "K": Unit(ENERGY, BOLTZMANN, "a temperature"),
    "Hz": Unit(ENERGY, PLANCK, "a frequency"),
    "m": Unit(LENGTH, 1.0, "a length"),
    "g": Unit(MASS, 1e-3 * KILOGRAM, "a mass"),
    "N": Unit(FORCE, 1.0, "a force"),
    "s": Unit(TIME, SECOND, "a time"),
}
UNITS: Mapping[str, Unit] = {
    prefix + base: unit._replace(size=factor * unit.size)
    for base, unit in _BASES.items()
    for prefix, factor in _PREFIXES.items()
} | {
    "cm": Unit(LENGTH, 1e-2, "a length"),
    "Å": Unit(LENGTH, 1e-10, "a length"),
    "u": Unit(MASS, ATOMIC_MASS * KILOGRAM, "a mass"),
    "amu": Unit(MASS, ATOMIC_MASS * KILOGRAM, "a mass"),
    "Da": Unit(MASS, ATOMIC_MASS * KILOGRAM, "a mass"),
    "e": Unit(CHARGE, 1.0, "a charge"),
    "C": Unit(CHARGE, 1.0 / ELEMENTARY_CHARGE, "a charge"),
    "rad": Unit(PLAIN, 1.0, "an angle"),
    "1": Unit(PLAIN, 1.0),
}
_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
CLOCKS: Mapping[str, Unit] = {
    **UNITS,
    **{name: Unit(CLOCK, size, "a time of computing") for name, size in _SECONDS.items()},
}

# The words of a declared unit, `wheelwork.parameters.parameter`.
_DECLARED = {
    **{name: Unit(ENERGY, 1.0) for name in ("energy", "rate", "temperature", "frequency")},
    "length": Unit(LENGTH, 1.0),
    "mass": Unit(MASS, 1.0),
    "time": Unit(TIME, 1.0),
    "force": Unit(FORCE, 1.0),
    "charge": Unit(CHARGE, 1.0),
    "s": Unit(CLOCK, 1.0),
    "1": Unit(PLAIN, 1.0),
}

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
_FACTOR = re.compile(r"([^\s*·/^()]+?)(?:\^(-?[1-4]))?")  # "nm", "nm^2": sizes stay floats
_POWERS = str.maketrans({"²": "^2", "³": "^3"})


class UnknownUnit(Exception):
    """A word that is no unit."""


def dimension_of(declared: str) -> Dimension:
    """Return the dimension of a declared unit, such as "energy/length"; PLAIN of other words."""
    try:
        return _unit(declared, _DECLARED).dimension
    except UnknownUnit:
        return PLAIN


@dataclass(frozen=True)
class UnitSystem:
    """The units in which a parameter file counts energies and lengths; "1" stands for none."""

    energy: str = "1"
    length: str = "1"

    def __post_init__(self) -> None:
        for name, (_, example, wanted) in BASES.items():
            unit = getattr(self, name)
            known = [each for each, one in UNITS.items() if one.dimension == wanted]
            if unit == "1" or unit in known:
                continue
            kind = UNITS[unit].kind if unit in UNITS else ""
            is_one = f", one of {kind.partition(' ')[2]}" if kind else ""
            near = "" if kind else similar(unit, known)
            hint = f'; the nearest valid unit is "{near}"' if near else ""
            raise InvalidArgument(
                f'`{name}` must be a unit of {name}, such as "{example}", but is '
                f"{_quoted(unit)}{is_one}{hint}"
            )

    def read(self, text: str, dimension: Dimension = ENERGY) -> float:
        """Return `text`, a number with or without a unit, in the units of this system.

        Raises InvalidArgument, in words that read after the name of a key, for what is no number,
        an unknown unit, one of another dimension, and one that needs a unit which is not chosen.
        """
        match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        if match is None or (dimension == PLAIN and not match[2]):
            bare = "a finite number" if dimension == PLAIN else "a number, with a unit or without"
            raise InvalidArgument(f"must be {bare}, but is {_quoted(text)}")
        number, name = float(match[1]), match[2]
        if name[:1] == ",":
            raise InvalidArgument(f"must have a decimal point, not a comma, but is {_quoted(text)}")
        if not name:
            return number
        unit = _read_unit(name, dimension)
        if unit.dimension != dimension:
            words = f"must be {_wanted(dimension)}, but {_quoted(text)} is {_kind(unit)}"
            raise InvalidArgument(words)
        size = 1.0
        for kind, power in (("energy", dimension.energy), ("length", dimension.length)):
            if power:
                size *= self._size(kind, text, name) ** power
        return number * (unit.size / size)

    def _size(self, kind: str, text: str, name: str) -> float:
        """Return the size of the unit of energy, or of length; refuses `text` where it has none."""
        unit, (plural, example, dimension) = getattr(self, kind), BASES[kind]
        if unit != "1":
            return UNITS[unit].size
        example = name if name in UNITS and UNITS[name].dimension == dimension else example
        raise InvalidArgument(
            f"must be a bare number, but is {_quoted(text)}: {plural} are dimensionless here "
            f'(give [units] {kind} = "{example}", or another unit, to change that)'
        )


def similar(name: str, valid: Iterable[str]) -> str:
    """Return the member of `valid` that `name` is likely to stand for, or nothing."""
    known: dict[str, str] = {}
    for each in valid:
        known.setdefault(each.lower(), each)
    near = difflib.get_close_matches(name[:LONGEST].lower(), known, n=1)
    return known[near[0]] if near else ""


def _read_unit(name: str, dimension: Dimension) -> Unit:
    known = CLOCKS if dimension == CLOCK else UNITS
    try:
        return _unit(name, known)
    except UnknownUnit as reason:
        word = str(reason) or name
    fits = [each for each, one in known.items() if one.dimension == dimension and each != "1"]
    near = similar(word, fits if word == name else known)
    hint = f'the nearest valid unit is "{near}"' if near else f"it must be {_wanted(dimension)}"
    raise InvalidArgument(f"has the unknown unit {_quoted(word)}; {hint}")


def _unit(text: str, known: Mapping[str, Unit]) -> Unit:
    """Return a product of units, "kg m^2/s^2" or "1/(energy length^2)", as one.

    All that follows a stroke is divided by. Raises UnknownUnit with the word that is none.
    """
    if text in known:
        return known[text]
    above, *below = text.translate(_POWERS).split("/")
    dimension, size = PLAIN, 1.0
    for part, sign in ((above, 1), *((each, -1) for each in below)):
        words = re.split(r"[\s*·]+", part.strip().removeprefix("(").removesuffix(")"))
        for word in words:
            match = _FACTOR.fullmatch(word)
            if match is None or match[1] not in known:
                raise UnknownUnit(match[1] if match else word)
            unit, power = known[match[1]], sign * int(match[2] or 1)
            dimension, size = dimension.times(unit.dimension, power), size * unit.size**power
    return Unit(dimension, size)


def examples_of(dimension: Dimension) -> str:
    """Return examples of a quantity in words; none of a dimension that has no name."""
    return WANTED.get(dimension, ("", ""))[1]


def _wanted(dimension: Dimension) -> str:
    if dimension == PLAIN:
        return "a plain number"
    words, examples = WANTED.get(dimension, ("in the units of its key", ""))
    return f"{words}, such as {examples}" if examples else words


def _kind(unit: Unit) -> str:
    return unit.kind or WORDS.get(unit.dimension, "a quantity of another dimension")


def _quoted(text: str) -> str:
    """Return a text in the quotes of TOML, on one line and with what cannot be printed escaped."""
    return f'"{repr(text[:LONGEST])[1:-1]}"'
