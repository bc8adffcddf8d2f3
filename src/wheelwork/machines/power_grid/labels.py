"""Symbols, units and names of what a power grid has and gives."""

from collections.abc import Mapping
from types import MappingProxyType

from wheelwork.machines.power_grid.parameters import GridParameters

OBSERVABLES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "branches": (r"\#", "1", "steady branches with amplitudes"),
        "stable_branches": (r"\#", "1", "stable branches"),
        "motions": (r"\#", "1", "motions found that do not settle"),
        "injected": (
            r"J_i",
            "rate",
            "quanta injected (without noise: on the branch nearest to the band's centre)",
        ),
        "extracted": (r"J_e", "rate", "quanta extracted"),
        "dissipated": (r"J_\gamma", "rate", "quanta lost to damping"),
        "extracted_lowest": (r"\min J_e", "rate", "quanta extracted, least of the attractors"),
        "extracted_highest": (r"\max J_e", "rate", "quanta extracted, most of the attractors"),
        "occupation": (r"\sum_j n_j", "1", "quanta in the network"),
        "frequency": (r"\omega", "rate", "frequency of the branch"),
        "growth_rate": (r"\max\,\mathrm{Re}\,\lambda", "rate", "slowest exponent of the branch"),
    }
)

WITH_NOISE: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "mean_damping": (r"\bar\Gamma", "rate", "mean loss rate minus mean gain rate"),
        "mean_current": (r"\bar J", "rate", "quanta along an edge, mean over the edges"),
        "current_fluctuation": (r"\Delta J", "rate", "standard deviation of the current"),
        "current_fluctuation_normal": (
            r"\Delta J_{:}",
            "rate",
            "standard deviation of the current, in normal order",
        ),
        "negativity": (r"\mathcal{N}", "1", "negativity of the first and the last node"),
        "mutual_information": (r"I", "1", "mutual information of the first and the last node"),
        "entropy": (r"S", "1", "von Neumann entropy"),
        "purity": (r"\mathrm{Tr}\,\rho^2", "1", "purity"),
    }
)

LABELS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {**GridParameters.parameter_labels(), **OBSERVABLES, **WITH_NOISE}
)
