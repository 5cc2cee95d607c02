"""Read ROR's organisations: its dumps of schema 2 and 1, JSON Lines, and answers of its API.

Source: https://ror.readme.io/docs/ror-data-structure
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from typing import IO, Any

from bzpeer.lib.names import clean
from works.identifiers import normalise_orcid, normalise_ror
from works.ingest.addresses import web_address
from works.ingest.dates import read_date
from works.ingest.files import UnreadableFile
from works.ingest.json_stream import parse, snippet, stream_records
from works.ingest.reading import dict_of, dicts_of, list_of, shown_start, start_of, text_of
from works.ingest.records import NEVER, Identifier, InstitutionRecord, Reject

SUFFIXES = (".json", ".jsonl", ".ndjson")
MAX_NAMES = 200  # the most seen is 64
MAX_RELATED = 1000

_ROUTES = (("items",),)
_STATUSES = {"active", "inactive", "withdrawn"}
# "funder" says what an organisation does besides what it is.
_BESIDES = "funder"
_TYPES = {"archive", "company", "education", "facility", "government", "healthcare", "nonprofit", "other"}
_SCHEMES = ("grid", "isni", "wikidata")  # others (fundref, orgref) are not ours
_GRID = re.compile(r"grid\.\d{1,9}\.[0-9a-f]{1,4}", re.A)
_WIKIDATA = re.compile(r"Q\d{1,12}", re.A)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")


def read_stream(stream: IO[bytes], name: str) -> Iterator[InstitutionRecord | Reject]:
    """Yield each organisation of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    if start and not start.startswith((b"[", b"{")):
        raise UnreadableFile(
            f"{name}: no JSON, as which ROR's organisations come; it begins with {shown_start(start)}."
        )
    for item in stream_records(stream, name, _ROUTES):
        yield item if isinstance(item, Reject) else _read(item)


def _read(data: bytes) -> InstitutionRecord | Reject:
    item = parse(data)
    if isinstance(item, Reject):
        return item
    if not isinstance(item, dict):
        return Reject("not an object", snippet(data))
    # The API's answer to an affiliation wraps each organisation that it found.
    organisation = dict_of(item.get("organization")) or item
    ror = normalise_ror(text_of(organisation.get("id")))
    if not ror:
        if errors := [text_of(error) for error in list_of(item.get("errors"))]:
            return Reject(f"an error of ROR's API: {'; '.join(errors)}"[:300], snippet(data))
        return Reject("no ROR id", snippet(data))
    record = _version_1(organisation, ror) if "name" in organisation else _version_2(organisation, ror)
    return record if record.display_name else Reject("an organisation without a name", ror)


def _version_2(item: dict[str, Any], ror: str) -> InstitutionRecord:
    names = [
        (name, {text_of(kind) for kind in list_of(entry.get("types"))})
        for entry in dicts_of(item.get("names"))
        if (name := _name(entry.get("value")))
    ]
    shown = [name for name, kinds in names if "ror_display" in kinds]
    # Every record seen has one name to display; without it a label does, then whatever there is.
    labels = [name for name, kinds in names if "label" in kinds]
    display_name = next(iter([*shown, *labels, *(name for name, _ in names)]), "")
    place = dict_of(dict_of(_first(item.get("locations"))).get("geonames_details"))
    links = [entry for entry in dicts_of(item.get("links")) if text_of(entry.get("type")) == "website"]
    changed = dict_of(dict_of(item.get("admin")).get("last_modified"))
    return _record(
        item,
        ror,
        display_name=display_name,
        names=(name for name, kinds in names if kinds != {"acronym"}),
        acronyms=(name for name, kinds in names if "acronym" in kinds),
        country_code=place.get("country_code"),
        city=place.get("name"),
        homepage=dict_of(_first(links)).get("value"),
        external={text_of(e.get("type")): e for e in dicts_of(item.get("external_ids"))},
        observed_at=_day(changed.get("date")),
    )


