"""Two-time correlations, spectra and slow rates from the Fokker–Planck generator."""

from wheelwork.phase_space.correlations.line import Line
from wheelwork.phase_space.correlations.response import Response, response
from wheelwork.phase_space.correlations.switching import Switching

__all__ = ["Line", "Response", "Switching", "response"]
