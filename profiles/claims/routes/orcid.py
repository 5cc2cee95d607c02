"""The ORCID route: who signed in with an iD, and whether that iD is this author's by anybody's word but their own.

A work that people add to their ORCID record themselves proves nothing: anyone can add any. So only these count: an
iD that a publisher or an index gives on a work of the record, and a work of the record that an organisation put
into the ORCID record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from profiles.claims.findings import Check, Finding, Line, Outcome
from profiles.claims.names import Fit, best_fit
from profiles.claims.sources import RECOGNISED, Identifier, read_lines_on
from profiles.claims.sources import Line as SourceLine
from profiles.claims.subject import Subject
from profiles.models import Route
from trust.models import Evidence
from works.ingest.records import AuthorRecord
from works.models import AuthorIdentifier, Authorship
from works.provenance import provider_list

PROVES = "That you are the person whom publishers and indexes know by this ORCID iD."
SOON = (
    "At once, if a source other than your own ORCID record gives your iD on a work of this page, or an organisation "
    "added a work of this page to your ORCID record. Else a moderator reads your case."
)
MOST_LINES = 10  # in the ledger, of each kind


@dataclass(frozen=True)
class Shared:
    """A work of the page that an organisation put into the ORCID record."""

    work_id: int
    title: str
    asserted_by: str
    identifiers: tuple[Identifier, ...]


def look(subject: Subject) -> Finding:
    if not subject.account:
        checks = [Check("signed_in", Outcome.NOT_MET, "You have not signed in with ORCID yet.")]
        return _finding(subject, checks)
    checks = [
        Check(
            "signed_in", Outcome.MET, f"You signed in with ORCID as {subject.orcid or subject.account.uid}."
        ),
    ]
    person = subject.person
    if person is None:
        sentence = (
            "Your ORCID record could not be read. It must be one of orcid.org and show your name to everybody; "
            "then sign in with ORCID again."
        )
        return _finding(subject, [*checks, Check("record", Outcome.UNKNOWN, sentence)])
    names = [person.display_name, *person.names]
    shared, foreign = _shared_works(subject, person, names)
    checks += [
        _name_check(subject, names),
        *_contradictions(subject, foreign),
        _source_check(subject),
        _work_check(shared),
    ]
    by_name = {check.name: check.outcome for check in checks}
    against = Outcome.AGAINST in by_name.values()
    is_named = by_name["orcid_name"] == Outcome.MET
    is_tied = Outcome.MET in (by_name["orcid_from_source"], by_name["asserted_work"])
    decides = is_named and is_tied and not against
    lines: list[Line] = []
    if is_named and not against:
        lines.append(
            Line(Evidence.Kind.ORCID_OAUTH, "ORCID", meets_route=decides, detail={"orcid": subject.orcid})
        )
    if decides:
        lines += _assertion_lines(person, shared)
    return _finding(subject, checks, decides, lines)


def _finding(
    subject: Subject, checks: list[Check], decides: bool = False, lines: Iterable[Line] = ()
) -> Finding:
    query = urlencode(
        {"process": "connect", "next": reverse("profiles:claim_author", args=[subject.author.pid])}
    )
    return Finding(
        route=Route.ORCID,
        proves=PROVES,
        soon=SOON,
        decides=decides,
        checks=tuple(checks),
        lines=tuple(lines),
        start="" if decides else f"{reverse('orcid_login')}?{query}",
        start_label=""
        if decides
        else "Sign in with ORCID again"
        if subject.account
        else "Sign in with ORCID",
    )


def _name_check(subject: Subject, names: list[str]) -> Check:
    shown, here = names[0], subject.author.display_name
    if best_fit(names, subject.author_names) is Fit.NONE:
        sentence = f"The name in your ORCID record, {shown}, does not fit {here}."
        return Check("orcid_name", Outcome.NOT_MET, sentence[:500])
    return Check("orcid_name", Outcome.MET, f"The name in your ORCID record fits {here}."[:500])


def _contradictions(subject: Subject, foreign: SourceLine | None) -> list[Check]:
    """Return what speaks against: the iD is somebody else's here, or this record has another."""
    checks = []
    if other := _other_holder(subject):
        named = f", {other.author.display_name}. Claim that one; if both are you, say so afterwards and we join them"
        sentence = f"Sources give your iD to another record here{'' if other.author.suppressed else named}."
        detail = {"orcid": subject.orcid, "other_author": other.author.pid}
        checks.append(Check("orcid_elsewhere", Outcome.AGAINST, sentence[:500], detail))
    if foreign:
        sentence = f"{_label({foreign.provider})} gives your iD to another author of “{foreign.title[:200]}”."
        checks.append(Check("orcid_of_coauthor", Outcome.AGAINST, sentence))
    others = {orcid: providers for orcid, providers in subject.known.orcids.items() if orcid != subject.orcid}
    if others:
        sentence = f"{_label(set().union(*others.values()))} gives this record another ORCID iD than yours."
        checks.append(Check("other_orcid", Outcome.AGAINST, sentence, {"orcids": sorted(others)[:10]}))
    return checks


