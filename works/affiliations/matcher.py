"""Which organisations an affiliation string names. Pure: no database, no clock."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from works.affiliations.bounds import Window
from works.affiliations.claims import Claim, parted
from works.affiliations.index import SHORT, Index, Known, number_and_reach
from works.affiliations.text import Text
from works.affiliations.words import BREAK, words


class Match(NamedTuple):
    """key: the organisation's. score: 0 to 1, how sure. why: for people."""

    key: int
    score: float
    why: str


class Matcher:
    """Finds organisations in affiliation strings. Same institutions, same answers; repeats come from a cache."""

    def __init__(self, institutions: Iterable[Known], cache_size: int = 20_000) -> None:
        self.index = Index(institutions)
        self._find = lru_cache(maxsize=cache_size)(self._find_anew)

    def find(self, text: str) -> list[Match]:
        """Return the organisations that a string names, in the order in which it names them."""
        return list(self._find(text))

    def _find_anew(self, text: str) -> tuple[Match, ...]:
        parsed = Text(text, self.index)
        found: dict[int, Match] = {}
        for claim in _independent(_claims(parsed, self.index)):
            if claim.key not in found or found[claim.key].score < claim.score:
                found[claim.key] = Match(claim.key, claim.score, claim.why)
        return tuple(found.values())


def _claims(text: Text, index: Index) -> list[Claim]:
    """Return the claims that hold, in the order of the text; the longest names first take their words."""
    closed: list[Window] = []
    held: list[Claim] = []
    for window in sorted(_windows(text, index), key=lambda window: (window.start - window.end, window.start)):
        if any(_excludes(text, other, window) for other in closed):
            continue
        claims = sorted(_claims_to(text, index, window), key=lambda claim: claim.strength, reverse=True)
        if not claims:
            continue
        closed.append(window)
        best = claims[0]
        # Two organisations of one name: nobody can tell.
        if all(claim.key == best.key or claim.strength < best.strength for claim in claims):
            held.append(best)
    return sorted(held, key=lambda claim: claim.window)


def _independent(claims: list[Claim]) -> Iterator[Claim]:
    """Leave out what is a part of an organisation named beside it: the "Institute of Physics" of a university."""
    for claim in claims:
        near = [
            other
            for other in claims
            if other is not claim and not parted(claim.text, claim.window, other.window)
        ]
        if claim.is_generic and any(not other.is_generic for other in near):
            continue
        if claim.kind == SHORT and any(other.kind != SHORT and "university" in other.forms for other in near):
            continue  # "Marshall School of Business", of another university
        yield claim


def _windows(text: Text, index: Index) -> Iterator[Window]:
    """Return the runs of words that are, in whatever order, some name."""
    values = [index.vocabulary.get(word.form) for word in text.words]
    for start in range(len(values)):
        total, limit = 0, len(values)
        for end in range(start, len(values)):
            value = values[end]
            if value is None or (end > start and text.words[end].gap == BREAK):
                break
            number, reach = number_and_reach(value)
            limit = min(limit, reach)
            if end - start >= limit:
                break
            total += number
            if index.has(total):
                yield Window(start, end, total)


def _excludes(text: Text, outer: Window, inner: Window) -> bool:
    """Return whether a name found rules out another that shares words with it.

    It does not where commas part the inner one off and the rest names an organisation too: "Institute of
    Physics, Chinese Academy of Sciences".
    """
    if outer.end < inner.start or inner.end < outer.start:
        return False
    if not (outer.start <= inner.start and inner.end <= outer.end):
        return True
    begins = inner.start == outer.start or text.is_parted(inner.start)
    ends = inner.end == outer.end or text.is_parted(inner.end + 1)
    rest = [*range(outer.start, inner.start), *range(inner.end + 1, outer.end + 1)]
    return not (begins and ends and any(text.words[number].form in words("organisation") for number in rest))


def _claims_to(text: Text, index: Index, window: Window) -> Iterator[Claim]:
    order = 0
    for place, number in enumerate(range(window.start, window.end + 1), 1):
        order += number_and_reach(index.vocabulary[text.words[number].form])[0] * place
    for entry in index.entries(window.total):
        claim = Claim(
            text, index, window, index.owner[entry], index.kind[entry], index.is_order(entry, order)
        )
        if claim.holds:
            yield claim
