"""Which source said what about a record, what two of them say differently, and where to look that up."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from bzpeer.lib.markup import render
from bzpeer.lib.templatetags.bzpeer import identifier_address, scheme_name
from works.models import Institution, Provider, SourceRecord, Work

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
_NAMES = {
    **_COMPARED,
    "authorships": "authors",
    "is_oa": "open access",
    "is_retracted": "retraction",
    "display_name": "name",
    "country_code": "country",
}

# Lists that somebody wrote and the host imported: nobody publishes their records one by one.
HOST_FILES = frozenset({Provider.BIBTEX, Provider.RIS, Provider.CSL})

PROVIDER_PAGES: dict[str, str] = {
    Provider.OPENALEX: "https://openalex.org/",
    Provider.ARXIV: "https://arxiv.org/",
    Provider.CROSSREF: "https://www.crossref.org/",
    Provider.ORCID: "https://orcid.org/",
    Provider.ROR: "https://ror.org/",
    Provider.DBLP: "https://dblp.org/",
    Provider.ACL: "https://aclanthology.org/",
}

# Where an identifier leads, for kinds of records that its scheme keeps apart from works.
_ADDRESSES = {
    ("author", "acl"): "https://aclanthology.org/people/{}/",
    ("author", "scopus"): "https://www.scopus.com/authid/detail.uri?authorId={}",
    ("institution", "grid"): "https://www.grid.ac/institutes/{}",
    ("topic", "arxiv"): "https://arxiv.org/list/{}/recent",
}
_SCHEMES = {"scopus": "Scopus", "grid": "GRID"}


# --- Identifiers ------------------------------------------------------------------------------------


class Link(NamedTuple):
    """An identifier as pages show it. address is "" where it leads nowhere; shown is the address where that is short."""

    scheme: str
    name: str
    value: str
    address: str
    shown: str


def links_of(entity: str, identifiers: Iterable[Any]) -> list[Link]:
    """Return a link for each identifier of an author, work, topic or institution."""
    return [_link(entity, identifier.scheme, identifier.value) for identifier in identifiers]


def _link(entity: str, scheme: str, value: str) -> Link:
    address = address_of(entity, scheme, value)
    shown = unquote(address) if address and "?" not in address else value
    return Link(scheme, _SCHEMES.get(scheme) or scheme_name(scheme), value, address, shown)


def address_of(entity: str, scheme: str, value: str) -> str:
    """Return the full address of what an identifier names, or "" where it has none."""
    if (entity, scheme) == ("author", "dblp"):
        # A person is a number ("12/345") or, where only the name is known, a name made unique ("Yang Liu 0001").
        if "/" in value:
            return f"https://dblp.org/pid/{quote(value)}"
        return f"https://dblp.org/search?q={quote(f'author:{value}:'.replace(' ', '_'))}"
    template = _ADDRESSES.get((entity, scheme))
    return template.format(quote(value, safe="-._")) if template else identifier_address(scheme, value)


def record_address(record: SourceRecord) -> str:
    """Return where a provider shows its record, or "" where nobody does."""
    if record.provider in HOST_FILES:
        return ""
    if record.provider == Provider.ORCID:  # a work stands in the record of its person
        return identifier_address("orcid", record.record_id.partition("/")[0])
    scheme = "doi" if record.provider == Provider.CROSSREF else record.provider
    return address_of(record.entity, scheme, record.record_id)


# --- Sources ----------------------------------------------------------------------------------------


class SourceLine(NamedTuple):
    """One provider's record. gives names what the page took from it; gone says what became of it there, or "".

    address is "" where the record has none; record_id is "" where it tells nobody anything.
    """

    provider: str
    record_id: str
    address: str
    observed_at: datetime | None
    imported_at: datetime
    gives: list[str]
    gone: str


class Withdrawal(NamedTuple):
    """A source took its record back. said_at: when it did, as it says; known_since: when that was read here."""

    provider: str
    record_id: str
    address: str
    said_at: datetime | None
    known_since: datetime
    merged_into: str


class Disagreement(NamedTuple):
    """What two records say differently: (provider and record, value) of each distinct value."""

    field: str
    values: list[tuple[str, str]]


def sources_of(about: Work | Institution, records: Sequence[SourceRecord]) -> list[SourceLine]:
    """Return a line for each record behind a work or institution, with the fields shown from it."""
    gives: dict[int, list[str]] = {}
    for field, record_id in about.provenance.items():
        gives.setdefault(record_id, []).append(_NAMES.get(field, field.replace("_", " ")))
    return [
        SourceLine(
            record.get_provider_display(), "" if record.provider in HOST_FILES else record.record_id,
            record_address(record), _said_at(record), record.imported_at, sorted(set(gives.get(record.pk, []))), _gone(record),
        )
        for record in records
    ]  # fmt: skip


def provider_list(providers: Iterable[str]) -> str:
    """Return providers as words: "Crossref and OpenAlex"; one without a name is "a source"."""
    labels = dict(Provider.choices)
    names = sorted({str(labels.get(provider, "a source")) for provider in providers}) or ["a source"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def retracted_by(records: Iterable[SourceRecord]) -> list[str]:
    """Return the providers that say a work is retracted."""
    return [
        record.provider for record in records if not is_gone(record) and record.payload.get("is_retracted")
    ]


def withdrawals(records: Iterable[SourceRecord]) -> list[Withdrawal]:
    """Return what sources took back or made part of another record, the first known first."""
    gone = [record for record in records if is_gone(record)]
    return [
        Withdrawal(
            record.get_provider_display(), "" if record.provider in HOST_FILES else record.record_id, record_address(record),
            _said_at(record), record.imported_at, record.payload.get("merged_into", ""),
        )
        for record in sorted(gone, key=lambda record: (record.imported_at, record.pk))
    ]  # fmt: skip


def is_gone(record: SourceRecord) -> bool:
    """Return whether the provider took the record back or merged it into another: it says nothing any more."""
    return bool(record.payload.get("withdrawn") or record.payload.get("merged_into"))


def disagreements(records: Iterable[SourceRecord]) -> list[Disagreement]:
    """Return the fields in which sources differ; a source that is silent or took its record back does not."""
    live = [record for record in records if not is_gone(record)]
    found = []
    for field, label in _COMPARED.items():
        said: dict[str, tuple[str, str]] = {}
        for record in live:
            value = _value(record.payload, field)
            if value:
                said.setdefault(_comparable(value), (_named(record), value))
        if len(said) > 1:
            found.append(Disagreement(label, list(said.values())))
    return found


def _named(record: SourceRecord) -> str:
    if record.provider in HOST_FILES:
        return f"{record.get_provider_display()} file"
    return f"{record.get_provider_display()} {record.record_id}"


def _gone(record: SourceRecord) -> str:
    if merged_into := record.payload.get("merged_into"):
        return f"merged there into {merged_into}"
    return "withdrawn there" if record.payload.get("withdrawn") else ""


def _said_at(record: SourceRecord) -> datetime | None:
    """Return when the provider changed its record; None where it does not say (works.ingest.records.NEVER)."""
    return record.observed_at if record.observed_at.year > 1970 else None


def _value(payload: dict[str, Any], field: str) -> str:
    if field == "title":  # two ways to mark up the same words do not differ
        return render(str(payload.get("title") or ""), blocks=False).plain
    if field == "source":
        return str((payload.get("source") or {}).get("display_name", ""))
    if field == "authors":
        # A list that is known to lack people does not say how many there are.
        return "" if payload.get("partial_authors") else str(len(payload.get("authorships") or []) or "")
    return str(payload.get(field) or "")


def _comparable(value: str) -> str:
    return "".join(char for char in value.casefold() if char.isalnum())
