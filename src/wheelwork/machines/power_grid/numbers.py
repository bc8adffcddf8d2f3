"""Numbers per edge and per node with their errors, and one convention for the sign of a current."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, UnknownKey, shown
from wheelwork.machines.power_grid.parameters import ENDS, Edge
from wheelwork.numerics.labelled import Axis
from wheelwork.numerics.statistics import Estimate, Sampled
from wheelwork.results import Label, Observable, Summary, observable, with_error

SHOWN = 4  # entries of a printout

# labels of what several states offer
INJECTED: Label = ("J_i", "rate", "quanta injected")
EXTRACTED: Label = ("J_e", "rate", "quanta extracted")
DISSIPATED: Label = (r"J_\gamma", "rate", "quanta lost to damping")
OCCUPATION: Label = (r"\sum_j n_j", "1", "quanta in the network")
MEAN_CURRENT: Label = (r"\bar J", "rate", "quanta along an edge, mean over the edges")
FLUCTUATION: Label = (r"\Delta J", "rate", "standard deviation of the current")
NORMAL: Label = (r"\Delta J_{:}", "rate", "standard deviation of the current, in normal order")
AT_NODE: Label = ("n", "1", "quanta at the node")
ALONG_EDGE: Label = ("J", "rate", "current from u to v")

Key = TypeVar("Key")
Value = TypeVar("Value")  # float, or `Estimate` of what is sampled


@dataclass(frozen=True, eq=False, repr=False)
class Numbers(Summary, Mapping[Key, Value]):
    """A mapping to numbers, which are held as an array in the order of the keys.

    array, errors: the numbers and their absolute errors. sampled: where they are means of samples.
    """

    dimension: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()

    index: Mapping[Key, int]
    array: FloatArray
    errors: FloatArray
    sampled: Sampled | None = None

    @classmethod
    def of(cls, index: Any, sampled: Sampled, **options: Any) -> Self:
        """Means of samples with standard errors; raises NotConverged where these are unknown."""
        return cls(index, sampled.value, sampled.errors, sampled, **options)

    def at(self, position: int, sign: float = 1.0) -> Value:
        """The number at this position of the arrays, times ±1."""
        number, error = sign * float(self.array[position]), float(self.errors[position])
        return number if self.sampled is None else Estimate(number, error)  # type: ignore[return-value]

    def __getitem__(self, key: Key) -> Value:
        try:
            return self.at(self.index[key])
        except (KeyError, TypeError):
            raise UnknownKey(f"`key` must be {self._known}, but is {shown(key)}") from None

    @property
    def _known(self) -> str:
        shown = [repr(key) for key in islice(self.index, SHOWN)]
        return f"one of {', '.join(shown)}{', …' if len(self.index) > SHOWN else ''}"

    def __iter__(self) -> Iterator[Key]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def summary(self) -> Mapping[str, str]:
        """The first few, and how many more there are."""
        entries = zip(self, self.array.tolist(), self.errors.tolist(), strict=True)
        shown = {repr(key): with_error(x, error) for key, x, error in islice(entries, SHOWN)}
        return shown | ({"…": f"{len(self) - SHOWN} more"} if len(self) > SHOWN else {})

    @property
    def axis(self) -> Axis:
        """The keys as a dimension of a dataset."""
        return Axis(self.dimension, tuple(self.index), self.parts)


class NodeNumbers(Numbers[Hashable, Value]):
    """A number per node: `numbers[node]`. index: position of each node. array, errors: (N,)."""

    dimension = "node"


@dataclass(frozen=True, eq=False, repr=False)
class EdgeNumbers(Numbers[Edge, Value]):
    """A number per edge: `numbers[(u, v)]`; where `odd`, `numbers[(v, u)]` is its negative.

    array, errors: (E,), along each edge (u, v) as `index` lists it, with absolute errors.
    A pair of nodes without an edge is an InvalidArgument, and a KeyError.
    """

    dimension, parts = "edge", ENDS

    odd: bool = True

    def __getitem__(self, edge: Edge) -> Value:
        if edge not in self:
            raise UnknownKey(f"`edge` must be {self._known}, or reversed, but is {shown(edge)}")
        if edge in self.index:
            return self.at(self.index[edge])
        return self.at(self.index[edge[::-1]], -1.0 if self.odd else 1.0)

    def __contains__(self, edge: object) -> bool:
        try:
            return isinstance(edge, tuple) and (edge in self.index or edge[::-1] in self.index)
        except TypeError:  # of nodes that cannot be hashed
            return False

    def mean(self) -> Value:
        """Mean over the edges as listed: of the current of a chain, ⟨J⟩ of Huber and Rabl.

        Raises InvalidArgument where there is no edge.
        """
        if not self.index:
            raise InvalidArgument("`edges` must hold at least one edge for a mean, but is empty")
        if self.sampled is None:
            return float(np.mean(self.array))  # type: ignore[return-value]
        weights = np.full((1, len(self)), 1.0 / len(self))
        return self.sampled.combined(weights).estimates[0]  # type: ignore[return-value]


def labelled(
    label: Label, over: str, error: Callable[[Any], FloatArray] | None = None
) -> Callable[[Callable[[Any], Value]], Observable[Value]]:
    """Declare a method that returns `Numbers` as the array observable OVER_NAME.

    error: of a state; by default the errors of the numbers.
    """

    def declare(compute: Callable[[Any], Value]) -> Observable[Value]:
        name = compute.__name__
        errors = error or (lambda state: getattr(state, name).errors)
        return observable(*label, key=f"{over}_{name}", over=over, error=errors)(compute)

    return declare


def edge_mean(name: str, label: Label, key: str | None = None) -> Observable[float]:
    """Declare the mean over the edges of `name`; its error is at most the mean of theirs."""

    def error(state: Any) -> float:
        return float(np.mean(getattr(state, name).errors))

    return observable(*label, key=key or name, error=error)(
        lambda state: float(getattr(state, name).mean())
    )
