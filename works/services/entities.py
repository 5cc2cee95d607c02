"""Institutions, sources and topics as records name them: found by identifier, made where they are new."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from bzpeer.lib.names import fold
from bzpeer.lib.sql import copy_rows, new_ids, query
from works.ingest.records import InstitutionRef, SourceRef, TopicRef
from works.models import Institution, Source, Topic

Key = tuple[str, str]
Lineage = tuple[tuple[str, str], ...]
R = TypeVar("R", bound=Hashable)
M = TypeVar("M", bound=Model)
_LEVELS = {"subfields": Topic.Level.SUBFIELD, "fields": Topic.Level.FIELD, "domains": Topic.Level.DOMAIN}


def find_rows(entity: str, keys: Iterable[Key]) -> dict[Key, int]:
    """Return the record's id for each identifier we have; entity is one of ours ("topic", "source", …)."""
    wanted = sorted(set(keys))
    rows = query(
        f"select scheme, value, {entity}_id from works_{entity}identifier"  # noqa: S608
        " join unnest(%s::text[], %s::text[]) as wanted (scheme, value) using (scheme, value)",
        [[scheme for scheme, _ in wanted], [value for _, value in wanted]],
    )
    return {(scheme, value): found for scheme, value, found in rows}


def add_identifiers(entity: str, rows: dict[Key, tuple[int, int | None]]) -> None:
    copy_rows(
        f"works_{entity}identifier", ("scheme", "value", f"{entity}_id", "record_id"),
        ((*key, number, record) for key, (number, record) in rows.items()),
    )  # fmt: skip


def _place(
    entity: str, records: dict[R, int], keys: Callable[[R], list[Key]], make: Callable[[R], M]
) -> dict[R, int]:
    """Return the row of each record (value: SourceRecord id), found by any of its keys or made."""
    keys_of = {record: keys(record) for record in records}
    standing = find_rows(entity, (key for several in keys_of.values() for key in several))
    fresh: list[R] = []
    place: dict[Key, int] = {}
    # Who has the most keys goes first, so that it ties together those who have one each.
    new = [record for record, several in keys_of.items() if not any(key in standing for key in several)]
    for record in sorted(new, key=lambda record: (-len(keys_of[record]), keys_of[record], repr(record))):
        if not any(key in place for key in keys_of[record]):
            place.update(dict.fromkeys(keys_of[record], len(fresh)))
            fresh.append(record)
    made = _insert([make(record) for record in fresh])
    numbers = standing | {key: made[index] for key, index in place.items()}
    placed: dict[R, int] = {}
    added: dict[Key, tuple[int, int | None]] = {}
    for record, several in keys_of.items():
        placed[record] = next(numbers[key] for key in several if key in numbers)
        for key in several:
            numbers.setdefault(key, placed[record])
            if key not in standing:
                added.setdefault(key, (numbers[key], records[record]))
    add_identifiers(entity, added)
    return placed


def _insert(rows: list[M]) -> list[int]:
    """Write new rows of one model with COPY; return their ids. Columns that nobody set are left to the database."""
    if not rows:
        return []
    meta = type(rows[0])._meta
    fields = [
        field
        for field in meta.concrete_fields
        if not (field.primary_key or field.generated or field.has_db_default())
        and any(field.pre_save(row, add=True) is not None for row in rows)
    ]
    numbers = new_ids(meta.db_table, len(rows))
    copy_rows(
        meta.db_table, ["id", *(str(field.column) for field in fields)],
        (
            (number, *(field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields))
            for number, row in zip(numbers, rows, strict=True)
        ),
    )  # fmt: skip
    return numbers


def place_institutions(found: Iterable[tuple[InstitutionRef, int]]) -> dict[InstitutionRef, int]:
    """Return the Institution of each record, by ROR or OpenAlex id. found: (record, SourceRecord id)."""
    return _place(
        "institution",
        dict(found),
        institution_keys,
        lambda r: Institution(
            display_name=r.display_name, ror=r.ror, country_code=r.country_code, type=r.type
        ),
    )


def institution_keys(record: InstitutionRef) -> list[Key]:
    return [key for key in (("ror", record.ror), ("openalex", record.openalex)) if key[1]]


def place_sources(found: Iterable[tuple[SourceRef, int]]) -> dict[SourceRef, int]:
    """Return the Source of each reference, by identifier or, lacking any, its folded name and type."""
    return _place(
        "source",
        dict(found),
        source_keys,
        lambda r: Source(
            display_name=r.display_name, type=r.type, host_organization_name=r.host_organization_name
        ),
    )


def source_keys(record: SourceRef) -> list[Key]:
    own = (("openalex", record.openalex), ("acl", record.acl), ("dblp", record.dblp))
    keys = [key for key in own if key[1]] + [("issn", issn) for issn in record.issn]
    return keys or [("bzpeer", f"{fold(record.display_name)[:400]}|{record.type}")]


def place_topics(records: Iterable[TopicRef]) -> dict[Key, int]:
    """Return the Topic of each record by (scheme, value), with its line of parents."""
    unique = {(record.scheme, record.value): record for record in records}
    known = find_rows("topic", unique)
    fresh = {key: record for key, record in sorted(unique.items()) if key not in known}
    if not fresh:
        return known
    parents = place_lineages(record.lineage for record in fresh.values())
    known |= _make_topics(
        {
            key: {
                "display_name": record.display_name,
                "level": Topic.Level.TOPIC,
                "parent_id": next((parents[value] for value, _ in record.lineage if value in parents), None),
            }
            for key, record in fresh.items()
        }
    )
    return known


def place_lineages(lineages: Iterable[Lineage]) -> dict[str, int]:
    """Return the Topic of each subfield, field and domain of OpenAlex's tree. A lineage goes up: (value, name)."""
    parents: dict[str, tuple[str, str | None]] = {}
    values: set[str] = set()
    for lineage in filter(None, lineages):
        above = [value for value, _ in lineage[1:]] + [None]
        for (value, name), parent in zip(lineage, above, strict=True):
            values.add(value)
            if name:
                parents.setdefault(value, (name, parent))
    known = find_rows("topic", (("openalex", value) for value in values))
    for level in ("domains", "fields", "subfields"):
        rows = {
            ("openalex", value): {
                "display_name": name,
                "level": _LEVELS[level],
                "parent_id": known.get(("openalex", parent or "")),
            }
            for value, (name, parent) in sorted(parents.items())
            if value.startswith(level) and ("openalex", value) not in known
        }
        known |= _make_topics(rows)
    return {value: row for (_, value), row in known.items()}


def _make_topics(rows: dict[Key, dict[str, Any]]) -> dict[Key, int]:
    made = Topic.objects.bulk_create(Topic(**fields) for fields in rows.values())
    found = {key: topic.pk for key, topic in zip(rows, made, strict=True)}
    add_identifiers("topic", {key: (number, None) for key, number in found.items()})
    return found


def relations_of(model: type[Model]) -> list[Any]:
    """Return what points to rows of a model, also where the model does not know it (related_name="+")."""
    return [
        field
        for field in model._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete
    ]


def hand_over(relation: Any, kept: int, gone: Iterable[int]) -> None:
    """Give what another app hangs on rows to the row kept; what stands there already (a follow) is not doubled."""
    name = relation.field.name
    for row in relation.related_model._base_manager.filter(**{f"{name}__in": list(gone)}):
        try:
            with transaction.atomic():
                relation.related_model._base_manager.filter(pk=row.pk).update(**{name: kept})
        except IntegrityError:
            row.delete()
