"""Works and people with the records that providers would have given."""

from typing import Any

from django.utils import timezone

from tests.factories import make_work
from works.models import Author, SourceRecord, Work


def add_record(provider: str, record_id: str, *, work: Work | None = None, **payload: Any) -> SourceRecord:
    """Return a provider's record; of a work where one is given, else of a person."""
    now = timezone.now()
    return SourceRecord.objects.create(
        provider=provider, entity="work" if work else "author", record_id=record_id, work=work, digest=b"", payload=payload,
        observed_at=now, imported_at=now,
    )  # fmt: skip


def give_record(work: Work, provider: str = "arxiv", **payload: Any) -> SourceRecord:
    """Let a provider be the one that gave a work's identifiers and authors."""
    record = add_record(provider, f"{provider}-{work.pk}", work=work, **payload)
    work.identifiers.update(record=record)
    work.authorships.update(record=record)
    return record


def make_known_work(*args: Any, provider: str = "arxiv", **fields: Any) -> Work:
    """Return a work as make_work does, with the record of a provider."""
    work = make_work(*args, **fields)
    give_record(work, provider)
    return work


def describe_author(
    author: Author, provider: str, record_id: str, *affiliations: dict[str, Any]
) -> SourceRecord:
    """Add a provider's record about a person, with where they were."""
    author.identifiers.create(scheme=provider, value=record_id)
    return add_record(provider, record_id, display_name=author.display_name, affiliations=list(affiliations))
