"""The global master equation: the baths see the energies of the whole machine.

The two Bohr frequencies by which a pair (`Pairs`) decays differ by its splitting and are kept
apart. Transitions of different pairs may share a frequency, or nearly so, but a state without
coherences between charges evolves the same whether they are one jump or two. Hence the sum over
all frequencies is made of four families of jumps for each bath, whatever basis is chosen where
energies coincide, as those of l and −l do. Coherences between charges, for which it makes a
difference, influence nothing that is reported (docs/decisions/0009).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from wheelwork import _checks
from wheelwork._checks import FloatArray
from wheelwork.machines.rotor.block_state import (
    BlockState,
    Pairs,
    Window,
    fixed_window,
    free_energies,
    pairs_of,
    rotor_energies,
)
from wheelwork.machines.rotor.model import (
    SMALL,
    Entries,
    Jumps,
    QubitDissipator,
    RotorModel,
    UpDown,
    matrix,
)
from wheelwork.machines.rotor.parameters import LARGEST_EXPONENT, QubitBath, RotorParameters
from wheelwork.methods import Method
from wheelwork.parameters import parameter, positive
from wheelwork.results import AuditEntry

# Splitting, over B_1 + B_2, below which a pair decays by one frequency: far above rounding of the
# energies, far below any splitting that the secular approximation resolves.
ONE_FREQUENCY = 1e-7
EMPTY, FULL = 0, 3  # rows of populations: neither qubit is excited, both are


@dataclass(frozen=True)
class GlobalMasterEquation(Method):
    """The spin-boson model of Leitch et al., Eqs. (27)–(29) and (A15)–(A17).

    Each bath has the spectral density g_i² ω Ω²/(ω² + Ω²); the load is local, Eq. (17).

    cutoff: Ω, by default 2 B_2. (The paper's choice, the largest frequency of the machine, grows
    with the window of l.) Transitions of negative frequency are dropped: no bath mode has one.
    rtol, window: as in `LocalMasterEquation`.

    Valid where the rates of the baths are small against the splittings of the pairs, at least 2λ
    (secular approximation): see the audit. In the limit λ → 0 at fixed g it therefore fails, and
    does not tend to the local equation, which holds there.
    """

    cutoff: float | None = parameter(
        r"\Omega", "energy", "cutoff frequency of the baths", positive, optional=True, default=None
    )
    rtol: float = parameter(r"\epsilon", "1", "relative tolerance", _checks.tolerance, default=1e-9)
    window: tuple[int, int] | None = parameter(
        "l", "1", "lowest and highest angular momentum", fixed_window, optional=True, default=None
    )

    def model(self, parameters: RotorParameters, window: Window) -> RotorModel:
        """Return the equations on a window."""
        pairs = pairs_of(parameters, window)
        cold, hot = (
            GlobalDissipator(parameters, window, pairs, bath, site, self._cutoff(parameters))
            for site, bath in enumerate((parameters.cold, parameters.hot))
        )
        return RotorModel(parameters, window, cold, hot)

    def chain_rates(self, parameters: RotorParameters, momenta: FloatArray) -> UpDown:
        """Rates of l → l + 1 and back, through the eigenstates of the pair between them.

        |0,1,l⟩ connects an eigenstate with 00 and 11 at l, |1,0,l+1⟩ with those at l + 1.
        """
        up, down = np.zeros_like(momenta), np.zeros_like(momenta)
        if parameters.coupling == 0.0:
            return up, down
        cutoff, cold, hot = self._cutoff(parameters), parameters.cold, parameters.hot
        rotor = np.array([momenta, momenta + 1.0]) ** 2 / (2.0 * parameters.moment_of_inertia)
        fields = parameters.field_cold + parameters.field_hot
        half = parameters.field_cold - parameters.field_hot + 0.5 * (rotor[1] - rotor[0])
        angle = 0.5 * np.arctan2(parameters.coupling, half)
        shares = np.sin(angle) ** 2, np.cos(angle) ** 2  # of |0,1,l⟩ and |1,0,l+1⟩ in the upper one
        empty, full = (1.0 - cold.excited) * (1.0 - hot.excited), cold.excited * hot.excited
        for sign, weights in ((1.0, shares), (-1.0, shares[::-1])):
            energy = 0.5 * (rotor[0] + rotor[1]) + sign * np.hypot(half, parameters.coupling)
            entering, leaving = [], []  # of l and of l + 1
            for emitting, absorbing, weight, own in zip(
                (hot, cold), (cold, hot), weights, rotor, strict=True
            ):
                fall, rise = spectral_rates(emitting, cutoff, energy - own + fields)
                sink, lift = spectral_rates(absorbing, cutoff, own + fields - energy)
                entering.append(weight * (empty * rise + full * sink))
                leaving.append(weight * (fall + lift))
            total = np.maximum(leaving[0] + leaving[1], np.finfo(float).tiny)
            up += entering[0] * leaving[1] / total
            down += entering[1] * leaving[0] / total
        return up, down

    def _cutoff(self, parameters: RotorParameters) -> float:
        return 2.0 * parameters.field_hot if self.cutoff is None else self.cutoff

    def validity(self, model: RotorModel, blocks: BlockState) -> Mapping[str, AuditEntry]:
        """Rates of the baths against splittings and gaps, of the load against λ."""
        parameters, window = model.parameters, model.window
        assert isinstance(model.cold, GlobalDissipator)
        assert isinstance(model.hot, GlobalDissipator)
        rate = model.cold.escape_rate + model.hot.escape_rate
        splitting = 2.0 * model.cold.pairs.half_splitting
        weight = np.trace(blocks.pairs, axis1=1, axis2=2)[1:-1]
        # where the eigenstates of a pair coincide, the secular approximation is not needed
        ratios = np.divide(rate, splitting, out=np.zeros_like(rate), where=splitting > 0.0)
        ratio = float(weight @ ratios[1:-1] / weight.sum())
        load = float(blocks.rotor @ np.sum(parameters.load_rates(window.momenta), axis=0))
        coupling = abs(parameters.coupling) or math.inf  # on its own the rotor's load is local
        at_gap = max(model.cold.rate_at_gap, model.hot.rate_at_gap)
        return {
            "bath rate / level splitting": AuditEntry(ratio, SMALL),
            "bath rate / gap": AuditEntry(at_gap, SMALL),
            "load rate / coupling": AuditEntry(load / coupling, SMALL),
            "load's departure from Gibbs": AuditEntry(parameters.departure_from_gibbs, SMALL),
        }


@dataclass(frozen=True, eq=False)
class Channel:
    """Transitions of one bath between the pairs and the unpaired states, 00 or 11.

    row: of the unpaired states in `BlockState.populations`. member: the member of a pair that
    differs from them by one excitation (0: |1,0,l+1⟩, 1: |0,1,l⟩). out, into: amplitudes
    (2, N + 1, 2) of the jumps from and to the pairs, for the upper and the lower eigenstate;
    [e, j, k] is of member k.
    """

    row: int
    member: int
    out: FloatArray
    into: FloatArray

    @property
    def pairs(self) -> slice:
        """The pairs that have the member."""
        return slice(1, None) if self.member else slice(None, -1)

    def change(self, blocks: BlockState, unpaired: FloatArray, pairs: FloatArray) -> float:
        """Change per time of the mean of an observable.

        unpaired: (N,), its value in the states of `row`. pairs: (N + 1, 2, 2), its matrices.
        """
        chosen = self.pairs
        K = pairs[chosen] - unpaired[:, None, None] * np.eye(2)
        out, into = self.out[:, chosen], self.into[:, chosen]
        gain = np.einsum("ejk,jkm,ejm->j", into, K, into) @ blocks.populations[self.row]
        loss = np.einsum("ejk,jkm,jmn,ejn->", out, blocks.pairs[chosen], K, out)
        return float(gain - loss)

    def entries(self, window: Window, eigenstate: int) -> tuple[list[Entries], list[Entries]]:
        """Return the jumps from and to one eigenstate of every pair."""
        N, first = window.levels, self.pairs.start or 0
        unpaired = self.row * N + np.arange(N)
        out: list[Entries] = []
        into: list[Entries] = []
        for member in (0, 1):
            position = first + np.arange(N) - member  # of l in the window
            inside = (position >= 0) & (position < N)
            state = (2 - member) * N + position
            for amplitudes, entries in ((self.out, out), (self.into, into)):
                value = amplitudes[eigenstate, self.pairs, member]
                used = inside & (value != 0.0)
                entries.append((unpaired[used], state[used], value[used]))
        return out, [(columns, rows, value) for rows, columns, value in into]


@dataclass(frozen=True, eq=False)
class GlobalDissipator(QubitDissipator):
    """Σ_ω J(ω) {(n(ω) + 1) D[A(ω)] + n(ω) D[A†(ω)]} (Leitch et al., Eq. (A15)), A = σ_i⁻.

    All energy that enters is heat, and excitations bring different heats.

    site: 0 for qubit 1, 1 for qubit 2. cutoff: Ω of the spectral density (Eqs. (A16), (A17)).
    """

    parameters: RotorParameters
    window: Window
    pairs: Pairs
    bath: QubitBath
    site: int
    cutoff: float

    @cached_property
    def channels(self) -> tuple[Channel, Channel]:
        """Between the pairs and the empty qubits, and between the pairs and the full ones."""
        free = free_energies(self.parameters, self.window)
        empty, full = self.site, 1 - self.site
        first, last = slice(None, -1), slice(1, None)
        values = self.pairs.eigenvalues
        below = values[last if empty else first] - free[EMPTY][:, None]
        above = free[FULL][:, None] - values[last if full else first]
        down, up = self._amplitudes(below, empty)
        fall, rise = self._amplitudes(above, full)
        return Channel(EMPTY, empty, out=down, into=up), Channel(FULL, full, out=rise, into=fall)

    def _amplitudes(self, frequency: FloatArray, member: int) -> UpDown:
        """Amplitudes (2, N + 1, 2) with σ_i⁻ and with σ_i⁺ for Bohr frequencies (N, 2)."""
        vectors = self.pairs.eigenvectors
        close = ONE_FREQUENCY * (self.parameters.field_cold + self.parameters.field_hot)
        padding = ((1, 0) if member else (0, 1), (0, 0))
        both = []
        for rate in spectral_rates(self.bath, self.cutoff, frequency):
            strength = np.pad(np.sqrt(rate), padding) * vectors[:, :, member]
            amplitudes = np.moveaxis(strength[:, :, None] * vectors, 1, 0)
            merged = 2.0 * self.pairs.half_splitting < close
            amplitudes[0, merged] += amplitudes[1, merged]
            amplitudes[1, merged] = 0.0
            both.append(amplitudes)
        return both[0], both[1]

    @property
    def rate_at_gap(self) -> float:
        """Rate at which the bath would relax its qubit alone, in units of the gap."""
        down, up = spectral_rates(self.bath, self.cutoff, np.array([self.bath.gap]))
        return float(down[0] + up[0]) / self.bath.gap

    @property
    def escape_rate(self) -> FloatArray:
        """Mean of the rates at which this bath empties the two eigenstates, (N + 1,)."""
        return np.asarray(sum(0.5 * np.sum(c.out**2, axis=(0, 2)) for c in self.channels))

    @cached_property
    def up(self) -> Jumps:
        """Jumps that take an excitation from the bath, through the two eigenstates."""
        return tuple(self._jump(eigenstate, up=True) for eigenstate in (0, 1))

    @cached_property
    def down(self) -> Jumps:
        """Jumps that give an excitation to the bath, through the two eigenstates."""
        return tuple(self._jump(eigenstate, up=False) for eigenstate in (0, 1))

    def _jump(self, eigenstate: int, up: bool) -> sp.csc_array:
        empty, full = (channel.entries(self.window, eigenstate) for channel in self.channels)
        return matrix(self.window, empty[1] + full[0] if up else empty[0] + full[1])

    def excitations(self, blocks: BlockState) -> float:
        """Change of ⟨s_1 + s_2⟩."""
        one = np.ones((blocks.window.levels + 1, 1, 1)) * np.eye(2)
        none = np.zeros(blocks.window.levels)
        return self._change(blocks, none, none + 2.0, one)

    def heat(self, blocks: BlockState) -> float:
        """Tr(H_S L_i ρ), Leitch et al., Eq. (29)."""
        free = free_energies(self.parameters, self.window)
        pairs = np.zeros((blocks.window.levels + 1, 2, 2))
        pairs[:, 0, 0], pairs[:, 1, 1] = self.pairs.energies.T
        pairs[:, 0, 1] = pairs[:, 1, 0] = self.pairs.coupling
        return self._change(blocks, free[EMPTY], free[FULL], pairs)

    def angular_momentum_rate(self, blocks: BlockState) -> float:
        """Change of ⟨L_z⟩: eigenstates of a pair have two values of l."""
        return self._rotor_change(blocks, self.window.momenta)

    def kinetic_power(self, blocks: BlockState) -> float:
        """Change of ⟨L_z²⟩/2I."""
        return self._rotor_change(blocks, rotor_energies(self.parameters, self.window))

    def _rotor_change(self, blocks: BlockState, values: FloatArray) -> float:
        pairs = np.zeros((values.size + 1, 2, 2))
        pairs[:-1, 0, 0], pairs[1:, 1, 1] = values, values
        return self._change(blocks, values, values, pairs)

    def _change(
        self, blocks: BlockState, empty: FloatArray, full: FloatArray, pairs: FloatArray
    ) -> float:
        below, above = self.channels
        return below.change(blocks, empty, pairs) + above.change(blocks, full, pairs)


def spectral_rates(bath: QubitBath, cutoff: float, frequency: FloatArray) -> UpDown:
    """J (n + 1) and J n of a bath, zero where the frequency is not positive."""
    w = np.where(frequency > 0.0, frequency, np.inf)
    density = bath.coupling_rate * cutoff / (w / cutoff + cutoff / w)
    ratio = np.minimum(w / bath.temperature, LARGEST_EXPONENT)
    occupation = 1.0 / np.expm1(ratio)
    return density * (occupation + 1.0), density * occupation
