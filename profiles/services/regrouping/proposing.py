"""Owners propose to join or divide records about them; a moderator does it, or says why not."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from profiles import access
from profiles.exceptions import RegroupingError, TooMany
from profiles.models import By, Change, Notification, Proposal, User
from profiles.services import claims, history
from profiles.services.notifications import mark_done, notify, notify_moderators
from profiles.services.regrouping import doing
from works.models import Author, SourceRecord, Work

Kind, State = Proposal.Kind, Proposal.State
OF_RECORDS = (Kind.MERGE, Kind.SPLIT, Kind.WORKS_MERGE, Kind.WORK_SPLIT)
MAX_OPEN = 5
PER_MONTH = 20


@transaction.atomic
def propose(
    *,
    user: User,
    kind: Proposal.Kind,
    reason: str,
    other: Author | None = None,
    data: dict[str, Any] | None = None,
) -> Proposal:
    """Ask a moderator to join or divide the page that user holds, or works on it.

    data: pids of works ("works", "work", "other"), keys of records ("records"), the name of a new page ("name").
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    author = page_of(user)
    if author is None:
        raise RegroupingError("Claim your page first: researchers propose changes of their own page.")
    if claims.is_read_only(user):
        raise RegroupingError("Your claim is disputed: changes can be proposed once that is decided.")
    if not reason.strip():
        raise RegroupingError("Say why: a moderator decides by it.")
    mine = Proposal.objects.filter(proposer=user, kind__in=OF_RECORDS)
    waiting = mine.filter(state=State.OPEN)
    if waiting.filter(kind=kind, author=author, other=other, data=data or {}).exists():
        raise RegroupingError("You have proposed this already. It waits for a moderator.")
    if waiting.count() >= MAX_OPEN:
        raise TooMany(f"{MAX_OPEN} of your proposals wait for a decision. Withdraw one, or wait.")
    if mine.filter(created_at__gt=timezone.now() - timedelta(days=30)).count() >= PER_MONTH:
        raise TooMany(f"You can make {PER_MONTH} proposals in 30 days. Please go on later.")
    proposal = Proposal.objects.create(
        kind=kind, proposer=user, by=By.OWNER, author=author, other=other, data=data or {}, reason=reason.strip()[:2000]
    )  # fmt: skip
    notify_moderators(
        verb=Notification.Verb.PROPOSAL_OPENED,
        target_url=address_of(proposal),
        target_text=f"{proposal.get_kind_display()}: {author}",
        event_key=f"proposal:{proposal.pk}",
    )
    return proposal


@transaction.atomic
def accept(*, proposal: Proposal, actor: User, answer: str = "") -> Change:
    """Do what was proposed. Raises RegroupingError where it cannot be done any more."""
    proposal = _lock(proposal, actor)
    reason = proposal.reason if not answer.strip() else f"{proposal.reason.strip()[:300]} {answer.strip()}"
    change = _do(proposal, actor, reason)
    _close(proposal, State.ACCEPTED, actor, answer, change)
    return change


@transaction.atomic
def decline(*, proposal: Proposal, actor: User, answer: str) -> Proposal:
    """Turn a proposal down, with the reason the proposer reads."""
    if not answer.strip():
        raise RegroupingError("Give the reason: the person who proposed it reads it.")
    proposal = _lock(proposal, actor)
    history.audit(
        actor=actor, by=By.MODERATOR, action=f"proposal.{proposal.kind}.decline", subject=f"proposal:{proposal.pk}",
        author=proposal.author, reason=answer,
    )  # fmt: skip
    return _close(proposal, State.DECLINED, actor, answer)


@transaction.atomic
def withdraw(*, proposal: Proposal, user: User) -> Proposal:
    """Take one's own proposal back before it is decided."""
    proposal = Proposal.objects.select_for_update(of=("self",)).select_related("author").get(pk=proposal.pk)
    if proposal.proposer_id != user.pk or proposal.state != State.OPEN:
        raise RegroupingError("This proposal does not wait for a decision any more.")
    proposal.state, proposal.decided_at = State.WITHDRAWN, timezone.now()
    proposal.save(update_fields=["state", "decided_at"])
    mark_done(verb=Notification.Verb.PROPOSAL_OPENED, url=address_of(proposal))
    return proposal


def page_of(user: User) -> Author | None:
    """Return the page that a member holds."""
    held = access.researcher(user)
    return held.author if held else None


def address_of(proposal: Proposal) -> str:
    return reverse("profiles:proposal", args=[proposal.pk])


def records_named(work: Work, names: list[str]) -> list[int]:
    """Return a work's records by their keys, provider:record_id, which outlive a new import."""
    rows = SourceRecord.objects.filter(work=work).values_list("pk", "provider", "record_id")
    return [pk for pk, provider, record_id in rows if f"{provider}:{record_id}" in names]


def _do(proposal: Proposal, actor: User, reason: str) -> Change:
    data = proposal.data
    if proposal.author is None:
        raise RegroupingError("The page is not here any more.")
    if proposal.kind == Kind.MERGE:
        if proposal.other is None:
            raise RegroupingError("The other page is not here any more.")
        author, other = doing.standing_first(proposal.author, proposal.other)
        return doing.merge(author=author, other=other, actor=actor, reason=reason)
    if proposal.kind == Kind.SPLIT:
        works = [access.public_work(pid) for pid in data.get("works", [])]
        return doing.split(
            author=proposal.author, works=works, name=data.get("name", ""), actor=actor, reason=reason
        )
    work = access.public_work(data.get("work", ""))
    if proposal.kind == Kind.WORKS_MERGE:
        other_work = access.public_work(data.get("other", ""))
        return doing.merge_works(
            work=work, other=other_work, actor=actor, reason=reason, page=proposal.author
        )
    records = records_named(work, data.get("records", []))
    return doing.split_work(work=work, records=records, actor=actor, reason=reason, page=proposal.author)


def _lock(proposal: Proposal, actor: User) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",)).filter(kind__in=OF_RECORDS)
    found = rows.select_related("author", "other", "proposer").get(pk=proposal.pk)
    if found.state != State.OPEN:
        raise RegroupingError(f"This proposal is “{found.get_state_display().lower()}” by now.")
    if found.proposer_id == actor.pk:
        raise RegroupingError("Another moderator decides your own proposal.")
    return found


def _close(
    proposal: Proposal, state: str, actor: User, answer: str, change: Change | None = None
) -> Proposal:
    proposal.state, proposal.answer, proposal.change = state, answer.strip()[:2000], change
    proposal.decided_by, proposal.decided_at = actor, timezone.now()
    proposal.save(update_fields=["state", "answer", "change", "decided_by", "decided_at"])
    mark_done(verb=Notification.Verb.PROPOSAL_OPENED, url=address_of(proposal))
    if proposal.proposer:
        notify(
            recipient=proposal.proposer,
            verb=Notification.Verb.PROPOSAL_DECIDED,
            target_url=reverse("profiles:own_proposal", args=[proposal.pk]),
            target_text=f"{proposal.get_kind_display()}: {proposal.get_state_display().lower()}",
            event_key=f"proposal:{proposal.pk}:decided",
        )
    return proposal
