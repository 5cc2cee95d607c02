"""The shapes in which routes say what they found."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from profiles.models import ClaimEvidence, Route
from trust.models import Evidence

Outcome = ClaimEvidence.Outcome


@dataclass(frozen=True)
class Check:
    """One question that a route asks, and its answer as a sentence for the claimant; detail is for moderators."""

    name: str
    outcome: Outcome
    sentence: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """What the ledger of trust learns if the claim is accepted with this finding; the fields of record_evidence."""

    kind: Evidence.Kind
    source: str
    meets_route: bool = False
    expires_at: datetime | None = None
    asserted_by_author_id: int | None = None
    asserted_by_institution_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What a route found for one person and one author, as of now.

    decides: it is strong enough to accept the claim at once. proves, soon: sentences of what the route shows and how
    soon it decides. start: the address at which the person does their part, empty where nothing is left to do.
    """

    route: Route
    proves: str
    soon: str
    decides: bool
    checks: tuple[Check, ...]
    lines: tuple[Line, ...] = ()
    start: str = ""
    start_label: str = ""
