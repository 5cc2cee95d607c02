"""Page-sized reads for conversations."""

from dataclasses import dataclass

from django.db.models import F, OuterRef, Prefetch, QuerySet, Subquery

from profiles import access
from profiles.models import Conversation, Message, Participant, User
from profiles.said import add_said
from profiles.services import conversations

PAGE = 50
MOST_FOUND = 30


def conversation_list(user: User, *, archived: bool = False) -> QuerySet[Conversation]:
    """Return user's conversations with how many messages are unread and who else takes part."""
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=user)
    return (
        access.conversations(user)
        .filter(participants__user=user, participants__archived_at__isnull=not archived)
        .annotate(
            unread=F("messages_count") - Subquery(mine.values("read_seq")[:1]),
            muted_at=F("participants__muted_at"),
        )
        .prefetch_related(
            Prefetch(
                "participants",
                Participant.objects.exclude(user=user).select_related("user"),
                to_attr="others",
            )
        )
    )


def found_messages(user: User, text: str) -> list[Message]:
    """Return the newest messages with some words, each with the part that holds them as `part`."""
    text = text.strip()
    if not text:
        return []
    found = list(access.messages_with(user, text)[:MOST_FOUND])
    for message in found:
        message.part = part_around(message.body, text)  # type: ignore[attr-defined]
    return found


def part_around(body: str, text: str, width: int = 160) -> str:
    """Return the part of a body around the first place where text stands."""
    place = max(body.lower().find(text.lower()), 0)
    start = max(place - width // 3, 0)
    part = " ".join(body[start : start + width].split())
    return ("… " if start else "") + part + (" …" if start + width < len(body) else "")


@dataclass
class Shown:
    """The messages of a page, and what there is before them."""

    messages: list[Message]
    earlier: int | None


def messages_page(conversation: Conversation, user: User, before: int = 0) -> Shown:
    """Return the messages before a number, the last ones for 0."""
    before = before or conversation.messages_count + 1
    rows = access.messages(conversation).filter(seq__gte=max(before - PAGE, 1), seq__lt=before)
    return Shown(_for_page(list(rows), user), before - PAGE if before - PAGE > 1 else None)


def messages_after(conversation: Conversation, user: User, seq: int) -> list[Message]:
    """Return what came after a message, as the page shows it."""
    return _for_page(list(access.messages(conversation).filter(seq__gt=seq)[:PAGE]), user)


def _for_page(messages: list[Message], user: User) -> list[Message]:
    add_said(message for message in messages if message.removed_at is None)
    for message in messages:
        message.can_edit = conversations.can_edit(message, user)  # type: ignore[attr-defined]
    return messages
