"""What to compute: one job, whether it comes from a preset or from a parameter file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray, integer, positive, tolerance
from wheelwork.cli.flywheel import FLYWHEEL
from wheelwork.cli.presentation import Presentation
from wheelwork.cli.rotor import ROTOR
from wheelwork.machines.flywheel import Flywheel
from wheelwork.machines.rotor import LocalMasterEquation, RotorEngine
from wheelwork.phase_space import FokkerPlanck

DEFAULT_FOLDER = Path("out")


@dataclass(frozen=True)
class Job:
    """A machine, the parameter to vary and its values, the method, and where results go.

    `energy_unit` names the unit of every energy, "1" where they are dimensionless. `show` says how
    results of this kind of machine are shown.
    """

    machine: Any
    parameter: str
    values: FloatArray
    method: Any
    folder: Path = DEFAULT_FOLDER
    name: str = "flywheel"
    energy_unit: str = "1"
    show: Presentation = FLYWHEEL


def paper_flywheel(
    points: int = 65, bias_max: float = 32.0, rtol: float = 1e-6, folder: Path = DEFAULT_FOLDER
) -> Job:
    """Return the sweep of Culhane et al., Figs. 2-4: parameters of Fig. 2, bias from zero."""
    count = integer("--points", points, minimum=2)
    values = np.linspace(0.0, positive("--bias-max", bias_max), count)
    method = FokkerPlanck(rtol=tolerance("--rtol", rtol))
    return Job(Flywheel.paper(), "bias", values, method, folder)


def paper_rotor(points: int = 89, rtol: float = 1e-9, folder: Path = DEFAULT_FOLDER) -> Job:
    """Return the sweep of Leitch et al., Figs. 2-3: beta_2/beta_1 up to beta_r/beta_1 = 0.9."""
    count = integer("--points", points, minimum=2)
    values = np.linspace(0.02, 0.9, count)
    method = LocalMasterEquation(rtol=tolerance("--rtol", rtol))
    machine = RotorEngine.paper()
    return Job(machine, "beta_ratio", values, method, folder, name="rotor", show=ROTOR)
