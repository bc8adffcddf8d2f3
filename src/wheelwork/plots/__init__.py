"""Plots: figures of datasets and arrays; nothing is computed here.

Each module lists its public functions in `__all__`.
"""

from wheelwork.plots.curves import *  # noqa: F403
from wheelwork.plots.flywheel_sheet import *  # noqa: F403
from wheelwork.plots.maps import *  # noqa: F403
from wheelwork.plots.marks import *  # noqa: F403
from wheelwork.plots.power_grid_sheet import *  # noqa: F403
from wheelwork.plots.rotor_sheet import *  # noqa: F403
from wheelwork.plots.style import *  # noqa: F403
from wheelwork.plots.sweep_sheet import *  # noqa: F403
from wheelwork.plots.wells import *  # noqa: F403
from wheelwork.plots.wigner import *  # noqa: F403
