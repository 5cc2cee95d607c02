"""Writes of trust: lines of the ledger, and the scores derived from works and ledger."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from bzpeer.lib.doorbell import ring
from trust import algorithms
from trust.algorithms import Score
from trust.facts import RECOGNISED_PROVIDERS, RECOGNISED_SCHEMES, read_facts
from trust.models import Evidence, EvidenceDetail
from trust.scores import database_now, write_scores
from works.models import Mark
from works.services.marks import mark

__all__ = [
    "RECOGNISED_PROVIDERS",
    "RECOGNISED_SCHEMES",
    "end_evidence",
    "expire_evidence",
    "freeze_score",
    "mark_due_scores",
    "read_facts",
    "record_evidence",
    "rescore_authors",
    "thaw_score",
]

_INSERT = """
insert into trust_evidence (author_id, kind, source, asserted_by_author_id, asserted_by_institution_id, meets_route,
                            ends_id, event_key, observed_at, expires_at, recorded_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())
on conflict do nothing returning id
"""


@transaction.atomic
def record_evidence(
    *,
    author_id: int,
    kind: Evidence.Kind,
    source: str,
    event_key: str,
    observed_at: datetime,
    expires_at: datetime | None = None,
    detail: dict[str, Any] | None = None,
    ends: Evidence | None = None,
    asserted_by_author_id: int | None = None,
    asserted_by_institution_id: int | None = None,
    meets_route: bool = False,
) -> Evidence:
    """Add a line to the ledger; the same event_key again returns the line that stands and adds nothing.

    detail is private and may be deleted later; it never comes back by a retry.
    Raises ValueError when the event_key stands for another author or kind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                author_id, str(kind), source[:64], asserted_by_author_id, asserted_by_institution_id, meets_route,
                ends.pk if ends else None, event_key, observed_at, expires_at,
            ],
        )  # fmt: skip
        inserted = cursor.fetchone()
    if inserted is None:
        # A row may be ended once: whoever comes second gets the end that stands.
        standing = Evidence.objects.filter(ends=ends).first() if ends else None
        evidence = standing or Evidence.objects.get(event_key=event_key)
        if evidence.author_id != author_id or (not ends and evidence.kind != str(kind)):
            raise ValueError(f"the event {event_key} is recorded for another author or kind")
        return evidence
    evidence = Evidence.objects.get(pk=inserted[0])
    if detail:
        EvidenceDetail.objects.create(evidence=evidence, detail=detail)
    _mark([author_id], f"evidence {kind}")
    return evidence


def end_evidence(
    evidence: Evidence, why: str, *, source: str = "BZPEER", at: datetime | None = None, event_key: str = ""
) -> Evidence:
    """Withdraw a line by a new one that names it; the reason is private. Ending it again changes nothing."""
    return record_evidence(
        author_id=evidence.author_id,
        kind=Evidence.Kind.REVOKED,
        source=source,
        event_key=event_key or f"end:{evidence.pk}",
        observed_at=at or database_now(),
        detail={"why": why},
        ends=evidence,
    )


@transaction.atomic
def expire_evidence(at: datetime | None = None) -> int:
    """Write the end of every line that has run out; return how many. Called by beat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into trust_evidence (author_id, kind, source, meets_route, ends_id, event_key, observed_at,"
            "  recorded_at)"
            " select e.author_id, 'expired', e.source, false, e.id, 'expired:' || e.id, e.expires_at, now()"
            " from trust_evidence e where e.expires_at <= %s"
            "  and not exists (select from trust_evidence x where x.ends_id = e.id)"
            " on conflict do nothing returning author_id",
            [at or database_now()],
        )
        author_ids = [row[0] for row in cursor.fetchall()]
    _mark(author_ids, "evidence ran out")
    return len(author_ids)


@transaction.atomic
def mark_due_scores(at: datetime | None = None) -> int:
    """Mark the scores that time alone changes (expiry, halving); return how many. Called by beat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select author_id from trust_trustscore where next_change_at <= %s", [at or database_now()]
        )
        author_ids = [row[0] for row in cursor.fetchall()]
    _mark(author_ids, "time passed")
    return len(author_ids)


def _mark(author_ids: Iterable[int], why: str) -> None:
    from trust.tasks import drain_trust

    if author_ids := list(author_ids):
        mark(Mark.What.TRUST, author_ids, why)
        ring(drain_trust)


# --- Scores -----------------------------------------------------------------------------------------


@transaction.atomic
def rescore_authors(author_ids: list[int], at: datetime | None = None) -> None:
    """Work out the scores of these authors from works and ledger; write only what changed.

    Handler of Mark.What.TRUST. A score frozen by a dispute stays; running it twice changes nothing.
    """
    at = at or database_now()
    facts = read_facts(author_ids)
    rows = [_row(author_id, algorithms.score(known, at)) for author_id, known in facts.items()]
    write_scores(
        "select * from jsonb_to_recordset(%(rows)s::jsonb) as g(author_id bigint, value smallint,"
        " level smallint, parts jsonb, next_change_at timestamptz)",
        at=at,
        rows=json.dumps(rows),
    )


def _row(author_id: int, score: Score) -> dict[str, Any]:
    moment = score.next_change_at
    return {
        "author_id": author_id,
        "value": score.value,
        "level": score.level,
        "parts": score.parts,
        "next_change_at": moment.isoformat() if moment else None,
    }


def freeze_score(author_id: int, at: datetime | None = None) -> None:
    """Keep a score as it is while a dispute is open."""
    rescore_authors([author_id], at)
    _set_frozen(author_id, at or database_now())


def thaw_score(author_id: int) -> None:
    """Let a score follow its evidence again, at once."""
    _set_frozen(author_id, None)
    _mark([author_id], "dispute ended")


@transaction.atomic
def _set_frozen(author_id: int, at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update trust_trustscore set frozen_at = %s where author_id = %s"
            " and (frozen_at is null) <> (%s::timestamptz is null)",
            [at, author_id, at],
        )
        if cursor.rowcount:
            cursor.execute(
                "update works_author set version = version + 1, updated_at = now() where id = %s", [author_id]
            )
