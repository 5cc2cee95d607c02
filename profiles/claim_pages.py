"""What the pages of claiming show: routes with what was found, what to do next, and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.forms import Form
from django.utils import timezone

from profiles import access
from profiles.claim_forms import MAX_ASKED, MAX_FILES, AskForm, CaseForm, FilesForm, LinkForm
from profiles.claims import gathering
from profiles.claims.findings import Finding, Outcome
from profiles.claims.redaction import for_claimant
from profiles.claims.states import Event
from profiles.forms import AppealForm
from profiles.models import Claim, ClaimConfirmation, ClaimEvidence, Route, User
from profiles.services import claims
from works.models import Author, Work

SHARED_WORKS = 5
NO_ANSWER_AFTER = timedelta(days=14)


@dataclass(frozen=True)
class CheckLine:
    outcome: str
    label: str
    sentence: str


@dataclass(frozen=True)
class RoutePanel:
    """A route as the pages show it. posts: its start is a form (it leads to another site), not a link."""

    route: str
    label: str
    proves: str
    soon: str
    decides: bool
    checks: list[CheckLine]
    start: str
    start_label: str

    @property
    def posts(self) -> bool:
        return self.route == Route.ORCID


def panels_of(findings: Sequence[Finding]) -> list[RoutePanel]:
    """Return the routes as the claimant may see them; what only moderators learn is left out."""
    return [
        RoutePanel(
            route=finding.route,
            label=Route(finding.route).label,
            proves=finding.proves,
            soon=finding.soon,
            decides=finding.decides,
            checks=_lines([(check.name, str(check.outcome), check.sentence) for check in finding.checks]),
            start="" if finding.route == Route.ORCID and not settings.ORCID_CLIENT_ID else finding.start,
            start_label=finding.start_label,
        )
        for finding in findings
        if finding.route != Route.REVIEW
    ]


def _lines(checks: Sequence[tuple[str, str, str]]) -> list[CheckLine]:
    """Return what checks (name, outcome, sentence) found, as the claimant may read it."""
    read = [for_claimant(*check) for check in checks]
    return [CheckLine(one[0], Outcome(one[0]).label, one[1]) for one in read if one]


def filing_context(user: User, author: Author) -> dict[str, Any]:
    """Return what the page "This is me" shows; nothing is gathered where the member cannot claim it anyway."""
    mine = access.claims(user).filter(state__in=Claim.HELD)
    held = mine.first()
    context: dict[str, Any] = {"author": author, "held": held}
    if held:
        return context
    findings = gathering.gather(user=user, author=author)
    panels = panels_of(findings)
    deciding = claims.deciding(findings) if claims.evidence_may_decide(user, author) else None
    holder = access.claims_on(author).filter(state__in=Claim.HELD).first()
    return context | {
        "panels": panels,
        "deciding": next((panel for panel in panels if deciding and panel.route == deciding.route), None),
        "first_start": next(
            (panel for panel in panels if panel.start and not panel.start.startswith("#")), None
        ),
        "holder": holder,
        "contestable": bool(
            holder and holder.contestable_until and holder.contestable_until > timezone.now()
        ),
    }


@dataclass(frozen=True)
class Asked:
    """What a claimant learns of a question: whether it was confirmed. A denial looks like silence."""

    author: Author
    label: str
    at: datetime


def asked_of(claim: Claim) -> list[Asked]:
    rows = claim.confirmations.select_related("author").defer("author__search").order_by("created_at")
    return [Asked(row.author, _asked_label(row), row.created_at) for row in rows]


def _asked_label(row: ClaimConfirmation) -> str:
    if row.state == ClaimConfirmation.State.CONFIRMED:
        return "Confirmed"
    return "Asked" if row.created_at > timezone.now() - NO_ANSWER_AFTER else "No answer"


def claim_context(user: User, claim: Claim, **forms: Form) -> dict[str, Any]:
    """Return what a claim's own page shows to the claimant; forms: those sent and refused."""
    events = claims.events_for(user, claim)
    panels = _panels(user, claim)
    context: dict[str, Any] = {
        "claim": claim,
        "steps": claim.steps.order_by("pk"),
        "panels": panels,
        "ready": _ready(user, claim, panels),
        "asked": asked_of(claim),
        "files": claim.attachments.defer("content").order_by("created_at"),
        "has_rivals": any(rival.user_id != user.pk for rival in claims.rivals_of(claim)),
        "contestable": bool(claim.contestable_until and claim.contestable_until > timezone.now()),
        "back_link": f"{settings.PUBLIC_URL}{claim.author.get_absolute_url()}#{claim.link_token}",
        "appeal": forms.get("appeal") or (AppealForm() if Event.APPEAL in events else None),
        "takes_more": claims.takes_more(claim),
        "max_asked": MAX_ASKED,
        "max_files": MAX_FILES,
    }
    if claims.takes_more(claim):
        could_be_asked = claims.could_be_asked(user=user, author=claim.author, claim=claim)
        context |= {
            "case_form": CaseForm(initial={"case": claim.case}, auto_id="case_%s"),
            "link_form": LinkForm(initial={"link_url": claim.link_url}),
            "ask_form": AskForm(could_be_asked=could_be_asked) if could_be_asked else None,
            "files_form": FilesForm(),
        }
    return context | forms


def _ready(user: User, claim: Claim, panels: list[RoutePanel]) -> RoutePanel | None:
    """Return the route that accepts an open claim as soon as the claimant says so."""
    may_decide = claim.is_open and claims.evidence_may_decide(user, claim.author)
    return next((panel for panel in panels if panel.decides and may_decide), None)


def _panels(user: User, claim: Claim) -> list[RoutePanel]:
    """Return what is found now while somebody has yet to decide, and what was found last afterwards."""
    newest: dict[str, dict[str, ClaimEvidence]] = {}
    for row in claim.evidence.order_by("pk"):
        newest.setdefault(row.route, {})[row.check_name] = row
    if claims.takes_more(claim):
        found = gathering.gather(user=user, author=claim.author, claim=claim)
        return panels_of([_with_page(finding, newest.get(finding.route, {})) for finding in found])
    return [
        RoutePanel(
            route=route,
            label=label,
            proves="",
            soon="",
            decides=route == claim.decided_by_route,
            checks=_lines([(row.check_name, row.outcome, row.sentence) for row in newest[route].values()]),
            start="",
            start_label="",
        )
        for route, label in Route.choices
        if route in newest and route != Route.REVIEW
    ]


def _with_page(finding: Finding, last: dict[str, ClaimEvidence]) -> Finding:
    """Return the finding with what was seen when pages were fetched last: showing it fetches none."""
    checks = tuple(
        replace(check, outcome=Outcome(last[check.name].outcome), sentence=last[check.name].sentence)
        if check.outcome == Outcome.UNKNOWN and check.name in last
        else check
        for check in finding.checks
    )
    return replace(finding, checks=checks)


def shared_works(one: Author, other: Author) -> QuerySet[Work]:
    """Return the newest works that two authors wrote together."""
    both = Work.objects.filter(authorships__author=one).filter(authorships__author=other).distinct()
    return both.defer("search").order_by("-publication_year", "-pk")[:SHARED_WORKS]
