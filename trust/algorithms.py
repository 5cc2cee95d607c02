"""How much of a record has been checked. Pure: facts and a moment in, a score out.

Never how good a person is. Followers, views, activity and anything self-asserted are no input here, so they
cannot count.

A formula is never edited once scores were made by it. A change is a new one in FORMULAS: `manage.py trust recompute
--dry-run --version N` lists whose level it would change; then FORMULA_VERSION names it, and `manage.py trust
recompute` works every record out anew. Earlier versions stay, so that every number can be explained by its own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypedDict

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


@dataclass(frozen=True)
class Rule:
    """What one kind of evidence gives: points each, at most so many from this rule.

    The key of a rule about the ledger is the kind of its lines (trust.models.Evidence.Kind).
    """

    key: str
    part: str
    label: str
    each: int
    most: int
    per_asserter: bool = False  # the same person or organisation counts once
    from_works: bool = False  # read from works, not from the ledger
    halved_after: timedelta | None = None  # the newest line counts, and half after this long
    yields_to: str = ""  # gives nothing where the ledger has lines of this kind


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


# --- Levels -----------------------------------------------------------------------------------------


def _level_v1(facts: Facts, ledger: list[LedgerFact]) -> int:
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


# How levels follow from kinds of evidence; trust/bulk.py says each in SQL under the same name.
LEVELS: dict[str, Callable[[Facts, list[LedgerFact]], int]] = {"v1": _level_v1}


# --- Formulas ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Formula:
    """One version: what each kind of evidence gives, in the order of pages, and how levels follow."""

    version: int
    since: date  # in force from this day on
    caps: dict[str, int]
    rules: tuple[Rule, ...]
    levels: str

    def rule(self, key: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.key == key), None)


V1 = Formula(
    version=1,
    since=date(2026, 11, 22),
    caps={RECORD: 20, CONTROL: 35, ASSERTION: 30, CORROBORATION: 15},
    rules=(
        Rule(
            "first_work", RECORD, "A work with a persistent identifier from a recognised source", 5, 5, from_works=True
        ),
        Rule("each_work", RECORD, "Works with a persistent identifier", 2, 10, from_works=True),
        Rule("close_collaborator", RECORD, "Close collaborators", 1, 4, from_works=True),
        Rule("ror_affiliation", RECORD, "Affiliation matched to ROR", 1, 1, from_works=True),
        Rule("email_confirmed", CONTROL, "Confirmed e-mail address", 3, 3),
        Rule("orcid_oauth", CONTROL, "Signed in with ORCID", 12, 12),
        Rule(
            "domain_confirmed", CONTROL, "Confirmed address at a recorded institution", 10, 10,
            halved_after=timedelta(days=365),
        ),
        Rule("claim_accepted", CONTROL, "Accepted claim", 7, 7),
        Rule("back_link", CONTROL, "Link back from a page of theirs", 3, 3),
        Rule("affiliation_asserted", ASSERTION, "Affiliation asserted by the institution", 12, 12),
        Rule("work_asserted", ASSERTION, "Works asserted by a publisher or repository", 2, 8),
        Rule("funding_asserted", ASSERTION, "Funding or peer review asserted by an organisation", 2, 6),
        Rule("identity_medium", ASSERTION, "Federated identity proofing, medium", 2, 2, yields_to="identity_high"),
        Rule("identity_high", ASSERTION, "Federated identity proofing, high", 4, 4),
        Rule("coauthor_confirmed", CORROBORATION, "Confirmed by a co-author", 3, 9, per_asserter=True),
        Rule("vouch", CORROBORATION, "Vouched for by a researcher", 3, 6, per_asserter=True),
    ),
    levels="v1",
)  # fmt: skip

FORMULAS: dict[int, Formula] = {1: V1}
FORMULA_VERSION = 1  # the one in force

RULES: tuple[Rule, ...] = FORMULAS[FORMULA_VERSION].rules
CAPS = FORMULAS[FORMULA_VERSION].caps
LEDGER_RULES: dict[str, Rule] = {rule.key: rule for rule in RULES if not rule.from_works}


def formula_of(version: int | None = None) -> Formula:
    """Return a version of the formula; the one in force for none, and for one that this code does not know."""
    return FORMULAS.get(FORMULA_VERSION if version is None else version, FORMULAS[FORMULA_VERSION])


def formula_on(day: date) -> Formula:
    """Return the formula that was in force on a day, and the first one for days before it."""
    past = [
        formula
        for formula in FORMULAS.values()
        if formula.version <= FORMULA_VERSION and formula.since <= day
    ]
    return max(past, key=lambda formula: formula.version, default=FORMULAS[min(FORMULAS)])


# --- Scores -----------------------------------------------------------------------------------------


def score(facts: Facts, at: datetime, formula: Formula | None = None) -> Score:
    """Return the score of a record at a moment; the order of the ledger does not matter."""
    formula = formula or formula_of()
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
    found = {
        rule.key: line
        for rule in formula.rules
        if (line := _work_line(rule, facts) if rule.from_works else _ledger_line(rule, ledger, at))
    }
    parts = [
        _part(
            name,
            cap,
            [
                found[rule.key]
                for rule in formula.rules
                if rule.part == name and rule.key in found and rule.yields_to not in found
            ],
        )
        for name, cap in formula.caps.items()
    ]
    return Score(
        value=sum(part["points"] for part in parts),
        level=LEVELS[formula.levels](facts, ledger),
        parts=parts,
        next_change_at=_next_change(formula, ledger, at),
    )


def what_would_add(parts: Iterable[Part], version: int | None = None) -> list[tuple[Rule, int]]:
    """Return the rules that could still give points, with how many at most."""
    given = {line["rule"]: line["points"] for part in parts for line in part["lines"]}
    rules = formula_of(version).rules
    counted = {
        rule.key: given.get(rule.key, 0) + sum(given.get(o.key, 0) for o in rules if o.yields_to == rule.key)
        for rule in rules
    }
    return [
        (rule, rule.most - counted[rule.key])
        for rule in rules
        if counted[rule.key] < rule.most and rule.yields_to not in given
    ]


def _work_line(rule: Rule, facts: Facts) -> Line | None:
    seen = facts.works_seen_at
    count, source, date = {
        "first_work": (min(facts.works_with_id, 1), facts.works_source, seen),
        "each_work": (facts.works_with_id, facts.works_source, seen),
        "close_collaborator": (facts.close_collaborators, COUNTED, seen),
        "ror_affiliation": (int(bool(facts.ror_affiliation)), facts.ror_affiliation, facts.ror_seen_at),
    }[rule.key]
    return _line(rule, count, source, date) if count > 0 else None


COUNTED = "counted from shared works"


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


def _ledger_line(rule: Rule, ledger: list[LedgerFact], at: datetime) -> Line | None:
    """Return the line of a rule's rows, oldest first; the newest row gives its date and expiry."""
    rows = [row for row in ledger if row.kind == rule.key]
    if not rows:
        return None
    newest = rows[-1]
    if rule.halved_after:
        points = rule.each if newest.observed_at + rule.halved_after > at else rule.each // 2
        return _line(rule, 1, newest.source, newest.observed_at, newest.expires_at, points)
    sources = ", ".join(sorted({row.source for row in rows}))
    count = len({row.asserted_by or row.source for row in rows}) if rule.per_asserter else len(rows)
    if rule.most == rule.each:
        count = 1
    return _line(rule, count, sources, newest.observed_at, newest.expires_at)


def _part(name: str, cap: int, lines: list[Line]) -> Part:
    return Part(name=name, cap=cap, points=min(cap, sum(line["points"] for line in lines)), lines=lines)


def _next_change(formula: Formula, ledger: list[LedgerFact], at: datetime) -> datetime | None:
    """Return when time alone next changes the score."""
    halved = {rule.key: rule.halved_after for rule in formula.rules if rule.halved_after}
    moments = [row.expires_at for row in ledger if row.expires_at]
    moments += [row.observed_at + halved[row.kind] for row in ledger if row.kind in halved]
    return min((moment for moment in moments if moment > at), default=None)
