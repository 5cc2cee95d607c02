"""The audit trail as moderators read it: filtered, page by page, and as CSV."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from bzpeer.lib.sheets import csv_lines
from profiles.models import AuditEntry, By, User
from profiles.services import history

PAGE = 50
MOST_IN_A_FILE = 100_000
COLUMNS = ["time", "action", "subject", "by", "actor", "actor address", "researcher", "reason", "data"]


@dataclass(frozen=True)
class Filters:
    """What to show; every part may be empty. author is a public id."""

    action: str = ""
    subject: str = ""
    actor: str = ""
    author: str = ""


def entries(filters: Filters) -> QuerySet[AuditEntry]:
    """Return the entries that fit, newest first. action and subject may be beginnings ("claim.", "claim:")."""
    rows = AuditEntry.objects.select_related("actor", "author").defer("author__search").order_by("-pk")
    if filters.action:
        rows = rows.filter(action__startswith=filters.action)
    if filters.subject:
        rows = rows.filter(subject__startswith=filters.subject)
    if filters.actor:
        rows = rows.filter(
            Q(actor__email__icontains=filters.actor) | Q(actor__display_name__icontains=filters.actor)
        )
    if filters.author:
        rows = rows.filter(author__pid=filters.author)
    return rows


def page_of_entries(filters: Filters, before: int = 0) -> tuple[list[AuditEntry], int]:
    """Return a page and the number to ask for the next one by, 0 where there is none."""
    rows = entries(filters)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else 0


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())


def download(filters: Filters, *, actor: User) -> Iterator[str]:
    """Return the entries as lines of CSV; that somebody took them is an entry too."""
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action="audit.download",
        subject="audit:trail",
        data={key: value for key, value in vars(filters).items() if value},
    )
    return csv_lines(_cells(filters))


def _cells(filters: Filters) -> Iterator[list[str]]:
    yield COLUMNS
    for entry in entries(filters)[:MOST_IN_A_FILE].iterator(chunk_size=1000):
        yield [
            entry.at.isoformat(timespec="seconds"),
            entry.action,
            entry.subject,
            entry.get_by_display(),
            str(entry.actor) if entry.actor else "",
            entry.actor.email if entry.actor else "",
            entry.author.pid if entry.author else "",
            entry.reason,
            json.dumps(entry.data, ensure_ascii=False) if entry.data else "",
        ]
