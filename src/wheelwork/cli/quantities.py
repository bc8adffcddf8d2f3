"""Numbers with units: "0.2 meV", "20 mK", "1.5 GHz", all turned into one unit of energy.

Temperatures count as k_B T, frequencies in hertz as h nu, angular ones (rad/s, 1/s) as hbar omega,
voltages as e V; CODATA constants as scipy.constants has them.
"""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from scipy import constants

from wheelwork.errors import InvalidArgument

_PREFIXES = {"": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3,
             "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}  # fmt: skip

_BASES = {"eV": constants.e, "V": constants.e, "J": 1.0, "K": constants.k, "Hz": constants.h}
_ANGULAR = {"rad/s": constants.hbar, "1/s": constants.hbar}

JOULES: dict[str, float] = {
    prefix + base: factor * joules
    for base, joules in _BASES.items()
    for prefix, factor in _PREFIXES.items()
} | _ANGULAR

LONGEST = 80  # characters of a number with its unit; more is a mistake, and slow to search
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")


@dataclass(frozen=True)
class EnergyUnit:
    """The unit in which a parameter file counts energies; "1" stands for none at all."""

    name: str = "1"

    def __post_init__(self) -> None:
        if self.name != "1":
            _joules(self.name)

    def read(self, text: str) -> float:
        """Return `text`, a number with or without a unit, counted in this unit."""
        match = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        if match is None:
            words = json.dumps(text[:LONGEST], ensure_ascii=False)
            raise InvalidArgument(f"must be a number, with a unit or without, but is {words}")
        number, unit = float(match[1]), match[2]
        if not unit:
            return number
        joules = _joules(unit)
        if self.name == "1":
            raise InvalidArgument(
                f'must be a bare number, but is "{text}": energies are dimensionless here '
                f'(give [units] energy = "{unit}", or another unit, to change that)'
            )
        return number * (joules / _joules(self.name))


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the member of `valid` that differs in its capitals only, or else the most similar."""
    known = list(valid)
    same = [item for item in known if item.lower() == name.lower()]
    return (same or difflib.get_close_matches(name, known, n=1, cutoff=0.0))[0]


def _joules(unit: str) -> float:
    if unit not in JOULES:
        unit = unit[:LONGEST]
        words = json.dumps(unit, ensure_ascii=False)
        raise InvalidArgument(
            f'has the unknown unit {words}; the nearest valid unit is "{nearest(unit, JOULES)}"'
        )
    return JOULES[unit]
