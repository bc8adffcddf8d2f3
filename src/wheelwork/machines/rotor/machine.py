"""The rotor engine: two qubits between a cold and a hot bath turn a rotor against a load."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.errors import InvalidArgument, NoSteadyState, ValidityWarning
from wheelwork.machines.rotor.blocks import BlockState
from wheelwork.machines.rotor.boundaries import RegimeBoundaries, find_boundaries
from wheelwork.machines.rotor.evolution import RotorEvolution, RotorStart, evolve
from wheelwork.machines.rotor.global_equation import GlobalMasterEquation
from wheelwork.machines.rotor.labels import LABELS
from wheelwork.machines.rotor.local_equation import LocalMasterEquation
from wheelwork.machines.rotor.qubits import QubitBath
from wheelwork.machines.rotor.rectification import (
    Optimum,
    Quantity,
    Rectification,
    optimise,
    rectify,
)
from wheelwork.machines.rotor.solve import RotorMethod, solve
from wheelwork.machines.rotor.state import RotorState


@dataclass(frozen=True)
class RotorEngine:
    """Two qubits and a quantum rotor, each with its own bath.

    H_S = B_1 σ_1^z + B_2 σ_2^z + L_z²/2I + λ(σ_1⁺σ_2⁻e^{iφ} + h.c.) (Leitch et al.,
    Eqs. (1)–(3)): an excitation that passes from the hot qubit 2 to the cold qubit 1 turns the
    rotor by one quantum of angular momentum. ħ = k_B = 1; energies, rates and temperatures share
    a unit.

    temperature_cold, temperature_hot: 1/β_1, 1/β_2, of the baths of qubit 1 and qubit 2; either
    may be the warmer. temperature_load: 1/β_r of the load. field_cold, field_hot: B_1, B_2 > 0,
    half the gaps of the qubits. coupling: λ. bath_coupling: g > 0. bath_asymmetry: χ in [−1, 1],
    g_1 = g(1 − χ), g_2 = g(1 + χ) (Eq. (15)). load_damping: γ ≥ 0 of Eq. (17).
    moment_of_inertia: I.

    The load of Eq. (17) brings the rotor near the Gibbs state only for β_r ≪ 16 I: alone it
    settles at ⟨L_z²⟩ = (I/β_r)/(1 − β_r/16I).
    """

    temperature_cold: float
    temperature_hot: float
    temperature_load: float
    field_cold: float
    field_hot: float
    coupling: float
    bath_coupling: float
    bath_asymmetry: float
    load_damping: float
    moment_of_inertia: float

    def __post_init__(self) -> None:
        for name in POSITIVE:
            object.__setattr__(self, name, _checks.positive(name, getattr(self, name)))
        for name in ("coupling", "bath_asymmetry"):
            object.__setattr__(self, name, _checks.real(name, getattr(self, name)))
        damping = _checks.non_negative("load_damping", self.load_damping)
        object.__setattr__(self, "load_damping", damping)
        if abs(self.bath_asymmetry) > 1.0:
            raise InvalidArgument(
                f"`bath_asymmetry` must lie between -1 and 1, but is {self.bath_asymmetry!r}"
            )

    @classmethod
    def paper(cls, beta_ratio: float | None = None, **fields: Any) -> "RotorEngine":
        """The device of Leitch et al., Fig. 2: β_1 = 0.1, β_r = 0.09, B_1 = 4, B_2 = 10, g = 1,
        χ = 0, λ = 0.1, γ = 5·10⁻⁵ and I = 1, with β_2/β_1 = `beta_ratio` (0.2 unless the hot
        temperature is given). Any field can be given instead.
        """
        _known(fields)
        if beta_ratio is None and "temperature_hot" not in fields:
            beta_ratio = 0.2
        defaults = {
            "temperature_cold": 10.0,
            "temperature_hot": 50.0,
            "temperature_load": 1.0 / 0.09,
            "field_cold": 4.0,
            "field_hot": 10.0,
            "coupling": 0.1,
            "bath_coupling": 1.0,
            "bath_asymmetry": 0.0,
            "load_damping": 5e-5,
            "moment_of_inertia": 1.0,
        }
        machine = cls(**defaults | fields)
        if beta_ratio is None:
            return machine
        if "temperature_hot" in fields:
            raise InvalidArgument(
                "`beta_ratio` must not be given together with `temperature_hot`, "
                f"but is {beta_ratio!r}"
            )
        return machine.replace(beta_ratio=beta_ratio)

    def replace(self, **fields: Any) -> "RotorEngine":
        """Return a machine with some fields changed.

        Besides the fields, `beta_ratio` sets the hot temperature to T_cold/`beta_ratio`.
        """
        ratio = fields.pop("beta_ratio", None)
        _known(fields)
        if ratio is None:
            return replace(self, **fields)
        if "temperature_hot" in fields:
            raise InvalidArgument(
                f"`beta_ratio` must not be given together with `temperature_hot`, but is {ratio!r}"
            )
        machine = replace(self, **fields)
        hot = machine.temperature_cold / _checks.positive("beta_ratio", ratio)
        return replace(machine, temperature_hot=hot)

    def swapped(self) -> "RotorEngine":
        """Return the machine with the temperatures of the qubits' baths exchanged."""
        return replace(
            self, temperature_cold=self.temperature_hot, temperature_hot=self.temperature_cold
        )

    # ------------------------------------------------------------------ derived parameters

    @property
    def beta_ratio(self) -> float:
        """β_2/β_1 = T_cold/T_hot."""
        return self.temperature_cold / self.temperature_hot

    @property
    def cold(self) -> QubitBath:
        """Qubit 1 and its bath, with g_1² = g²(1 − χ)²."""
        rate = (self.bath_coupling * (1.0 - self.bath_asymmetry)) ** 2
        return QubitBath(self.field_cold, self.temperature_cold, rate)

    @property
    def hot(self) -> QubitBath:
        """Qubit 2 and its bath, with g_2² = g²(1 + χ)²."""
        rate = (self.bath_coupling * (1.0 + self.bath_asymmetry)) ** 2
        return QubitBath(self.field_hot, self.temperature_hot, rate)

    @property
    def load_rate(self) -> float:
        """Iγ/β_r, at which the load moves a rotor at rest up, and down."""
        return self.moment_of_inertia * self.load_damping * self.temperature_load

    @property
    def load_tilt(self) -> float:
        """a = β_r/4I, by which an angular momentum tilts these two rates."""
        return 0.25 / (self.moment_of_inertia * self.temperature_load)

    def load_rates(self, momenta: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Rates (Iγ/β_r)(1 ∓ a l)² of l → l ± 1 by the load."""
        tilt = self.load_tilt * _checks.finite_array("momenta", momenta)
        return self.load_rate * (1.0 - tilt) ** 2, self.load_rate * (1.0 + tilt) ** 2

    @property
    def labels(self) -> Mapping[str, tuple[str, str, str]]:
        """Symbol, unit and long name of every parameter and observable."""
        return LABELS

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


POSITIVE = (
    "temperature_cold",
    "temperature_hot",
    "temperature_load",
    "field_cold",
    "field_hot",
    "bath_coupling",
    "moment_of_inertia",
)


def _checked(method: RotorMethod | None) -> RotorMethod:
    method = LocalMasterEquation() if method is None else method
    if isinstance(method, type) or not isinstance(method, RotorMethod):
        raise InvalidArgument(
            f"`method` must be a method such as LocalMasterEquation(rtol=1e-9), but is {method!r}"
        )
    return method


def _known(fields: Mapping[str, Any]) -> None:
    unknown = set(fields) - set(RotorEngine.__dataclass_fields__)
    if unknown:
        known = ", ".join([*RotorEngine.__dataclass_fields__, "beta_ratio"])
        raise InvalidArgument(f"`{min(unknown)}` must be one of {known}")
