"""How well a grouping agrees with the true one: pairwise and B-cubed precision and recall. Pure."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Score(NamedTuple):
    """precision: of what was put together, the share that belongs together. recall: of what belongs, the share put."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


class Agreement(NamedTuple):
    b_cubed: Score
    pairwise: Score


def compare(gold: Sequence[Hashable], found: Sequence[Hashable]) -> Agreement:
    """Compare two groupings of the same things, given as a label for each thing.

    Sources: Bagga and Baldwin 1998 for B-cubed; an empty set of pairs is right by convention.
    """
    if len(gold) != len(found):
        raise ValueError("Both groupings must be of the same things.")
    if not gold:
        return Agreement(Score(1.0, 1.0), Score(1.0, 1.0))
    ours, theirs = _numbers(gold), _numbers(found)
    width = int(theirs.max()) + 1
    cells, counts = np.unique(ours * width + theirs, return_counts=True)
    of_gold, of_found = np.bincount(ours), np.bincount(theirs)
    both = counts.astype(float)
    things = len(ours)
    b_cubed = Score(
        float((both**2 / of_found[cells % width]).sum() / things),
        float((both**2 / of_gold[cells // width]).sum() / things),
    )
    right = _pairs(both)
    return Agreement(b_cubed, Score(_share(right, _pairs(of_found)), _share(right, _pairs(of_gold))))


def _numbers(labels: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], np.int64)


def _pairs(sizes: NDArray[Any]) -> float:
    counts = sizes.astype(float)
    return float((counts * (counts - 1) / 2).sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0
