"""A fresh proof of who it is, before steps that could lock a member out or give their data away."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from profiles.accounts.sessions import last_proof

View = Callable[..., HttpResponseBase]
SAFE = {"GET", "HEAD"}
# Views of allauth that ask for a proof themselves, but not of members who have nothing to prove it with there.
ALWAYS = {
    "account_set_password",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
}
WRITES = {"account_email", "socialaccount_connections", "orcid_login"}


def log_in_again(request: HttpRequest) -> HttpResponseBase | None:
    """Log a member out who can prove themselves in no other way; None where they can, or just did."""
    if not request.user.is_authenticated or get_adapter(request).get_reauthentication_methods(request.user):
        return None
    last = last_proof(request)
    if last is not None and time.time() - last < app_settings.REAUTHENTICATION_TIMEOUT:
        return None
    logout(request)
    messages.info(request, "Log in once more before this step, so that it is sure that it is you.")
    here = request.get_full_path() if request.method in SAFE else request.path
    return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': here})}")


class ProofMiddleware:
    """Have members without password, application or passkey log in once more before allauth's own steps."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in ALWAYS or (name in WRITES and request.method not in SAFE):
            return log_in_again(request)
        return None
