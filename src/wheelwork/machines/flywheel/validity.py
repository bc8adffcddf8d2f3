"""How far a device is within the quasi-adiabatic description."""

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from wheelwork.errors import ValidityWarning
from wheelwork.results import AuditEntry

if TYPE_CHECKING:
    from wheelwork.machines.flywheel import Flywheel

LARGEST_COLOUR = 0.5  # of the force noise within ± the frequency
SMALL = 0.25  # a ratio that the description takes for small


def validity(device: "Flywheel", places: Iterable[float]) -> dict[str, AuditEntry]:
    """Ratios that the quasi-adiabatic description takes for small (Culhane et al., Eq. (5)).

    And the largest noise colour (`Flywheel.noise_colour`) at the positions `places`: it sees a
    level far from the lines, or lines narrower than the frequency, where the band-height rate does
    not.
    """
    temperature = min(lead.temperature for lead in device.leads)
    rate = tunnelling_rate(device)
    ratios = {
        "frequency / temperature": device.frequency / temperature,
        "frequency / tunnelling rate": device.frequency / rate,
        "coupling / temperature": abs(device.coupling) / temperature,
        "coupling / tunnelling rate": abs(device.coupling) / rate,
    }
    entries = {name: AuditEntry(value, SMALL) for name, value in ratios.items()}
    if device.force != 0.0:
        colour = max(device.noise_colour(place) for place in places)
        entries["noise colour"] = AuditEntry(colour, LARGEST_COLOUR)
    return entries


def orbit_places(moments: Mapping[str, float], length: float) -> tuple[float, ...]:
    """The mean position and the turning points of a typical orbit."""
    swing = np.sqrt(max(2.0 * (moments["x_squared"] - moments["x"] ** 2), 0.0))
    return tuple(float(length * (moments["x"] + side * swing)) for side in (-1.0, 0.0, 1.0))


def tunnelling_rate(device: "Flywheel") -> float:
    """Σ κ_α at the height of the band, the rate at which the level follows its leads."""
    potentials = [lead.chemical_potential for lead in device.leads]
    reach = 8.0 * max(lead.temperature for lead in device.leads) + float(np.ptp(potentials))
    frequency = device.level + np.linspace(-reach, reach, 801)
    return float(np.max(sum(lead.kappa(frequency) for lead in device.leads)))


def warn_where_stretched(entries: Mapping[str, AuditEntry]) -> None:
    """Give a ValidityWarning that names the ratios beyond their bounds; to be called by a verb."""
    ratios = ", ".join(
        f"{name} = {entry.value:.3g} (at most {entry.bound:g})"
        for name, entry in entries.items()
        if not entry.ok
    )
    if ratios:
        message = f"the quasi-adiabatic description is at its limit: {ratios}"
        warnings.warn(message, ValidityWarning, stacklevel=3)
