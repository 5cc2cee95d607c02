"""Formula v1: how much of a record has been checked. Pure: facts and a moment in, a score out.

Never how good a person is. Followers, views, activity and anything self-asserted are no input here, so they
cannot count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

FORMULA_VERSION = 1
HALVED_AFTER = timedelta(days=365)  # a confirmed address at an institution's domain
MOST = 100
LEVEL_WORDS = (
    "Unverified",
    "Unverified",
    "Claimed",
    "Identity-linked",
    "Corroborated",
    "Institution-asserted",
)

RECORD, CONTROL, ASSERTION, CORROBORATION = "Record", "Control", "Independent assertion", "Corroboration"
CAPS = {RECORD: 20, CONTROL: 35, ASSERTION: 30, CORROBORATION: 15}


@dataclass(frozen=True)
class Rule:
    """What one kind of evidence gives: points each, at most so many from this rule."""

    key: str
    part: str
    label: str
    each: int
    most: int
    per_asserter: bool = False  # the same person or organisation counts once


FIRST_WORK = Rule("first_work", RECORD, "A work with a persistent identifier from a recognised source", 5, 5)
EACH_WORK = Rule("each_work", RECORD, "Works with a persistent identifier", 2, 10)
COLLABORATORS = Rule("close_collaborator", RECORD, "Close collaborators", 1, 4)
ROR_AFFILIATION = Rule("ror_affiliation", RECORD, "Affiliation matched to ROR", 1, 1)

# Kinds are those of the ledger (trust.models.Evidence.Kind).
LEDGER_RULES: dict[str, Rule] = {
    rule.key: rule
    for rule in (
        Rule("email_confirmed", CONTROL, "Confirmed e-mail address", 3, 3),
        Rule("orcid_oauth", CONTROL, "Signed in with ORCID", 12, 12),
        Rule("domain_confirmed", CONTROL, "Confirmed address at a recorded institution", 10, 10),
        Rule("claim_accepted", CONTROL, "Accepted claim", 7, 7),
        Rule("back_link", CONTROL, "Link back from a page of theirs", 3, 3),
        Rule("affiliation_asserted", ASSERTION, "Affiliation asserted by the institution", 12, 12),
        Rule("work_asserted", ASSERTION, "Works asserted by a publisher or repository", 2, 8),
        Rule("funding_asserted", ASSERTION, "Funding or peer review asserted by an organisation", 2, 6),
        Rule("identity_medium", ASSERTION, "Federated identity proofing, medium", 2, 2),
        Rule("identity_high", ASSERTION, "Federated identity proofing, high", 4, 4),
        Rule("coauthor_confirmed", CORROBORATION, "Confirmed by a co-author", 3, 9, per_asserter=True),
        Rule("vouch", CORROBORATION, "Vouched for by a researcher", 3, 6, per_asserter=True),
    )
}
RULES: tuple[Rule, ...] = (FIRST_WORK, EACH_WORK, COLLABORATORS, ROR_AFFILIATION, *LEDGER_RULES.values())


@dataclass(frozen=True)
class LedgerFact:
    """A line of the ledger that nobody has ended."""

    kind: str
    source: str
    observed_at: datetime
    expires_at: datetime | None = None
    asserted_by: str = ""  # who asserts it, as "author:12" or "institution:3"; empty: the source does
    meets_route: bool = False


@dataclass(frozen=True)
class Facts:
    """All that the formula knows of a record."""

    works_with_id: int = 0
    works_source: str = ""
    works_seen_at: datetime | None = None
    close_collaborators: int = 0
    ror_affiliation: str = ""
    ror_seen_at: datetime | None = None
    ledger: Sequence[LedgerFact] = field(default_factory=tuple)


class Line(TypedDict):
    """Where points came from. Dates are ISO 8601; count is of works, people or rows."""

    rule: str
    label: str
    points: int
    count: int
    source: str
    date: str | None
    expires: str | None


class Part(TypedDict):
    name: str
    cap: int
    points: int
    lines: list[Line]


@dataclass(frozen=True)
class Score:
    value: int
    level: int
    parts: list[Part]
    next_change_at: datetime | None = None

    @property
    def word(self) -> str:
        return LEVEL_WORDS[self.level]


def score(facts: Facts, at: datetime) -> Score:
    """Return the score of a record at a moment; the order of the ledger does not matter."""
    ledger = sorted(
        (row for row in facts.ledger if not row.expires_at or row.expires_at > at),
        key=lambda row: (
            row.observed_at,
            row.kind,
            row.source,
            row.asserted_by,
            row.expires_at or datetime.max.replace(tzinfo=at.tzinfo),
            row.meets_route,
        ),
    )
    lines = _record_lines(facts)
    for rule in LEDGER_RULES.values():
        rows = [row for row in ledger if row.kind == rule.key]
        if line := _ledger_line(rule, rows, at):
            lines.append(line)
    lines = _best_identity_proof(lines)
    parts = [_part(name, cap, lines) for name, cap in CAPS.items()]
    return Score(
        value=sum(part["points"] for part in parts),
        level=_level(facts, ledger),
        parts=parts,
        next_change_at=_next_change(ledger, at),
    )


def what_would_add(parts: Iterable[Part]) -> list[tuple[Rule, int]]:
    """Return the rules that could still give points, with how many at most."""
    given = {line["rule"]: line["points"] for part in parts for line in part["lines"]}
    return [
        (rule, rule.most - given.get(rule.key, 0)) for rule in RULES if given.get(rule.key, 0) < rule.most
    ]


def _record_lines(facts: Facts) -> list[Line]:
    seen = facts.works_seen_at
    counted = [
        (FIRST_WORK, min(facts.works_with_id, 1), facts.works_source, seen),
        (EACH_WORK, facts.works_with_id, facts.works_source, seen),
        (COLLABORATORS, facts.close_collaborators, "counted from shared works", seen),
        (ROR_AFFILIATION, int(bool(facts.ror_affiliation)), facts.ror_affiliation, facts.ror_seen_at),
    ]
    return [_line(rule, count, source, date) for rule, count, source, date in counted if count > 0]


def _line(
    rule: Rule, count: int, source: str, date: datetime | None, expires: datetime | None = None,
    points: int | None = None,
) -> Line:  # fmt: skip
    return Line(
        rule=rule.key,
        label=rule.label,
        points=min(rule.each * count, rule.most) if points is None else points,
        count=count,
        source=source,
        date=date.isoformat() if date else None,
        expires=expires.isoformat() if expires else None,
    )


def _ledger_line(rule: Rule, rows: list[LedgerFact], at: datetime) -> Line | None:
    """Return the line of a rule's rows, oldest first; the newest row gives its date and expiry."""
    if not rows:
        return None
    newest = rows[-1]
    sources = ", ".join(sorted({row.source for row in rows}))
    if rule.key == "domain_confirmed":
        points = rule.each if newest.observed_at + HALVED_AFTER > at else rule.each // 2
        return _line(rule, 1, newest.source, newest.observed_at, newest.expires_at, points)
    count = len({row.asserted_by or row.source for row in rows}) if rule.per_asserter else len(rows)
    if rule.most == rule.each:
        count = 1
    return _line(rule, count, sources, newest.observed_at, newest.expires_at)


