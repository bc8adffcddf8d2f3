"""A machine of one's own: a quantum dot between a hot and a cold lead, as a heat engine.

Electrons tunnel one by one from the hot lead through one level into the cold lead, and climb a
voltage on their way (M. Esposito, K. Lindenberg, C. Van den Broeck, EPL 85, 60010 (2009)).
Everything is in closed form. The commands for the other machines serve this one:

    wheelwork run examples/own-machine.toml
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wheelwork.errors import InvalidArgument
from wheelwork.parameters import Parameters, non_negative, parameter, positive, real
from wheelwork.results import AuditEntry, Labels, Result, observable


@dataclass(frozen=True, repr=False)
class DotEngine(Parameters):
    """One level between two leads, for rates far below the temperatures."""

    level: float = parameter(r"\varepsilon", "energy", "energy of the level", check=real)
    hot: float = parameter("T_h", "energy", "temperature of the hot lead", check=positive)
    cold: float = parameter("T_c", "energy", "temperature of the cold lead", check=positive)
    rate: float = parameter(r"\Gamma", "rate", "tunnelling rate", check=positive)
    voltage: float = parameter("V", "energy", "voltage", check=non_negative, default=0.0)

    @property
    def labels(self) -> Labels:
        """Symbol, unit and long name of every parameter and observable."""
        return {**self.parameter_labels(), **DotState.labels()}

    def steady_state(self, method: Any = None) -> "DotState":
        """Return the stationary state; there is no choice of a method."""
        return DotState(self, method)


@dataclass(frozen=True, repr=False)
class DotState(Result):
    """The stationary state: mu is 0 in the hot lead, V in the cold one."""

    machine: DotEngine
    method: Any = None

    @observable("I", "energy", "particle current from hot to cold", error=lambda s: s.rounding)
    def particle_current(self) -> float:
        """Gamma (f_h - f_c)/2."""
        m = self.machine
        hot = 1.0 / (math.exp(m.level / m.hot) + 1.0)
        cold = 1.0 / (math.exp((m.level - m.voltage) / m.cold) + 1.0)
        return 0.5 * m.rate * (hot - cold)

    @observable("P", "energy^2", "power", error=lambda s: s.machine.voltage * s.rounding)
    def power(self) -> float:
        """V I."""
        return self.machine.voltage * self.particle_current

    @observable("J_h", "energy^2", "heat from the hot lead")
    def heat_hot(self) -> float:
        """(level - mu_h) I."""
        return self.machine.level * self.particle_current

    @observable(r"\eta", "1", "efficiency")
    def efficiency(self) -> float:
        """P/J_h."""
        if self.heat_hot <= 0.0:
            raise InvalidArgument("`efficiency` must be that of an engine, but no heat flows in")
        return self.power / self.heat_hot

    @property
    def rounding(self) -> float:
        """Absolute error of the current by rounding of the two Fermi functions."""
        return 2.0 * sys.float_info.epsilon * self.machine.rate

    @property
    def audit(self) -> Mapping[str, AuditEntry]:
        """The rate against the temperature, and the entropy that is not produced."""
        m = self.machine
        heat_cold = (m.voltage - m.level) * self.particle_current
        return {
            "weak_coupling": AuditEntry(m.rate / min(m.hot, m.cold), 0.1),
            "second_law": AuditEntry(self.heat_hot / m.hot + heat_cold / m.cold, 1e-12),
        }
