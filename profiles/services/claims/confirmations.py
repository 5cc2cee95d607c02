"""Asking co-authors who are members whether the claimant is who they say."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from profiles import access
from profiles.claims.routes.coauthors import who_could_confirm
from profiles.exceptions import ClaimError, ClaimStateError, TooMany
from profiles.models import Claim, ClaimConfirmation, Notification, User
from profiles.services.claims.steps import lock, takes_more, tell_moderators
from profiles.services.notifications import mark_done, notify
from works.models import Author

State = ClaimConfirmation.State

MAX_ASKED = 5  # per claim
MAX_RECEIVED = 10  # per member and week
OPEN_FOR = timedelta(days=14)


def could_be_asked(*, user: User, author: Author, claim: Claim | None = None) -> list[tuple[User, Author]]:
    """Return the members who wrote with this author and may be asked, but for those asked already or blocked."""
    asked = set(claim.confirmations.values_list("asked", flat=True)) if claim else set()
    return [
        (member, page)
        for member, page in who_could_confirm(user=user, author=author)
        if member.pk not in asked and not access.are_blocked(user, member)
    ]


@transaction.atomic
def ask_coauthors(*, claim: Claim, asked: Sequence[User]) -> list[ClaimConfirmation]:
    """Ask members to confirm a claim; each gets one notification and one mail."""
    claim = lock(claim)
    if not takes_more(claim) or claim.user is None:
        raise ClaimStateError("This claim is decided: nobody needs to confirm it.")
    asked = list(dict.fromkeys(asked))
    if not asked:
        raise ClaimError("Choose at least one co-author.")
    pages = {
        member.pk: page for member, page in could_be_asked(user=claim.user, author=claim.author, claim=claim)
    }
    left = MAX_ASKED - claim.confirmations.count()
    if len(asked) > left:
        raise TooMany(
            f"You can ask {MAX_ASKED} co-authors for one claim"
            + (f"; {left} more from now." if left else ", and you have.")
        )
    confirmations = []
    for member in asked:
        if member.pk not in pages:
            raise ClaimError("Choose among the co-authors offered.")
        _check_not_flooded(member)
        confirmation = ClaimConfirmation.objects.create(claim=claim, asked=member, author=pages[member.pk])
        notify(
            recipient=member,
            actor=claim.user,
            verb=Notification.Verb.CLAIM_CONFIRMATION_ASKED,
            target_url=reverse("profiles:confirmation", args=[confirmation.pk]),
            target_text=claim.author.display_name,
            event_key=f"claim:{claim.pk}:ask:{member.pk}",
        )
        confirmations.append(confirmation)
    return confirmations


@transaction.atomic
def answer(*, confirmation: ClaimConfirmation, user: User, confirmed: bool, note: str) -> ClaimConfirmation:
    """Write an answer down, for good."""
    rows = ClaimConfirmation.objects.select_for_update(of=("self",)).select_related(
        "claim__author", "claim__user"
    )
    confirmation = rows.get(pk=confirmation.pk, asked=user)
    if confirmation.state in {State.CONFIRMED, State.DENIED}:
        raise ClaimStateError("You have answered already; an answer is final.")
    if not is_open_confirmation(confirmation):
        raise ClaimStateError("This question is closed by now. Thank you all the same.")
    confirmation.state = State.CONFIRMED if confirmed else State.DENIED
    confirmation.note = note.strip()[:1000]
    confirmation.answered_at = timezone.now()
    confirmation.save(update_fields=["state", "note", "answered_at"])
    mark_done(
        verb=Notification.Verb.CLAIM_CONFIRMATION_ASKED,
        url=reverse("profiles:confirmation", args=[confirmation.pk]),
    )
    if not confirmed:
        tell_moderators(confirmation.claim, f"denied:{confirmation.pk}")
    return confirmation


def is_open_confirmation(confirmation: ClaimConfirmation) -> bool:
    """Return whether an answer still counts."""
    return (
        confirmation.state == State.ASKED
        and takes_more(confirmation.claim)
        and confirmation.created_at > timezone.now() - OPEN_FOR
    )


def lapse_confirmations() -> int:
    """Close the questions that nobody answered in time."""
    old = ClaimConfirmation.objects.filter(state=State.ASKED, created_at__lte=timezone.now() - OPEN_FOR)
    return old.update(state=State.LAPSED)


def _check_not_flooded(member: User) -> None:
    week = timezone.now() - timedelta(days=7)
    if ClaimConfirmation.objects.filter(asked=member, created_at__gt=week).count() >= MAX_RECEIVED:
        raise TooMany(f"{member} was asked often this week. Choose somebody else, or ask again next week.")
