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
from profiles.models import CurationRequest, Notification, User
from profiles.services.notifications import notify_moderators
from works.models import Author, Work
from works.services import authors

State = CurationRequest.State

PER_EMAIL_A_DAY = 3
PER_ADDRESS_A_DAY = 10
CONFIRM_WITHIN = timedelta(days=7)
SALT = "profiles.curation"


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
    """Return the request that a mailed link names; raises CurationError for bad and old links."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=CONFIRM_WITHIN)
    except signing.SignatureExpired as error:
        raise CurationError("This link is older than seven days. Please send the request again.") from error
    except signing.BadSignature as error:
        raise CurationError("This link is not complete. Copy the whole of it from the mail.") from error
    request = CurationRequest.objects.select_related("author", "work").filter(pk=pk).first()
    if request is None:
        raise CurationError("This request was not confirmed in time. Please send it again.")
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
            target_url=reverse("admin:profiles_curationrequest_change", args=[request.pk]),
            target_text=str(request.record),
            event_key=f"curation:{request.pk}",
        )
    return request


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
    mail.write("curation_answer", request.email, {"curation": request})
    return request


@transaction.atomic
def hide_author(*, request: CurationRequest, actor: User, answer: str) -> CurationRequest:
    """Hide the page that the request is about, for this import and all later ones."""
    if request.author_id is None:
        raise CurationError("Only a researcher's page can be hidden.")
    request = decide_request(request=request, actor=actor, done=True, answer=answer)
    assert request.author_id is not None  # noqa: S101 - checked above
    authors.suppress_author(request.author_id, f"request {request.pk}")
    return request


def show_author(*, author: Author) -> None:
    """Show a hidden page again."""
    authors.lift_suppression(author.pk)


@transaction.atomic
def forget_addresses() -> int:
    """Delete unconfirmed requests after their link died, and hashes that no limit needs any more."""
    now = timezone.now()
    CurationRequest.objects.filter(state=State.UNCONFIRMED, created_at__lt=now - CONFIRM_WITHIN).delete()
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


def _hash(network_address: str) -> str:
    return salted_hmac(SALT, network_address, algorithm="sha256").hexdigest() if network_address else ""


def _lock(request: CurationRequest) -> CurationRequest:
    return (
        CurationRequest.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author", "work")
        .get(pk=request.pk)
    )
