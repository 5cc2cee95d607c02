"""What OpenAlex writes, as typed shapes: what a vintage lacks is absent, what it renamed has two names here.

Only fields that are read stand here; msgspec passes over the others without making objects of them.
Source: https://docs.openalex.org/api-entities
"""

from datetime import UTC, date, datetime

import msgspec

from works.identifiers import normalise_openalex
from works.ingest.records import NEVER
from works.ingest.shapes import text

Texts = list[str | None]

PREFIX = "https://openalex.org/"
_PREFIX_LENGTH = len(PREFIX)
_MOST_DIGITS = 15
# Records of OpenAlex that stand for authors without a record, and for whatever was deleted.
STAND_INS = frozenset({"A9999999999", "A5317838346", "W4285719527", "I4389424196"})


class Shape(msgspec.Struct, gc=False):
    """What every object has. entity_type: only in suggestions of autocomplete."""

    id: str | None = None
    display_name: str | None = None
    updated_date: str | None = None
    updated: str | None = None
    entity_type: str | None = None


class OnlyId(msgspec.Struct, gc=False):
    id: str | None = None


class Ids(msgspec.Struct, gc=False):
    doi: str | None = None
    pmid: str | None = None
    orcid: str | None = None
    scopus: str | None = None
    ror: str | None = None
    grid: str | None = None
    wikidata: str | None = None


class InstitutionShape(msgspec.Struct, gc=False):
    """As it is mentioned. relationship: to the institution that mentions it."""

    id: str | None = None
    ror: str | None = None
    display_name: str | None = None
    country_code: str | None = None
    type: str | None = None
    relationship: str | None = None


class PersonShape(msgspec.Struct, gc=False):
    id: str | None = None
    display_name: str | None = None
    orcid: str | None = None


class AuthorshipShape(msgspec.Struct, gc=False):
    author: PersonShape | None = None
    institutions: list[InstitutionShape | None] | None = None
    is_corresponding: bool | None = None
    raw_author_name: str | None = None
    raw_affiliation_strings: Texts | None = None
    raw_affiliation_string: str | None = None


class SourceShape(msgspec.Struct, gc=False):
    id: str | None = None
    display_name: str | None = None
    issn_l: str | None = None
    issn: Texts | None = None
    type: str | None = None
    host_organization_name: str | None = None
    publisher: str | None = None


class LocationShape(msgspec.Struct, gc=False):
    source: SourceShape | None = None
    license: str | None = None


class PlaceShape(msgspec.Struct, gc=False):
    landing_page_url: str | None = None


class AccessShape(msgspec.Struct, gc=False):
    is_oa: bool | None = None


class ParentShape(msgspec.Struct, gc=False):
    id: str | int | None = None
    display_name: str | None = None


class TopicShape(msgspec.Struct, gc=False):
    """As it is mentioned. score: a text in 2023."""

    id: str | None = None
    display_name: str | None = None
    score: float | str | None = None
    subfield: ParentShape | None = None
    field: ParentShape | None = None
    domain: ParentShape | None = None


class WorkShape(Shape, gc=False):
    title: str | None = None
    type: str | None = None
    doi: str | None = None
    ids: Ids | None = None
    publication_date: str | None = None
    publication_year: int | None = None
    language: str | None = None
    is_oa: bool | None = None
    is_retracted: bool | None = None
    is_authors_truncated: bool | None = None
    cited_by_count: int | None = None
    open_access: AccessShape | None = None
    primary_location: LocationShape | None = None
    best_oa_location: LocationShape | None = None
    host_venue: SourceShape | None = None
    locations: list[PlaceShape | None] | None = None
    authorships: list[AuthorshipShape | None] | None = None
    primary_topic: OnlyId | None = None
    topics: list[TopicShape | None] | None = None
    referenced_works: Texts | None = None
    abstract_inverted_index: dict[str, list[int | None] | None] | None = None


class YearsShape(msgspec.Struct, gc=False):
    institution: InstitutionShape | None = None
    years: list[int | None] | None = None


class AuthorShape(Shape, gc=False):
    """raw_author_names: as works print them, since 2025."""

    orcid: str | None = None
    ids: Ids | None = None
    full_name: str | None = None
    display_name_alternatives: Texts | None = None
    raw_author_names: Texts | None = None
    affiliations: list[YearsShape | None] | None = None
    last_known_institutions: list[InstitutionShape | None] | None = None
    last_known_institution: InstitutionShape | None = None


class GeoShape(msgspec.Struct, gc=False):
    city: str | None = None
    country_code: str | None = None


class InternationalShape(msgspec.Struct, gc=False):
    display_name: dict[str, str | None] | None = None


class FullInstitutionShape(Shape, gc=False):
    ror: str | None = None
    ids: Ids | None = None
    country_code: str | None = None
    type: str | None = None
    homepage_url: str | None = None
    display_name_acronyms: Texts | None = None
    display_name_acroynyms: Texts | None = None  # as early files spell it
    display_name_alternatives: Texts | None = None
    international: InternationalShape | None = None
    geo: GeoShape | None = None
    associated_institutions: list[InstitutionShape | None] | None = None


class FullSourceShape(Shape, gc=False):
    issn_l: str | None = None
    issn: Texts | None = None
    ids: Ids | None = None
    type: str | None = None
    host_organization_name: str | None = None
    publisher: str | None = None
    alternate_titles: Texts | None = None
    abbreviated_title: str | None = None


class FullTopicShape(Shape, gc=False):
    """A topic, subfield, field or domain."""

    ids: Ids | None = None
    description: str | None = None
    subfield: ParentShape | None = None
    field: ParentShape | None = None
    domain: ParentShape | None = None


def key(value: str | None, letter: str = "") -> str:
    """Return an OpenAlex id without its address, of that kind ("A", "I", …) if one is named; else ""."""
    if not value:
        return ""
    number = value[_PREFIX_LENGTH + 1 :]
    if (
        number.isdigit()
        and number.isascii()
        and len(number) <= _MOST_DIGITS
        and value.startswith(PREFIX)
        and "A" <= value[_PREFIX_LENGTH] <= "Z"
    ):
        found = value[_PREFIX_LENGTH:]
    else:
        found = normalise_openalex(value) or ""
    return found if found.startswith(letter) else ""


def integer(value: int | None, least: int, most: int) -> int | None:
    return value if value is not None and least <= value <= most else None


def day(value: str | None) -> date | None:
    try:
        when = date.fromisoformat(text(value)[:10])
    except ValueError:
        return None
    return when if 1400 <= when.year <= 2200 else None


def moment(value: str | None) -> datetime:
    try:
        when = datetime.fromisoformat(text(value))
    except ValueError:
        return NEVER
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when if 1970 <= when.year <= 2200 else NEVER
