"""Branches over one parameter, with their folds and losses of stability, and over two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork import oscillator_networks as networks
from wheelwork._checks import FloatArray, finite_array, real
from wheelwork.errors import InvalidArgument, NotConverged, partial_as, shown
from wheelwork.machines.power_grid import model as equations
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.numerics.work import require_budget, tick
from wheelwork.results import Summary, attributes, with_error

SHOWN = 6  # events of a printout
MOST_POINTS = 100_000  # of a map: about a minute for a chain of two sites, longer for more


@dataclass(frozen=True, eq=False, repr=False)
class BranchPath(Summary):
    """Path of P steady states, in order along the curve, returned by `PowerGrid.follow`.

    name: the parameter. points: the states; the parameter need not be monotonic.
    events: folds, Hopf points and branch points, each with the error of its parameter, and "trivial
    branch" where the branch merges with α = 0. `error` of a branch is the tolerance of the method.
    """

    machine: GridParameters
    name: str
    points: tuple[networks.Point, ...]
    events: tuple[networks.Event, ...]
    rtol: float

    @property
    def summary(self) -> Mapping[str, str]:
        """The parameter, its ends, and the first events."""
        events = [
            f"{event.kind} at {with_error(event.parameter, event.error)}"
            for event in self.events[:SHOWN]
        ]
        if len(self.events) > SHOWN:
            events.append(f"{len(self.events) - SHOWN} more")
        first, last = self.points[0].parameter, self.points[-1].parameter
        counts = {"points": str(len(self.points)), "events": "; ".join(events) or "none"}
        return {"name": self.name, "from": with_error(first), "to": with_error(last), **counts}

    @property
    def parameter(self) -> FloatArray:
        """Values of the parameter, (P,)."""
        return np.array([point.parameter for point in self.points])

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """The states, each of the machine at its parameter."""
        return tuple(
            Branch(
                self.machine.replace(**{self.name: point.parameter}),
                point.amplitudes,
                point.frequency,
                self.rtol * float(np.linalg.norm(point.amplitudes)),
                point.deviations,
            )
            for point in self.points
        )

    @property
    def stable(self) -> np.ndarray:
        """Whether each state is stable, (P,), bool."""
        return np.array([point.deviations.stable for point in self.points])

    @property
    def end(self) -> Branch:
        """The last state."""
        return self.branches[-1]

    def to_xarray(self) -> xr.Dataset:
        """Return parameter, frequency, stability and flows along the path."""
        branches, label = self.branches, self.machine.label_of(self.name)
        names = "frequency", "growth_rate", "extracted", "injected"
        return xr.Dataset(
            {
                self.name: ("step", self.parameter, attributes(label)),
                "stable": ("step", self.stable.astype(np.int8)),
                **{name: ("step", [getattr(b, name) for b in branches]) for name in names},
                "edge_current": (("step", "edge"), [b.current.array for b in branches]),
                "event": ("number", np.array([event.kind for event in self.events], dtype=object)),
                f"event_{self.name}": ("number", [event.parameter for event in self.events]),
                f"event_{self.name}_error": ("number", [event.error for event in self.events]),
            },
            coords=self.machine.axes["edge"].coordinates(),
        )


def follow(
    parameters: GridParameters, branch: Branch, name: str, stop: float, method: networks.MeanField
) -> BranchPath:
    """Return the path of `branch` while the parameter `name` goes from its value to `stop`.

    Raises InvalidArgument for a branch at rest or of another machine, and for a parameter without
    a single value; NotConverged where the path cannot be continued, or needs more than 4000 steps
    (some ten seconds), with the path so far as `partial`.
    """
    if not isinstance(branch, Branch) or branch.at_rest:
        raise InvalidArgument(f"`branch` must be a branch with amplitudes, but is {shown(branch)}")
    if branch.machine != parameters:
        raise InvalidArgument("`branch` must be a branch of this machine, but is one of another")
    start, last = parameters.number(name), real("stop", stop)
    if start == last:
        raise InvalidArgument(f"`stop` must differ from the present {name}, but is {shown(last)}")
    parameters.replace(**{name: last})

    units = networks.Units.of(equations.amplitude_model(parameters))

    def model(value: float) -> networks.AmplitudeModel:
        return units.natural(equations.amplitude_model(parameters.replace(**{name: value})))

    def path(reached: tuple[list[networks.Point], list[networks.Event]]) -> BranchPath:
        points = tuple(point.in_units(units) for point in reached[0])
        events = tuple(event.in_units(units) for event in reached[1])
        return BranchPath(parameters, name, points, events, method.rtol)

    continuation = networks.Continuation(model, min(start, last), max(start, last), method.rtol)
    state = units.natural_state(branch.amplitudes, branch.frequency)
    with method.guard(), partial_as(path), np.errstate(over="ignore", invalid="ignore"):
        return path(continuation.run(*state, start, last))


# ---------------------------------------------------------------------- over two parameters


def branch_map(
    parameters: GridParameters, values: Mapping[str, npt.ArrayLike], method: networks.MeanField
) -> xr.Dataset:
    """Return all branches at every combination of the values of two parameters.

    values: two names as for `PowerGrid.replace`, each with an array (n,).
    The dataset has, per point and branch (NaN where there are fewer), the frequency, the growth
    rate, the error of the amplitudes, the quanta injected and extracted and the current of each
    edge; and per point their number, and whether the state at rest is stable. Branches are in the
    order of `PowerGrid.steady_state`, without the state at rest and without motion that reaches no
    steady state. The curve of the passive network between two elements is computed only once.

    A point takes a millisecond for two sites, some ten for ten; the error of a state may exceed
    rtol where rounding allows no less.
    Raises InvalidArgument for other than two names, and as `PowerGrid.replace` does; NotConverged
    for more than 100,000 points.
    """
    if not isinstance(values, Mapping) or len(values) != 2:
        raise InvalidArgument(f"`values` must name two parameters, but is {shown(values)}")
    axes = {name: finite_array(name, value, ndim=1) for name, value in values.items()}
    for name, axis in axes.items():
        if axis.size == 0:
            raise InvalidArgument(f"`{name}` must hold at least one value, but is empty (map)")
    (first, outer), (second, inner) = axes.items()
    require_budget(
        "a map of branches", outer.size * inner.size, MOST_POINTS, "points", "divide the map"
    )
    start = parameters.replace(**{first: float(outer[0]), second: float(inner[0])})
    units = networks.Units.of(equations.amplitude_model(start))
    curves = _Curves(axes, units)
    rows: list[tuple[dict[str, FloatArray], bool]] = []
    with method.guard():
        for x in outer.tolist():
            row = parameters.replace(**{first: x})
            points = [row.replace(**{second: y}) for y in inner.tolist()]
            searches = []
            for point in points:
                model = equations.amplitude_model(point)
                equations.require_bounded(model)
                natural = units.natural(model)
                searches.append(method.search(natural, curves.of(point, natural)))
            for point, search, solutions in zip(points, searches, _solved(searches), strict=True):
                tick("points of a map of branches", len(rows), outer.size * inner.size)
                rows.append(_numbers(point, units, search, solutions))
    return _dataset(parameters, axes, rows)


def _solved(searches: Sequence[networks.Search]) -> list[networks.Solutions]:
    """Run searches, in one batch if they share their network."""
    growths = [search.model.growth for search in searches]
    shared = searches[0].known_curve
    alike = shared is not None and all(search.known_curve is shared for search in searches)
    saturable = [growth for growth in growths if isinstance(growth, equations.SaturableGrowth)]
    if alike and len(saturable) == len(growths) and searches[0].exhaustive:
        return networks.run_together(searches, equations.SaturableGrowth.stacked(saturable))
    return [_reached(search) for search in searches]


def _reached(search: networks.Search) -> networks.Solutions:
    """The steady states of a search, those beyond `rtol` included."""
    try:
        return search.run()[0]
    except NotConverged as reason:
        if reason.partial is None:
            raise
        solutions: networks.Solutions = reason.partial
        return solutions


@dataclass
class _Curves:
    """The curve of the passive network in `units`, cached while the network stays the same."""

    axes: Mapping[str, FloatArray]
    units: networks.Units
    curve: networks.TwoSiteCurve | None = None

    def of(
        self, point: GridParameters, model: networks.AmplitudeModel
    ) -> networks.TwoSiteCurve | None:
        """Return the curve for a point of the map, None where the search goes by starts."""
        if model.active.size != 2 or not networks.invertible(model.growth):
            return None
        known = None if self.curve is None else self.curve.network
        same = known is not None and np.array_equal(model.linear, known.linear)
        if known is None or not same or not np.array_equal(model.active, known.active):
            self.curve = networks.two_site_curve(model, self._largest(point))
        return self.curve

    def _largest(self, point: GridParameters) -> FloatArray:
        """R_k(0) with the largest rates that the map asks for."""
        rates = {
            name: float(axis.max())
            for name, axis in self.axes.items()
            if name.partition("[")[0] in ("injection", "extraction")
        }
        largest = self.units.natural(equations.amplitude_model(point.replace(**rates)))
        return largest.growth.rates(np.zeros(largest.active.size))


def _numbers(
    point: GridParameters,
    units: networks.Units,
    search: networks.Search,
    solutions: networks.Solutions,
) -> tuple[dict[str, FloatArray], bool]:
    """Numbers of each branch at a point, and whether the state at rest is stable."""
    model, state = search.model, (solutions.amplitudes, solutions.frequency)
    alpha = units.size * solutions.amplitudes
    occupation = np.abs(alpha) ** 2
    return {
        "frequency": units.given_frequency(solutions.frequency),
        "growth_rate": units.rate * networks.growth_rates(model, *state, search.mirror),
        "error": units.size * solutions.error,
        "injected": np.sum(equations.gain_rates(point, occupation) * occupation, axis=1),
        "extracted": np.sum(equations.loss_rates(point, occupation) * occupation, axis=1),
        "edge_current": equations.edge_currents(point, equations.edge_coherences(point, alpha)),
    }, networks.rest_growth_rate(model) < 0.0


def _dataset(
    parameters: GridParameters,
    axes: Mapping[str, FloatArray],
    points: list[tuple[dict[str, FloatArray], bool]],
) -> xr.Dataset:
    shape, over = tuple(axis.size for axis in axes.values()), tuple(axes)
    counts = [numbers["frequency"].size for numbers, _ in points]
    variables: dict[str, Any] = {}
    for name, first in points[0][0].items():
        whole = np.full((len(points), max(counts), *first.shape[1:]), np.nan)
        for row, (numbers, _) in zip(whole, points, strict=True):
            row[: len(numbers[name])] = numbers[name]
        dims = (*over, "branch", "edge") if name == "edge_current" else (*over, "branch")
        variables[name] = dims, whole.reshape(*shape, *whole.shape[1:])
    stable = variables["growth_rate"][1] < 0.0
    at_rest = np.array([rest for _, rest in points], dtype=np.int8)
    dataset = xr.Dataset(
        {
            **variables,
            "stable": ((*over, "branch"), stable.astype(np.int8)),
            "branches": (over, np.array(counts).reshape(shape)),
            "stable_branches": (over, np.sum(stable, axis=-1)),
            "rest_stable": (over, at_rest.reshape(shape)),
        },
        coords={**axes, **parameters.axes["edge"].coordinates()},
    )
    for name in axes:
        dataset[name].attrs = attributes(parameters.label_of(name))
    return dataset
