"""Page-sized reads for members' own pages."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.db.models import Count, DateField, F, Func, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from profiles import access
from profiles.models import Conversation, Follow, Invitation, Participant, User
from works.models import Authorship, AuthorshipInstitution, Work, WorkTopic
from works.queries import add_bylines, works_for_card

FEED_PAGE = 20


# --- The feed ---------------------------------------------------------------------------------------


class Cursor(NamedTuple):
    """The place after which the next page of the feed begins."""

    day: date
    pk: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()}.{self.pk}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        day, _, pk = text.partition(".")
        try:
            cursor = cls(date.fromisoformat(day), int(pk))
        except ValueError:
            return None
        return cursor if 0 <= cursor.pk < 2**63 else None


@dataclass
class FeedItem:
    work: Work
    because: list[object] = field(default_factory=list)


@dataclass
class Feed:
    items: list[FeedItem]
    next_cursor: Cursor | None


class _Day(Func):
    """The first of January of a year, for works of which only the year is known."""

    function = "make_date"
    template = "%(function)s(%(expressions)s, 1, 1)"
    output_field = DateField()


def feed(*, user: User, after: Cursor | None = None, size: int = FEED_PAGE) -> Feed:
    """Return the newest works of what user follows, a page at a time, each with the reason."""
    mine = Follow.objects.filter(user=user)
    authors = mine.filter(author__isnull=False, author__suppressed=False).values("author")
    topics = mine.filter(topic__isnull=False).values("topic")
    institutions = mine.filter(institution__isnull=False).values("institution")
    works = (
        Work.objects.filter(
            Q(pk__in=Authorship.objects.filter(author__in=authors).values("work"))
            | Q(pk__in=WorkTopic.objects.filter(topic__in=topics).values("work"))
            | Q(pk__in=Authorship.objects.filter(institutions__in=institutions).values("work"))
        )
        .annotate(day=Coalesce("publication_date", _Day(Coalesce("publication_year", Value(1)))))
        .order_by("-day", "-pk")
    )
    if after:
        works = works.filter(Q(day__lt=after.day) | Q(day=after.day, pk__lt=after.pk))
    page = list(works_for_card(works)[: size + 1])
    last = page[size - 1] if len(page) > size else None
    add_bylines(page)
    reasons = _reasons(user, page[:size])
    return Feed(
        items=[FeedItem(work, reasons[work.pk]) for work in page[:size]],
        next_cursor=Cursor(last.day, last.pk) if last else None,  # type: ignore[attr-defined]
    )


def _reasons(user: User, works: list[Work]) -> dict[int, list[object]]:
    """Return for each work the followed records that brought it here."""
    ids = [work.pk for work in works]
    reasons: dict[int, list[object]] = defaultdict(list)
    by_author = Authorship.objects.filter(work__in=ids, author__follows__user=user).select_related("author")
    for authorship in by_author:
        reasons[authorship.work_id].append(authorship.author)
    by_topic = WorkTopic.objects.filter(work__in=ids, topic__follows__user=user).select_related("topic")
    for work_topic in by_topic:
        reasons[work_topic.work_id].append(work_topic.topic)
    by_institution = AuthorshipInstitution.objects.filter(
        authorship__work__in=ids, institution__follows__user=user
    )
    for pair in by_institution.select_related("authorship", "institution").order_by("pk"):
        if pair.institution not in reasons[pair.authorship.work_id]:
            reasons[pair.authorship.work_id].append(pair.institution)
    return reasons


# --- Lists ------------------------------------------------------------------------------------------


def conversation_list(user: User) -> QuerySet[Conversation]:
    """Return user's conversations with how many messages are unread and who else takes part."""
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=user)
    return (
        access.conversations(user)
        .annotate(unread=F("messages_count") - Subquery(mine.values("read_seq")[:1]))
        .prefetch_related(
            Prefetch(
                "participants",
                Participant.objects.exclude(user=user).select_related("user"),
                to_attr="others",
            )
        )
    )


def follow_counts(user: User) -> dict[str, int]:
    return Follow.objects.filter(user=user).aggregate(
        authors=Count("author"), topics=Count("topic"), institutions=Count("institution")
    )


def pending_invitations(user: User) -> QuerySet[Invitation]:
    return access.invitations(user).filter(recipient=user, state=Invitation.State.PENDING)
