"""The rotor engine: two qubits between a cold and a hot bath turn a rotor against a load."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from wheelwork.errors import InvalidArgument, NoSteadyState, ValidityWarning
from wheelwork.machines.rotor.blocks import BlockState
from wheelwork.machines.rotor.boundaries import RegimeBoundaries, find_boundaries
from wheelwork.machines.rotor.evolution import RotorEvolution, RotorStart, evolve
from wheelwork.machines.rotor.global_equation import GlobalMasterEquation
from wheelwork.machines.rotor.labels import OBSERVABLES
from wheelwork.machines.rotor.local_equation import LocalMasterEquation
from wheelwork.machines.rotor.parameters import RotorParameters
from wheelwork.machines.rotor.rectification import (
    Optimum,
    Quantity,
    Rectification,
    optimise,
    rectify,
)
from wheelwork.machines.rotor.solve import RotorMethod, solve
from wheelwork.machines.rotor.state import RotorState


@dataclass(frozen=True, repr=False)
class RotorEngine(RotorParameters):
    """Two qubits and a quantum rotor, each with its own bath.

    H_S = B_1 σ_1^z + B_2 σ_2^z + L_z²/2I + λ(σ_1⁺σ_2⁻e^{iφ} + h.c.) (Leitch et al.,
    Eqs. (1)–(3)): an excitation that passes from the hot qubit 2 to the cold qubit 1 turns the
    rotor by one quantum of angular momentum. ħ = k_B = 1; energies, rates and temperatures share
    a unit.

    The load of Eq. (17) brings the rotor near the Gibbs state only for β_r ≪ 16 I: alone it
    settles at ⟨L_z²⟩ = (I/β_r)/(1 − β_r/16I).
    """

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]:
        """Symbol, unit and long name of every parameter and observable."""
        return {**self.parameter_labels(), **OBSERVABLES}

    # ------------------------------------------------------------------ verbs

    def evolve(
        self,
        initial: RotorStart | RotorState | BlockState | None,
        times: npt.ArrayLike,
        method: RotorMethod | None = None,
    ) -> RotorEvolution:
        """Follow the machine from `initial` at time 0 through ascending `times`, (T,).

        `initial` None is `RotorStart()`: the rotor at l = 0, each qubit thermal with its bath.
        `method` is `LocalMasterEquation()` by default; its `rtol`, but no less than 1e-8, bounds
        the estimated Σ|δρ| over populations and coherences on the window, and `rtol` what the ends
        of the window turn back at any time: the window grows.
        Works without a load too, while the window holds.

        Raises NotConverged when the rotor runs out of the largest window, InvalidArgument for
        times that are not ascending from 0 or later.
        """
        start = RotorStart() if initial is None else initial
        return evolve(self, start, times, _checked(method))

    def steady_state(self, method: RotorMethod | None = None) -> RotorState:
        """Return the stationary state by `method`, `LocalMasterEquation()` by default.

        Raises NoSteadyState without a load (γ = 0), where the populations run away to ever larger
        l, and where it is too cold for the moment of inertia (T_load ≤ 1/16I), where ⟨L_z²⟩ is
        infinite; NotConverged when no window of l meets the tolerance, or when the rotor persists
        both near rest and near the resonance of the qubits, so long that rounding hides which
        holds the probability (a `window` of the method may hold one). Warns with ValidityWarning
        when the description is beyond its validity (see the audit).
        """
        method = _checked(method)
        self._require_load()
        state = RotorState(self, method, solve(self, method))
        stretched = [name for name, entry in state.validity.items() if not entry.ok]
        if stretched:
            ratios = ", ".join(
                f"{n} = {state.validity[n].value:.3g} (at most {state.validity[n].bound:g})"
                for n in stretched
            )
            message = f"the master equation is beyond its validity: {ratios}"
            warnings.warn(message, ValidityWarning, stacklevel=2)
        return state

    def regime_boundaries(
        self, low: float = 0.05, high: float = 1.0, method: RotorMethod | None = None
    ) -> RegimeBoundaries:
        """Values of β_2/β_1 in [low, high] at which the operation changes, to about 1e-10.

        Found on a scan of 33 values and refined by root finding; raises as `steady_state`.
        """
        return find_boundaries(self, _checked(method), low, high)

    def rectification(self, method: RotorMethod | None = None) -> Rectification:
        """Compare the machine with itself after the qubits' baths have changed places.

        `method` is `GlobalMasterEquation()` by default, as in Leitch et al., Sec. III C.
        """
        return rectify(self, _checked(GlobalMasterEquation() if method is None else method))

    def best_rectification(
        self,
        alpha: float,
        quantity: Quantity = "heat",
        bounds: tuple[float, float] = (0.0, 0.95),
        method: RotorMethod | None = None,
    ) -> Optimum:
        """Return the bath asymmetry χ in `bounds` with the largest Γ_α of "heat" or
        "angular_momentum" (Leitch et al., Eqs. (41), (44)).

        Close to χ = 1 the cold bath is cut off and R = 1 means little: the default stops before.
        Raises NotConverged when α > 0 and R diverges within the bounds: nothing bounds it where
        the two flows may have opposite signs, as angular momenta have.
        """
        chosen = _checked(GlobalMasterEquation() if method is None else method)
        return optimise(self, chosen, alpha, quantity, bounds)

    def _require_load(self) -> None:
        if self.load_damping == 0.0:
            raise NoSteadyState(
                "without a load (load_damping = 0) the rotor is never at rest: its populations "
                "run away to ever larger |l|; give it one, or use `evolve`"
            )
        if 16.0 * self.moment_of_inertia * self.temperature_load <= 1.0:
            raise NoSteadyState(
                "the load leaves the rotor an infinite kinetic energy: its temperature must "
                f"exceed 1/(16 I) = {0.0625 / self.moment_of_inertia:.4g}, "
                f"but is {self.temperature_load:.4g}"
            )


def _checked(method: RotorMethod | None) -> RotorMethod:
    method = LocalMasterEquation() if method is None else method
    if isinstance(method, type) or not isinstance(method, RotorMethod):
        raise InvalidArgument(
            f"`method` must be a method such as LocalMasterEquation(rtol=1e-9), but is {method!r}"
        )
    return method
