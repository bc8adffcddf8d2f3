"""Power grids: oscillators on a graph, fed by generators and drained by engines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy.typing as npt

from wheelwork.errors import InvalidArgument, shown
from wheelwork.machines.power_grid.bifurcations import BranchPath, branch_map, follow
from wheelwork.machines.power_grid.branch import Branch
from wheelwork.machines.power_grid.langevin import SampledState, sample_grid
from wheelwork.machines.power_grid.mean_field import MeanFieldState, solve_mean_field
from wheelwork.machines.power_grid.model import amplitude_model
from wheelwork.machines.power_grid.parameters import GridParameters
from wheelwork.machines.power_grid.quantum.jumps import (
    QuantumJumps,
    SampledQuantumState,
    sample_quantum,
)
from wheelwork.machines.power_grid.quantum.master_equation import MasterEquation
from wheelwork.machines.power_grid.quantum.state import QuantumState, solve_quantum
from wheelwork.oscillator_networks import AmplitudeModel, MeanField
from wheelwork.phase_space import EulerMaruyama, Langevin
from wheelwork.results import Labels
from wheelwork.verbs import require_method


@dataclass(frozen=True, repr=False)
class PowerGrid(GridParameters):
    """Coupled oscillators with generators, engines and thermal surroundings.

    H = Σ Δ_j a_j†a_j − Σ_edges (g_jk/2)(a_j†a_k + h.c.), damping γ_j with thermal occupation
    N_th,j, and at chosen nodes gain Γ_i D[A†] or loss Γ_e D[A] with A = f(a†a) a (Huber and Rabl,
    Eq. (1), there for a chain), in the frame of the oscillators. In amplitudes

        dα_j/dt = [(G_j(|α_j|²) − Λ_j(|α_j|²) − γ_j)/2 − iΔ_j] α_j + i Σ_k (g_jk/2) α_k.

    Fields: see `GridParameters`; `chain`, `lattice` and `paper` make the usual grids.
    Local damping needs γ, Γ, g ≪ ω0, which does not enter.
    """

    __hash__ = GridParameters.__hash__

    @cached_property
    def amplitude_model(self) -> AmplitudeModel:
        """The equations for the amplitudes without noise."""
        return amplitude_model(self)

    @property
    def labels(self) -> Labels:
        """Symbol, unit and long name of every parameter and observable."""
        return LABELS

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
        `start` must then be None, and `step` None is a tenth of the fastest time scale. With
        `EulerMaruyama(step, duration=...)` means by the scheme of the paper. With
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
        raise InvalidArgument(f"`method` must be a method, one of {known}, but is {shown(chosen)}")

    def follow(
        self, branch: Branch, name: str, stop: float, method: MeanField | None = None
    ) -> BranchPath:
        """Continue a branch of this machine as the parameter `name` goes to `stop`.

        name: as for `replace`. The path turns with the branch at its folds and ends at `stop`, at
        its starting value again, or where the branch merges with the state at rest.
        """
        return follow(self, branch, name, stop, _mean_field(method))

    def branch_map(
        self, values: Mapping[str, npt.ArrayLike], method: MeanField | None = None
    ) -> Any:
        """Return all branches at every combination of the values of two parameters.

        values: names as for `replace`, each with an array (n,). See `branch_map`.
        """
        return branch_map(self, values, _mean_field(method))


LABELS: Labels = {
    **PowerGrid.parameter_labels(),
    **QuantumState.labels(),
    **SampledQuantumState.labels(),
    **SampledState.labels(),
    **MeanFieldState.labels(),
}
SOLVERS: Mapping[type, Callable[[PowerGrid, Any], Any]] = {
    MeanField: solve_mean_field,
    Langevin: sample_grid,
    EulerMaruyama: sample_grid,
    MasterEquation: solve_quantum,
    QuantumJumps: sample_quantum,
}


def _mean_field(method: MeanField | None) -> MeanField:
    method = MeanField() if method is None else method
    require_method(method, (MeanField,), "MeanField(rtol=1e-9)")
    return method
