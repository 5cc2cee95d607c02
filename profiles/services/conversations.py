"""Private conversations: messages without gaps, each stored once whatever is retried."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from profiles import access
from profiles.exceptions import ConversationError
from profiles.models import (
    By,
    Conversation,
    Invitation,
    Message,
    MessageVersion,
    Notification,
    Participant,
    Report,
    User,
)
from profiles.services import history, safety, suspension
from profiles.services.notifications import mark_done, mark_page_read, notify, notify_moderators

MOST_PEOPLE = 8
EDIT_MINUTES = 10
NOBODY = "Nobody else is in this conversation any more, so nobody would read this."


@transaction.atomic
def open_conversation(
    *, subject: str, people: Sequence[User], invitation: Invitation | None, first_message: str
) -> Conversation:
    """Open a conversation; people[0] wrote the first message."""
    if not 2 <= len(people) <= MOST_PEOPLE:
        raise ConversationError(f"A conversation has two to {MOST_PEOPLE} people.")
    conversation = Conversation.objects.create(subject=subject[:300], invitation=invitation)
    Participant.objects.bulk_create([Participant(conversation=conversation, user=user) for user in people])
    # The invitation was announced when it was sent: its text as a message announces nothing again.
    _append(conversation, people[0], first_message, invitation.pk if invitation else uuid4())
    Participant.objects.filter(conversation=conversation).update(read_seq=1)
    return conversation


def of_invitation(invitation: Invitation) -> Conversation:
    """Return the conversation that an accepted invitation opened or joined."""
    own = Conversation.objects.filter(invitation=invitation).first()
    if own is None and invitation.project:
        own = invitation.project.conversation
    if own is None:
        raise ConversationError("The conversation of this invitation is gone.")
    return own


def can_join(conversation: Conversation, user: User) -> bool:
    """Return whether there is room, and nobody in it whom user blocks or is blocked by."""
    people = [part.user for part in _present(conversation) if part.user_id != user.pk]
    return len(people) < MOST_PEOPLE and not any(access.are_blocked(user, other) for other in people)


@transaction.atomic
def join_conversation(*, conversation: Conversation, user: User) -> None:
    """Take part from now on; what was said before is there to read."""
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if not can_join(conversation, user):
        raise ConversationError("You cannot join this conversation.")
    Participant.objects.update_or_create(conversation=conversation, user=user, defaults={"left_at": None})


@transaction.atomic
def keep_for_moderators(*, subject: str, invitation: Invitation, message: str) -> Conversation:
    """Make a conversation of an invitation that was reported unanswered: nobody takes part, moderators read it."""
    conversation = Conversation.objects.create(subject=subject[:300], invitation=invitation)
    _append(conversation, invitation.sender, message, invitation.pk)
    return conversation


def _present(conversation: Conversation) -> list[Participant]:
    rows = Participant.objects.filter(conversation=conversation, left_at__isnull=True)
    return list(rows.select_related("user").order_by("pk"))


@transaction.atomic
def send_message(*, conversation: Conversation, sender: User, body: str, client_key: UUID) -> Message:
    """Add a message; the same client_key again returns the message that stands."""
    User.objects.select_for_update(no_key=True).get(pk=sender.pk)  # the limits count rows
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if known := Message.objects.filter(
        conversation=conversation, client_key=client_key, sender=sender
    ).first():
        return known
    people = _present(conversation)
    if not any(person.user_id == sender.pk for person in people):
        raise ConversationError("You are not part of this conversation.")
    others = [person for person in people if person.user_id != sender.pk and person.user.is_active]
    if not others or any(access.are_blocked(sender, other.user) for other in others):
        raise ConversationError(NOBODY)
    body = body.strip()
    if not body:
        raise ConversationError("Write something first.")
    safety.check_pace(sender)
    message = _append(conversation, sender, body, client_key)
    mine = Participant.objects.filter(conversation=conversation, user=sender)
    mine.update(read_seq=message.seq, draft="")
    # What somebody put away comes back with something new.
    Participant.objects.filter(conversation=conversation).update(archived_at=None)
    for person in others:
        if person.muted_at is None:
            # One mail until it is read; the messages after it are seen together.
            behind = person.read_seq < message.seq - 1
            notify(
                recipient=person.user,
                actor=sender,
                verb=Notification.Verb.MESSAGE_RECEIVED,
                target_url=conversation.get_absolute_url(),
                target_text=conversation.subject,
                event_key=f"message:{message.pk}",
                by_mail=not behind,
            )
    return message


def _append(conversation: Conversation, sender: User, body: str, client_key: UUID) -> Message:
    """Give the message the next number; the conversation's row is locked or new."""
    try:
        with transaction.atomic():
            message = Message.objects.create(
                conversation=conversation,
                sender=sender,
                seq=conversation.messages_count + 1,
                body=body,
                client_key=client_key,
            )
    except IntegrityError as error:  # a client_key that another participant used
        raise ConversationError("This message could not be sent. Reload the page and try again.") from error
    conversation.messages_count = message.seq
    conversation.last_message_at = timezone.now()
    conversation.save(update_fields=["messages_count", "last_message_at"])
    return message


def can_edit(message: Message, user: User) -> bool:
    """Return whether user may still change a message; the first one is the invitation's text and stays."""
    fresh = message.created_at > timezone.now() - timedelta(minutes=EDIT_MINUTES)
    return fresh and message.sender_id == user.pk and message.seq > 1 and message.removed_at is None


