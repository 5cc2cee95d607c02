"""What providers say of institutions, sources, topics and authors themselves, beside the works that mention them."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from psycopg.types.json import Jsonb

from bzpeer.lib.sql import execute, query, update_rows
from works.ingest.merging import UnionFind
from works.ingest.records import (
    Identifier,
    Record,
    TopicRecord,
    TopicRef,
    decode,
)
from works.models import Author, Institution, Mark, Source, Topic
from works.services.entities import (
    add_identifiers,
    find_rows,
    hand_over,
    place_institutions,
    place_lineages,
    place_topics,
)
from works.services.marks import mark
from works.services.search_documents import refresh_institution_search, refresh_topic_search

# Whose word counts first.
_ORDER = ("ror", "orcid", "openalex", "crossref", "dblp", "acl", "arxiv")
_MODELS: dict[str, Any] = {"institution": Institution, "source": Source, "topic": Topic, "author": Author}
_SCHEMES = {
    "institution": {"ror", "openalex", "isni", "wikidata", "grid"},
    "source": {"openalex", "issn", "acl", "dblp"},
    "author": {"orcid", "openalex", "dblp", "acl", "isni", "scopus", "wikidata"},
}
# Identifiers that say who it is; the others are noted where nobody else has them.
TELLING = {
    "institution": {"ror", "openalex", "grid"},
    "source": {"openalex", "issn", "acl", "dblp"},
    "author": {"orcid", "openalex", "dblp", "acl"},
}


def place_entities(entity: str, changed: Mapping[int, Record]) -> None:
    """Write what new and changed records of one kind say (key: SourceRecord id; their rows are written)."""
    if entity == "topic":
        _place_topics(changed)  # type: ignore[arg-type]
    elif changed:
        rows = _place(entity, changed)
        WRITERS[entity](rows)


def _place(entity: str, changed: Mapping[int, Any]) -> list[int]:
    """Return the rows that these records describe, made where they are new and joined where records say so."""
    telling = {key: identifiers_of_entity(entity, record, TELLING[entity]) for key, record in changed.items()}
    standing = find_rows(entity, {i for found in telling.values() for i in found})
    groups = UnionFind()
    for key, found in telling.items():
        for identifier in found:
            groups.join(("record", key), identifier)
            if identifier in standing:
                groups.join(("row", standing[identifier]), identifier)
    touched: list[int] = []
    fresh: list[tuple[Any, list[int]]] = []
    holders: dict[Identifier, tuple[int, int | None]] = {}
    nodes = [("record", key) for key in sorted(changed, key=lambda key: changed[key].record_id)]
    nodes += [("row", row) for row in sorted(set(standing.values()))]
    owner: dict[int, int] = {}
    for members in groups.groups(nodes):
        keys = [number for kind, number in members if kind == "record"]
        rows = [number for kind, number in members if kind == "row"]
        live = [key for key in keys if not changed[key].merged_into and not changed[key].withdrawn]
        if rows:
            row = rows[0] if entity == "author" else join_rows(entity, rows)
            owner.update(dict.fromkeys(keys, row))
            touched.append(row)
        elif live or (entity == "institution" and keys and not changed[keys[0]].merged_into):
            fresh.append((changed[(live or keys)[0]], keys))
    model = _MODELS[entity]
    made = model.objects.bulk_create(model(display_name=record.display_name[:255]) for record, _ in fresh)
    for row, (_, keys) in zip(made, fresh, strict=True):
        owner.update(dict.fromkeys(keys, row.pk))
        touched.append(row.pk)
    for key, row in owner.items():
        for identifier in identifiers_of_entity(entity, changed[key], _SCHEMES[entity]):
            holders.setdefault(identifier, (row, key))
    taken = find_rows(entity, holders)
    add_identifiers(entity, {i: held for i, held in holders.items() if i not in taken})
    if entity == "author":
        _unite_authors({i: holders[i] for i in taken}, taken)
    return touched


def identifiers_of_entity(entity: str, record: Record, schemes: set[str]) -> list[Identifier]:
    found = [i for i in record.identifiers if i[0] in schemes]
    if record.provider in schemes:
        own = [record.record_id, record.merged_into] if record.merged_into else [record.record_id]
        found += [(record.provider, value) for value in own if (record.provider, value) not in found]
    return found


def join_rows(entity: str, rows: list[int]) -> int:
    """Make one of several rows that turned out to be one thing; its address leads on for ever. Return the row kept."""
    kept, *gone = sorted(rows)
    if not gone:
        return kept
    if entity == "institution":
        execute(
            "delete from works_authorshipinstitution l where institution_id = any(%s) and exists (select 1 from"
            " works_authorshipinstitution o where o.authorship_id = l.authorship_id and o.id <> l.id"
            " and (o.institution_id = %s or (o.institution_id = any(%s) and o.id < l.id)))",
            [gone, kept, gone],
        )
        execute(
            "update works_authorshipinstitution set institution_id = %s where institution_id = any(%s)",
            [kept, gone],
        )
        authors = query(
            "delete from works_affiliation where institution_id = any(%s) returning author_id", [gone]
        )
        mark(Mark.What.COUNTS, {author for (author,) in authors}, "institutions joined")
        execute(
            "update works_institution set successor_id = nullif(%s, id) where successor_id = any(%s)",
            [kept, gone],
        )
    if entity == "source":
        execute("update works_work set source_id = %s where source_id = any(%s)", [kept, gone])
    execute(f"update works_{entity}identifier set {entity}_id = %s where {entity}_id = any(%s)", [kept, gone])  # noqa: S608
    if entity != "source":  # a source has no page
        execute(
            "update works_redirect set new_pid = works_pid(%s) where kind = %s and new_pid = any(select works_pid(id) from unnest(%s::bigint[]) id)",
            [kept, entity, gone],
        )
        execute(
            "insert into works_redirect (kind, old_pid, new_pid, created_at)"
            " select %s, works_pid(id), works_pid(%s), now() from unnest(%s::bigint[]) id on conflict do nothing",
            [entity, kept, gone],
        )
    model = _MODELS[entity]
    for relation in model._meta.related_objects:
        if relation.related_model._meta.app_label != "works":
            hand_over(relation, kept, gone)
    model.objects.filter(pk__in=gone).delete()
    return kept


def _unite_authors(wanted: dict[Identifier, tuple[int, int | None]], taken: dict[Identifier, int]) -> None:
    """Give the identifiers of one author record to one author, and have the works of the others looked at again.

    Authors are never joined here: identity resolution weighs it, and claimed ones it only suggests.
    """
    claimed = {
        author for (author,) in query("select id from works_author where claimed and id = any(%s)", [list(taken.values())])
    }  # fmt: skip
    moved = {i: row for i, (row, _) in wanted.items() if taken[i] != row and taken[i] not in claimed}
    # The record beside the identifier is how resolution finds what else is the person's.
    execute(
        "update works_authoridentifier i set author_id = coalesce(m.author_id, i.author_id), record_id = m.record_id"
        " from unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) m (scheme, value, author_id, record_id)"
        " where i.scheme = m.scheme and i.value = m.value",
        [
            [i[0] for i in wanted], [i[1] for i in wanted], [moved.get(i) for i in wanted],
            [key for _, key in wanted.values()],
        ],
    )  # fmt: skip
    if not moved:
        return
    works = query(
        "select distinct work_id from works_authorship where author_id = any(%s)",
        [[taken[i] for i in moved] + list(moved.values())],
    )
    mark(Mark.What.RESOLVE, [work for (work,) in works], "one author by a source's word")


def records_about(entity: str, rows: Iterable[int]) -> dict[int, dict[int, Any]]:
    """Return the records that describe rows of one kind, by row and SourceRecord id, the best provider's first."""
    found: dict[int, dict[int, Any]] = defaultdict(dict)
    for row, key, payload in query(
        f"select distinct i.{entity}_id, r.id, r.payload::text from works_{entity}identifier i"  # noqa: S608
        " join works_sourcerecord r on r.provider = i.scheme and r.record_id = i.value and r.entity = %s"
        f" where i.{entity}_id = any(%s)",
        [entity, list(rows)],
    ):
        found[row][key] = decode(payload, entity)
    return {
        row: dict(sorted(records.items(), key=lambda item: _standing(item[1])))
        for row, records in found.items()
    }


