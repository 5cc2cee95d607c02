"""Whose a thing is, after everything that people said of records. Pure: no database, no clock.

A thing (an authorship, a source's record) is somebody's to begin with. Events that stand move it, in the order in
which they were made: a merge takes whatever the record that ended had by then, a split takes what it names. So
taking one event back changes nothing that another event, or an import, did.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

Thing = Hashable


class Event(NamedTuple):
    """A regrouping. kept: the record that stands, or was divided. other: the one that ended, or began.

    things: those it moved when it was made, each with whose it was before any event.
    """

    id: int
    joins: bool
    kept: int
    other: int
    things: frozenset[tuple[Thing, int]]
    stands: bool = True


def path(thing: Thing, base: int, events: Sequence[Event]) -> list[int]:
    """Return whose a thing was, one after the other, the last being whose it is. events: in their order."""
    owners = [base]
    for event in events:
        if not event.stands:
            continue
        if event.joins and owners[-1] == event.other:
            owners.append(event.kept)
        elif not event.joins and (thing, base) in event.things:
            owners.append(event.other)
    root = roots(events).get(owners[-1], owners[-1])  # a merge that was redone after a later one came to pass
    return owners if root == owners[-1] else [*owners, root]


def owners(events: Sequence[Event]) -> dict[tuple[Thing, int], int]:
    """Return whose every thing is that an event ever moved, by (thing, base)."""
    return {
        (thing, base): path(thing, base, events)[-1]
        for thing, base in sorted({known for event in events for known in event.things}, key=repr)
    }


def roots(events: Iterable[Event]) -> dict[int, int]:
    """Return where the records that merges ended lead to, through several merges."""
    into = {event.other: event.kept for event in events if event.joins and event.stands}
    found: dict[int, int] = {}
    for number in into:
        seen, place = {number}, number
        while (after := into.get(place)) is not None and after not in seen:
            seen.add(after)
            place = after
        found[number] = place
    return found


def flipped(events: Iterable[Event], number: int, *, stands: bool) -> list[Event]:
    """Return the events with one of them taken back, or standing again."""
    return [event._replace(stands=stands) if event.id == number else event for event in events]


def seats(
    now: dict[Thing, int], wanted: dict[Thing, int], taken: frozenset[int] | set[int]
) -> dict[Thing, int]:
    """Return where the things of one list end up, where each owner has one place at most.

    now: where they are. wanted: where they should be. taken: owners whose place something else has. Whatever
    cannot go to its place stays where it is.
    """
    moving = {thing for thing, owner in now.items() if wanted.get(thing, owner) != owner}
    while True:
        places = {thing: wanted[thing] if thing in moving else owner for thing, owner in now.items()}
        blocked: set[Thing] = set()
        first: dict[int, Thing] = {}
        for thing in sorted(places, key=lambda thing: (thing in moving, repr(thing))):
            owner = places[thing]
            if owner in taken or owner in first:
                blocked |= {thing} & moving
            first.setdefault(owner, thing)
        if not blocked:
            return places
        moving -= blocked
