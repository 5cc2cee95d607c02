"""Join and divide researchers and works, and take it back: what moves, who is told, what is written down."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from bzpeer.lib.doorbell import ring
from graph.tasks import drain_collaborations
from profiles.exceptions import RegroupingError
from profiles.models import AuditEntry, By, Change, Notification, Proposal, User
from profiles.services import history
from profiles.services.follows import carry_follows
from profiles.services.notifications import notify
from profiles.services.regrouping.carrying import carry_claims, check_unlocked, hand_claim, return_claims
from trust.tasks import drain_trust
from works.models import Author, Regrouping, Work
from works.services import regrouping
from works.services.regrouping import Moved, Refused
from works.tasks import drain_catalogue, drain_counts, drain_resolve

Kind = Change.Kind
KINDS = {
    Regrouping.Kind.MERGE_AUTHORS: Kind.MERGE,
    Regrouping.Kind.SPLIT_AUTHOR: Kind.SPLIT,
    Regrouping.Kind.MERGE_WORKS: Kind.WORKS_MERGED,
    Regrouping.Kind.SPLIT_WORK: Kind.WORK_SPLIT,
}
UNDOABLE = set(KINDS.values())


def standing_first(one: Author, other: Author) -> tuple[Author, Author]:
    """Return the two in the order (stands, ends): a claimed page stands."""
    return (other, one) if other.claimed and not one.claimed else (one, other)


@transaction.atomic
def merge(*, author: Author, other: Author, actor: User, by: By = By.MODERATOR, reason: str) -> Change:
    """Join other into author. A claim, followers and waiting claims go along; the old address leads there for ever."""
    _check_reason(reason)
    author, other = regrouping.lock_authors(author.pk, other.pk)
    check_unlocked(author, other)
    moved = _try(lambda: regrouping.merge_authors(author=author, other=other))
    return _write_down(moved, actor=actor, by=by, reason=reason)


@transaction.atomic
def split(
    *, author: Author, works: Iterable[Work], name: str, actor: User, by: By = By.MODERATOR, reason: str, person_goes: bool = False
) -> Change:  # fmt: skip
    """Give works to a new page of that name. The claim stays with the old page unless the person goes with the new."""
    _check_reason(reason)
    if not name.strip():
        raise RegroupingError("Give the name of the new page, as it stands on the works that go there.")
    (author,) = regrouping.lock_authors(author.pk)
    if person_goes:
        check_unlocked(author)
    moved = _try(lambda: regrouping.split_author(author=author, works=[work.pk for work in works], name=name))
    return _write_down(moved, actor=actor, by=by, reason=reason, person_goes=person_goes)


@transaction.atomic
def merge_works(
    *, work: Work, other: Work, actor: User, by: By = By.MODERATOR, reason: str, page: Author | None = None
) -> Change:
    """Join other into work: all its records, and its address. page: of the researcher who asked for it."""
    _check_reason(reason)
    moved = _try(lambda: regrouping.merge_works(work=work, other=other))
    return _write_down(moved, actor=actor, by=by, reason=reason, page=page)


@transaction.atomic
def split_work(
    *,
    work: Work,
    records: Iterable[int],
    actor: User,
    by: By = By.MODERATOR,
    reason: str,
    page: Author | None = None,
) -> Change:
    """Give some of the records of a work to a new one. page: of the researcher who asked for it."""
    _check_reason(reason)
    moved = _try(lambda: regrouping.split_work(work=work, records=records))
    return _write_down(moved, actor=actor, by=by, reason=reason, page=page)


@transaction.atomic
def undo_change(*, change: Change, actor: User, by: By, reason: str = "") -> Change:
    """Take a join or division back, or its taking back; nothing that came later is touched.

    Every change is taken back at most once: to do it again, take back the row that took it back.
    """
    change = Change.objects.select_for_update(of=("self",)).select_related("regrouping").get(pk=change.pk)
    if change.kind not in UNDOABLE or change.regrouping is None:
        raise RegroupingError("This change is not a join or division of records.")
    if not may_undo(user=actor, change=change):
        raise RegroupingError("A moderator takes this back, or the owner who proposed it.")
    if Change.objects.filter(undoes=change).exists():
        raise RegroupingError("This was taken back already. The history shows what can be taken back now.")
    event = change.regrouping
    if event.author_id and event.other_author_id:
        pair = regrouping.lock_authors(event.author_id, event.other_author_id)
        if event.is_undone:
            check_unlocked(*pair)
        else:
            _give_claim_back(event, *pair)
        event.refresh_from_db()
    again = event.is_undone
    moved = _try(lambda: (regrouping.redo if again else regrouping.undo)(regrouping=event))
    page = None if event.author_id else change.author
    return _write_down(moved, actor=actor, by=by, reason=reason, undoes=change, page=page)


def may_undo(*, user: User, change: Change) -> bool:
    """Return whether a member may take a change back: moderators, and owners what they proposed for their own page."""
    if user.is_moderator:
        return True
    root = _root(change)
    accepted = Proposal.objects.filter(proposer=user, state=Proposal.State.ACCEPTED, change=root)
    claim = user.claims.filter(state="approved").first()
    return bool(
        accepted.exists()
        and claim
        and claim.author_id in _pages_of(root)
    )  # fmt: skip


def _pages_of(change: Change) -> set[int | None]:
    proposal = Proposal.objects.filter(change=change).first()
    event = change.regrouping
    pages = {change.author_id, change.other_id, proposal.author_id if proposal else None}
    return pages | ({event.author_id, event.other_author_id} if event else set())


def _root(change: Change) -> Change:
    """Return the change that was made first, of those that take one another back."""
    while change.undoes is not None:
        change = change.undoes
    return change


# --- What every step leaves ---------------------------------------------------------------------------------------


def _write_down(
    moved: Moved, *, actor: User, by: By, reason: str, undoes: Change | None = None, person_goes: bool = False,
    page: Author | None = None,
) -> Change:  # fmt: skip
    event = moved.regrouping
    of_works = event.kind in {Regrouping.Kind.MERGE_WORKS, Regrouping.Kind.SPLIT_WORK}
    author, other = _named(event.author_id), _named(event.other_author_id)
    change = history.record_change(
        kind=KINDS[Regrouping.Kind(event.kind)],
        author=author or page,
        other=other,
        actor=actor,
        by=by,
        reason=reason,
        after=_said(moved),
        work=_standing_work(event) if of_works else None,
        regrouping=event,
        undoes=undoes,
    )
    carry_follows(change=change, before=moved.before, after=moved.after)
    data: dict[str, Any] = {"claims": carry_claims(moved.before, moved.after)}
    if event.is_undone:
        return_claims(_carried(event), moved.before, moved.after)
    if author and other and (person_goes or (undoes and not event.is_undone and _went(event))):
        claim = hand_claim(old=author, new=other, key=f"change:{change.pk}")
        data["person"] = str(claim.pk) if claim else ""
    subject = f"work:{event.work_number}" if of_works else f"author:{event.author_id}"
    verb = {Kind.MERGE: "merge", Kind.SPLIT: "split", Kind.WORKS_MERGED: "merge", Kind.WORK_SPLIT: "split"}[
        Kind(change.kind)
    ]
    action = f"{'work' if of_works else 'author'}.{verb}{'.undo' if event.is_undone else '.redo' if undoes else ''}"
    history.audit(
        actor=actor, by=by, action=action, subject=subject, author=author, reason=reason, data=data | {"regrouping": event.pk, "change": str(change.pk)}
    )  # fmt: skip
    _tell_owners(change, actor)
    for task in (drain_resolve, drain_counts, drain_catalogue, drain_collaborations, drain_trust):
        ring(task)
    return change


def _said(moved: Moved) -> dict[str, Any]:
    """Say what moved, as the public history shows it."""
    said: dict[str, Any] = (
        {"works": len(moved.lines)} if not moved.records else {"records": len(moved.records)}
    )
    if moved.stayed:
        pids = Work.objects.filter(pk__in=[line.work for line in moved.stayed]).order_by("pk")
        said["stayed"] = list(pids.values_list("pid", flat=True))
    return said | ({"undone": True} if moved.regrouping.is_undone else {})


def _named(author: int | None) -> Author | None:
    return Author.objects.defer("search").get(pk=author) if author else None


def _standing_work(event: Regrouping) -> Work | None:
    numbers = [event.work_number or 0, event.other_work_number or 0]
    return Work.objects.filter(pk__in=numbers).defer("search").order_by("pk").first()


def _steps(event: Regrouping) -> list[dict[str, Any]]:
    entries = AuditEntry.objects.filter(subject=f"author:{event.author_id}", data__regrouping=event.pk)
    return list(entries.order_by("pk").values_list("data", flat=True))


def _carried(event: Regrouping) -> dict[str, int]:
    return {pk: author for data in _steps(event) for pk, author in data.get("claims", {}).items()}


def _went(event: Regrouping) -> bool:
    return any(data.get("person") for data in _steps(event))


def _give_claim_back(event: Regrouping, author: Author, other: Author) -> None:
    """Before a division is taken back: the person who went with the new page comes back with it."""
    if event.kind == Regrouping.Kind.SPLIT_AUTHOR and other.claimed and not author.claimed and _went(event):
        hand_claim(old=other, new=author, key=f"back:{event.pk}:{AuditEntry.objects.count()}")


def _tell_owners(change: Change, actor: User) -> None:
    """Tell whoever holds a page that it was joined or divided by somebody else."""
    pages = {page for page in (change.author_id, change.other_id) if page}
    works = [change.work_pid] if change.work_pid else []
    from_works = Author.objects.filter(authorships__work__pid__in=works, claimed=True)
    pages |= set(from_works.values_list("pk", flat=True)[:50])
    for owner in User.objects.filter(
        claims__author__in=pages, claims__state__in=["approved", "disputed"]
    ).distinct():
        if owner != actor:
            page = owner.researcher.author if hasattr(owner, "researcher") else change.author
            notify(
                recipient=owner,
                actor=None,  # moderators act as moderators
                verb=Notification.Verb.RECORD_CHANGED,
                target_url=page.get_absolute_url() if page else "/me/",
                target_text=f"{change.get_kind_display()}: {page}" if page else change.get_kind_display(),
                event_key=f"change:{change.pk}",
            )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise RegroupingError("Say why: the history shows it, and the people concerned read it.")


def _try(step: Callable[[], Moved]) -> Moved:
    try:
        return step()
    except Refused as refusal:
        raise RegroupingError(str(refusal)) from refusal