def _best_identity_proof(lines: list[Line]) -> list[Line]:
    """Identity proofing counts once, at its highest grade."""
    if any(line["rule"] == "identity_high" for line in lines):
        return [line for line in lines if line["rule"] != "identity_medium"]
    return lines


def _part(name: str, cap: int, lines: list[Line]) -> Part:
    part_of = {rule.key: rule.part for rule in RULES}
    own = [line for line in lines if part_of[line["rule"]] == name]
    return Part(name=name, cap=cap, points=min(cap, sum(line["points"] for line in own)), lines=own)


def _level(facts: Facts, ledger: list[LedgerFact]) -> int:
    """Return the level, from the kinds of evidence alone; vouches are not looked at.

    L5 asks for all that L4 asks for and an assertion by the institution that runs out.
    """
    kinds = {row.kind for row in ledger}
    if not {"email_confirmed", "claim_accepted"} <= kinds:
        return 1 if facts.works_with_id else 0
    met = {row.kind for row in ledger if row.meets_route}
    confirming = {row.asserted_by for row in ledger if row.kind == "coauthor_confirmed" and row.asserted_by}
    by_person = met & {"orcid_oauth", "domain_confirmed", "back_link"}
    by_others = {"coauthors"} if len(confirming) >= 2 else set()
    if "affiliation_asserted" in kinds:
        by_others.add("institution")
    marker = "orcid_oauth" in kinds and kinds & {"work_asserted", "funding_asserted"}
    if len(by_person) + len(by_others) >= 2 and (by_others or marker):
        dated = any(row.kind == "affiliation_asserted" and row.expires_at for row in ledger)
        return 5 if dated else 4
    return 3 if met & {"orcid_oauth", "domain_confirmed"} else 2


def _next_change(ledger: list[LedgerFact], at: datetime) -> datetime | None:
    """Return when time alone next changes the score."""
    moments = [row.expires_at for row in ledger if row.expires_at]
    moments += [row.observed_at + HALVED_AFTER for row in ledger if row.kind == "domain_confirmed"]
    return min((moment for moment in moments if moment > at), default=None)
