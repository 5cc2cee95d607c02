"""Revoking a claim takes two moderators: one proposes, another confirms. The database refuses the same person."""

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from profiles.exceptions import ModerationError
from profiles.models import By, Claim, Notification, Proposal, User
from profiles.services import accounts, claims, history
from profiles.services.notifications import mark_done, notify

State = Proposal.State


def open_proposal(claim: Claim) -> Proposal | None:
    waiting = claim.proposals.filter(kind=Proposal.Kind.REVOKE, state=State.OPEN)
    return waiting.select_related("proposer").first()


@transaction.atomic
def propose_revocation(*, claim: Claim, actor: User, reason: str) -> Proposal:
    """Ask another moderator to confirm that a disputed claim ends."""
    if not reason.strip():
        raise ModerationError("Give the reason: the second moderator decides by it, and the person reads it.")
    claim = Claim.objects.select_related("author").get(pk=claim.pk)  # unlocked: revoking asks again
    if claim.state != Claim.State.DISPUTED:
        raise ModerationError(
            "Only a disputed claim is revoked. Open a dispute first, so that its holder is heard."
        )
    if claim.user_id == actor.pk:
        raise ModerationError("Somebody else decides your own claim.")
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                kind=Proposal.Kind.REVOKE,
                proposer=actor,
                by=By.MODERATOR,
                author=claim.author,
                claim=claim,
                reason=reason.strip()[:2000],
            )
    except IntegrityError as error:
        raise ModerationError(
            "Another moderator has proposed it already. Reload, and confirm or decline."
        ) from error
    _audit(proposal, actor, "claim.revoke.propose", reason)
    for moderator in accounts.moderators():
        notify(
            recipient=moderator,
            actor=actor,  # who proposed is not told of it
            verb=Notification.Verb.PROPOSAL_OPENED,
            target_url=desk_of(claim),
            target_text=claim.author.display_name,
            event_key=f"proposal:{proposal.pk}",
            by_mail=False,
        )
    return proposal


@transaction.atomic
def confirm_revocation(*, proposal: Proposal, actor: User, reason: str = "") -> Claim:
    """End the claim as the second moderator; the person reads what the first wrote."""
    proposal = _lock(proposal)
    if actor.pk == proposal.proposer_id:
        raise ModerationError("You proposed this. Another moderator confirms it, or you withdraw it.")
    _close(proposal, State.ACCEPTED, actor, reason)
    assert proposal.claim is not None  # noqa: S101 - of kind revoke
    claim = claims.revoke_claim(claim=proposal.claim, actor=actor, reason=proposal.reason)
    _audit(proposal, actor, "claim.revoke.confirm", reason)
    return claim


@transaction.atomic
def decline_revocation(*, proposal: Proposal, actor: User, reason: str) -> Proposal:
    """Say no to the proposal; who made it takes it back by the same words. The dispute goes on."""
    proposal = _lock(proposal)
    if actor.pk == proposal.proposer_id:
        _close(proposal, State.WITHDRAWN, None, reason)
        _audit(proposal, actor, "claim.revoke.withdraw", reason)
        return proposal
    if not reason.strip():
        raise ModerationError("Say why not: the moderator who proposed it reads it.")
    _close(proposal, State.DECLINED, actor, reason)
    _audit(proposal, actor, "claim.revoke.decline", reason)
    return proposal


@transaction.atomic
def uphold(*, claim: Claim, actor: User, reason: str) -> Claim:
    """End the dispute for the holder; an open proposal to revoke ends with it."""
    waiting = claim.proposals.filter(kind=Proposal.Kind.REVOKE, state=State.OPEN).first()
    if waiting:  # before the claim is locked: confirming takes the two in this order
        decline_revocation(proposal=waiting, actor=actor, reason=reason)
    return claims.uphold_claim(claim=claim, actor=actor, reason=reason)


def desk_of(claim: Claim) -> str:
    return reverse("profiles:moderation_claim", args=[claim.pk])


def _lock(proposal: Proposal) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",), no_key=True).select_related("claim__author")
    proposal = rows.get(pk=proposal.pk)
    if proposal.state != State.OPEN:
        raise ModerationError(f"This proposal was decided meanwhile: {proposal.get_state_display().lower()}.")
    return proposal


def _close(proposal: Proposal, state: str, decided_by: User | None, answer: str) -> None:
    proposal.state, proposal.answer = state, answer.strip()[:2000]
    proposal.decided_by, proposal.decided_at = decided_by, timezone.now()
    proposal.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    assert proposal.claim is not None  # noqa: S101 - of kind revoke
    mark_done(verb=Notification.Verb.PROPOSAL_OPENED, url=desk_of(proposal.claim))


def _audit(proposal: Proposal, actor: User, action: str, reason: str) -> None:
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action=action,
        subject=f"claim:{proposal.claim_id}",
        author=proposal.author,
        reason=reason,
        data={"proposal": str(proposal.pk)},
    )
