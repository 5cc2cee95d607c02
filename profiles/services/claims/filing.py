"""Filing a claim, and letting evidence decide it: at once, or whenever there is more of it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from profiles.claims import gathering, signals
from profiles.claims.findings import Finding
from profiles.claims.routes.back_link import Page
from profiles.claims.states import START, Event
from profiles.exceptions import (
    ClaimConflict,
    ClaimError,
    ClaimStateError,
    EvidenceNeeded,
    ProfilesError,
    TooMany,
)
from profiles.models import By, Claim, ClaimConfirmation, ClaimEvidence, Notification, Route, User
from profiles.services import accounts
from profiles.services.claims import ledger
from profiles.services.claims.attachments import add_attachments
from profiles.services.claims.confirmations import answer, ask_coauthors
from profiles.services.claims.decisions import accept, contest_claim
from profiles.services.claims.steps import (
    due_for,
    hurry,
    lock,
    rivals_of,
    step,
    takes_more,
    tell_moderators,
    write_step,
)
from profiles.services.notifications import notify
from works.models import Author

log = logging.getLogger(__name__)

State = Claim.State

MAX_OPEN = 3
MAX_PER_MONTH = 10
LOOK_AGAIN_AFTER = 20  # seconds


@transaction.atomic
def submit_claim(
    *,
    user: User,
    author: Author,
    case: str = "",
    link_url: str = "",
    coauthors: Sequence[User] = (),
    files: Sequence[tuple[str, bytes]] = (),
) -> Claim:
    """File a claim, and accept it at once where a route decides; else it waits for a moderator.

    Others may have claims on the same author: the evidence then stands side by side, and nobody waits for them.
    Raises EvidenceNeeded where no route decides and there is nothing that a moderator could look at.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    _check_may_file(user, author)
    findings = gathering.gather(user=user, author=author, for_update=True)
    strongest = _strong_enough(user, author, findings)
    if not (strongest or case.strip() or link_url or coauthors):
        raise EvidenceNeeded(
            "No evidence at hand decides this yet. Write your case, name a page or ask a co-author."
        )
    claim = Claim.objects.create(user=user, author=author, case=case.strip(), link_url=link_url)
    write_step(claim, START, State.SUBMITTED, actor=user, by=By.CLAIMANT, reason="", route="")
    gathering.save(claim, findings)
    _weigh(claim, user, findings)
    _tell_rivals(claim)
    if files:
        add_attachments(claim=claim, files=files)
    if coauthors and not strongest:
        ask_coauthors(claim=claim, asked=coauthors)
    if strongest:
        claim = _settle(claim, findings, strongest)
    if claim.is_open:
        tell_moderators(claim, "filed")
    return claim


def decide_by_evidence(*, claim: Claim) -> Claim:
    """Look again at an open claim and accept it where a route decides by now; an accepted one gains what is new.

    The page that links back is fetched first, while nothing is locked: it may take its time.
    """
    page = None
    if takes_more(claim) and claim.link_url and claim.user is not None:
        page = gathering.read_page(claim)
    return _decide(claim, page)


def look_again(*, claim: Claim) -> Claim:
    """Look again because the claimant asks for it; not twice in a breath, since pages are fetched for it."""
    if not cache.add(f"claim-look:{claim.pk}", True, LOOK_AGAIN_AFTER):
        raise TooMany("We looked only just now. Try again in half a minute.")
    return decide_by_evidence(claim=claim)


def look_at_open_claims(*, user: User) -> None:
    """Look again at what a member claims: they confirmed an address or connected an account.

    Never raises a refusal: what they did stands, whatever it means for their claims.
    """
    live = Claim.objects.filter(user=user, state__in=[*Claim.OPEN, State.APPROVED])
    for claim in live.select_related("author", "user"):
        try:
            _decide(claim, None)
        except ProfilesError as refusal:
            log.info("Claim %s is not decided by new evidence: %s", claim.pk, refusal)


def answer_confirmation(
    *, confirmation: ClaimConfirmation, user: User, confirmed: bool, note: str = ""
) -> ClaimConfirmation:
    """Confirm or deny, for good; the evidence is then looked at again. Only moderators learn of a denial."""
    confirmation = answer(confirmation=confirmation, user=user, confirmed=confirmed, note=note)
    _decide(confirmation.claim, None)
    return confirmation


@transaction.atomic
def update_case(*, claim: Claim, case: str | None = None, link_url: str | None = None) -> Claim:
    """Write the case anew, or name another page, while somebody has yet to decide."""
    claim = lock(claim)
    if not takes_more(claim):
        raise ClaimStateError("This claim is decided: its case stays as it was.")
    if case is not None:
        claim.case = case.strip()
    if link_url is not None:
        claim.link_url = link_url
    claim.save(update_fields=["case", "link_url"])
    return claim


