"""Lines of the ledger of trust for many assertions at once: one statement and one ring, however many they are."""

from collections.abc import Sequence
from datetime import datetime

from bzpeer.lib.doorbell import ring
from profiles.models import Assertion
from trust.models import Evidence, EvidenceDetail
from trust.tasks import drain_trust
from works.models import Institution, Mark
from works.services.marks import mark


def record_asserted(
    institution: Institution, authors_and_keys: Sequence[tuple[int, str]], at: datetime, until: datetime
) -> list[Evidence]:
    """Write one line per (author, event key), in their order; the keys are new."""
    lines = Evidence.objects.bulk_create(
        Evidence(
            author_id=author_id,
            kind=Evidence.Kind.AFFILIATION_ASSERTED,
            source=institution.display_name[:64],
            asserted_by_institution=institution,
            event_key=key,
            observed_at=at,
            expires_at=until,
        )
        for author_id, key in authors_and_keys
    )
    _rescore([author_id for author_id, _ in authors_and_keys], "affiliation asserted")
    return lines


def record_ended(assertions: Sequence[Assertion], at: datetime, why: str) -> None:
    """Write the end of each assertion's line; the reason is private. Lines that have an end keep it."""
    ended = set(
        Evidence.objects.filter(ends__in=[row.evidence_id for row in assertions]).values_list(
            "ends", flat=True
        )
    )
    open_rows = [row for row in assertions if row.evidence_id not in ended]
    lines = Evidence.objects.bulk_create(
        Evidence(
            author_id=row.evidence.author_id,
            kind=Evidence.Kind.REVOKED,
            source=row.evidence.source,
            ends_id=row.evidence_id,
            event_key=f"end:{row.evidence_id}",
            observed_at=at,
        )
        for row in open_rows
    )
    EvidenceDetail.objects.bulk_create(EvidenceDetail(evidence=line, detail={"why": why}) for line in lines)
    _rescore([row.evidence.author_id for row in open_rows], "assertion ended")


def _rescore(author_ids: Sequence[int], why: str) -> None:
    if author_ids:
        mark(Mark.What.TRUST, author_ids, why)
        ring(drain_trust)
