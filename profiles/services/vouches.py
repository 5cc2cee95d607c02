"""Researchers who vouch in public for others they know; the nightly run decides which vouches count."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from bzpeer.lib.sql import lock_text_for_transaction, update_rows
from profiles import access
from profiles.exceptions import VouchError
from profiles.models import Block, By, Claim, Notification, Researcher, User, Vouch
from profiles.services import history
from profiles.services.notifications import notify
from trust import services as trust
from trust.models import Evidence, TrustScore, VouchSeed
from trust.tasks import drain_trust
from works.models import Author, Mark
from works.services.marks import mark

LEVEL = 4  # of whoever vouches; levels do not count vouches
A_YEAR = timedelta(days=365)
PER_YEAR = 5
SHORTEST = 10  # characters of a statement
# What the ledger calls those who vouch: it cannot be changed, so it holds no name; the line says which author.
SOURCE = "researchers"

# --- Reads ----------------------------------------------------------------------------------------------

_NUMBER = BigIntegerField()
_VOUCHER = Coalesce("voucher__merged_into_id", "voucher_id", output_field=_NUMBER)
_PERSON = Coalesce("author__merged_into_id", "author_id", output_field=_NUMBER)


def standing() -> QuerySet[Any]:
    """Return the vouches that stand: nobody took them back, and both still hold the pages they held then.

    A page that went to another person takes no vouch along: it was given to a person. Hidden pages, closed accounts
    and blocks between the two keep a vouch out for as long as they last. The rows carry voucher_now and person_now,
    the ids of both after merges.
    """
    still_there = Researcher.objects.filter(user=OuterRef("user"), author=OuterRef("voucher_now"))
    same_person = Researcher.objects.filter(
        author=OuterRef("person_now"), created_at__lte=OuterRef("created_at")
    )
    blocked = Block.objects.filter(
        Q(blocker=OuterRef("user"), blocked__researcher__author=OuterRef("person_now"))
        | Q(blocked=OuterRef("user"), blocker__researcher__author=OuterRef("person_now"))
    )
    return (
        Vouch.objects.filter(revoked_at=None, user__is_active=True)
        .annotate(voucher_now=_VOUCHER, person_now=_PERSON)
        .filter(
            Exists(Author.objects.public().filter(pk=OuterRef("voucher_now"))),
            Exists(Author.objects.public().filter(pk=OuterRef("person_now"))),
            Exists(still_there),
            Exists(same_person),
        )
        .exclude(Exists(blocked))
    )


def for_page(rows: QuerySet[Vouch]) -> QuerySet[Vouch]:
    """Return vouches with all that a page says of them, the newest first."""
    rows = rows.select_related("voucher__merged_into", "author__merged_into", "evidence__ended_by")
    return rows.defer(
        "voucher__search", "voucher__merged_into__search", "author__search", "author__merged_into__search"
    ).order_by("-created_at", "-pk")


@dataclass(frozen=True)
class Shown:
    """A vouch as pages show it: both ends as they are called today, and whether it counts, in neutral words."""

    vouch: Vouch
    voucher: Author
    person: Author

    @property
    def counts(self) -> str:
        vouch = self.vouch
        if vouch.revoked_at:
            return "Ended"
        if vouch.carries is None:
            return "Not worked out yet; the next nightly run does"
        line = vouch.evidence
        if vouch.carries and line is not None and not hasattr(line, "ended_by"):
            return "Counts at present"
        return "Does not count at present"


def shown(rows: Iterable[Vouch]) -> list[Shown]:
    """Return rows of for_page() as pages show them."""
    return [
        Shown(row, row.voucher.merged_into or row.voucher, row.author.merged_into or row.author)
        for row in rows
    ]


def received(author: Author) -> QuerySet[Vouch]:
    """Return the vouches for an author that stand, as for_page()."""
    return for_page(standing().filter(person_now=author.pk))


def given(author: Author) -> QuerySet[Vouch]:
    """Return the vouches by an author that stand, as for_page()."""
    return for_page(standing().filter(voucher_now=author.pk))


# --- Vouching -------------------------------------------------------------------------------------------


def check_can_vouch(*, user: User, author: Author) -> Researcher:
    """Return the page from which user vouches for author. Raises VouchError with the sentence why not."""
    mine = access.researcher(user)
    if mine is None or not Claim.objects.filter(user=user, state=Claim.State.APPROVED).exists():
        raise VouchError("Vouching is for researchers whose claim on their own page is accepted.")
    if mine.author_id == author.pk:
        raise VouchError("This page is yours. Others who know you can vouch for you.")
    if user.limited_until and user.limited_until > timezone.now():
        raise VouchError("The moderators have limited your account for a while; you cannot vouch until then.")
    level = TrustScore.objects.filter(author=mine.author_id).values_list("level", flat=True).first() or 0
    if level < LEVEL:
        raise VouchError(f"Vouching takes level L{LEVEL}, Corroborated. Your page is at L{level}.")
    theirs = Researcher.objects.filter(author=author, author__claimed=True).select_related("user").first()
    if theirs is None:
        raise VouchError(
            "Nobody has claimed this page. One vouches for a person, so they have to join first."
        )
    if access.are_blocked(user, theirs.user):
        raise VouchError("You cannot vouch for this researcher.")
    earlier = Vouch.objects.filter(user=user).annotate(person_now=_PERSON)
    if standing().filter(user=user, person_now=author.pk).exists():
        raise VouchError("You vouch for this researcher already.")
    recent: QuerySet[Any] = earlier.filter(created_at__gt=timezone.now() - A_YEAR)
    # Not sooner again, whoever ended it: nobody is pressed with a vouch they had removed.
    if recent.filter(person_now=author.pk, created_at__gte=theirs.created_at).exists():
        raise VouchError("You vouched for this researcher within the last year. You can again after a year.")
    if recent.count() >= PER_YEAR:
        raise VouchError(f"You can vouch for {PER_YEAR} researchers a year, and you have.")
    return mine


@transaction.atomic
def vouch_for(*, user: User, author: Author, statement: str) -> Vouch:
    """Vouch in public for a researcher whom user knows, and tell them."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the limits count rows
    mine = check_can_vouch(user=user, author=author)
    statement = statement.strip()
    if not SHORTEST <= len(statement) <= 300:
        raise VouchError(f"Say in {SHORTEST} to 300 characters how you know each other.")
    # What does not stand any more, because a page went to somebody else, makes room.
    for stale in Vouch.objects.filter(voucher=mine.author, author=author, revoked_at=None):
        _end(stale)
    vouch = Vouch.objects.create(user=user, voucher=mine.author, author=author, statement=statement)
    notify(
        recipient=author.researcher.user,
        actor=user,
        verb=Notification.Verb.VOUCHED,
        target_url=reverse("profiles:vouch", args=[vouch.pk]),
        target_text=statement,
        event_key=f"vouch:{vouch.pk}",
    )
    return vouch


