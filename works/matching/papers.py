"""Works with their author lists, packed into arrays: what identity resolution looks at. Pure."""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bzpeer.lib.names import fold
from works.matching.names import Spelling, spelling

Identifier = tuple[str, str]
Ints = NDArray[np.int32]

MOST_AUTHORS = 100  # longer lists tell nothing about who knows whom
_WORD = re.compile(r"[^\W\d_]{3,}")


class Author(NamedTuple):
    """One authorship, with what may tell whose it is.

    key: unique. standing: the author it has now. pin: an author whose lines people decided on, and this is one.
    barred: authors whom people said it is not.
    """

    key: int
    name: str
    ids: tuple[Identifier, ...] = ()
    institutions: tuple[int, ...] = ()
    affiliation: str = ""
    variants: tuple[str, ...] = ()
    standing: int = 0
    pin: int = 0
    barred: tuple[int, ...] = ()


class Paper(NamedTuple):
    """One work. source: where it appeared, unless in a repository, which holds everything."""

    work: int
    authors: Sequence[Author]
    year: int | None = None
    source: int | None = None
    title: str = ""
    topics: tuple[int, ...] = ()


class Vocabulary:
    """Numbers for things, given in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def __call__(self, thing: Any) -> int:
        return self.numbers.setdefault(thing, len(self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)


class Table:
    """Rows of numbers, to become a sparse matrix of ones."""

    def __init__(self) -> None:
        self.starts = array("i", [0])
        self.numbers = array("i")

    def add(self, numbers: Iterable[int]) -> None:
        self.numbers.extend(numbers)
        self.starts.append(len(self.numbers))

    def matrix(self, width: int) -> sparse.csr_array:
        ones = np.ones(len(self.numbers), np.float32)
        shape = (len(self.starts) - 1, max(width, 1))
        return sparse.csr_array(
            (ones, np.array(self.numbers, np.int32), np.array(self.starts, np.int32)), shape=shape
        )


class Collection:
    """Papers as arrays. A line is the place of an authorship in the order of papers and their lists.

    That order breaks ties, so whoever wants the same people from the same papers gives them in an order
    that depends on what they are.
    """

    def __init__(self, papers: Iterable[Paper]) -> None:
        spellings, names = Vocabulary(), Vocabulary()
        sources, places, words, place_words = Vocabulary(), Vocabulary(), Vocabulary(), Vocabulary()
        institutions, topics = Vocabulary(), Vocabulary()
        title_table, topic_table, place_table, institution_table = Table(), Table(), Table(), Table()
        keys, works, standing = array("q"), array("q"), array("q")
        starts, years, source_of = array("i", [0]), array("i"), array("i")
        of_name, place_of = array("i"), array("i")
        self.ids: dict[int, tuple[Identifier, ...]] = {}
        self.pins: dict[int, int] = {}
        self.barred: dict[int, tuple[int, ...]] = {}
        self.variants: dict[int, frozenset[str]] = {}
        spelling_of: list[int] = []
        for paper in papers:
            works.append(paper.work)
            years.append(paper.year or 0)
            source_of.append(-1 if paper.source is None else sources(paper.source))
            title_table.add({words(word) for word in _WORD.findall(paper.title.lower())})
            topic_table.add({topics(topic) for topic in paper.topics})
            for author in paper.authors:
                line = len(keys)
                keys.append(author.key)
                number = names(author.name)
                if number == len(spelling_of):
                    spelling_of.append(spellings(spelling(author.name)))
                of_name.append(number)
                standing.append(author.standing)
                institution_table.add({institutions(one) for one in author.institutions})
                if author.affiliation:
                    number = places(author.affiliation)
                    if number == len(place_table.starts) - 1:
                        folded = _WORD.findall(fold(author.affiliation))
                        place_table.add({place_words(word) for word in folded})
                    place_of.append(number)
                else:
                    place_of.append(-1)
                if author.ids:
                    self.ids[line] = author.ids
                if author.pin:
                    self.pins[line] = author.pin
                if author.barred:
                    self.barred[line] = author.barred
                if author.variants:
                    self.variants[line] = frozenset(author.variants)
            starts.append(len(keys))
        self.keys = np.array(keys, np.int64)
        self.works = np.array(works, np.int64)
        self.starts: Ints = np.array(starts, np.int32)
        self.sizes: Ints = np.diff(self.starts)
        self.paper_of: Ints = np.repeat(np.arange(len(works), dtype=np.int32), self.sizes)
        self.names: list[str] = list(names.numbers)
        self.spellings: list[Spelling] = list(spellings.numbers)
        self.name_of: Ints = np.array(of_name, np.int32)
        self.spelling_of: Ints = np.array(spelling_of, np.int32)[self.name_of] if keys else self.name_of
        self.standing = np.array(standing, np.int64)
        self.years: Ints = np.array(years, np.int32)
        self.sources: Ints = np.array(source_of, np.int32)
        self.place_of: Ints = np.array(place_of, np.int32)
        self.title_words: list[str] = list(words.numbers)
        self.place_words: list[str] = list(place_words.numbers)
        self.titles = title_table.matrix(len(words))
        self.places = place_table.matrix(len(place_words))
        self.topics = topic_table.matrix(len(topics))
        self.institutions = institution_table.matrix(len(institutions))
        self.topic_keys = list(topics.numbers)
        self.source_keys = list(sources.numbers)

    def __len__(self) -> int:
        return len(self.keys)
