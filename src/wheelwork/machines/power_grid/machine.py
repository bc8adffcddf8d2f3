"""Power grids: oscillators on a graph, fed by generators and drained by engines."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.branch_map import branch_map
from wheelwork.machines.power_grid.elements import ActiveElement
from wheelwork.machines.power_grid.labels import LABELS
from wheelwork.machines.power_grid.langevin import sample_grid
from wheelwork.machines.power_grid.model import amplitude_model
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.path import BranchPath, follow
from wheelwork.machines.power_grid.quantum import (
    MasterEquation,
    QuantumJumps,
    QuantumState,
    SampledQuantumState,
    sample_quantum,
    solve_quantum,
)
from wheelwork.machines.power_grid.sampled_state import SampledState
from wheelwork.machines.power_grid.state import MeanFieldState, settle
from wheelwork.oscillator_networks import AmplitudeModel, MeanField
from wheelwork.phase_space import EulerMaruyama, Langevin


@dataclass(frozen=True, repr=False)
class PowerGrid(GridParameters):
    """Coupled oscillators with generators, engines and thermal surroundings.

    H = Σ Δ_j a_j†a_j − Σ_edges (g_jk/2)(a_j†a_k + h.c.), damping γ_j with thermal occupation
    N_th,j, and at chosen nodes gain Γ_i D[A†] or loss Γ_e D[A] with A = f(a†a) a (Huber and Rabl,
    Eq. (1), there for a chain), in the frame of the oscillators. In amplitudes

        dα_j/dt = [(G_j(|α_j|²) − Λ_j(|α_j|²) − γ_j)/2 − iΔ_j] α_j + i Σ_k (g_jk/2) α_k.

    graph: connected networkx.Graph without self loops; a frozen copy is kept.
    generators, engines: node → `Saturable`, or another `ActiveElement`, or a pair of callables
    (rate, noise) of the occupation.
    coupling: g, not zero. damping: γ ≥ 0. thermal_occupation: N_th ≥ 0. detuning: Δ. The last three
    may be mappings from nodes. All are rates in one unit but N_th. An attribute of that name of an
    edge or node comes before the number given here.
    Do not change the mappings of a machine: use `replace`.

    Raises InvalidArgument for other graphs, elements at missing nodes, negative or NaN numbers.
    Local damping needs γ, Γ, g ≪ ω0, which does not enter.
    """

    def gain_rates(self, occupation: FloatArray) -> FloatArray:
        """G_j(n_j) of the generators; `occupation` (..., N)."""
        return self._summed(self.generators, "rate_at", occupation)

    def loss_rates(self, occupation: FloatArray) -> FloatArray:
        """Λ_j(n_j) of the engines, without γ; `occupation` (..., N)."""
        return self._summed(self.engines, "rate_at", occupation)

    def noise(self, occupation: FloatArray) -> FloatArray:
        """⟨|dα_j|²⟩/dt of the P function, γ N_th and that of the elements; `occupation` (..., N).

        (Huber and Rabl, Eqs. (3)–(5).)
        """
        thermal = self.dampings * self.thermal_occupations
        gain = self._summed(self.generators, "gain_noise_at", occupation)
        return thermal + gain + self._summed(self.engines, "loss_noise_at", occupation)

    def _summed(
        self, elements: Mapping[Hashable, ActiveElement], what: str, occupation: FloatArray
    ) -> FloatArray:
        total = np.zeros_like(occupation)
        for node, each in elements.items():
            i = self.index[node]
            total[..., i] += getattr(each, what)(occupation[..., i])
        return total

    @cached_property
    def amplitude_model(self) -> AmplitudeModel:
        """The equations for the amplitudes without noise."""
        return amplitude_model(self)

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]:
        """Symbol, unit and long name of every parameter and observable."""
        return LABELS

    # ------------------------------------------------------------------ verbs

    @overload
    def steady_state(self, method: MeanField | None = None) -> MeanFieldState: ...
    @overload
    def steady_state(self, method: Langevin | EulerMaruyama) -> SampledState: ...
    @overload
    def steady_state(self, method: MasterEquation) -> QuantumState: ...
    @overload
    def steady_state(self, method: QuantumJumps) -> SampledQuantumState: ...

    def steady_state(self, method: Any = None) -> Any:
        """Return the stationary state, by default `MeanField()`: every steady branch without noise.

        With `Langevin(duration=...)` means with noise over trajectories from random amplitudes;
        there a `start` is refused, and `step` None is a tenth of the fastest motion. With
        `EulerMaruyama(step, duration=...)` the same by the scheme of the paper. With
        `MasterEquation()` the quantum state of few nodes and quanta, with `QuantumJumps(...)` means
        over its trajectories.

        Raises NoSteadyState where the amplitudes are unbounded (gain without saturation or loss),
        NotConverged where the search fails or the run is too short, InvalidArgument for a step too
        large.
        """
        chosen = MeanField() if method is None else method
        for kind, solve in SOLVERS.items():
            if isinstance(chosen, kind):
                return solve(self, chosen)
        known = ", ".join(kind.__name__ for kind in SOLVERS)
        raise InvalidArgument(f"`method` must be a method, one of {known}, but is {chosen!r}")

    def follow(
        self, branch: Branch, name: str, stop: float, method: MeanField | None = None
    ) -> BranchPath:
        """Follow a branch of this machine while the parameter `name` goes to `stop`.

        name: as for `replace`. The path turns with the branch at its folds and ends at `stop`, at
        its starting value again, or where the branch merges with the state at rest.
        """
        return follow(self, branch, name, stop, _checked(method))

    def branch_map(
        self, values: Mapping[str, npt.ArrayLike], method: MeanField | None = None
    ) -> Any:
        """Return all branches at every combination of the values of two parameters.

        values: names as for `replace`, each with an array (n,). See `branch_map`.
        """
        return branch_map(self, values, _checked(method))


SOLVERS: Mapping[type, Callable[[PowerGrid, Any], Any]] = {
    MeanField: settle,
    Langevin: sample_grid,
    EulerMaruyama: sample_grid,
    MasterEquation: solve_quantum,
    QuantumJumps: sample_quantum,
}


def _checked(method: MeanField | None) -> MeanField:
    method = MeanField() if method is None else method
    if not isinstance(method, MeanField):
        raise InvalidArgument(
            f"`method` must be a method such as MeanField(rtol=1e-9), but is {method!r}"
        )
    return method
