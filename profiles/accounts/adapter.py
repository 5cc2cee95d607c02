"""How allauth treats our accounts."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from profiles.access import safe_path
from profiles.accounts.devices import is_known_device, remember_device
from profiles.accounts.ownership import remember_sign_up
from profiles.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Our wording and addresses for sign-up, log-in and their mails.

    Links in mails begin with PUBLIC_URL, never with the Host header of the request.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address and the password do not belong together.",
        "too_many_login_attempts": "Too many failed tries. Wait five minutes, then try again.",
    }

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        user.display_name = form.cleaned_data.get("display_name", "")
        saved = super().save_user(request, user, form, commit)
        if commit:
            remember_sign_up(request, saved)
        return saved

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Count the log-in itself as a fresh proof; tell the member by mail of one from an unknown browser."""
        records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY)
        if records:
            records[-1]["reauthenticated"] = True
            request.session.modified = True
        known = is_known_device(request, user)
        response = super().post_login(request, user, **kwargs)
        if not known and not kwargs["signup"]:
            self.send_notification_mail("account/email/new_device", user)
        remember_device(request, response, user)
        return response

    def is_safe_url(self, url: str | None) -> bool:
        """Redirects stay on this very site."""
        return bool(url) and safe_path(self.request, url, default="") == url

    # --- Mails ---

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail into the outbox, but nothing to people who have no account.

        The mail to a stranger is written and taken back, so that both take the same time.
        """
        with transaction.atomic():
            context = {**context, "public_url": settings.PUBLIC_URL, "contact_email": settings.CONTACT_EMAIL}
            super().send_mail(template_prefix, email, context)
            if template_prefix == "account/email/unknown_account":
                transaction.set_rollback(True)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link for the mail; it carries `next`, should the mail be read in another browser."""
        url = settings.PUBLIC_URL + reverse("account_confirm_email", args=[emailconfirmation.key])
        target = request.POST.get("next") or request.GET.get("next")
        return f"{url}?{urlencode({'next': target})}" if target and self.is_safe_url(target) else url

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _, rest = key.partition("-")
        return settings.PUBLIC_URL + reverse("account_reset_password_from_key", args=[uid, rest])

    def send_account_already_exists_mail(self, email: str) -> None:
        self.send_mail(
            "account/email/account_already_exists",
            email,
            {"password_reset_url": settings.PUBLIC_URL + reverse("account_reset_password")},
        )

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        if self.request.user.is_authenticated:
            return reverse("account_email") if self.request.user.last_login else "/me/"
        return settings.LOGIN_URL

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("profiles:security")
