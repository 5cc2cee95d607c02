"""Who speaks for an institution: a confirmed address at a domain of it, and a moderator's yes."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from profiles.exceptions import RepresentativeError, TooMany
from profiles.models import By, Notification, Representative, User
from profiles.services import history
from profiles.services.notifications import mark_done, notify, notify_moderators
from profiles.services.representatives import assertions
from profiles.services.representatives.addresses import why_not_at
from works.models import Institution

State = Representative.State

MAX_WAITING = 3
MAX_PER_MONTH = 10


def fitting_addresses(user: User, institution: Institution) -> list[str]:
    """Return user's confirmed addresses at a domain that stands for this institution alone."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "email")
    return [
        email for email in confirmed.values_list("email", flat=True) if not why_not_at(email, institution)
    ]


def refused_addresses(user: User, institution: Institution) -> list[tuple[str, str]]:
    """Return user's confirmed addresses that do not fit, each with the sentence why not."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "email")
    pairs = [(email, why_not_at(email, institution)) for email in confirmed.values_list("email", flat=True)]
    return [(email, why) for email, why in pairs if why]


def check_standing(representative: Representative) -> None:
    """Raise RepresentativeError where somebody who was accepted cannot act now."""
    if trouble := standing_trouble(representative):
        raise RepresentativeError(trouble)


def standing_trouble(representative: Representative) -> str:
    """Return why somebody accepted cannot act now; empty when they can.

    What they were accepted for may have gone since: the address, the domain or the institution.
    """
    if representative.email not in fitting_addresses(representative.user, representative.institution):
        return (
            f"Your standing rests on {representative.email}. It is not confirmed on your account any more, or its "
            "domain does not belong to the institution any more. Confirm it again, or end this and ask anew."
        )
    return ""


def why_unfit(representative: Representative) -> str:
    """Return why a request cannot be accepted now; empty when it can."""
    if not representative.user.is_active:
        return "This account is closed."
    if standing_trouble(representative):
        return (
            f"{representative.email} is not confirmed on this account any more, or is not at a domain of the "
            "institution."
        )
    return ""


@transaction.atomic
def ask_to_represent(*, user: User, institution: Institution, email: str, position: str) -> Representative:
    """Ask to speak for an institution; a moderator decides."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    if email not in fitting_addresses(user, institution):
        raise RepresentativeError("Choose a confirmed address at a domain of this institution.")
    if not position.strip():
        raise RepresentativeError("Say what your office is, so that a moderator can check it.")
    mine = Representative.objects.filter(user=user)
    if mine.filter(state=State.REQUESTED).count() >= MAX_WAITING:
        raise TooMany(
            f"{MAX_WAITING} requests of yours wait for a moderator. Please wait for their decision."
        )
    if mine.filter(created_at__gt=timezone.now() - timedelta(days=30)).count() >= MAX_PER_MONTH:
        raise TooMany(f"You can ask {MAX_PER_MONTH} times in 30 days.")
    try:
        with transaction.atomic():
            representative = Representative.objects.create(
                user=user, institution=institution, email=email, position=position.strip()[:150]
            )
    except IntegrityError as error:
        raise RepresentativeError("You speak for this institution already, or your request waits.") from error
    notify_moderators(
        verb=Notification.Verb.REPRESENTATIVE_ASKED,
        target_url=_desk(representative),
        target_text=institution.display_name,
        event_key=f"representative:{representative.pk}:asked",
    )
    return representative


@transaction.atomic
def accept_representative(*, representative: Representative, actor: User, answer: str = "") -> Representative:
    """Let a member speak for the institution; the address is looked at again."""
    representative = _decidable(representative, actor)
    if trouble := why_unfit(representative):
        raise RepresentativeError(trouble)
    return _decide(representative, actor, State.APPROVED, "representative.accept", answer)


@transaction.atomic
def decline_representative(*, representative: Representative, actor: User, answer: str) -> Representative:
    if not answer.strip():
        raise RepresentativeError("Give the reason: the member reads it.")
    representative = _decidable(representative, actor)
    return _decide(representative, actor, State.DECLINED, "representative.decline", answer)


@transaction.atomic
def end_representative(
    *, representative: Representative, actor: User, answer: str = "", revoke_assertions: bool = False
) -> Representative:
    """End a standing, or take a request back, by a moderator or by the representative themself.

    What they asserted goes on: the institution said it. revoke_assertions ends that, too.
    """
    representative = _lock(representative)
    by_themself = actor.pk == representative.user_id
    if representative.state not in {State.APPROVED, State.REQUESTED}:
        raise RepresentativeError("This has ended already.")
    if not by_themself and not answer.strip():
        raise RepresentativeError("Give the reason: the member reads it.")
    if revoke_assertions:
        assertions.revoke_assertions(
            rows=assertions.standing(representative.institution).filter(representative=representative),
            actor=actor,
            by=By.REPRESENTATIVE if by_themself else By.MODERATOR,
            reason=answer or "the representative stepped down",
        )
    return _decide(representative, actor, State.REVOKED, "representative.end", answer)


# --- Parts ----------------------------------------------------------------------------------------------


def _decidable(representative: Representative, actor: User) -> Representative:
    representative = _lock(representative)
    if representative.user_id == actor.pk:
        raise RepresentativeError("Another moderator decides your own request.")
    if representative.state != State.REQUESTED:
        raise RepresentativeError("This request was decided meanwhile.")
    return representative


def _decide(
    representative: Representative, actor: User, state: str, action: str, answer: str
) -> Representative:
    representative.state, representative.answer = state, answer.strip()[:2000]
    representative.decided_by, representative.decided_at = actor, timezone.now()
    representative.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    by_themself = actor.pk == representative.user_id
    history.audit(
        actor=actor,
        by=By.REPRESENTATIVE if by_themself else By.MODERATOR,
        action=action,
        subject=f"representative:{representative.pk}",
        reason=answer,
        data={"institution": representative.institution.pid},
    )
    mark_done(verb=Notification.Verb.REPRESENTATIVE_ASKED, url=_desk(representative))
    if not by_themself:
        notify(
            recipient=representative.user,
            verb=Notification.Verb.REPRESENTATIVE_DECIDED,
            target_url=reverse("profiles:institutions"),
            target_text=representative.institution.display_name,
            event_key=f"representative:{representative.pk}:{state}",
        )
    return representative


def _lock(representative: Representative) -> Representative:
    rows = Representative.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("user", "institution").get(pk=representative.pk)


def _desk(representative: Representative) -> str:
    return reverse("profiles:moderation_representative", args=[representative.pk])
