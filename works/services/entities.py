"""Institutions, sources and topics as records name them: found by identifier, made where they are new."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from django.db.models import Model

from bzpeer.lib.names import fold
from bzpeer.lib.sql import copy_rows, query
from works.ingest.records import InstitutionRecord, SourceRef, TopicRecord
from works.models import Institution, Source, Topic

Key = tuple[str, str]
R = TypeVar("R", bound=Hashable)
M = TypeVar("M", bound=Model)
_LEVELS = {"subfields": Topic.Level.SUBFIELD, "fields": Topic.Level.FIELD, "domains": Topic.Level.DOMAIN}


def _known(entity: str, keys: Iterable[Key]) -> dict[Key, int]:
    """Return the record's id for each identifier we have; entity is one of ours ("topic", "source", …)."""
    wanted = sorted(set(keys))
    rows = query(
        f"select scheme, value, {entity}_id from works_{entity}identifier"  # noqa: S608
        " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)",
        [[scheme for scheme, _ in wanted], [value for _, value in wanted]],
    )
    return {(scheme, value): found for scheme, value, found in rows}


def _add_identifiers(entity: str, rows: dict[Key, tuple[int, int | None]]) -> None:
    copy_rows(
        f"works_{entity}identifier", ("scheme", "value", f"{entity}_id", "record_id"),
        ((*key, number, record) for key, (number, record) in rows.items()),
    )  # fmt: skip


def _place(
    entity: str, records: dict[R, int], keys: Callable[[R], list[Key]], make: Callable[[R], M]
) -> dict[R, int]:
    """Return the row of each record (value: SourceRecord id), found by any of its keys or made."""
    keys_of = {record: keys(record) for record in records}
    known = _known(entity, (key for several in keys_of.values() for key in several))
    fresh: list[R] = []
    place: dict[Key, int] = {}
    # Who has the most keys goes first, so that it ties together those who have one each.
    for record in sorted(records, key=lambda record: (-len(keys_of[record]), keys_of[record], repr(record))):
        if not any(key in known or key in place for key in keys_of[record]):
            place.update(dict.fromkeys(keys_of[record], len(fresh)))
            fresh.append(record)
    rows = [make(record) for record in fresh]
    made = type(rows[0])._default_manager.bulk_create(rows) if rows else []
    numbers = known | {key: made[index].pk for key, index in place.items()}
    placed: dict[R, int] = {}
    added: dict[Key, tuple[int, int | None]] = {}
    for record, several in keys_of.items():
        placed[record] = next(numbers[key] for key in several if key in numbers)
        for key in several:
            numbers.setdefault(key, placed[record])
            if key not in known:
                added.setdefault(key, (numbers[key], records[record]))
    _add_identifiers(entity, added)
    return placed


def place_institutions(found: Iterable[tuple[InstitutionRecord, int]]) -> dict[InstitutionRecord, int]:
    """Return the Institution of each record, by ROR or OpenAlex id. found: (record, SourceRecord id)."""
    return _place(
        "institution",
        dict(found),
        lambda r: [key for key in (("ror", r.ror), ("openalex", r.openalex)) if key[1]],
        lambda r: Institution(
            display_name=r.display_name, ror=r.ror, country_code=r.country_code, type=r.type
        ),
    )


def place_sources(found: Iterable[tuple[SourceRef, int]]) -> dict[SourceRef, int]:
    """Return the Source of each reference, by OpenAlex id, ISSN or, lacking both, its folded name and type."""
    return _place(
        "source",
        dict(found),
        _source_keys,
        lambda r: Source(
            display_name=r.display_name, type=r.type, host_organization_name=r.host_organization_name
        ),
    )


def _source_keys(record: SourceRef) -> list[Key]:
    keys = [("openalex", record.openalex)] if record.openalex else []
    keys += [("issn", issn) for issn in record.issn]
    return keys or [("bzpeer", f"{fold(record.display_name)[:400]}|{record.type}")]


def place_topics(records: Iterable[TopicRecord]) -> dict[Key, int]:
    """Return the Topic of each record by (scheme, value), with its line of parents."""
    unique = {(record.scheme, record.value): record for record in records}
    parents: dict[str, tuple[str, str | None]] = {}
    for record in unique.values():
        above = [value for value, _ in record.lineage[1:]] + [None]
        for (value, name), parent in zip(record.lineage, above, strict=False):
            if name:
                parents.setdefault(value, (name, parent))
    known = _known("topic", [*unique, *(("openalex", value) for value in parents)])
    for level in ("domains", "fields", "subfields"):
        rows = {
            value: {
                "display_name": name,
                "level": _LEVELS[level],
                "parent_id": known.get(("openalex", parent or "")),
            }
            for value, (name, parent) in sorted(parents.items())
            if value.startswith(level) and ("openalex", value) not in known
        }
        known |= _make_topics({("openalex", value): fields for value, fields in rows.items()})
    rows_of_topics: dict[Key, dict[str, Any]] = {}
    for key, record in sorted(unique.items()):
        if key not in known:
            parent_id = next(
                (known[("openalex", value)] for value, _ in record.lineage if ("openalex", value) in known),
                None,
            )
            rows_of_topics[key] = {
                "display_name": record.display_name,
                "level": Topic.Level.TOPIC,
                "parent_id": parent_id,
            }
    known |= _make_topics(rows_of_topics)
    return {key: known[key] for key in unique}


def _make_topics(rows: dict[Key, dict[str, Any]]) -> dict[Key, int]:
    made = Topic.objects.bulk_create(Topic(**fields) for fields in rows.values())
    found = {key: topic.pk for key, topic in zip(rows, made, strict=True)}
    _add_identifiers("topic", {key: (number, None) for key, number in found.items()})
    return found
