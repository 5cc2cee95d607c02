"""Corrections, objections and wishes to be hidden, by anybody who can read mail at an address."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from bzpeer.lib.sql import lock_text_for_transaction
from profiles import mail
from profiles.exceptions import CurationError, TooMany
from profiles.models import By, Change, CurationRequest, Notification, User
from profiles.services.history import audit, record_change
from profiles.services.notifications import mark_done, notify_moderators
from works.models import Author, Work
from works.services import authors

State = CurationRequest.State

PER_EMAIL_A_DAY = 3
PER_ADDRESS_A_DAY = 10
CONFIRM_WITHIN = timedelta(days=7)
ADDRESS_KEPT = timedelta(days=365)  # after the decision, for questions about it
SALT = "profiles.curation"
TAKEN_BACK = "Taken back by the person who asked."


@transaction.atomic
def request_curation(
    *, kind: str, record: Author | Work, email: str, message: str, network_address: str = ""
) -> CurationRequest:
    """Write the request down and mail a link: it counts once the address is confirmed."""
    address_hash = _hash(network_address)
    _check_limits(email, address_hash)
    request = CurationRequest.objects.create(
        kind=kind,
        author=record if isinstance(record, Author) else None,
        work=record if isinstance(record, Work) else None,
        email=email.strip().lower(),
        message=message.strip(),
        address_hash=address_hash,
    )
    link = settings.PUBLIC_URL + reverse("profiles:curation_confirm", args=[token_of(request)])
    mail.write("curation_confirm", request.email, {"curation": request, "link": link})
    return request


def token_of(request: CurationRequest) -> str:
    return signing.dumps(str(request.pk), salt=SALT)


def find_request(token: str) -> CurationRequest:
    """Return the request that a mailed link names; raises CurationError for bad and old links.

    The link confirms for seven days. After that it goes on showing what became of the request, and takes it back.
    """
    try:
        pk = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise CurationError("This link is not complete. Copy the whole of it from the mail.") from error
    request = CurationRequest.objects.select_related("author", "work").filter(pk=pk).first()
    if request is None:
        raise CurationError("This request was taken back, or not confirmed in time. You can send it again.")
    if request.state == State.UNCONFIRMED and request.created_at < timezone.now() - CONFIRM_WITHIN:
        raise CurationError("This link is older than seven days. Please send the request again.")
    return request


@transaction.atomic
def confirm_request(*, request: CurationRequest) -> CurationRequest:
    """Open a request to the moderators; confirming twice is confirming once."""
    request = _lock(request)
    if request.state == State.UNCONFIRMED:
        request.state, request.confirmed_at = State.OPEN, timezone.now()
        request.save(update_fields=["state", "confirmed_at"])
        notify_moderators(
            verb=Notification.Verb.CURATION_OPENED,
            target_url=_desk(request),
            target_text=str(request.record),
            event_key=f"curation:{request.pk}",
        )
    return request


@transaction.atomic
def withdraw_request(*, request: CurationRequest) -> None:
    """Take a request back: one that nobody has read yet is deleted, another is closed without a mail."""
    request = _lock(request)
    if request.state == State.UNCONFIRMED:
        request.delete()
        return
    if request.state != State.OPEN:
        raise CurationError("This request is decided already. If you changed your mind, send another one.")
    request.state, request.answer, request.decided_at = State.DECLINED, TAKEN_BACK, timezone.now()
    request.address_hash = ""
    request.save(update_fields=["state", "answer", "decided_at", "address_hash"])
    mark_done(verb=Notification.Verb.CURATION_OPENED, url=_desk(request))


@transaction.atomic
def decide_request(*, request: CurationRequest, actor: User, done: bool, answer: str) -> CurationRequest:
    """Close a request and mail the answer to the address that asked for it."""
    if not answer.strip():
        raise CurationError("Write the answer: it is mailed to the person who asked.")
    request = _lock(request)
    if request.state != State.OPEN:
        raise CurationError("This request is not waiting for a decision any more.")
    request.state = State.DONE if done else State.DECLINED
    request.answer = answer.strip()[:2000]
    request.decided_by, request.decided_at = actor, timezone.now()
    request.address_hash = ""
    request.save(update_fields=["state", "answer", "decided_by", "decided_at", "address_hash"])
    mark_done(verb=Notification.Verb.CURATION_OPENED, url=_desk(request))
    audit(
        actor=actor,
        by=By.MODERATOR,
        action="curation.done" if done else "curation.decline",
        subject=f"curation:{request.pk}",
        author=request.author,
        reason=request.answer,
    )
    if request.email:  # empty: who asked has deleted their account since
        mail.write("curation_answer", request.email, {"curation": request})
    return request


@transaction.atomic
def hide_author(*, request: CurationRequest, actor: User, answer: str) -> CurationRequest:
    """Hide the page that the request is about, for this import and all later ones."""
    request = decide_request(request=request, actor=actor, done=True, answer=answer)
    if request.author is None:
        raise CurationError("Only a researcher's page can be hidden.")
    author = request.author.merged_into or request.author  # joined with another since it was asked
    authors.suppress_author(author.pk, f"request {request.pk}")
    _record(author, actor, hidden=True)
    return request


@transaction.atomic
def show_author(*, author: Author, actor: User | None = None, reason: str = "") -> None:
    """Show a hidden page again."""
    author = author.merged_into or author
    if author.suppressed:
        authors.lift_suppression(author.pk)
        _record(author, actor, hidden=False, reason=reason)


def _record(author: Author, actor: User | None, *, hidden: bool, reason: str = "") -> None:
    """Write into the page's history, and the moderators' trail, that it was hidden or shown again."""
    record_change(
        kind=Change.Kind.HIDDEN,
        author=author,
        actor=actor,
        by=By.MODERATOR,
        before={"hidden": not hidden},
        after={"hidden": hidden},
    )
    action = "author.hide" if hidden else "author.show"
    subject = f"author:{author.pk}"
    audit(actor=actor, by=By.MODERATOR, action=action, subject=subject, author=author, reason=reason)


@transaction.atomic
def forget_addresses() -> int:
    """Delete unconfirmed requests after their link died, and what nothing needs any more: hashes after a day, the
    addresses of requests a year after their decision."""
    now = timezone.now()
    CurationRequest.objects.filter(state=State.UNCONFIRMED, created_at__lt=now - CONFIRM_WITHIN).delete()
    CurationRequest.objects.filter(decided_at__lt=now - ADDRESS_KEPT).exclude(email="").update(email="")
    old = CurationRequest.objects.filter(created_at__lt=now - timedelta(days=1)).exclude(address_hash="")
    return old.update(address_hash="")


def _check_limits(email: str, address_hash: str) -> None:
    lock_text_for_transaction(f"{SALT}:{email.strip().lower()}")  # the limits count rows
    if address_hash:
        lock_text_for_transaction(f"{SALT}:{address_hash}")
    today = CurationRequest.objects.filter(created_at__gt=timezone.now() - timedelta(days=1))
    by_email = today.filter(email=email.strip().lower()).count()
    by_address = today.filter(address_hash=address_hash).count() if address_hash else 0
    if by_email >= PER_EMAIL_A_DAY or by_address >= PER_ADDRESS_A_DAY:
        raise TooMany("That is more requests than we take in a day. Please write again tomorrow.")


def _desk(request: CurationRequest) -> str:
    return reverse("profiles:moderation_request", args=[request.pk])


def _hash(network_address: str) -> str:
    return salted_hmac(SALT, network_address, algorithm="sha256").hexdigest() if network_address else ""


def _lock(request: CurationRequest) -> CurationRequest:
    return (
        CurationRequest.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author", "work")
        .get(pk=request.pk)
    )
