"""From a power grid to its master equation in the sectors of the total number of quanta."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork._computed import Computed
from wheelwork.errors import InvalidArgument, NoSteadyState, shown
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.estimate import (
    MOST_HEATING,
    require_normalisable,
    tail,
)
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace, IndexArray
from wheelwork.machines.power_grid.quantum.rates import GridRates
from wheelwork.oscillator_networks import ComplexArray

# Below this, amplitudes of a mode at nodes with loss and distances of frequencies, against their
# range, count as zero: far above rounding, far below the disorder of any device.
DARK = 1e-9


@dataclass(frozen=True, eq=False)
class QuantumModel(Computed):
    """The master equation of a grid with at most `cutoff` quanta, in units of `rates.unit`.

    phases: (N,), of the gauge a_j → phase_j a_j in which states are stored: i on every other node
    makes all matrices real where the graph has no odd cycle and nothing is detuned.
    """

    rates: GridRates
    space: FockSpace
    phases: ComplexArray

    @property
    def parameters(self) -> GridParameters:
        return self.rates.parameters

    @property
    def real(self) -> bool:
        """Whether all matrices are real in this gauge."""
        return bool(np.any(self.phases.imag != 0.0)) or not self.parameters.edges

    @cached_property
    def equation(self) -> graded.GradedLindblad:
        """The equation sector by sector, in the gauge."""
        space = self.space
        coherent = tuple(self._coherent(K) for K in range(space.cutoff + 1))

        def link(K: int, j: int) -> graded.Link:
            # square roots of the rates of the jumps that there are
            rates = self.jump_rates(j, space.occupations[K][:, j])
            amplitudes = (np.sqrt(each[np.any(each > 0.0, axis=1)]) for each in rates)
            return graded.Link(space.above[K][j], *amplitudes)

        links = tuple([link(K, j) for j in range(space.modes)] for K in range(space.cutoff + 1))
        return graded.GradedLindblad(coherent, links[:-1], links[-1], tail(self.rates))

    def jump_rates(self, j: int, n: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Rates of jumps from n + 1 to n quanta in node j, and back: to and from the surroundings,
        then to an engine and from a generator.
        """
        rates, m = self.rates, n.astype(np.float64)
        down = [rates.dampings[j] + rates.heating[j] + 0.0 * m, rates.loss.at(m, j)]
        up = [rates.heating[j] + 0.0 * m, rates.gain.at(m, j)]
        return np.array(down) * (m + 1.0), np.array(up) * (m + 1.0)

    def _hops(self, u: int, v: int, n: IndexArray) -> FloatArray:
        """Elements of H between states with one quantum more in u and in v than `n`, (..., N)."""
        return np.asarray(self.rates.hopping[u, v] * np.sqrt((n[:, u] + 1.0) * (n[:, v] + 1.0)))

    def _coherent(self, K: int) -> npt.NDArray[Any]:
        """−iH of a sector, in the gauge."""
        space, n = self.space, self.space.occupations[K]
        matrix = np.diag(-1j * (n @ self.rates.detunings))
        if K > 0:
            below = space.occupations[K - 1]
            for u, v in self.parameters.edge_indices:
                amplitude = -self._hops(u, v, below)
                phase = 1j * self.phases[u].conj() * self.phases[v]
                at = space.above[K - 1][u], space.above[K - 1][v]
                matrix[at] += phase * amplitude
                matrix[at[::-1]] -= phase.conj() * amplitude
        return np.ascontiguousarray(matrix.real) if self.real else matrix

    @cached_property
    def lindblad(self) -> lindblad.Lindblad:
        """The same as sparse matrices on the whole basis, without the gauge."""
        space, D = self.space, self.space.dimension
        above = [space.raised(j) for j in range(space.modes)]
        below = np.arange(space.starts[-2])
        n = space.all_occupations[: below.size]
        H = sp.csc_array(sp.diags_array(space.all_occupations @ self.rates.detunings))
        for u, v in self.parameters.edge_indices:
            hop = self._hops(u, v, n)
            one = sp.csc_array((hop, (above[u], above[v])), shape=(D, D))
            H = H + one + one.T
        jumps = []
        for j in range(space.modes):
            down, up = self.jump_rates(j, n[:, j])
            for ends, rates in (((below, above[j]), down), ((above[j], below), up)):
                jumps += [sp.csc_array((np.sqrt(rate), ends), shape=(D, D)) for rate in rates]
        return lindblad.Lindblad(H, tuple(jump for jump in jumps if np.any(jump.data)))

    def lowering(self, j: int) -> sp.csc_array:
        """a_j on the whole basis."""
        source, D = self.space.raised(j), self.space.dimension
        n = self.space.all_occupations[:, j]
        return sp.csc_array((np.sqrt(n[source]), (np.arange(source.size), source)), shape=(D, D))

    def element_flows(self, n: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Quanta per time injected and extracted at each node, of states with n quanta, (D, N)."""
        m = n.astype(np.float64)
        return self.rates.gain.at(m) * (m + 1.0), self.rates.loss.at(np.maximum(m - 1.0, 0.0)) * m


def sampled_operators(model: QuantumModel) -> Mapping[str, sp.csc_array]:
    """ "occupation 0", "injected 0", … per node, "current 0", "square 0" per edge, and "edge", the
    probability of the last sector.

    J = (g/2i)(a_u†a_v − a_v†a_u). The normally ordered part of J² follows from the occupations:
    :J²: = J² − g²(n_u + n_v)/4.
    """
    parameters, space = model.parameters, model.space
    n = space.all_occupations
    inside = n.sum(axis=1) < space.cutoff
    injected, extracted = model.element_flows(n)
    injected = injected * inside[:, None]
    operators: dict[str, sp.csc_array] = {"edge": _diagonal((~inside).astype(np.float64))}
    for j in range(space.modes):
        operators[f"occupation {j}"] = _diagonal(n[:, j].astype(np.float64))
        operators[f"injected {j}"] = _diagonal(injected[:, j])
        operators[f"extracted {j}"] = _diagonal(extracted[:, j])
    pairs = zip(parameters.edge_indices, model.rates.couplings, strict=True)
    for e, ((u, v), g) in enumerate(pairs):
        hop = sp.csc_array(model.lowering(int(u)).T @ model.lowering(int(v)))
        current = sp.csc_array(-0.5j * g * (hop - hop.T))
        operators[f"current {e}"] = current
        operators[f"square {e}"] = sp.csc_array(current @ current)
    return operators


def _diagonal(values: FloatArray) -> sp.csc_array:
    return sp.csc_array(sp.diags_array(values))


def gauge_phases(parameters: GridParameters, wanted: bool | None) -> ComplexArray:
    """Return the phases that make the problem real; ones where it stays complex.

    wanted: None where complex numbers will do; True raises InvalidArgument if there is no such
    gauge.
    """
    ones = np.ones(len(parameters.nodes), dtype=np.complex128)
    if wanted is False:
        return ones
    reason = None
    if np.ptp(parameters.detunings) > 0.0:
        reason = "`detuning` differs between nodes"
    elif not nx.is_bipartite(parameters.graph):
        reason = "the graph has a cycle of odd length"
    if reason is None:
        colours = nx.bipartite.color(parameters.graph)
        return np.array([1j if colours[node] else 1.0 for node in parameters.nodes])
    if wanted:
        raise InvalidArgument(
            f"`real` must not be True where no gauge makes the problem real: {reason}"
        )
    return ones


def require_quantum(parameters: GridParameters) -> GridRates:
    """Return the rates of a grid with one normalisable steady state.

    Raises InvalidArgument for elements without jump operators, NoSteadyState for gain that is not
    below loss at many quanta and for dark modes. Those are modes of H without amplitude at any node
    with loss. Without them every state has a non-zero probability to decay to the vacuum, so that
    the steady state is unique, also where most nodes have no damping.
    """
    for name, elements in (("generators", parameters.generators), ("engines", parameters.engines)):
        for node, each in elements.items():
            if not isinstance(each, Saturable):
                raise InvalidArgument(
                    f"`{name}` must be Saturable in a master equation, for its jump operator "
                    f"f(a†a) a, but is {shown(each)} (node {shown(node)})"
                )
    rates, N = GridRates.of(parameters), len(parameters.nodes)
    if not np.all(rates.heating <= MOST_HEATING):
        raise InvalidArgument(
            "`thermal_occupation` must be at most "
            f"{MOST_HEATING:g} times the largest rate over the damping, but is "
            f"{float(np.max(parameters.thermal_occupations)):g}"
        )
    lossy = rates.dampings + rates.loss.full > 0.0
    frequencies, modes = np.linalg.eigh(rates.hopping)
    apart = DARK * max(float(np.ptp(frequencies)), np.finfo(float).tiny)
    groups = np.split(np.arange(N), np.flatnonzero(np.diff(frequencies) > apart) + 1)
    for group in groups:
        amplitudes = np.linalg.svd(modes[np.ix_(lossy, group)], compute_uv=False)
        if amplitudes.size < group.size or float(amplitudes.min(initial=np.inf)) < DARK:
            frequency = rates.unit * float(frequencies[group[0]])
            raise NoSteadyState(
                f"a mode of frequency {frequency:.3g} has no amplitude at any "
                "node with loss, so that its quanta stay: give its nodes some damping"
            )
    require_normalisable(rates)
    return rates
