"""The rotor engine written down a second time, densely and straight from the paper.

Basis |s_1 s_2 l⟩ with s = 0 (down), 1 (up) and l varying fastest, as in wheelwork.
"""

from types import SimpleNamespace

import numpy as np

UP = np.array([[0.0, 0.0], [1.0, 0.0]])


def operators(engine, lowest, highest):
    """σ_1⁺, σ_2⁺, e^{iφ}, L_z, H_0 and H_I as dense matrices."""
    momenta = np.arange(lowest, highest + 1.0)
    one, rotor = np.eye(2), np.eye(momenta.size)
    s1, s2 = np.kron(np.kron(UP, one), rotor), np.kron(np.kron(one, UP), rotor)
    shift = np.kron(np.eye(4), np.eye(momenta.size, k=-1))
    L = np.kron(np.eye(4), np.diag(momenta))
    z1, z2 = (2.0 * s @ s.T - np.eye(s.shape[0]) for s in (s1, s2))
    free = engine.field_cold * z1 + engine.field_hot * z2 + L @ L / (2 * engine.moment_of_inertia)
    hop = s1 @ s2.T @ shift
    return SimpleNamespace(
        s1=s1,
        s2=s2,
        shift=shift,
        L=L,
        free=free,
        hop=hop,
        interaction=engine.coupling * (hop + hop.T),
        total=free + engine.coupling * (hop + hop.T),
    )


def dissipate(jump, rho):
    """D[A]ρ."""
    adjoint = jump.conj().T
    loss = adjoint @ jump
    return jump @ rho @ adjoint - 0.5 * (loss @ rho + rho @ loss)


def load_jumps(engine, o):
    """The two jumps of Leitch et al., Eq. (17), in cosine and sine of φ."""
    rate = np.sqrt(2.0 * engine.moment_of_inertia * engine.load_damping * engine.temperature_load)
    cosine, sine = 0.5 * (o.shift + o.shift.T), -0.5j * (o.shift - o.shift.T)
    tilt = 1j / (4.0 * engine.moment_of_inertia * engine.temperature_load)
    return [rate * (cosine - tilt * sine @ o.L), rate * (sine + tilt * cosine @ o.L)]


def thermal(frequency, temperature):
    return 1.0 / np.expm1(frequency / temperature)


def local_jumps(engine, o):
    """Jumps of Leitch et al., Eqs. (14)–(17), by bath."""
    jumps = {}
    for name, s, field, temperature, sign in (
        ("cold", o.s1, engine.field_cold, engine.temperature_cold, -1.0),
        ("hot", o.s2, engine.field_hot, engine.temperature_hot, 1.0),
    ):
        g = engine.bath_coupling * (1.0 + sign * engine.bath_asymmetry)
        n = thermal(2.0 * field, temperature)
        jumps[name] = [g * np.sqrt(n) * s, g * np.sqrt(n + 1.0) * s.T]
    return jumps | {"load": load_jumps(engine, o)}


def eigenbasis(H, rng=None):
    """Energies and eigenvectors, turned at random where energies coincide."""
    energies, vectors = np.linalg.eigh(H)
    if rng is not None:
        start = 0
        for end in range(1, energies.size + 1):
            if end == energies.size or energies[end] - energies[end - 1] > 1e-9:
                turn, _ = np.linalg.qr(rng.normal(size=(end - start, end - start)))
                vectors[:, start:end] = vectors[:, start:end] @ turn
                start = end
    return energies, vectors


def global_jumps(engine, o, cutoff=20.0, rng=None, width=1e-9):
    """Jumps of Leitch et al., Eqs. (A5), (A15)–(A17): one for each Bohr frequency, and the load."""
    energies, vectors = eigenbasis(o.total, rng)
    bohr = energies[None, :] - energies[:, None]  # of |a⟩⟨b|: E_b − E_a
    jumps = {"load": load_jumps(engine, o)}
    for name, s, temperature, sign in (
        ("cold", o.s1, engine.temperature_cold, -1.0),
        ("hot", o.s2, engine.temperature_hot, 1.0),
    ):
        g2 = (engine.bath_coupling * (1.0 + sign * engine.bath_asymmetry)) ** 2
        elements = vectors.T @ s.T @ vectors
        elements[abs(elements) < 1e-13] = 0.0
        used = np.unique(bohr[elements != 0.0])
        used = used[used > 0.0]
        groups = np.split(used, np.flatnonzero(np.diff(used) > width) + 1)
        jumps[name] = []
        for group in groups:
            w = group.mean()
            inside = (bohr >= group[0] - 1e-13) & (bohr <= group[-1] + 1e-13)
            lowering = vectors @ np.where(inside, elements, 0.0) @ vectors.T
            J, n = g2 * w * cutoff**2 / (w**2 + cutoff**2), thermal(w, temperature)
            jumps[name] += [np.sqrt(J * n) * lowering.T, np.sqrt(J * (n + 1.0)) * lowering]
    return jumps


def generator(H, jumps):
    """The Liouvillian on row-stacked density matrices, (D², D²)."""
    one = np.eye(H.shape[0])
    drift = -1j * H - 0.5 * sum(A.conj().T @ A for A in jumps)
    return (
        np.kron(drift, one) + np.kron(one, drift.conj()) + sum(np.kron(A, A.conj()) for A in jumps)
    )


def steady_state(H, jumps):
    """Null vector of the whole Liouvillian, as a matrix of trace one."""
    size = H.shape[0]
    full = generator(H, jumps)
    full[0] = np.eye(size).ravel()
    right = np.zeros(size * size, dtype=complex)
    right[0] = 1.0
    return np.linalg.solve(full, right).reshape(size, size)


def rate(operator, jumps, rho):
    """Tr(O Σ D[A]ρ)."""
    return float(np.trace(operator @ sum(dissipate(A, rho) for A in jumps)).real)


def ergotropy(rho, H):
    """Leitch et al., Eq. (35), from dense spectra."""
    r, e = np.linalg.eigvalsh(rho)[::-1], np.linalg.eigvalsh(H)
    return float(np.trace(rho @ H).real - r @ e)


def partial_traces(rho, levels):
    """Reduced states of the two qubits, of the rotor, of qubit 1 and of qubit 2."""
    t = rho.reshape(2, 2, levels, 2, 2, levels)
    return (
        np.einsum("abiABi->abAB", t).reshape(4, 4),
        np.einsum("abiabj->ij", t),
        np.einsum("abiAbi->aA", t),
        np.einsum("abiaBi->bB", t),
    )
