"""Institutions, sources and topics as records name them: found by identifier, made where they are new."""

from collections.abc import Iterable
from typing import Any

from bzpeer.lib.names import fold
from bzpeer.lib.sql import copy_rows, query
from works.ingest.records import InstitutionRecord, SourceRef, TopicRecord
from works.models import Institution, Source, Topic

Key = tuple[str, str]
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


def place_institutions(found: Iterable[tuple[InstitutionRecord, int]]) -> dict[InstitutionRecord, int]:
    """Return the Institution of each record, by ROR or OpenAlex id. found: (record, SourceRecord id)."""
    records = dict(found)
    keys = {record: _institution_keys(record) for record in records}
    known = _known("institution", (key for several in keys.values() for key in several))
    placed: dict[InstitutionRecord, int] = {}
    fresh: dict[Key, InstitutionRecord] = {}
    for record in sorted(records, key=lambda r: (r.openalex, r.ror, r.display_name)):
        if not any(key in known or key in fresh for key in keys[record]):
            fresh[keys[record][0]] = record
    made = Institution.objects.bulk_create(
        Institution(display_name=r.display_name, ror=r.ror, country_code=r.country_code, type=r.type)
        for r in fresh.values()
    )
    known |= {key: institution.pk for key, institution in zip(fresh, made, strict=True)}
    added: dict[Key, tuple[int, int | None]] = {
        key: (known[key], records[record]) for key, record in fresh.items()
    }
    for record, several in keys.items():
        number = next(known[key] for key in several if key in known)
        placed[record] = number
        for key in several:
            if key not in known:
                known[key] = number
                added[key] = (number, records[record])
    _add_identifiers("institution", added)
    return placed


def _institution_keys(record: InstitutionRecord) -> list[Key]:
    return [key for key in (("ror", record.ror), ("openalex", record.openalex)) if key[1]]


def place_sources(found: Iterable[tuple[SourceRef, int]]) -> dict[SourceRef, int]:
    """Return the Source of each reference, by OpenAlex id, ISSN or, lacking both, its folded name and type."""
    records = dict(found)
    keys = {record: _source_keys(record) for record in records}
    known = _known("source", (key for several in keys.values() for key in several))
    fresh: dict[Key, SourceRef] = {}
    for record in sorted(records, key=lambda r: (r.openalex, r.issn, r.display_name)):
        if not any(key in known or key in fresh for key in keys[record]):
            fresh[keys[record][0]] = record
    made = Source.objects.bulk_create(
        Source(display_name=r.display_name, type=r.type, host_organization_name=r.host_organization_name)
        for r in fresh.values()
    )
    known |= {key: source.pk for key, source in zip(fresh, made, strict=True)}
    added: dict[Key, tuple[int, int | None]] = {
        key: (known[key], records[record]) for key, record in fresh.items()
    }
    placed: dict[SourceRef, int] = {}
    for record, several in keys.items():
        number = next(known[key] for key in several if key in known)
        placed[record] = number
        for key in several:
            if key not in known:
                known[key] = number
                added[key] = (number, records[record])
    _add_identifiers("source", added)
    return placed


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
