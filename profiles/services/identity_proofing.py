"""Identity proofing by federations (eduGAIN and the like), read as the REFEDS Assurance Framework (RAF 2.0) says it.

What counts. A host lists in settings.IDENTITY_ISSUERS which log-in provider, as allauth knows it
(SocialAccount.provider, the provider_id of an openid_connect or saml application), speaks for which issuer: the OpenID
issuer, or the entity id of the SAML identity provider. Nothing is listed by default, so nothing counts. Of a listed
issuer the values of eduPersonAssurance are read (SAML: urn:oid:1.3.6.1.4.1.5923.1.1.1.11; OpenID Connect:
eduperson_assurance), and all of this must hold:

- https://refeds.org/assurance is asserted, so that the values are meant as the framework means them;
- https://refeds.org/assurance/ID/unique is asserted: the account is one person's and goes to nobody else later;
- https://refeds.org/assurance/IAP/high or .../IAP/medium is asserted; low and local-enterprise give nothing;
- the name that the issuer asserts fits a name of the page that the member holds by an accepted claim.

It gives a line IDENTITY_HIGH or IDENTITY_MEDIUM for twelve months. The line hangs on the claim (its event key begins
as those of profiles.services.claims.ledger), so that it ends with it. Logging in again renews it, at most once in
thirty days; another level replaces it. Whatever else arrives is ignored with one sentence in the log, without the
values themselves.

An adapter of another kind (a proxy's headers, a file) calls read_proof() with the attributes it was told and the
issuer it is sure of, and record_proof() with what comes back.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.signals import user_logged_in
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_updated
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bzpeer.lib.names import clean
from profiles.claims.names import Fit, best_fit
from profiles.claims.subject import load_subject
from profiles.models import Claim, User
from profiles.services.claims import ledger
from trust import services as trust
from trust.models import Evidence

log = logging.getLogger(__name__)

RAF = "https://refeds.org/assurance"
UNIQUE = f"{RAF}/ID/unique"
KINDS = {f"{RAF}/IAP/high": Evidence.Kind.IDENTITY_HIGH, f"{RAF}/IAP/medium": Evidence.Kind.IDENTITY_MEDIUM}
LASTS = timedelta(days=365)
RENEWED_AFTER = timedelta(days=30)

_ASSURANCE = ("eduperson_assurance", "eduPersonAssurance", "urn:oid:1.3.6.1.4.1.5923.1.1.1.11")
_WHOLE_NAMES = ("name", "displayName", "urn:oid:2.16.840.1.113730.3.1.241", "cn", "urn:oid:2.5.4.3")
_NAMES_IN_PARTS = (
    ("given_name", "family_name"),
    ("givenName", "sn"),
    ("urn:oid:2.5.4.42", "urn:oid:2.5.4.4"),
)
_MOST_VALUES, _LONGEST_VALUE = 100, 300


class NotCounted(Exception):
    """What was asserted does not count; the text says why, for the log, and repeats nothing that was sent."""


@dataclass(frozen=True)
class Proof:
    """A federation has proofed who somebody is."""

    kind: Evidence.Kind
    issuer: str
    names: tuple[str, ...]


# --- Reading --------------------------------------------------------------------------------------------


def read_proof(attributes: Mapping[str, Any], issuer: str) -> Proof:
    """Return what an issuer asserts, by attributes as SAML or OpenID Connect name them. Raises NotCounted."""
    if not issuer or issuer not in settings.IDENTITY_ISSUERS.values():
        raise NotCounted("the issuer is not among IDENTITY_ISSUERS")
    if not isinstance(attributes, Mapping):
        raise NotCounted("the attributes cannot be read")
    asserted = set(_values(attributes, *_ASSURANCE))
    if RAF not in asserted:
        raise NotCounted("the REFEDS assurance framework is not asserted")
    if UNIQUE not in asserted:
        raise NotCounted("a unique identifier is not asserted")
    kind = next((kind for value, kind in KINDS.items() if value in asserted), None)
    if kind is None:
        raise NotCounted("identity proofing of medium or high assurance is not asserted")
    names = tuple(dict.fromkeys(_names(attributes)))
    if not names:
        raise NotCounted("no name is asserted")
    return Proof(kind, issuer, names)


def proof_of_account(account: SocialAccount) -> Proof:
    """Return what the provider of an allauth account asserts by it. Raises NotCounted.

    Which issuer speaks is known from the provider that the host configured, never from what was sent: an issuer named
    in it may only agree.
    """
    issuer = settings.IDENTITY_ISSUERS.get(account.provider, "")
    data = account.extra_data
    if not isinstance(data, dict):
        raise NotCounted("the attributes cannot be read")
    # OpenID Connect: allauth keeps the token, and what the userinfo endpoint answered, which may be about another.
    parts = [part for key in ("id_token", "userinfo") if isinstance(part := data.get(key), dict)] or [data]
    if len({str(part.get("sub")) for part in parts}) > 1:
        raise NotCounted("the token and the user information are about different subjects")
    if any(part.get("iss", issuer) != issuer for part in parts):
        raise NotCounted("the token is of another issuer than the provider's")
    return read_proof({key: value for part in parts for key, value in part.items()}, issuer)


def _values(attributes: Mapping[str, Any], *keys: str) -> Iterator[str]:
    """Yield the texts under these keys: one, several in one, or a list; whatever else is there is passed over."""
    for key in keys:
        found = attributes.get(key)
        for value in (found if isinstance(found, list | tuple) else [found])[:_MOST_VALUES]:
            if isinstance(value, str):
                short = (part for part in re.split(r"[\s;]+", value[: _LONGEST_VALUE * 10]) if part)
                yield from (part for part in short if len(part) <= _LONGEST_VALUE)


def _texts(attributes: Mapping[str, Any], key: str) -> list[str]:
    found = attributes.get(key)
    values = (found if isinstance(found, list | tuple) else [found])[:5]
    texts = (clean(value[:_LONGEST_VALUE]) for value in values if isinstance(value, str))
    return [text for text in texts if text]


def _names(attributes: Mapping[str, Any]) -> Iterator[str]:
    for given_key, family_key in _NAMES_IN_PARTS:
        given, family = _texts(attributes, given_key), _texts(attributes, family_key)
        if given and family:
            yield f"{given[0]} {family[0]}"
    for key in _WHOLE_NAMES:
        yield from _texts(attributes, key)


# --- Writing --------------------------------------------------------------------------------------------


@transaction.atomic
def record_proof(*, user: User, proof: Proof) -> Evidence:
    """Write the line for the page that user holds, or return the one that stands. Raises NotCounted."""
    claim = (
        Claim.objects.select_for_update(of=("self",), no_key=True)
        .select_related("author")
        .filter(user=user, state=Claim.State.APPROVED)
        .first()
    )
    if claim is None:
        raise NotCounted("the member holds no page, or the claim is disputed")
    subject = load_subject(user=user, author=claim.author, claim=claim, for_update=False)
    if best_fit(proof.names, subject.author_names) is Fit.NONE:
        raise NotCounted("the name that the issuer asserts does not fit the page")
    now = timezone.now()
    lines = ledger.lines_of(claim).filter(kind__in=KINDS.values())
    standing = list(lines.filter(ended_by=None, expires_at__gt=now).order_by("observed_at"))
    same = [line for line in standing if line.kind == proof.kind and line.observed_at > now - RENEWED_AFTER]
    for line in standing:
        if line not in same:
            trust.end_evidence(line, "proofed anew")
    if same:
        return same[-1]
    return trust.record_evidence(
        author_id=claim.author_id,
        kind=proof.kind,
        source=(urlsplit(proof.issuer).hostname or proof.issuer)[:64],
        event_key=f"claim:{claim.pk}:{proof.kind}:{lines.filter(kind=proof.kind).count() + 1}",
        observed_at=now,
        expires_at=now + LASTS,
        detail={"issuer": proof.issuer},
    )


def look_at_account(account: SocialAccount) -> Evidence | None:
    """Write down what an account of a listed provider proves; say in the log why it does not count."""
    if account.provider not in settings.IDENTITY_ISSUERS:
        return None
    try:
        return record_proof(user=account.user, proof=proof_of_account(account))
    except NotCounted as reason:
        log.warning("Identity proofing of member %s was not counted: %s.", account.user_id, reason)
        return None


def look_at_member(user: User) -> None:
    """Look at the accounts that a member has connected: their claim may have been accepted after they logged in."""
    for account in SocialAccount.objects.filter(user=user, provider__in=settings.IDENTITY_ISSUERS).order_by(
        "pk"
    ):
        look_at_account(account)


# --- Signals --------------------------------------------------------------------------------------------


def on_social_login(sender: Any, sociallogin: SocialLogin | None = None, **kwargs: Any) -> None:
    """Look once the log-in is done; robust, because it was done whatever becomes of the evidence."""
    if sociallogin is None or sociallogin.account.provider not in settings.IDENTITY_ISSUERS:
        return
    key = sociallogin.account.pk
    transaction.on_commit(lambda: _look(key), robust=True)


def _look(key: int) -> None:
    if account := SocialAccount.objects.select_related("user").filter(pk=key).first():
        look_at_account(account)


def connect() -> None:
    for signal in (social_account_added, social_account_updated, user_logged_in):
        signal.connect(on_social_login, dispatch_uid="profiles.services.identity_proofing")
