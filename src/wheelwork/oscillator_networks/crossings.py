"""Places on the curve of two active sites, where Newton's method begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wheelwork._checks import FloatArray
from wheelwork.oscillator_networks.model import IntArray, InvertibleGrowth


@dataclass(frozen=True, eq=False)
class Places:
    """Places between neighbouring points of a curve, with the quanta of the first active site.

    after: (B,), number of the point before. share: (B,), of the way to the next one. quanta:
    (B,), n_1 > 0 there.
    """

    after: IntArray
    share: FloatArray
    quanta: FloatArray

    def __len__(self) -> int:
        return int(self.after.size)

    @staticmethod
    def joined(places: "Sequence[Places]") -> "Places":
        """All of them, one after the other."""
        return Places(
            np.concatenate([each.after for each in places]),
            np.concatenate([each.share for each in places]),
            np.concatenate([each.quanta for each in places]),
        )


def changes_sign(before: FloatArray, after: FloatArray, growth: InvertibleGrowth) -> np.ndarray:
    """Whether a mismatch changes its sign, other than at a pole of S_2."""
    largest = np.max(np.abs(growth.rates(np.zeros(2))))
    finite = np.fmax(np.abs(before), np.abs(after)) < largest
    changes: np.ndarray = finite & (before * after <= 0.0)
    return changes
