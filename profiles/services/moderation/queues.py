"""What waits for a moderator, queue by queue, oldest or riskiest first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from profiles import access
from profiles.models import Claim, ClaimStep, CurationRequest, Proposal, Report, Representative
from profiles.services.moderation.signals import MAIL_CLASSES

Rows = QuerySet[Any]

SORTS = {"oldest": "Oldest first", "newest": "Newest first", "risk": "Riskiest first", "due": "Due first"}
_ORDERS: dict[str, list[Any]] = {
    "oldest": ["since", "pk"],
    "newest": ["-since", "-pk"],
    "risk": ["-risk", "since", "pk"],
    "due": [F("due_at").asc(nulls_last=True), "since", "pk"],
}


@dataclass(frozen=True)
class Queue:
    """One kind of thing to decide. rows: all of it that was ever decided or waits, with `since`."""

    key: str
    title: str
    rows: Callable[[], Rows]
    waiting: Q
    search: tuple[str, ...]
    empty: str
    sorts: tuple[str, ...] = ("oldest", "newest")
    kinds: tuple[tuple[str, str], ...] = ()

    @property
    def template(self) -> str:
        return f"profiles/moderation/_{'claim' if self.of_claims else self.key}_row.html"

    @property
    def of_claims(self) -> bool:
        return "risk" in self.sorts


def _claims() -> Rows:
    return _with_rivals(access.desk_claims()).annotate(since=F("created_at"))


def _claims_since(state: str) -> Callable[[], Rows]:
    """Claims that wait since they came into a state: a dispute, an appeal."""

    def rows() -> Rows:
        steps = ClaimStep.objects.filter(claim=OuterRef("pk"), to_state=state)
        opened = steps.order_by().values("claim").annotate(at=Max("at")).values("at")
        return _with_rivals(access.desk_claims()).annotate(since=Coalesce(Subquery(opened), F("created_at")))

    return rows


def _with_rivals(rows: Rows) -> Rows:
    """Add how many other claims on the same page are open or held."""
    others = access.desk_claims().filter(author=OuterRef("author"), state__in=[*Claim.OPEN, *Claim.HELD])
    counted = others.exclude(pk=OuterRef("pk")).order_by().values("author").annotate(n=Count("pk"))
    return rows.annotate(rivals_count=Coalesce(Subquery(counted.values("n")), 0))


_CLAIM_SEARCH = ("user__display_name", "user__email", "author__display_name")
_CLAIM_SORTS = ("oldest", "risk", "due", "newest")

QUEUES: dict[str, Queue] = {
    queue.key: queue
    for queue in (
        Queue(
            "claims",
            "Claims",
            _claims,
            Q(state__in=[Claim.State.SUBMITTED, Claim.State.IN_REVIEW]),
            _CLAIM_SEARCH,
            "No claim waits. New ones appear when the evidence alone does not decide.",
            _CLAIM_SORTS,
            ((Claim.State.SUBMITTED, "Nobody looked yet"), (Claim.State.IN_REVIEW, "In review")),
        ),
        Queue(
            "disputes",
            "Disputes",
            _claims_since(Claim.State.DISPUTED),
            Q(state=Claim.State.DISPUTED),
            _CLAIM_SEARCH,
            "No page is disputed.",
            _CLAIM_SORTS,
        ),
        Queue(
            "appeals",
            "Appeals",
            _claims_since(Claim.State.APPEALED),
            Q(state=Claim.State.APPEALED),
            _CLAIM_SEARCH,
            "Nobody appeals.",
            _CLAIM_SORTS,
        ),
        Queue(
            "proposals",
            "Proposals",
            lambda: access.desk_proposals().annotate(since=F("created_at")),
            Q(state=Proposal.State.OPEN),
            ("author__display_name", "other__display_name", "proposer__display_name", "proposer__email"),
            "No merge, division or revocation waits for a second person.",
            kinds=tuple(Proposal.Kind.choices),
        ),
        Queue(
            "requests",
            "Requests",
            lambda: access.desk_requests().annotate(since=Coalesce("confirmed_at", "created_at")),
            Q(state=CurationRequest.State.OPEN),
            ("author__display_name", "work__title", "email"),
            "Nobody waits for a correction or to be hidden.",
            kinds=tuple(CurationRequest.Kind.choices),
        ),
        Queue(
            "reports",
            "Reports",
            lambda: access.desk_reports().annotate(since=F("created_at")),
            Q(state=Report.State.OPEN),
            ("reporter__display_name", "reporter__email"),
            "No conversation is reported.",
        ),
        Queue(
            "representatives",
            "Representatives",
            lambda: access.desk_representatives().annotate(since=F("created_at")),
            Q(state=Representative.State.REQUESTED),
            ("institution__display_name", "user__display_name", "user__email", "email"),
            "Nobody asks to speak for an institution.",
        ),
    )
}


class Summary(NamedTuple):
    queue: Queue
    waiting: int
    oldest: datetime | None


def overview() -> list[Summary]:
    """Return every queue with how much waits and since when the oldest does."""
    found = []
    for queue in QUEUES.values():
        totals = (
            queue.rows().filter(queue.waiting).order_by().aggregate(count=Count("pk"), oldest=Min("since"))
        )
        found.append(Summary(queue, totals["count"], totals["oldest"]))
    return found


def rows_of(
    queue: Queue, *, sort: str, text: str = "", kind: str = "", mail: str = "", decided: bool = False
) -> Rows:
    """Return the rows of a queue in the order asked for; an order or kind that is none is passed over."""
    rows = queue.rows()
    rows = rows.exclude(queue.waiting) if decided and not queue.of_claims else rows.filter(queue.waiting)
    if kind in dict(queue.kinds):
        rows = rows.filter(**{"state" if queue.of_claims else "kind": kind})
    if queue.of_claims and mail in MAIL_CLASSES:
        rows = rows.filter(signals__mail_class=mail)
    if text := text.strip()[:200]:
        words = Q()
        for field in queue.search:
            words |= Q(**{f"{field}__icontains": text})
        rows = rows.filter(words)
    return rows.order_by(*_ORDERS[sort if sort in queue.sorts else queue.sorts[0]])


def next_in(queue: Queue, after: Any) -> Any:
    """Return what waits longest in a queue, other than what was just looked at."""
    return queue.rows().filter(queue.waiting).exclude(pk=after.pk).order_by("since", "pk").first()


def queue_of(claim: Claim) -> Queue:
    """Return the queue that a claim stands in, or stood in."""
    key = {Claim.State.DISPUTED: "disputes", Claim.State.APPEALED: "appeals"}.get(
        Claim.State(claim.state), "claims"
    )
    return QUEUES[key]
