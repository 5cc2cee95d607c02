"""How a member wants to be told of things: what by mail and how often, quiet hours, the private feed's address.

Also what mail providers tell of addresses (bounces, complaints), and the links by which a mail is stopped.
"""

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from profiles.exceptions import PreferenceError
from profiles.models import MailChoice, MailTrouble, Notification, Preferences, User
from profiles.services import accounts

Kind, Often, Verb = MailChoice.Kind, MailChoice.Often, Notification.Verb

DEFAULTS = {
    Kind.INVITATIONS: Often.AT_ONCE,
    Kind.MESSAGES: Often.AT_ONCE,
    Kind.RECORD: Often.AT_ONCE,
    Kind.FOLLOWED: Often.WEEKLY,
    Kind.FOLLOWERS: Often.NEVER,
}
_KIND_OF = {
    Verb.INVITATION_RECEIVED: Kind.INVITATIONS,
    Verb.INVITATION_ACCEPTED: Kind.INVITATIONS,
    Verb.INTRODUCTION_ASKED: Kind.INVITATIONS,
    Verb.INTRODUCED: Kind.INVITATIONS,
    Verb.MESSAGE_RECEIVED: Kind.MESSAGES,
    Verb.FOLLOWED: Kind.FOLLOWERS,
}
DIGEST = "digest"  # beside the kinds, in the link that stops a mail: everything that comes daily or weekly
_STOP, _AGAIN = "profiles.mail.stop", "profiles.mail.again"
_AGAIN_SECONDS = 7 * 86400


def kind_of(verb: str) -> MailChoice.Kind:
    """Return the kind of mail that tells of a verb; what concerns one's page and requests is the rest."""
    return _KIND_OF.get(Verb(verb), Kind.RECORD)


def of(user: User) -> Preferences:
    return Preferences.objects.get_or_create(user=user)[0]


def choices_of(user: User) -> dict[str, str]:
    """Return how often mail tells user of each kind."""
    chosen = dict(MailChoice.objects.filter(user=user).values_list("kind", "often"))
    return {kind.value: chosen.get(kind.value, often.value) for kind, often in DEFAULTS.items()}


@transaction.atomic
def save_choices(
    *, user: User, often: Mapping[str, str], time_zone: str, quiet_from: time | None, quiet_until: time | None
) -> Preferences:
    """Keep what a member chose. often: of each kind; a kind that is not named stays as it was."""
    if time_zone not in available_timezones():
        raise PreferenceError("Choose a time zone from the list.")
    if (quiet_from is None) != (quiet_until is None):
        raise PreferenceError("Say both when it begins to be quiet and when it ends, or neither.")
    for kind, value in often.items():
        MailChoice.objects.update_or_create(
            user=user, kind=Kind(kind), defaults={"often": Often(value).value}
        )
    row = of(user)
    row.time_zone, row.quiet_from, row.quiet_until = time_zone, quiet_from, quiet_until
    row.save(update_fields=["time_zone", "quiet_from", "quiet_until"])
    return row


def zone_of(row: Preferences | None) -> ZoneInfo:
    """Return the member's time zone; one that is known no more counts as UTC."""
    name = row.time_zone if row else "UTC"
    return ZoneInfo(name if name in available_timezones() else "UTC")


def is_quiet(row: Preferences | None, at: datetime) -> bool:
    """Return whether no mail goes out at this moment; quiet hours may pass midnight."""
    if row is None or row.quiet_from is None or row.quiet_until is None:
        return False
    now = at.astimezone(zone_of(row)).time()
    if row.quiet_from <= row.quiet_until:
        return row.quiet_from <= now < row.quiet_until
    return now >= row.quiet_from or now < row.quiet_until


# --- The feed ---------------------------------------------------------------------------------------------


@transaction.atomic
def mark_feed_read(*, user: User, until: datetime | None) -> None:
    """Remember until where a member has read; never the future, never back."""
    now = timezone.now()
    moment = min(until, now) if until else now
    of(user)
    row = Preferences.objects.select_for_update().get(user=user)
    if row.feed_seen_at is None or row.feed_seen_at < moment:
        row.feed_seen_at = moment
        row.save(update_fields=["feed_seen_at"])


