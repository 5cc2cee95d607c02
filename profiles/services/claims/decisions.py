"""What moderators, and the claimant, decide about a claim."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from profiles.claims import gathering
from profiles.claims.findings import Finding
from profiles.claims.states import Actor, Event
from profiles.exceptions import ClaimConflict, ClaimError, ClaimStateError
from profiles.models import Claim, Notification, Researcher, Route, User
from profiles.services.claims import ledger
from profiles.services.claims.steps import (
    hurry,
    lock,
    rivals_of,
    role_of,
    step,
    tell_claimant,
    tell_moderators,
)
from trust import services as trust
from works.models import Author
from works.services import authors

State = Claim.State


@transaction.atomic
def review_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Take a claim into review."""
    return step(lock(claim), Event.REVIEW, actor=actor, reason=reason)


@transaction.atomic
def approve_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Accept a claim: the claimant becomes the researcher of the page, the ledger learns of it."""
    findings: list[Finding] = []
    if claim.user is not None:
        findings = gathering.gather(user=claim.user, author=claim.author, claim=claim, for_update=True)
        gathering.save(claim, findings)
    return accept(claim, findings, actor=actor, reason=reason, route=Route.REVIEW)


def accept(
    claim: Claim, findings: Sequence[Finding], *, actor: User | None, reason: str = "", route: str
) -> Claim:
    """Do what acceptance means; in the caller's transaction. actor: None where evidence decides.

    Raises ClaimConflict, with nothing changed, where somebody else holds the page or the claimant another.
    """
    try:
        with transaction.atomic():
            claim = lock(claim)
            _check_free(claim, claim.author)
            step(claim, Event.APPROVE, actor=actor, reason=reason, route=route)
            Researcher.objects.get_or_create(user=claim.user, author=claim.author)
    except IntegrityError as error:  # another claim of this member was accepted in this very moment
        raise ClaimConflict("Another claim was accepted in the meantime. Reload and look again.") from error
    authors.mark_claimed(claim.author_id)
    ledger.record_acceptance(claim, findings)
    for rival in rivals_of(claim):  # they stay, and are looked at soon
        hurry(rival)
    tell_claimant(claim, Notification.Verb.CLAIM_ACCEPTED)
    from profiles.services import identity_proofing  # it writes down through this package

    if user := claim.user:  # who came through a federation before they held a page
        transaction.on_commit(lambda: identity_proofing.look_at_member(user), robust=True)
    return claim


@transaction.atomic
def reject_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Turn a claim down, with the reason the claimant reads; a new claim is taken into review first."""
    if not reason.strip():
        raise ClaimError("Give the reason: the claimant reads it and may appeal.")
    claim = lock(claim)
    if claim.state == State.SUBMITTED:
        step(claim, Event.REVIEW, actor=actor)
    step(claim, Event.REJECT, actor=actor, reason=reason)
    tell_claimant(claim, Notification.Verb.CLAIM_REJECTED)
    return claim


@transaction.atomic
def appeal_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Ask for a second decision, by another moderator; once."""
    if not reason.strip():
        raise ClaimError("Say what the first decision missed.")
    claim = lock(claim)
    try:
        with transaction.atomic():
            step(claim, Event.APPEAL, actor=actor, reason=reason)
    except IntegrityError as error:
        raise ClaimConflict("You have another claim on this page waiting.") from error
    tell_moderators(claim, "appealed")
    return claim


@transaction.atomic
def withdraw_claim(*, claim: Claim, actor: User) -> Claim:
    """Take an undecided claim back."""
    return step(lock(claim), Event.WITHDRAW, actor=actor)


@transaction.atomic
def give_up_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Let go of a page one holds; it becomes unclaimed."""
    trust.thaw_score(claim.author_id)  # before the author's row: a rescore takes the two in this order
    claim = step(lock(claim), Event.GIVE_UP, actor=actor, reason=reason)
    _let_go(claim, "given up by the researcher")
    return claim


@transaction.atomic
def dispute_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Question an accepted claim, as a moderator."""
    if role_of(actor, claim) == Actor.RIVAL:
        raise ClaimError("You have a claim on this page yourself: somebody else opens the dispute.")
    return _dispute(claim, actor, reason)


@transaction.atomic
def contest_claim(*, claim: Claim, rival: Claim) -> Claim:
    """Question an acceptance by evidence alone that is young: the rival's evidence decides as well.

    Raises ClaimStateError, with nothing changed, where only a moderator may open the dispute by now.
    """
    with transaction.atomic():
        claim = _dispute(claim, rival.user, "Another claimant showed evidence that decides as well.")
        if not claim.contestable_until or claim.contestable_until <= timezone.now():
            raise ClaimStateError("Only a moderator opens a dispute on this claim by now.")
    tell_moderators(claim, f"contested:{rival.pk}")
    return claim


def _dispute(claim: Claim, actor: User | None, reason: str) -> Claim:
    """Make the page read-only and freeze its trust until somebody decides."""
    trust.freeze_score(claim.author_id)
    claim = step(lock(claim), Event.DISPUTE, actor=actor, reason=reason)
    authors.raise_version(claim.author_id)
    tell_claimant(claim, Notification.Verb.CLAIM_DISPUTED)
    return claim


@transaction.atomic
def uphold_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """End a dispute for the one who holds the page."""
    trust.thaw_score(claim.author_id)
    claim = step(lock(claim), Event.UPHOLD, actor=actor, reason=reason)
    authors.raise_version(claim.author_id)
    tell_claimant(claim, Notification.Verb.CLAIM_ACCEPTED)
    return claim


@transaction.atomic
def revoke_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """End a dispute against the one who held the page; it becomes unclaimed.

    Two moderators are needed: actor carries out what another proposed (Proposal of kind revoke) in this dispute.
    """
    if not reason.strip():
        raise ClaimError("Give the reason: the person reads it.")
    trust.thaw_score(claim.author_id)
    claim = step(lock(claim), Event.REVOKE, actor=actor, reason=reason)
    _let_go(claim, "revoked after a dispute")
    tell_claimant(claim, Notification.Verb.CLAIM_REVOKED)
    return claim


def is_read_only(user: User) -> bool:
    """Return whether a dispute keeps this member from changing the page they hold."""
    return Claim.objects.filter(user=user, state=State.DISPUTED).exists()


def _check_free(claim: Claim, author: Author) -> None:
    if claim.user is None:
        raise ClaimError("The account that filed this claim was deleted.")
    if author.merged_into_id or author.suppressed:
        raise ClaimError("The record was hidden or joined with another since the claim was filed.")
    held = Claim.objects.filter(state__in=Claim.HELD).exclude(pk=claim.pk)
    if rival := held.filter(author=author).select_related("user").first():
        raise ClaimConflict(
            f"Another claim on this page was accepted meanwhile, by {rival.user or 'a former member'}. "
            "Open a dispute on that one before accepting this."
        )
    if other := held.filter(user=claim.user_id).select_related("author").first():
        raise ClaimConflict(f"This member meanwhile holds the page of {other.author}; a person has one page.")


def _let_go(claim: Claim, why: str) -> None:
    """Undo what acceptance did: the page is unclaimed, its lines in the ledger are ended by new ones."""
    Researcher.objects.filter(user=claim.user_id, author=claim.author_id).delete()
    ledger.end_lines(claim, why)
    authors.mark_claimed(claim.author_id, claimed=False)
