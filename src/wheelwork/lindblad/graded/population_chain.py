"""The slow part of a graded equation: populations of the eigenstates of H, which jumps mix.

Where jumps are rarer than H oscillates, coherences between eigenstates average out, and a classical
chain of jumps between eigenstates is left. On it the sweeps over sectors converge slowly; its exact
inverse corrects them. Derived in docs/developers/lindblad.md.
"""

from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.errors import NotConverged
from wheelwork.lindblad.graded.equation import Block, GradedLindblad, Link
from wheelwork.lindblad.operators import ComplexArray

# Of the largest frequency of a sector: below, a frequency is zero, and its eigenvector its own
# conjugate partner. Well above rounding of `eigh` (1e-15) and well below any hopping.
DEGENERATE = 1e-9
PINNINGS = 4  # attempts to pin the likeliest eigenstate; a worse pin costs digits, nothing else


@dataclass(frozen=True, eq=False)
class Eigenstates:
    """Eigenstates u_k of H in one sector, for states ρ = Σ_k p_k u_k u_k†.

    vectors: (d, h). weights: (h,), number of eigenstates that each stands for. real: whether the
    equation is real; then u_k and u_k* have equal populations, one of the two is kept, and the real
    part of u_k u_k† is meant.
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
        zeros = int(np.count_nonzero(np.abs(frequencies) <= small))
        kept = np.arange((len(vectors) - zeros) // 2, len(vectors))  # frequencies: in pairs ±ω
        weights = np.where(frequencies[kept] > small, 2.0, 1.0)
        return cls(vectors[:, kept].astype(np.complex128), weights, True)

    def populations(self, block: Block) -> FloatArray:
        """w_k u_k† ρ u_k of a block ρ, (h,): the populations of u_k and u_k* summed."""
        values = np.sum((self.vectors.conj().T @ block) * self.vectors.T, axis=1).real
        return np.asarray(self.weights * values)

    def state(self, populations: FloatArray) -> Block:
        """The block Σ_k p_k u_k u_k†, of trace Σ p."""
        block = (self.vectors * populations) @ self.vectors.conj().T
        return block.real if self.real else block

    def gain_rates(self, jumped: ComplexArray) -> FloatArray:
        """w_k |u_k† L u_j|², (h, m); jumped: L u_j of the m eigenstates of another sector, (d, m).

        Of a real equation the mean over u_j and u_j*.
        """
        rates = np.abs(self.vectors.conj().T @ jumped) ** 2
        if self.real:
            rates = 0.5 * (rates + np.abs(self.vectors.T @ jumped) ** 2)
        return np.asarray(self.weights[:, None] * rates)

    def loss_rates(self, losses: FloatArray) -> FloatArray:
        """Change of populations by −½{Γ, ρ}, (h, h); losses: the diagonal of Γ = Σ L†L, (d,)."""
        left = self.vectors.conj().T
        change = (left @ (losses[:, None] * self.vectors)) * (left @ self.vectors).conj()
        if self.real:
            mirror = self.vectors.conj()
            mirrored = (left @ (losses[:, None] * mirror)) * (left @ mirror).conj()
            change = 0.5 * (change + mirrored)
        return np.asarray(-self.weights[:, None] * change.real)


@dataclass(frozen=True, eq=False)
class PopulationChain:
    """Inverse of the matrix of rates between eigenstates, by block elimination from the top charge.

    The matrix is singular, as each of its columns sums to zero. Therefore one diagonal entry, that
    of the eigenstate `pin` = (charge, number), is doubled: this does not change the solution for a
    right-hand side of trace zero, and the solution for a source at `pin` is the stationary state.
    up, down: rates from sector K to K + 1 and back. inverses: of the pivot blocks.
    """

    equation: GradedLindblad
    eigenstates: tuple[Eigenstates, ...]
    up: tuple[FloatArray, ...]
    down: tuple[FloatArray, ...]
    inverses: tuple[FloatArray, ...]
    pin: tuple[int, int]

    @classmethod
    def of(cls, equation: GradedLindblad) -> "PopulationChain":
        """Return the chain, pinned where it spends most of its time.

        Raises NotConverged when the populations have several steady states.
        """
        states = tuple(Eigenstates.of(matrix) for matrix in equation.coherent)
        up, down = [], []
        for K, links in enumerate(equation.links):
            lower, upper = states[K], states[K + 1]
            up.append(np.sum([_rates_up(link, lower, upper) for link in links], axis=0))
            down.append(np.sum([_rates_down(link, lower, upper) for link in links], axis=0))
        losses = zip(states, equation.losses, strict=True)
        within = [each.loss_rates(rates) for each, rates in losses]
        pin = _likeliest_charge(equation), 0
        for _ in range(PINNINGS):
            inverses = _eliminate(within, up, down, pin)
            chain = cls(equation, states, tuple(up), tuple(down), inverses, pin)
            stationary = chain.stationary()
            sizes = [float(np.abs(part).max()) for part in stationary]
            K = int(np.argmax(sizes))
            likeliest = K, int(np.argmax(np.abs(stationary[K])))
            if likeliest == pin:
                break
            pin = likeliest
        return chain

    def stationary(self) -> list[FloatArray]:
        """Stationary populations of every sector, up to a common factor."""
        source = [np.zeros(each.weights.size) for each in self.eigenstates]
        source[self.pin[0]][self.pin[1]] = 1.0
        return self._solve(source)

    def correct(self, residual: Block, x: Block) -> None:
        """Add to x a mixture of eigenstates whose rate has the populations of `residual`."""
        residuals, blocks = self.equation.blocks(residual), self.equation.blocks(x)
        right = [each.populations(b) for each, b in zip(self.eigenstates, residuals, strict=True)]
        for each, block, p in zip(self.eigenstates, blocks, self._solve(right), strict=True):
            block += each.state(p)

    def _solve(self, right: list[FloatArray]) -> list[FloatArray]:
        right = list(right)
        for K in range(self.equation.top - 1, -1, -1):
            right[K] = right[K] - self.down[K] @ (self.inverses[K + 1] @ right[K + 1])
        p = [self.inverses[0] @ right[0]]
        for K in range(1, self.equation.top + 1):
            p.append(self.inverses[K] @ (right[K] - self.up[K - 1] @ p[-1]))
        return p


def _rates_up(link: Link, lower: Eigenstates, upper: Eigenstates) -> FloatArray:
    total = np.zeros((upper.weights.size, lower.weights.size))
    for row in link.up:
        jumped = np.zeros((len(upper.vectors), lower.weights.size), dtype=np.complex128)
        jumped[link.above] = row[:, None] * lower.vectors
        total += upper.gain_rates(jumped)
    return total


def _rates_down(link: Link, lower: Eigenstates, upper: Eigenstates) -> FloatArray:
    total = np.zeros((lower.weights.size, upper.weights.size))
    for row in link.down:
        total += lower.gain_rates(row[:, None] * upper.vectors[link.above])
    return total


def _eliminate(
    within: list[FloatArray], up: list[FloatArray], down: list[FloatArray], pin: tuple[int, int]
) -> tuple[FloatArray, ...]:
    """Inverses of the pivot blocks S_K = A_K − down_K S_(K+1)⁻¹ up_K, A_K = `within`, pinned."""
    top = len(within) - 1
    fastest = max(float(np.abs(matrix).max()) for matrix in within)
    inverses: list[FloatArray] = [np.empty(0)] * (top + 1)
    for K in range(top, -1, -1):
        matrix = within[K].copy()
        if pin[0] == K:
            loss = -float(within[K][pin[1], pin[1]])
            matrix[pin[1], pin[1]] -= loss or fastest  # the vacuum may have no loss
        if top > K:
            matrix -= down[K] @ (inverses[K + 1] @ up[K])
        try:
            inverses[K] = np.asarray(np.linalg.inv(matrix))
        except np.linalg.LinAlgError:
            raise NotConverged(
                "populations of eigenstates have several steady states: some charges are never "
                "left, or never reached from each other"
            ) from None
    return tuple(inverses)


def _likeliest_charge(equation: GradedLindblad) -> int:
    """The likeliest charge if all states of a sector were equally likely."""
    up = [sum(float(np.sum(link.up**2)) for link in links) for links in equation.links]
    down = [sum(float(np.sum(link.down**2)) for link in links) for links in equation.links]
    lower, upper = equation.sizes[:-1], equation.sizes[1:]
    with np.errstate(divide="ignore"):
        steps = np.log(np.array(up) * upper) - np.log(np.array(down) * lower)
    return int(np.argmax(np.concatenate(([0.0], np.cumsum(steps)))))
