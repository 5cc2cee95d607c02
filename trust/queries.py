"""Reads of trust: what a page says about how far a record was checked."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from bzpeer.lib.text import slug_of
from trust.algorithms import (
    FORMULA_VERSION,
    LEVEL_WORDS,
    Facts,
    Line,
    Part,
    Rule,
    formula_on,
    score,
    what_would_add,
)
from trust.facts import read_facts
from trust.models import Evidence, TrustScore
from trust.scores import database_now
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

# What would add evidence: said to a reader, and to the person whose record it is.
HOW_TO_ADD = {
    "first_work": (
        "a work that a recognised source lists with a DOI, an arXiv number or another persistent identifier",
        "Add a work that a recognised source lists with a DOI, an arXiv number or another persistent identifier.",
    ),
    "each_work": (
        "further works that a recognised source lists with a persistent identifier",
        "Add works of yours that are missing here and that a recognised source lists with a persistent identifier.",
    ),
    "close_collaborator": (
        "further shared works with the same people, listed by recognised sources",
        "These come by themselves when recognised sources list further works you wrote with the same people.",
    ),
    "ror_affiliation": (
        "an affiliation that a recognised source or the institution states, matched to ROR",
        "Have your institution add your employment to your ORCID record, or publish with your affiliation stated.",
    ),
    "email_confirmed": ("a confirmed e-mail address of the claimant", "Confirm your e-mail address."),
    "orcid_oauth": (
        "signing in with ORCID (an iD that is only typed in adds nothing)",
        "Sign in with ORCID. An iD that is only typed in adds nothing.",
    ),
    "domain_confirmed": (
        "a confirmed address at a domain of a recorded institution",
        "Confirm an address at the domain of an institution on your record.",
    ),
    "claim_accepted": ("an accepted claim by the person behind the record", "Have your claim accepted."),
    "back_link": (
        "a link back from a page that the sources already knew",
        "Put the link of your claim on a page of yours that the sources already knew before you came.",
    ),
    "affiliation_asserted": (
        "the affiliation, asserted by the institution itself",
        "Ask your institution to confirm your affiliation here; somebody who represents it can.",
    ),
    "work_asserted": (
        "works that a publisher or repository added to the ORCID record",
        "Let publishers and repositories update your ORCID record; what they add counts, what you add yourself does not.",
    ),
    "funding_asserted": (
        "funding or peer review that an organisation added to the ORCID record",
        "Let funders and journals add your grants and reviews to your ORCID record.",
    ),
    "identity_medium": (
        "identity proofing by a federation (REFEDS), medium",
        "Log in through a federation that has proofed who you are, at medium assurance.",
    ),
    "identity_high": (
        "identity proofing by a federation (REFEDS), high",
        "Log in through a federation that has proofed who you are, at high assurance.",
    ),
    "coauthor_confirmed": (
        "confirmation by co-authors who are verified themselves",
        "Ask co-authors who are verified here themselves to confirm that it is you.",
    ),
    "vouch": (
        "vouching by researchers whose own record is corroborated",
        "Researchers who know you and whose own record is corroborated can vouch for you.",
    ),
}

LARGE = 3000  # works: the past of larger records is worked out by the command, not while a reader waits


@dataclass(frozen=True)
class Proof:
    """Something that proves a line, and where it is seen."""

    text: str
    address: str


@dataclass(frozen=True)
class LedgerLine:
    """A line of a part as a page shows it."""

    rule: str
    label: str
    points: int
    count: int
    source: str
    date: datetime | None
    expires: datetime | None
    proofs: list[Proof]


@dataclass(frozen=True)
class LedgerPart:
    name: str
    cap: int
    points: int
    lines: list[LedgerLine]


@dataclass(frozen=True)
class Snapshot:
    """The trust of one author. pending: nobody worked it out yet, so it shows what nothing known gives.

    on: the past day it is of. proofs: by rule, where a page shows them.
    """

    author: Author
    value: int
    level: int
    raw_parts: list[Part]
    formula_version: int
    computed_at: datetime | None
    frozen_at: datetime | None
    pending: bool
    on: date | None = None
    proofs: dict[str, list[Proof]] = field(default_factory=dict)

    @property
    def shows_number(self) -> bool:
        """Whether the number may stand anywhere: whoever holds the page may show the level alone."""
        held = getattr(self.author, "researcher", None) if self.author.claimed else None
        return held is None or bool(held.shows_number)

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
            LedgerPart(
                part["name"],
                part["cap"],
                part["points"],
                [_line(line, self.proofs.get(line["rule"], [])) for line in part["lines"]],
            )
            for part in self.raw_parts
        ]

    @property
    def would_add(self) -> list[tuple[Rule, int, str]]:
        """What is not there yet, with the points it can still give at most, in the order of the formula."""
        return [(rule, most, HOW_TO_ADD[rule.key][0]) for rule, most in self._missing]

    @property
    def you_can_add(self) -> list[tuple[Rule, int, str]]:
        """The same, said to the person."""
        return [(rule, most, HOW_TO_ADD[rule.key][1]) for rule, most in self._missing]

    @property
    def _missing(self) -> list[tuple[Rule, int]]:
        return what_would_add(self.raw_parts, self.formula_version)


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


def ledger_of(author: Author) -> Snapshot:
    """Return the trust of an author with where each line can be seen; one query more than trust_snapshot."""
    return replace(trust_snapshot(author), proofs=_proofs(author))


def first_day(author: Author) -> date:
    """Return the first day of which a record can be told."""
    return author.created_at.astimezone(UTC).date()


def snapshot_on(author: Author, day: date) -> Snapshot:
    """Work out the trust of an author as it was recorded at the end of a day (UTC), by the formula of that day.

    Records that their source has changed since count from that change on, and merges are as they are today.
    """
    moment = min(datetime.combine(day + timedelta(days=1), time(), UTC), database_now())
    formula = formula_on(day)
    found = score(read_facts([author.pk], moment)[author.pk], moment, formula)
    return Snapshot(
        author, found.value, found.level, found.parts, formula.version, None, None, pending=False, on=day
    )  # fmt: skip


def trust_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return trust for machines: the number never without its parts and formula, and not where it is hidden."""
    document: dict[str, Any] = {
        "about": SENTENCE,
        "level": snapshot.level,
        "level_name": snapshot.level_name,
        "formula_version": snapshot.formula_version,
        "computed_at": snapshot.computed_at,
        "frozen_at": snapshot.frozen_at,
    }
    if snapshot.pending or not snapshot.shows_number:
        return document
    return document | {"value": snapshot.value, "parts": snapshot.raw_parts}


