"""What keeps people safe from each other: blocks, limits on accounts, limits per time, messages taken away."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from profiles.exceptions import ConversationError, ModerationError, TooMany
from profiles.models import Block, By, Message, Report, User
from profiles.services import history

MESSAGES_A_MINUTE = 20
MESSAGES_A_DAY = 1000
LONGEST_LIMIT_DAYS = 365


# --- Limits -----------------------------------------------------------------------------------------


def limited_words(user: User) -> str:
    """Return why a member cannot write to anybody new at present, "" where they can."""
    until = user.limited_until
    if until is None or until <= timezone.now():
        return ""
    return (
        f"Until {until:%-d %b %Y} you cannot write to anybody new: a moderator limited your account. "
        "Conversations that you are part of go on."
    )


def check_pace(sender: User) -> None:
    """Raise TooMany for a member who writes faster than people do; the caller holds the lock on sender's row."""
    now = timezone.now()
    mine = Message.objects.filter(sender=sender)
    if mine.filter(created_at__gt=now - timedelta(minutes=1)).count() >= MESSAGES_A_MINUTE:
        raise TooMany(
            f"You can send {MESSAGES_A_MINUTE} messages a minute. Please wait a moment; your text is kept."
        )
    if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= MESSAGES_A_DAY:
        raise TooMany(f"You can send {MESSAGES_A_DAY} messages a day. Please go on tomorrow.")


@transaction.atomic
def limit_member(*, member: User, actor: User, days: int, reason: str) -> User:
    """Keep a member from writing to anybody new for some days; what they take part in goes on. 0 days: no more."""
    if not reason.strip():
        raise ModerationError("Write down why; limiting an account must be explained.")
    if not 0 <= days <= LONGEST_LIMIT_DAYS:
        raise ModerationError(f"Choose up to {LONGEST_LIMIT_DAYS} days.")
    member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    if member.is_staff or member.is_superuser:
        raise ModerationError("An account of the moderators is limited in the administration, not here.")
    until: datetime | None = timezone.now() + timedelta(days=days) if days else None
    if until is None and member.limited_until is None:
        raise ModerationError("This account is not limited.")
    member.limited_until = until
    member.save(update_fields=["limited_until"])
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action="member.limit" if days else "member.unlimit",
        subject=f"user:{member.pk}",
        reason=reason,
        data={"days": days},
    )
    return member


# --- Messages ---------------------------------------------------------------------------------------


@transaction.atomic
def remove_message(*, report: Report, seq: int, actor: User, reason: str) -> Message:
    """Take a reported message away from its readers; they see that a moderator did, and moderators still read it."""
    return _set_removed(report, seq, actor, reason, removed=True)


@transaction.atomic
def restore_message(*, report: Report, seq: int, actor: User, reason: str) -> Message:
    return _set_removed(report, seq, actor, reason, removed=False)


def _set_removed(report: Report, seq: int, actor: User, reason: str, *, removed: bool) -> Message:
    if not reason.strip():
        raise ModerationError("Write down why, for the other moderators.")
    message = (
        Message.objects.select_for_update(of=("self",), no_key=True)
        .filter(conversation=report.conversation_id, seq=seq, seq__lte=report.last_seq)
        .first()
    )
    if message is None:
        raise ModerationError("There is no such message up to the report.")
    if (message.removed_at is not None) == removed:
        raise ModerationError(f"This message {'was taken away' if removed else 'stands'} already.")
    message.removed_at = timezone.now() if removed else None
    message.save(update_fields=["removed_at"])
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action="message.remove" if removed else "message.restore",
        subject=f"message:{message.pk}",
        reason=reason,
    )
    return message


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
