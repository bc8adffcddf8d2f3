"""The slow part of the dynamics: populations of the eigenstates of H, mixed by jumps.

Where jumps are rarer than H oscillates, coherences between eigenstates average out, and what is
left is a classical chain of jumps between eigenstates. Solved exactly, it corrects what sweeps over
the rungs are slow at.
"""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.graded.model import Block, Ladder, Link
from wheelwork.lindblad.operators import ComplexArray

DEGENERATE = 1e-9  # of the largest frequency
PINNINGS = 4


@dataclass(frozen=True, eq=False)
class Eigenstates:
    """Some eigenstates u_k of H on a rung: ρ = Σ_k p_k u_k u_k†, its real part in a real ladder.

    vectors: (d, h). weights: (h,), how many eigenstates each stands for: of a real ladder, u_k and
    u_k* share their population, and one of them is kept.
    """

    vectors: ComplexArray
    weights: FloatArray
    real: bool

    @classmethod
    def of(cls, coherent: Block) -> "Eigenstates":
        frequencies, vectors = np.linalg.eigh(1j * coherent)
        if np.iscomplexobj(coherent):
            return cls(vectors, np.ones(len(vectors)), False)
        small = DEGENERATE * float(np.abs(frequencies).max(initial=0.0))
        middle = len(vectors) // 2
        kept = np.arange(middle, len(vectors))  # frequencies come in pairs ±ω
        zeros = int(np.count_nonzero(np.abs(frequencies) <= small))
        if zeros:
            kept = np.arange((len(vectors) - zeros) // 2, len(vectors))
        weights = np.where(frequencies[kept] > small, 2.0, 1.0)
        return cls(vectors[:, kept].astype(np.complex128), weights, True)

    def populations(self, block: Block) -> FloatArray:
        """Populations of a block, those that are shared summed."""
        found = np.sum((self.vectors.conj().T @ block) * self.vectors.T, axis=1).real
        return np.asarray(self.weights * found)

    def state(self, populations: FloatArray) -> Block:
        """The block with these populations, of trace Σ p."""
        found = (self.vectors * populations) @ self.vectors.conj().T
        return found.real if self.real else found

    def arrivals(self, moved: ComplexArray) -> FloatArray:
        """Populations, (h, m), that the states of the columns (d, m) bring."""
        direct = np.abs(self.vectors.conj().T @ moved) ** 2
        if self.real:
            direct = 0.5 * (direct + np.abs(self.vectors.T @ moved) ** 2)
        return np.asarray(self.weights[:, None] * direct)

    def departures(self, rates: FloatArray) -> FloatArray:
        """What −½{Γ, ρ} does to populations, (h, h), with Γ diagonal in the basis of the rung."""
        left = self.vectors.conj().T
        change = (left @ (rates[:, None] * self.vectors)) * (left @ self.vectors).conj()
        if self.real:
            mirrored = (left @ (rates[:, None] * self.vectors.conj())) * (
                left @ self.vectors.conj()
            ).conj()
            change = 0.5 * (change + mirrored)
        return np.asarray(-self.weights[:, None] * change.real)


@dataclass(frozen=True, eq=False)
class PopulationChain:
    """Inverse of the rates between eigenstates, by block elimination from the top rung.

    The matrix is singular, with the trace as its left null vector: one diagonal entry, where the
    chain spends most of its time, is doubled, which changes nothing for a vector without trace.
    """

    ladder: Ladder
    eigenstates: tuple[Eigenstates, ...]
    up: tuple[FloatArray, ...]
    down: tuple[FloatArray, ...]
    inverses: tuple[FloatArray, ...]
    pin: tuple[int, int]

    @classmethod
    def of(cls, ladder: Ladder) -> "PopulationChain":
        states = tuple(Eigenstates.of(matrix) for matrix in ladder.coherent)
        up, down = [], []
        for K, links in enumerate(ladder.links):
            lower, upper = states[K], states[K + 1]
            up.append(np.sum([_climbing(link, lower, upper) for link in links], axis=0))
            down.append(np.sum([_descending(link, lower, upper) for link in links], axis=0))
        stay = [each.departures(rates) for each, rates in zip(states, ladder.losses, strict=True)]
        pin = _likeliest(ladder), 0
        for _ in range(PINNINGS):
            inverses = _eliminate(stay, up, down, pin)
            chain = cls(ladder, states, tuple(up), tuple(down), inverses, pin)
            found = chain.stationary()
            sizes = [float(np.abs(part).max()) for part in found]
            K = int(np.argmax(sizes))
            likeliest = K, int(np.argmax(np.abs(found[K])))
            if likeliest == pin:
                break
            pin = likeliest
        return chain

    def stationary(self) -> list[FloatArray]:
        """Stationary populations up to a factor."""
        source = [np.zeros(each.weights.size) for each in self.eigenstates]
        source[self.pin[0]][self.pin[1]] = 1.0
        return self._solve(source)

    def correct(self, residual: Block, x: Block) -> None:
        """Add to x the state of eigenstates whose change has the populations of `residual`."""
        wanted, blocks = self.ladder.blocks(residual), self.ladder.blocks(x)
        right = [each.populations(b) for each, b in zip(self.eigenstates, wanted, strict=True)]
        for each, block, p in zip(self.eigenstates, blocks, self._solve(right), strict=True):
            block += each.state(p)

    def _solve(self, right: list[FloatArray]) -> list[FloatArray]:
        right = list(right)
        for K in range(self.ladder.top - 1, -1, -1):
            right[K] = right[K] - self.down[K] @ (self.inverses[K + 1] @ right[K + 1])
        found = [self.inverses[0] @ right[0]]
        for K in range(1, self.ladder.top + 1):
            found.append(self.inverses[K] @ (right[K] - self.up[K - 1] @ found[-1]))
        return found


def _climbing(link: Link, lower: Eigenstates, upper: Eigenstates) -> FloatArray:
    total = np.zeros((upper.weights.size, lower.weights.size))
    for row in link.up:
        moved = np.zeros((len(upper.vectors), lower.weights.size), dtype=np.complex128)
        moved[link.above] = row[:, None] * lower.vectors
        total += upper.arrivals(moved)
    return total


def _descending(link: Link, lower: Eigenstates, upper: Eigenstates) -> FloatArray:
    total = np.zeros((lower.weights.size, upper.weights.size))
    for row in link.down:
        total += lower.arrivals(row[:, None] * upper.vectors[link.above])
    return total


def _eliminate(
    stay: list[FloatArray], up: list[FloatArray], down: list[FloatArray], pin: tuple[int, int]
) -> tuple[FloatArray, ...]:
    top = len(stay) - 1
    fastest = max(float(np.abs(matrix).max()) for matrix in stay)
    inverses: list[FloatArray] = [np.empty(0)] * (top + 1)
    for K in range(top, -1, -1):
        matrix = stay[K].copy()
        if pin[0] == K:
            leaves = -float(stay[K][pin[1], pin[1]])
            matrix[pin[1], pin[1]] -= leaves or fastest  # of the vacuum nothing need leave
        if top > K:
            matrix -= down[K] @ (inverses[K + 1] @ up[K])
        inverses[K] = _inverted(matrix)
    return tuple(inverses)


def _inverted(matrix: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        raise NotConverged(
            "populations of eigenstates have several steady states: parts of the ladder are never "
            "left, or never reached from each other"
        ) from None


def _likeliest(ladder: Ladder) -> int:
    """The rung where a chain of equally filled rungs spends most of its time."""
    up = [sum(float(np.sum(link.up**2)) for link in links) for links in ladder.links]
    down = [sum(float(np.sum(link.down**2)) for link in links) for links in ladder.links]
    lower, upper = ladder.sizes[:-1], ladder.sizes[1:]
    with np.errstate(divide="ignore"):
        steps = np.log(np.array(up) * upper) - np.log(np.array(down) * lower)
    return int(np.argmax(np.concatenate(([0.0], np.cumsum(steps)))))
