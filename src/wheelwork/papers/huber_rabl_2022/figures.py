"""The power grids of Figs. 2-5 of Huber and Rabl: chains, their noise, their quanta, a grid.

Fig. 2 is a chain without noise, Fig. 3 the same in a hot environment, Fig. 4 two oscillators with
few quanta, Fig. 5 a grid with several ports. Rates are in units of the coupling g.
"""

from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import xarray as xr

from wheelwork._checks import integer
from wheelwork.errors import WheelworkError
from wheelwork.machines.power_grid import MasterEquation, PowerGrid, Saturable
from wheelwork.oscillator_networks import MeanField
from wheelwork.papers.huber_rabl_2022 import network
from wheelwork.papers.runs import Run, missing_parts
from wheelwork.phase_space import Langevin
from wheelwork.plots import power_grid_sheet

DAMPING, INJECTION = 1e-3, 4.0  # γ and Γ_i in all figures but 4(b), where γ = 1e-2
SITES = 10  # of the chain of Fig. 2
LARGEST_RATE = 8.0  # of the axes of Figs. 2-5
MANY_QUANTA = 1e4  # saturation number n0 at which the noise of single quanta is negligible
RATES = np.linspace(0.0625, 7.9375, 64)  # of the map, Fig. 2(a): centres of 64 cells up to 8
NOISY_RATES = np.array([0.5, 1.0, 2.0, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0])  # Fig. 3
# Fig. 4
QUANTUM_RATES = np.array([0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.5, 5, 6, 7, 8])
SATURATIONS = (1.0, 2.0)  # n0 in Fig. 4; states of the second hold up to 200 quanta
PORT_RATES = np.array([0.5, 2.0, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0])  # Fig. 5
PORTS = (7, 8, 9)
NOISY_SITES, NOISY_OCCUPATION, PORT_OCCUPATION = 6, 10.0, 3.0  # Figs. 3, 5; N_th in units of n0
# a drawn curve shows no more digits; some points take a minute
QUANTUM = MasterEquation(rtol=1e-3, operations=1e13)
NOISY_TIME, PORT_TIME = 3e4, 1e4  # in 1/g; the first quarter is left out (see `sampled`)
CHAIN = PowerGrid.chain(SITES, INJECTION, INJECTION, DAMPING)  # of Fig. 2


def run(points: int = 32, rtol: float = 1e-9) -> Run:
    """Return the sweep behind Figs. 2-5: ten sites, Γ_i = 4 g, `points` values of Γ_e up to 8 g."""
    count = integer("points", points, minimum=2)
    rates = np.linspace(LARGEST_RATE / count, LARGEST_RATE, count)
    method = MeanField(rtol=rtol)
    return Run(CHAIN, "extraction", rates, method, PRESENTATION, name="power-grid")