@transaction.atomic
def renew_feed_token(*, user: User) -> str:
    """Give the private feed a new address; the old one is gone."""
    row = of(user)
    row.feed_token = secrets.token_urlsafe(30)
    row.save(update_fields=["feed_token"])
    return row.feed_token


@transaction.atomic
def revoke_feed_token(*, user: User) -> None:
    Preferences.objects.filter(user=user).update(feed_token=None)


# --- Stopping a mail --------------------------------------------------------------------------------------


def stop_address(user: User, kind: str) -> str:
    """Return the address that stops mails of a kind without log-in. It does nothing else, so it never runs out."""
    token = signing.dumps([user.pk, kind], salt=_STOP)
    return settings.PUBLIC_URL + reverse("profiles:mail_stop", args=[token])


def stop_headers(user: User, kind: str) -> dict[str, str]:
    """Return the headers of RFC 8058, by which a mail program stops mails with one click."""
    return {
        "List-Unsubscribe": f"<{stop_address(user, kind)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def read_stop(token: str) -> tuple[User, str] | None:
    """Return whom and which kind a link of a mail stops; None for what is no such link."""
    try:
        pk, kind = signing.loads(token, salt=_STOP)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=pk).first()
    return (user, kind) if user and (kind == DIGEST or kind in Kind.values) else None


@transaction.atomic
def stop(*, user: User, kind: str) -> None:
    """Send no more mail of this kind; of a digest, of all that comes daily or weekly."""
    now = choices_of(user)
    kinds = [name for name, often in now.items() if often in {Often.DAILY, Often.WEEKLY}]
    for name in kinds if kind == DIGEST else [kind]:
        MailChoice.objects.update_or_create(user=user, kind=name, defaults={"often": Often.NEVER})


# --- Addresses that mail does not reach ---------------------------------------------------------------------


def mail_address(user: User) -> str | None:
    """Return where mail reaches a member: confirmed, of an active account, and without trouble."""
    address = accounts.mail_address(user) if user.is_active else None
    return None if address is None or trouble_of(address) else address


def trouble_of(address: str) -> MailTrouble | None:
    return MailTrouble.objects.filter(email__iexact=address).first()


@transaction.atomic
def record_troubles(*, events: Iterable[tuple[str, str, str]]) -> int:
    """Keep what a provider told: (address, kind, detail); of members' addresses only. Return how many were theirs.

    A complaint weighs more than a bounce, and the last word counts otherwise.
    """
    known = 0
    for address, kind, detail in events:
        email = address.strip().lower()
        if not EmailAddress.objects.filter(email__iexact=email).exists():
            continue
        known += 1
        row, created = MailTrouble.objects.get_or_create(
            email=email, defaults={"kind": kind, "detail": detail[:300]}
        )
        if not created and row.kind != MailTrouble.Kind.COMPLAINT:
            row.kind, row.detail = kind, detail[:300]
            row.save(update_fields=["kind", "detail"])
    return known


def again_address(user: User) -> str:
    """Return the link that shows that mail reaches a member's address again."""
    token = signing.dumps([user.pk, accounts.mail_address(user)], salt=_AGAIN)
    return settings.PUBLIC_URL + reverse("profiles:mail_again", args=[token])


def read_again(token: str) -> str | None:
    """Return the address that such a link was sent to, while it is the member's and the link is younger than a week."""
    try:
        pk, address = signing.loads(token, salt=_AGAIN, max_age=_AGAIN_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    mine = EmailAddress.objects.filter(user=pk, email=address, verified=True).exists()
    return str(address) if mine else None


def forget_trouble(*, address: str) -> None:
    """The address was confirmed anew: mail goes there again."""
    MailTrouble.objects.filter(email__iexact=address).delete()


def on_confirmed(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    forget_trouble(address=email_address.email)


def connect() -> None:
    email_confirmed.connect(on_confirmed, dispatch_uid="profiles.preferences")
