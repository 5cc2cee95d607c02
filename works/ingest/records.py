"""What readers yield: one work, author, institution, venue or topic as one provider describes it.

Names are OpenAlex's, ORCID's and Crossref's. Provider spellings end before this point; identifiers are
already normalised (works/identifiers.py). A ...Ref is how a record mentions something, a ...Record is a
provider's own description of it.
"""

import hashlib
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # the provider does not say when it changed the record

_EVER = datetime(9999, 1, 1, tzinfo=UTC)
Identifier = tuple[str, str]  # (scheme, value)


class InstitutionRef(msgspec.Struct, frozen=True, omit_defaults=True):
    display_name: str
    openalex: str = ""
    ror: str = ""
    country_code: str = ""
    type: str = ""


class AuthorshipRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """raw_name: as printed. display_name: the provider's own form, else the same.

    acl, dblp: the person's id there, only where the provider tells people of one name apart.
    variants: the same name in another script, as this work prints it.
    """

    raw_name: str
    display_name: str = ""
    orcid: str = ""
    openalex: str = ""
    is_corresponding: bool = False
    raw_affiliations: tuple[str, ...] = ()
    institutions: tuple[InstitutionRef, ...] = ()
    acl: str = ""
    dblp: str = ""
    variants: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.display_name or self.raw_name


class TopicRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """lineage: (scheme value, display_name) from subfield up to domain; empty where we know it already."""

    scheme: str
    value: str
    display_name: str = ""
    score: float = 1.0
    is_primary: bool = False
    lineage: tuple[tuple[str, str], ...] = ()


class SourceRef(msgspec.Struct, frozen=True, omit_defaults=True):
    display_name: str
    openalex: str = ""
    issn: tuple[str, ...] = ()
    type: str = ""
    host_organization_name: str = ""
    acl: str = ""
    dblp: str = ""


class _Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all records share.

    merged_into: the provider's record id that took this one over. withdrawn: the provider took it back.
    Either way the record says nothing any more but which of ours it was.
    """

    provider: str
    record_id: str
    identifiers: tuple[Identifier, ...] = ()
    observed_at: datetime = NEVER
    merged_into: str = ""
    withdrawn: bool = False

    @property
    def rank(self) -> tuple[datetime, bool, int, bytes]:
        """Of two versions of one record the greater rank stands: newer, else gone, else fuller, else either, always the same."""
        payload = _ENCODER.encode(self)
        gone = self.withdrawn or bool(self.merged_into)
        # A notice without a date is of the day it is read.
        observed_at = _EVER if gone and self.observed_at == NEVER else self.observed_at
        return (observed_at, gone, len(payload), digest(payload))


class WorkRecord(_Record, frozen=True, omit_defaults=True, kw_only=True):
    """title, abstract: as the provider writes them, markup and all; bzpeer.lib.markup reads them.

    type: OpenAlex's word. retracts: works that this one, a notice, says were taken back. partial_authors: the list is known to lack people (an ORCID record names its owner).
    """

    type: str
    title: str = ""
    abstract: str = ""
    publication_date: date | None = None
    publication_year: int | None = None
    language: str = ""
    license: str = ""
    is_oa: bool | None = None
    is_retracted: bool = False
    cited_by_count: int = 0
    source: SourceRef | None = None
    authorships: tuple[AuthorshipRecord, ...] = ()
    partial_authors: bool = False
    topics: tuple[TopicRef, ...] = ()
    references: tuple[Identifier, ...] = ()
    retracts: tuple[Identifier, ...] = ()


class AffiliationRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person was somewhere. raw: the organisation as it is named, with its town, where no id says which."""

    institution: InstitutionRef | None = None
    raw: str = ""
    role: str = ""
    department: str = ""
    first_year: int | None = None
    last_year: int | None = None
    asserted_by: str = ""


class AssertionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an ORCID record holds and who put it there. kind: work, affiliation, funding or peer_review.

    asserted_by: the organisation's name; empty where the person did.
    """

    kind: str
    title: str = ""
    asserted_by: str = ""
    identifiers: tuple[Identifier, ...] = ()
    year: int | None = None


class AuthorRecord(_Record, frozen=True, omit_defaults=True, kw_only=True):
    """A person as a provider describes them. names: other spellings and scripts.

    works: what the record lists of the person's works, by the end of their record ids, where it lists all of them;
    one that an earlier version listed was taken back (works/services/unlisted.py).
    """

    display_name: str
    names: tuple[str, ...] = ()
    affiliations: tuple[AffiliationRecord, ...] = ()
    assertions: tuple[AssertionRecord, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # (label, address) the person gives
    biography: str = ""
    works: tuple[str, ...] | None = None


class InstitutionRecord(_Record, frozen=True, omit_defaults=True, kw_only=True):
    """status: ROR's active, inactive or withdrawn. successors, parents: identifiers. domains: of mail and web."""

    display_name: str
    names: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    type: str = ""
    country_code: str = ""
    city: str = ""
    homepage: str = ""
    domains: tuple[str, ...] = ()
    status: str = "active"
    successors: tuple[Identifier, ...] = ()
    parents: tuple[Identifier, ...] = ()


class VenueRecord(_Record, frozen=True, omit_defaults=True, kw_only=True):
    """A source (journal, repository, conference) as a provider describes it."""

    display_name: str
    names: tuple[str, ...] = ()
    type: str = ""
    host_organization_name: str = ""


class TopicRecord(_Record, frozen=True, omit_defaults=True, kw_only=True):
    """level: topic, subfield, field or domain. lineage: (value, display_name) above it, nearest first."""

    display_name: str
    description: str = ""
    level: str = "topic"
    lineage: tuple[tuple[str, str], ...] = ()


Record = WorkRecord | AuthorRecord | InstitutionRecord | VenueRecord | TopicRecord
ENTITIES: dict[str, type[Any]] = {
    "work": WorkRecord,
    "author": AuthorRecord,
    "institution": InstitutionRecord,
    "source": VenueRecord,
    "topic": TopicRecord,
}


class Reject(NamedTuple):
    """A record that could not be read. The loader knows its place: it counts what a reader yields."""

    reason: str
    snippet: str = ""


_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(record: Record) -> bytes:
    return _ENCODER.encode(record)


@cache
def _decoder(entity: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(ENTITIES[entity])


def decode(payload: bytes | str, entity: str = "work") -> Any:
    """Return the record that encode wrote."""
    return _decoder(entity).decode(payload)


def digest(payload: bytes) -> bytes:
    """Return 16 bytes that are equal for equal encoded records."""
    return hashlib.blake2b(payload, digest_size=16).digest()
