"""The public log of a researcher's page: what happened to claims and to the record, when and in which part.

Nothing here names anybody or gives a reason: claims and changes are read without them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from profiles import access
from profiles.models import By, Change, Claim, ClaimStep, Route
from works.models import Author

PAGE = 50

_CLAIM_STEPS: dict[str, str] = {
    Claim.State.SUBMITTED: "filed",
    Claim.State.IN_REVIEW: "taken into review",
    Claim.State.APPROVED: "accepted",
    Claim.State.REJECTED: "not accepted",
    Claim.State.APPEALED: "appealed",
    Claim.State.DISPUTED: "disputed",
    Claim.State.REVOKED: "revoked",
}


class Cursor(NamedTuple):
    """The entry after which the next page begins. key: "s" and a step's number, or "c" and a change's id."""

    at: datetime
    key: str

    def __str__(self) -> str:
        return f"{int(self.at.timestamp()) * 1_000_000 + self.at.microsecond}.{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        micros, _, key = text.partition(".")
        try:
            seconds, rest = divmod(int(micros), 1_000_000)
            at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
            if key[:1] == "c":
                return cls(at, f"c{UUID(key[1:])}")
            number = int(key[1:])
        except (ValueError, OverflowError, OSError):
            return None
        return cls(at, f"s{number}") if key[:1] == "s" and 0 <= number < 2**63 else None


@dataclass(frozen=True)
class Entry:
    """undoes, undone: the moment of the change that this one undoes, or that undid it."""

    cursor: Cursor
    what: str
    by: str
    undoes: datetime | None = None
    undone: datetime | None = None

    @property
    def at(self) -> datetime:
        return self.cursor.at


@dataclass(frozen=True)
class Log:
    entries: list[Entry]
    next_cursor: Cursor | None


def public_log(author: Author, after: Cursor | None = None, size: int = PAGE) -> Log:
    """Return a page of what happened to a record and those joined with it, newest first."""
    of = Q(author=author) | Q(author__merged_into=author)
    claims = access.claims_on(author).values_list("pk", flat=True)
    numbers = {pk: number for number, pk in enumerate(claims, start=1)}
    steps = ClaimStep.objects.filter(claim__in=list(numbers)).order_by("-at", "-pk")
    changes = Change.objects.filter(of).order_by("-at", "-pk")
    if after:
        steps, changes = _steps_after(steps, after), _changes_after(changes, after)
    found = [_step_entry(row, numbers[row[1]]) for row in steps.values_list(*_STEP)[: size + 1]]
    found += [_change_entry(row) for row in changes.values_list(*_CHANGE)[: size + 1]]
    found.sort(key=lambda entry: _order(entry.cursor), reverse=True)
    page = found[:size]
    return Log(page, page[-1].cursor if len(found) > size else None)


# What is read, and no more: neither names nor reasons leave the database.
_STEP = ("pk", "claim", "from_state", "to_state", "by", "route", "at")
_CHANGE = ("pk", "kind", "by", "at", "undoes__at", "undone_by__at")


def _order(cursor: Cursor) -> tuple[datetime, str, int | str]:
    kind, rest = cursor.key[0], cursor.key[1:]
    return cursor.at, kind, int(rest) if kind == "s" else rest


def _steps_after(steps: QuerySet[ClaimStep], after: Cursor) -> QuerySet[ClaimStep]:
    """Of one moment, steps ("s") come before changes ("c")."""
    if after.key[0] == "c":
        return steps.filter(at__lt=after.at)
    return steps.filter(Q(at__lt=after.at) | Q(at=after.at, pk__lt=int(after.key[1:])))


def _changes_after(changes: QuerySet[Change], after: Cursor) -> QuerySet[Change]:
    if after.key[0] == "s":
        return changes.filter(at__lte=after.at)
    return changes.filter(Q(at__lt=after.at) | Q(at=after.at, pk__lt=UUID(after.key[1:])))


def _step_entry(row: tuple[Any, ...], number: int) -> Entry:
    pk, _, from_state, to_state, by, route, at = row
    what = f"Claim {number} {_words(from_state, to_state)}"
    if by == By.SYSTEM and route:
        what += f" by evidence: {Route(route).label}"
    return Entry(Cursor(at, f"s{pk}"), what, By(by).label)


def _words(from_state: str, to_state: str) -> str:
    if to_state == Claim.State.WITHDRAWN:
        return "given up" if from_state in Claim.HELD else "withdrawn"
    if to_state == Claim.State.APPROVED and from_state == Claim.State.DISPUTED:
        return "upheld"
    if to_state == Claim.State.REJECTED and from_state == Claim.State.APPEALED:
        return "not accepted, for good"
    return _CLAIM_STEPS[to_state]


def _change_entry(row: tuple[Any, ...]) -> Entry:
    pk, kind, by, at, undoes, undone = row
    return Entry(Cursor(at, f"c{pk}"), Change.Kind(kind).label, By(by).label, undoes, undone)
