"""Which source said what about a work, and where two of them differ."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from works.models import SourceRecord, Work

# Fields of a provider's record that a reader can compare, and what a page calls them.
_COMPARED = {
    "title": "title",
    "publication_date": "date",
    "publication_year": "year",
    "type": "kind",
    "source": "published in",
    "authors": "number of authors",
    "language": "language",
    "license": "licence",
}
_NAMES = {**_COMPARED, "authorships": "authors", "is_oa": "open access", "is_retracted": "retraction"}


class SourceLine(NamedTuple):
    """One provider's record: address is "" where we know none; gives names what the page took from it."""

    provider: str
    record_id: str
    address: str
    observed_at: Any
    imported_at: Any
    gives: list[str]


class Disagreement(NamedTuple):
    """What two records say differently: (provider and record, value) of each distinct value."""

    field: str
    values: list[tuple[str, str]]


def sources_of(work: Work, records: Sequence[SourceRecord]) -> list[SourceLine]:
    """Return a line for each record behind a work, with the fields shown from it."""
    gives: dict[int, list[str]] = {}
    for field, record_id in work.provenance.items():
        gives.setdefault(record_id, []).append(_NAMES.get(field, field.replace("_", " ")))
    return [
        SourceLine(
            record.get_provider_display(), record.record_id, _address(record),
            record.observed_at if record.observed_at.year > 1970 else None,  # 1970: the provider does not say
            record.imported_at, sorted(set(gives.get(record.pk, []))),
        )
        for record in records
    ]  # fmt: skip


def disagreements(records: Sequence[SourceRecord]) -> list[Disagreement]:
    """Return the fields in which sources differ; a source that is silent does not disagree."""
    found = []
    for field, label in _COMPARED.items():
        said: dict[str, tuple[str, str]] = {}
        for record in records:
            value = _value(record.payload, field)
            if value:
                said.setdefault(
                    _comparable(value), (f"{record.get_provider_display()} {record.record_id}", value)
                )
        if len(said) > 1:
            found.append(Disagreement(label, list(said.values())))
    return found


def _value(payload: dict[str, Any], field: str) -> str:
    if field == "source":
        return str((payload.get("source") or {}).get("display_name", ""))
    if field == "authors":
        return str(len(payload.get("authorships") or []) or "")
    return str(payload.get(field) or "")


def _comparable(value: str) -> str:
    return "".join(char for char in value.casefold() if char.isalnum())


def _address(record: SourceRecord) -> str:
    if record.provider == "arxiv":
        return f"https://arxiv.org/abs/{record.record_id}"
    if record.provider == "openalex":
        return f"https://openalex.org/{record.record_id}"
    return ""
