"""Works that a person took off their ORCID record: nobody says so, a newer record merely lists them no more."""

from collections.abc import Iterable
from datetime import timedelta

from bzpeer.lib.sql import query
from works.ingest.records import AuthorRecord, Record, WorkRecord, decode
from works.models import Provider

_SOONER = timedelta(microseconds=1)


def unlisted_works(provider: str, records: Iterable[Record]) -> list[WorkRecord]:
    """Return, as withdrawn, the stored works of these records' people that their record as it stands lists no more.

    Works that changed after that record are left alone. A notice is dated a moment before the work it ends, so that
    the work stands again when a later record lists it again. Which works these are follows from what is stored, so
    that it does not matter in which order the records came.
    """
    if provider != Provider.ORCID:
        return []
    people = {
        record.record_id.partition("/")[0]
        for record in records
        if isinstance(record, AuthorRecord | WorkRecord)
    }
    rows = query(
        # "0" is the character after "/": the ids that begin with the person's and a slash.
        "select w.payload::text from works_sourcerecord a join works_sourcerecord w on w.provider = a.provider"
        " and w.record_id > a.record_id || '/' and w.record_id < a.record_id || '0'"
        " where a.provider = %s and a.entity = 'author' and a.record_id = any(%s) and a.payload ? 'works'"
        " and w.entity = 'work' and w.observed_at <= a.observed_at and not w.payload ? 'withdrawn'"
        " and not a.payload->'works' ? split_part(w.record_id, '/', 2) order by w.record_id",
        [provider, sorted(people)],
    )
    return [_notice(decode(payload, "work")) for (payload,) in rows]


def _notice(record: Record) -> WorkRecord:
    assert isinstance(record, WorkRecord)  # noqa: S101 - what "work" decodes to
    return WorkRecord(
        provider=record.provider,
        record_id=record.record_id,
        type=record.type,
        identifiers=record.identifiers,
        withdrawn=True,
        observed_at=record.observed_at - _SOONER,
    )
