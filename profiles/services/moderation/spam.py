"""Everything that waits by one account or address, turned down at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet

from profiles import access
from profiles.exceptions import ModerationError, ProfilesError
from profiles.models import Claim, CurationRequest, Report, Representative, User
from profiles.services import claims, conversations, curation, suspension
from profiles.services.representatives import requests as representing

MOST = 40  # of each kind at once: a form holds so many fields; the rest shows when these are dealt with


@dataclass
class Sender:
    """A member, or somebody without an account who confirmed an address; items are keyed "claim:0199…"."""

    member: User | None
    addresses: list[str]
    items: dict[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    done: int = 0
    refused: list[str] = field(default_factory=list)


def sender_of(*, member: User | None = None, address: str = "") -> Sender:
    """Gather what waits by a member, or by the member or stranger behind an address."""
    if member is None:
        confirmed = (
            EmailAddress.objects.filter(email__iexact=address, verified=True).select_related("user").first()
        )
        member = confirmed.user if confirmed else None
    addresses = {address.lower()} if address else set()
    if member:
        mine = EmailAddress.objects.filter(user=member, verified=True)
        addresses |= {email.lower() for email in mine.values_list("email", flat=True)}
    sender = Sender(member, sorted(addresses))
    waiting: list[tuple[str, QuerySet[Any]]] = [
        (
            "request",
            access.desk_requests().filter(email__in=sender.addresses, state=CurationRequest.State.OPEN),
        )
    ]
    if member:
        asked = Representative.State.REQUESTED
        waiting += [
            ("claim", access.desk_claims().filter(user=member, state__in=Claim.OPEN)),
            ("report", access.desk_reports().filter(reporter=member, state=Report.State.OPEN)),
            ("representative", access.desk_representatives().filter(user=member, state=asked)),
        ]
    for kind, rows in waiting:
        for row in rows.order_by("created_at")[:MOST]:
            sender.items[f"{kind}:{row.pk}"] = row
    return sender


_REJECT: dict[str, Callable[[Any, User, str], object]] = {
    "claim": lambda row, actor, reason: claims.reject_claim(claim=row, actor=actor, reason=reason),
    "request": lambda row, actor, reason: curation.decide_request(
        request=row, actor=actor, done=False, answer=reason
    ),
    "report": lambda row, actor, reason: conversations.close_report(report=row, actor=actor, answer=reason),
    "representative": lambda row, actor, reason: representing.decline_representative(
        representative=row, actor=actor, answer=reason
    ),
}


@transaction.atomic
def reject_all(
    *, sender: Sender, picked: Iterable[str], actor: User, reason: str, suspend: bool = False
) -> Outcome:
    """Turn down what was picked, each by its own service with its own line in the audit trail.

    One that is refused holds up none of the others. What is not this sender's, or was decided meanwhile, is
    passed over.
    """
    if not reason.strip():
        raise ModerationError("Give the reason: whoever sent these reads it.")
    rows = [(key, sender.items[key]) for key in dict.fromkeys(picked) if key in sender.items]
    if not rows and not suspend:
        raise ModerationError("Pick at least one.")
    outcome = Outcome()
    for key, row in rows:
        try:
            with transaction.atomic():
                _REJECT[key.partition(":")[0]](row, actor, reason)
            outcome.done += 1
        except ProfilesError as refusal:
            outcome.refused.append(f"{name_of(row)}: {refusal}")
    if suspend and sender.member:
        suspension.suspend_member(member=sender.member, actor=actor, reason=reason)
    return outcome


def past_of(member: User) -> list[Claim]:
    """Return the newest claims by a member, whatever became of them."""
    return list(access.desk_claims().filter(user=member).order_by("-created_at")[:20])


def name_of(row: Any) -> str:
    """Say in a few words what a row of any queue is about."""
    if isinstance(row, Claim):
        return f"Claim on {row.author}"
    if isinstance(row, CurationRequest):
        return str(row)
    if isinstance(row, Report):
        return "Report of a conversation"
    return f"Representative of {row.institution}"
