"""A claim says "this user is this author": its states, its steps and what each step does.

submitted > approved | in review > approved | rejected; rejected > appealed > approved | rejected for good;
approved > disputed > approved (upheld) | revoked; withdrawn by the claimant at any time before it is over.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from profiles.exceptions import ClaimConflict, ClaimError, ClaimStateError, TooMany
from profiles.models import Claim, ClaimStep, Notification, Researcher, User
from profiles.services import accounts
from profiles.services.notifications import mark_done, notify, notify_moderators
from trust import services as trust
from trust.models import Evidence, EvidenceDetail
from works.models import Author
from works.services import authors

State = Claim.State

TRANSITIONS: dict[str, set[str]] = {
    "": {State.SUBMITTED},
    State.SUBMITTED: {State.IN_REVIEW, State.APPROVED, State.WITHDRAWN},
    State.IN_REVIEW: {State.APPROVED, State.REJECTED, State.WITHDRAWN},
    State.REJECTED: {State.APPEALED},
    State.APPEALED: {State.APPROVED, State.REJECTED, State.WITHDRAWN},
    State.APPROVED: {State.DISPUTED, State.WITHDRAWN},
    State.DISPUTED: {State.APPROVED, State.REVOKED, State.WITHDRAWN},
    State.REVOKED: set(),
    State.WITHDRAWN: set(),
}
MAX_OPEN = 3
MAX_PER_MONTH = 10


def can_step(claim: Claim, to_state: str) -> bool:
    """Return whether the table lets this claim go there; an appeal is heard once."""
    if to_state == State.APPEALED and claim.steps.filter(to_state=State.APPEALED).exists():
        return False
    return to_state in TRANSITIONS[claim.state]


@transaction.atomic
def submit_claim(*, user: User, author: Author, case: str) -> Claim:
    """File a claim. Others may have claims on the same author: the evidence then stands side by side."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    if not accounts.has_confirmed_email(user):
        raise ClaimError("Confirm your e-mail address first.")
    held = Claim.objects.filter(user=user, state__in=Claim.HELD).select_related("author").first()
    if held:
        raise ClaimConflict(
            "This page is already yours."
            if held.author_id == author.pk
            else f"You already hold the page of {held.author}. A person has one page; "
            "if both are you, say so in a correction and we join them."
        )
    mine = Claim.objects.filter(user=user, state__in=Claim.OPEN)
    if mine.filter(author=author).exists():
        raise ClaimConflict("Your claim on this page is already waiting for a decision.")
    if mine.count() >= MAX_OPEN:
        raise TooMany(f"You have {MAX_OPEN} claims waiting. Withdraw one, or wait for its decision.")
    month = timezone.now() - timedelta(days=30)
    if Claim.objects.filter(user=user, created_at__gt=month).count() >= MAX_PER_MONTH:
        raise TooMany(f"You can file {MAX_PER_MONTH} claims in 30 days, withdrawn ones included.")
    if author.suppressed or author.merged_into_id:
        raise ClaimError("This page cannot be claimed: it is hidden or was joined with another.")
    claim = Claim.objects.create(user=user, author=author, case=case.strip())
    ClaimStep.objects.create(claim=claim, from_state="", to_state=State.SUBMITTED, actor=user)
    notify_moderators(
        verb=Notification.Verb.CLAIM_FILED,
        target_url=_desk(claim),
        target_text=author.display_name,
        event_key=f"claim:{claim.pk}:filed",
    )
    return claim


