"""What an accepted claim writes into the ledger of trust, and how that ends."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from profiles.claims.findings import Finding, Line
from profiles.models import Claim, Route
from profiles.services import accounts
from trust import services as trust
from trust.models import Evidence, EvidenceDetail

# Who says that the claim is true, as the ledger's page words it.
SOURCES: dict[str, str] = {
    Route.ORCID: "ORCID",
    Route.DOMAIN: "address at the institution",
    Route.BACK_LINK: "page of theirs",
    Route.COAUTHORS: "co-authors",
    Route.REVIEW: "moderator",
}


def record_acceptance(claim: Claim, findings: Sequence[Finding]) -> None:
    """Write the acceptance, the confirmed address and what every route has shown; claim is locked."""
    _record(claim, Evidence.Kind.CLAIM_ACCEPTED, SOURCES[claim.decided_by_route], f"claim:{claim.pk}")
    address = claim.user and accounts.mail_address(claim.user)
    if address:
        _record(claim, Evidence.Kind.EMAIL_CONFIRMED, "BZPEER", f"claim:{claim.pk}:email", {"email": address})
    record_findings(claim, findings)


def record_findings(claim: Claim, findings: Sequence[Finding]) -> int:
    """Write the lines that do not stand yet; return how many. A later look may have found more.

    A line that meets its route in full takes the place of the one about the same fact that did not.
    """
    standing = {
        _fact_of(row, row.detail.detail if hasattr(row, "detail") else {}): row
        for row in lines_of(claim).filter(ends=None, ended_by=None).select_related("detail")
    }
    numbers = Counter(lines_of(claim).values_list("kind", flat=True))
    added = 0
    for line in (line for finding in findings for line in finding.lines):
        fact = _fact_of(line, line.detail)
        weaker = standing.get(fact)
        if weaker is not None:
            if weaker.meets_route or not line.meets_route:
                continue
            trust.end_evidence(weaker, "a later look met the route in full")
        numbers[line.kind] += 1
        standing[fact] = trust.record_evidence(
            author_id=claim.author_id,
            kind=line.kind,
            source=line.source,
            event_key=f"claim:{claim.pk}:{line.kind}:{numbers[line.kind]}",
            observed_at=timezone.now(),
            expires_at=line.expires_at,
            detail=line.detail or None,
            asserted_by_author_id=line.asserted_by_author_id,
            asserted_by_institution_id=line.asserted_by_institution_id,
            meets_route=line.meets_route,
        )
        added += 1
    return added


def end_lines(claim: Claim, why: str) -> None:
    """End every line of a claim by a new one, and delete their private details (an address, an iD)."""
    for evidence in lines_of(claim).filter(ends=None, ended_by=None):
        trust.end_evidence(evidence, why)
    EvidenceDetail.objects.filter(evidence__in=lines_of(claim)).delete()


def lines_of(claim: Claim) -> QuerySet[Evidence]:
    key = f"claim:{claim.pk}"
    return Evidence.objects.filter(Q(event_key=key) | Q(event_key__startswith=f"{key}:"))


def _fact_of(row: Evidence | Line, detail: dict[str, Any]) -> tuple[Any, ...]:
    """Return what makes two lines the same fact."""
    asserter = row.asserted_by_author_id or 0, row.asserted_by_institution_id or 0
    return str(row.kind), row.source[:64], *asserter, json.dumps(detail, sort_keys=True)


def _record(
    claim: Claim, kind: Evidence.Kind, source: str, event_key: str, detail: dict[str, str] | None = None
) -> None:
    trust.record_evidence(
        author_id=claim.author_id,
        kind=kind,
        source=source,
        event_key=event_key,
        observed_at=timezone.now(),
        detail=detail,
    )
