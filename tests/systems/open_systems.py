"""Open quantum systems as plain matrices, and the textbook form of the equation on all of D²."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from wheelwork.lindblad import Lindblad


class System(NamedTuple):
    """H, jumps, a few Hermitian observables and a pure state to start from."""

    hamiltonian: sp.csc_array
    jumps: list[sp.csc_array]
    observables: dict[str, sp.csc_array]
    start: np.ndarray

    @property
    def lindblad(self) -> Lindblad:
        return Lindblad(self.hamiltonian, self.jumps)


def lowering(levels):
    return sp.csc_array(
        sp.diags_array([np.sqrt(np.arange(1.0, levels))], offsets=[1], shape=(levels, levels))
    )


def product(*factors):
    result = sp.csc_array(np.ones((1, 1)))
    for factor in factors:
        result = sp.csc_array(sp.kron(result, factor))
    return result


def unit(levels):
    return sp.csc_array(sp.eye_array(levels))


SIGMA = sp.csc_array(np.array([[0.0, 1.0], [0.0, 0.0]]))  # from state 1 (up) to state 0


def basis(dimension, state):
    psi = np.zeros(dimension, dtype=complex)
    psi[state] = 1.0
    return psi


def driven_cavity(levels=30, detuning=0.7, drive=0.8, rate=1.3, occupation=0.0):
    a = lowering(levels)
    H = detuning * (a.T @ a) + drive * (a + a.T)
    jumps = [np.sqrt(rate * (1.0 + occupation)) * a, np.sqrt(rate * occupation) * a.T]
    observables = {"n": a.T @ a, "x": a + a.T, "p": sp.csc_array(-1j * a + 1j * a.T)}
    return System(H, jumps[: 2 if occupation else 1], observables, basis(levels, 0))


def jaynes_cummings(levels=8, coupling=0.6, detuning=0.3, occupation=0.2):
    a, s = product(lowering(levels), unit(2)), product(unit(levels), SIGMA)
    H = a.T @ a + (1.0 + detuning) * (s.T @ s) + coupling * (a.T @ s + a @ s.T)
    jumps = [np.sqrt(0.1 * (1 + occupation)) * a, np.sqrt(0.1 * occupation) * a.T, 0.3 * s]
    observables = {"n": a.T @ a, "up": s.T @ s, "flow": sp.csc_array(1j * (a.T @ s - a @ s.T))}
    return System(H, jumps, observables, basis(2 * levels, 1))


def optomechanics(photons=3, phonons=6):
    a, b = product(lowering(photons), unit(phonons)), product(unit(photons), lowering(phonons))
    H = 0.5 * (a.T @ a) + b.T @ b + 0.3 * (a.T @ a) @ (b + b.T) + 0.25 * (a + a.T)
    jumps = [np.sqrt(0.8) * a, np.sqrt(0.15) * b, np.sqrt(0.05) * b.T]
    observables = {"photons": a.T @ a, "phonons": b.T @ b, "x": b + b.T}
    return System(H, jumps, observables, basis(photons * phonons, 0))


def spin_chain(sites=4, rate=0.7, bias=0.4):
    lower = [product(*[SIGMA if i == k else unit(2) for i in range(sites)]) for k in range(sites)]
    H = sum(
        0.5 * (lower[k].T @ lower[k + 1] + lower[k].T @ lower[k + 1]).T for k in range(sites - 1)
    )
    H = sp.csc_array(H + H.T)
    for k in range(sites):
        H = H + 0.2 * (k + 1) * (lower[k].T @ lower[k])
    ends = [
        np.sqrt(rate * (0.5 + bias)) * lower[0].T,
        np.sqrt(rate * (0.5 - bias)) * lower[0],
        np.sqrt(rate * (0.5 - bias)) * lower[-1].T,
        np.sqrt(rate * (0.5 + bias)) * lower[-1],
    ]
    up = {f"up{k}": lower[k].T @ lower[k] for k in range(sites)}
    flow = sp.csc_array(1j * (lower[0].T @ lower[1] - lower[1].T @ lower[0]))
    start = basis(2**sites, 2 ** (sites - 1))
    return System(sp.csc_array(H), [sp.csc_array(j) for j in ends], {**up, "flow": flow}, start)


def two_qubit_decay():
    """Collective decay with a local drive: nothing is conserved, every element is needed."""
    one, two = product(SIGMA, unit(2)), product(unit(2), SIGMA)
    H = 0.4 * (one + one.T) + 0.3j * (two - two.T) + 0.9 * (two.T @ two)
    jumps = [0.7 * (one + 0.5j * two), 0.2 * two, 0.3 * one.T]
    return System(sp.csc_array(H), jumps, {"one": one.T @ one, "x": one + one.T}, basis(4, 3))


def rotor(levels, lowest=None, ratio=0.2, coupling=0.1, damping=5e-5, cartesian=False):
    """Two qubits and a rotor as sparse matrices, with the load in either of its two forms.

    (Leitch et al., Eqs. (1)–(3), (13)–(17), parameters of Fig. 2.)
    """
    l = np.arange(levels, dtype=float) - (2 * levels // 5 if lowest is None else -lowest)  # noqa: E741
    ring = sp.csc_array(sp.diags_array([np.ones(levels - 1)], offsets=[-1]))
    Lz = sp.csc_array(sp.diags_array(l))
    s1, s2 = product(SIGMA, unit(2), unit(levels)), product(unit(2), SIGMA, unit(levels))
    turn, fields, beta, beta_load = product(unit(4), ring), (4.0, 10.0), 0.1, 0.09
    betas = (beta, ratio * beta)
    X = s1.T @ s2 @ turn
    H = coupling * (X + X.T) + product(unit(4), 0.5 * Lz @ Lz)
    jumps = []
    for s, B, b in zip((s1, s2), fields, betas, strict=True):
        n = 1.0 / np.expm1(2.0 * b * B)
        H = H + B * (2.0 * s.T @ s - unit(4 * levels))
        jumps += [np.sqrt(n) * s.T, np.sqrt(n + 1.0) * s]
    a, size = beta_load / 4.0, np.sqrt(damping / beta_load)
    up, down = ring @ (unit(levels) - a * Lz), ring.T @ (unit(levels) + a * Lz)
    if cartesian:  # cos φ − i a sin φ L_z and sin φ + i a cos φ L_z: (up ± down) within a phase
        load = [(up + down) / np.sqrt(2.0), 1j * (up - down) / np.sqrt(2.0)]
    else:
        load = [up, down]
    jumps += [size * product(unit(4), kind) for kind in load]
    flow = sp.csc_array(2.0 * coupling * (X - X.T) / 2j)
    Lz_full = product(unit(4), Lz)
    observables = {"flow": flow, "momentum": Lz_full, "one": s1.T @ s1}
    return System(sp.csc_array(H), jumps, observables, basis(4 * levels, int(np.argmin(abs(l)))))


def two_modes(most, saturation=1.0, damping=1e-3, gain=4.0, loss=2.0, hopping=1.0):
    """Two oscillators with saturable gain on the first and loss on the second, n1 + n2 ≤ most."""
    states = [(n, total - n) for total in range(most + 1) for n in range(total + 1)]
    index = {state: i for i, state in enumerate(states)}

    def operator(step, amplitude):
        moved = [(s, (s[0] + step[0], s[1] + step[1])) for s in states]
        kept = [(index[old], index[new], amplitude(*old)) for old, new in moved if new in index]
        column, row, data = zip(*kept, strict=True)
        return sp.csc_array((np.array(data), (row, column)), shape=(len(states), len(states)))

    def f(n):
        return 1.0 / (1.0 + n / saturation)

    hop = operator((1, -1), lambda n, m: np.sqrt((n + 1.0) * m))
    H = -0.5 * hopping * (hop + hop.T)
    jumps = [
        np.sqrt(damping) * operator((-1, 0), lambda n, m: np.sqrt(n)),
        np.sqrt(damping) * operator((0, -1), lambda n, m: np.sqrt(m)),
        np.sqrt(gain) * operator((1, 0), lambda n, m: np.sqrt(n + 1.0) * f(n)),
        np.sqrt(loss) * operator((0, -1), lambda n, m: np.sqrt(m) * f(m - 1.0)),
    ]
    flow = sp.csc_array(0.5j * hopping * (hop - hop.T))
    total = sp.csc_array(sp.diags_array(np.array([float(n + m) for n, m in states])))
    return System(H, jumps, {"flow": flow, "total": total}, basis(len(states), 0))


def random_system(seed, dimension=5, kinds=3):
    random = np.random.default_rng(seed)

    def matrix():
        return random.normal(size=(dimension, dimension)) + 1j * random.normal(
            size=(dimension, dimension)
        )

    H = matrix()
    return System(
        sp.csc_array(H + H.conj().T),
        [sp.csc_array(matrix()) for _ in range(kinds)],
        {},
        basis(dimension, 0),
    )


EXAMPLES = {
    "driven cavity": driven_cavity(14),
    "warm driven cavity": driven_cavity(18, occupation=0.1),
    "Jaynes–Cummings": jaynes_cummings(),
    "optomechanics": optomechanics(),
    "spin chain": spin_chain(),
    "collective decay": two_qubit_decay(),
    "rotor": rotor(5, coupling=1.0, damping=0.05),
}


def liouvillian(system):
    """The D² × D² matrix on ρ stacked by rows, by Kronecker products."""
    H = system.hamiltonian.toarray()
    one = np.eye(H.shape[0])
    total = -1j * (np.kron(H, one) - np.kron(one, H.T))
    for jump in system.jumps:
        L = jump.toarray()
        rate = L.conj().T @ L
        total = total + np.kron(L, L.conj()) - 0.5 * (np.kron(rate, one) + np.kron(one, rate.T))
    return total


def exact_steady_state(system):
    D = system.hamiltonian.shape[0]
    full = liouvillian(system)
    full[0] = np.eye(D).ravel()
    return np.linalg.solve(full, basis(D * D, 0)).reshape(D, D)


def exact_state(system, rho, time):
    D = system.hamiltonian.shape[0]
    return (scipy.linalg.expm(time * liouvillian(system)) @ rho.ravel()).reshape(D, D)
