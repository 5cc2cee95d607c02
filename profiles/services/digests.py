"""Mails that gather: what members want daily or weekly, and what waited for the end of their quiet hours.

A day ends at seven in the morning where the member is, a week on Monday at seven. What came between two ends is told
once: preferences.digest_sent_at moves in the transaction that writes the mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from profiles import access
from profiles.feed import Item, feed
from profiles.models import Follow, MailChoice, Notification, Preferences, Researcher, SavedSearch, User
from profiles.services import notifications, preferences
from profiles.services.notifications import OF_THE_DESK, YOUNG

HOUR = 7  # of the morning, in the member's time zone
LINES = 20
RECENT = timedelta(days=8)  # follows older than this are news to nobody
SETTLED = timedelta(minutes=10)  # a follow that was taken back at once is none
Often, Kind = MailChoice.Often, MailChoice.Kind


@dataclass(frozen=True)
class Window:
    """From when until when a digest tells; empty where its end lies not after its beginning."""

    since: datetime
    until: datetime

    def __bool__(self) -> bool:
        return self.since < self.until

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


@dataclass(frozen=True)
class Told:
    """A notification as a digest tells it."""

    line: str
    url: str


def end_of_day(at: datetime) -> datetime:
    """Return the last seven o'clock before a moment that is given in the member's zone."""
    end = at.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return end if end <= at else end - timedelta(days=1)


def end_of_week(at: datetime) -> datetime:
    """Return the last seven o'clock of a Monday."""
    end = end_of_day(at)
    return end - timedelta(days=end.weekday())


def windows(row: Preferences, now: datetime) -> dict[str, Window]:
    """Return what a daily and a weekly digest would tell now, given the last."""
    zone = preferences.zone_of(row)
    here = now.astimezone(zone)
    last = row.digest_sent_at.astimezone(zone) if row.digest_sent_at else None
    day, week = end_of_day(here), end_of_week(here)
    return {
        Often.DAILY: Window(end_of_day(last) if last else day - timedelta(days=1), day),
        Often.WEEKLY: Window(end_of_week(last) if last else week - timedelta(days=7), week),
    }


def send_digests(now: datetime | None = None) -> int:
    """Send what is due; return how many mails were written. Running it twice sends nothing twice."""
    now = now or timezone.now()
    tell_of_followers(now)
    written = send_after_quiet(now)
    due = User.objects.filter(is_active=True).filter(
        Q(preferences__isnull=True)
        | Q(preferences__digest_sent_at__isnull=True)
        | Q(preferences__digest_sent_at__lt=now - timedelta(hours=1))
    )
    for pk in due.order_by("pk").values_list("pk", flat=True).iterator():
        written += send_digest(user=User.objects.get(pk=pk), now=now)
    return written


@transaction.atomic
def send_digest(*, user: User, now: datetime) -> bool:
    """Write one member's digest if one is due and holds something."""
    preferences.of(user)
    row = Preferences.objects.select_for_update(skip_locked=True).filter(user=user).first()
    if row is None or preferences.is_quiet(row, now):  # another worker has it, or it waits for an hour
        return False
    spans = windows(row, now)
    if not any(spans.values()):
        return False
    Preferences.objects.filter(pk=row.pk).update(digest_sent_at=now)
    address = preferences.mail_address(user)
    if address is None:
        return False
    often = preferences.choices_of(user)
    told = _notifications(user, often, spans)
    items = _followed(user, spans.get(often[Kind.FOLLOWED]))
    if not told and not items:
        return False
    context: dict[str, object] = {"notifications": told, "items": items, "public_url": settings.PUBLIC_URL}
    text = render_to_string("profiles/mail/digest.txt", context)
    notifications.write(
        user=user, address=address, text=text, kind=preferences.DIGEST, html="profiles/mail/digest.html",
        notifications=told, items=items, home=settings.PUBLIC_URL + reverse("profiles:home"),
    )  # fmt: skip
    return True


