"""A member's data as one file: asked for, made by a worker, fetched for a while, then emptied."""

import io
import json
import logging
import zipfile
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from bzpeer.lib.sheets import csv_lines
from profiles.exceptions import TooMany
from profiles.models import By, DataExport, Notification, User
from profiles.services import my_data
from profiles.services.history import audit
from profiles.services.notifications import notify

log = logging.getLogger(__name__)

State = DataExport.State

MAX_ATTEMPTS = 5
PER_DAY = 3
KEPT = timedelta(days=7)
REMEMBERED = timedelta(days=90)  # that there was one
GIVEN_UP = "Your data could not be put together, though we tried five times. Ask for them again."


# --- Asking ---------------------------------------------------------------------------------------------


@transaction.atomic
def request_export(*, user: User) -> DataExport:
    """Ask for the file; while one is being made, asking again returns that one."""
    from profiles.tasks import make_exports

    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    if standing := DataExport.objects.filter(user=user, state=State.QUEUED).first():
        return standing
    day = timezone.now() - timedelta(days=1)
    if DataExport.objects.filter(user=user, created_at__gt=day).count() >= PER_DAY:
        raise TooMany(f"You asked for your data {PER_DAY} times within a day. Please try again tomorrow.")
    export = DataExport.objects.create(user=user)
    audit(actor=user, by=By.OWNER, action="account.export", subject=f"user:{user.pk}")
    ring(make_exports)
    return export


# --- Making ---------------------------------------------------------------------------------------------


def make_exports() -> int:
    """Make every export that waits; return how many were made. Any number of workers may do so at once.

    One that fails is tried again at beat's next ring; five tries are counted, those of killed workers among them.
    """
    made, tried = 0, list[UUID]()
    while pk := _begin(tried):
        tried.append(pk)
        try:
            made += _make(pk)
        except Exception as error:  # whatever it was, the next member's export does not wait for it
            log.exception("Export %s failed.", pk)
            _note_failure(pk, error)
    return made


@transaction.atomic
def _begin(tried: list[UUID]) -> UUID | None:
    """Count a try of the export that waits longest and return its id."""
    waiting = DataExport.objects.select_for_update(skip_locked=True).filter(state=State.QUEUED)
    export = waiting.exclude(pk__in=tried).defer("content").order_by("created_at").first()
    if export is None:
        return None
    export.attempts += 1
    export.save(update_fields=["attempts"])
    return export.pk


@transaction.atomic
def _make(pk: UUID) -> bool:
    """Make one export, unless another worker has it or it was given up; return whether it was made."""
    waiting = DataExport.objects.select_for_update(of=("self",), skip_locked=True).select_related("user")
    export = waiting.filter(pk=pk, state=State.QUEUED).first()
    if export is None:
        return False
    if export.attempts > MAX_ATTEMPTS:  # workers died over it
        _give_up(export)
        return False
    now = timezone.now()
    export.content = pack(export.user)
    export.size = len(export.content)
    export.state, export.ready_at, export.expires_at, export.trouble = State.READY, now, now + KEPT, ""
    export.save()
    older = DataExport.objects.filter(user=export.user, state=State.READY).exclude(pk=export.pk)
    older.update(state=State.EXPIRED, content=None)
    notify(
        recipient=export.user,
        verb=Notification.Verb.EXPORT_READY,
        target_url=reverse("profiles:export"),
        target_text="Your data",
        event_key=f"export:{export.pk}",
    )
    return True


@transaction.atomic
def _note_failure(pk: UUID, error: Exception) -> None:
    export = DataExport.objects.select_for_update().filter(pk=pk, state=State.QUEUED).first()
    if export is None:
        return
    export.trouble = type(error).__name__[:300]  # its words may hold anything
    export.save(update_fields=["trouble"])
    if export.attempts >= MAX_ATTEMPTS:
        _give_up(export)


def _give_up(export: DataExport) -> None:
    export.state, export.trouble = State.FAILED, GIVEN_UP
    export.save(update_fields=["state", "trouble"])


@transaction.atomic
def expire_exports() -> int:
    """Empty the exports whose time is over, and forget that there were any after three months; return how many."""
    now = timezone.now()
    DataExport.objects.filter(created_at__lt=now - REMEMBERED).exclude(state=State.QUEUED).delete()
    over = DataExport.objects.filter(state=State.READY, expires_at__lte=now)
    return over.update(state=State.EXPIRED, content=None)


# --- The file -------------------------------------------------------------------------------------------


class Packed(NamedTuple):
    """A line of the table of contents."""

    name: str
    about: str
    rows: int


def pack(user: User) -> bytes:
    """Return the zip: for each kind of thing a JSON and a CSV file, the files of the member, and a README."""
    out = io.BytesIO()
    packed = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind in my_data.kinds(user):
            rows = list(kind.rows)
            packed.append(Packed(kind.name, kind.about, len(rows)))
            if rows:
                archive.writestr(f"{kind.name}.json", as_json(rows))
                archive.writestr(f"{kind.name}.csv", as_csv(rows))
        for name, content in my_data.files(user):
            archive.writestr(name, content)
        archive.writestr("README.txt", _readme(packed))
    return out.getvalue()


def as_json(rows: list[my_data.Row]) -> str:
    return json.dumps(rows, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False) + "\n"


def as_csv(rows: list[my_data.Row]) -> str:
    """Return rows as CSV, with cells that a spreadsheet would take for formulas made plain text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([_told(row.get(name)) for name in names] for row in rows)]
    return "".join(csv_lines(lines))


def _told(value: Any) -> Any:
    """Return a value as text that says the same as in JSON."""
    if value is None or isinstance(value, str | int):
        return value if not isinstance(value, bool) else str(value).lower()
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    return text if isinstance(value, dict | list) else text.strip('"')  # a date, an id


def _readme(packed: Iterable[Packed]) -> str:
    lines = [
        f"Your data on BZPEER, {settings.PUBLIC_URL}",
        f"Put together on {timezone.now():%-d %b %Y at %H:%M} UTC.",
        "",
        "Each kind of thing stands in two files with the same content: .json for programs, .csv for spreadsheets.",
        "All text is UTF-8; times are in UTC. In .csv files a cell that a spreadsheet would take for a formula",
        "(it begins with = + - @, a tab or a line break) begins with an apostrophe that is not part of your data.",
        "",
    ]
    here = [each for each in packed if each.rows]
    lines += [f"{each.name}: {each.about} ({each.rows:,})." for each in here]
    if nothing := [each.name for each in packed if not each.rows]:
        lines += ["", f"There is nothing of: {', '.join(nothing)}."]
    lines += ["", "Not in here:", *(f"- {what}" for what in my_data.LEFT_OUT)]
    if settings.CONTACT_EMAIL:
        lines += ["", f"Questions, and whatever else you want to know: {settings.CONTACT_EMAIL}"]
    return "\n".join(lines) + "\n"
