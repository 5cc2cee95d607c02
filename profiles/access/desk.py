"""What moderators read."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from profiles.access.blocking import one_of
from profiles.models import (
    AnswerTemplate,
    Claim,
    ClaimAttachment,
    CurationRequest,
    Proposal,
    Report,
    Representative,
    User,
    Vouch,
)


def desk_claims() -> QuerySet[Claim]:
    return Claim.objects.select_related("author", "user").defer("author__search")


def desk_attachment(moderator: User, claim: UUID, pk: UUID) -> ClaimAttachment:
    """Return a file with a claim; a moderator who claims the same page reads no rival's files."""
    own = Claim.objects.filter(user=moderator, author=OuterRef("claim__author")).exclude(pk=OuterRef("claim"))
    rows = ClaimAttachment.objects.filter(claim=claim)
    return one_of(rows.exclude(Exists(own.filter(state__in=[*Claim.OPEN, *Claim.HELD]))), pk)


def desk_proposals() -> QuerySet[Proposal]:
    rows = Proposal.objects.select_related("author", "other", "proposer", "claim")
    return rows.defer("author__search", "other__search")


def desk_requests() -> QuerySet[CurationRequest]:
    """Unconfirmed requests are nobody's to read: anybody could have typed that address."""
    rows = CurationRequest.objects.exclude(state=CurationRequest.State.UNCONFIRMED)
    return rows.select_related("author", "work", "decided_by").defer("author__search", "work__search")


def desk_reports() -> QuerySet[Report]:
    return Report.objects.select_related("reporter", "decided_by", "conversation")


def desk_representatives() -> QuerySet[Representative]:
    rows = Representative.objects.select_related("user", "institution", "decided_by")
    return rows.defer("institution__search")


def desk_members() -> QuerySet[User]:
    return User.objects.all()


def desk_vouches() -> QuerySet[Vouch]:
    return Vouch.objects.all()


def desk_answers() -> QuerySet[AnswerTemplate]:
    return AnswerTemplate.objects.order_by("title")


def on_desk(rows: QuerySet[Any], pk: UUID | int) -> Any:
    """Return one of the rows that moderators read, or 404."""
    return one_of(rows, pk)
