"""What to compute: one job, whether it comes from a preset or from a parameter file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wheelwork._checks import FloatArray, integer, positive, tolerance
from wheelwork.cli.flywheel import FLYWHEEL
from wheelwork.cli.presentation import Presentation
from wheelwork.machines.flywheel import Flywheel
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
