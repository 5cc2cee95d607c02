"""How common names, words, sources and topics are: learnt from the works at hand, on top of a table of names. Pure."""

import csv
import io
import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from works.matching.names import Shared, Spelling
from works.matching.papers import Collection

WORLD = 24.0  # bits: 2^24, about how many people ever wrote scholarly works
TABLE_WEIGHT = 20_000  # the table of names counts like that many names of the works at hand
SMALL = 300_000  # lines; a smaller collection is a sample of the world, not a circle of people
FEW = 5000  # lines of rare names; how often people come again is then half believed
RARE = 22.0  # bits; a name that tells so much is one person's in nearly every collection
COMMON_WORD = 0.1  # share of titles; a word of more tells nothing
_MIDDLE_NAME, _MIDDLE_INITIAL = 5.0, 3.5
_DROPPED_NAME, _DROPPED_INITIAL, _NICKNAME, _ALIAS = 2.5, 1.0, 1.5, 4.0
_INITIAL_SHARE = 0.045  # where the works at hand are few


@cache
def _shares() -> dict[str, dict[str, float]]:
    """Return how common family and given names are, as shares of 80,558 real author names."""
    packed = resources.files("works.ingest").joinpath("name_frequencies.tsv.xz").read_bytes()
    shares: dict[str, dict[str, float]] = {"family": {}, "given": {}}
    for row in csv.reader(io.StringIO(lzma.decompress(packed).decode("utf-8")), delimiter="\t"):
        if len(row) == 3 and row[0] in shares:
            shares[row[0]][row[1]] = float(row[2])
    return shares


class Census:
    """What is common. Shares of names count each full name once, so that a prolific person is no crowd."""

    def __init__(
        self,
        *,
        names: int = 0,
        families: Mapping[str, int] | None = None,
        given: Mapping[str, int] | None = None,
        papers: int = 0,
        titles: Mapping[str, int] | None = None,
        addresses: int = 0,
        places: Mapping[str, int] | None = None,
        sources: Mapping[Any, int] | None = None,
        topics: Mapping[Any, int] | None = None,
        recurrence: float = 0.0,
    ) -> None:
        """recurrence: the chance that two lines taken at random are one person's."""
        self._names, self._families, self._given = names, families or {}, given or {}
        self._papers, self._titles = papers, titles or {}
        self._addresses, self._places = addresses, places or {}
        self._sources, self._topics = sources or {}, topics or {}
        self.population = min(WORLD, -math.log2(max(recurrence, 2.0**-WORLD)))
        initials: dict[str, int] = defaultdict(int)
        for part, count in self._given.items():
            if len(part) > 1:
                initials[part[0]] += count
        self._initials = initials
        self._cached: dict[tuple[str, str], float] = {}

    @classmethod
    def of(cls, collection: Collection) -> Self:
        lines = np.bincount(collection.spelling_of, minlength=len(collection.spellings))
        families: Counter[str] = Counter()
        given: Counter[str] = Counter()
        for one in collection.spellings:
            families[one.family] += 1
            given[one.first] += 1
        known = collection.place_of >= 0
        found = cls(
            names=len(collection.spellings),
            families=families,
            given=given,
            papers=len(collection.works),
            titles=_counts(collection.title_words, collection.titles.sum(axis=0)),
            addresses=int(known.sum()),
            places=_counts(
                collection.place_words,
                collection.places.T
                @ np.bincount(collection.place_of[known], minlength=collection.places.shape[0]),
            ),
            sources=_counts(
                collection.source_keys,
                np.bincount(
                    collection.sources[collection.sources >= 0], minlength=len(collection.source_keys)
                ),
            ),
            topics=_counts(collection.topic_keys, collection.topics.sum(axis=0)),
        )
        rare = np.array(
            [bool(one.given) and found.bits(one) > RARE for one in collection.spellings], dtype=bool
        )
        found.population = _population(lines[rare].astype(float), len(collection))
        return found

    # --- Names --------------------------------------------------------------------------------------------

    def bits(self, name: Spelling) -> float:
        """Return how much a full name tells: "wei wang" about 14, "udit gupta" about 25."""
        if not name.family:
            return 0.0
        bits = self._part("family", name.family)
        if not name.given:
            return bits
        bits += self._part("given", name.first)
        if len(name.given) == 1 < len(name.first):
            # Nobody can tell whether Ke or Liu is the family name: the commoner reading counts.
            bits = min(bits, self._part("family", name.first) + self._part("given", name.family))
        for part in name.given[1:3]:
            bits += _MIDDLE_INITIAL if len(part) == 1 else _MIDDLE_NAME
        return bits

    def bits_of(self, found: Shared) -> float:
        """Return how much it tells that two people's names have so much in common."""
        return (
            self.bits(found.spelling)
            - _DROPPED_NAME * found.dropped_names
            - _DROPPED_INITIAL * found.dropped_initials
            - _NICKNAME * found.nickname
            - _ALIAS * found.alias
        )

    def _part(self, kind: str, part: str) -> float:
        bits = self._cached.get((kind, part))
        if bits is None:
            bits = self._cached[kind, part] = -math.log2(self._share(kind, part))
        return bits

    def _share(self, kind: str, part: str) -> float:
        if kind == "given" and len(part) == 1 and part.isascii():
            count = self._initials.get(part, 0) + TABLE_WEIGHT * _INITIAL_SHARE
            return count / (self._names + TABLE_WEIGHT)
        counts = self._families if kind == "family" else self._given
        # The name itself is one of those counted: what tells is how many others there are.
        others = max(counts.get(part, 0) - 0.7, 0.3) + TABLE_WEIGHT * _shares()[kind].get(part, 0.0)
        return others / (self._names + TABLE_WEIGHT)

    # --- What works are about and where they appeared --------------------------------------------------------

    def title_weights(self, words: Iterable[str]) -> NDArray[np.float32]:
        return _weights(words, self._titles, self._papers, COMMON_WORD)

    def place_weights(self, words: Iterable[str]) -> NDArray[np.float32]:
        return _weights(words, self._places, self._addresses, 1.0)

    def source_bits(self, keys: Iterable[Any]) -> NDArray[np.float32]:
        return _rarity(keys, self._sources, self._papers)

    def topic_bits(self, keys: Iterable[Any]) -> NDArray[np.float32]:
        return _rarity(keys, self._topics, self._papers)


def _population(lines: NDArray[np.float64], total: int) -> float:
    """Return the bits of the chance that two lines are one person's. lines: of each rare name; total: of all."""
    known = lines.sum()
    if not known:
        return WORLD
    again = (lines * (lines - 1)).sum() / known
    # A few names that come again may be chance.
    again *= known / (known + FEW)
    return min(WORLD, -math.log2(max(again / max(total, SMALL), 2.0**-WORLD)))


def _counts(things: Iterable[Any], counts: NDArray[Any]) -> dict[Any, int]:
    return {thing: int(count) for thing, count in zip(things, counts, strict=False)}


def _weights(words: Iterable[str], counts: Mapping[str, int], total: int, most: float) -> NDArray[np.float32]:
    """Return the inverse document frequency of each word, 0 for those in more than a share of the documents."""
    found = np.array([counts.get(word, 0) for word in words], np.float32)
    weights = np.log((total + 2) / (found + 1))
    if total >= 50:
        weights[found > most * total] = 0
    return np.maximum(weights, 0).astype(np.float32)


def _rarity(keys: Iterable[Any], counts: Mapping[Any, int], total: int) -> NDArray[np.float32]:
    found = np.array([max(counts.get(key, 0), 1) for key in keys], np.float32)
    return np.log2(max(total, 1) / found).astype(np.float32)