def _standing(record: Record) -> tuple[bool, int, float, str]:
    gone = bool(record.merged_into) or record.withdrawn
    return gone, _ORDER.index(record.provider), -record.observed_at.timestamp(), record.record_id


def _first(records: Mapping[int, Any], name: str) -> tuple[Any, int | None]:
    """Return the first value that a record has, and the record's key."""
    for key, record in records.items():
        if value := getattr(record, name):
            return value, key
    return None, None


def _distinct(values: Iterable[Hashable], *, but: str = "") -> list[Any]:
    return [value for value in dict.fromkeys(values) if value and value != but]


_INSTITUTION = ("display_name", "type", "country_code", "city", "homepage", "status")


def _write_institutions(rows: list[int]) -> None:
    about = records_about("institution", rows)
    values = []
    for row, records in about.items():
        facts, provenance = {}, {}
        for name in _INSTITUTION:
            facts[name], provenance[name] = _first(records, name)
        ror = min(
            (i[1] for r in records.values() for i in identifiers_of_entity("institution", r, {"ror"})),
            default="",
        )
        names = _distinct(
            (n for r in records.values() for n in (r.display_name, *r.names)), but=facts["display_name"]
        )
        values.append(
            (
                row, facts["display_name"][:512], facts["type"] or "", facts["country_code"] or "", (facts["city"] or "")[:255],
                (facts["homepage"] or "")[:500], facts["status"] or "active", ror, [name[:512] for name in names][:100],
                [a[:255] for a in _distinct(a for r in records.values() for a in r.acronyms)],
                _distinct(d.lower()[:255] for r in records.values() for d in r.domains),
                Jsonb({name: key for name, key in provenance.items() if key}),
            )
        )  # fmt: skip
    update_rows(
        "works_institution",
        ("display_name", "type", "country_code", "city", "homepage", "status", "ror", "name_variants", "acronyms", "domains", "provenance"),
        values,
        also="updated_at = now()",
    )  # fmt: skip
    _link_successors(about)
    refresh_institution_search(rows)


