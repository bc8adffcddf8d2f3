"""What the tables of every parameter file share: numbers, units, ranges, output."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from wheelwork._checks import FloatArray
from wheelwork.cli.quantities import EnergyUnit, is_finite_number, nearest
from wheelwork.errors import InvalidArgument


def refusal(message: str) -> PydanticCustomError:
    """Return an error whose text reads after the name of the key."""
    return PydanticCustomError("refused", "{text}", {"text": message})


def _number(value: Any) -> Any:
    if not is_finite_number(value):
        raise refusal(f"must be a finite number, but is {value!r}")
    return float(value)


def _energy(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return _number(value)
    unit: EnergyUnit = info.context["unit"] if info.context else EnergyUnit()
    try:
        return _number(unit.read(value))
    except InvalidArgument as reason:
        raise refusal(str(reason)) from None


Number = Annotated[float, BeforeValidator(_number)]
Energy = Annotated[
    float,
    BeforeValidator(_energy),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string"}],
            "description": 'a number, or a number with a unit such as "0.2 meV" or "20 mK"',
        }
    ),
]
Tolerance = Annotated[Number, Field(ge=1e-12, le=0.1)]
PositiveNumber = Annotated[Number, Field(gt=0)]
PositiveEnergy = Annotated[Energy, Field(gt=0)]


@dataclass(frozen=True)
class ParameterNames:
    """Names that may be swept: some of the machine's own, and those that lead into a field."""

    own: tuple[str, ...]
    inside: str

    @property
    def pattern(self) -> str:
        """Of the names that lead inside."""
        return rf"{self.inside}\[\d+\](\.[a-z_]+)+"

    def check(self, value: Any) -> Any:
        """Return `value` where it is such a name."""
        if value in self.own or (isinstance(value, str) and re.fullmatch(self.pattern, value)):
            return value
        words = ", ".join(repr(name) for name in self.own)
        raise refusal(
            f"must be {words} or such as '{self.inside}[0].temperature', but is {value!r}"
        )

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the names."""
        return {
            "anyOf": [{"enum": list(self.own)}, {"type": "string", "pattern": f"^{self.pattern}$"}]
        }


class Table(BaseModel):
    """A table that refuses keys it does not know and names the nearest one it does."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            for key in data:
                if key not in cls.model_fields:
                    best = nearest(key, cls.model_fields)
                    raise refusal(f"has no key `{key}`; the nearest valid key is `{best}`")
        return data


class RangeTable(Table):
    """Values of a parameter: `start`, `stop` and `points`, or a list of `values`."""

    start: Energy | None = None
    stop: Energy | None = None
    points: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    values: Annotated[list[Energy], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_range(self) -> Self:
        ends = [part is not None for part in (self.start, self.stop, self.points)]
        if self.values is not None and any(ends):
            raise refusal("must hold either `values` or `start`, `stop`, `points`, not both")
        if self.values is None and not all(ends):
            raise refusal("must hold `start`, `stop` and `points`, or `values`")
        return self

    def array(self) -> FloatArray:
        """The values, in order."""
        if self.values is not None:
            return np.array(self.values)
        if self.start is None or self.stop is None or self.points is None:  # refused above
            raise InvalidArgument("`sweep` must hold `start`, `stop` and `points`, or `values`")
        return np.linspace(self.start, self.stop, self.points)


class UnitsTable(Table):
    """The unit of every energy without one of its own."""

    energy: str = "1"


class OutputTable(Table):
    """Where results go; the command line's --out goes first. `name`: of the files."""

    folder: str | None = None
    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")] | None = None
