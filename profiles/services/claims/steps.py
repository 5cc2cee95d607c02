"""One step of a claim: rows locked, the table asked, the step written down, the people concerned told."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from profiles.claims import states
from profiles.claims.states import Actor, Event
from profiles.exceptions import ClaimError, ClaimStateError
from profiles.models import By, Claim, ClaimStep, Notification, Proposal, User
from profiles.services import history
from profiles.services.notifications import mark_done, notify, notify_moderators
from works.models import Author

State = Claim.State

DECIDED_WITHIN = timedelta(days=7)
DECIDED_WITHIN_OF_RIVALS = timedelta(days=3)
CONTESTABLE = timedelta(hours=72)

# Privileged acts: each leaves a line in the audit trail.
AUDITED = {Event.REVIEW, Event.APPROVE, Event.REJECT, Event.DISPUTE, Event.UPHOLD, Event.REVOKE}

_BY = {
    Actor.CLAIMANT: By.CLAIMANT,
    Actor.RIVAL: By.RIVAL,
    Actor.MODERATOR: By.MODERATOR,
    Actor.SECOND_MODERATOR: By.MODERATOR,
    Actor.SYSTEM: By.SYSTEM,
}
_NOT_FROM_HERE = {
    Event.WITHDRAW: "This claim is decided already.",
    Event.GIVE_UP: "You do not hold this page.",
    Event.UPHOLD: "Only a disputed claim is upheld.",
    Event.REVOKE: "Only a disputed claim is revoked: open a dispute first, so that the person can answer.",
}


def lock(claim: Claim) -> Claim:
    """Lock the author, then the claim: every step takes both in this order, so that no two wait for each other.

    Before them come the claimant's rows (filing.py) and the author's score (a rescore takes it first).
    """
    Author.objects.select_for_update(of=("self",), no_key=True).get(pk=claim.author_id)
    return (
        Claim.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author", "user")
        .get(pk=claim.pk)
    )


def takes_more(claim: Claim) -> bool:
    """Return whether the claimant may still add to the case: while it waits, and in their defence while disputed."""
    return claim.is_open or claim.state == State.DISPUTED


def was_heard(claim: Claim) -> bool:
    return claim.steps.filter(to_state=State.APPEALED).exists()


def rivals_of(claim: Claim) -> list[Claim]:
    """Return the other claims on the same page that wait or hold it."""
    live = Claim.objects.filter(author=claim.author_id, state__in=[*Claim.OPEN, *Claim.HELD])
    return list(live.exclude(pk=claim.pk).select_related("user", "author").order_by("created_at"))


def role_of(user: User | None, claim: Claim) -> Actor | None:
    """Return who somebody is to a claim now; None for a stranger, SYSTEM for nobody."""
    if user is None:
        return Actor.SYSTEM
    if user.pk == claim.user_id:
        return Actor.CLAIMANT
    live = Claim.objects.filter(author=claim.author_id, user=user, state__in=[*Claim.OPEN, *Claim.HELD])
    if live.exists():
        return Actor.RIVAL
    if not user.is_moderator:
        return None
    return Actor.SECOND_MODERATOR if _is_second(user, claim) else Actor.MODERATOR


def _is_second(user: User, claim: Claim) -> bool:
    """Return whether another moderator took the step before this one, where two people are needed."""
    if claim.state == State.APPEALED:
        rejection = claim.steps.filter(to_state=State.REJECTED).order_by("-pk").first()
        return rejection is None or rejection.actor_id != user.pk
    if claim.state == State.DISPUTED:
        opened = (
            claim.steps.filter(to_state=State.DISPUTED).order_by("-pk").values_list("at", flat=True).first()
        )
        proposed = claim.proposals.filter(
            kind=Proposal.Kind.REVOKE, state__in=[Proposal.State.OPEN, Proposal.State.ACCEPTED]
        )
        since = Q(created_at__gte=opened) if opened else Q()
        return proposed.filter(since).exclude(proposer=user).exists()
    return False


def events_for(user: User | None, claim: Claim) -> list[Event]:
    """Return what somebody may do about a claim now; pages show these and no others."""
    role = role_of(user, claim)
    return states.events(claim.state, role, was_heard=was_heard(claim)) if role else []


def step(claim: Claim, event: Event, *, actor: User | None, reason: str = "", route: str = "") -> Claim:
    """Go one edge of the table and write it down; claim is locked. Raises ClaimError where the table refuses."""
    role, heard = role_of(actor, claim), was_heard(claim)
    to_state = states.target(claim.state, event, was_heard=heard)
    if to_state is None:
        raise ClaimStateError(_not_from_here(claim, event, heard))
    if role is None or not states.may(claim.state, event, role, was_heard=heard):
        raise ClaimError(_not_you(claim, event, role))
    by = By.OWNER if event == Event.GIVE_UP else _BY[role]
    from_state = claim.state
    write_step(claim, from_state, to_state, actor=actor, by=by, reason=reason, route=route)
    now = timezone.now()
    claim.state = to_state
    claim.decided_at = None if claim.is_open else now
    claim.due_at = _due(claim, event)
    if event == Event.APPROVE:
        claim.decided_by_route = route
        claim.contestable_until = now + CONTESTABLE if role == Actor.SYSTEM else None
    elif event != Event.DISPUTE:
        claim.contestable_until = None
    claim.save(update_fields=["state", "decided_at", "due_at", "decided_by_route", "contestable_until"])
    if event in AUDITED:
        history.audit(
            actor=actor,
            by=by,
            action=f"claim.{event}",
            subject=f"claim:{claim.pk}",
            author=claim.author,
            reason=reason,
            data={"from": from_state, "to": str(to_state), "route": route},
        )
    if not claim.is_open:
        for verb in (Notification.Verb.CLAIM_FILED, Notification.Verb.CLAIM_OVERDUE):
            mark_done(verb=verb, url=desk(claim))
    return claim


def write_step(
    claim: Claim, from_state: str, to_state: str, *, actor: User | None, by: By, reason: str, route: str
) -> ClaimStep:
    return ClaimStep.objects.create(
        claim=claim,
        from_state=from_state,
        to_state=to_state,
        actor=actor,
        by=by,
        reason=reason.strip()[:2000],
        route=route,
    )


def due_for(claim: Claim) -> datetime:
    """Return by when a claim that begins to wait now is decided."""
    return timezone.now() + (DECIDED_WITHIN_OF_RIVALS if rivals_of(claim) else DECIDED_WITHIN)


def hurry(claim: Claim) -> None:
    """Bring the deadline of a waiting claim forward: somebody else waits for the same page."""
    soon = timezone.now() + DECIDED_WITHIN_OF_RIVALS
    late = Claim.objects.filter(pk=claim.pk, state__in=Claim.OPEN).filter(Q(due_at=None) | Q(due_at__gt=soon))
    if late.update(due_at=soon):
        claim.due_at = soon


def _due(claim: Claim, event: Event) -> datetime | None:
    if event == Event.DISPUTE:
        return timezone.now() + DECIDED_WITHIN_OF_RIVALS
    if event == Event.APPEAL:
        return due_for(claim)
    return claim.due_at if claim.is_open else None


# --- Refusals ---------------------------------------------------------------------------------------


def _not_from_here(claim: Claim, event: Event, heard: bool) -> str:
    if event == Event.APPEAL and claim.state == State.REJECTED and heard:
        return "This claim was decided for good."
    if event in _NOT_FROM_HERE:
        return _NOT_FROM_HERE[event]
    then = next(to_state for (_, at), (to_state, _) in states.TABLE.items() if at == event)
    return (
        f"This claim is “{State(claim.state).label.lower()}” by now; "
        f"from there it cannot become “{then.label.lower()}”."
    )


def _not_you(claim: Claim, event: Event, role: Actor | None) -> str:
    if event in {Event.APPEAL, Event.WITHDRAW, Event.GIVE_UP}:
        return "Only the person who filed the claim can do this."
    if role == Actor.CLAIMANT:
        return "Somebody else decides your own claim."
    if role == Actor.RIVAL:
        return "You have a claim on this page yourself: somebody else decides."
    if role == Actor.MODERATOR and claim.state == State.APPEALED:
        return "Somebody else hears the appeal: you took the decision that it is against."
    if role == Actor.MODERATOR and event == Event.REVOKE:
        return "A revocation needs two moderators: one proposes it, another carries it out."
    return "Only moderators decide claims."


# --- Telling people ---------------------------------------------------------------------------------


def desk(claim: Claim) -> str:
    """Return where moderators read the claim."""
    return reverse("profiles:moderation_claim", args=[claim.pk])


def tell_claimant(claim: Claim, verb: Notification.Verb) -> None:
    if claim.user is None:
        return
    last = claim.steps.order_by("-pk").values_list("pk", flat=True).first()
    notify(
        recipient=claim.user,
        verb=verb,
        target_url=claim.get_absolute_url(),
        target_text=claim.author.display_name,
        event_key=f"claim:{claim.pk}:step:{last}",
    )


def tell_moderators(claim: Claim, what: str, verb: Notification.Verb = Notification.Verb.CLAIM_FILED) -> None:
    """Ask moderators to look; what names the event, so that a retry tells nobody twice."""
    notify_moderators(
        verb=verb,
        target_url=desk(claim),
        target_text=claim.author.display_name,
        event_key=f"claim:{claim.pk}:{what}",
    )
