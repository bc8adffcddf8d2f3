"""Operators of a power grid as sparse matrices on number states."""

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp

from wheelwork._checks import FloatArray
from wheelwork.machines.power_grid.quantum.model import QuantumModel


def lowering(model: QuantumModel, j: int) -> sp.csc_array:
    """a_j on the basis of the cutoff."""
    n = model.space.all_occupations[:, j]
    starts = np.concatenate(([0], np.cumsum(model.space.sizes)))
    above = [starts[K + 1] + model.space.above[K][j] for K in range(model.space.cutoff)]
    source = np.concatenate(above)
    D = model.space.dimension
    return sp.csc_array((np.sqrt(n[source]), (np.arange(source.size), source)), shape=(D, D))


def sampled_operators(model: QuantumModel) -> Mapping[str, sp.csc_array]:
    """ "occupation 0", "injected 0", … per node, "current 0", "square 0" per edge, "edge".

    Of the current's square the normally ordered part is left to the occupations: :J²: + g²(n_u +
    n_v)/4 = J².
    """
    machine, space = model.machine, model.space
    n = space.all_occupations
    inside = n.sum(axis=1) < space.cutoff
    gains = machine.gain_rates(n.astype(np.float64)) * (n + 1.0) * inside[:, None]
    losses = machine.loss_rates(np.maximum(n - 1, 0).astype(np.float64)) * n
    found: dict[str, sp.csc_array] = {"edge": _diagonal((~inside).astype(np.float64))}
    for j in range(space.modes):
        found[f"occupation {j}"] = _diagonal(n[:, j].astype(np.float64))
        found[f"injected {j}"] = _diagonal(gains[:, j])
        found[f"extracted {j}"] = _diagonal(losses[:, j])
    for e, ((u, v), g) in enumerate(zip(machine.edge_indices, machine.couplings, strict=True)):
        au, av = lowering(model, int(u)), lowering(model, int(v))
        hop = sp.csc_array(au.T @ av)
        current = sp.csc_array(-0.5j * g * (hop - hop.T))
        found[f"current {e}"] = current
        found[f"square {e}"] = sp.csc_array(current @ current)
    return found


def _diagonal(values: FloatArray) -> sp.csc_array:
    return sp.csc_array(sp.diags_array(values))
