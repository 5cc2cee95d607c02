"""What a member follows, is told, is asked and says to others."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.http import Http404

from profiles.access.blocking import blocked_between, one_of
from profiles.models import (
    Conversation,
    Follow,
    Introduction,
    Invitation,
    Message,
    Notification,
    NotInterested,
    Participant,
    Preferences,
    Recommendation,
    SavedSearch,
    User,
)
from works.models import Author, Authorship


def follows(user: User) -> QuerySet[Follow]:
    shown = Q(author=None) | Q(author__suppressed=False)
    rows = Follow.objects.filter(shown, user=user).select_related("author", "topic", "institution")
    return rows.defer("author__search", "institution__search").order_by("-pk")


def preferences(user: User) -> Preferences | None:
    return Preferences.objects.filter(user=user).first()


def saved_searches(user: User) -> QuerySet[SavedSearch]:
    return SavedSearch.objects.filter(user=user).order_by("-created_at")


def feed_state(user: User) -> dict[str, Any]:
    """Return what a page with user's feed needs beside it, in one query: seen, unread, searches."""
    unread = notifications(user).filter(read_at__isnull=True).order_by().values("recipient")
    searches = SavedSearch.objects.filter(user=OuterRef("pk")).order_by("created_at")
    fields = JSONObject(id="pk", name="name", query="query", since="created_at")
    rows = User.objects.filter(pk=user.pk).values(
        seen=Coalesce("preferences__feed_seen_at", "date_joined"),
        unread=Coalesce(Subquery(unread.values(n=Count("pk"))), Value(0)),
        searches=ArraySubquery(searches.values(row=fields)),
    )
    return dict(rows[0])


def feed_owner(token: str) -> User:
    """Return whose private feed this address is; 404 for revoked and made-up ones and for suspended members."""
    row = Preferences.objects.select_related("user").filter(feed_token=token, user__is_active=True).first()
    if row is None:
        raise Http404("Nothing here.")
    return row.user


def collaborations_followed(user: User) -> QuerySet[Invitation]:
    """Return accepted invitations between two people whom user follows and who both hold a public page."""
    rows = Invitation.objects.filter(state=Invitation.State.ACCEPTED, decided_at__isnull=False)
    for side in ("sender", "recipient"):
        author = f"{side}__researcher__author"
        rows = rows.filter(
            Exists(Follow.objects.filter(user=user.pk, author=OuterRef(author))),
            **{f"{author}__claimed": True, f"{author}__suppressed": False, f"{side}__is_active": True},
        ).exclude(blocked_between(user, OuterRef(side)))
    return rows


def invitations(user: User) -> QuerySet[Invitation]:
    """Return the invitations user sent or received, without those across a block."""
    return (
        Invitation.objects.filter(Q(sender=user) | Q(recipient=user))
        .exclude(blocked_between(user, OuterRef("sender")))
        .exclude(blocked_between(user, OuterRef("recipient")))
        .select_related("sender", "recipient", "author", "work", "project")
        .order_by("-created_at")
    )


def conversations(user: User) -> QuerySet[Conversation]:
    """Return the conversations user takes part in and has not left, without those across a block."""
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=user, left_at__isnull=True)
    across = Participant.objects.filter(conversation=OuterRef("pk")).filter(
        blocked_between(user, OuterRef("user"))
    )
    return Conversation.objects.filter(Exists(mine)).exclude(Exists(across)).order_by("-last_message_at")


def messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the messages of a conversation that conversations() gave out."""
    return Message.objects.filter(conversation=conversation).select_related("sender").order_by("seq")


def message(user: User, pk: UUID, seq: int) -> Message:
    """Return a message of a conversation of user's; 404 for what a moderator took away."""
    rows = messages(conversation(user, pk)).filter(removed_at__isnull=True, seq=seq)
    found = rows.prefetch_related("versions").first()
    if found is None:
        raise Http404("Nothing here.")
    return found


def messages_with(user: User, text: str) -> QuerySet[Message]:
    """Return the messages in user's conversations that hold some words, the newest first."""
    mine = Message.objects.filter(
        conversation__in=conversations(user).order_by().values("pk"), removed_at__isnull=True
    )
    found = mine.filter(Q(body__icontains=text) | Q(seq=1, conversation__subject__icontains=text))
    return found.select_related("sender", "conversation").order_by("-created_at")


def participation(user: User, conversation: Conversation) -> Participant:
    """Return how user takes part in a conversation that conversations() gave out."""
    return Participant.objects.get(user=user, conversation=conversation)


def introductions(user: User) -> QuerySet[Introduction]:
    """Return the introductions that user asked for or is asked to give; whom they lead to knows of none."""
    rows = Introduction.objects.filter(Q(requester=user) | Q(middle=user))
    for other in ("requester", "middle", "target"):
        rows = rows.exclude(blocked_between(user, OuterRef(other)))
    return rows.select_related("requester", "middle", "target").order_by("-created_at")


def notifications(user: User) -> QuerySet[Notification]:
    return (
        Notification.objects.filter(recipient=user)
        .exclude(blocked_between(user, OuterRef("actor")))
        .select_related("actor")
        .order_by("-created_at")
    )


def recommendations(user: User) -> QuerySet[Recommendation]:
    """Return what a worker found for user, without what has been put aside, followed, hidden or blocked since."""
    aside = NotInterested.objects.filter(user=user)
    followed = Follow.objects.filter(user=user, author=OuterRef("author"))
    across = Authorship.objects.filter(work=OuterRef("work")).filter(
        blocked_between(user, OuterRef("author__researcher__user"))
    )
    return (
        Recommendation.objects.filter(user=user)
        .filter(Q(author=None) | Q(author__suppressed=False, author__merged_into=None))
        .filter(Q(work=None) | Q(work__is_withdrawn=False))
        .exclude(Exists(aside.filter(author=OuterRef("author"))))
        .exclude(Exists(aside.filter(work=OuterRef("work"))))
        .exclude(Q(kind=Recommendation.Kind.FOLLOW) & Exists(followed))
        .exclude(blocked_between(user, OuterRef("author__researcher__user")))
        .exclude(Exists(across))
        .select_related("author")
        .defer("author__search")
        .order_by("kind", "-score", "pk")
    )


def not_interested(user: User) -> QuerySet[NotInterested]:
    """Return what user does not want recommended, the last said first."""
    shown = Q(author=None) | Q(author__suppressed=False)
    rows = NotInterested.objects.filter(shown, user=user).select_related("author", "work")
    return rows.defer("author__search", "work__search", "work__abstract", "work__abstract_html").order_by(
        "-pk"
    )


def recommended_authors(user: User, pids: set[str]) -> QuerySet[Author]:
    """Return the people that a reason names, without those hidden or across a block."""
    return (
        Author.objects.public()
        .filter(pid__in=pids)
        .exclude(blocked_between(user, OuterRef("researcher__user")))
        .defer("search")
    )


def saved_search(user: User, pk: UUID) -> SavedSearch:
    return one_of(saved_searches(user), pk)


def invitation(user: User, pk: UUID) -> Invitation:
    return one_of(invitations(user), pk)


def conversation(user: User, pk: UUID) -> Conversation:
    return one_of(conversations(user), pk)


def introduction(user: User, pk: UUID) -> Introduction:
    return one_of(introductions(user), pk)


def notification(user: User, pk: UUID) -> Notification:
    return one_of(notifications(user), pk)
