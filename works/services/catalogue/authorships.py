"""Write author lists; who stood on a line before stays there where it is surely the same line."""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from bzpeer.lib.names import split_name
from bzpeer.lib.sql import copy_rows, encoded_json, execute, new_ids, query
from works.ingest.merging import Merged, name_key
from works.ingest.records import AuthorshipRecord
from works.models import Mark
from works.services.catalogue.finding import authors_of
from works.services.entities import place_institutions
from works.services.marks import mark

_COLUMNS = (
    "id", "work_id", "author_id", "index", "author_position", "raw_author_name", "display_name", "orcid", "openalex_id",
    "acl_id", "dblp_id", "is_corresponding", "raw_affiliation_strings", "name_variants", "name_block", "record_id",
)  # fmt: skip
_READ = (
    "select a.work_id, a.raw_author_name, a.display_name, a.orcid, a.openalex_id, a.acl_id, a.dblp_id, a.is_corresponding,"
    " a.raw_affiliation_strings, a.name_variants, a.author_id, a.record_id,"
    " array(select institution_id from works_authorshipinstitution i where i.authorship_id = a.id and not matched"
    "  order by institution_id)"
    " from works_authorship a where work_id = any(%s) order by work_id, index"
)
# Places in a row of _READ without its work.
_ORCID, _AUTHOR = 2, 9
_NOTHING = encoded_json(b"[]")


class Written(NamedTuple):
    """works: those whose authors must be found again. unplaced: of these, who have affiliation strings to look up."""

    works: set[int]
    unplaced: set[int]


def write_authorships(merged: dict[int, Merged], existing: set[int]) -> Written:
    """Write author lists that differ from what stands. existing: works that may have a list already."""
    institutions = place_institutions(
        [
            (i, key)
            for work in merged.values()
            for authorship, key in work.authorships
            for i in authorship.institutions
        ]
    )
    standing: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in query(_READ, [list(existing)]) if existing else []:
        standing[row[0]].append(row[1:])
    wanted: dict[int, list[tuple[AuthorshipRecord, int, list[int]]]] = {}
    for work_id, work in merged.items():
        rows = [
            (authorship, key, sorted({institutions[i] for i in authorship.institutions}))
            for authorship, key in work.authorships
        ]
        if work_id in standing:
            signature = [(*_facts(a), key, found) for a, key, found in rows]
            if signature == [(*row[:_AUTHOR], row[10], row[11]) for row in standing[work_id]]:
                continue
        if rows or work_id in standing:
            wanted[work_id] = rows
    if not wanted:
        return Written(set(), set())
    if standing:
        changed = [work_id for work_id in wanted if work_id in standing]
        authors = authors_of(changed)
        mark(Mark.What.COUNTS, authors, "authors changed")
        mark(Mark.What.COLLABORATIONS, authors, "authors changed")
        execute(
            "delete from works_authorshipinstitution using works_authorship a where authorship_id = a.id and a.work_id = any(%s)",
            [changed],
        )
        execute("delete from works_authorship where work_id = any(%s)", [changed])
    numbers = iter(new_ids("works_authorship", sum(len(rows) for rows in wanted.values())))
    authorships, links, unplaced = [], [], set()
    for work_id, rows in wanted.items():
        keep = (
            _kept_authors(standing[work_id], [authorship for authorship, _, _ in rows])
            if work_id in standing
            else [None] * len(rows)
        )
        last = len(rows) - 1
        for index, (authorship, key, found) in enumerate(rows):
            number = next(numbers)
            position = "first" if index == 0 else "last" if index == last else "middle"
            raw, shown, orcid, openalex, acl, dblp, corresponding, strings, variants = _facts(authorship)
            authorships.append(
                (
                    number, work_id, keep[index], index, position, raw, shown, orcid, openalex, acl, dblp, corresponding,
                    Jsonb(strings) if strings else _NOTHING, Jsonb(variants) if variants else _NOTHING,
                    name_block(authorship.name), key,
                )
            )  # fmt: skip
            links += [(number, institution, False) for institution in found]
            if strings and not found:
                unplaced.add(work_id)
    copy_rows("works_authorship", _COLUMNS, authorships)
    copy_rows("works_authorshipinstitution", ("authorship_id", "institution_id", "matched"), links)
    return Written(set(wanted), unplaced)


def _facts(authorship: AuthorshipRecord) -> tuple[Any, ...]:
    return (
        authorship.raw_name, authorship.display_name, authorship.orcid, authorship.openalex, authorship.acl, authorship.dblp,
        authorship.is_corresponding, list(authorship.raw_affiliations), list(authorship.variants),
    )  # fmt: skip


def _kept_authors(rows: list[tuple[Any, ...]], now: list[AuthorshipRecord]) -> list[int | None]:
    """Return who stood on each line of a changed list: what people decided hangs on it (claimed, hidden).

    Asked in turn: the same name and ids, the same folded name, the same place and name block; each only
    where one line alone fits before and now, and no ORCID speaks against it.
    """
    keys: list[tuple[Callable[[int, Any], Any], Callable[[int, AuthorshipRecord], Any]]] = [
        (lambda i, row: (row[1] or row[0], row[2], row[3]), lambda i, a: (a.name, a.orcid, a.openalex)),
        (lambda i, row: name_key(row[1] or row[0]), lambda i, a: name_key(a.name)),
        (lambda i, row: (i, name_block(row[1] or row[0])), lambda i, a: (i, name_block(a.name))),
    ]
    kept: list[int | None] = [None] * len(now)
    before = dict(enumerate(rows))
    left = dict(enumerate(now))
    for of_row, of_record in keys:
        standing = _alone({i: of_row(i, row) for i, row in before.items()})
        for key, i in _alone({i: of_record(i, record) for i, record in left.items()}).items():
            old = standing.get(key)
            if old is None or (before[old][_ORCID] and now[i].orcid and before[old][_ORCID] != now[i].orcid):
                continue
            kept[i] = before.pop(old)[_AUTHOR]
            del left[i]
    return kept


def _alone(keys: dict[int, Any]) -> dict[Any, int]:
    """Return the places of keys that stand at one place only."""
    counts = Counter(keys.values())
    return {key: place for place, key in keys.items() if counts[key] == 1}


@lru_cache(50_000)
def name_block(name: str) -> str:
    """Return the folded family name and first initial: only people of one block can be the same by name."""
    parts = split_name(name).folded
    initial = parts.given[0][:1] if parts.given else ""
    return f"{parts.family.replace('-', ' ')[:90]} {initial}".strip()
