"""How allauth treats people who come from ORCID."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render

from profiles.accounts.orcid.answers import BoundedSession, OrcidError
from profiles.models import User


def is_configured() -> bool:
    return bool(settings.ORCID_CLIENT_ID and settings.ORCID_CLIENT_SECRET)


class SocialAdapter(DefaultSocialAccountAdapter):
    """ORCID from the settings alone, asked within bounds; its troubles as pages that say what to do."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "connected_other": "This ORCID iD is connected to another account.",
        "no_password": "Set a password first: without it and without ORCID you could not log in any more.",
    }

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the one application, unless ORCID is not set up here or something else is asked for."""
        if (
            not is_configured()
            or provider not in {None, "orcid"}
            or client_id not in {None, settings.ORCID_CLIENT_ID}
        ):
            return []
        return [_app()]

    def get_app(self, request: HttpRequest | None, provider: str, client_id: str | None = None) -> SocialApp:
        """Return the application also where ORCID is not set up any more: an iD can still be disconnected."""
        return _app()

    def get_requests_session(self) -> BoundedSession:
        return BoundedSession()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let a member connect one iD: a person has one, and evidence must not hang on which one is meant."""
        if sociallogin.state.get("process") != "connect" or not request.user.is_authenticated:
            return
        others = SocialAccount.objects.filter(user=request.user).exclude(uid=sociallogin.account.uid)
        if others.exists():
            messages.error(request, "Your account has another ORCID iD. Disconnect that one first.")
            raise ImmediateHttpResponse(redirect("socialaccount_connections"))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Take the name for the sign-up form to propose, and nothing else."""
        user = sociallogin.user
        assert isinstance(user, User)  # noqa: S101 - new_user made it
        user.display_name = data.get("name", "")
        return user

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        user = sociallogin.user
        assert isinstance(user, User)  # noqa: S101 - as above
        return {"display_name": user.display_name}

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Log nobody in by an address: whoever ORCID says somebody is, their iD alone says it."""

    def is_email_verified(self, provider: Any, email: str) -> bool:
        return False

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = AuthError.UNKNOWN,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Answer with a page that says what happened; only a refusal has allauth's own."""
        if error == AuthError.CANCELLED:
            return
        state = (extra_context or {}).get("state") or {}
        if isinstance(exception, OrcidError):
            sentence, status = str(exception), 502
        elif not state:
            sentence, status = (
                "This log-in was begun in another browser, too long ago, or was finished already.",
                400,
            )
        else:
            sentence, status = "ORCID did not let the log-in pass.", 502
        context = {
            "sentence": sentence,
            "process": "connect" if state.get("process") == "connect" else "login",
            "next_path": state.get("next", ""),
        }
        raise ImmediateHttpResponse(
            render(request, "socialaccount/authentication_error.html", context, status=status)
        )


def _app() -> SocialApp:
    return SocialApp(
        provider="orcid",
        name="ORCID",
        client_id=settings.ORCID_CLIENT_ID,
        secret=settings.ORCID_CLIENT_SECRET,
    )