@transaction.atomic
def review_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Take a claim into review."""
    return _step(_lock(claim), State.IN_REVIEW, actor, reason)


@transaction.atomic
def approve_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Accept a claim: the claimant becomes the researcher of the page, the ledger learns of it."""
    claim = _lock(claim)
    _check_judge(claim, actor)
    _check_free(claim, claim.author)
    try:
        with transaction.atomic():
            _step(claim, State.APPROVED, actor, reason)
            Researcher.objects.get_or_create(user=claim.user, author=claim.author)
    except IntegrityError as error:  # another claim of this member was accepted in this very moment
        raise ClaimConflict("Another claim was accepted in the meantime. Reload and look again.") from error
    authors.mark_claimed(claim.author_id)
    _record(claim, Evidence.Kind.CLAIM_ACCEPTED, "moderator", f"claim:{claim.pk}")
    if address := accounts.mail_address(claim.user):
        _record(claim, Evidence.Kind.EMAIL_CONFIRMED, "BZPEER", f"claim:{claim.pk}:email", {"email": address})
    _tell_claimant(claim, Notification.Verb.CLAIM_ACCEPTED)
    return claim


@transaction.atomic
def reject_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Turn a claim down, with the reason the claimant reads; a new claim is taken into review first."""
    if not reason.strip():
        raise ClaimError("Give the reason: the claimant reads it and may appeal.")
    claim = _lock(claim)
    _check_judge(claim, actor)
    if claim.state == State.SUBMITTED:
        _step(claim, State.IN_REVIEW, actor, "")
    _step(claim, State.REJECTED, actor, reason)
    _tell_claimant(claim, Notification.Verb.CLAIM_REJECTED)
    return claim


@transaction.atomic
def appeal_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Ask for a second decision; once."""
    if not reason.strip():
        raise ClaimError("Say what the first decision missed.")
    claim = _lock(claim)
    if not can_step(claim, State.APPEALED):
        raise ClaimStateError("This claim was decided for good.")
    try:
        with transaction.atomic():
            _step(claim, State.APPEALED, actor, reason)
    except IntegrityError as error:
        raise ClaimConflict("You have another claim on this page waiting.") from error
    notify_moderators(
        verb=Notification.Verb.CLAIM_FILED,
        target_url=_desk(claim),
        target_text=claim.author.display_name,
        event_key=f"claim:{claim.pk}:appealed",
    )
    return claim


@transaction.atomic
def withdraw_claim(*, claim: Claim, actor: User) -> Claim:
    """Take an undecided claim back."""
    claim = _lock(claim)
    if not claim.is_open:
        raise ClaimStateError("This claim is decided already.")
    return _step(claim, State.WITHDRAWN, actor, "")


@transaction.atomic
def give_up_claim(*, claim: Claim, actor: User, reason: str = "") -> Claim:
    """Let go of a page one holds; it becomes unclaimed."""
    trust.thaw_score(claim.author_id)
    claim = _lock(claim)
    if not claim.is_held:
        raise ClaimStateError("You do not hold this page.")
    _step(claim, State.WITHDRAWN, actor, reason)
    _let_go(claim, "given up by the researcher")
    return claim


@transaction.atomic
def dispute_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """Question an accepted claim: the page becomes read-only until it is upheld or revoked."""
    trust.freeze_score(claim.author_id)  # before the author's row: a rescore takes the two in this order
    claim = _step(_lock(claim), State.DISPUTED, actor, reason)
    authors.raise_version(claim.author_id)
    _tell_claimant(claim, Notification.Verb.CLAIM_DISPUTED)
    return claim


@transaction.atomic
def uphold_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """End a dispute for the one who holds the page."""
    trust.thaw_score(claim.author_id)
    claim = _lock(claim)
    _check_judge(claim, actor)
    if claim.state != State.DISPUTED:
        raise ClaimStateError("Only a disputed claim is upheld.")
    _step(claim, State.APPROVED, actor, reason)
    authors.raise_version(claim.author_id)
    _tell_claimant(claim, Notification.Verb.CLAIM_ACCEPTED)
    return claim


@transaction.atomic
def revoke_claim(*, claim: Claim, actor: User, reason: str) -> Claim:
    """End a dispute against the one who held the page; it becomes unclaimed."""
    if not reason.strip():
        raise ClaimError("Give the reason: the person reads it.")
    trust.thaw_score(claim.author_id)
    claim = _lock(claim)
    _check_judge(claim, actor)
    _step(claim, State.REVOKED, actor, reason)
    _let_go(claim, "revoked after a dispute")
    _tell_claimant(claim, Notification.Verb.CLAIM_REVOKED)
    return claim


