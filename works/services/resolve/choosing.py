"""Which author row each person found becomes, so that rows and their addresses stay where most of a person stays."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bzpeer.lib.sql import copy_rows, new_ids, query
from works.matching.papers import Collection, Identifier
from works.services.resolve.reading import Read

_PIN, _HOLDS_ORCID, _HOLDS_OTHER = 1_000_000, 1000, 100
_NEW = ("id", "display_name", "orcid", "works_count", "cited_by_count", "topics_count", "close_collaborators_count",
        "followers_count", "claimed", "suppressed", "version", "created_at", "updated_at")  # fmt: skip


class Chosen(NamedTuple):
    """lines: those judged. author: of each. declined: authors of whom only people may say that they are one.

    foreign: identifiers whose holders have lines that were not judged: nothing is said of them.
    """

    lines: NDArray[np.int64]
    author: NDArray[np.int64]
    declined: list[tuple[int, int]]
    foreign: frozenset[Identifier]


def choose_authors(
    read: Read, person: NDArray[np.int64], adopted: dict[Identifier, int], taken: set[int]
) -> Chosen:
    """Return the author of each line judged.

    adopted: identifiers that stand on no line, and a line of whose they are. taken: authors who are not to be had;
    takes in those chosen.

    Whose pinned lines a person has, else who holds their identifiers, else has most of their lines, else a new one.
    """
    collection = read.collection
    lines = np.flatnonzero(read.wanted)
    _, first, number = np.unique(person[lines], return_index=True, return_inverse=True)
    votes: dict[tuple[int, int], int] = defaultdict(int)
    standing = collection.standing[lines]
    having = standing > 0
    pairs, counts = np.unique(np.stack((number[having], standing[having])), axis=1, return_counts=True)
    had = set(pairs[0].tolist())
    for (group, author), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
        votes[group, author] = count
    pinned: set[tuple[int, int]] = set()
    if collection.pins:
        pinned = {
            (g, collection.pins[line])
            for line, g in zip(lines.tolist(), number.tolist(), strict=True)
            if line in collection.pins
        }
    for pair in pinned:
        votes[pair] += _PIN
    declined: list[tuple[int, int]] = []
    identifiers = _by_identifier(collection, lines, number)
    for identifier, line in adopted.items():
        identifiers[identifier].add(int(number[np.searchsorted(lines, line)]))
    holders = _holders(identifiers)
    present = set(pairs[1].tolist())
    elsewhere = _with_lines_elsewhere(set(holders.values()) - present)
    foreign = frozenset(identifier for identifier, author in holders.items() if author in elsewhere)
    for identifier, author in sorted(holders.items()):
        for group in identifiers[identifier] if identifier not in foreign else ():
            if author in read.claimed and group in had and (group, author) not in pinned:
                declined.append((group, author))
            elif author in present:
                votes[group, author] += _HOLDS_ORCID if identifier[0] == "orcid" else _HOLDS_OTHER
            else:  # a source describes somebody of whom no work was known
                votes[group, author] += 1
    sizes = np.bincount(number, minlength=len(first)).tolist()
    chosen = np.zeros(len(first), np.int64)
    for (group, author), _ in sorted(
        votes.items(), key=lambda vote: (-vote[1], vote[0][1], -sizes[vote[0][0]], vote[0][0])
    ):
        if not chosen[group] and author not in taken:
            chosen[group] = author
            taken.add(author)
    fresh = np.flatnonzero(chosen == 0)
    names = collection.name_of[lines[first[fresh]]].tolist()
    chosen[fresh] = make_authors([collection.names[name][:255] for name in names])
    declined = [(int(chosen[group]), author) for group, author in declined if chosen[group] != author]
    return Chosen(lines, chosen[number], declined, foreign)


def _by_identifier(
    collection: Collection, lines: NDArray[np.int64], number: NDArray[np.intp]
) -> dict[Identifier, set[int]]:
    found: dict[Identifier, set[int]] = defaultdict(set)
    if collection.ids:
        for line, group in zip(lines.tolist(), number.tolist(), strict=True):
            for identifier in collection.ids.get(line, ()):
                found[identifier].add(group)
    return found


def _holders(identifiers: dict[Identifier, set[int]]) -> dict[Identifier, int]:
    rows = query(
        "select scheme, value, coalesce(a.merged_into_id, a.id) from works_authoridentifier i"
        " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)"
        " join works_author a on a.id = i.author_id",
        [[scheme for scheme, _ in identifiers], [value for _, value in identifiers]],
    )
    return {(scheme, value): author for scheme, value, author in rows}


def _with_lines_elsewhere(authors: set[int]) -> set[int]:
    rows = query(
        "select distinct author_id from works_authorship where author_id = any(%s)", [sorted(authors)]
    )
    return {author for (author,) in rows}


def make_authors(names: list[str]) -> list[int]:
    """Return new author rows with these names."""
    if not names:
        return []
    numbers = new_ids("works_author", len(names))
    now = query("select now()")[0][0]
    copy_rows(
        "works_author", _NEW,
        ((number, name, "", 0, 0, 0, 0, 0, False, False, 1, now, now) for number, name in zip(numbers, names, strict=True)),
    )  # fmt: skip
    return numbers
