"""Two-time correlations, spectra and slow rates from the Fokker–Planck generator."""

from wheelwork.phase_space.response.line import Line
from wheelwork.phase_space.response.result import Response, response
from wheelwork.phase_space.response.switching import Switching

__all__ = ["Line", "Response", "Switching", "response"]
