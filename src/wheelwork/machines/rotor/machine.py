"""The rotor engine: two qubits between a cold and a hot bath turn a rotor against a load."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy.typing as npt

from wheelwork.errors import partial_as
from wheelwork.machines.rotor import comparisons, evolution
from wheelwork.machines.rotor.block_state import BlockState, ComplexArray
from wheelwork.machines.rotor.comparisons import Optimum, Quantity, Rectification, RegimeBoundaries
from wheelwork.machines.rotor.evolution import RotorEvolution, RotorStart
from wheelwork.machines.rotor.global_equation import GlobalMasterEquation
from wheelwork.machines.rotor.local_equation import LocalMasterEquation
from wheelwork.machines.rotor.model import RotorMethod
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.state import RotorResult, RotorState
from wheelwork.machines.rotor.stationary import solve
from wheelwork.results import Labels, warn_outside_validity
from wheelwork.verbs import require_method


@dataclass(frozen=True, repr=False)
class RotorEngine(RotorParameters):
    """Two qubits and a quantum rotor, each with its own bath.

    H_S = B_1 σ_1^z + B_2 σ_2^z + L_z²/2I + λ(σ_1⁺σ_2⁻e^{iφ} + h.c.) (Leitch et al.,
    Eqs. (1)–(3)): an excitation that passes from the hot qubit 2 to the cold qubit 1 turns the
    rotor by one quantum of angular momentum. ħ = k_B = 1; energies, rates and temperatures share
    a unit. `RotorParameters` describes the fields.

    The load of Eq. (17) brings the rotor near the Gibbs state only for β_r ≪ 16 I: with the load
    alone the steady state has ⟨L_z²⟩ = (I/β_r)/(1 − β_r/16I).
    """

    @property
    def labels(self) -> Labels:
        """Symbol, unit and long name of every parameter and observable."""
        return {**self.parameter_labels(), **RotorState.labels()}

    def steady_state(self, method: RotorMethod | None = None) -> RotorState:
        """Return the steady state by `method`, `LocalMasterEquation()` by default.

        Raises NoSteadyState without a load (γ = 0), where the populations spread to ever larger l,
        and where it is too cold for the moment of inertia (T_load ≤ 1/16I), where ⟨L_z²⟩ is
        infinite; NotConverged when no window of l reaches the tolerance, or when the rotor is
        metastable near rest and near the resonance of the qubits, so long that rounding hides their
        probabilities (a fixed `window` of the method can select one). Warns with ValidityWarning
        when the description is beyond its validity (see the audit).
        """
        chosen = _checked(method, LocalMasterEquation())
        with chosen.guard(), partial_as(lambda solution: RotorState(self, chosen, solution)):
            state = RotorState(self, chosen, solve(self, chosen))
        warn_outside_validity("the master equation is beyond its validity", state.validity)
        return state

    def evolve(
        self,
        initial: RotorStart | RotorResult | BlockState | ComplexArray | None,
        times: npt.ArrayLike,
        method: RotorMethod | None = None,
    ) -> RotorEvolution:
        """Follow the machine from `initial` at time 0 through ascending `times`, (T,).

        initial: a `RotorStart`, one angular momentum and qubits without coherence; None for the
        rotor at l = 0 and each qubit thermal with its bath. Or a state of a rotor engine: a
        `RotorState`, an entry of an evolution or of its `states`. Or a density matrix (4N, 4N) in
        the basis of `RotorState.density_matrix`, with a fixed `window` of the method that says
        which l it is for; its coherences between charges, which influence nothing that is
        reported, are left out.
        method: `LocalMasterEquation()` by default. Its `rtol`, but no less than 1e-8, bounds the
        estimated Σ|δρ| over populations and coherences on the window, and `rtol` the reflection at
        its ends; the window grows until both hold. No load is required.

        Raises NotConverged when the rotor leaves the largest window, InvalidArgument for times that
        are not ascending from 0 or later.
        """
        start = RotorStart() if initial is None else initial
        chosen = _checked(method, LocalMasterEquation())
        with chosen.guard():
            return evolution.evolve(self, start, times, chosen)

    def regime_boundaries(
        self, low: float = 0.05, high: float = 1.0, method: RotorMethod | None = None
    ) -> RegimeBoundaries:
        """Return the β_2/β_1 in [low, high] at which the operation changes, to about 1e-10.

        A scan of 33 values, then root finding: about a hundred steady states. Raises as
        `steady_state`.
        """
        solve_one = _steady_state_by(method, LocalMasterEquation())
        return comparisons.regime_boundaries(self, solve_one, low, high)

    def rectification(self, method: RotorMethod | None = None) -> Rectification:
        """Compare the machine with a copy whose qubit baths have exchanged temperatures.

        `method` is `GlobalMasterEquation()` by default, as in Leitch et al., Sec. III C.
        """
        return comparisons.rectification(self, _steady_state_by(method, GlobalMasterEquation()))

    def best_rectification(
        self,
        alpha: float,
        quantity: Quantity = "heat",
        bounds: tuple[float, float] = (0.0, 0.95),
        method: RotorMethod | None = None,
    ) -> Optimum:
        """Return the bath asymmetry χ in `bounds` with the largest Γ_α of "heat" or
        "angular_momentum" (Leitch et al., Eqs. (41), (44)).

        Close to χ = 1 the cold bath decouples and R = 1 is trivial, so the default stops before.
        Raises NotConverged when α > 0 and R diverges within the bounds, possible where the two
        flows have opposite signs, as for angular momenta.
        """
        solve_one = _steady_state_by(method, GlobalMasterEquation())
        return comparisons.best_rectification(self, solve_one, alpha, quantity, bounds)


def _steady_state_by(
    method: RotorMethod | None, default: RotorMethod
) -> Callable[[RotorEngine], RotorState]:
    chosen = _checked(method, default)
    return lambda machine: machine.steady_state(chosen)


def _checked(method: RotorMethod | None, default: RotorMethod) -> RotorMethod:
    kinds = (LocalMasterEquation, GlobalMasterEquation)
    chosen: RotorMethod = require_method(method, kinds, "LocalMasterEquation(rtol=1e-9)", default)
    return chosen
