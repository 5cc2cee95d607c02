"""What identifiers and people's decisions say about who is who, before any evidence. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bzpeer.lib.names import fold
from works.matching.clusters import Bools
from works.matching.names import Spelling, aliases, shared
from works.matching.papers import Collection, Identifier

_SCHEMES = ("orcid", "acl", "dblp", "openalex")


class Identities:
    """Lines that are one person by identifier or decision, and which of those can never be one.

    keep_standing: all lines that one author has stay together. linked: identifiers that a source gives to one
    person. claimed: authors whom imports never join with another.
    """

    def __init__(
        self,
        collection: Collection,
        lines: NDArray[np.int64],
        *,
        keep_standing: bool = False,
        linked: Iterable[Iterable[Identifier]] = (),
        claimed: frozenset[int] = frozenset(),
    ) -> None:
        self._collection, self._claimed = collection, claimed
        self._parent: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._one: dict[Identifier, Identifier] = {}
        self._link(linked)
        self._wanted = np.zeros(len(collection), bool)
        self._wanted[lines] = True
        pins = sorted(line for line in collection.pins if self._wanted[line])
        self._join_equal(
            np.array(pins, np.int64), np.array([collection.pins[line] for line in pins], np.int64)
        )
        if keep_standing:
            lines = lines[collection.standing[lines] > 0]
            self._join_equal(lines, collection.standing[lines])
        self._follow_identifiers()

    def person(self, line: int) -> int:
        """Return the first found line of the same person."""
        while (above := self._parent.get(line, line)) != line:
            self._parent[line] = self._parent.get(above, above)
            line = above
        return line

    def members(self, person: int) -> list[int]:
        return self._members.get(person, [person])

    @property
    def several(self) -> Iterable[list[int]]:
        """The lines of each person who has more than one."""
        return self._members.values()

    def told(self) -> Bools:
        """Return of which lines anything but evidence says who it is or is not."""
        told = np.zeros(len(self._collection), bool)
        for known in (self._collection.ids, self._collection.pins, self._collection.barred):
            told[list(known)] = True
        for several in self._members.values():
            told[several] = True
        return told

    def unite(self, lines: list[int]) -> None:
        """Take in that evidence made one person of lines."""
        for line in lines[1:]:
            self._join(lines[0], line)

    def constraints(self, people: list[list[int]]) -> tuple[Bools, Bools]:
        """Return, for people given by lines of theirs, who are two for certain and whom only people may join.

        Two are who stood on one list, whose identifiers differ, and whom people told apart. Only people join an
        author who is claimed with somebody else's, and two authors about whom people decided.
        """
        c = self._collection
        count = len(people)
        forbidden, reserved = np.zeros((count, count), bool), np.zeros((count, count), bool)
        told = [
            place
            for place, lines in enumerate(people)
            if self.person(lines[0]) in self._members or any(self._tells(line) for line in lines)
        ]
        if not told:
            return forbidden, reserved
        people = [sorted({*lines, *self.members(self.person(lines[0]))}) for lines in people]
        papers: dict[int, list[int]] = defaultdict(list)
        ids: dict[str, dict[Identifier, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, lines in enumerate(people):
            for paper in {int(paper) for paper in c.paper_of[lines]}:
                papers[paper].append(place)
        for place in told:
            for scheme, identifiers in self._ids(people[place]).items():
                for identifier in identifiers:
                    ids[scheme][identifier].append(place)
        for places in papers.values():
            if len(places) > 1:
                forbidden[np.ix_(places, places)] = True
        for holders in ids.values():
            having = np.zeros(count, bool)
            same = np.zeros((count, count), bool)
            for places in holders.values():
                having[places] = True
                same[np.ix_(places, places)] = True
            forbidden |= having[:, None] & having[None, :] & ~same
        for place in told:
            barred, pins = self._barred(people[place]), self._pins(people[place])
            if not barred and not pins:
                continue
            for other in range(count):
                theirs = self._pins(people[other])
                if barred & theirs:
                    forbidden[place, other] = forbidden[other, place] = True
                elif pins and self._is_reserved(pins, people[other]):
                    reserved[place, other] = reserved[other, place] = True
        np.fill_diagonal(forbidden, False)
        return forbidden, reserved

    def _is_reserved(self, pins: set[int], lines: list[int]) -> bool:
        if self._pins(lines) - pins:
            return True
        standing = {int(author) for author in self._collection.standing[lines]} - {0}
        return any(standing - {pin} for pin in pins & self._claimed)

    # --- How lines come together -----------------------------------------------------------------------------

    def _link(self, linked: Iterable[Iterable[Identifier]]) -> None:
        for identifiers in linked:
            roots = sorted({self._name(identifier) for identifier in identifiers})
            for root in roots[1:]:
                self._one[root] = roots[0]

    def _name(self, identifier: Identifier) -> Identifier:
        while (above := self._one.get(identifier)) is not None:
            identifier = above
        return identifier

    def _tells(self, line: int) -> bool:
        return any(
            line in known for known in (self._collection.ids, self._collection.pins, self._collection.barred)
        )

    def _join_equal(self, lines: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Join the lines of each value."""
        order = np.argsort(values, kind="stable")
        lines, values = lines[order], values[order]
        for again in np.flatnonzero(values[1:] == values[:-1]).tolist():
            self._join(int(lines[again]), int(lines[again + 1]))

    def _follow_identifiers(self) -> None:
        buckets: dict[Identifier, list[int]] = defaultdict(list)
        for line, identifiers in self._collection.ids.items():
            for identifier in identifiers if self._wanted[line] else ():
                if not self._is_vague(line, identifier):
                    buckets[self._name(identifier)].append(line)
        # What a person typed themselves counts first: two ORCIDs are two people whatever the other ids say.
        for _, several in sorted(buckets.items(), key=lambda bucket: _SCHEMES.index(bucket[0][0])):
            people: list[int] = []
            for line in several:
                person = self.person(line)
                if person in people:
                    continue
                for place, other in enumerate(people):
                    if self._fit(other, person):
                        people[place] = self._join(other, person)
                        break
                else:
                    people.append(person)

    def _is_vague(self, line: int, identifier: Identifier) -> bool:
        """Return whether the Anthology made this id of the name alone: it "may refer to several people"."""
        scheme, value = identifier
        return scheme == "acl" and value == re.sub("[^a-z0-9]+", "-", fold(self._name_of(line))).strip("-")

    def _fit(self, one: int, other: int) -> bool:
        """Return whether two people whom an identifier calls one may be: no work names both, and the names are akin."""
        ours, theirs = self.members(one), self.members(other)
        forbidden, reserved = self.constraints([ours, theirs])
        if forbidden[0, 1] or reserved[0, 1]:
            return False
        return any(akin(a, b) for a in self._spellings(ours) for b in self._spellings(theirs))

    def _join(self, one: int, other: int) -> int:
        one, other = self.person(one), self.person(other)
        if one == other:
            return one
        members = self._members.setdefault(one, [one])
        members += self._members.pop(other, [other])
        self._parent[other] = one
        return one

    # --- What is known of a person ----------------------------------------------------------------------------

    def _name_of(self, line: int) -> str:
        return self._collection.names[self._collection.name_of[line]]

    def _spellings(self, lines: list[int]) -> set[Spelling]:
        c = self._collection
        return {c.spellings[c.spelling_of[line]] for line in lines}

    def _ids(self, lines: list[int]) -> dict[str, set[Identifier]]:
        """Return identifiers that tell people apart, by scheme.

        OpenAlex gave everybody a new id in mid-2023 (A5…): an older one may be anybody's.
        """
        found: dict[str, set[Identifier]] = defaultdict(set)
        for line in lines:
            for scheme, value in self._collection.ids.get(line, ()):
                if scheme != "openalex" or value.startswith("A5"):
                    found[scheme].add(self._name((scheme, value)))
        return found

    def _pins(self, lines: list[int]) -> set[int]:
        pins = self._collection.pins
        return {pins[line] for line in lines if line in pins}

    def _barred(self, lines: list[int]) -> set[int]:
        barred = self._collection.barred
        return {author for line in lines for author in barred.get(line, ())}


def akin(one: Spelling, other: Spelling) -> bool:
    """Return whether two names may be one person's at two times: compatible, or one of two names kept."""
    if shared(one, other) is not None:
        return True
    if one.family == other.family or other in aliases(one) or one in aliases(other):
        return True
    if len(one.first) > 1 and one.first == other.first:
        return True
    return not (one.family.isascii() and other.family.isascii())  # another script
