"""Who is who among the lines of a collection. Pure: no database, no clock.

Names say who could be one person; evidence says who is. First those with a full given name are judged,
then those with initials only, then spellings in another order or without a second family name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from works.matching.census import Census
from works.matching.clusters import agglomerate
from works.matching.evidence import WEAKEST, Compare, Evidence, Groups
from works.matching.identity import Identities
from works.matching.names import aliases, formal, shared, shared_as_aliases, shared_by_initials
from works.matching.papers import Collection, Identifier

NEAR = -3.0
_SQUARES, _ROWS = 100_000, 4000  # pairs and lines that are weighed at once; a larger group by itself
MOST_TOGETHER = 600  # lines whose every pair is weighed
_ALIASES_TOGETHER = 300  # lines


class Near(NamedTuple):
    """Two people whose evidence was just short, or whom only people may join: a line of each, and the bits."""

    one: int
    other: int
    score: float


class People(NamedTuple):
    """person: of each line, named by one of their lines; -1 for lines that were not asked for."""

    person: NDArray[np.int64]
    near: list[Near]

    def groups(self) -> list[list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for line, person in enumerate(self.person.tolist()):
            if person >= 0:
                found[person].append(line)
        return list(found.values())


def find_people(
    collection: Collection,
    census: Census,
    *,
    wanted: NDArray[np.bool_] | None = None,
    keep_standing: bool = False,
    linked: Iterable[Iterable[Identifier]] = (),
    claimed: frozenset[int] = frozenset(),
) -> People:
    """Return the person of each line.

    wanted: the lines to judge; the others only tell who works with whom. For the rest see Identities.
    """
    lines = np.arange(len(collection)) if wanted is None else np.flatnonzero(wanted)
    identities = Identities(collection, lines, keep_standing=keep_standing, linked=linked, claimed=claimed)
    search = _Search(collection, Evidence(collection, census), identities, lines)
    search.judge(search.by_given_name(), shared)
    search.judge(search.with_initials(), shared_by_initials)
    search.judge(search.by_alias(), shared_as_aliases)
    return search.people()


class _Search:
    def __init__(
        self, collection: Collection, evidence: Evidence, identities: Identities, lines: NDArray[np.int64]
    ) -> None:
        self._collection, self._evidence, self._identities, self._lines = (
            collection,
            evidence,
            identities,
            lines,
        )
        self._person = np.full(len(collection), -1, np.int64)
        self._person[lines] = lines
        for several in identities.several:
            self._person[several] = several[0]
        self._near: dict[tuple[int, int], float] = {}
        self._told = identities.told()
        self._told[list(collection.variants)] = True
        self._order = lines[np.argsort(collection.spelling_of[lines], kind="stable")]
        counts = np.bincount(collection.spelling_of[lines], minlength=len(collection.spellings))
        self._counts: list[int] = counts.tolist()
        self._starts: list[int] = np.concatenate(([0], np.cumsum(counts))).tolist()
        self._blocks: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number in np.flatnonzero(counts).tolist():
            name = collection.spellings[number]
            self._blocks[name.family, name.first[:1]].append(number)

    def _lines_of(self, numbers: list[int]) -> NDArray[np.int64]:
        """Return the lines of spellings, in order."""
        if len(numbers) == 1:
            return self._order[self._starts[numbers[0]] : self._starts[numbers[0] + 1]]
        return np.sort(np.concatenate([self._order[self._starts[n] : self._starts[n + 1]] for n in numbers]))

    def _people_of(self, lines: NDArray[np.int64]) -> NDArray[np.int64]:
        people = self._person[lines]
        while ((above := self._person[people]) != people).any():
            people = above
        return people

    # --- Who could be one person by name ----------------------------------------------------------------------

    def by_given_name(self) -> Iterator[list[int]]:
        """Yield spellings of one family and first given name; "tinghao" and "ting hao", "jo" and "joseph" are one."""
        spellings = self._collection.spellings
        for numbers in self._blocks.values():
            if len(numbers) == 1:
                if self._counts[numbers[0]] > 1 and len(spellings[numbers[0]].first) != 1:
                    yield numbers
                continue
            by_first: dict[str, list[int]] = defaultdict(list)
            for number in numbers:
                by_first[spellings[number].first].append(number)
            together = _Union()
            for first, several in by_first.items():
                for other in formal(first) - {first}:
                    if other in by_first:
                        together.join(first, other)
                for number in several:
                    given = spellings[number].given
                    if len(given) > 1 and len(first) > 1:
                        for other in {first + given[1], "".join(given)}:
                            if other in by_first:
                                together.join(first, other)
            for firsts in together.groups(sorted(by_first)):
                if len(firsts[0]) != 1:
                    yield [number for first in firsts for number in by_first[first]]

    def with_initials(self) -> Iterator[list[int]]:
        spellings = self._collection.spellings
        for numbers in self._blocks.values():
            if any(len(spellings[number].first) == 1 for number in numbers):
                yield numbers

    def by_alias(self) -> Iterator[list[int]]:
        numbers = {
            self._collection.spellings[number]: number
            for several in self._blocks.values()
            for number in several
        }
        together = _Union()
        for name, number in numbers.items():
            for other in aliases(name):
                if other in numbers:
                    together.join(number, numbers[other])
        groups = [
            group
            for group in together.groups(sorted(together))
            if sum(self._counts[number] for number in group) <= _ALIASES_TOGETHER
        ]
        self._remember([number for group in groups for number in group])
        yield from groups

    def _remember(self, numbers: list[int]) -> None:
        """Have all lines of people known who have a line of these spellings: theirs may be of other spellings, too."""
        if not numbers:
            return
        people = self._people_of(self._lines)
        order = np.argsort(people, kind="stable")
        wanted = np.unique(self._people_of(self._lines_of(numbers)))
        starts = np.searchsorted(people, wanted, "left", sorter=order)
        ends = np.searchsorted(people, wanted, "right", sorter=order)
        for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
            lines = np.sort(self._lines[order[start:end]])
            self._told[lines] = True
            self._identities.unite(lines.tolist())

    # --- Who is one person by evidence ------------------------------------------------------------------------

    def judge(self, groups: Iterable[list[int]], compare: Compare) -> None:
        """Join the lines of each group of spellings where the evidence says so."""
        waiting: list[NDArray[np.int64]] = []
        squares = rows = 0
        for group in self._undecided(groups, compare):
            if len(group) > MOST_TOGETHER:
                self._weigh_many(group, compare)
                continue
            if waiting and (squares + len(group) ** 2 > _SQUARES or rows + len(group) > _ROWS):
                self._weigh(waiting, compare)
                waiting, squares, rows = [], 0, 0
            waiting.append(group)
            squares += len(group) ** 2
            rows += len(group)
        if waiting:
            self._weigh(waiting, compare)

    def _undecided(self, groups: Iterable[list[int]], compare: Compare) -> Iterator[NDArray[np.int64]]:
        """Yield the lines of each group with two people or more; groups that share a person come as one."""
        found: list[NDArray[np.int64]] = []
        together = _Union()
        for numbers in groups:
            lines = self._lines_of(numbers)
            if len(lines) < 2:
                continue
            told = lines[self._told[lines]]
            if compare is shared and not len(told) and self._is_plain(numbers, lines):
                self._person[lines] = lines[0]
                continue
            for line in told.tolist():
                person = self._identities.person(line)
                if len(self._identities.members(person)) > 1:
                    together.join(len(found), ("person", person))
            found.append(lines)
        for group in together.groups(range(len(found))):
            lines = (
                found[group[0]]
                if len(group) == 1
                else np.unique(np.concatenate([found[place] for place in group]))
            )
            people = self._people_of(lines)
            if (people != people[0]).any():
                yield lines

    def _is_plain(self, numbers: list[int], lines: NDArray[np.int64]) -> bool:
        """Return whether a name is so rare here that its lines are one person's whatever else they say."""
        if len(numbers) > 1 or not self._collection.spellings[numbers[0]].given:
            return False
        if self._evidence.base + self._evidence.bits_of_name(numbers[0]) + WEAKEST <= 0:
            return False
        papers = self._collection.paper_of[lines]  # lines, and so papers, are in order
        return bool((papers[1:] != papers[:-1]).all())

    def _weigh_many(self, lines: NDArray[np.int64], compare: Compare) -> None:
        """Judge a group too large for all its pairs: part by part, then the people found by some lines of each."""
        for start in range(0, len(lines), MOST_TOGETHER):
            self._weigh([lines[start : start + MOST_TOGETHER]], compare)
        people, atoms, counts = np.unique(self._people_of(lines), return_inverse=True, return_counts=True)
        each = MOST_TOGETHER // len(people)
        if not each or len(people) == 1:
            return
        several = lines[np.argsort(atoms, kind="stable")]
        chosen = []
        for theirs in np.split(several, np.cumsum(counts)[:-1]):
            if len(theirs) > 1:
                self._told[theirs] = True
                self._identities.unite(theirs.tolist())
            spaced = np.linspace(0, len(theirs) - 1, min(each, len(theirs)))
            chosen.append(theirs[spaced.astype(np.intp)])
        self._weigh([np.sort(np.concatenate(chosen))], compare)

    def _weigh(self, waiting: list[NDArray[np.int64]], compare: Compare) -> None:
        groups = Groups(np.concatenate(waiting).astype(np.int32), np.array([len(lines) for lines in waiting]))
        flat = self._evidence.weigh(groups, compare)
        told = np.logical_or.reduceat(self._told[groups.rows], groups.starts[:-1])
        flat[groups.places(np.arange(len(groups.rows)), np.arange(len(groups.rows)))] = 0
        least = np.minimum.reduceat(flat, groups.squares[:-1])
        for place, lines in enumerate(waiting):
            if least[place] >= 0 and not told[place]:
                people = self._people_of(lines)
                self._person[people] = people.min()
            else:
                self._settle(lines, groups.square(flat, place))

    def _settle(self, lines: NDArray[np.int64], scores: NDArray[np.float32]) -> None:
        """Join the people of one group."""
        people, atoms = np.unique(self._people_of(lines), return_inverse=True)
        by_person = np.split(lines[np.argsort(atoms, kind="stable")], np.cumsum(np.bincount(atoms))[:-1])
        forbidden, reserved = self._identities.constraints([several.tolist() for several in by_person])
        result = agglomerate(scores, atoms, forbidden, reserved)
        self._person[people] = people[result.person]
        for person in np.flatnonzero(np.bincount(result.person) > 1):
            united = np.concatenate([by_person[place] for place in np.flatnonzero(result.person == person)])
            if self._told[united].any():
                self._told[united] = True
                self._identities.unite(united.tolist())
        self._note_near(people, result.evidence)

    def _note_near(self, people: NDArray[np.int64], evidence: NDArray[np.float64]) -> None:
        for one, other in zip(*np.nonzero(np.triu(evidence >= NEAR, 1)), strict=True):
            pair = int(people[one]), int(people[other])
            self._near[pair] = max(self._near.get(pair, NEAR), float(evidence[one, other]))

    def people(self) -> People:
        self._person[self._lines] = self._people_of(self._lines)
        near: dict[tuple[int, int], float] = {}
        for pair, score in self._near.items():
            one, other = sorted(self._people_of(np.array(pair)).tolist())
            if one != other:
                near[one, other] = max(near.get((one, other), NEAR), score)
        return People(self._person, [Near(*pair, score) for pair, score in sorted(near.items())])


class _Union:
    """Things that belong together."""

    def __init__(self) -> None:
        self._parent: dict[Any, Any] = {}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parent)

    def find(self, node: Any) -> Any:
        above = self._parent.setdefault(node, node)
        while above != node:
            node, above = above, self._parent[above]
        return node

    def join(self, one: Any, other: Any) -> None:
        root = self.find(one)
        self._parent[self.find(other)] = root
        self._parent[other] = root

    def groups(self, nodes: Iterable[Any]) -> Iterator[list[Any]]:
        found: dict[Any, list[Any]] = defaultdict(list)
        for node in nodes:
            found[self.find(node) if node in self._parent else node].append(node)
        yield from found.values()
