"""What to compute: one job, whether it comes from a preset or from a parameter file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray, integer, positive, tolerance
from wheelwork.cli.flywheel import FLYWHEEL
from wheelwork.cli.power_grid import DAMPING, INJECTION, POWER_GRID
from wheelwork.cli.presentation import Presentation
from wheelwork.cli.rotor import ROTOR
from wheelwork.machines.flywheel import Flywheel
from wheelwork.machines.power_grid import PowerGrid
from wheelwork.machines.rotor import LocalMasterEquation, RotorEngine
from wheelwork.oscillator_networks import MeanField
from wheelwork.phase_space import FokkerPlanck

DEFAULT_FOLDER = Path("out")


@dataclass(frozen=True)
class Job:
    """A machine, the parameter to vary and its values, the method, and where results go.

    `energy_unit` names the unit of every energy, "1" where they are dimensionless. `show` says how
    results of this kind of machine are shown. `recipe` is JSON material from which the job can be
    made again: {"preset": name, "options": {...}} or {"toml": text, "path": of the file}.
    """

    machine: Any
    parameter: str
    values: FloatArray
    method: Any
    folder: Path = DEFAULT_FOLDER
    name: str = "flywheel"
    energy_unit: str = "1"
    show: Presentation = FLYWHEEL
    recipe: Mapping[str, Any] = field(default_factory=dict)


def paper_flywheel(
    points: int = 65, bias_max: float = 32.0, rtol: float = 1e-6, folder: Path = DEFAULT_FOLDER
) -> Job:
    """Return the sweep of Culhane et al., Figs. 2-4: parameters of Fig. 2, bias from zero."""
    count = integer("--points", points, minimum=2)
    values = np.linspace(0.0, positive("--bias-max", bias_max), count)
    method = FokkerPlanck(rtol=tolerance("--rtol", rtol))
    recipe = preset("flywheel", points=count, bias_max=bias_max, rtol=rtol)
    return Job(Flywheel.paper(), "bias", values, method, folder, recipe=recipe)


def paper_rotor(points: int = 89, rtol: float = 1e-9, folder: Path = DEFAULT_FOLDER) -> Job:
    """Return the sweep of Leitch et al., Figs. 2-3: beta_2/beta_1 up to beta_r/beta_1 = 0.9."""
    count = integer("--points", points, minimum=2)
    values = np.linspace(0.02, 0.9, count)
    method = LocalMasterEquation(rtol=tolerance("--rtol", rtol))
    recipe = preset("rotor", points=count, rtol=rtol)
    job = Job(RotorEngine.paper(), "beta_ratio", values, method, folder, name="rotor", show=ROTOR)
    return replace(job, recipe=recipe)


def paper_power_grid(points: int = 32, rtol: float = 1e-9, folder: Path = DEFAULT_FOLDER) -> Job:
    """Return the sweep behind Huber and Rabl, Figs. 2-5: ten sites, Γ_i = 4 g, Γ_e up to 8 g."""
    count = integer("--points", points, minimum=2)
    return Job(
        machine=PowerGrid.chain(10, INJECTION, INJECTION, DAMPING),
        parameter="extraction",
        values=np.linspace(8.0 / count, 8.0, count),
        method=MeanField(rtol=tolerance("--rtol", rtol)),
        folder=folder,
        name="power-grid",
        show=POWER_GRID,
        recipe=preset("power-grid", points=count, rtol=rtol),
    )


def preset(name: str, **options: Any) -> dict[str, Any]:
    """Return the recipe of a job from `PRESETS`."""
    return {"preset": name, "options": options}


PRESETS: Mapping[str, Callable[..., Job]] = MappingProxyType(
    {"flywheel": paper_flywheel, "rotor": paper_rotor, "power-grid": paper_power_grid}
)
