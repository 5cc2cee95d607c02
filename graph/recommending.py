"""Who is likely to write together next, from what was written before. Pure: numpy and scipy, no ORM, no clock.

People are rows of sparse matrices. A pair is described by how a walk over shared works leads from one to the other
(ties are Newman's, fading with the years), by the words of their titles, by topics and venues in common, and by how
many people the other has lately begun to write with. A linear score orders the pairs; `manage.py evaluate
recommendations` fits it on years before the ones it is measured on. Names, places of origin, citations and trust
are no part of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse import csr_array

Matrix = Any  # a csr_array of float32; scipy carries no types
Numbers = NDArray[np.float32]
Places = NDArray[np.int64]

HALF_LIFE = 730.0  # days in which a tie, a word or a venue loses half its weight
LATELY = 730.0
_YEAR = 365.25
_WORD = re.compile(r"\w{3,}")

# Fitted on the ACL Anthology by `manage.py evaluate recommendations`, which prints them: who first wrote together in
# the eight months before 2025-04, from what was written before. By places in FEATURES.
WEIGHTS = {
    "two_steps": 0.1986, "three_steps": 0.2893, "steps": 0.0602, "steps_by_strength": 0.2436,
    "adamic_adar": -0.9942, "common": 1.0174, "overlap": 0.6506, "near": -1.3939, "words": -0.7342,
    "root_words": 2.9298, "near_words": -3.1911, "places": -0.2610, "root_places": 0.4789,
    "degree": -0.0763, "works": 0.1758, "lately": 0.5770, "newly_met": 0.2750, "near_newly_met": -0.1983,
    "since": -0.5746, "near_since": 0.1538, "both_since": -0.1982, "strength": -0.5650,
    "own_steps": 0.0068, "own_words": 0.4931, "own_newly_met": -0.0191,
}  # fmt: skip


class WorkFact(NamedTuple):
    """day: of publication, as days since 1970, the last possible one where only a year is known."""

    id: int
    day: int
    authors_count: int
    title: str


@dataclass(frozen=True)
class Facts:
    """What is known of works: rows are works, columns the people, words and places (topics and venues) of theirs."""

    people: Places
    works: Places
    by: Matrix
    day: Places
    authors_count: Places
    words: Matrix
    places: Matrix

    def numbers_of(self, ids: Iterable[int]) -> Places:
        """Return the columns of these people, leaving out those who wrote nothing here."""
        wanted = np.array(sorted(set(ids)), np.int64)
        return np.flatnonzero(np.isin(self.people, wanted))


def make_facts(
    works: Sequence[WorkFact], authorships: Iterable[tuple[int, int]], places: Iterable[tuple[int, str]]
) -> Facts:
    """Put facts into matrices. authorships: (work, person); places: (work, topic or venue); others are ignored."""
    row = {work.id: number for number, work in enumerate(works)}
    pairs = np.array([(row[work], person) for work, person in authorships if work in row], np.int64)
    pairs = np.unique(pairs.reshape(-1, 2), axis=0)
    people, columns = np.unique(pairs[:, 1], return_inverse=True)
    count = len(works)
    titles = ((number, word) for number, work in enumerate(works) for word in words_of(work.title))
    return Facts(
        people=people,
        works=np.array([work.id for work in works], np.int64),
        by=_ones(pairs[:, 0], columns.ravel(), (count, len(people))),
        day=np.array([work.day for work in works], np.int64),
        authors_count=np.array([max(work.authors_count, 2) for work in works], np.int64),
        words=_table(titles, count),
        places=_table(((row[work], place) for work, place in places if work in row), count),
    )


def words_of(title: str) -> list[str]:
    return list(Counter(_WORD.findall(title.casefold())))


class Starts(NamedTuple):
    """From where candidates are looked for: one row each, a person or whoever a reader follows."""

    ties: Matrix  # how a walk begins: over people, rows sum to 1
    words: Matrix
    places: Matrix
    known: Matrix  # 1 where a person is known already, or is oneself
    neighbours: Matrix  # 1 for each person the walk may begin with
    since: Numbers  # years since the last work


class Pairs(NamedTuple):
    """start: row of the Starts; person: column of the Facts; features in the order of FEATURES."""

    start: Places
    person: Places
    features: Numbers


class History:
    """What could be known on one day."""

    def __init__(self, facts: Facts, now: int) -> None:
        old = np.flatnonzero(facts.day < now)
        by, age = facts.by[old], (now - facts.day[old]).astype(np.float32)
        fade = np.exp2(-age / HALF_LIFE)
        self.facts = facts
        self.neighbours = _without_loops(by.T @ by)
        self.neighbours.data[:] = 1
        ties = _without_loops(by.T @ _scaled(by, fade / (facts.authors_count[old] - 1)))
        self.strength = _sums(ties)
        self.step = _scaled(ties, _inverse(self.strength))
        self.degree = _sums(self.neighbours)
        logs = np.log(np.maximum(self.degree, 2))
        self.by_rarity = _scaled(self.neighbours, 1 / logs)
        self.works_count = np.asarray(by.sum(axis=0), np.float32)
        self.lately = np.asarray(by.T @ (age < LATELY), np.float32)
        before = _without_loops(by[age >= LATELY].T @ by[age >= LATELY])
        self.newly_met = self.degree - np.diff(before.indptr)
        self.since = self._years_since(by, age)
        self.work_words = _units(_by_rarity(facts.words[old]))
        self.work_numbers = old
        self.words = _units(by.T @ _scaled(self.work_words, fade))
        self.places = _units(by.T @ _scaled(_by_rarity(facts.places[old]), fade))

    @property
    def active(self) -> NDArray[np.bool_]:
        return self.works_count > 0

    def _years_since(self, by: Matrix, age: Numbers) -> Numbers:
        since = np.full(by.shape[1], 1e5, np.float32)
        entries = by.tocoo()
        np.minimum.at(since, entries.col, age[entries.row])
        return np.asarray(since / _YEAR, np.float32)

    def starts_of(self, people: Places) -> Starts:
        """Return where the search begins for these people: with whom they wrote."""
        oneself = _ones(np.arange(len(people)), people, (len(people), len(self.facts.people)))
        neighbours = self.neighbours[people]
        known = csr_array(neighbours + oneself)
        return Starts(
            self.step[people], self.words[people], self.places[people], known, neighbours, self.since[people]
        )

    def start_around(self, people: Places) -> Starts:
        """Return where the search begins for a reader who wrote nothing: with the people they follow."""
        row = _ones(np.zeros(len(people), np.int64), people, (1, len(self.facts.people)))
        words, places = _units(row @ self.words), _units(row @ self.places)
        return Starts(csr_array(row / max(len(people), 1)), words, places, row, row, np.zeros(1, np.float32))

    def unknown(self, starts: Starts) -> NDArray[np.bool_]:
        """Return for each start who may be recommended: whoever wrote something and is not known yet."""
        return (starts.known.toarray() == 0) & self.active

    def walks(self, starts: Starts) -> tuple[Numbers, Numbers]:
        """Return how likely a walk of two and of three steps ends at each person."""
        two = np.asarray((starts.ties @ self.step).toarray(), np.float32)
        return two, np.asarray((self.step.T @ two.T).T, np.float32)

    def describe(self, starts: Starts, pairs: tuple[Places, Places], walks: tuple[Numbers, Numbers]) -> Pairs:
        """Return the features of pairs (row of starts, person)."""
        start, person = pairs
        common = (starts.neighbours @ self.neighbours).toarray()[start, person]
        rare = (starts.neighbours @ self.by_rarity).toarray()[start, person]
        own = np.log1p(_sums(starts.neighbours))[start]
        degree = self.degree[person]
        either = _sums(starts.neighbours)[start] + degree - common
        two, three = walks[0][start, person], walks[1][start, person]
        met = np.log1p(self.newly_met[person])
        words, places = _cosines(starts.words, self.words, pairs), _cosines(starts.places, self.places, pairs)
        near, since = (common > 0).astype(np.float32), np.log1p(self.since[person])
        columns = {
            "two_steps": _log(two),
            "three_steps": _log(three),
            "steps": _log(two + three),
            "steps_by_strength": _log((two + three) / np.maximum(self.strength[person], 0.01)),
            "adamic_adar": np.log1p(rare),
            "common": np.log1p(common),
            "overlap": common / np.maximum(either, 1),
            "near": near,
            "words": words,
            "root_words": np.sqrt(np.maximum(words, 0)),
            "near_words": near * words,
            "places": places,
            "root_places": np.sqrt(np.maximum(places, 0)),
            "degree": np.log1p(degree),
            "works": np.log1p(self.works_count[person]),
            "lately": np.log1p(self.lately[person]),
            "newly_met": met,
            "near_newly_met": near * met,
            "since": since,
            "near_since": near * since,
            "both_since": since * np.log1p(starts.since[start]),
            "strength": np.log1p(self.strength[person]),
            "own_steps": own * _log(two),
            "own_words": own * words,
            "own_newly_met": own * met,
        }
        assert tuple(columns) == FEATURES  # noqa: S101 - WEIGHTS are named by them
        return Pairs(start, person, np.stack(list(columns.values()), axis=1).astype(np.float32))


FEATURES = (
    "two_steps", "three_steps", "steps", "steps_by_strength", "adamic_adar", "common", "overlap", "near",
    "words", "root_words", "near_words", "places", "root_places", "degree", "works", "lately", "newly_met",
    "near_newly_met", "since", "near_since", "both_since", "strength", "own_steps", "own_words", "own_newly_met",
)  # fmt: skip


def shipped_weights() -> Numbers:
    return np.array([WEIGHTS[name] for name in FEATURES], np.float32)


def fit(features: Numbers, hit: NDArray[np.bool_], start: Places, ridge: float = 1.0) -> Numbers:
    """Return the weights under which those who did write together stand highest among their start's candidates.

    The likelihood is that of a choice among the candidates of each start (multinomial logit); starts without a hit
    say nothing. start: ascending.
    """
    hits = np.bincount(start, weights=hit)
    telling = hits[start] > 0
    spread = features.std(axis=0) + 1e-6
    rows = ((features - features.mean(axis=0)) / spread)[telling]
    chosen, (_, group) = hit[telling], np.unique(start[telling], return_inverse=True)
    first = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    share = chosen / np.bincount(group, weights=chosen)[group]

    def loss(weights: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        scores = rows @ weights
        scores = scores - np.maximum.reduceat(scores, first)[group]
        likely = np.exp(scores)
        total = np.add.reduceat(likely, first)
        value = -(share * (scores - np.log(total)[group])).sum() + ridge / 2 * (weights @ weights)
        return float(value), rows.T @ (likely / total[group] - share) + ridge * weights

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x / spread, np.float32)


def varied(scores: Numbers, alike: Numbers, weight: float) -> list[tuple[int, float]]:
    """Return places in an order that repeats itself less, each with its score less what it repeats.

    alike: how alike each two are, 0 to 1. The scores given back never rise.
    Source: maximal marginal relevance, Carbonell and Goldstein 1998.
    """
    left, repeated = np.asarray(scores, np.float64).copy(), np.zeros(len(scores))
    order: list[tuple[int, float]] = []
    for _ in range(len(left)):
        place = int((left - weight * repeated).argmax())
        order.append((place, float(left[place] - weight * repeated[place])))
        left[place] = -np.inf
        repeated = np.maximum(repeated, alike[place])
    return order


# --- Matrices -----------------------------------------------------------------------------------------


def _ones(rows: Places, columns: Places, shape: tuple[int, int]) -> Matrix:
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def _table(cells: Iterable[tuple[int, str]], count: int) -> Matrix:
    """Return rows by whatever stands in them, in the order in which it is met."""
    columns: dict[str, int] = {}
    places = [(row, columns.setdefault(name, len(columns))) for row, name in cells]
    at = np.array(places, np.int64).reshape(-1, 2)
    return _ones(at[:, 0], at[:, 1], (count, len(columns)))


def _scaled(matrix: Matrix, by: NDArray[Any]) -> Matrix:
    """Multiply each row by its number."""
    return csr_array(sparse.diags_array(np.asarray(by, np.float32)) @ matrix)


def _sums(matrix: Matrix) -> Numbers:
    return np.asarray(matrix.sum(axis=1), np.float32).ravel()


def _inverse(numbers: Numbers) -> Numbers:
    return np.asarray(1 / np.where(numbers > 0, numbers, 1), np.float32)


def _log(numbers: NDArray[Any]) -> NDArray[Any]:
    return np.log(numbers + 1e-6)


def _without_loops(matrix: Any) -> Matrix:
    matrix = matrix.tocsr()
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    return csr_array(matrix)


def _by_rarity(matrix: Matrix) -> Matrix:
    """Weigh columns by how rare they are (inverse document frequency); what stands in one row alone joins nobody."""
    found = np.bincount(matrix.indices, minlength=matrix.shape[1])
    rarity = np.where(found > 1, np.log(max(matrix.shape[0], 1) / np.maximum(found, 1)), 0)
    weighed = csr_array(matrix @ sparse.diags_array(rarity.astype(np.float32)))
    weighed.eliminate_zeros()
    return weighed


def _units(matrix: Any) -> Matrix:
    """Bring every row to length one."""
    rows = csr_array(matrix)
    return _scaled(rows, _inverse(np.sqrt(_sums(csr_array(rows.multiply(rows))))))


def _cosines(ours: Matrix, theirs: Matrix, pairs: tuple[Places, Places]) -> Numbers:
    return _sums(csr_array(ours[pairs[0]].multiply(theirs[pairs[1]])))
