"""From providers' records to the catalogue: find the work of each record and write what its records say."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from psycopg.types.json import Jsonb

from bzpeer.lib.markup import render
from bzpeer.lib.names import split_name
from bzpeer.lib.sql import copy_rows, execute, lock_for_transaction, query, update_rows
from works.ingest.merging import Merged, could_be_one, merge, name_key, same_work, title_key
from works.ingest.records import AuthorshipRecord, WorkRecord, decode
from works.models import Mark, Work
from works.services.counts import recount_institutions, recount_sources, recount_topics
from works.services.entities import place_institutions, place_sources, place_topics
from works.services.marks import mark

CATALOGUE_LOCK = 100
_SOFT = ("doi", "pmid")  # typed by hand into other sources: a wrong one must not join two works
MOST_OF_ONE_TITLE = 50  # "Table of contents", "Author index": a title of many works tells nothing

Identifier = tuple[str, str]
Links = set[tuple[str, int, int]]


def lock_catalogue() -> None:
    """Be the one who writes works and authorships, until the end of the transaction."""
    lock_for_transaction(CATALOGUE_LOCK)


def place_records(records: dict[int, WorkRecord]) -> None:
    """Write what changed records say (key: SourceRecord id). Call it in the transaction of the records.

    One caller writes at a time: two importers that bring the same new work would both make it.
    """
    if not records:
        return
    lock_catalogue()
    before: Links = set()
    works = _find_works(records, before)
    all_records = _records_of(set(works.values()), records)
    merged = {work_id: merge(found) for work_id, found in all_records.items()}
    _write_works(merged)
    _write_identifiers(merged)
    _write_topics(merged)
    _write_references(merged)
    changed = _write_authorships(merged)
    mark(Mark.What.RESOLVE, changed, "imported")
    mark(Mark.What.CATALOGUE, merged, "imported")
    kept = [work_id for work_id in merged if work_id not in changed]
    mark(Mark.What.COUNTS, _authors_of(kept), "imported")
    _recount_lost(before, _links(list(merged)))


def _steady(item: tuple[int, WorkRecord]) -> tuple[str, str]:
    """Order records by what they are, so that the order of files does not matter."""
    return item[1].provider, item[1].record_id


# --- Which work ------------------------------------------------------------------------------------------


def _find_works(records: dict[int, WorkRecord], before: Links) -> dict[int, int]:
    """Return the work of each record, made where it is new; works that turn out to be one are joined.

    before: takes in what the works found were counted under until now.
    """
    parent: dict[Any, Any] = {}

    def root(node: Any) -> Any:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(one: Any, other: Any) -> None:
        parent[root(other)] = root(one)

    for key, work_id in query(
        "select id, work_id from works_sourcerecord where id = any(%s)", [list(records)]
    ):
        root(("record", key))
        if work_id:
            join(("record", key), ("work", work_id))
    soft: dict[Identifier, list[tuple[Any, WorkRecord]]] = defaultdict(list)
    wanted = sorted({identifier for record in records.values() for identifier in record.identifiers})
    known = _known_works(wanted)
    held = _records_of({work_id for (scheme, _), work_id in known.items() if scheme in _SOFT}, {})
    for identifier, work_id in known.items():
        if identifier[0] in _SOFT:
            soft[identifier] += [(("work", work_id), record) for record in held[work_id].values()]
        else:
            join(("identifier", identifier), ("work", work_id))
    for key, record in sorted(records.items(), key=_steady):
        for identifier in record.identifiers:
            if identifier[0] not in _SOFT:
                join(("identifier", identifier), ("record", key))
                continue
            for node, other in soft[identifier]:
                if could_be_one(record, other):
                    join(node, ("record", key))
                    break
            soft[identifier].append((("record", key), record))
    _join_by_title(records, root, join)

    members: dict[Any, list[Any]] = defaultdict(list)
    for node in list(parent):
        members[root(node)].append(node)
    works: dict[int, int] = {}
    fresh: list[list[int]] = []
    standing: list[list[int]] = []
    for nodes in members.values():
        keys = sorted(number for kind, number in nodes if kind == "record")
        found = sorted(number for kind, number in nodes if kind == "work")
        if not found:
            fresh.append(keys)
            continue
        standing.append(found)
        works.update(dict.fromkeys(keys, found[0]))
    before.update(_links([number for found in standing for number in found]))
    for found in standing:
        if len(found) > 1:
            _join_works(found[0], found[1:])
    made = Work.objects.bulk_create([Work(type="other") for _ in fresh])
    for work, keys in zip(made, fresh, strict=True):
        works.update(dict.fromkeys(keys, work.pk))
    execute(
        "update works_sourcerecord r set work_id = w.work_id from unnest(%s::bigint[], %s::bigint[]) as w (id, work_id)"
        " where r.id = w.id and r.work_id is distinct from w.work_id",
        [list(works), list(works.values())],
    )
    return works


def _join_by_title(records: dict[int, WorkRecord], root: Any, join: Any) -> None:
    """Join records that no identifier placed to works and to each other by title, year and authors."""
    keys = {key: title_key(render(record.title, blocks=False).plain) for key, record in records.items()}
    by_title: dict[str, list[tuple[Any, WorkRecord]]] = defaultdict(list)
    for work_id, title, payload in query(
        "select w.id, w.title_key, r.payload::text from works_work w join works_sourcerecord r on r.work_id = w.id"
        " where w.title_key in (select title_key from works_work where title_key = any(%s) and title_key <> ''"
        "  group by title_key having count(*) <= %s) order by w.id, r.id",
        [sorted(set(keys.values()) - {""}), MOST_OF_ONE_TITLE],
    ):
        by_title[title].append((("work", work_id), decode(payload)))
    for key, record in sorted(records.items(), key=_steady):
        if not keys[key]:
            continue
        node = ("record", key)
        for other, theirs in by_title[keys[key]][:MOST_OF_ONE_TITLE]:
            if root(other) != root(node) and same_work(record, theirs):
                join(other, node)
        by_title[keys[key]].append((node, record))


def _join_works(kept: int, gone: list[int]) -> None:
    """Give the records of works that turned out to be one to the work kept; their addresses lead there for ever."""
    mark(Mark.What.COUNTS, _authors_of(gone), "works joined")
    mark(Mark.What.COLLABORATIONS, _authors_of(gone), "works joined")
    execute("update works_sourcerecord set work_id = %s where work_id = any(%s)", [kept, gone])
    execute(
        "update works_redirect set new_pid = works_pid(%s) where kind = 'work' and new_pid = any(select works_pid(id) from unnest(%s::bigint[]) id)",
        [kept, gone],
    )
    execute(
        "insert into works_redirect (kind, old_pid, new_pid, created_at)"
        " select 'work', works_pid(id), works_pid(%s), now() from unnest(%s::bigint[]) id on conflict do nothing",
        [kept, gone],
    )
    # What other apps hang on a work (a correction asked for, an invitation) goes with it; no need to know them.
    for relation in Work._meta.related_objects:
        if relation.related_model._meta.app_label != "works":
            rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": gone})
            rows.update(**{relation.field.name: kept})
    Work.objects.filter(pk__in=gone).delete()


def _records_of(work_ids: set[int], changed: dict[int, WorkRecord]) -> dict[int, dict[int, WorkRecord]]:
    found: dict[int, dict[int, WorkRecord]] = defaultdict(dict)
    for key, work_id, payload in query(
        "select id, work_id, payload::text from works_sourcerecord where work_id = any(%s)",
        [sorted(work_ids)],
    ):
        found[work_id][key] = changed.get(key) or decode(payload)
    return found


def _authors_of(work_ids: Iterable[int]) -> list[int]:
    rows = query(
        "select distinct author_id from works_authorship where work_id = any(%s) and author_id is not null",
        [list(work_ids)],
    )
    return [author_id for (author_id,) in rows]


# --- What its records say ----------------------------------------------------------------------------------


_COLUMNS = (
    "type", "title", "title_html", "abstract", "abstract_html", "title_key", "publication_date", "publication_year",
    "source_id", "language", "license", "is_oa", "is_retracted", "cited_by_count", "authors_count", "provenance",
)  # fmt: skip


def _links(work_ids: list[int]) -> Links:
    """Return what these works are counted under: ("topic" | "institution" | "source", its id, the work's id)."""
    return set(
        query(
            "select 'topic', topic_id, work_id from works_worktopic where work_id = any(%(ids)s)"
            " union select 'institution', i.institution_id, a.work_id from works_authorshipinstitution i"
            "  join works_authorship a on a.id = i.authorship_id where a.work_id = any(%(ids)s)"
            " union select 'source', source_id, id from works_work where id = any(%(ids)s) and source_id is not null",
            {"ids": work_ids},  # type: ignore[arg-type]
        )
    )


def _recount_lost(before: Links, now: Links) -> None:
    """Recount what lost a work; what has one is recounted with the work's mark."""
    lost: dict[str, set[int]] = defaultdict(set)
    for kind, number, _ in before - now:
        lost[kind].add(number)
    recount_topics(sorted(lost["topic"]))
    recount_institutions(sorted(lost["institution"]))
    recount_sources(sorted(lost["source"]))


def _write_works(merged: dict[int, Merged]) -> None:
    sources = place_sources(
        [(work.source, work.provenance["source"]) for work in merged.values() if work.source]
    )
    rows = []
    for work_id, work in merged.items():
        title, abstract = render(work.title, blocks=False), render(work.abstract)
        values = work.fields | {
            "title": title.plain, "title_html": title.html, "abstract": abstract.plain, "abstract_html": abstract.html,
            "title_key": title_key(title.plain), "source_id": sources.get(work.source) if work.source else None,
            "authors_count": len(work.authorships), "provenance": Jsonb(work.provenance),
        }  # fmt: skip
        rows.append((work_id, *(values[column] for column in _COLUMNS)))
    update_rows("works_work", _COLUMNS, rows, also="updated_at = now()")


def _write_identifiers(merged: dict[int, Merged]) -> None:
    execute("delete from works_workidentifier where work_id = any(%s)", [list(merged)])
    rows = {
        identifier: (work_id, key)
        for work_id, work in merged.items()
        for identifier, key in work.identifiers.items()
    }
    # One that two works claim stays with whom it stands already.
    taken = _known_works(rows)
    copy_rows(
        "works_workidentifier", ("scheme", "value", "work_id", "record_id"),
        ((*identifier, *row) for identifier, row in rows.items() if identifier not in taken),
    )  # fmt: skip
    # Works that cited these before they came.
    execute(
        "update works_citation c set cited_work_id = i.work_id from works_workidentifier i where i.work_id = any(%s)"
        " and c.scheme = i.scheme and c.value = i.value and c.cited_work_id is distinct from i.work_id",
        [list(merged)],
    )


def _write_topics(merged: dict[int, Merged]) -> None:
    topics = place_topics([topic for work in merged.values() for topic, _ in work.topics.values()])
    execute("delete from works_worktopic where work_id = any(%s)", [list(merged)])
    rows: dict[tuple[int, int], tuple[float, bool, int]] = {}
    for work_id, work in merged.items():
        for key, (topic, record) in work.topics.items():
            rows.setdefault((work_id, topics[key]), (topic.score, topic.is_primary, record))
    copy_rows(
        "works_worktopic",
        ("work_id", "topic_id", "score", "is_primary", "record_id"),
        ((*key, *value) for key, value in rows.items()),
    )


def _write_references(merged: dict[int, Merged]) -> None:
    execute("delete from works_citation where work_id = any(%s)", [list(merged)])
    rows = [
        (work_id, *reference, key)
        for work_id, work in merged.items()
        for reference, key in work.references.items()
    ]
    known = _known_works({(scheme, value) for _, scheme, value, _ in rows})
    copy_rows(
        "works_citation", ("work_id", "scheme", "value", "record_id", "cited_work_id"),
        ((work_id, scheme, value, key, known.get((scheme, value))) for work_id, scheme, value, key in rows),
    )  # fmt: skip


def _known_works(identifiers: Iterable[Identifier]) -> dict[Identifier, int]:
    identifiers = list(identifiers)
    rows = query(
        "select scheme, value, work_id from works_workidentifier"
        " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)",
        [[scheme for scheme, _ in identifiers], [value for _, value in identifiers]],
    )
    return {(scheme, value): work_id for scheme, value, work_id in rows}


def _write_authorships(merged: dict[int, Merged]) -> set[int]:
    """Write author lists that differ from what stands; return the works whose authors must be found again."""
    institutions = place_institutions(
        [
            (i, key)
            for work in merged.values()
            for authorship, key in work.authorships
            for i in authorship.institutions
        ]
    )
    standing: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in query(
        "select a.work_id, a.raw_author_name, a.display_name, a.orcid, a.openalex_id, a.is_corresponding,"
        " a.raw_affiliation_strings, a.author_id, a.record_id,"
        " coalesce((select array_agg(institution_id order by institution_id) from works_authorshipinstitution i"
        "   where i.authorship_id = a.id), '{}')"
        " from works_authorship a where work_id = any(%s) order by work_id, index",
        [list(merged)],
    ):
        standing[row[0]].append(row[1:])
    wanted: dict[int, list[tuple[AuthorshipRecord, int, list[int]]]] = {}
    for work_id, work in merged.items():
        rows = [
            (authorship, key, sorted({institutions[i] for i in authorship.institutions}))
            for authorship, key in work.authorships
        ]
        signature = [(*_facts(a), key, found) for a, key, found in rows]
        if signature != [(*row[:6], row[7], list(row[8])) for row in standing[work_id]]:
            wanted[work_id] = rows
    if not wanted:
        return set()
    mark(Mark.What.COUNTS, _authors_of(wanted), "authors changed")
    mark(Mark.What.COLLABORATIONS, _authors_of(wanted), "authors changed")
    execute(
        "delete from works_authorshipinstitution using works_authorship a where authorship_id = a.id and a.work_id = any(%s)",
        [list(wanted)],
    )
    execute("delete from works_authorship where work_id = any(%s)", [list(wanted)])
    total = sum(len(rows) for rows in wanted.values())
    numbers = (
        number
        for (number,) in query(
            "select nextval(pg_get_serial_sequence('works_authorship', 'id')) from generate_series(1, %s)",
            [total],
        )
    )
    authorships, links = [], []
    for work_id, rows in wanted.items():
        keep = _kept_authors(standing[work_id], [authorship for authorship, _, _ in rows])
        last = len(rows) - 1
        for index, (authorship, key, found) in enumerate(rows):
            number = next(numbers)
            position = "first" if index == 0 else "last" if index == last else "middle"
            author_id = keep[index]
            authorships.append(
                (
                    number,
                    work_id,
                    author_id,
                    index,
                    position,
                    *_facts(authorship, json=True),
                    name_block(authorship.name),
                    key,
                )
            )
            links += [(number, institution) for institution in found]
    copy_rows(
        "works_authorship",
        ("id", "work_id", "author_id", "index", "author_position", "raw_author_name", "display_name", "orcid", "openalex_id",
         "is_corresponding", "raw_affiliation_strings", "name_block", "record_id"),
        authorships,
    )  # fmt: skip
    copy_rows("works_authorshipinstitution", ("authorship_id", "institution_id"), links)
    return set(wanted)


def _facts(authorship: AuthorshipRecord, json: bool = False) -> tuple[Any, ...]:
    affiliations = list(authorship.raw_affiliations)
    return (
        authorship.raw_name, authorship.display_name, authorship.orcid, authorship.openalex, authorship.is_corresponding,
        Jsonb(affiliations) if json else affiliations,
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
            if old is None or (before[old][2] and now[i].orcid and before[old][2] != now[i].orcid):
                continue
            kept[i] = before.pop(old)[6]
            del left[i]
    return kept


def _alone(keys: dict[int, Any]) -> dict[Any, int]:
    """Return the places of keys that stand at one place only."""
    counts = Counter(keys.values())
    return {key: place for place, key in keys.items() if counts[key] == 1}


def name_block(name: str) -> str:
    """Return the folded family name and first initial: only people of one block can be the same by name."""
    parts = split_name(name).folded
    initial = parts.given[0][:1] if parts.given else ""
    return f"{parts.family.replace('-', ' ')[:90]} {initial}".strip()