def _proofs(author: Author) -> dict[str, list[Proof]]:
    """Return what a reader can look at, by rule. Co-authors who confirmed did so in private and are not named."""
    page = author.get_absolute_url()
    works, people = Proof("the works", page), Proof("the collaborators", f"{page}?tab=collaborators")
    found = {
        "first_work": [works],
        "each_work": [works],
        "close_collaborator": [people],
        "ror_affiliation": [Proof("the institutions", f"{page}?tab=institutions")],
    }
    if author.orcid:
        record = Proof("the ORCID record", f"https://orcid.org/{author.orcid}")
        found |= {"orcid_oauth": [record], "work_asserted": [record], "funding_asserted": [record]}
    lines = (
        Evidence.objects.filter(kind__in=["affiliation_asserted", "vouch"], ends=None, ended_by=None)
        .filter(Q(author=author) | Q(author__merged_into=author))
        .select_related("asserted_by_author", "asserted_by_institution")
        .defer("asserted_by_author__search", "asserted_by_institution__search")
        .order_by("-observed_at", "-pk")[:20]
    )
    for line in lines:
        who = line.asserted_by_institution or line.asserted_by_author
        if who and not getattr(who, "suppressed", False):
            found.setdefault(line.kind, []).append(Proof(who.display_name, who.get_absolute_url()))
    return found


def _line(line: Line, proofs: list[Proof]) -> LedgerLine:
    return LedgerLine(
        rule=line["rule"],
        label=line["label"],
        points=line["points"],
        count=line["count"],
        source=line["source"],
        date=_moment(line["date"]),
        expires=_moment(line["expires"]),
        proofs=proofs,
    )


def _moment(text: str | None) -> Any:
    return parse_datetime(text) if text else None
