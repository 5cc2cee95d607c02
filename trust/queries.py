"""Reads of trust: what a page says about how far a record was checked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from bzpeer.lib.text import slug_of
from trust.algorithms import FORMULA_VERSION, LEVEL_WORDS, Facts, Line, Part, Rule, score, what_would_add
from trust.models import TrustScore
from works.models import Author

SENTENCE = "How much of this record has been checked. It does not rate the person or the research."

LEVELS = (
    ("Listed", "a name that stands on a record, no more"),
    (
        "Source-attributed",
        "a work that a recognised source lists with a persistent identifier; nobody has claimed the record",
    ),
    ("Claimed", "a confirmed e-mail address and an accepted claim"),
    (
        "Identity-linked",
        "the claim rests on ORCID or on an address at a recorded institution, checked in full",
    ),
    (
        "Corroborated",
        "two independent routes agree, and people or organisations other than the claimant confirm it",
    ),
    ("Institution-asserted", "an institution asserts the affiliation, dated, for a limited time"),
)

# What would add evidence, said to a reader and not to the person.
HOW_TO_ADD = {
    "first_work": "a work that a recognised source lists with a DOI, an arXiv number or another persistent identifier",
    "each_work": "further works that a recognised source lists with a persistent identifier",
    "close_collaborator": "further shared works with the same people, listed by recognised sources",
    "ror_affiliation": "an affiliation that a recognised source or the institution states, matched to ROR",
    "email_confirmed": "a confirmed e-mail address of the claimant",
    "orcid_oauth": "signing in with ORCID (an iD that is only typed in adds nothing)",
    "domain_confirmed": "a confirmed address at a domain of a recorded institution",
    "claim_accepted": "an accepted claim by the person behind the record",
    "back_link": "a link back from a page that the sources already knew",
    "affiliation_asserted": "the affiliation, asserted by the institution itself",
    "work_asserted": "works that a publisher or repository added to the ORCID record",
    "funding_asserted": "funding or peer review that an organisation added to the ORCID record",
    "identity_medium": "identity proofing by a federation (REFEDS), medium",
    "identity_high": "identity proofing by a federation (REFEDS), high",
    "coauthor_confirmed": "confirmation by co-authors who are verified themselves",
    "vouch": "vouching by researchers whose own record is corroborated",
}


@dataclass(frozen=True)
class LedgerLine:
    """A line of a part as a page shows it."""

    label: str
    points: int
    count: int
    source: str
    date: datetime | None
    expires: datetime | None


@dataclass(frozen=True)
class LedgerPart:
    name: str
    cap: int
    points: int
    lines: list[LedgerLine]


@dataclass(frozen=True)
class Snapshot:
    """The trust of one author. pending: nobody worked it out yet, so it shows what nothing known gives."""

    author: Author
    value: int
    level: int
    raw_parts: list[Part]
    formula_version: int
    computed_at: datetime | None
    frozen_at: datetime | None
    pending: bool

    @property
    def word(self) -> str:
        return LEVEL_WORDS[self.level]

    @property
    def sentence(self) -> str:
        return SENTENCE

    @property
    def level_name(self) -> str:
        return LEVELS[self.level][0]

    @property
    def steps(self) -> list[tuple[str, bool]]:
        """The six steps of the ladder: name, and whether it is reached."""
        return [(name, step <= self.level) for step, (name, _) in enumerate(LEVELS)]

    @property
    def address(self) -> str:
        return reverse("trust:author_trust", args=[self.author.pid, slug_of(self.author.display_name)])

    @property
    def parts(self) -> list[LedgerPart]:
        return [
            LedgerPart(part["name"], part["cap"], part["points"], [_line(line) for line in part["lines"]])
            for part in self.raw_parts
        ]

    @property
    def would_add(self) -> list[tuple[Rule, int, str]]:
        """What is not there yet, with the points it can still give at most, in the order of the formula."""
        found = what_would_add(self.raw_parts)
        high = {line["rule"] for part in self.raw_parts for line in part["lines"]}
        return [
            (rule, most, HOW_TO_ADD[rule.key])
            for rule, most in found
            if not (rule.key == "identity_medium" and "identity_high" in high)
        ]


def trust_snapshot(author: Author) -> Snapshot:
    """Return what is known of the trust of an author; one query, none when `trust` was selected with it."""
    try:
        found: TrustScore = author.trust
    except TrustScore.DoesNotExist:
        nothing = score(Facts(), author.created_at)
        return Snapshot(
            author, nothing.value, nothing.level, nothing.parts, FORMULA_VERSION, None, None, pending=True
        )
    return Snapshot(
        author, found.value, found.level, found.parts, found.formula_version, found.computed_at, found.frozen_at,
        pending=False,
    )  # fmt: skip


def _line(line: Line) -> LedgerLine:
    return LedgerLine(
        label=line["label"],
        points=line["points"],
        count=line["count"],
        source=line["source"],
        date=_moment(line["date"]),
        expires=_moment(line["expires"]),
    )


def _moment(text: str | None) -> Any:
    return parse_datetime(text) if text else None
