"""The method that solves the master equation of a power grid."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelwork import _checks
from wheelwork.errors import InvalidArgument
from wheelwork.machines.power_grid.model import require_bounded
from wheelwork.machines.power_grid.quantum.cutoff import Growth, Solution
from wheelwork.machines.power_grid.quantum.model import gauge_phases, require_quantum

if TYPE_CHECKING:
    from wheelwork.machines.power_grid.machine import PowerGrid

LEAST = 4  # quanta


@dataclass(frozen=True)
class MasterEquation:
    """The steady state of a power grid's master equation (Huber and Rabl, Eqs. (1), (2)).

    Number states of at most M quanta in all are kept. In the steady state only those of the same
    total have coherences: Σ_K d_K² numbers, d_K = C(K + N − 1, N − 1), about M³/3 for two nodes and
    M⁵/20 for three.

    rtol: of occupations (against their sum) and currents (against what flows), and the largest
    p(M). cutoff: M; by default it grows until the tolerance is met. real: whether to use the gauge
    in which all is real; by default where there is one: no detuning, no odd cycle. memory: bytes
    that may be used, checked before anything is computed.
    """

    rtol: float = 1e-6
    cutoff: int | None = None
    real: bool | None = None
    memory: float = 6e9

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", _checks.tolerance("rtol", self.rtol))
        if self.cutoff is not None:
            object.__setattr__(self, "cutoff", _checks.integer("cutoff", self.cutoff, LEAST))
        if self.real is not None and not isinstance(self.real, bool):
            raise InvalidArgument(f"`real` must be True, False or None, but is {self.real!r}")
        object.__setattr__(self, "memory", _checks.positive("memory", self.memory))

    def solve(self, machine: "PowerGrid") -> Solution:
        """Return the steady state.

        Raises:
            InvalidArgument: for elements other than `Saturable`, which have no jump operator, and
                where `real` is asked for and there is no such gauge.
            NoSteadyState: where gain is unbounded, or a mode reaches no loss.
            NotConverged: where `cutoff` is too small, the cutoff that is needed does not fit into
                `memory`, or relaxation is too slow.
        """
        require_quantum(machine)
        require_bounded(machine.amplitude_model)
        growth = Growth(machine, gauge_phases(machine, self.real), self.rtol, self.memory)
        return growth.grown() if self.cutoff is None else growth.at(self.cutoff)