@transaction.atomic
def end_vouch(*, vouch: Vouch, actor: User, by: By, reason: str = "") -> Vouch:
    """End a vouch and its line: by whoever gave it, whoever it is for (nobody is told), or a moderator (audited)."""
    if by == By.MODERATOR and not reason.strip():
        raise VouchError("Give the reason: it stands in the audit trail.")
    vouch = Vouch.objects.select_for_update(of=("self",), no_key=True).get(pk=vouch.pk)
    if vouch.revoked_at:
        return vouch
    _end(vouch)
    if by == By.MODERATOR:
        history.audit(
            actor=actor,
            by=by,
            action="vouch.revoke",
            subject=f"vouch:{vouch.pk}",
            author=vouch.author,
            reason=reason,
        )
    return vouch


def _end(vouch: Vouch) -> None:
    if vouch.evidence:
        trust.end_evidence(vouch.evidence, "the vouch was taken back")
    vouch.carries, vouch.revoked_at = False, timezone.now()
    vouch.save(update_fields=["carries", "revoked_at"])


# --- The nightly run --------------------------------------------------------------------------------------


def run_flow() -> int:
    """Work out which vouches carry flow and bring the ledger in line; return how many lines began or ended.

    Running it again, or two at once, changes nothing. The flow is worked out outside a transaction, which nobody then
    waits for; what changed meanwhile is asked again when it is written.
    """
    seeds = VouchSeed.objects.filter(ended_at=None, author__suppressed=False)
    entitled = TrustScore.objects.filter(author=OuterRef("voucher_now"))
    level = Coalesce(Subquery(entitled.values("level")), 0, output_field=IntegerField())
    seen = set(Vouch.objects.filter(revoked_at=None).values_list("pk", flat=True))
    rows = list(
        standing()
        .annotate(level=level)
        .filter(level__gte=LEVEL)
        .values_list("pk", "voucher_now", "person_now")
    )
    from trust import flow  # networkx: for the worker alone

    found = flow.carried(
        seeds.annotate(now=_PERSON).values_list("now", flat=True),
        [(voucher, person) for _, voucher, person in rows],
    )
    return _bring_in_line({pk for pk, voucher, person in rows if (voucher, person) in found}, seen)