def _link_successors(about: dict[int, dict[int, Any]]) -> None:
    """Point institutions to the one that came after them; where several did, nobody can say which."""
    wanted = {
        row: {i for record in records.values() for i in record.successors} for row, records in about.items()
    }
    rows_of = find_rows("institution", {i for found in wanted.values() for i in found})
    pairs = []
    for row, found in wanted.items():
        after = {rows_of[i] for i in found if i in rows_of} - {row}
        pairs.append((row, after.pop() if len(after) == 1 else None))
    update_rows("works_institution", ("successor_id",), pairs, also="updated_at = now()")


def _write_sources(rows: list[int]) -> None:
    values = []
    for row, records in records_about("source", rows).items():
        name, _ = _first(records, "display_name")
        kind, _ = _first(records, "type")
        host, _ = _first(records, "host_organization_name")
        values.append((row, name[:512], kind or "", (host or "")[:255]))
    update_rows("works_source", ("display_name", "type", "host_organization_name"), values)


def _write_authors(rows: list[int]) -> None:
    """Place where authors say they were; names and affiliations are written when the author is counted."""
    about = records_about("author", rows)
    place_institutions(
        (affiliation.institution, key)
        for records in about.values()
        for key, record in records.items()
        for affiliation in record.affiliations
        if affiliation.institution and (affiliation.institution.ror or affiliation.institution.openalex)
    )
    mark(Mark.What.COUNTS, rows, "a source describes the author")


def _place_topics(changed: Mapping[int, TopicRecord]) -> None:
    """Write topics, with those above them. One merged away is not one of ours any more: works name its successor."""
    live = {key: record for key, record in changed.items() if not record.merged_into and not record.withdrawn}
    place_lineages(
        ((record.record_id, record.display_name[:255]), *record.lineage)
        for record in live.values()
        if record.level != "topic"
    )
    place_topics(
        TopicRef(
            scheme=record.provider, value=record.record_id, display_name=record.display_name[:255], lineage=record.lineage
        )
        for record in live.values()
        if record.level == "topic"
    )  # fmt: skip
    numbers = find_rows("topic", [(record.provider, record.record_id) for record in live.values()])
    rows = {key: numbers[record.provider, record.record_id] for key, record in live.items()}
    update_rows(
        "works_topic",
        ("display_name", "description"),
        [(row, live[key].display_name[:255], live[key].description) for key, row in rows.items()],
        also="updated_at = now()",
    )
    refresh_topic_search(rows.values())


WRITERS: dict[str, Callable[[list[int]], None]] = {
    "institution": _write_institutions,
    "source": _write_sources,
    "author": _write_authors,
}
