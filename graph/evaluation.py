"""How well recommendations foresee who writes together: the newest tenth of the collaborations is hidden.

Everything is worked out from works that appeared before the first hidden one, weights from a tenth before that.
Who is who was resolved on the whole catalogue: that is the same for all methods.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from bzpeer.lib.figures import Figures
from graph.facts import all_facts
from graph.recommending import (
    FEATURES,
    WEIGHTS,
    Facts,
    History,
    Matrix,
    Numbers,
    Pairs,
    Places,
    Starts,
    fit,
    shipped_weights,
)

HIDDEN = 0.10
AT = 20
AT_ONCE = 128  # people; two dense rows of everybody each
FITTED_ON = 3000  # people of the earlier split
BASELINES = ("common_neighbours", "adamic_adar", "popularity")
_DIRECTIONS = 64


@dataclass(frozen=True)
class Split:
    """The history before the first of the hidden pairs, and who first wrote with whom afterwards."""

    history: History
    hidden: Matrix

    @property
    def people(self) -> Places:
        return np.flatnonzero(np.diff(self.hidden.indptr))


@dataclass
class Recall:
    """Shares of the hidden collaborators found among AT, as (found, hidden) of each person."""

    found: dict[str, list[int]] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)

    def add(self, method: str, found: int) -> None:
        self.found.setdefault(method, []).append(found)

    def of(self, method: str) -> float:
        """Return the mean over people."""
        return float((np.array(self.found[method]) / np.array(self.hidden)).mean())

    def of_pairs(self, method: str) -> float:
        return sum(self.found[method]) / sum(self.hidden)


def measure_recommendations(write: Callable[[str], object]) -> None:
    """Fit on the earlier split, measure on the later one, print and keep the figures."""
    facts = all_facts()
    if len(facts.works) < 100:
        write("There are too few works to measure on: import the ACL Anthology first (manage.py ingest acl).")
        return
    recall, fitted = measure(facts, write)
    for name, weight in fitted.items():
        write(f"  {name:20} {weight:9.4f}")
    figures = Figures("evaluate-recommendations")
    figures.add("recommendations.people", len(recall.hidden), "people")
    best = max(recall.of(name) for name in BASELINES)
    for name in recall.found:
        figures.add(f"recommendations.{name}.recall_at_{AT}", recall.of(name), "share")
        figures.add(f"recommendations.{name}.recall_at_{AT}_of_pairs", recall.of_pairs(name), "share")
    for name in ("bzpeer", "bzpeer_as_shipped"):
        if name in recall.found:
            figures.add(
                f"recommendations.{name}.ratio_to_best_baseline", recall.of(name) / best, "ratio", ">=1.3"
            )
    figures.write()


def measure(facts: Facts, write: Callable[[str], object]) -> tuple[Recall, dict[str, float]]:
    """Return the recall on the newest tenth, and the weights fitted on the tenth before it."""
    later = day_of_share(facts, 1 - HIDDEN, None)
    earlier = day_of_share(facts, 1 - HIDDEN, later)
    train, test = split(facts, earlier, later), split(facts, later, None)
    write(
        f"Fitted on {train.hidden.nnz // 2:,} pairs, measured on {test.hidden.nnz // 2:,} of {len(test.people):,} people"
    )
    weights = _fitted(train)
    recall = Recall()
    orders = {"bzpeer": weights} | ({"bzpeer_as_shipped": shipped_weights()} if WEIGHTS else {})
    for people, starts, pairs in _batches(test.history, test.people):
        _count_batch(recall, test, (people, starts, pairs), orders)
    return recall, dict(zip(FEATURES, weights.tolist(), strict=True))


def day_of_share(facts: Facts, share: float, before: int | None) -> int:
    """Return the day before which this share of the pairs (of those who met before a day) first wrote together."""
    order = np.argsort(facts.day, kind="stable")
    order = order[facts.day[order] < before] if before is not None else order
    by = facts.by[order]
    counts = np.diff(by.indptr)
    one = np.repeat(np.arange(len(order)), counts)
    pairs = (
        csr_array((np.ones(len(one)), (np.arange(len(one)), one))) @ by
    )  # each authorship with its work's people
    pairs = pairs.tocoo()
    a, b = by.indices[pairs.row].astype(np.int64), pairs.col.astype(np.int64)
    ordered = a < b
    _, first = np.unique((a * by.shape[1] + b)[ordered], return_index=True)
    days = np.sort(facts.day[order][one[pairs.row[ordered]]][first])
    return int(days[int(len(days) * share)])


def split(facts: Facts, now: int, until: int | None) -> Split:
    """Hide who first wrote together from now until a day; of people who had works before."""
    history = History(facts, now)
    new = facts.by[(facts.day >= now) & (facts.day < until if until is not None else True)]
    together = csr_array(new.T @ new)
    together.setdiag(0)
    together.eliminate_zeros()
    together.data[:] = 1
    known = together - together.multiply(history.neighbours)
    rows = known.tocoo()
    kept = (rows.data > 0) & history.active[rows.row] & history.active[rows.col]
    shape = (len(facts.people), len(facts.people))
    return Split(history, csr_array((np.ones(kept.sum()), (rows.row[kept], rows.col[kept])), shape=shape))


def _fitted(train: Split) -> Numbers:
    people = train.people
    if len(people) > FITTED_ON:
        people = np.sort(np.random.default_rng(1).choice(people, FITTED_ON, replace=False))
    features, hits, groups = [], [], []
    done = 0
    for batch, _, pairs in _batches(train.history, people):
        features.append(pairs.features)
        hits.append(np.asarray(train.hidden[batch][pairs.start, pairs.person]).ravel() > 0)
        groups.append(pairs.start + done)
        done += len(batch)
    return fit(np.concatenate(features), np.concatenate(hits), np.concatenate(groups))


def _batches(history: History, people: Places) -> Iterator[tuple[Places, Starts, Pairs]]:
    """Yield people with those who may be recommended to them: near by steps, or by the words of their titles."""
    directions = _directions(history)
    for begin in range(0, len(people), AT_ONCE):
        batch = people[begin : begin + AT_ONCE]
        starts = history.starts_of(batch)
        walks = history.walks(starts)
        unknown = history.unknown(starts)
        rare = (starts.neighbours @ history.by_rarity).toarray()
        alike = (directions[batch] @ directions.T) * np.exp2(-history.since / 4)
        ways = [(walks[0], 120), (walks[1], 120), (rare, 80), (alike, 120)]
        near = np.concatenate([_best(np.where(unknown, scores, -1), most) for scores, most in ways], axis=1)
        width = len(history.facts.people)
        cells = np.unique(np.arange(len(batch))[:, None] * width + near)
        start, person = cells // width, cells % width
        allowed = unknown[start, person]
        yield batch, starts, history.describe(starts, (start[allowed], person[allowed]), walks)


def _count_batch(
    recall: Recall, test: Split, batch: tuple[Places, Starts, Pairs], orders: dict[str, Numbers]
) -> None:
    people, starts, pairs = batch
    history = test.history
    unknown = history.unknown(starts)
    popular = np.broadcast_to(history.degree, unknown.shape)
    ties = popular * 1e-6  # equal ones in the order that helps the baselines: the popular first
    baselines = {
        "common_neighbours": (starts.neighbours @ history.neighbours).toarray() + ties,
        "adamic_adar": (starts.neighbours @ history.by_rarity).toarray() + ties * 1e-2,
        "popularity": popular,
    }
    best = {name: _best(np.where(unknown, scores, -1), AT) for name, scores in baselines.items()}
    bounds = np.searchsorted(pairs.start, np.arange(len(people) + 1))
    scores = {name: pairs.features @ weights for name, weights in orders.items()}
    for row, person in enumerate(people):
        hidden = test.hidden.indices[test.hidden.indptr[person] : test.hidden.indptr[person + 1]]
        recall.hidden.append(len(hidden))
        own = slice(bounds[row], bounds[row + 1])
        for name, chosen in best.items():
            recall.add(name, int(np.isin(hidden, chosen[row]).sum()))
        for name, ours in scores.items():
            recall.add(name, int(np.isin(hidden, pairs.person[own][np.argsort(-ours[own])[:AT]]).sum()))


def _best(scores: Numbers, most: int) -> Places:
    most = min(most, scores.shape[1])
    return np.argpartition(-scores, most - 1, axis=1)[:, :most]


def _directions(history: History) -> Numbers:
    """Return the main directions of everybody's words, rows of length one: a randomised SVD (Halko et al. 2011)."""
    words = history.words
    width = min(_DIRECTIONS, *words.shape)
    base = words.T @ np.random.default_rng(0).normal(size=(words.shape[0], width)).astype(np.float32)
    for _ in range(3):
        base, _ = np.linalg.qr(words.T @ (words @ base))
    found = np.asarray(words @ base, np.float32)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(length > 0, length, 1), np.float32)
