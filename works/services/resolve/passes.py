"""The two ways to resolve: place what is new, or judge everybody anew; and how far they are apart."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from bzpeer.lib.sql import execute, query
from works.matching.census import Census
from works.matching.papers import Collection
from works.matching.people import People, find_people
from works.services.catalogue import lock_catalogue
from works.services.resolve.adopting import adopt_described
from works.services.resolve.choosing import choose_authors
from works.services.resolve.hiding import pin_hidden
from works.services.resolve.reading import (
    SAMPLE,
    Read,
    Scope,
    read_everything,
    read_sample,
    read_scope,
    scope_of,
)
from works.services.resolve.suggesting import write_suggestions
from works.services.resolve.writing import delete_ghosts, write_people

PART = 400_000  # lines that are read at once
_CENSUS_SECONDS = 900.0


class Resolved(NamedTuple):
    lines: int
    people: int
    moved: int

    def __str__(self) -> str:
        return f"{self.lines:,} author lines are {self.people:,} people; {self.moved:,} lines changed their author."


class Distance(NamedTuple):
    """How far the authors that stand are from those of a full pass. joined, split: authors it would join, or split."""

    lines: int
    authors: int
    joined: int
    split: int

    def __str__(self) -> str:
        return (
            f"A full pass over {self.lines:,} author lines of {self.authors:,} authors would join {self.joined:,} of them"
            f" into others and split {self.split:,}."
        )


def resolve_works(work_ids: list[int]) -> None:
    """Give each authorship of these works its author. Call it in a transaction.

    Lines that have an author keep together: a pass never splits an author, but joins them where the evidence
    says so.
    """
    lock_catalogue()
    works, lines = query("select (select count(*) from works_work), (select count(*) from works_authorship)")[
        0
    ]
    if 2 * len(work_ids) >= works and lines <= PART:
        _resolve(read_everything(), keep_standing=True)
        return
    for scope in _parts(scope_of(work_ids)):
        _resolve(read_scope(scope, whole_authors=True), keep_standing=True)


def resolve_all(say: Callable[[str], None] = lambda words: None) -> Resolved:
    """Judge every line anew, but for what people decided: the order of imports no longer matters."""
    done, taken = Resolved(0, 0, 0), set[int]()
    with transaction.atomic():
        lock_catalogue()
        blocks = _blocks()
    parts = list(_parts(Scope([block for block, _ in blocks], []), blocks))
    for number, scope in enumerate(parts, 1):
        with transaction.atomic():
            lock_catalogue()
            read = read_everything() if len(parts) == 1 else read_scope(scope, whole_authors=False)
            say(f"{int(read.wanted.sum()):,} author lines, part {number} of {len(parts)}")
            found = _resolve(read, keep_standing=False, taken=taken)
            done = Resolved(*(a + b for a, b in zip(done, found, strict=True)))
    with transaction.atomic():
        lock_catalogue()
        if len(parts) > 1:
            resolve_works(_works_of_shared_identifiers())
        delete_ghosts(everywhere=True)
        execute("delete from works_mark where what = 'resolve' and not dead")
    return done


def distance_from_full(work_ids: list[int] | None = None) -> Distance:
    """Return what a full pass would change: among all authors, or those whom the authors of works could be."""
    with transaction.atomic():
        blocks = _blocks() if work_ids is None else []
        scope = Scope([block for block, _ in blocks], []) if work_ids is None else scope_of(work_ids)
        parts = list(_parts(scope, blocks or None))
        found = Distance(0, 0, 0, 0)
        for part in parts:
            everything = work_ids is None and len(parts) == 1
            read = read_everything() if everything else read_scope(part, whole_authors=True)
            person, _ = adopt_described(read, _people(read, keep_standing=False).person)
            found = Distance(*(a + b for a, b in zip(found, _compare(read, person), strict=True)))
    return found


def _resolve(read: Read, *, keep_standing: bool, taken: set[int] | None = None) -> Resolved:
    """taken: authors who are somebody in another part already; takes in those of this one."""
    if not read.wanted.any():
        return Resolved(0, 0, 0)
    pin_hidden(read)
    people = _people(read, keep_standing=keep_standing)
    person, adopted = adopt_described(read, people.person)
    chosen = choose_authors(read, person, adopted, set() if taken is None else taken)
    moved = write_people(read, chosen, adopted)
    write_suggestions(read, chosen, person, people.near)
    return Resolved(len(chosen.lines), len(np.unique(chosen.author)), moved)


def _people(read: Read, *, keep_standing: bool) -> People:
    execute("set local idle_in_transaction_session_timeout = 0")  # what follows asks the database nothing
    return find_people(
        read.collection, _census(read.collection), wanted=read.wanted, keep_standing=keep_standing,
        linked=[record.telling for record in read.described], claimed=read.claimed,
    )  # fmt: skip


def _compare(read: Read, person: NDArray[np.int64]) -> Distance:
    lines = np.flatnonzero(read.wanted & (read.collection.standing > 0))
    pairs = np.unique(np.stack((person[lines], read.collection.standing[lines])), axis=1)
    persons, authors = len(np.unique(pairs[0])), len(np.unique(pairs[1]))
    return Distance(len(lines), authors, _excess(pairs[0], persons), _excess(pairs[1], authors))


def _excess(several: NDArray[np.int64], distinct: int) -> int:
    return len(several) - distinct


# --- Parts and what is common in all of them ------------------------------------------------------------------------


def _blocks() -> list[tuple[str, int]]:
    """Return all name blocks with their lines, in an order that depends on nothing else."""
    return query(
        "select name_block, count(*) from works_authorship group by 1 order by md5(name_block), name_block"
    )


def _parts(scope: Scope, blocks: list[tuple[str, int]] | None = None) -> Iterator[Scope]:
    """Yield a scope in parts of at most PART lines."""
    if blocks is None:
        blocks = query(
            "select name_block, count(*) from works_authorship where name_block = any(%s) group by 1 order by 1",
            [scope.blocks],
        )
    part: list[str] = []
    size = len(scope.authorships)
    authorships = scope.authorships
    for block, lines in blocks or []:
        if part and size + lines > PART:
            yield Scope(part, authorships)
            part, size, authorships = [], 0, []
        part.append(block)
        size += lines
    if part or authorships:
        yield Scope(part, authorships)


def _works_of_shared_identifiers() -> list[int]:
    """Return the works of lines that bear an identifier which lines of another author bear, too."""
    rows = query(
        "with held as (select v.scheme, v.value, a.author_id, a.work_id from works_authorship a cross join lateral"
        " (values ('orcid', orcid), ('openalex', openalex_id), ('acl', acl_id), ('dblp', dblp_id)) v (scheme, value) where v.value <> '')"
        " select distinct h.work_id from held h join (select scheme, value from held group by 1, 2"
        "  having count(distinct author_id) > 1) s using (scheme, value)"
    )
    return [work for (work,) in rows]


class _Counted(NamedTuple):
    lines: int
    at: float
    census: Census


_counted: list[_Counted] = []


def _census(collection: Collection) -> Census:
    """Return what is common, learnt from the lines at hand where they are most there are, else from a sample."""
    total = query("select count(*) from works_authorship")[0][0]
    if 2 * len(collection) >= total:
        return Census.of(collection)
    if (
        _counted
        and time.monotonic() - _counted[0].at < _CENSUS_SECONDS
        and abs(_counted[0].lines - total) * 10 < total
    ):
        return _counted[0].census
    census = Census.of(read_sample(total))
    # A small collection changes quickly and is soon read.
    _counted[:] = [_Counted(total, time.monotonic(), census)] if total > SAMPLE else []
    return census
