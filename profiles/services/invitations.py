"""Invitations: structured requests to work together, from one researcher to another."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from profiles import access
from profiles.exceptions import ClaimNeeded, InvitationError, TooMany
from profiles.models import Claim, Conversation, Invitation, Notification, Researcher, User
from profiles.services import accounts, conversations
from profiles.services.notifications import notify
from trust.models import TrustScore
from works.models import Author, Work

State = Invitation.State

PER_WEEK = {2: 5, 3: 10, 4: 20, 5: 20}  # by the sender's level
QUIET_DAYS = 90  # between two invitations of one pair in one direction
LONGEST_WAIT_DAYS = 90
CLOSED = "This researcher does not take invitations at present."


def check_can_invite(*, sender: User, author: Author) -> Researcher:
    """Return who would receive an invitation through this page, or raise what stands in the way.

    A block reads the same as a closed page.
    """
    researcher = Researcher.objects.select_related("user", "author").filter(author=author).first()
    if researcher is None or author.suppressed:
        raise InvitationError("Nobody has claimed this page yet, so nobody would read the invitation.")
    if researcher.user_id == sender.pk:
        raise InvitationError("This is your own page.")
    if not accounts.has_confirmed_email(sender):
        raise InvitationError("Confirm your e-mail address first.")
    if not Claim.objects.filter(user=sender, state=Claim.State.APPROVED, author__suppressed=False).exists():
        raise ClaimNeeded("Invitations come from researchers: claim your own page first.")
    open_page = researcher.open_to_collaborate and researcher.user.is_active
    if not open_page or access.are_blocked(sender, researcher.user):
        raise InvitationError(CLOSED)
    return researcher


def works_to_build_on(*, sender: User, author: Author, limit: int = 60) -> QuerySet[Work]:
    """Return the newest works of both people, for the form's choice."""
    mine = Researcher.objects.filter(user=sender).values_list("author", flat=True)
    ids: set[int] = set()
    for author_id in {author.pk, *mine}:
        works = Work.objects.filter(authorships__author=author_id).order_by("-publication_year", "-pk")
        ids.update(works.values_list("pk", flat=True)[:limit])
    return Work.objects.filter(pk__in=ids).order_by("-publication_year", "title")


@transaction.atomic
def send_invitation(
    *,
    sender: User,
    author: Author,
    purpose: str,
    offer: str,
    ask: str,
    expected_time: str,
    reply_by: date,
    work: Work | None = None,
) -> Invitation:
    """Invite the researcher of this page; one open invitation per pair and direction."""
    User.objects.select_for_update(no_key=True).get(pk=sender.pk)  # the limits count rows
    researcher = check_can_invite(sender=sender, author=author)
    _check_limits(sender, researcher.user)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                sender=sender,
                recipient=researcher.user,
                author=author,
                purpose=purpose,
                work=work,
                offer=offer.strip(),
                ask=ask.strip(),
                expected_time=expected_time.strip(),
                reply_by=reply_by,
            )
    except IntegrityError as error:
        raise InvitationError("Your invitation is on its way already.") from error
    notify(
        recipient=researcher.user,
        actor=sender,
        verb=Notification.Verb.INVITATION_RECEIVED,
        target_url=invitation.get_absolute_url(),
        target_text=invitation.get_purpose_display(),
        event_key=f"invitation:{invitation.pk}",
    )
    return invitation


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


def _check_limits(sender: User, recipient: User) -> None:
    if day := may_invite_again_on(sender=sender, recipient=recipient):
        raise TooMany(f"You have invited {recipient} already; you can do so again on {day:%-d %b %Y}.")
    level = TrustScore.objects.filter(author__researcher__user=sender).values_list("level", flat=True).first()
    cap = PER_WEEK[min(max(level or 2, 2), 5)]
    week = timezone.now() - timedelta(days=7)
    if Invitation.objects.filter(sender=sender, created_at__gt=week).count() >= cap:
        raise TooMany(f"You can send {cap} invitations a week. Please wait a few days.")


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User) -> Conversation:
    """Accept: opens a conversation whose first message is the invitation. Accepting twice opens one."""
    invitation = _lock(invitation)
    _check_party(invitation.recipient, user)
    if access.are_blocked(invitation.sender, invitation.recipient) or not invitation.sender.is_active:
        raise InvitationError("This invitation is no longer open.")
    if invitation.state == State.ACCEPTED:
        return invitation.conversation
    _close(invitation, State.ACCEPTED)
    conversation = conversations.open_conversation(
        subject=subject_of(invitation),
        people=[invitation.sender, invitation.recipient],
        invitation=invitation,
        first_message=as_message(invitation),
    )
    notify(
        recipient=invitation.sender,
        actor=invitation.recipient,
        verb=Notification.Verb.INVITATION_ACCEPTED,
        target_url=conversation.get_absolute_url(),
        target_text=conversation.subject,
        event_key=f"invitation:{invitation.pk}:accepted",
    )
    return conversation


@transaction.atomic
def decline_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Decline, silently: the sender is told nothing and sees it expire."""
    invitation = _lock(invitation)
    _check_party(invitation.recipient, user)
    return _close(invitation, State.DECLINED)


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Take an invitation back; works the same when it was declined, which the sender does not know."""
    invitation = _lock(invitation)
    _check_party(invitation.sender, user)
    if invitation.state == State.DECLINED:
        invitation.state = State.PENDING
    return _close(invitation, State.WITHDRAWN)


@transaction.atomic
def expire_invitations() -> int:
    """Close every invitation whose reply-by date has passed; return how many."""
    overdue = Invitation.objects.filter(state=State.PENDING, reply_by__lt=timezone.localdate())
    return overdue.update(state=State.EXPIRED, decided_at=timezone.now())


def shown_state(*, invitation: Invitation, viewer: User) -> str:
    """Return the state as viewer may know it: a sender sees a declined invitation wait and expire."""
    state = invitation.state
    if state == State.DECLINED and viewer.pk != invitation.recipient_id:
        state = State.PENDING
    if state == State.PENDING and invitation.reply_by < timezone.localdate():
        state = State.EXPIRED
    return str(state)


def subject_of(invitation: Invitation) -> str:
    purpose = invitation.get_purpose_display()
    return f"{purpose}: {invitation.work.title}"[:300] if invitation.work else purpose


def as_message(invitation: Invitation) -> str:
    """Return the invitation as the first message of its conversation."""
    lines = [invitation.get_purpose_display() + "."]
    if invitation.work:
        lines.append(f"It builds on: {invitation.work.title}")
    lines += [
        f"What I bring: {invitation.offer}",
        f"What I ask: {invitation.ask}",
        f"Expected time: {invitation.expected_time}",
    ]
    return "\n\n".join(lines)


def _lock(invitation: Invitation) -> Invitation:
    return (
        Invitation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("sender", "recipient", "work")
        .get(pk=invitation.pk)
    )


def _check_party(expected: User, user: User) -> None:
    if expected.pk != user.pk:
        raise InvitationError("This is not yours to decide.")


def _close(invitation: Invitation, state: str) -> Invitation:
    if invitation.reply_by < timezone.localdate():
        raise InvitationError(f"This invitation expired on {invitation.reply_by:%-d %b %Y}.")
    if invitation.state != State.PENDING:
        raise InvitationError("This invitation is no longer open.")
    invitation.state, invitation.decided_at = state, timezone.now()
    invitation.save(update_fields=["state", "decided_at"])
    return invitation