@transaction.atomic
def _bring_in_line(carrying: set[UUID], seen: set[UUID]) -> int:
    lock_text_for_transaction("profiles.vouches")
    line = Exists(Evidence.objects.filter(pk=OuterRef("evidence"), ended_by=None))
    locked = (
        Vouch.objects.select_for_update(of=("self",), no_key=True).select_related("evidence").order_by("pk")
    )
    begin = list(locked.filter(~line, pk__in=carrying, revoked_at=None))
    end = list(locked.filter(line).exclude(pk__in=carrying))
    now = timezone.now()
    keys = {_next_key(vouch): vouch for vouch in begin}
    Evidence.objects.bulk_create(
        (
            Evidence(
                author_id=vouch.author_id,
                kind=Evidence.Kind.VOUCH,
                source=SOURCE,
                asserted_by_author_id=vouch.voucher_id,
                event_key=key,
                observed_at=now,
            )
            for key, vouch in keys.items()
        ),
        ignore_conflicts=True,
    )
    Evidence.objects.bulk_create(
        (
            Evidence(
                author_id=vouch.author_id,
                kind=Evidence.Kind.REVOKED,
                source="BZPEER",
                ends_id=vouch.evidence_id,
                event_key=f"end:{vouch.evidence_id}",
                observed_at=now,
            )
            for vouch in end
        ),
        ignore_conflicts=True,
    )
    lines = Evidence.objects.filter(event_key__in=keys).values_list("event_key", "pk")
    update_rows("profiles_vouch", ("evidence_id", "carries"), [(keys[key].pk, pk, True) for key, pk in lines])
    Vouch.objects.filter(pk__in=seen - carrying).exclude(carries=False).update(carries=False)
    if changed := {vouch.author_id for vouch in (*begin, *end)}:
        mark(Mark.What.TRUST, changed, "vouches")
        ring(drain_trust)
    return len(begin) + len(end)


def _next_key(vouch: Vouch) -> str:
    """Return the event of the next line: a vouch that carries, ceases to and carries again has one for each time."""
    last = int(vouch.evidence.event_key.rpartition(":")[2]) if vouch.evidence else 0
    return f"vouch:{vouch.pk}:{last + 1}"


# --- Seeds --------------------------------------------------------------------------------------------------


def seeds() -> QuerySet[VouchSeed]:
    """Return where the flow begins, those that ended last."""
    rows = VouchSeed.objects.select_related("author").defer("author__search")
    return rows.order_by(F("ended_at").desc(nulls_first=True), "-created_at")


@transaction.atomic
def add_seed(*, author: Author, actor: User, reason: str) -> VouchSeed:
    """Let flow begin at an author whom the curators know."""
    reason = reason.strip()[:300]
    if not reason:
        raise VouchError("Give the reason: how the curators know this researcher.")
    if not author.claimed:
        raise VouchError("Nobody has claimed this page. Flow begins at people, so they have to join first.")
    now = timezone.now()
    seed, created = VouchSeed.objects.select_for_update(no_key=True).get_or_create(
        author=author, defaults={"reason": reason}
    )
    if not created:
        if seed.ended_at is None:
            raise VouchError("Flow begins at this researcher already.")
        seed.reason, seed.created_at, seed.ended_at = reason, now, None
        seed.save(update_fields=["reason", "created_at", "ended_at"])
    _audit_seed("seed.add", seed, actor, reason)
    return seed


@transaction.atomic
def end_seed(*, seed: VouchSeed, actor: User, reason: str) -> VouchSeed:
    """Let flow begin at an author no more, from the next nightly run on."""
    if not reason.strip():
        raise VouchError("Give the reason: it stands in the audit trail.")
    seed = (
        VouchSeed.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author")
        .get(pk=seed.pk)
    )
    if seed.ended_at:
        raise VouchError("This ended already.")
    seed.ended_at = timezone.now()
    seed.save(update_fields=["ended_at"])
    _audit_seed("seed.end", seed, actor, reason)
    return seed


def _audit_seed(action: str, seed: VouchSeed, actor: User, reason: str) -> None:
    history.audit(
        actor=actor,
        by=By.MODERATOR,
        action=action,
        subject=f"seed:{seed.pk}",
        author=seed.author,
        reason=reason,
    )
