"""Who may invite whom, and how often: the recipient's rules, the sender's limits, no pile-ons."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from profiles import access
from profiles.author_page import availability
from profiles.exceptions import ClaimNeeded, InvitationError, TooMany
from profiles.invitation_states import WAITING, State
from profiles.models import Claim, Invitation, Preferences, Researcher, User
from profiles.services import accounts, safety
from trust.models import TrustScore
from works.models import Author, Topic, Work, WorkTopic

PER_WEEK = {2: 5, 3: 10, 4: 20, 5: 20}  # by the sender's level
QUIET_DAYS = 90  # between two invitations of one pair in one direction
MOST_WAITING = 20  # that one recipient has to answer, whoever sent them
MOST_A_WEEK = 50
CLOSED = "This researcher does not take invitations at present."
ENOUGH = "This researcher has as many invitations as they can answer at present. Please try again in a week."


def check_can_invite(*, sender: User, author: Author) -> Researcher:
    """Return who would receive an invitation through this page, or raise what stands in the way.

    A block reads the same as a closed page.
    """
    researcher = Researcher.objects.select_related("user", "author").filter(author=author).first()
    if researcher is None or author.suppressed:
        raise InvitationError("Nobody has claimed this page yet, so nobody would read the invitation.")
    if researcher.user_id == sender.pk:
        raise InvitationError("This is your own page.")
    check_may_write(sender)
    open_page = availability(researcher).is_open and researcher.user.is_active
    if not open_page or access.are_blocked(sender, researcher.user):
        raise InvitationError(CLOSED)
    least = rules_of(researcher.user).invite_level
    if level_of(sender) < least:
        raise InvitationError(
            f"This researcher takes invitations from researchers verified at L{least} and above. "
            "“Your trust” says what would raise your level."
        )
    return researcher


def check_may_write(sender: User) -> None:
    """Raise unless sender may write to strangers: L2, which is a confirmed address and a page held undisputed."""
    if not accounts.has_confirmed_email(sender):
        raise InvitationError("Confirm your e-mail address first.")
    if not Claim.objects.filter(user=sender, state=Claim.State.APPROVED, author__suppressed=False).exists():
        raise ClaimNeeded("Invitations come from researchers: claim your own page first.")
    if words := safety.limited_words(sender):
        raise InvitationError(words)


def level_of(sender: User) -> int:
    """Return the level of whoever passed check_may_write: 2 from that moment, more once the worker found it."""
    level = TrustScore.objects.filter(author__researcher__user=sender).values_list("level", flat=True).first()
    return min(max(level or 2, 2), 5)


# --- The recipient's rules --------------------------------------------------------------------------


def rules_of(user: User) -> Preferences:
    """Return a member's rules, the usual ones where they chose none."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


@transaction.atomic
def save_rules(*, user: User, level: int, topics: Iterable[Topic], a_week: int) -> Preferences:
    """Set who may invite a member, on what, and how many a week."""
    rules, _ = Preferences.objects.update_or_create(
        user=user, defaults={"invite_level": level, "invites_a_week": a_week}
    )
    rules.invite_topics.set(topics)
    return rules


def topics_to_choose(user: User, limit: int = 20) -> QuerySet[Topic]:
    """Return the topics of a member's works, the most frequent first, and those they chose before."""
    works = WorkTopic.objects.filter(work__authorships__author__researcher__user=user)
    frequent = works.values("topic").annotate(n=Count("pk")).order_by("-n", "topic")[:limit]
    ids = {row["topic"] for row in frequent}
    chosen = Preferences.invite_topics.through.objects.filter(preferences=user.pk)
    ids.update(chosen.values_list("topic", flat=True))
    return Topic.objects.filter(pk__in=ids).order_by("display_name")


def check_rules(*, sender: User, recipient: User, work: Work | None) -> None:
    """Raise where the recipient's rules, or those against pile-ons, stand against one more invitation."""
    rules = rules_of(recipient)
    received = Invitation.objects.filter(recipient=recipient)
    week = timezone.now() - timedelta(days=7)
    waiting = received.filter(state__in=WAITING, reply_by__gte=timezone.localdate())
    if (
        received.filter(created_at__gt=week).count() >= rules.invites_a_week
        or waiting.count() >= MOST_WAITING
    ):
        raise TooMany(ENOUGH)
    topics = list(rules.invite_topics.all()) if not rules._state.adding else []
    if not topics:
        return
    on_them = WorkTopic.objects.filter(topic__in=topics)
    if work:
        fits = on_them.filter(work=work).exists()
    else:
        fits = on_them.filter(work__authorships__author__researcher__user=sender).exists()
    if not fits:
        names = ", ".join(str(topic) for topic in topics)
        raise InvitationError(f"This researcher takes invitations on {names}. Choose a work on one of these.")


# --- The sender's limits ----------------------------------------------------------------------------


def may_invite_again_on(*, sender: User, recipient: User) -> date | None:
    """Return from when sender may invite recipient again; None: now.

    Declined, withdrawn and expired count alike, so that nobody can tell that they were declined.
    """
    last = (
        Invitation.objects.filter(sender=sender, recipient=recipient)
        .exclude(state=State.ACCEPTED)
        .order_by("-created_at")
        .first()
    )
    day = last.created_at.date() + timedelta(days=QUIET_DAYS) if last else None
    return day if day and day > timezone.localdate() else None


def check_limits(*, sender: User, recipient: User) -> None:
    """Raise TooMany where sender invited this person lately, or too many people this week."""
    if day := may_invite_again_on(sender=sender, recipient=recipient):
        raise TooMany(f"You have invited {recipient} already; you can do so again on {day:%-d %b %Y}.")
    cap = PER_WEEK[level_of(sender)]
    week = timezone.now() - timedelta(days=7)
    if Invitation.objects.filter(sender=sender, created_at__gt=week).count() >= cap:
        raise TooMany(f"You can send {cap} invitations a week. Please wait a few days.")
