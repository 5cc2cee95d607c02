"""What mail providers tell of mails that did not arrive or were not wanted.

A provider's own webhook is turned into this by a small relay at the host:

    POST /mail/trouble/
    X-Timestamp: seconds since 1970, at most five minutes off
    X-Signature: hex HMAC-SHA256 of "<timestamp>.<body>" with MAIL_WEBHOOK_SECRET
    {"events": [{"email": "somebody@example.org", "kind": "bounce" or "complaint", "detail": "550 no such user"}]}

At most 1,000 events at once; addresses of nobody here are not kept. Without a secret nothing is taken in.
"""

import hashlib
import hmac

import msgspec
from django.conf import settings
from django.utils import timezone

from profiles import mail
from profiles.exceptions import PreferenceError
from profiles.models import MailTrouble, User
from profiles.services import accounts, preferences

MOST_EVENTS = 1000
MOST_SECONDS = 300


class NotSigned(PreferenceError):
    pass


def signature_of(body: bytes, timestamp: str, secret: str) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def read(*, body: bytes, timestamp: str, signature: str) -> list[tuple[str, str, str]]:
    """Return the events of a signed message as (address, kind, detail)."""
    secret = settings.MAIL_WEBHOOK_SECRET
    digits = timestamp[:12]
    if not secret or not (digits.isascii() and digits.isdigit()):
        raise NotSigned("The signature is missing.")
    if abs(timezone.now().timestamp() - int(digits)) > MOST_SECONDS:
        raise NotSigned("The timestamp is more than five minutes off.")
    if not hmac.compare_digest(signature_of(body, digits, secret).encode(), signature.encode()):
        raise NotSigned("The signature does not fit.")
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PreferenceError("This is not JSON.") from error
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise PreferenceError(f"Send a list of at most {MOST_EVENTS} events.")
    return [_event(event) for event in events]


def _event(event: object) -> tuple[str, str, str]:
    fields = event if isinstance(event, dict) else {}
    address, kind, detail = (fields.get(name, "") for name in ("email", "kind", "detail"))
    if not (isinstance(address, str) and isinstance(detail, str) and kind in MailTrouble.Kind.values):
        raise PreferenceError("An event has an email, a kind (bounce or complaint) and perhaps a detail.")
    return address.replace("\x00", "")[:254], kind, detail.replace("\x00", "")[:300]


def ask_again(*, user: User) -> bool:
    """Send a member the link that ends the trouble with their address; return whether there was any."""
    address = accounts.mail_address(user)
    if address is None or preferences.trouble_of(address) is None:
        return False
    mail.write("address_again", address, {"link": preferences.again_address(user)})
    return True
