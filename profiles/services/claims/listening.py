"""New evidence from the account pages: whoever confirms an address or connects ORCID need not press "Look again"."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_updated
from django.db import transaction

from profiles.models import User
from profiles.services.claims.filing import look_at_open_claims


def on_confirmed(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    _look(email_address.user)


def on_connected(sender: Any, sociallogin: SocialLogin, **kwargs: Any) -> None:
    _look(sociallogin.user)


def _look(user: User) -> None:
    """Look once what the account pages do is done; robust, because it was done whatever becomes of the claims."""
    transaction.on_commit(lambda: look_at_open_claims(user=user), robust=True)


def connect() -> None:
    email_confirmed.connect(on_confirmed, dispatch_uid="profiles.claims")
    for signal in (social_account_added, social_account_updated):
        signal.connect(on_connected, dispatch_uid="profiles.claims")
