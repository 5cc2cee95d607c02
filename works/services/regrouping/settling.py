"""Bring authorships, addresses, pins and identifiers in line with what people said of authors.

Settling is the one way in which a merge, a split, and taking either back are carried out: the events say whose each
line is, and only what differs is written. It may run at any time and changes nothing the second time.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from bzpeer.lib.sql import execute, query
from works.models import Mark
from works.services.marks import mark
from works.services.regrouping.identifiers import settle_identifiers
from works.services.regrouping.replay import Event, owners, path, roots, seats
from works.services.regrouping.terms import Line

MADE = "regrouping"  # reason of the decisions that regrouping makes; people's own are never touched
_Known = tuple[int, int]  # a line: its work, and whose it was before any regrouping


class Settled(NamedTuple):
    """lines: those that moved. stayed: those that could not. before, after: where authors led to."""

    lines: list[Line]
    stayed: list[Line]
    before: dict[int, int]
    after: dict[int, int]


def settle(earlier: list[Event], events: list[Event]) -> Settled:
    """Carry out what events say. earlier: the same events as they stood before. Call it with the catalogue locked."""
    authors = sorted({author for event in events for author in (event.kept, event.other)})
    before = _led_to(authors)
    now = _found(authors, earlier, events)
    wanted = {line: owner for line, owner in _lines(owners(events)).items() if line in now}
    places = _places(now, wanted, authors)
    lines = [Line(line[0], now[line], place) for line, place in places.items() if place != now[line]]
    stayed = [Line(line[0], places[line], owner) for line, owner in wanted.items() if places[line] != owner]
    _move(lines)
    redirected = _redirect(earlier, events, authors)
    _pin(events, places, authors)
    touched = {author for line in lines for author in (line.old, line.new)} | redirected
    touched |= settle_identifiers(events, authors, touched)
    after = _led_to(authors)
    follow(before, after)
    execute(
        "update works_author set version = version + 1, updated_at = now() where id = any(%s)",
        [sorted(touched)],
    )
    ended = [author for author in authors if after[author] != author]
    execute(
        "delete from works_suggestion where author_a_id = any(%s) or author_b_id = any(%s)", [ended, ended]
    )
    for what in (Mark.What.COUNTS, Mark.What.COLLABORATIONS, Mark.What.TRUST):
        mark(what, touched, "regrouped")
    mark(Mark.What.CATALOGUE, {line.work for line in lines}, "regrouped")
    return Settled(lines, stayed, before, after)


def own_refusals(works: Iterable[int], authors: Iterable[int]) -> set[tuple[int, int]]:
    """Return the (work, author) of which people themselves said that it is not theirs."""
    return set(
        query(
            "select work_id, author_id from works_authorshipdecision where not is_theirs and reason not like %s"
            " and work_id = any(%s) and author_id = any(%s)",
            [f"{MADE}%", sorted(set(works)), sorted(set(authors))],
        )
    )


def bases_of(authors: Iterable[int], events: list[Event]) -> dict[tuple[int, int], int]:
    """Return for each line of authors, as (work, author), whose it was before any regrouping."""
    wanted = set(authors)
    known = {
        (work, author): base
        for (work, base), author in _found(sorted(wanted), events, events).items()
        if author in wanted
    }
    rows = query(
        "select work_id, author_id from works_authorship where author_id = any(%s)", [sorted(wanted)]
    )
    return {(work, author): known.get((work, author), author) for work, author in rows}


# --- Lines ----------------------------------------------------------------------------------------------------


def _lines(owners_of: dict[tuple[object, int], int]) -> dict[_Known, int]:
    return {(thing, base): owner for (thing, base), owner in owners_of.items() if isinstance(thing, int)}


def _found(authors: list[int], earlier: list[Event], events: list[Event]) -> dict[_Known, int]:
    """Return which author has each line now; a line that an import or its owner took elsewhere is left out."""
    expected = _lines(owners(earlier))
    everybody = sorted({*authors, *(base for _, base in expected), *expected.values()})
    rows = set(
        query(
            "select work_id, author_id from works_authorship where work_id = any(%s) and author_id = any(%s)",
            [sorted({work for work, _ in expected}), everybody],
        )
    )
    found = {line: owner for line, owner in expected.items() if (line[0], owner) in rows}
    rows -= {(line[0], owner) for line, owner in found.items()}
    # One that stayed where somebody was in its way stands with an author whose it once was.
    for line in sorted(expected.keys() - found.keys()):
        once = [
            *path(*line, earlier),
            *path(*line, events),
            *path(*line, [e._replace(stands=True) for e in events]),
        ]
        for author in reversed(once):
            if (line[0], author) in rows:
                found[line] = author
                rows.discard((line[0], author))
                break
    return found


def _places(now: dict[_Known, int], wanted: dict[_Known, int], authors: list[int]) -> dict[_Known, int]:
    """Return who has each line afterwards: nobody stands on a list twice, nor where they said they do not belong."""
    works = {work for work, _ in now}
    goals = {*wanted.values()}
    refused = own_refusals(works, goals)
    taken: dict[int, set[int]] = defaultdict(set)
    ours = {(line[0], owner) for line, owner in now.items()}
    for row in query(
        "select work_id, author_id from works_authorship where work_id = any(%s) and author_id = any(%s)",
        [sorted(works), sorted({*authors, *goals})],
    ):
        if row not in ours:
            taken[row[0]].add(row[1])
    by_work: dict[int, dict[_Known, int]] = defaultdict(dict)
    for line, owner in now.items():
        by_work[line[0]][line] = owner
    places: dict[_Known, int] = {}
    for work, lines in by_work.items():
        goal = {line: wanted[line] for line in lines if (work, wanted[line]) not in refused}
        places |= seats(lines, goal, taken[work])  # type: ignore[arg-type]
    return places


def _move(lines: list[Line]) -> None:
    execute(
        "update works_authorship a set author_id = m.new from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as m (work, old, new)"
        " where a.work_id = m.work and a.author_id = m.old",
        [[line.work for line in lines], [line.old for line in lines], [line.new for line in lines]],
    )


# --- Addresses ------------------------------------------------------------------------------------------------


def _led_to(authors: list[int]) -> dict[int, int]:
    return dict(
        query("select id, coalesce(merged_into_id, id) from works_author where id = any(%s)", [authors])
    )


def _ends(events: list[Event], lineless: set[int]) -> dict[int, int]:
    """Return where authors lead to that do not stand: merged ones, and new ones whose split was taken back."""
    into = roots(events)
    for event in events:
        if not event.joins and not event.stands and event.other in lineless and event.other not in into:
            into[event.other] = event.kept
    return {author: _root(author, into) for author in into}


def _root(author: int, into: dict[int, int]) -> int:
    seen = set[int]()
    while author in into and author not in seen:
        seen.add(author)
        author = into[author]
    return author


def _redirect(earlier: list[Event], events: list[Event], authors: list[int]) -> set[int]:
    """Write where authors lead to, if that changed; return whose did. An author who came back stands again."""
    having = {
        a
        for (a,) in query(
            "select distinct author_id from works_authorship where author_id = any(%s)", [authors]
        )
    }
    others = {event.other for event in events}
    was, ends = _ends(earlier, others), _ends(events, others - having)
    standing = _led_to(authors)
    changed = {}
    for author in others:
        new = ends.get(author)
        new = standing.get(new, new) if new else None  # the one that stands may have been merged by an import
        if new == author:
            new = None
        led = standing[author] if standing[author] != author else None
        if new != led and (new is not None or author in was):
            changed[author] = new
    execute(
        "update works_author a set merged_into_id = m.new from unnest(%s::bigint[], %s::bigint[]) as m (id, new) where a.id = m.id",
        [list(changed), list(changed.values())],
    )
    return set(changed) | {new for new in changed.values() if new} | {standing[author] for author in changed}


def follow(before: dict[int, int], after: dict[int, int]) -> None:
    """Have those whom imports merged into an author lead where that one leads; a redirect remembers who that was."""
    changed = [author for author in before if before[author] != after[author]]
    execute(
        "insert into works_redirect (kind, old_pid, new_pid, created_at) select 'author', a.pid, o.pid, now()"
        " from works_author a join works_author o on o.id = a.merged_into_id"
        " where a.merged_into_id = any(%s) and a.id <> all(%s) on conflict do nothing",
        [changed, list(before)],
    )
    execute(
        "update works_author a set merged_into_id = m.after from unnest(%s::bigint[], %s::bigint[]) as m (id, after),"
        " works_author o, works_redirect r where o.id = m.id and r.kind = 'author' and r.new_pid = o.pid"
        " and a.pid = r.old_pid and a.id <> all(%s) and a.id <> m.after and a.merged_into_id is distinct from m.after",
        [changed, [after[author] for author in changed], list(before)],
    )


# --- What imports obey ------------------------------------------------------------------------------------------


def _pin(events: list[Event], places: dict[_Known, int], authors: list[int]) -> None:
    """Keep the decisions that regrouping makes in step: theirs where a line went, not theirs where it left."""
    standing = [event for event in events if event.stands]
    leads = _led_to(sorted({*authors, *(base for _, base in places)}))
    moved = {thing for event in standing for thing in event.things if isinstance(thing[0], int)}
    wanted: dict[tuple[int, int], bool] = {}
    for (work, base), place in places.items():
        if (work, base) in moved:
            for author in path(work, base, standing)[:-1]:
                if leads.get(author, author) != leads.get(place, place):
                    wanted.setdefault((author, work), False)
    for (work, base), place in places.items():
        if (work, base) in moved:
            wanted[place, work] = True
    works = sorted({work for event in events for work, _ in event.things if isinstance(work, int)})
    execute(
        "delete from works_authorshipdecision d where reason like %s and work_id = any(%s) and author_id = any(%s)"
        " and not exists (select 1 from unnest(%s::bigint[], %s::bigint[], %s::bool[]) as w (author, work, theirs)"
        "  where w.author = d.author_id and w.work = d.work_id and w.theirs = d.is_theirs)",
        [f"{MADE}%", works, sorted({*authors, *leads}), *_columns(wanted)],
    )
    execute(
        "insert into works_authorshipdecision (author_id, work_id, is_theirs, reason, created_at)"
        " select author, work, theirs, %s, now() from unnest(%s::bigint[], %s::bigint[], %s::bool[]) as w (author, work, theirs)"
        " on conflict do nothing",
        [MADE, *_columns(wanted)],
    )


def _columns(wanted: dict[tuple[int, int], bool]) -> list[list[int]]:
    return [[author for author, _ in wanted], [work for _, work in wanted], list(wanted.values())]
