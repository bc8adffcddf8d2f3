"""Two-time correlations, spectra and slow rates from the Fokker–Planck generator."""

from wheelwork.phase_space.response.correlations import Response, Switching, response
from wheelwork.phase_space.response.decay import Line

__all__ = ["Line", "Response", "Switching", "response"]