def add_map(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with the current over both rates, ten sites (Fig. 2(a))."""
    branches = CHAIN.branch_map({"injection": RATES, "extraction": RATES}, MeanField())
    stable = branches["stable_branches"]
    current = branches["extracted"].isel(branch=0).where(stable > 0, 0.0)
    dims = ("map_injection", "map_extraction")
    return dataset.assign(
        map_current=(dims, current.values, {"long_name": "current, branch at the band's centre"}),
        map_stable_branches=(dims, stable.values, {"long_name": "stable branches"}),
    ).assign_coords(map_injection=RATES, map_extraction=RATES)


def add_profiles(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with |α|² along ten sites, on both sides of the transition (Fig. 2(c))."""
    rates = [INJECTION / 1.05, INJECTION, 1.5 * INJECTION]
    rows = []
    for rate in rates:
        branch = CHAIN.replace(extraction=rate).steady_state(MeanField()).branch
        rows.append(np.full(SITES, np.nan) if branch is None else branch.occupation)
    return dataset.assign(
        profile_occupation=(("profile_extraction", "site"), np.array(rows))
    ).assign_coords(profile_extraction=rates, site=np.arange(1, SITES + 1))


def sampled(duration: float) -> Langevin:
    """Return the method for noise. A burn-in that is given asks for no verdict on mixing."""
    return Langevin(
        duration=duration, trajectories=64, step=0.1, burn_in=0.25 * duration, seed=1, rtol=0.1
    )


def add_noise(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with current, fluctuation and damping in a hot environment (Fig. 3).

    `noisy_mixed` is 0 where trajectories stayed apart for all that time: several kinds of motion
    live long there, and the means depend a little on where they started.
    """
    chain = PowerGrid.chain(
        NOISY_SITES, INJECTION, INJECTION, DAMPING, NOISY_OCCUPATION * MANY_QUANTA, MANY_QUANTA
    )
    rows = []
    for rate in NOISY_RATES.tolist():
        machine = chain.replace(extraction=rate)
        noisy, quiet = machine.steady_state(sampled(NOISY_TIME)), machine.steady_state().branch
        current, fluctuation = noisy.mean_current, noisy.current_fluctuation[machine.edges[0]]
        row = {
            "noisy_current": current.mean / MANY_QUANTA,
            "noisy_current_error": current.standard_error / MANY_QUANTA,
            "noisy_fluctuation": fluctuation.mean / MANY_QUANTA,
            "noisy_damping": noisy.mean_damping.mean,
            "noisy_damping_error": noisy.mean_damping.standard_error,
            "quiet_damping": np.nan if quiet is None else quiet.mean_damping,
            "noisy_mixed": float(noisy.audit["mixing"].ok),
        }
        rows.append(row)
    added = {name: ("noisy_extraction", [row[name] for row in rows]) for name in rows[0]}
    dataset = dataset.assign(added).assign(equilibrium_fluctuation=NOISY_OCCUPATION / np.sqrt(2.0))
    return dataset.assign_coords(noisy_extraction=NOISY_RATES)


def add_quanta(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with ΔJ and negativity of two oscillators (Fig. 4).

    Damping is 1e-3 for the fluctuations and 1e-2 for the negativity, as in the paper. Fluctuations
    are those of n0 = 1 only: with n0 = 2 states hold up to 200 quanta, and take ten seconds each.
    """
    shape = (len(SATURATIONS), QUANTUM_RATES.size)
    fluctuation, negativity = np.full(shape, np.nan), np.empty(shape)
    for i, saturation in enumerate(SATURATIONS):
        for j, rate in enumerate(QUANTUM_RATES.tolist()):
            pair = PowerGrid.chain(2, INJECTION, rate, 10.0 * DAMPING, saturation=saturation)
            negativity[i, j] = pair.steady_state(QUANTUM).negativity
            if saturation == 1.0:
                state = pair.replace(damping=DAMPING).steady_state(QUANTUM)
                fluctuation[i, j] = state.current_fluctuation[0, 1]
    dims = ("quantum_saturation", "quantum_extraction")
    return dataset.assign(
        quantum_fluctuation=(dims, fluctuation), quantum_negativity=(dims, negativity)
    ).assign_coords(quantum_saturation=list(SATURATIONS), quantum_extraction=QUANTUM_RATES)


def multiport(rate: float) -> PowerGrid:
    """Return three lines 1-4-7, 2-5-8, 3-6-9 joined by the bus 4-5-6, engines at 7, 8 and 9.

    The graph is inferred from Fig. 5: with all twelve edges of a square lattice
    the current into 9 does not depend on the engine at 7 as it does there.
    """
    graph = nx.Graph()
    graph.add_nodes_from(range(1, 10))
    graph.add_edges_from([(1, 4), (4, 7), (2, 5), (5, 8), (3, 6), (6, 9), (4, 5), (5, 6)])
    return PowerGrid(
        graph,
        generators={1: Saturable(INJECTION, MANY_QUANTA)},
        engines={7: Saturable(rate, MANY_QUANTA), 9: Saturable(INJECTION, MANY_QUANTA)},
        damping=DAMPING,
        thermal_occupation=PORT_OCCUPATION * MANY_QUANTA,
    )


def add_ports(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with the currents into the ports of `multiport`, and a picture of it."""
    states = [multiport(rate).steady_state(sampled(PORT_TIME)) for rate in PORT_RATES.tolist()]
    into = [[state.current[port - 3, port] for port in PORTS] for state in states]
    currents = np.array([[(one.mean, one.standard_error) for one in row] for row in into])
    dims = ("port_extraction", "port")
    dataset = dataset.assign(
        port_current=(dims, currents[..., 0] / MANY_QUANTA),
        port_current_error=(dims, currents[..., 1] / MANY_QUANTA),
    ).assign_coords(port_extraction=PORT_RATES, port=list(PORTS))
    at: network.Positions = {
        node: (float((node - 1) % 3), -float((node - 1) // 3)) for node in range(1, 10)
    }
    method = sampled(PORT_TIME)
    return network.add_network(dataset, multiport(PORT_RATES[-1]), method, at, MANY_QUANTA)


PARTS = {
    "map": add_map,
    "profiles": add_profiles,
    "noise": add_noise,
    "quanta": add_quanta,
    "ports": add_ports,
}


def complete(dataset: xr.Dataset, machine: PowerGrid, parameter: str, method: Any) -> xr.Dataset:
    """Return `dataset` with all that the sheet shows; what fails is named in its attributes."""
    for name, add in PARTS.items():
        try:
            dataset = add(dataset)
        except WheelworkError as reason:
            dataset = dataset.assign_attrs({f"{name}_missing": str(reason)})
    return dataset


def remarks(dataset: xr.Dataset) -> list[str]:
    """Return where the chain of the sweep is bistable, what the parts show, and what is missing."""
    lines = []
    if "port_current" in dataset:
        into = dataset["port_current"].sel(port=9)
        low, high = float(into[0]), float(into[-1])
        lines.append(
            f"transistor: the current into 9 rises from {low:.3g} to {high:.3g} g n0 as the "
            f"extraction at 7 goes from {PORT_RATES[0]:g} to {PORT_RATES[-1]:g}"
        )
    if "noisy_fluctuation" in dataset:
        noise = dataset["noisy_fluctuation"]
        at = [float(noise.sel(noisy_extraction=rate)) for rate in (3.0, 5.0)]
        lines.append(
            f"noise drop: current fluctuations fall from {at[0]:.3g} to {at[1]:.3g} g n0 as the "
            "extraction goes from 3 to 5"
        )
        apart = noise["noisy_extraction"].values[dataset["noisy_mixed"].values == 0.0]
        if apart.size:
            lines.append(
                f"noise: at an extraction of {', '.join(f'{rate:g}' for rate in apart)} "
                "trajectories had not mixed (open marks): means may be off by percents"
            )
    return lines + missing_parts(dataset)


PRESENTATION = replace(
    network.PRESENTATION, complete=complete, draw=power_grid_sheet, remarks=remarks
)
