"""An institution says who is a member of it: dated, for twelve months, revocable; the ledger of trust holds the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from bzpeer.lib.names import clean
from bzpeer.lib.sql import lock_text_for_transaction, query
from profiles.exceptions import RepresentativeError
from profiles.models import Assertion, By, CurationRequest, Notification, Representative, Researcher, User
from profiles.services import accounts, curation, history
from profiles.services.notifications import notify
from profiles.services.representatives import ledger
from works.models import Author, Institution

LASTS = timedelta(days=365)
EARLIEST = date(1900, 1, 1)
PER_PERSON_AUDITED = 1  # more than that at once is one line in the audit trail, with their public ids


@dataclass(frozen=True)
class Member:
    """Whom an institution asserts, as what, since when."""

    author_id: int
    role: str = ""
    since: date | None = None


def standing(institution: Institution, at: datetime | None = None) -> QuerySet[Assertion]:
    """Return what an institution says now."""
    rows = Assertion.objects.filter(
        institution=institution, revoked_at=None, expires_at__gt=at or timezone.now()
    )
    return rows.select_related("author", "author__merged_into", "representative__user", "evidence").defer(
        "author__search", "author__merged_into__search"
    )


def standing_about(author: Author) -> QuerySet[Assertion]:
    """Return what institutions say now of an author, and of those joined with it."""
    rows = Assertion.objects.filter(Q(author=author) | Q(author__merged_into=author))
    rows = rows.filter(revoked_at=None, expires_at__gt=timezone.now()).order_by("institution", "pk")
    return rows.select_related("institution", "author", "evidence").defer(
        "institution__search", "author__search"
    )


def standing_author_ids(institution: Institution) -> set[int]:
    """Return the ids of the authors that an institution asserts now, after merges."""
    rows = standing(institution).select_related(None).values_list("author_id", "author__merged_into_id")
    return {merged_into or author for author, merged_into in rows}


@transaction.atomic
def assert_members(*, representative: Representative, members: Sequence[Member]) -> list[Assertion]:
    """Assert the members that can be: not who is asserted already, is hidden, was joined away or is oneself.

    Returns what was written. The rows of one institution are written one after the other.
    """
    institution = representative.institution
    now = timezone.now()
    _one_at_a_time(institution)
    _close_expired(Assertion.objects.filter(institution=institution), now)
    known = standing_author_ids(institution)
    wanted = {member.author_id: member for member in members if member.author_id not in known}
    own = set(Researcher.objects.filter(user=representative.user).values_list("author_id", flat=True))
    authors = list(Author.objects.public().filter(pk__in=wanted.keys() - own).defer("search").order_by("pk"))
    rows = [
        Assertion(
            id=key,
            institution=institution,
            author=author,
            representative=representative,
            role=clean(wanted[author.pk].role)[:150],
            since=_past(wanted[author.pk].since),
            expires_at=now + LASTS,
        )
        for author, key in zip(authors, _new_keys(len(authors)), strict=True)
    ]
    lines = ledger.record_asserted(
        institution, [(row.author_id, f"assertion:{row.pk}") for row in rows], now, now + LASTS
    )
    for row, line in zip(rows, lines, strict=True):
        row.evidence = line
    Assertion.objects.bulk_create(rows)
    _audit("assertion.make", rows, institution, representative.user, By.REPRESENTATIVE)
    _tell(rows, institution)
    return rows


@transaction.atomic
def assert_member(
    *, representative: Representative, author: Author, role: str = "", since: date | None = None
) -> Assertion:
    """Assert one member; raises RepresentativeError with the sentence why not."""
    if since and not EARLIEST <= since <= timezone.localdate():
        raise RepresentativeError("The day since when lies in the past.")
    if Researcher.objects.filter(user=representative.user, author=author).exists():
        raise RepresentativeError("This page is yours: somebody else at the institution asserts you.")
    made = assert_members(representative=representative, members=[Member(author.pk, role, since)])
    if not made:
        raise RepresentativeError(f"{author} is asserted already, or the page is hidden.")
    return made[0]


@transaction.atomic
def revoke_assertions(*, rows: QuerySet[Assertion], actor: User, by: By, reason: str = "") -> int:
    """Take back what an institution said; return how many."""
    return len(_end(rows, actor, by, "assertion.revoke", reason))


@transaction.atomic
def renew_assertions(*, representative: Representative, rows: QuerySet[Assertion]) -> int:
    """Say it again for another twelve months: the old line ends, a new one begins; return how many."""
    institution = representative.institution
    _one_at_a_time(institution)
    ended = _end(rows, representative.user, By.REPRESENTATIVE, "assertion.renew", "renewed")
    members = [Member(row.author.merged_into_id or row.author_id, row.role, row.since) for row in ended]
    return len(assert_members(representative=representative, members=members))


@transaction.atomic
def expire_assertions() -> int:
    """Let the rows follow the ledger, in which their lines run out by themselves; return how many. Called by beat."""
    return _close_expired(Assertion.objects.all(), timezone.now())


@transaction.atomic
def object_to(*, assertion: Assertion, user: User, message: str) -> CurationRequest:
    """Tell the moderators that what an institution says of oneself is wrong; once until they have answered."""
    address = accounts.mail_address(user)
    if address is None:
        raise RepresentativeError("Confirm your e-mail address first: the answer is sent to it.")
    if not message.strip():
        raise RepresentativeError("Say what is wrong.")
    author = assertion.author.merged_into or assertion.author
    waiting = CurationRequest.objects.filter(
        email=address.lower(), author=author, state=CurationRequest.State.OPEN
    )
    if waiting.exists():
        raise RepresentativeError(
            "A request of yours about this page waits already; the moderators will answer it."
        )
    says = f"{assertion.institution} says: member{f', {assertion.role}' if assertion.role else ''}."
    request = CurationRequest.objects.create(
        kind=CurationRequest.Kind.CORRECTION,
        author=author,
        email=address.lower(),
        message=f"{says} The member objects:\n\n{message.strip()}"[:4000],
    )
    return curation.confirm_request(request=request)  # the address is confirmed: no link is mailed


@transaction.atomic
def uphold_objection(*, request: CurationRequest, actor: User, answer: str) -> CurationRequest:
    """Answer a request by revoking whatever institutions say of the page, as a moderator."""
    request = curation.decide_request(request=request, actor=actor, done=True, answer=answer)
    if request.author is None:
        raise RepresentativeError("Institutions speak of researchers alone.")
    rows = standing_about(request.author.merged_into or request.author)
    for institution in sorted({row.institution_id for row in rows}):
        of_it = rows.filter(institution=institution)
        revoke_assertions(rows=of_it, actor=actor, by=By.MODERATOR, reason=answer)
    return request


# --- Parts ----------------------------------------------------------------------------------------------


def _end(rows: QuerySet[Assertion], actor: User, by: By, action: str, reason: str) -> list[Assertion]:
    now = timezone.now()
    standing_rows = rows.filter(revoked_at=None, expires_at__gt=now)
    ended = list(standing_rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
    if not ended:
        return []
    ledger.record_ended(ended, now, reason or "taken back by the institution")
    Assertion.objects.filter(pk__in=[row.pk for row in ended]).update(revoked_at=now)
    _audit(action, ended, ended[0].institution, actor, by, reason)
    return ended


def _close_expired(rows: QuerySet[Assertion], now: datetime) -> int:
    return rows.filter(revoked_at=None, expires_at__lte=now).update(revoked_at=F("expires_at"))


def _one_at_a_time(institution: Institution) -> None:
    lock_text_for_transaction(f"profiles.assertions:{institution.pk}")


def _past(day: date | None) -> date | None:
    return day if day and EARLIEST <= day <= timezone.localdate() else None


def _new_keys(count: int) -> list[UUID]:
    """Return ids from the database's own generator: the ledger's keys are made of them before the rows are."""
    return [row[0] for row in query("select uuidv7() from generate_series(1, %s)", [count])]


def _audit(
    action: str, rows: Sequence[Assertion], institution: Institution, actor: User, by: By, reason: str = ""
) -> None:
    if not rows:
        return
    one = rows[0].author if len(rows) <= PER_PERSON_AUDITED else None
    history.audit(
        actor=actor,
        by=by,
        action=action,
        subject=f"institution:{institution.pid}",
        author=one,
        reason=reason,
        data={"count": len(rows), "authors": [row.author.pid for row in rows]},
    )


def _tell(rows: Sequence[Assertion], institution: Institution) -> None:
    """Tell those of them who have an account, and who may object."""
    by_author = {row.author_id: row for row in rows}
    holders = Researcher.objects.filter(author__in=by_author, user__is_active=True).select_related("user")
    for holder in holders.order_by("pk"):
        row = by_author[holder.author_id]
        notify(
            recipient=holder.user,
            verb=Notification.Verb.ASSERTION_MADE,
            target_url=reverse("profiles:assertion", args=[row.pk]),
            target_text=institution.display_name,
            event_key=f"assertion:{row.pk}",
        )
