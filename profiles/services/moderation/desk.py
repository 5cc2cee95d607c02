"""The claim desk: what one claim and its rivals show, side by side, and what a moderator may decide now."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from profiles.claims.states import Actor
from profiles.exceptions import ModerationError
from profiles.models import Claim, ClaimEvidence, ClaimStep, Proposal, Route, User
from profiles.services import claims
from profiles.services.claims.steps import role_of
from profiles.services.moderation import revocation
from profiles.services.moderation.signals import signal_words

State = Claim.State
WORKS_SHOWN = 20
# As moderators read them; the claimant's wording says "you".
ROUTES = {**dict(Route.choices), Route.BACK_LINK: "Link back from their page", Route.REVIEW: "Written case"}


# --- Evidence side by side ------------------------------------------------------------------------------


class Cell(NamedTuple):
    """What one check found for one claim; earlier: how often it was looked at before."""

    newest: ClaimEvidence
    detail: list[tuple[str, str]]
    earlier: int


@dataclass(frozen=True)
class CheckRow:
    label: str
    cells: list[Cell | None]


@dataclass(frozen=True)
class RouteRows:
    label: str
    rows: list[CheckRow]


@dataclass(frozen=True)
class Side:
    claim: Claim
    is_this: bool
    signals: list[str]


def sides_of(claim: Claim) -> list[Side]:
    """Return the claim, then every open or held claim of others on the same page."""
    return [
        Side(row, row.pk == claim.pk, signal_words(row.signals)) for row in [claim, *claims.rivals_of(claim)]
    ]


def compare(sides: Sequence[Side]) -> list[RouteRows]:
    """Return per route and check what was found last for each side; a side without the check has None."""
    places = {side.claim.pk: place for place, side in enumerate(sides)}
    found: dict[tuple[str, str], list[list[ClaimEvidence]]] = {}
    for row in ClaimEvidence.objects.filter(claim__in=list(places)).order_by("pk"):
        cells = found.setdefault((row.route, row.check_name), [[] for _ in sides])
        cells[places[row.claim_id]].append(row)
    return [
        RouteRows(str(label), rows)
        for route, label in ROUTES.items()
        if (rows := [_row(name, cells) for (of, name), cells in found.items() if of == route])
    ]


def _row(name: str, cells: list[list[ClaimEvidence]]) -> CheckRow:
    return CheckRow(
        _label(name),
        [
            Cell(lines[-1], list(_pairs(lines[-1].detail)), len(lines) - 1) if lines else None
            for lines in cells
        ],
    )


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Orcid", "ORCID")


def _pairs(detail: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(detail, dict):
        detail = {"detail": detail} if detail else {}
    for key, value in detail.items():
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
            text = ", ".join(map(str, value))
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if text:
            yield _label(str(key)), text[:2000]


# --- What the desk shows --------------------------------------------------------------------------------


def record_of(claim: Claim) -> dict[str, Any]:
    """Return what the public record says, to hold the case against."""
    author = claim.author
    works = author.authorships.select_related("work").defer("work__search")
    return {
        "authorships": works.order_by("-work__publication_year", "-work")[:WORKS_SHOWN],
        "identifiers": author.identifiers.order_by("scheme", "value"),
        "affiliations": author.affiliations.select_related("institution").order_by("-last_year")[:10],
    }


def steps_of(claim: Claim) -> list[ClaimStep]:
    return list(claim.steps.select_related("actor"))


# --- Decisions ------------------------------------------------------------------------------------------


class Decision(NamedTuple):
    """A button of the desk."""

    name: str
    label: str
    needs_reason: bool
    done: str
    run: Callable[[Claim, User, str], object]


def _on_proposal(decide: Callable[..., object]) -> Callable[[Claim, User, str], object]:
    def run(claim: Claim, actor: User, reason: str) -> object:
        proposal = revocation.open_proposal(claim)
        if proposal is None:
            raise ModerationError("No revocation is proposed any more. Reload and look again.")
        return decide(proposal=proposal, actor=actor, reason=reason)

    return run


_ALL = (
    Decision("review", "Take into review", False, "Taken into review.", lambda claim, actor, reason: (
        claims.review_claim(claim=claim, actor=actor, reason=reason))),
    Decision("accept", "Accept", True, "Accepted.", lambda claim, actor, reason: (
        claims.approve_claim(claim=claim, actor=actor, reason=reason))),
    Decision("reject", "Reject", True, "Rejected.", lambda claim, actor, reason: (
        claims.reject_claim(claim=claim, actor=actor, reason=reason))),
    Decision("dispute", "Open a dispute", True, "The page is disputed now.", lambda claim, actor, reason: (
        claims.dispute_claim(claim=claim, actor=actor, reason=reason))),
    Decision("uphold", "Uphold", True, "Upheld: the dispute is over.", lambda claim, actor, reason: (
        revocation.uphold(claim=claim, actor=actor, reason=reason))),
    Decision("propose", "Propose to revoke", True, "Proposed: another moderator confirms or declines.",
             lambda claim, actor, reason: (
        revocation.propose_revocation(claim=claim, actor=actor, reason=reason))),
    Decision("confirm", "Confirm: revoke", False, "Revoked.", _on_proposal(revocation.confirm_revocation)),
    Decision("decline", "Decline to revoke", True, "Declined: the dispute goes on.",
             _on_proposal(revocation.decline_revocation)),
    Decision("take_back", "Take the proposal back", False, "Taken back: the dispute goes on.",
             _on_proposal(revocation.decline_revocation)),
)  # fmt: skip
DECISIONS = {decision.name: decision for decision in _ALL}

_BY_STATE: dict[str, list[str]] = {
    State.SUBMITTED: ["accept", "reject", "review"],
    State.IN_REVIEW: ["accept", "reject"],
    State.APPEALED: ["accept", "reject"],
    State.APPROVED: ["dispute"],
    State.DISPUTED: ["uphold", "propose"],
}


def open_decisions(claim: Claim, actor: User, proposal: Proposal | None) -> list[Decision]:
    """Return the buttons for this moderator, now; services refuse the rest whatever is sent."""
    names = _BY_STATE.get(claim.state, [])
    if why_not(claim, actor):
        names = []
    elif proposal:
        mine = proposal.proposer_id == actor.pk
        # The holder may have given the page up meanwhile: then the proposal can only be closed.
        still = claim.state == State.DISPUTED
        closing = ["take_back"] if mine else ["decline"]
        names = [*(["confirm"] if still and not mine else []), *closing, *(["uphold"] if still else [])]
    return [DECISIONS[name] for name in names]


def why_not(claim: Claim, actor: User) -> str:
    """Return why this moderator does not decide this claim; empty when they may."""
    role = role_of(actor, claim)
    if role == Actor.CLAIMANT:
        return "This claim is yours: another moderator decides it."
    if role == Actor.RIVAL:
        return "You have a claim on this page yourself: another moderator decides."
    if claim.state == State.APPEALED and role != Actor.SECOND_MODERATOR:
        return "You took the decision that this appeal is against: another moderator hears it."
    return ""


def decide_claim(*, claim: Claim, actor: User, name: str, reason: str) -> Decision:
    """Carry out a decision of the desk; raises ProfilesError with the sentence why not."""
    decision = DECISIONS.get(name)
    if decision is None:
        raise ModerationError("Choose a decision.")
    if decision.needs_reason and not reason.strip():
        raise ModerationError("Write the reason first: the claimant reads it.")
    decision.run(claim, actor, reason)
    return decision
