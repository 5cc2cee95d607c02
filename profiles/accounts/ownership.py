"""Whoever reads the mails of an address owns the account of it, and nothing of what others put there before.

Somebody may sign up with an address that is not theirs and wait until its owner confirms it. So an account that is
confirmed for the first time by somebody who cannot show that they signed up loses all that was set before.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed, password_reset
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from profiles.models import User

SIGNED_UP = "signed_up"  # in the session: the account that was made in this browser


def remember_sign_up(request: HttpRequest, user: User) -> None:
    request.session[SIGNED_UP] = user.pk


def signed_up_here(request: HttpRequest, user: User) -> bool:
    return request.session.get(SIGNED_UP) == user.pk


def has_confirmed(user: User) -> bool:
    return EmailAddress.objects.filter(user=user, verified=True).exists()


@transaction.atomic
def start_afresh(*, user: User, keep_password: bool = False) -> None:
    """Take away whatever was set on an account before its owner came."""
    SocialAccount.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user, verified=False, primary=False).delete()
    user.display_name = ""
    fields = ["display_name"]
    if not keep_password:
        user.set_unusable_password()
        fields.append("password")
    user.save(update_fields=fields)


def forget_unconfirmed(email: str) -> None:
    """Let go of an address that somebody added to their account and never confirmed: it may be another's.

    Only further addresses of accounts that have a confirmed one; an account's first address stays.
    """
    confirmed = EmailAddress.objects.filter(user=OuterRef("user"), verified=True)
    EmailAddress.objects.filter(
        Exists(confirmed), email=email.lower(), verified=False, primary=False
    ).delete()


def on_confirmed(sender: Any, request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    """Start afresh where the first address of an account is confirmed by somebody else than who signed up.

    By the link or by a code. What a moderator confirms in the admin leaves the account as it is.
    """
    user = email_address.user
    others = EmailAddress.objects.filter(user=user, verified=True).exclude(pk=email_address.pk)
    match = request.resolver_match
    if signed_up_here(request, user) or others.exists() or (match and "admin" in match.namespaces):
        return
    start_afresh(user=user)


def on_reset(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Start afresh, but for the password just chosen, where an account without a confirmed address is reset.

    The link went to that address: whoever has it may confirm it from this browser as if they had signed up in it.
    """
    if not has_confirmed(user):
        start_afresh(user=user, keep_password=True)
        remember_sign_up(request, user)


def connect() -> None:
    email_confirmed.connect(on_confirmed, dispatch_uid="profiles.ownership.confirmed")
    password_reset.connect(on_reset, dispatch_uid="profiles.ownership.reset")
