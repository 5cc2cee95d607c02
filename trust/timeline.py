"""The changes of a score, with the reason for each, the newest first."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q

from trust.models import TrustChange
from works.models import Author

ON_A_PAGE = 20


@dataclass(frozen=True)
class Gain:
    """What one rule gave more or less."""

    label: str
    points: int

    @property
    def signed(self) -> str:
        return f"+{self.points}" if self.points > 0 else f"\u2212{-self.points}"


@dataclass(frozen=True)
class Moment:
    """One change as a page tells it."""

    change: TrustChange
    gains: list[Gain]

    @property
    def is_first(self) -> bool:
        return self.change.old_value is None

    @property
    def level_moved(self) -> bool:
        return self.change.old_level is not None and self.change.old_level != self.change.level


@dataclass(frozen=True)
class Timeline:
    """A page of changes. before: what to ask for to see earlier ones; None where there are none."""

    moments: list[Moment]
    before: int | None


def timeline(author: Author, before: str | None = None) -> Timeline:
    """Return the changes of an author's score, or those before the one of an id."""
    rows = TrustChange.objects.filter(author=author).order_by("-at", "-pk")
    number = int(before) if before and before.isascii() and before.isdigit() and len(before) < 19 else None
    last = rows.filter(pk=number).first() if number else None
    if last:
        rows = rows.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    found = list(rows[: ON_A_PAGE + 1])
    shown = found[:ON_A_PAGE]
    return Timeline(
        [Moment(row, [_gain(row) for row in row.differences]) for row in shown],
        shown[-1].pk if len(found) > ON_A_PAGE else None,
    )


def stood_on(author: Author, day: date) -> TrustChange | None:
    """Return the change whose score stood at the end of a day (UTC), where the timeline reaches back so far."""
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    return TrustChange.objects.filter(author=author, at__lt=end).order_by("-at", "-pk").first()


def _gain(row: dict[str, Any]) -> Gain:
    return Gain(row["label"], row["points"])
