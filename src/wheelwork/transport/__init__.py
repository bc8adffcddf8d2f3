"""Electron transport through a resonant level: leads, Green function, coefficients, force noise."""

from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import LineShape, Lorentzian, Semicircle, Tabulated, WideBand
from wheelwork.transport.resonant_level import Coefficients, ResonantLevel

__all__ = [
    "Coefficients", "Lead", "LineShape", "Lorentzian", "ResonantLevel", "Semicircle", "Tabulated",
    "WideBand",
]  # fmt: skip
