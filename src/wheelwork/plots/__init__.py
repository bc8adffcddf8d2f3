"""Plots: figures of datasets and arrays; nothing is computed here."""

from wheelwork.plots.curves import mark_failures, mark_threshold, plot_observable
from wheelwork.plots.flywheel_sheet import charging_sheet, flywheel_sheet
from wheelwork.plots.power_grid_sheet import grid_sweep_sheet, power_grid_sheet
from wheelwork.plots.rotor_sheet import rotor_sheet
from wheelwork.plots.style import save_figure
from wheelwork.plots.sweep_sheet import observables_of, sweep_sheet
from wheelwork.plots.wigner import plot_wigner

__all__ = [
    "charging_sheet",
    "flywheel_sheet",
    "grid_sweep_sheet",
    "mark_failures",
    "mark_threshold",
    "observables_of",
    "plot_observable",
    "plot_wigner",
    "power_grid_sheet",
    "rotor_sheet",
    "save_figure",
    "sweep_sheet",
]
