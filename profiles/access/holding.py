"""What a member claims, holds, proposes and keeps: their page and their account."""

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from profiles.access.blocking import blocked_between, one_of
from profiles.access.public import public_author, public_work
from profiles.models import (
    Assertion,
    Change,
    Claim,
    ClaimConfirmation,
    DataExport,
    Proposal,
    Representative,
    Researcher,
    User,
    Vouch,
)
from works.models import Author, Work
from works.queries import author_works


def claims(user: User) -> QuerySet[Claim]:
    return Claim.objects.filter(user=user).select_related("author").order_by("-created_at")


def claims_on(author: Author) -> QuerySet[Claim]:
    """Return every claim on a record and those joined with it; what is shown of them names nobody."""
    of = Q(author=author) | Q(author__merged_into=author)
    return Claim.objects.filter(of).order_by("created_at", "pk")


def confirmations(user: User) -> QuerySet[ClaimConfirmation]:
    """Return what user is asked to confirm of others' claims, without those across a block."""
    return (
        ClaimConfirmation.objects.filter(asked=user, claim__user__isnull=False)
        .exclude(blocked_between(user, OuterRef("claim__user")))
        .select_related("author", "claim__author", "claim__user")
        .defer("author__search", "claim__author__search")
    )


def researcher(user: User) -> Researcher | None:
    """Return what user says on the page they hold, if they hold one."""
    return Researcher.objects.select_related("author").filter(user=user).first()


def exports(user: User) -> QuerySet[DataExport]:
    """Return the files of their data that user asked for, newest first, without the content."""
    return DataExport.objects.filter(user=user).defer("content").order_by("-created_at")


def export(user: User, pk: UUID) -> DataExport:
    """Return one that can be fetched now, content and all."""
    ready = exports(user).filter(state=DataExport.State.READY, expires_at__gt=timezone.now())
    return one_of(ready.defer(None), pk)


def representations(user: User) -> QuerySet[Representative]:
    """Return for which institutions user speaks, spoke or asked to speak."""
    rows = Representative.objects.filter(user=user).select_related("institution", "user")
    return rows.defer("institution__search").order_by("-created_at")


def representation(user: User, pid: str) -> Representative:
    """Return user's standing for an institution; 404 for others' institutions and for none alike."""
    approved = representations(user).filter(state=Representative.State.APPROVED)
    found = approved.filter(institution__pid=pid).first()
    if found is None:
        raise Http404("Nothing here.")
    return found


def representation_by_id(user: User, pk: UUID) -> Representative:
    return one_of(representations(user), pk)


def assertions_about(user: User) -> QuerySet[Assertion]:
    """Return what institutions say of the person whose page user holds, on pages joined with it too."""
    mine = Q(author__researcher__user=user) | Q(author__merged_into__researcher__user=user)
    rows = Assertion.objects.filter(mine).select_related("institution", "author")
    return rows.defer("institution__search", "author__search").order_by("-created_at")


def assertion_about(user: User, pk: UUID) -> Assertion:
    return one_of(assertions_about(user), pk)


def vouches_given(user: User) -> QuerySet[Vouch]:
    """Return what user vouched for, whatever became of it."""
    return Vouch.objects.filter(user=user)


def vouches_received(user: User) -> QuerySet[Vouch]:
    """Return the vouches for user as the person behind the page they hold, without those across a block."""
    mine = researcher(user)
    if mine is None:
        return Vouch.objects.none()
    of = Q(author=mine.author_id) | Q(author__merged_into=mine.author_id)
    rows = Vouch.objects.filter(of, created_at__gte=mine.created_at)
    return rows.exclude(blocked_between(user, OuterRef("user")))


def vouch(user: User, pk: UUID) -> Vouch:
    """Return one that user gave, or that is for them."""
    given = vouches_given(user).filter(pk=pk).select_related("voucher", "author").first()
    return given or one_of(vouches_received(user).select_related("voucher", "author"), pk)


def may_regroup(user: User | AnonymousUser, record: Author | Work) -> bool:
    """Return whether somebody may join or divide a record, or propose it: any for moderators, else what is theirs."""
    if not isinstance(user, User):
        return False
    if user.is_moderator:
        return True
    held = researcher(user)
    if held is None:
        return False
    if isinstance(record, Author):
        return held.author_id == record.pk
    return author_works(held.author).filter(pk=record.pk).exists()


def regroupable_author(user: User, pid: str) -> Author:
    author = public_author(pid)
    if not may_regroup(user, author):
        raise Http404("Nothing here.")
    return author


def regroupable_work(user: User, pid: str) -> Work:
    work = public_work(pid)
    if not may_regroup(user, work):
        raise Http404("Nothing here.")
    return work


def own_proposals(user: User) -> QuerySet[Proposal]:
    """Return what a member proposed for their own page, the newest first."""
    rows = Proposal.objects.filter(proposer=user).exclude(kind=Proposal.Kind.REVOKE)
    rows = rows.select_related("author", "other", "change").defer("author__search", "other__search")
    return rows.order_by("-created_at")


def own_proposal(user: User, pk: UUID) -> Proposal:
    return one_of(own_proposals(user), pk)


def regrouped_change(pk: UUID) -> Change:
    """Return a change that joined or divided records, whoever asks: who may take it back is asked of the service."""
    rows = Change.objects.filter(regrouping__isnull=False)
    rows = rows.select_related("author", "other", "regrouping", "undoes")
    return one_of(rows.defer("author__search", "other__search"), pk)


def sessions(user: User) -> QuerySet[UserSession]:
    return UserSession.objects.filter(user=user).order_by("-last_seen_at")


def own_work(user: User, pid: str) -> Work:
    """Return a work on the page that user holds; 404 for everybody else's and for unknown ones alike."""
    row = researcher(user)
    found = author_works(row.author).filter(pid=pid).first() if row and pid.isalnum() else None
    if found is None:
        raise Http404("Nothing here.")
    return found


def own_changes(user: User) -> QuerySet[Change]:
    """Return what was changed on the page that user holds, the last first."""
    rows = Change.objects.filter(author__researcher__user=user).select_related("undoes", "undone_by")
    return rows.order_by("-at", "-pk")


def own_change(user: User, pk: UUID) -> Change:
    return one_of(own_changes(user), pk)


def claim(user: User, pk: UUID) -> Claim:
    return one_of(claims(user), pk)


def confirmation(user: User, pk: UUID) -> ClaimConfirmation:
    return one_of(confirmations(user), pk)
