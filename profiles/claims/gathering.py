"""Every route's finding on one claim, side by side, and what keeps the evidence from deciding by itself."""

from dataclasses import replace

from django.db.models import Q

from profiles.claims.findings import Check, Finding, Outcome
from profiles.claims.names import is_confusing
from profiles.claims.routes import back_link, coauthors, domain, orcid, review
from profiles.claims.routes.back_link import Page, read_page
from profiles.claims.subject import Subject, load_subject
from profiles.models import Claim, ClaimEvidence, User
from works.models import Author

ENOUGH = "enough"  # the check that says whether a route decides by itself, whoever else claims the page


def gather(
    *,
    user: User,
    author: Author,
    claim: Claim | None = None,
    fetch: bool = False,
    for_update: bool = False,
    page: Page | None = None,
) -> list[Finding]:
    """Return what each route found, in DESIGN's order.

    fetch: ask the page that the claim names, before this locks anything. page: what read_page brought just now, for
    who must not ask the network within a transaction. for_update: keep the addresses and accounts that it rests on as
    they are until the transaction ends; call it in one.
    """
    if fetch and claim:
        page = read_page(claim)
    subject = load_subject(user=user, author=author, claim=claim, for_update=for_update)
    findings = [
        orcid.look(subject),
        domain.look(subject),
        back_link.look(subject, page),
        coauthors.look(subject),
        review.look(subject),
    ]
    return _weighed(subject, findings)


def deciding(findings: list[Finding]) -> Finding | None:
    """Return the first finding on which a claim is accepted at once."""
    return next((finding for finding in findings if finding.decides), None)


def save(claim: Claim, findings: list[Finding]) -> None:
    """Write down what was found. What a check said last is not written again; one that is asked no more says so."""
    newest = ClaimEvidence.objects.filter(claim=claim).order_by("route", "check_name", "-pk")
    last = {(row.route, row.check_name): row for row in newest.distinct("route", "check_name")}
    said = {(finding.route.value, check.name): check for finding in findings for check in finding.checks}
    looked_at = {finding.route.value for finding in findings}
    for route, name in last:
        if route in looked_at:
            said.setdefault((route, name), Check(name, Outcome.NOT_MET, "This no longer applies."))
    rows = [
        ClaimEvidence(
            claim=claim,
            route=route,
            check_name=name,
            outcome=check.outcome,
            sentence=check.sentence[:500],
            detail=check.detail,
        )
        for (route, name), check in said.items()
    ]
    ClaimEvidence.objects.bulk_create(
        row for row in rows if _content(last.get((row.route, row.check_name))) != _content(row)
    )


def _content(row: ClaimEvidence | None) -> tuple[object, ...]:
    return (row.outcome, row.sentence, row.detail) if row else ()


# --- What keeps it from deciding --------------------------------------------------------------------------


def _weighed(subject: Subject, findings: list[Finding]) -> list[Finding]:
    """Return the findings with what holds for all of them: what speaks against the claim, and who else claims."""
    if doubt := _doubt(subject, findings):
        findings = [_held_back(finding, doubt, keeps_lines=False) for finding in findings]
    findings = [_with_enough(finding) if finding.decides else finding for finding in findings]
    if any(finding.decides for finding in findings) and (rival := _rival(subject)):
        findings = [_held_back(finding, rival, keeps_lines=True) for finding in findings]
    return findings


def _held_back(finding: Finding, why: Check, *, keeps_lines: bool) -> Finding:
    """Return a finding that would decide as one that does not. keeps_lines: its facts meet the route all the same."""
    if not finding.decides:
        return finding
    lines = (
        finding.lines if keeps_lines else tuple(replace(line, meets_route=False) for line in finding.lines)
    )
    return replace(finding, decides=False, checks=(*finding.checks, why), lines=lines)


def _with_enough(finding: Finding) -> Finding:
    return replace(
        finding,
        checks=(
            *finding.checks,
            Check(ENOUGH, Outcome.MET, "By itself this is enough to accept the claim at once."),
        ),
    )


def _doubt(subject: Subject, findings: list[Finding]) -> Check | None:
    """Return what a moderator must look at first, however strong a route is."""
    if is_confusing(subject.user.display_name):
        sentence = "The name of your account mixes letters that look alike, so a moderator looks at it first."
        return Check("look_alike_name", Outcome.AGAINST, sentence)
    against = [check for finding in findings for check in finding.checks if check.outcome == Outcome.AGAINST]
    if against:
        sentence = "Something speaks against the claim, so a moderator decides: " + against[0].sentence
        return Check(
            "contradiction", Outcome.AGAINST, sentence[:500], {"checks": [check.name for check in against]}
        )
    return None


def _rival(subject: Subject) -> Check | None:
    """Return who else has this page, or evidence for it as strong; a claim without evidence hinders nobody."""
    others = Claim.objects.filter(author__in=subject.author_ids)
    if subject.claim:
        others = others.exclude(pk=subject.claim.pk)
    if others.filter(state__in=Claim.HELD).exclude(user=subject.user).exists():
        sentence = "Somebody else holds this page by an accepted claim, so a moderator hears both sides."
        return Check("rival", Outcome.PARTLY, sentence)
    rivals = others.filter(Q(user__isnull=False), state__in=Claim.OPEN).exclude(user=subject.user)
    newest = (
        ClaimEvidence.objects.filter(claim__in=rivals, check_name=ENOUGH)
        .order_by("claim", "route", "-pk")
        .distinct("claim", "route")
        .values_list("outcome", flat=True)
    )
    if Outcome.MET in newest:
        sentence = "Somebody else claims this page with evidence as strong, so a moderator hears both sides."
        return Check("rival", Outcome.PARTLY, sentence)
    return None
