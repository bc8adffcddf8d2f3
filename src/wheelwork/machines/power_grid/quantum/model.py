"""From a power grid to its master equation on the rungs of the total number of quanta."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import solve_continuous_lyapunov

from wheelwork import lindblad
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState
from wheelwork.lindblad import graded
from wheelwork.machines.power_grid.elements import Saturable
from wheelwork.machines.power_grid.model import VAST, linear_network
from wheelwork.machines.power_grid.quantum.fock_space import FockSpace

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

ComplexArray = npt.NDArray[np.complex128]
Occupations = npt.NDArray[np.int64]
DARK = 1e-9


@dataclass(frozen=True, eq=False)
class QuantumModel:
    """The master equation of a grid with at most `cutoff` quanta.

    phases: (N,), of the gauge a_j → phase_j a_j in which states are stored: i on every other node
    makes all matrices real where the graph has no odd cycle and nothing is detuned.
    """

    machine: "PowerGrid"
    space: FockSpace
    phases: ComplexArray

    @property
    def real(self) -> bool:
        return bool(np.any(self.phases.imag != 0.0)) or not self.machine.edges

    @cached_property
    def ladder(self) -> graded.GradedLindblad:
        """The matrices on the rungs."""
        space = self.space
        coherent = tuple(self._coherent(K) for K in range(space.cutoff + 1))
        links = tuple(
            [
                graded.Link(
                    space.above[K][j], _amplitudes(self.down(j, n)), _amplitudes(self.up(j, n))
                )
                for j, n in enumerate(space.occupations[K].T)
            ]
            for K in range(space.cutoff + 1)
        )
        return graded.GradedLindblad(coherent, links[:-1], links[-1], self._tail)

    @property
    def _tail(self) -> float:
        """How probabilities of many quanta fall, p(K + 1)/p(K) → ν/(1 + ν).

        ν is the largest eigenvalue of ⟨a_j†a_k⟩ with every element as it is at vast occupations:
        there the grid is linear, and its state Gaussian.
        """
        machine = self.machine
        vast = np.full(len(machine.nodes), VAST)
        gain, loss = machine.gain_rates(vast), machine.loss_rates(vast)
        drift = linear_network(machine) + 0.5 * np.diag(gain - loss)
        if np.max(np.linalg.eigvals(drift).real) >= 0.0:
            return 1.0
        noise = np.diag(machine.dampings * machine.thermal_occupations + gain)
        quanta = solve_continuous_lyapunov(drift, -noise.astype(np.complex128))
        largest = max(0.0, float(np.linalg.eigvalsh(quanta)[-1]))
        return largest / (1.0 + largest)

    def down(self, j: int, n: Occupations) -> FloatArray:
        """Rates from n + 1 to n quanta in node j: to the surroundings, and to an engine if any."""
        machine = self.machine
        damping, thermal = machine.dampings[j], machine.thermal_occupations[j]
        rates = [damping * (thermal + 1.0) * (n + 1.0)]
        engine = machine.engines.get(machine.nodes[j])
        if engine is not None:
            rates.append(engine.rate_at(n.astype(np.float64)) * (n + 1.0))
        return np.array(rates)

    def up(self, j: int, n: Occupations) -> FloatArray:
        """Rates from n to n + 1 quanta: from the surroundings, and from a generator if any."""
        machine = self.machine
        rates = [machine.dampings[j] * machine.thermal_occupations[j] * (n + 1.0)]
        generator = machine.generators.get(machine.nodes[j])
        if generator is not None:
            rates.append(generator.rate_at(n.astype(np.float64)) * (n + 1.0))
        return np.array(rates)

    def _coherent(self, K: int) -> npt.NDArray[Any]:
        """−iH on a rung, in the gauge."""
        machine, space = self.machine, self.space
        n = space.occupations[K]
        matrix = np.diag(-1j * (n @ machine.detunings))
        if K > 0:
            below = space.occupations[K - 1]
            for (u, v), g in zip(machine.edge_indices, machine.couplings, strict=True):
                amplitude = 0.5 * g * np.sqrt((below[:, u] + 1.0) * (below[:, v] + 1.0))
                phase = 1j * self.phases[u].conj() * self.phases[v]
                at = space.above[K - 1][u], space.above[K - 1][v]
                matrix[at] += phase * amplitude
                matrix[at[::-1]] -= phase.conj() * amplitude
        return np.ascontiguousarray(matrix.real) if self.real else matrix

    @cached_property
    def lindblad(self) -> lindblad.Lindblad:
        """The same as sparse matrices on the whole basis, without the gauge."""
        machine, space = self.machine, self.space
        starts = np.concatenate(([0], np.cumsum(space.sizes)))
        D = space.dimension
        places = [
            [starts[K + 1] + space.above[K][j] for K in range(space.cutoff)]
            for j in range(space.modes)
        ]
        above = [np.concatenate(each) if each else np.zeros(0, np.int64) for each in places]
        below = np.arange(starts[-2])
        n = space.all_occupations[: below.size]
        H = sp.csc_array(sp.diags_array(space.all_occupations @ machine.detunings))
        for (u, v), g in zip(machine.edge_indices, machine.couplings, strict=True):
            hop = -0.5 * g * np.sqrt((n[:, u] + 1.0) * (n[:, v] + 1.0))
            one = sp.csc_array((hop, (above[u], above[v])), shape=(D, D))
            H = H + one + one.T
        jumps = []
        for j in range(space.modes):
            for rates in self.down(j, n[:, j]):
                jumps.append(sp.csc_array((np.sqrt(rates), (below, above[j])), shape=(D, D)))
            for rates in self.up(j, n[:, j]):
                jumps.append(sp.csc_array((np.sqrt(rates), (above[j], below)), shape=(D, D)))
        return lindblad.Lindblad(H, tuple(jump for jump in jumps if np.any(jump.data)))


def _amplitudes(rates: FloatArray) -> FloatArray:
    """Square roots of the rates of the jumps that there are."""
    return np.sqrt(rates[np.any(rates > 0.0, axis=1)])


def gauge_phases(machine: "PowerGrid", wanted: bool | None) -> ComplexArray:
    """Return the phases that make the problem real; ones where it stays complex.

    wanted: None where complex numbers will do; True raises InvalidArgument if there is no such
    gauge.
    """
    ones = np.ones(len(machine.nodes), dtype=np.complex128)
    if wanted is False:
        return ones
    reason = None
    if np.any(machine.detunings != 0.0):
        reason = "`detuning` is not zero"
    elif not nx.is_bipartite(machine.graph):
        reason = "the graph has a cycle of odd length"
    if reason is None:
        colours = nx.bipartite.color(machine.graph)
        return np.array([1j if colours[node] else 1.0 for node in machine.nodes])
    if wanted:
        raise InvalidArgument(
            f"`real` must not be True where no gauge makes the problem real: {reason}"
        )
    return ones


def require_quantum(machine: "PowerGrid") -> None:
    """Raise InvalidArgument for elements without jump operators, NoSteadyState for dark modes."""
    for name, elements in (("generators", machine.generators), ("engines", machine.engines)):
        for node, each in elements.items():
            if not isinstance(each, Saturable):
                raise InvalidArgument(
                    f"`{name}` must be Saturable in a master equation, for its jump operator "
                    f"f(a†a) a, but is {each!r} (node {node!r})"
                )
    _require_no_dark_mode(machine)


def _require_no_dark_mode(machine: "PowerGrid") -> None:
    """Every mode of H must reach a node with loss: then all states decay to one.

    From the vacuum on, and back to it, with a probability that is not zero, so that there
    is only one steady state.
    """
    N = len(machine.nodes)
    H = np.diag(machine.detunings)
    for (u, v), g in zip(machine.edge_indices, machine.couplings, strict=True):
        H[u, v] = H[v, u] = -0.5 * g
    lossy = machine.dampings + machine.loss_rates(np.zeros(N)) > 0.0
    frequencies, modes = np.linalg.eigh(H)
    apart = DARK * max(float(np.ptp(frequencies)), np.finfo(float).tiny)
    groups = np.split(np.arange(N), np.flatnonzero(np.diff(frequencies) > apart) + 1)
    for group in groups:
        seen = np.linalg.svd(modes[np.ix_(lossy, group)], compute_uv=False)
        if seen.size < group.size or float(seen.min(initial=np.inf)) < DARK:
            raise NoSteadyState(
                f"a mode of frequency {float(frequencies[group[0]]):.3g} has no amplitude at any "
                "node with loss, so that what is in it stays: give its nodes some damping"
            )