def _other_holder(subject: Subject) -> AuthorIdentifier | None:
    """Return who else has the iD here, if a recognised source says so: an import of ORCID data says nothing."""
    held = AuthorIdentifier.objects.filter(scheme=AuthorIdentifier.Scheme.ORCID, value=subject.orcid)
    other = (
        held.exclude(author__in=subject.author_ids).select_related("author").defer("author__search").first()
    )
    if other is None:
        return None
    lines = Authorship.objects.filter(
        author=other.author_id, orcid=subject.orcid, record__provider__in=RECOGNISED
    )
    return other if lines.exists() else None


def _source_check(subject: Subject) -> Check:
    providers = subject.known.orcids.get(subject.orcid)
    if not providers:
        sentence = "No source but your own ORCID record gives your iD on this page."
        return Check("orcid_from_source", Outcome.NOT_MET, sentence)
    return Check(
        "orcid_from_source",
        Outcome.MET,
        f"{_label(providers)} gives your iD for this author.",
        {"providers": sorted(providers)},
    )


def _work_check(shared: list[Shared]) -> Check:
    if not shared:
        sentence = (
            "No organisation added a work of this page to your ORCID record. Works that people add themselves prove "
            "nothing: anyone can add any."
        )
        return Check("asserted_work", Outcome.NOT_MET, sentence)
    first = shared[0]
    more = f", and {len(shared) - 1} more of this page" if len(shared) > 1 else ""
    sentence = f"{first.asserted_by[:100]} added “{first.title[:200]}” to your ORCID record{more}."
    detail = {"works": [[work.asserted_by, *map(":".join, work.identifiers)] for work in shared[:MOST_LINES]]}
    return Check("asserted_work", Outcome.MET, sentence, detail)


def _shared_works(
    subject: Subject, person: AuthorRecord, names: list[str]
) -> tuple[list[Shared], SourceLine | None]:
    """Return the works of the page that organisations put into the ORCID record, and a line that tells against it.

    The organisation says that somebody of this iD is among the authors, not which one: the claimant's names must
    fit the line of this author alone, and nobody may say that the iD is another author's or the line another iD's.
    """
    asserted_by: dict[Identifier, str] = {}
    for assertion in person.assertions:
        if assertion.kind == "work":
            for identifier in assertion.identifiers:
                asserted_by.setdefault(identifier, assertion.asserted_by)
    lines = read_lines_on(subject.author_ids, list(asserted_by))
    foreign = next(
        (line for line in (*lines, *subject.known.lines) if subject.orcid in line.other_orcids), None
    )
    found: dict[int, Shared] = {}
    for line in lines:
        common = tuple(sorted(line.work_identifiers & asserted_by.keys()))
        if not common or line.work_id in found or line.orcid not in {"", subject.orcid}:
            continue
        if best_fit(names, [line.name]) is Fit.NONE or best_fit(names, line.others) is not Fit.NONE:
            continue
        found[line.work_id] = Shared(line.work_id, line.title, asserted_by[common[0]], common)
    return list(found.values()), foreign


def _assertion_lines(person: AuthorRecord, shared: list[Shared]) -> list[Line]:
    """Return what organisations say in the ORCID record, for the ledger: works of the page, funding and reviews."""
    works = [
        Line(Evidence.Kind.WORK_ASSERTED, work.asserted_by[:64], detail={"work": work.work_id})
        for work in shared[:MOST_LINES]
    ]
    for kind in ("funding", "peer_review"):
        said = [
            assertion for assertion in person.assertions if assertion.kind == kind and assertion.asserted_by
        ]
        works += [
            Line(
                Evidence.Kind.FUNDING_ASSERTED,
                one.asserted_by[:64],
                detail={"kind": kind, "title": one.title[:200]},
            )
            for one in said[:MOST_LINES]
        ]
    return works


def _label(providers: set[str]) -> str:
    return provider_list(sorted(providers))
