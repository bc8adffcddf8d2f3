"""A power grid's parameter file: its tables, what each key may hold, the job it asks for."""

from pathlib import Path
from typing import Annotated, Literal

import networkx as nx
from pydantic import Field

from wheelwork.cli.grid_sweep import GRID_SWEEP
from wheelwork.cli.jobs import Job
from wheelwork.cli.tables import (
    Energy,
    Number,
    OutputTable,
    PositiveNumber,
    RangeTable,
    Table,
    Tolerance,
    UnitsTable,
)
from wheelwork.machines.power_grid import MasterEquation, PowerGrid, Saturable
from wheelwork.oscillator_networks import MeanField
from wheelwork.phase_space import Langevin

Rate = Annotated[Energy, Field(ge=0)]
Quanta = Annotated[Number, Field(ge=0)]
Node = int | str
Pair = Annotated[list[Node], Field(min_length=2, max_length=2)]
PARAMETER = (
    r"^(coupling|damping|thermal_occupation|detuning|"
    r"(injection|extraction|saturation|exponent)(\[[^\]]+\])?)$"
)


class ChainTable(Table):
    """`PowerGrid.chain`: nodes 0 … sites − 1, a generator at the first, an engine at the last."""

    kind: Literal["chain"]
    sites: Annotated[int, Field(ge=2)]
    injection: Rate
    extraction: Rate
    damping: Rate
    thermal_occupation: Quanta = 0.0
    saturation: PositiveNumber = 1.0
    coupling: Energy = 1.0
    exponent: Quanta = 2.0

    def machine(self) -> PowerGrid:
        """Return the chain."""
        return PowerGrid.chain(**self.model_dump(exclude={"kind"}))


class ElementTable(Table):
    """A generator or an engine: `Saturable` at a node."""

    node: Node
    rate: Rate
    saturation: PositiveNumber = 1.0
    exponent: Quanta = 2.0

    def element(self) -> Saturable:
        """Return the element."""
        return Saturable(self.rate, self.saturation, self.exponent)


class GraphTable(Table):
    """Any network: `edges` as pairs of nodes, each node an integer or a name."""

    kind: Literal["graph"]
    edges: Annotated[list[Pair], Field(min_length=1)]
    generators: list[ElementTable] = Field(default_factory=list)
    engines: list[ElementTable] = Field(default_factory=list)
    damping: Rate
    thermal_occupation: Quanta = 0.0
    coupling: Energy = 1.0
    detuning: Energy = 0.0

    def machine(self) -> PowerGrid:
        """Return the grid."""
        return PowerGrid(
            nx.Graph(self.edges),
            generators={each.node: each.element() for each in self.generators},
            engines={each.node: each.element() for each in self.engines},
            damping=self.damping,
            thermal_occupation=self.thermal_occupation,
            coupling=self.coupling,
            detuning=self.detuning,
        )


class SweepTable(RangeTable):
    """The parameter to vary, and its values; "extraction[7]" is that at node 7."""

    parameter: Annotated[str, Field(pattern=PARAMETER)] = "extraction"


class MeanFieldTable(Table):
    """Steady branches without noise."""

    kind: Literal["mean-field"]
    rtol: Tolerance = 1e-9

    def method(self) -> MeanField:
        """Return the method."""
        return MeanField(rtol=self.rtol)


class LangevinTable(Table):
    """Trajectories with noise; times in 1/rate."""

    kind: Literal["langevin"]
    duration: PositiveNumber
    trajectories: Annotated[int, Field(ge=1)] = 64
    step: PositiveNumber | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    rtol: Tolerance = 0.02

    def method(self) -> Langevin:
        """Return the method."""
        return Langevin(**self.model_dump(exclude={"kind"}))


class MasterEquationTable(Table):
    """The quantum state of a few oscillators."""

    kind: Literal["master-equation"]
    rtol: Tolerance = 1e-6
    cutoff: Annotated[int, Field(ge=1)] | None = None

    def method(self) -> MasterEquation:
        """Return the method."""
        return MasterEquation(rtol=self.rtol, cutoff=self.cutoff)


DeviceTable = Annotated[ChainTable | GraphTable, Field(discriminator="kind")]
MethodTable = Annotated[
    MeanFieldTable | LangevinTable | MasterEquationTable, Field(discriminator="kind")
]


class PowerGridFile(Table):
    """A whole parameter file."""

    machine: Literal["power-grid"]
    units: UnitsTable = UnitsTable()
    device: DeviceTable
    sweep: SweepTable
    method: MethodTable = MeanFieldTable(kind="mean-field")
    output: OutputTable = OutputTable()

    def job(self, place: Path) -> Job:
        """Return what is asked for."""
        return Job(
            machine=self.device.machine(),
            parameter=self.sweep.parameter,
            values=self.sweep.array(),
            method=self.method.method(),
            name=self.output.name or "power-grid",
            show=GRID_SWEEP,
        )
