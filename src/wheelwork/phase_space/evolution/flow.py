"""A model's rates, tabulated as far out as the state has come."""

import numpy as np

from wheelwork.errors import InvalidArgument, NoSteadyState, NotConverged
from wheelwork.phase_space.evolution.mesh import Field
from wheelwork.phase_space.model import PhaseSpaceModel
from wheelwork.phase_space.rates import extended, tabulated_rates
from wheelwork.phase_space.tables import Table

AHEAD = 1.4  # tables reach further than asked for, as states grow step by step


class Flow:
    """The motion under one model, with a table of its rates that grows with the state."""

    def __init__(self, model: PhaseSpaceModel, rtol: float) -> None:
        self.model = model
        self._rtol = rtol
        self._table: Table | None = None

    def rates(self, reach: float) -> Table:
        """Table of (f, γ, d, local observables) over at least |X| ≤ reach.

        Raises InvalidArgument where the diffusion is negative, NotConverged where the model has
        no coefficients or no table of them gets as accurate as it must.
        """
        if self._table is None or self._table.high < reach:
            try:
                self._table = self._extended(AHEAD * reach)
            except NoSteadyState:
                self._table = self._at_least(reach)
            self._refuse_negative_noise(self._table)
        return self._table

    def _at_least(self, reach: float) -> Table:
        try:
            return self._extended(reach)
        except NoSteadyState as reason:
            raise NotConverged(
                f"the state reaches |x| = {reach * self.model.length:.4g}, where the model has no "
                f"coefficients: {reason}"
            ) from None

    def _extended(self, reach: float) -> Table:
        if self._table is None:
            return tabulated_rates(self.model, reach, self._rtol)
        return extended(self._table, self.model, reach, self._rtol)

    def _refuse_negative_noise(self, rates: Table) -> None:
        X = np.linspace(rates.low, rates.high, 4001)
        diffusion = rates(X)[2]
        worst = int(np.argmin(diffusion))
        if diffusion[worst] < -1e-9 * np.max(np.abs(diffusion)):
            value = 2.0 * self.model.momentum**2 * diffusion[worst]
            raise InvalidArgument(
                f"`diffusion` must not be negative, but is {value:.3g} "
                f"(x = {X[worst] * self.model.length:.4g})"
            )

    def table_error(self, field: Field, duration: float) -> float:
        """Bound on the size of the change of W that the errors of the table make."""
        mesh, k = field.mesh, field.mesh.wavenumbers
        force, friction, diffusion = self.rates(mesh.half_width).bound(mesh.axis)[:3, :, None]
        slope = np.fft.irfft(1j * k * np.fft.rfft(field.values), mesh.points)
        squeeze = np.fft.irfft(1j * k * np.fft.rfft(field.values * mesh.axis), mesh.points)
        bend = np.fft.irfft(-(k**2) * np.fft.rfft(field.values), mesh.points)
        change = force * np.abs(slope) + friction * np.abs(squeeze) + diffusion * np.abs(bend)
        return duration * field.size(change)
