"""Join lines to people by evidence, strongest first, where nothing forbids it. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from works.matching.evidence import NEVER, Floats

# The odds that two are one person are the mean over all pairs of their lines; to divide by all pairs would
# punish the prolific, who write about many things with many people.
BREADTH = 0.8
_MOST, _LEAST = 14.0, -6.0  # bits that one pair may say

Bools = NDArray[np.bool_]


class Joined(NamedTuple):
    """person: a number for each atom. evidence: between persons, beyond what joining needs; -inf where none may be."""

    person: NDArray[np.intp]
    evidence: NDArray[np.float64]


def agglomerate(scores: Floats, atoms: NDArray[np.integer], forbidden: Bools, reserved: Bools) -> Joined:
    """Join atoms to persons.

    scores: lines by lines. atoms: the atom of each line, from 0 on. forbidden, reserved: atoms by atoms, who
    are two people for certain and whom only people may join.
    """
    count = len(forbidden)
    odds = np.exp2(np.clip(scores, _LEAST, _MOST)).astype(np.float64)
    apart = scores <= NEVER
    odds[apart] = 0
    if count == len(atoms):
        order = np.argsort(atoms)
        total, sizes = odds[np.ix_(order, order)], np.ones(count)
        forbidden = forbidden | apart[np.ix_(order, order)]
    else:
        order = np.argsort(atoms, kind="stable")
        sizes = np.bincount(atoms).astype(np.float64)
        starts = np.concatenate(([0], np.cumsum(sizes[:-1]))).astype(np.intp)
        total = _by_atom(odds, order, starts)
        forbidden = forbidden | (_by_atom(apart.astype(np.float64), order, starts) > 0)
    np.fill_diagonal(forbidden, True)
    reserved = reserved.copy()
    person = np.arange(count)
    evidence = np.log2(np.maximum(total, 1e-30)) - BREADTH * np.log2(np.outer(sizes, sizes))
    open_ = np.where(forbidden | reserved, -np.inf, evidence)
    while True:
        one, other = divmod(int(open_.argmax()), count)
        if not open_[one, other] >= 0:
            evidence[forbidden] = -np.inf
            return Joined(person, evidence)
        one, other = min(one, other), max(one, other)
        total[one] += total[other]
        forbidden[one] |= forbidden[other]
        reserved[one] |= reserved[other]
        sizes[one] += sizes[other]
        forbidden[other] = True
        person[person == other] = one
        evidence[one] = np.log2(np.maximum(total[one], 1e-30)) - BREADTH * np.log2(sizes[one] * sizes)
        for matrix in (total, forbidden, reserved, evidence):
            matrix[:, one] = matrix[one]
        forbidden[:, other] = True
        open_[other] = open_[:, other] = -np.inf
        open_[one] = open_[:, one] = np.where(forbidden[one] | reserved[one], -np.inf, evidence[one])


def _by_atom(
    matrix: NDArray[np.float64], order: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the sums over the lines of each two atoms."""
    rows = np.add.reduceat(matrix[np.ix_(order, order)], starts, axis=0)
    return np.add.reduceat(rows, starts, axis=1)