@transaction.atomic
def edit_message(*, message: Message, user: User, body: str) -> Message:
    """Change what one just wrote; the others can read what it said before."""
    message = Message.objects.select_for_update(of=("self",), no_key=True).get(pk=message.pk)
    if not can_edit(message, user):
        raise ConversationError(f"A message can be changed for {EDIT_MINUTES} minutes, by who wrote it.")
    body = body.strip()
    if not body:
        raise ConversationError("Write something first.")
    if body == message.body:
        return message
    MessageVersion.objects.create(message=message, body=message.body)
    message.body, message.edited_at = body, timezone.now()
    message.save(update_fields=["body", "edited_at"])
    return message


@transaction.atomic
def save_draft(*, conversation: Conversation, user: User, body: str, client_key: UUID) -> None:
    """Keep what user has typed; a draft that arrives after its message was sent is dropped."""
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if Message.objects.filter(conversation=conversation, client_key=client_key).exists():
        return
    Participant.objects.filter(conversation=conversation, user=user).update(draft=body)


@transaction.atomic
def set_archived(*, conversation: Conversation, user: User, archived: bool) -> None:
    """Put a conversation away until something new comes, or fetch it back."""
    when = timezone.now() if archived else None
    Participant.objects.filter(conversation=conversation, user=user).update(archived_at=when)


@transaction.atomic
def set_muted(*, conversation: Conversation, user: User, muted: bool) -> None:
    when = timezone.now() if muted else None
    Participant.objects.filter(conversation=conversation, user=user).update(muted_at=when)


@transaction.atomic
def mark_read(*, conversation: Conversation, user: User) -> None:
    """Remember that user has seen everything up to now."""
    Participant.objects.filter(
        conversation=conversation, user=user, read_seq__lt=conversation.messages_count
    ).update(read_seq=conversation.messages_count)
    mark_page_read(user=user, url=conversation.get_absolute_url())


def others_of(conversation: Conversation, user: User) -> list[Participant]:
    """Return the other people of a conversation, those who left included."""
    return list(
        Participant.objects.filter(conversation=conversation)
        .exclude(user=user)
        .select_related("user", "user__researcher__author")
        .order_by("pk")
    )


@transaction.atomic
def leave_conversation(*, conversation: Conversation, user: User) -> None:
    Participant.objects.filter(conversation=conversation, user=user, left_at__isnull=True).update(
        left_at=timezone.now()
    )
    mark_page_read(user=user, url=conversation.get_absolute_url())


@transaction.atomic
def report_conversation(*, conversation: Conversation, user: User, reason: str) -> Report:
    """Ask the moderators to look; they read the conversation up to now, and no further."""
    if not reason.strip():
        raise ConversationError("Say what is wrong.")
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    report, created = Report.objects.get_or_create(
        conversation=conversation,
        reporter=user,
        state=Report.State.OPEN,
        defaults={"reason": reason.strip(), "last_seq": conversation.messages_count},
    )
    if created:
        notify_moderators(
            verb=Notification.Verb.CONVERSATION_REPORTED,
            target_url=_desk(report),
            target_text="A private conversation",
            event_key=f"report:{report.pk}",
        )
    return report


@transaction.atomic
def close_report(*, report: Report, actor: User, answer: str) -> Report:
    """Write down what was done about a report; moderators alone read it."""
    if not answer.strip():
        raise ConversationError("Write what was done and why, for the other moderators.")
    report = Report.objects.select_for_update(of=("self",), no_key=True).get(pk=report.pk)
    if report.state != Report.State.OPEN:
        raise ConversationError("This report was closed by somebody else.")
    report.state, report.answer = Report.State.DONE, answer.strip()[:2000]
    report.decided_by, report.decided_at = actor, timezone.now()
    report.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    history.audit(
        actor=actor, by=By.MODERATOR, action="report.close", subject=f"report:{report.pk}", reason=answer
    )
    mark_done(verb=Notification.Verb.CONVERSATION_REPORTED, url=_desk(report))
    return report


def _desk(report: Report) -> str:
    return reverse("profiles:moderation_report", args=[report.pk])


def reported_messages(report: Report) -> list[Message]:
    """Return what moderators may read: the messages up to the report, and none after."""
    return list(
        access.messages(report.conversation).filter(seq__lte=report.last_seq).select_related("sender")
    )


@transaction.atomic
def suspend_reported(*, report: Report, actor: User, answer: str) -> Report:
    """Close the account of the person reported; they can neither log in nor write."""
    if not answer.strip():
        raise ConversationError("Write down why; closing an account must be explained.")
    people = reported_people(report)
    if len(people) > 1:
        raise ConversationError(
            "Several people took part: close the account that it is about on its own page."
        )
    report = close_report(report=report, actor=actor, answer=answer)
    for person in people:
        if person.is_active:
            suspension.suspend_member(member=person, actor=actor, reason=answer)
    return report


def reported_people(report: Report) -> list[User]:
    """Return who took part in a reported conversation beside the one who reported it."""
    of = report.conversation_id
    took_part = Q(participations__conversation=of) | Q(
        # An invitation that was reported unanswered has a writer, and nobody takes part.
        pk__in=Message.objects.filter(conversation=of).values("sender")
    )
    people = User.objects.filter(took_part).distinct().order_by("pk")
    return [person for person in people if person.pk != report.reporter_id]
