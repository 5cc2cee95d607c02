"""What a reader yields: one work as one provider describes it, in OpenAlex's, ORCID's and Crossref's terms.

Provider spellings end before this point; identifiers are already normalised.
"""

import hashlib
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # the provider does not say when it changed the record


class InstitutionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    display_name: str
    openalex: str = ""
    ror: str = ""
    country_code: str = ""
    type: str = ""


class AuthorshipRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """raw_name: as printed. display_name: the provider's own form, else the same."""

    raw_name: str
    display_name: str = ""
    orcid: str = ""
    openalex: str = ""
    is_corresponding: bool = False
    raw_affiliations: tuple[str, ...] = ()
    institutions: tuple[InstitutionRecord, ...] = ()

    @property
    def name(self) -> str:
        return self.display_name or self.raw_name


class TopicRecord(msgspec.Struct, frozen=True, omit_defaults=True):
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


class WorkRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """title, abstract: as the provider writes them, markup and all; bzpeer.lib.markup reads them."""

    provider: str
    record_id: str
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
    identifiers: tuple[tuple[str, str], ...] = ()
    source: SourceRef | None = None
    authorships: tuple[AuthorshipRecord, ...] = ()
    topics: tuple[TopicRecord, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    observed_at: datetime = NEVER

    @property
    def rank(self) -> tuple[datetime, int, bytes]:
        """Of two versions of one record the greater rank stands: newer, else fuller, else either, always the same."""
        fields = sum(bool(getattr(self, name)) for name in self.__struct_fields__)
        return (self.observed_at, fields + len(self.authorships), digest(self))


class Reject(NamedTuple):
    """A record that could not be read. position counts from 1 in its file."""

    reason: str
    snippet: str = ""


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(WorkRecord)


def encode(record: WorkRecord) -> bytes:
    return _ENCODER.encode(record)


def decode(payload: bytes | str) -> WorkRecord:
    return _DECODER.decode(payload)


def digest(record: WorkRecord) -> bytes:
    """Return 16 bytes that are equal for equal records."""
    return hashlib.blake2b(encode(record), digest_size=16).digest()