def _version_1(item: dict[str, Any], ror: str) -> InstitutionRecord:
    labels = (dict_of(entry).get("label") for entry in list_of(item.get("labels")))
    return _record(
        item,
        ror,
        display_name=_name(item.get("name")),
        names=map(_name, [*labels, *list_of(item.get("aliases"))]),
        acronyms=map(_name, list_of(item.get("acronyms"))),
        country_code=dict_of(item.get("country")).get("country_code"),
        city=dict_of(_first(item.get("addresses"))).get("city"),
        homepage=_first(item.get("links")),
        external={kind.lower(): dict_of(entry) for kind, entry in dict_of(item.get("external_ids")).items()},
        observed_at=NEVER,
    )


def _record(
    item: dict[str, Any], ror: str, *, display_name: str, names: Iterable[str], acronyms: Iterable[str], country_code: Any,
    city: Any, homepage: Any, external: dict[str, dict[str, Any]], observed_at: datetime,
) -> InstitutionRecord:  # fmt: skip
    status = text_of(item.get("status")).lower()
    kinds = [
        kind
        for value in list_of(item.get("types"))
        if (kind := text_of(value).lower()) in {*_TYPES, _BESIDES}
    ]
    successors = _related(item, "successor", ror)
    withdrawn = status == "withdrawn"
    return InstitutionRecord(
        provider="ror",
        record_id=ror,
        identifiers=(("ror", ror), *_identifiers(external)),
        observed_at=observed_at,
        merged_into=successors[0][1] if withdrawn and len(successors) == 1 else "",
        withdrawn=withdrawn,
        display_name=display_name,
        names=_distinct(names, but=display_name),
        acronyms=_distinct(acronym[:255] for acronym in acronyms),
        type=next((kind for kind in kinds if kind != _BESIDES), kinds[0] if kinds else ""),
        country_code=code if re.fullmatch("[A-Z]{2}", code := text_of(country_code).upper()) else "",
        city=_name(city)[:255],
        homepage=web_address(text_of(homepage), 500),
        domains=_distinct(domain for value in list_of(item.get("domains")) if (domain := _domain(value))),
        status=status if status in _STATUSES else "active",
        successors=successors,
        parents=_related(item, "parent", ror),
    )


def _identifiers(external: dict[str, dict[str, Any]]) -> Iterator[Identifier]:
    """Yield the identifiers of other registries, the preferred one of each first."""
    for scheme in _SCHEMES:
        entry = external.get(scheme, {})
        every = entry.get("all")
        values = [entry.get("preferred"), *(every if isinstance(every, list) else [every])]
        for value in _distinct(_identifier(scheme, text_of(value)) for value in values):
            yield scheme, value


def _identifier(scheme: str, text: str) -> str:
    if scheme == "isni":
        # An ISNI has ORCID's form and check digit; ROR writes it in groups of four.
        return (normalise_orcid(re.sub(r"[\s-]", "", text)) or "").replace("-", "")
    if scheme == "grid":
        match = _GRID.search(text)  # some stand with their address
        return match.group() if match else ""
    return text if _WIKIDATA.fullmatch(text) else ""


def _related(item: dict[str, Any], kind: str, ror: str) -> tuple[Identifier, ...]:
    found = (
        ("ror", other)
        for entry in dicts_of(item.get("relationships"))[:MAX_RELATED]
        if text_of(entry.get("type")).lower() == kind
        if (other := normalise_ror(text_of(entry.get("id")))) and other != ror
    )
    return tuple(dict.fromkeys(found))


def _distinct(values: Iterable[str], *, but: str = "") -> tuple[str, ...]:
    return tuple(value for value in dict.fromkeys(values) if value and value != but)[:MAX_NAMES]


def _domain(value: Any) -> str:
    domain = text_of(value).lower().rstrip(".")
    return domain if len(domain) <= 253 and _DOMAIN.fullmatch(domain) else ""


def _day(value: Any) -> datetime:
    found = read_date(text_of(value))
    if not found or not found.date or found.year < 2000:
        return NEVER
    return datetime.combine(found.date, time(), UTC)


def _name(value: Any) -> str:
    return clean(text_of(value))[:512]


def _first(value: Any) -> Any:
    return next(iter(list_of(value)), None)
