"""A small catalogue that was imported, for tests of merging and dividing; and what must always hold of it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from graph.services.collaborations import check_collaborations, rebuild_collaborations
from trust.services import rescore_authors
from works.ingest.load import store
from works.ingest.records import AuthorshipRecord, Record, WorkRecord
from works.models import Author, AuthorIdentifier, Authorship, Mark, SourceRecord, Work
from works.services.affiliations import match_affiliations
from works.services.counts import refresh_authors, refresh_catalogue
from works.services.marks import drain
from works.services.resolve import resolve_works
from works.services.verification import checks

LATER = datetime(2026, 1, 1, tzinfo=UTC)


def paper(number: int, *authors: str | AuthorshipRecord, **fields: Any) -> WorkRecord:
    """Return a work on a matter of its own, so that nothing but names tells whose it is."""
    lines = tuple(AuthorshipRecord(a) if isinstance(a, str) else a for a in authors)
    provider = fields.pop("provider", "openalex")
    record_id = fields.pop("record_id", f"W{number}")
    return WorkRecord(
        provider=provider, record_id=record_id, type="article",
        title=fields.pop("title", f"The {number}th of many studies on the matter {number}"),
        identifiers=fields.pop("identifiers", ((provider, record_id),)), authorships=lines, publication_year=2020, **fields,
    )  # fmt: skip


def bring(*records: Record) -> None:
    """Import records and do all that an import leaves to do."""
    store(records[0].provider, records, [])
    work_off()


def work_off() -> None:
    for what, handler in (
        (Mark.What.AFFILIATIONS, match_affiliations),
        (Mark.What.RESOLVE, resolve_works),
        (Mark.What.COUNTS, refresh_authors),
        (Mark.What.CATALOGUE, refresh_catalogue),
        (Mark.What.COLLABORATIONS, rebuild_collaborations),
        (Mark.What.TRUST, rescore_authors),
    ):
        drain(what, handler, batch=1000)


def work_of(record_id: str | int) -> Work:
    name = record_id if isinstance(record_id, str) else f"W{record_id}"
    work = SourceRecord.objects.get(record_id=name).work
    assert work
    return work


def author_of(record_id: str | int, index: int = 0) -> Author:
    author = Authorship.objects.get(work=work_of(record_id), index=index).author
    assert author
    return author


def wrong() -> list[Any]:
    """Return what `manage.py ingest verify` would complain of, and collaborations that do not follow from the works."""
    found: list[Any] = [check for check in checks() if check.wrong]
    pairs = check_collaborations()
    return found if pairs.agrees else [*found, pairs]


def owners() -> dict[tuple[str, int], int]:
    """Return whose every line is, by the first record of its work and its place."""
    first: dict[int, str] = {}
    for work, record in (
        SourceRecord.objects.filter(work__isnull=False)
        .order_by("provider", "record_id")
        .values_list("work", "record_id")
    ):
        first.setdefault(work or 0, record)
    rows = Authorship.objects.values_list("work", "index", "author")
    return {(first[work], index): author or 0 for work, index, author in rows}


def state() -> dict[str, Any]:
    """Return everything that regrouping may change and taking it back must restore."""
    fields = (
        "pk",
        "display_name",
        "merged_into",
        "orcid",
        "works_count",
        "cited_by_count",
        "close_collaborators_count",
        "claimed",
        "followers_count",
    )
    return {
        "owners": owners(),
        "records": dict(SourceRecord.objects.filter(entity="work").values_list("record_id", "work")),
        "identifiers": {(i.scheme, i.value): i.author_id for i in AuthorIdentifier.objects.all()},
        "authors": {row[0]: row for row in Author.objects.values_list(*fields)},
    }  # fmt: skip


def pids(authors: Iterable[Author]) -> set[str]:
    return {author.pid for author in authors}
