"""Pairs of authors who may be one person, for people to look at, with what speaks for it in words."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bzpeer.lib.sql import copy_rows, execute, query
from works.matching.names import shared
from works.matching.papers import Collection
from works.matching.people import Near
from works.services.resolve.choosing import Chosen
from works.services.resolve.reading import Read

OF_ONE_AUTHOR = 3  # suggestions
_SAME_IDENTIFIER = "The same identifier; one of them is claimed, so only people may join them."
_EVERYONES = 0.2  # share of works; a topic of more tells nothing
_LINES = 40  # of each author, that are looked at for reasons


class _Pair(NamedTuple):
    author_a: int
    author_b: int


def write_suggestions(read: Read, chosen: Chosen, person: NDArray[np.int64], near: list[Near]) -> None:
    """Replace the suggestions about the authors judged by the best of what fell just short."""
    author_of = _Authors(chosen, person)
    shares = read.collection.topics.sum(axis=0) / max(len(read.collection.works), 1)
    everyones = set(np.flatnonzero(shares > _EVERYONES).tolist())
    scores: dict[_Pair, float] = {}
    for one, other, score in near:
        pair = _Pair(*sorted((author_of(one), author_of(other))))
        if pair.author_a != pair.author_b:
            scores[pair] = max(score, scores.get(pair, score))
    reasons = {
        pair: (
            score,
            _reason(
                read.collection,
                author_of.lines(pair.author_a),
                author_of.lines(pair.author_b),
                score,
                everyones,
            ),
        )
        for pair, score in _best(scores).items()
    }
    for one, other in chosen.declined:
        reasons.setdefault(_Pair(*sorted((one, other))), (0.0, _SAME_IDENTIFIER))
    touched = np.unique(chosen.author).tolist()
    execute(
        "delete from works_suggestion where author_a_id = any(%s) and author_b_id = any(%s)",
        [touched, touched],
    )
    now = query("select now()")[0][0]
    others = [sorted(pair.author_a for pair in reasons)]
    standing = set(
        query("select author_a_id, author_b_id from works_suggestion where author_a_id = any(%s)", others)
    )
    copy_rows(
        "works_suggestion", ("author_a_id", "author_b_id", "score", "reason", "created_at"),
        ((*pair, *reasons[pair], now) for pair in sorted(reasons) if pair not in standing),
    )  # fmt: skip


class _Authors:
    """The author of a line, and the lines of an author."""

    def __init__(self, chosen: Chosen, person: NDArray[np.int64]) -> None:
        self._chosen, self._person = chosen, person
        self._order = np.argsort(chosen.author, kind="stable")

    def __call__(self, line: int) -> int:
        return int(self._chosen.author[np.searchsorted(self._chosen.lines, line)])

    def lines(self, author: int) -> NDArray[np.int64]:
        start, end = (
            np.searchsorted(self._chosen.author, author, side, sorter=self._order)
            for side in ("left", "right")
        )
        return self._chosen.lines[self._order[start:end]]


def _best(scores: dict[_Pair, float]) -> dict[_Pair, float]:
    """Return the best few pairs of each author."""
    count: dict[int, int] = defaultdict(int)
    kept: dict[_Pair, float] = {}
    for pair, score in sorted(scores.items(), key=lambda item: (-item[1], item[0])):
        if count[pair.author_a] < OF_ONE_AUTHOR and count[pair.author_b] < OF_ONE_AUTHOR:
            kept[pair] = score
            count[pair.author_a] += 1
            count[pair.author_b] += 1
    return kept


def _reason(
    collection: Collection,
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
    score: float,
    everyones: set[int],
) -> str:
    """Say what two authors have in common, and how much is missing. everyones: topics that tell nothing."""
    ours, theirs = ours[:_LINES], theirs[:_LINES]
    found = [_names(collection, ours, theirs)]
    coauthors = [_coauthors(collection, lines) for lines in (ours, theirs)]
    if common := coauthors[0] & coauthors[1]:
        names = sorted(collection.spellings[number] for number in common)
        shown = ", ".join(" ".join((*name.given, name.family)).title() for name in names[:3])
        found.append(f"{_count(common, 'co-author')} in common ({shown})")
    papers = [collection.paper_of[lines] for lines in (ours, theirs)]
    if common := _columns(collection.institutions, ours) & _columns(collection.institutions, theirs):
        found.append(f"{_count(common, 'institution')} in common")
    if common := _columns(collection.topics, papers[0]) & _columns(collection.topics, papers[1]) - everyones:
        found.append(f"{_count(common, 'topic')} in common")
    places = [set(collection.place_of[lines].tolist()) - {-1} for lines in (ours, theirs)]
    if places[0] and places[1]:
        found.append("one address in common" if places[0] & places[1] else "other addresses")
    sources = [set(collection.sources[several].tolist()) - {-1} for several in papers]
    if sources[0] & sources[1]:
        found.append("the same journal or conference")
    return f"{'; '.join(found)}; {_missing(score)}."[:300]


def _count(things: set[int], what: str) -> str:
    if len(things) == 1:
        return f"1 {what}"
    first, *rest = what.split(" ")
    return " ".join((f"{len(things)} {first}s", *rest))


def _columns(matrix: sparse.csr_array, rows: NDArray[np.integer]) -> set[int]:
    return set(matrix[rows].indices.tolist())


def _names(collection: Collection, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> str:
    spellings = [{collection.spellings[n] for n in collection.spelling_of[lines]} for lines in (ours, theirs)]
    if spellings[0] & spellings[1]:
        return "The same name"
    if any(shared(a, b) is not None for a in spellings[0] for b in spellings[1]):
        return "Names that agree"
    return "The same name in another order or form"


def _coauthors(collection: Collection, lines: NDArray[np.int64]) -> set[int]:
    found: set[int] = set()
    for line in lines.tolist():
        paper = collection.paper_of[line]
        start, end = collection.starts[paper], collection.starts[paper + 1]
        found.update(collection.spelling_of[start:line].tolist())
        found.update(collection.spelling_of[line + 1 : end].tolist())
    return found


def _missing(score: float) -> str:
    if score >= 0:
        return "enough, but one of them is claimed or decided about, so only people may join them"
    short = 2**-score
    return (
        "evidence falls just short"
        if short < 1.5
        else f"evidence {short:.0f} times as strong would join them"
    )
