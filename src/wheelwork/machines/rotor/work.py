"""Ergotropies of a rotor engine and of its parts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from wheelwork import thermodynamics
from wheelwork._checks import FloatArray
from wheelwork.machines.rotor.blocks import BlockState
from wheelwork.machines.rotor.pairs import pairs_of, rotor_energies, total_energies
from wheelwork.machines.rotor.window import Window

if TYPE_CHECKING:
    from wheelwork.machines.rotor.machine import RotorEngine

PARTS = ("total", "qubits", "rotor", "cold", "hot")


def ergotropies(machine: "RotorEngine", blocks: BlockState) -> Mapping[str, float]:
    """Return the ergotropies (Leitch et al., Eq. (35)) of the parts named in `PARTS`.

    "total": the whole state against H_S, with its interaction. "qubits": the reduced state of both
    against B_1 σ_1^z + B_2 σ_2^z. "rotor": the reduced state against L_z²/2I. "cold", "hot": one
    qubit against B_i σ_i^z. Reduced states have no coherences, and every spectrum is known in
    closed form. The unitaries may reach any l: those that the passive states need are added.
    """
    window = blocks.window
    reach = max(abs(window.lowest), abs(window.highest), 2 * window.levels)
    blocks = blocks.on(Window(-reach, reach))
    cold, hot = machine.field_cold, machine.field_hot
    qubits = np.array([-cold - hot, -cold + hot, cold - hot, cold + hot])
    pairs = pairs_of(machine, blocks.window)
    found = {
        "total": _ergotropy(
            blocks.eigenvalues,
            blocks.in_eigenstates(pairs),
            total_energies(machine, blocks.window),
        ),
        "qubits": _diagonal(blocks.qubits, qubits),
        "rotor": _diagonal(blocks.rotor, rotor_energies(machine, blocks.window)),
    }
    for site, (name, field) in enumerate((("cold", cold), ("hot", hot))):
        excited = blocks.excited(site)
        found[name] = _diagonal(
            np.array([blocks.trace - excited, excited]), np.array([-field, field])
        )
    return MappingProxyType(found)


def _diagonal(populations: FloatArray, energies: FloatArray) -> float:
    return _ergotropy(np.sort(populations)[::-1], populations, energies)


def _ergotropy(eigenvalues: FloatArray, populations: FloatArray, energies: FloatArray) -> float:
    return thermodynamics.spectral_ergotropy(eigenvalues, populations, energies)