def is_read_only(user: User) -> bool:
    """Return whether a dispute keeps this member from changing the page they hold."""
    return Claim.objects.filter(user=user, state=State.DISPUTED).exists()


# --- Parts of a step --------------------------------------------------------------------------------


def _lock(claim: Claim) -> Claim:
    """Lock the author, then the claim: every step takes both in this order, so that no two wait for each other."""
    Author.objects.select_for_update(of=("self",), no_key=True).get(pk=claim.author_id)
    return (
        Claim.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author", "user")
        .get(pk=claim.pk)
    )


def _step(claim: Claim, to_state: str, actor: User | None, reason: str) -> Claim:
    """Go one edge of the table and write it down; claim is locked."""
    if not can_step(claim, to_state):
        now, then = claim.get_state_display().lower(), State(to_state).label.lower()
        raise ClaimStateError(f"This claim is “{now}” by now; from there it cannot become “{then}”.")
    ClaimStep.objects.create(
        claim=claim, from_state=claim.state, to_state=to_state, actor=actor, reason=reason.strip()[:2000]
    )
    claim.state = to_state
    claim.decided_at = None if to_state in Claim.OPEN else timezone.now()
    claim.save(update_fields=["state", "decided_at"])
    if to_state not in Claim.OPEN:
        mark_done(verb=Notification.Verb.CLAIM_FILED, url=_desk(claim))
    return claim


def _desk(claim: Claim) -> str:
    return reverse("admin:profiles_claim_change", args=[claim.pk])


def _check_judge(claim: Claim, actor: User) -> None:
    """Refuse to be judge in one's own cause, or of an appeal against one's own decision."""
    if actor.pk == claim.user_id:
        raise ClaimError("Somebody else decides your own claim.")
    if claim.state == State.APPEALED:
        rejection = claim.steps.filter(to_state=State.REJECTED).order_by("-pk").first()
        if rejection and rejection.actor_id == actor.pk:
            raise ClaimError("Somebody else hears the appeal: you took the decision that it is against.")


def _check_free(claim: Claim, author: Author) -> None:
    if author.merged_into_id or author.suppressed:
        raise ClaimError("The record was hidden or joined with another since the claim was filed.")
    held = Claim.objects.filter(state__in=Claim.HELD).exclude(pk=claim.pk)
    if rival := held.filter(author=author).select_related("user").first():
        raise ClaimConflict(
            f"Another claim on this page was accepted meanwhile, by {rival.user}. "
            "Open a dispute on that one before accepting this."
        )
    if other := held.filter(user=claim.user_id).select_related("author").first():
        raise ClaimConflict(f"This member meanwhile holds the page of {other.author}; a person has one page.")


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


def _let_go(claim: Claim, why: str) -> None:
    """Undo what acceptance did: the page is unclaimed, its lines in the ledger are ended by new ones."""
    Researcher.objects.filter(user=claim.user_id, author=claim.author_id).delete()
    for evidence in Evidence.objects.filter(event_key__in=[f"claim:{claim.pk}", f"claim:{claim.pk}:email"]):
        trust.end_evidence(evidence, why)
    EvidenceDetail.objects.filter(evidence__event_key=f"claim:{claim.pk}:email").delete()  # the address
    authors.mark_claimed(claim.author_id, claimed=False)


def _tell_claimant(claim: Claim, verb: Notification.Verb) -> None:
    last = claim.steps.order_by("-pk").values_list("pk", flat=True).first()
    notify(
        recipient=claim.user,
        verb=verb,
        target_url=claim.get_absolute_url(),
        target_text=claim.author.display_name,
        event_key=f"claim:{claim.pk}:step:{last}",
    )
