"""What the page of recommendations shows: rows with their reasons, whose names are today's."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from profiles import access
from profiles.models import Recommendation, User
from works.models import Institution, Topic, Work
from works.queries import add_bylines, works_for_card

PANELS = (
    (Recommendation.Kind.FOLLOW, "Researchers to follow", "Nobody to suggest at present. Follow a researcher or a topic, and people near them appear here."),
    (Recommendation.Kind.COLLABORATE, "Possible collaborators", "Nobody to suggest at present. Works on your page, or researchers that you follow, tell us where to look."),
    (Recommendation.Kind.READ, "Works to read", "Nothing new to suggest at present. Recent works by people near you and on your topics appear here."),
)  # fmt: skip

SHOWN = 8  # of a kind; the rest follow when one is put aside or followed


@dataclass(frozen=True)
class Sentence:
    before: str
    records: list[Any]
    after: str


@dataclass(frozen=True)
class Recommended:
    record: Any
    kind: str  # author or work
    why: list[Sentence]


@dataclass(frozen=True)
class Panel:
    kind: str
    title: str
    empty: str
    items: list[Recommended]


def panels(user: User, most: int = SHOWN) -> list[Panel]:
    """Return the three panels in a fixed number of queries; most: of each kind."""
    rows: dict[str, list[Recommendation]] = defaultdict(list)
    for row in access.recommendations(user):
        if len(rows[row.kind]) < most:
            rows[row.kind].append(row)
    shown = [row for several in rows.values() for row in several]
    works = _works(row.work_id for row in shown if row.work_id)
    named = _named(user, shown)
    found: dict[str, list[Recommended]] = defaultdict(list)
    for row in shown:
        why = _sentences(row, named)
        record = row.author or works.get(row.work_id or 0)
        if why and record:
            found[row.kind].append(Recommended(record, "author" if row.author_id else "work", why))
    return [Panel(kind.value, title, empty, found[kind]) for kind, title, empty in PANELS]


def _works(ids: Iterable[int]) -> dict[int, Work]:
    rows = list(works_for_card(Work.objects.filter(pk__in=list(ids))))
    add_bylines(rows)
    return {work.pk: work for work in rows}


def _named(user: User, rows: list[Recommendation]) -> dict[tuple[str, str], Any]:
    """Return the records that the reasons name; those that have no page any more are left out."""
    pids: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for why in row.reasons:
            pids[why["kind"]].update(why["pids"])
    sets = {
        "author": access.recommended_authors(user, pids["author"]),
        "topic": Topic.objects.filter(pid__in=pids["topic"]),
        "institution": Institution.objects.filter(pid__in=pids["institution"]).defer("search"),
        "work": Work.objects.filter(pid__in=pids["work"]).only("pid", "title"),
    }
    return {(kind, record.pid): record for kind, found in sets.items() if pids[kind] for record in found}


def _sentences(row: Recommendation, named: dict[tuple[str, str], Any]) -> list[Sentence]:
    found = []
    for why in row.reasons:
        records = [named[key] for pid in why["pids"] if (key := (why["kind"], pid)) in named]
        before, _, after = why["text"].partition("{}")
        if records or not why["kind"]:  # whoever it rested on is gone: so is the reason
            found.append(Sentence(before, records, after))
    return found