def _notifications(user: User, often: dict[str, str], spans: dict[str, Window]) -> list[Told]:
    """Return what happened in the spans of its kinds and was neither read nor mailed, one line for a page."""
    rows = (
        access.notifications(user)
        .filter(read_at__isnull=True, mail__isnull=True)
        .exclude(verb__in=OF_THE_DESK)
    )
    found: dict[tuple[str, str], Notification] = {}
    for row in rows.filter(created_at__gte=min(span.since for span in spans.values()))[: 10 * LINES]:
        span = spans.get(often[preferences.kind_of(row.verb)])
        if span and row.created_at in span:
            found.setdefault((row.verb, row.target_url), row)
    return [_told(row) for row in list(found.values())[:LINES]]


def _told(row: Notification) -> Told:
    """Word an event as the subject of its own mail does."""
    subject = render_to_string(f"profiles/mail/notifications/{row.verb}.txt", {"notification": row})
    return Told(
        f"{subject.strip().partition(chr(10))[0]}: {row.target_text}", settings.PUBLIC_URL + row.target_url
    )


def _followed(user: User, span: Window | None) -> list[Item]:
    if not span:
        return []
    if not (Follow.objects.filter(user=user).exists() or SavedSearch.objects.filter(user=user).exists()):
        return []
    items = feed(user=user, state=access.feed_state(user), size=LINES).items
    return [item for item in items if item.at in span]


# --- What waited ------------------------------------------------------------------------------------------


def send_after_quiet(now: datetime) -> int:
    """Send, once quiet hours are over, the mails that members want at once and that came meanwhile."""
    written = 0
    quiet = Preferences.objects.filter(quiet_from__isnull=False, user__is_active=True).select_related("user")
    for row in quiet.order_by("pk").iterator():
        if preferences.is_quiet(row, now):
            continue
        written += _send_waiting(row, now)
    return written


@transaction.atomic
def _send_waiting(row: Preferences, now: datetime) -> int:
    Preferences.objects.select_for_update().get(pk=row.pk)
    often = preferences.choices_of(row.user)
    waiting = access.notifications(row.user).filter(
        read_at__isnull=True, mail__isnull=True, created_at__gt=now - timedelta(days=2)
    )
    first: dict[tuple[str, str], Notification] = {}
    for notification in waiting.exclude(verb__in=OF_THE_DESK):
        first[notification.verb, notification.target_url] = notification
    written = 0
    for notification in reversed(first.values()):
        at_once = often[preferences.kind_of(notification.verb)] == Often.AT_ONCE
        if at_once and preferences.is_quiet(row, notification.created_at):
            written += notifications.send(notification=notification) is not None
    return written


# --- Followers --------------------------------------------------------------------------------------------


def tell_of_followers(now: datetime) -> int:
    """Tell researchers of new followers at L2 and above, a day after these joined; return of how many."""
    told = Notification.objects.filter(
        recipient=OuterRef("author__researcher__user"), verb="followed", actor=OuterRef("user")
    )
    held = Researcher.objects.filter(author=OuterRef("author"), user__is_active=True)
    news = (
        Follow.objects.filter(
            Exists(held), ~Exists(told),
            created_at__gt=now - RECENT, created_at__lt=now - SETTLED,
            user__is_active=True, user__date_joined__lt=now - YOUNG,
            user__researcher__author__trust__level__gte=2,
        )
        .exclude(author__researcher__user=F("user"))
        .select_related("user", "author__researcher__user")
        .defer("author__search")
    )  # fmt: skip
    count = 0
    for follow in news.order_by("pk"):
        assert follow.author is not None  # noqa: S101 - held by a researcher
        row = notifications.notify(
            recipient=follow.author.researcher.user, actor=follow.user, verb=Notification.Verb.FOLLOWED,
            target_url=follow.author.get_absolute_url(), target_text=str(follow.author),
            event_key=f"followed:{follow.user_id}:{follow.author_id}",
        )  # fmt: skip
        count += row is not None
    return count
