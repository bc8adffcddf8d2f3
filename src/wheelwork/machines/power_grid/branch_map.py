"""All branches over two parameters, as one dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from wheelwork._checks import FloatArray, finite_array
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.model import (
    amplitude_model,
    edge_coherences,
    edge_currents,
    gain_rates,
    loss_rates,
    require_bounded,
)
from wheelwork.machines.power_grid.net_rates import SaturableGrowth, SaturableRates
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import (
    AmplitudeModel,
    MeanField,
    Search,
    Solutions,
    TwoSiteCurve,
    growth_rates,
    invertible,
    rest_growth_rate,
    run_together,
    two_site_curve,
)
from wheelwork.results import attributes


def branch_map(
    parameters: GridParameters, values: Mapping[str, npt.ArrayLike], method: MeanField
) -> xr.Dataset:
    """Return all branches at every combination of the values of two parameters.

    values: two names as for `PowerGrid.replace`, each with an array (n,).
    The dataset has, per point and branch (NaN where there are fewer), the frequency, the growth
    rate, the error of the amplitudes, the quanta injected and extracted and the current of each
    edge; and per point their number, and whether the state at rest is stable. Branches are in the
    order of `PowerGrid.steady_state`, without the state at rest and without motion that reaches no
    steady state. What the passive network between two elements allows is computed only once.

    Raises InvalidArgument for other than two names, and as `PowerGrid.replace` does.
    """
    if len(values) != 2:
        raise InvalidArgument(f"`values` must name two parameters, but names {list(values)!r}")
    axes = {name: finite_array(name, value, ndim=1) for name, value in values.items()}
    for name, axis in axes.items():
        if axis.size == 0:
            raise InvalidArgument(f"`{name}` must hold at least one value, but is empty (map)")
    (first, outer), (second, inner) = axes.items()
    curves = _Curves(parameters, axes)
    rows = []
    for x in outer.tolist():
        row = parameters.replace(**{first: x})
        points = [row.replace(**{second: y}) for y in inner.tolist()]
        searches = []
        for point in points:
            model = amplitude_model(point)
            require_bounded(model)
            searches.append(method.search(model, curves.of(point, model)))
        for point, search, solutions in zip(points, searches, _solved(searches), strict=True):
            rows.append(_numbers(point, search, solutions))
    return _dataset(parameters, axes, rows)


def _solved(searches: Sequence[Search]) -> list[Solutions]:
    """Run searches, together where they share their network."""
    growths = [search.model.growth for search in searches]
    shared = searches[0].known_curve
    alike = shared is not None and all(search.known_curve is shared for search in searches)
    saturable = [growth for growth in growths if isinstance(growth, SaturableGrowth)]
    if alike and len(saturable) == len(growths):
        return run_together(searches, SaturableRates.stacked(saturable))
    return [search.run()[0] for search in searches]


@dataclass
class _Curves:
    """The curve of the passive network, kept while the network stays the same."""

    parameters: GridParameters
    axes: Mapping[str, FloatArray]
    curve: TwoSiteCurve | None = None

    def of(self, point: GridParameters, model: AmplitudeModel) -> TwoSiteCurve | None:
        """Return the curve for a point of the map, None where the search goes by starts."""
        if model.active.size != 2 or not invertible(model.growth):
            return None
        known = None if self.curve is None else self.curve.network
        if (
            known is None
            or not np.array_equal(model.linear, known.linear)
            or not np.array_equal(model.active, known.active)
        ):
            self.curve = two_site_curve(model, self._largest(point))
        return self.curve

    def _largest(self, point: GridParameters) -> FloatArray:
        """R_k(0) with the largest rates that the map asks for."""
        ends = {name: float(axis.max()) for name, axis in self.axes.items()}
        rates = {
            name: value
            for name, value in ends.items()
            if name.partition("[")[0] in ("injection", "extraction")
        }
        largest = amplitude_model(point.replace(**rates))
        return largest.growth.rates(np.zeros(largest.active.size))


@dataclass(frozen=True, eq=False)
class _Row:
    frequency: FloatArray
    growth_rate: FloatArray
    error: FloatArray
    injected: FloatArray
    extracted: FloatArray
    edge_current: FloatArray
    rest_stable: bool


def _numbers(point: GridParameters, search: Search, solutions: Solutions) -> _Row:
    alpha, omega, model = solutions.amplitudes, solutions.frequency, search.model
    occupation = np.abs(alpha) ** 2
    return _Row(
        omega,
        growth_rates(model, alpha, omega, search.mirror),
        solutions.error,
        np.sum(gain_rates(point, occupation) * occupation, axis=1),
        np.sum(loss_rates(point, occupation) * occupation, axis=1),
        edge_currents(point, edge_coherences(point, alpha)),
        rest_growth_rate(model) < 0.0,
    )


def _dataset(
    parameters: GridParameters, axes: Mapping[str, FloatArray], rows: list[_Row]
) -> xr.Dataset:
    shape = tuple(axis.size for axis in axes.values())
    most = max(row.frequency.size for row in rows)

    def table(field: str, *width: int) -> FloatArray:
        whole = np.full((len(rows), most, *width), np.nan)
        for i, row in enumerate(rows):
            numbers = getattr(row, field)
            whole[i, : len(numbers)] = numbers
        return whole.reshape(*shape, most, *width)

    dims = (*axes, "branch")
    names = "frequency", "growth_rate", "error", "injected", "extracted"
    variables = {name: (dims, table(name)) for name in names}
    growth = variables["growth_rate"][1]
    number = np.array([row.frequency.size for row in rows]).reshape(shape)
    dataset = xr.Dataset(
        {
            **variables,
            "stable": (dims, (growth < 0.0).astype(np.int8)),
            "edge_current": ((*dims, "edge"), table("edge_current", len(parameters.edges))),
            "branches": (tuple(axes), number),
            "stable_branches": (tuple(axes), np.sum(growth < 0.0, axis=-1)),
            "rest_stable": (
                tuple(axes),
                np.array([row.rest_stable for row in rows], dtype=np.int8).reshape(shape),
            ),
        },
        coords={
            **{name: (name, axis) for name, axis in axes.items()},
            "edge": parameters.coordinates["edge"],
        },
    )
    for name in axes:
        dataset[name].attrs = attributes(parameters.label_of(name))
    return dataset