@transaction.atomic
def _decide(claim: Claim, page: Page | None) -> Claim:
    """Lock the claimant's rows first, as filing does, then the author and the claim. page: what it names, just read."""
    if claim.user_id is None:
        return claim
    user = User.objects.select_for_update(no_key=True).get(pk=claim.user_id)
    if not user.is_active:
        return claim
    asked_for, claim = claim, Claim.objects.select_related("author", "user").get(pk=claim.pk)
    if claim.link_url != asked_for.link_url:  # another page is named meanwhile
        page = None
    findings = gathering.gather(user=user, author=claim.author, claim=claim, page=page, for_update=True)
    if claim.state == State.APPROVED:
        claim = lock(claim)
        if claim.state == State.APPROVED and ledger.record_findings(claim, findings):
            gathering.save(claim, findings)
        return claim
    if not takes_more(claim):
        return claim
    gathering.save(claim, [one for one in findings if page or one.route != Route.BACK_LINK])
    if claim.state == State.DISPUTED:  # moderators decide; what was found stands before them
        return claim
    _weigh(claim, user, findings)
    if strongest := _strong_enough(user, claim.author, findings):
        return _settle(claim, findings, strongest)
    confirmed = claim.confirmations.filter(state=ClaimConfirmation.State.CONFIRMED)
    if claim.state == State.SUBMITTED and confirmed.exists():
        # One verified co-author does not decide, but opens review with weight.
        claim = step(lock(claim), Event.REVIEW, actor=None, route=Route.COAUTHORS)
        hurry(claim)
    return claim


def _check_may_file(user: User, author: Author) -> None:
    if not accounts.has_confirmed_email(user):
        raise ClaimError("Confirm your e-mail address first.")
    held = Claim.objects.filter(user=user, state__in=Claim.HELD).select_related("author").first()
    if held:
        raise ClaimConflict(
            "This page is already yours."
            if held.author_id == author.pk
            else f"You already hold the page of {held.author}. A person has one page; "
            "if both are you, say so in a correction and we join them."
        )
    mine = Claim.objects.filter(user=user, state__in=Claim.OPEN)
    if mine.filter(author=author).exists():
        raise ClaimConflict("Your claim on this page is already waiting for a decision.")
    if mine.count() >= MAX_OPEN:
        raise TooMany(f"You have {MAX_OPEN} claims waiting. Withdraw one, or wait for its decision.")
    month = timezone.now() - timedelta(days=30)
    if Claim.objects.filter(user=user, created_at__gt=month).count() >= MAX_PER_MONTH:
        raise TooMany(f"You can file {MAX_PER_MONTH} claims in 30 days, withdrawn ones included.")
    if author.suppressed or author.merged_into_id:
        raise ClaimError("This page cannot be claimed: it is hidden or was joined with another.")


def _strong_enough(user: User, author: Author, findings: list[Finding]) -> Finding | None:
    """Return the finding that decides, or would but for a rival, if evidence alone may decide at all."""
    return deciding(findings) if evidence_may_decide(user, author) else None


def evidence_may_decide(user: User, author: Author) -> bool:
    """Return whether evidence alone may bring the page to this member: not after two moderators revoked it."""
    return not Claim.objects.filter(user=user, author=author, state=State.REVOKED).exists()


def deciding(findings: list[Finding]) -> Finding | None:
    """Return the finding that decides, or else the first that is enough by itself, were there no rival."""
    if found := gathering.deciding(findings):
        return found
    enough = (gathering.ENOUGH, ClaimEvidence.Outcome.MET)
    return next((found for found in findings if enough in [(c.name, c.outcome) for c in found.checks]), None)


def _settle(claim: Claim, findings: list[Finding], strongest: Finding) -> Claim:
    """Accept on evidence alone; where somebody holds the page, contest that while it is easily done."""
    if strongest.decides:
        with suppress(ClaimConflict), transaction.atomic():
            return accept(claim, findings, actor=None, route=strongest.route)
    _contest(claim)
    hurry(claim)
    return claim


def _contest(claim: Claim) -> None:
    """Put an acceptance by evidence of the last 72 hours into dispute: this claimant's evidence decides as well."""
    held = Claim.objects.filter(
        author=claim.author_id, state=State.APPROVED, contestable_until__gt=timezone.now()
    )
    for holder in held.exclude(user=claim.user_id):
        with suppress(ClaimStateError):  # it was given up or disputed in this very moment
            contest_claim(claim=holder, rival=claim)


def _weigh(claim: Claim, user: User, findings: list[Finding]) -> None:
    """Write down how careful a moderator should be, and by when somebody decides."""
    claim.signals = signals.signals(user=user, author=claim.author, findings=findings)
    claim.risk = signals.risk(claim.signals)
    claim.due_at = claim.due_at or due_for(claim)
    claim.save(update_fields=["signals", "risk", "due_at"])


def _tell_rivals(claim: Claim) -> None:
    """Tell whoever holds or claims the page that there is another claim, not whose; once per rival."""
    for other in rivals_of(claim):
        if other.is_open:
            hurry(other)
        if other.user is not None:
            notify(
                recipient=other.user,
                verb=Notification.Verb.CLAIM_RIVALLED,
                target_url=other.get_absolute_url(),
                target_text=other.author.display_name,
                event_key=f"claim:{other.pk}:rival:{claim.user_id}",
            )
