"""Make records of authors, institutions, sources and topics as OpenAlex describes them, and of what it merged."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bzpeer.lib.names import clean
from works.identifiers import normalise_ror
from works.ingest.openalex_shapes import (
    AuthorShape,
    FullInstitutionShape,
    FullSourceShape,
    FullTopicShape,
    GeoShape,
    Ids,
    InstitutionShape,
    key,
    moment,
)
from works.ingest.openalex_works import SOURCE_NAMES, institution_ref, issn_set, lineage, orcid_of
from works.ingest.records import (
    AffiliationRecord,
    AuthorRecord,
    Identifier,
    InstitutionRecord,
    Record,
    Reject,
    TopicRecord,
    VenueRecord,
    WorkRecord,
)
from works.ingest.shapes import text

MAX_NAMES = 500
_LEVELS = {"s": "subfield", "f": "field", "d": "domain"}  # by the first letter of their ids
_SCOPUS = re.compile(r"(?:authorID=|^)(\d{5,15})(?:&|$)", re.A)
_GRID = re.compile(r"grid\.\d+\.[0-9a-f]+", re.A)
_WIKIDATA = re.compile(r"(?:^|/)(Q\d{1,12})$", re.A)


def read_author(shape: AuthorShape, record_id: str) -> AuthorRecord | Reject:
    display_name = clean(shape.display_name or shape.full_name or "")[:255]
    if not display_name:
        return Reject("an author without a name", record_id)
    ids = shape.ids or Ids()
    orcid = orcid_of(shape.orcid or ids.orcid)
    scopus = _SCOPUS.search(ids.scopus or "")
    spellings = [shape.full_name, *(shape.display_name_alternatives or ()), *(shape.raw_author_names or ())]
    return AuthorRecord(
        provider="openalex",
        record_id=record_id,
        identifiers=_identifiers(record_id, orcid=orcid, scopus=scopus and scopus.group(1)),
        observed_at=moment(shape.updated_date or shape.updated),
        display_name=display_name,
        names=_names(spellings, display_name, 255),
        affiliations=tuple(_affiliations(shape).values()),
    )


def _affiliations(shape: AuthorShape) -> dict[Any, AffiliationRecord]:
    """Return where the author was: with years, as far as OpenAlex knows them, then last known without."""
    found: dict[Any, AffiliationRecord] = {}
    for entry in shape.affiliations or ():
        if entry and entry.institution:
            years = [year for year in entry.years or () if year is not None and 1400 <= year <= 2200]
            _add(found, entry.institution, min(years, default=None), max(years, default=None))
    for institution in [*(shape.last_known_institutions or ()), shape.last_known_institution]:
        if institution:
            _add(found, institution, None, None)
    return found


def _add(
    found: dict[Any, AffiliationRecord], shape: InstitutionShape, first: int | None, last: int | None
) -> None:
    institution, raw = institution_ref(shape), ""
    if institution is None:
        raw = clean(shape.display_name or "")[:1000]
    if institution or raw:
        place = institution and (institution.openalex or institution.ror)
        found.setdefault(
            place or raw,
            AffiliationRecord(institution=institution, raw=raw, first_year=first, last_year=last),
        )


def read_institution(shape: FullInstitutionShape, record_id: str) -> InstitutionRecord | Reject:
    display_name = clean(shape.display_name or "")[:512]
    if not display_name:
        return Reject("an institution without a name", record_id)
    ids, geo = shape.ids or Ids(), shape.geo or GeoShape()
    grid, wikidata = _GRID.search(ids.grid or ""), _WIKIDATA.search(ids.wikidata or "")
    foreign = shape.international and shape.international.display_name
    names = [*(shape.display_name_alternatives or ()), *(foreign or {}).values()]
    return InstitutionRecord(
        provider="openalex",
        record_id=record_id,
        identifiers=_identifiers(
            record_id,
            ror=normalise_ror(shape.ror or ids.ror),
            grid=grid and grid.group(),
            wikidata=wikidata and wikidata.group(1),
        ),
        observed_at=moment(shape.updated_date or shape.updated),
        display_name=display_name,
        names=_names(names, display_name, 512),
        acronyms=_names(shape.display_name_acronyms or shape.display_name_acroynyms or (), "", 64),
        type=text(shape.type)[:32],
        country_code=(text(shape.country_code) or text(geo.country_code))[:2].upper(),
        city=clean(geo.city or "")[:255],
        homepage=text(shape.homepage_url)[:500],
        parents=_related(shape, "parent"),
        successors=_related(shape, "successor"),
    )


def _related(shape: FullInstitutionShape, relationship: str) -> tuple[Identifier, ...]:
    found = []
    for other in shape.associated_institutions or ():
        if other and other.relationship == relationship:
            ror, openalex = normalise_ror(other.ror), key(other.id, "I")
            if ror or openalex:
                found.append(("ror", ror) if ror else ("openalex", openalex))
    return tuple(sorted(set(found)))


def read_source(shape: FullSourceShape, record_id: str) -> VenueRecord | Reject:
    display_name = clean(shape.display_name or "")[:512]
    if not display_name:
        return Reject("a source without a name", record_id)
    ids = shape.ids or Ids()
    wikidata = _WIKIDATA.search(ids.wikidata or "")
    identifiers = _identifiers(record_id, wikidata=wikidata and wikidata.group(1))
    issns = issn_set((shape.issn_l, *(shape.issn or ())))
    name = SOURCE_NAMES.get(record_id, display_name)
    others = [display_name, shape.abbreviated_title, *(shape.alternate_titles or ())]
    return VenueRecord(
        provider="openalex",
        record_id=record_id,
        identifiers=tuple(sorted({*identifiers, *(("issn", issn) for issn in issns)})),
        observed_at=moment(shape.updated_date or shape.updated),
        display_name=name,
        names=_names(others, name, 512),
        type=text(shape.type)[:32],
        host_organization_name=text(shape.host_organization_name or shape.publisher)[:255],
    )


def read_topic(shape: FullTopicShape, record_id: str) -> TopicRecord | Reject:
    display_name = clean(shape.display_name or "")[:255]
    if not display_name:
        return Reject("a topic without a name", record_id)
    level = _LEVELS.get(record_id[0], "topic")
    wikidata = _WIKIDATA.search((shape.ids and shape.ids.wikidata) or "")
    above = [("subfield", shape.subfield), ("field", shape.field), ("domain", shape.domain)]
    above = above[[name for name, _ in [("topic", None), *above]].index(level) :]
    return TopicRecord(
        provider="openalex",
        record_id=record_id,
        identifiers=_identifiers(record_id, wikidata=wikidata and wikidata.group(1)),
        observed_at=moment(shape.updated_date or shape.updated),
        display_name=display_name,
        description=text(shape.description)[:4000],
        level=level,
        lineage=lineage(*above),
    )


def read_gone(record_id: str, letter: str, *, merged_into: str, when: datetime) -> Record:
    """Return the record of what OpenAlex merged into another, or without one, took away."""
    fate: dict[str, Any] = {
        "provider": "openalex",
        "record_id": record_id,
        "identifiers": (("openalex", record_id),),
        "observed_at": when,
        "merged_into": merged_into,
        "withdrawn": not merged_into,
    }
    if letter == "W":
        return WorkRecord(type="other", **fate)
    kinds: dict[str, Any] = {"A": AuthorRecord, "I": InstitutionRecord, "S": VenueRecord, "T": TopicRecord}
    record: Record = kinds[letter](display_name="", **fate)
    return record


def _identifiers(record_id: str, **others: str | None) -> tuple[Identifier, ...]:
    found = {("openalex", record_id), *((scheme, value) for scheme, value in others.items() if value)}
    return tuple(sorted(found))


def _names(values: Iterable[str | None], display_name: str, longest: int) -> tuple[str, ...]:
    names = dict.fromkeys(clean(value or "")[:longest] for value in values)
    names.pop("", None)
    names.pop(display_name, None)
    return tuple(names)[:MAX_NAMES]
