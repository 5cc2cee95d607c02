"""Invitations: structured requests to work together, from one researcher to another or to a few."""

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from profiles import access
from profiles.exceptions import InvitationError, ProfilesError
from profiles.invitation_states import WAITING, Actor, Event, State, after, as_seen, may_ever
from profiles.models import Conversation, Invitation, Notification, Project, Report, Researcher, User
from profiles.services import conversations, invitation_rules
from profiles.services.invitation_rules import CLOSED, check_can_invite, may_invite_again_on
from profiles.services.notifications import notify
from works.models import Author, Work

__all__ = ["CLOSED", "check_can_invite", "may_invite_again_on"]

LONGEST_WAIT_DAYS = 90
MOST_AT_ONCE = 5  # people invited to one project


def works_to_build_on(*, sender: User, authors: Sequence[Author], limit: int = 60) -> QuerySet[Work]:
    """Return the newest works of sender and of those invited, for the form's choice."""
    mine = Researcher.objects.filter(user=sender).values_list("author", flat=True)
    ids: set[int] = set()
    for author_id in {*(author.pk for author in authors), *mine}:
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
    project: Project | None = None,
) -> Invitation:
    """Invite the researcher of this page; one open invitation per pair and direction."""
    researcher = check_can_invite(sender=sender, author=author)
    recipient = researcher.user
    # The limits count rows, so both people's stand still; in one order, for two who invite each other.
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[sender.pk, recipient.pk]).order_by("pk"))
    invitation_rules.check_limits(sender=sender, recipient=recipient)
    invitation_rules.check_rules(sender=sender, recipient=recipient, work=work)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                sender=sender,
                recipient=recipient,
                author=author,
                project=project,
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
        recipient=recipient,
        actor=sender,
        verb=Notification.Verb.INVITATION_RECEIVED,
        target_url=invitation.get_absolute_url(),
        target_text=project.title if project else invitation.get_purpose_display(),
        event_key=f"invitation:{invitation.pk}",
    )
    return invitation


@transaction.atomic
def invite_group(
    *,
    sender: User,
    authors: Sequence[Author],
    title: str,
    purpose: str,
    offer: str,
    ask: str,
    expected_time: str,
    reply_by: date,
    work: Work | None = None,
) -> Project:
    """Invite a few researchers to one project, all or nobody; each answers alone, in one conversation."""
    authors = list({author.pk: author for author in authors}.values())
    if not 2 <= len(authors) <= MOST_AT_ONCE:
        raise InvitationError(f"Name two to {MOST_AT_ONCE} researchers.")
    if not title.strip():
        raise InvitationError("Give the project a title.")
    project = Project.objects.create(owner=sender, title=title.strip()[:200])
    people = Researcher.objects.filter(author__in=authors).values_list("user", flat=True)
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[sender.pk, *people]).order_by("pk"))
    for author in authors:
        try:
            send_invitation(
                sender=sender,
                author=author,
                purpose=purpose,
                offer=offer,
                ask=ask,
                expected_time=expected_time,
                reply_by=reply_by,
                work=work,
                project=project,
            )
        except ProfilesError as refusal:
            raise InvitationError(f"{author}: {refusal} Nobody was invited.") from refusal
    return project


# --- Steps ------------------------------------------------------------------------------------------


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User) -> Conversation:
    """Accept: opens a conversation whose first message is the invitation. Accepting twice opens one.

    Of the invitations to one project the first accepted one opens its conversation; the others join it.
    """
    invitation = _lock(invitation)
    if access.are_blocked(invitation.sender, invitation.recipient) or not invitation.sender.is_active:
        raise InvitationError("This invitation is no longer open.")
    known = invitation.state == State.ACCEPTED
    _step(invitation, Event.ACCEPT, user)
    if known:
        return conversations.of_invitation(invitation)
    conversation = _conversation_for(invitation)
    notify(
        recipient=invitation.sender,
        actor=invitation.recipient,
        verb=Notification.Verb.INVITATION_ACCEPTED,
        target_url=conversation.get_absolute_url(),
        target_text=conversation.subject,
        event_key=f"invitation:{invitation.pk}:accepted",
    )
    return conversation


def _conversation_for(invitation: Invitation) -> Conversation:
    project = invitation.project
    if project:
        project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if (
        project
        and project.conversation
        and conversations.can_join(project.conversation, invitation.recipient)
    ):
        conversations.join_conversation(conversation=project.conversation, user=invitation.recipient)
        return project.conversation
    conversation = conversations.open_conversation(
        subject=project.title if project else subject_of(invitation),
        people=[invitation.sender, invitation.recipient],
        invitation=invitation,
        first_message=as_message(invitation),
    )
    if project and project.conversation is None:
        project.conversation = conversation
        project.save(update_fields=["conversation"])
    return conversation


@transaction.atomic
def decline_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Decline, silently: the sender is told nothing and sees it expire."""
    return _step(_lock(invitation), Event.DECLINE, user)


@transaction.atomic
def postpone_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Say "not now", silently: it may still be accepted until the reply-by day."""
    return _step(_lock(invitation), Event.POSTPONE, user)


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, user: User) -> Invitation:
    """Take an invitation back; works the same when it was declined, which the sender does not know."""
    return _step(_lock(invitation), Event.WITHDRAW, user)


@transaction.atomic
def expire_invitations() -> int:
    """Close every invitation whose reply-by date has passed; return how many."""
    overdue = Invitation.objects.filter(state__in=WAITING, reply_by__lt=timezone.localdate())
    return overdue.update(state=State.EXPIRED, decided_at=timezone.now())


@transaction.atomic
def report_invitation(*, invitation: Invitation, user: User, reason: str) -> Report:
    """Decline, silently, and let the moderators read the invitation.

    They read conversations, so it becomes one that neither person takes part in.
    """
    invitation = _step(_lock(invitation), Event.DECLINE, user)
    conversation = conversations.keep_for_moderators(
        subject=subject_of(invitation), invitation=invitation, message=as_message(invitation)
    )
    return conversations.report_conversation(conversation=conversation, user=user, reason=reason)


# --- Words ------------------------------------------------------------------------------------------


def shown_state(*, invitation: Invitation, viewer: User) -> str:
    """Return the state as viewer may know it: a sender sees a declined invitation wait and expire."""
    overdue = invitation.reply_by < timezone.localdate()
    return str(as_seen(invitation.state, actor_of(invitation, viewer), overdue=overdue))


def actor_of(invitation: Invitation, user: User) -> Actor:
    if user.pk == invitation.recipient_id:
        return Actor.RECIPIENT
    return Actor.SENDER if user.pk == invitation.sender_id else Actor.STRANGER


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
        .select_related("sender", "recipient", "work", "project")
        .get(pk=invitation.pk)
    )


def _step(invitation: Invitation, event: Event, user: User) -> Invitation:
    """Take a step of the table, or raise why not."""
    actor = actor_of(invitation, user)
    if not may_ever(event, actor):
        raise InvitationError("This is not yours to decide.")
    new = after(invitation.state, event, actor)
    if new == invitation.state:
        return invitation
    if invitation.reply_by < timezone.localdate():
        raise InvitationError(f"This invitation expired on {invitation.reply_by:%-d %b %Y}.")
    if new is None:
        raise InvitationError("This invitation is no longer open.")
    invitation.state, invitation.decided_at = new, timezone.now()
    invitation.save(update_fields=["state", "decided_at"])
    return invitation
