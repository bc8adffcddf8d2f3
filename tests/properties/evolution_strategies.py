"""Random Lindblad systems in time, and random states, with the formulas that judge them."""

import numpy as np
import scipy.linalg
from hypothesis import strategies as st

from wheelwork import thermodynamics as td
from wheelwork.lindblad import (
    ExplicitSteps,
    Exponential,
    ImplicitSteps,
    Lindblad,
    evolve,
    sample_jumps,
)

UNITS = [1e-24, 1e-9, 1.0, 1e9, 1e15]
METHODS = [None, None, ImplicitSteps(), ExplicitSteps(), Exponential()]


@st.composite
def matrices(draw, dimension, hermitian=False):
    """Sparse, of entries over six decades, from a seed: small examples stay readable."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.3, 0.7, 1.0]))
    decades = draw(st.sampled_from([0.0, 1.0, 3.0]))
    size = 10.0 ** random.uniform(-decades, decades, (dimension, dimension))
    matrix = size * random.normal(size=(dimension, 2 * dimension)).view(complex)
    matrix[random.random((dimension, dimension)) > density] = 0.0
    return matrix + matrix.conj().T if hermitian else matrix


@st.composite
def equations(draw, most=5):
    """H and jumps in units of energy."""
    D = draw(st.integers(1, most))
    H = draw(matrices(D, hermitian=True))
    scale = draw(st.sampled_from([1e-3, 0.1, 1.0, 10.0]))
    jumps = [np.sqrt(scale) * draw(matrices(D)) for _ in range(draw(st.integers(0, 3)))]
    return H, jumps


@st.composite
def operators(draw, dimension, kinds=("ket", "state", "hermitian", "any", "unit")):
    kind = draw(st.sampled_from(kinds))
    matrix = draw(matrices(dimension))
    if kind == "ket":
        psi = matrix[:, 0] + np.eye(dimension)[0]
        length = np.linalg.norm(psi)
        return psi / length if length > 0.0 else np.eye(dimension)[0]
    if kind == "state":
        rho = matrix @ matrix.conj().T + 1e-3 * np.eye(dimension)
        return rho / np.trace(rho).real
    if kind == "hermitian":
        return matrix + matrix.conj().T
    if kind == "unit":
        unit = np.zeros((dimension, dimension))
        unit[draw(st.integers(0, dimension - 1)), draw(st.integers(0, dimension - 1))] = 1.0
        return unit
    return matrix * 10.0 ** draw(st.integers(-30, 30))


def superoperator(H, jumps):
    """dX/dt of X stacked by columns: X → AXB is kron(Bᵀ, A)."""
    one = np.eye(len(H))
    total = -1j * (np.kron(one, H) - np.kron(H.T, one))
    for L in jumps:
        loss = 0.5 * L.conj().T @ L
        total += np.kron(L.conj(), L) - np.kron(one, loss) - np.kron(loss.T, one)
    return total


def rate_of(H, jumps):
    return float(np.linalg.norm(H) + sum(np.linalg.norm(L) ** 2 for L in jumps)) or 1.0


def exact(H, jumps, X, time):
    start = np.outer(X, X.conj()) if X.ndim == 1 else X
    whole = scipy.linalg.expm(time * superoperator(H, jumps)) @ start.ravel(order="F")
    return whole.reshape(start.shape, order="F")


@st.composite
def evolutions(draw):
    H, jumps = draw(equations())
    X, O = draw(operators(len(H))), draw(matrices(len(H)))  # noqa: E741
    unit, method = draw(st.sampled_from(UNITS)), draw(st.sampled_from(METHODS))
    rate = rate_of(H, jumps)
    reach = 10.0 ** draw(st.floats(-3.0, 3.5))
    times = np.sort(draw(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4))) * reach / rate

    def call():
        system = Lindblad(unit * H, [np.sqrt(unit) * jump for jump in jumps])
        return evolve(system, X, times / unit, observables={"O": O}, method=method)

    def check(result):
        scale = max(1e-300, float(np.linalg.norm(X)))
        for i, time in enumerate(times):
            expected = exact(H, jumps, X, time)
            off = float(np.abs(result.state(i).density_matrix - expected).max())
            if not off <= (3e-9 + 1e-13 * rate * time) * scale:
                return f"a state is off by {off / scale:.1e}"
            if not off <= 10.0 * result.error[i] + 1e-13 * (10.0 + rate * time) * scale:
                return f"a state is off by {off / scale:.1e}, more than its error"
            mean = abs(result.means["O"][i] - np.trace(O @ expected))
            if not mean <= (1e-7 + 1e-12 * rate * time) * scale * float(np.abs(O).sum()):
                return f"a mean is off by {mean:.1e}"
        return None

    return (
        f"evolve D={len(H)} jumps={len(jumps)} unit={unit} reach={reach:.1e} {method}",
        call,
        check,
    )


@st.composite
def samples(draw):
    H, jumps = draw(equations(most=4))
    D = len(H)
    start, O = draw(operators(D, ("ket", "state"))), draw(matrices(D))  # noqa: E741
    rate = rate_of(H, jumps)
    times = np.array([0.0, draw(st.floats(0.0, 5.0))]) / rate
    M = draw(st.integers(2, 60))
    weights = np.linalg.eigvalsh(start) if start.ndim == 2 else np.ones(1)
    divided = np.all(M * weights[weights > 1e-15] > 2.0)  # every eigenvector has its trajectories

    def call():
        return sample_jumps(Lindblad(H, jumps), start, times, observables={"O": O, "H": H},
                            trajectories=M, states=True, threads=1)  # fmt: skip

    def check(result):
        for i, time in enumerate(times):
            rho = exact(H, jumps, start, time)
            averaged = result.average_states[i]
            if abs(np.trace(averaged) - 1.0) > 1e-11:
                return "the trace of an averaged state is not one"
            for name, operator in {"O": O, "H": H}.items():
                mean, error = result.means[name][i], result.standard_errors[name][i]
                size = float(np.abs(operator).sum())
                if abs(mean - np.trace(operator @ averaged)) > 1e-10 * size:
                    return "a mean is not that of the averaged state"
                rare = 1e-10 * size if time == 0.0 and divided else 20.0 / M * size
                if not abs(mean - np.trace(operator @ rho)) <= 7.0 * error + rare:
                    return f"{name} is off by more than seven standard errors"
        return None

    return f"sample_jumps D={D} jumps={len(jumps)} M={M}", call, check


@st.composite
def states(draw):
    """A density matrix of two parts, of any rank, and energies of any unit and order."""
    dA, dB = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = draw(st.integers(1, dA * dB))
    factor = random.normal(size=(dA * dB, 2 * rank)).view(complex)
    factor *= 10.0 ** random.uniform(-draw(st.sampled_from([0.0, 6.0])), 0.0, rank)
    rho = factor @ factor.conj().T
    rho /= np.trace(rho).real
    energies = draw(st.sampled_from(UNITS)) * random.normal(size=dA * dB)

    def call():
        return {
            "entropy": td.von_neumann_entropy(rho),
            "information": td.mutual_information(rho, (dA, dB)),
            "negativity": td.negativity(rho, (dA, dB)),
            "ergotropy": td.ergotropy(rho, energies),
            "A": td.reduced_state(rho, (dA, dB), 0).toarray(),
            "B": td.reduced_state(rho, (dA, dB), 1).toarray(),
        }

    def check(numbers):
        parts = rho.reshape(dA, dB, dA, dB)
        A, B = np.einsum("ibjb->ij", parts), np.einsum("aiaj->ij", parts)
        turned = parts.transpose(0, 3, 2, 1).reshape(rho.shape)
        values = np.linalg.eigvalsh(rho)
        lowest = np.sort(values)[::-1] @ np.sort(energies)
        expected = {
            "entropy": entropy(rho),
            "information": entropy(A) + entropy(B) - entropy(rho),
            "negativity": 0.5 * (np.abs(np.linalg.eigvalsh(turned)).sum() - 1.0),
            "ergotropy": np.diagonal(rho).real @ energies - lowest,
            "A": A,
            "B": B,
        }
        for name, value in expected.items():
            scale = float(np.abs(energies).max()) if name == "ergotropy" else 1.0
            if np.abs(numbers[name] - value).max() > 1e-12 * scale:
                return f"{name} is {numbers[name]}, but should be {value}"
            if name not in "AB" and numbers[name] < 0.0:
                return f"{name} is negative"
        return None

    return f"thermodynamics {dA}x{dB} rank {rank}", call, check


def entropy(rho):
    values = np.linalg.eigvalsh(rho)
    return -sum(p * np.log(p) for p in values if p > 1e-300)


CALLS = {"evolve": evolutions(), "sample_jumps": samples(), "thermodynamics": states()}
