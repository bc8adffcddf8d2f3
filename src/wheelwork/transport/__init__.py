"""Electron transport through a resonant level: leads, Green function, coefficients, force noise."""

from wheelwork.transport.coefficients import Coefficients
from wheelwork.transport.leads import Lead
from wheelwork.transport.lineshapes import LineShape, Lorentzian, Semicircle, WideBand
from wheelwork.transport.resonant_level import ResonantLevel
from wheelwork.transport.tabulated import Tabulated

__all__ = [
    "Coefficients",
    "Lead",
    "LineShape",
    "Lorentzian",
    "ResonantLevel",
    "Semicircle",
    "Tabulated",
    "WideBand",
]
