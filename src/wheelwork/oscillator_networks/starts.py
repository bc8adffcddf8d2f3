"""Where to look for steady states: standing waves of the network, and random amplitudes."""

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import AmplitudeModel, ComplexArray

LOGARITHMS = np.linspace(-20.0, 40.0, 241)  # of |α|², where the balance of a mode is looked for


def standing_waves(model: AmplitudeModel) -> tuple[ComplexArray, FloatArray]:
    """Return the modes of the undamped network, (B, N), and their frequencies, (B,).

    Each is scaled to where gain and loss balance, once for each such |α|²: stationary for small
    rates. Degenerate modes come in one basis of many.
    """
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    frequency, modes = np.linalg.eigh(1j * coherent)
    damping = np.real(np.einsum("nm,nk,km->m", modes.conj(), model.linear, modes))
    amplitudes, frequencies = [], []
    for m in range(model.sites):
        share = np.abs(modes[:, m]) ** 2
        occupations = np.exp(LOGARITHMS)[:, None] * share[model.active]
        net = damping[m] + 0.5 * model.growth.rates(occupations) @ share[model.active]
        for i in np.flatnonzero(net[:-1] * net[1:] < 0.0):
            place = LOGARITHMS[i] + (LOGARITHMS[1] - LOGARITHMS[0]) * net[i] / (net[i] - net[i + 1])
            amplitudes.append(np.exp(0.5 * place) * modes[:, m])
            frequencies.append(frequency[m])
    found = np.array(amplitudes, dtype=np.complex128).reshape(-1, model.sites)
    return found, np.array(frequencies, dtype=np.float64)


def random_amplitudes(
    model: AmplitudeModel, number: int, scale: float, random: np.random.Generator
) -> tuple[ComplexArray, FloatArray]:
    """Return `number` complex normal amplitudes, with |α_j|² about `scale` within a factor e^±3.

    The frequencies are spread over those of the network.
    """
    shape = number, model.sites
    normal = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    size = np.sqrt(0.5 * scale * np.exp(random.uniform(-3.0, 3.0, number)))
    coherent = 0.5 * (model.linear - model.linear.conj().T)
    band = np.linalg.eigvalsh(1j * coherent)
    return normal * size[:, None], random.uniform(band[0], band[-1], number)
