"""Long-time motion of amplitudes without noise: a steady state, or an oscillation."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wheelwork import oscillator_networks as networks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, shown
from wheelwork.machines.power_grid import model as equations
from wheelwork.machines.power_grid.numbers import EdgeNumbers
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.oscillator_networks import ComplexArray, Deviations, TimeAverage
from wheelwork.results import Summary, with_error

CHANGE = 0.1  # of α, against √n0, to which the network responds (Huber and Rabl, Appendix F)


class Motion(Summary):
    """Base of both. Flows are quanta per time: multiply by ω0 for energy."""

    machine: GridParameters
    occupation: FloatArray
    injected: float
    extracted: float

    @property
    def summary(self) -> Mapping[str, str]:
        """Quanta and flows."""
        numbers = {"quanta": self.quanta, "injected": self.injected, "extracted": self.extracted}
        return {name: with_error(number) for name, number in numbers.items()}

    @property
    def quanta(self) -> float:
        """Σ n_j."""
        return float(np.sum(self.occupation))

    @property
    def dissipated(self) -> float:
        """Σ γ_j n_j."""
        return float(self.machine.dampings @ self.occupation)


@dataclass(frozen=True, eq=False, repr=False)
class Branch(Motion):
    """Amplitudes α_j e^{−iωt} that solve the equations without noise.

    amplitudes: (N,), complex, in the order of `machine.nodes`; the first active node has a positive
    one. frequency: ω against the frame of the oscillators; zero at rest. error: absolute, of the
    norm of the amplitudes and of ω times that norm.
    """

    machine: GridParameters
    amplitudes: ComplexArray
    frequency: float
    error: float
    deviations: Deviations

    @property
    def summary(self) -> Mapping[str, str]:
        """Frequency, stability, quanta and flows."""
        stability = {"stable": str(self.stable), "growth_rate": with_error(self.growth_rate)}
        return {"frequency": with_error(self.frequency), **stability, **super().summary}

    @property
    def stable(self) -> bool:
        """Whether all small deviations decay."""
        return self.deviations.stable

    @property
    def growth_rate(self) -> float:
        """Largest real part of the exponents of small deviations."""
        return self.deviations.growth_rate

    @property
    def exponents(self) -> ComplexArray:
        """Exponents of small deviations, without that of the free phase."""
        return self.deviations.exponents

    @property
    def relaxation_times(self) -> Mapping[str, FloatArray]:
        """−1/Re λ of the decaying deviations, longest first: sectors "amplitude" and "phase".

        A sector may be empty. The longest of "amplitude" is the relaxation of |α_1| in the broken
        phase only, at ω = 0 in a bipartite network; of other states see `response_time`.
        """
        return self.deviations.relaxation_times

    def response_time(self, site: Hashable) -> float:
        """τ_r, in which |α_site|² forgets a small change of |α_site| (Huber and Rabl, Appendix F).

        The deviation is a sum of all modes, each with its weight, that oscillate and decay. τ_r is
        the time between its last passing of 1e-5 n0 and of 1e-8 n0, over ln 10³, after α_site was
        changed by √n0/10. n0: the saturation number, of several the geometric mean, of none the
        occupation of the site.
        Raises InvalidArgument for other nodes, nodes without quanta and branches that are not
        stable; NotConverged where modes coincide, or decay in more than 1e5 oscillations.
        """
        if not isinstance(site, Hashable) or site not in self.machine.index:
            raise InvalidArgument(f"`site` must be a node of the graph, but is {shown(site)}")
        n, saturations = self.occupation[self.machine.index[site]], self.machine.saturations
        n0 = math.exp(float(np.mean(np.log(saturations)))) if saturations else n
        first = 2.0 * CHANGE * math.sqrt(n / n0)
        return networks.response_time(self.deviations, self.machine.index[site], first)

    @property
    def at_rest(self) -> bool:
        """Whether this is the state α = 0."""
        return not np.any(self.amplitudes)

    @cached_property
    def occupation(self) -> FloatArray:  # type: ignore[override]
        """|α_j|², (N,)."""
        return np.abs(self.amplitudes) ** 2

    @property
    def occupation_errors(self) -> FloatArray:
        """Absolute errors of `occupation`, (N,)."""
        return self.error * (2.0 * np.abs(self.amplitudes) + self.error)

    @cached_property
    def current(self) -> EdgeNumbers[float]:
        """J = g Im(α_u* α_v) by edge: `current[(u, v)]` is positive from u to v.

        `current.mean()` is the mean over the edges as listed.
        """
        coherences = equations.edge_coherences(self.machine, self.amplitudes)
        currents = equations.edge_currents(self.machine, coherences)
        errors = np.full(currents.size, self.current_error)
        return EdgeNumbers(self.machine.edge_index, currents, errors)

    @property
    def current_error(self) -> float:
        """Absolute error of every current."""
        largest = float(np.max(np.abs(self.machine.couplings), initial=0.0))
        size = float(np.sqrt(np.max(self.occupation)))
        return largest * self.error * (2.0 * size + self.error)

    @property
    def injected(self) -> float:  # type: ignore[override]
        """Σ G_j(n_j) n_j."""
        return float(equations.gain_rates(self.machine, self.occupation) @ self.occupation)

    @property
    def extracted(self) -> float:  # type: ignore[override]
        """Σ Λ_j(n_j) n_j of the engines."""
        return float(equations.loss_rates(self.machine, self.occupation) @ self.occupation)

    @property
    def mean_damping(self) -> float:
        """Γ̄ = Σ Λ_j(n_j) − Σ G_j(n_j) (Huber and Rabl, Sec. V): of order γ if symmetric."""
        loss = equations.loss_rates(self.machine, self.occupation)
        return float(np.sum(loss) - np.sum(equations.gain_rates(self.machine, self.occupation)))

    @property
    def balance(self) -> FloatArray:
        """Quanta per time that each node gains in all, (N,): zero in a steady state."""
        machine, n = self.machine, self.occupation
        net = equations.gain_rates(machine, n) - equations.loss_rates(machine, n) - machine.dampings
        return equations.node_balance(machine, net * n, self.current.array)


@dataclass(frozen=True, eq=False, repr=False)
class Oscillation(Motion):
    """Means over a motion that reaches no steady state: a limit cycle, or several modes at once."""

    machine: GridParameters
    motion: TimeAverage

    @property
    def summary(self) -> Mapping[str, str]:
        """Period, quanta and flows."""
        period = {"periodic": str(self.periodic), "period": with_error(self.period)}
        return {**period, **super().summary}

    @property
    def periodic(self) -> bool:
        """Whether it is a limit cycle; otherwise several modes beat, or it is chaotic."""
        return self.motion.periodic

    @property
    def period(self) -> float:
        """Of the occupations; NaN if not periodic."""
        return self.motion.period

    @property
    def occupation(self) -> FloatArray:  # type: ignore[override]
        """⟨|α_j|²⟩, (N,)."""
        return self.motion.occupation

    @property
    def occupation_errors(self) -> FloatArray:
        """Absolute errors of `occupation` from the halves of the time, (N,)."""
        return np.diagonal(self.motion.coherence_error)

    @cached_property
    def current(self) -> EdgeNumbers[float]:
        """g Im⟨α_u* α_v⟩ by edge, positive from u to v; errors from the halves of the time."""
        machine, (u, v) = self.machine, self.machine.edge_indices.T
        currents = equations.edge_currents(machine, self.motion.coherence[u, v])
        errors = equations.edge_currents(machine, 1j * self.motion.coherence_error[u, v])
        return EdgeNumbers(machine.edge_index, currents, np.abs(errors))

    @property
    def injected(self) -> float:  # type: ignore[override]
        """Σ ⟨G_j(n_j) n_j⟩."""
        n = self.motion.occupations.T
        return float(np.mean(np.sum(equations.gain_rates(self.machine, n) * n, axis=1)))

    @property
    def extracted(self) -> float:  # type: ignore[override]
        """Σ ⟨Λ_j(n_j) n_j⟩."""
        n = self.motion.occupations.T
        return float(np.mean(np.sum(equations.loss_rates(self.machine, n) * n, axis=1)))
