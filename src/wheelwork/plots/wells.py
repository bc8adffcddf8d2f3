"""The states that coexist, as maxima of ln W over the amplitude of the orbits."""

import numpy as np
from matplotlib.axes import Axes

from wheelwork.phase_space import Wells
from wheelwork.plots.labels import label_axis
from wheelwork.plots.legends import add_legend, settle_legends
from wheelwork.plots.style import GREY, series

__all__ = ["plot_wells"]

ROOM = 0.15  # of the height of wells and ridges, below the lowest of them


def plot_wells(axes: Axes, wells: Wells) -> None:
    """Draw ln W of `wells` (of a `FlywheelState`) over √E, the amplitude of an orbit in |a|.

    One colour for each well, with its phonon number; a grey line at the height of its ridge. The
    panel ends below the lowest of maxima and ridges.
    """
    root, height = np.sqrt(wells.E), wells.log_density
    ends = [float(np.min(height[wells.well == 0])) if len(wells) == 1 else 0.0]
    runs = np.flatnonzero((np.diff(wells.E) < 0.0) | (np.diff(wells.well) != 0)) + 1
    labels = [
        f"{well.phonon_number:.4g} quanta{', from rest' if well.contains_rest else ''}"
        for well in wells
    ]
    for run in np.split(np.arange(root.size), runs):
        k = int(wells.well[run[0]])
        axes.plot(root[run], height[run], label=labels[k], **series(k))
        labels[k] = ""  # one entry in the legend for all families of orbits of a well
    ridge = "ridge between states"  # one entry in the legend for all of them
    for k, well in enumerate(wells):
        peak = float(np.max(height[wells.well == k]))
        ends.append(peak)
        if np.isfinite(well.barrier):
            ends.append(peak - well.barrier)
            axes.axhline(ends[-1], color=GREY, linewidth=0.8, linestyle="-.", zorder=0,
                         label=ridge)  # fmt: skip
            ridge = ""
    low = min(ends) * (1.0 + ROOM) - 1.0
    axes.set(xlim=(0.0, float(np.max(root[height > low]))), ylim=(low, 1.0))
    label_axis(axes.xaxis, r"amplitude $\sqrt{E}$")
    label_axis(axes.yaxis, r"$\ln W$")
    add_legend(axes)
    settle_legends(axes.figure.figure, [axes])
