"""Private conversations: messages without gaps, each stored once whatever is retried."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from profiles import access
from profiles.exceptions import ConversationError
from profiles.models import (
    Block,
    By,
    Conversation,
    Invitation,
    Message,
    Notification,
    Participant,
    Report,
    User,
)
from profiles.services import history, suspension
from profiles.services.notifications import mark_done, mark_page_read, notify, notify_moderators


@transaction.atomic
def open_conversation(
    *, subject: str, people: Sequence[User], invitation: Invitation, first_message: str
) -> Conversation:
    """Open a conversation; people[0] wrote the first message."""
    conversation = Conversation.objects.create(subject=subject, invitation=invitation)
    Participant.objects.bulk_create([Participant(conversation=conversation, user=user) for user in people])
    # The invitation was announced when it was sent: its text as a message announces nothing again.
    _append(conversation, people[0], first_message, invitation.pk)
    Participant.objects.filter(conversation=conversation).update(read_seq=1)
    return conversation


@transaction.atomic
def send_message(*, conversation: Conversation, sender: User, body: str, client_key: UUID) -> Message:
    """Add a message; the same client_key again returns the message that stands."""
    conversation = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if known := Message.objects.filter(
        conversation=conversation, client_key=client_key, sender=sender
    ).first():
        return known
    people = list(Participant.objects.filter(conversation=conversation).select_related("user"))
    if not any(person.user_id == sender.pk and person.left_at is None for person in people):
        raise ConversationError("You are not part of this conversation.")
    others = [
        person.user
        for person in people
        if person.user_id != sender.pk and person.left_at is None and person.user.is_active
    ]
    if not others or any(access.are_blocked(sender, other) for other in others):
        raise ConversationError("Nobody else is in this conversation any more, so nobody would read this.")
    body = body.strip()
    if not body:
        raise ConversationError("Write something first.")
    message = _append(conversation, sender, body, client_key)
    Participant.objects.filter(conversation=conversation, user=sender).update(read_seq=message.seq)
    for person in people:
        if person.user in others:
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
    report = close_report(report=report, actor=actor, answer=answer)
    for person in reported_people(report):
        if person.is_active:
            suspension.suspend_member(member=person, actor=actor, reason=answer)
    return report


def reported_people(report: Report) -> list[User]:
    """Return who took part in a reported conversation beside the one who reported it."""
    parts = Participant.objects.filter(conversation=report.conversation_id).exclude(user=report.reporter_id)
    return [part.user for part in parts.select_related("user").order_by("pk")]


# --- Blocks -----------------------------------------------------------------------------------------


@transaction.atomic
def block_user(*, blocker: User, blocked: User) -> Block:
    """Hide two members from each other, both ways, at once and everywhere."""
    if blocker.pk == blocked.pk:
        raise ConversationError("You cannot block yourself.")
    block, _ = Block.objects.get_or_create(blocker=blocker, blocked=blocked)
    return block


@transaction.atomic
def unblock_user(*, block: Block) -> None:
    block.delete()
