"""The flow itself: where to go, and what to make of the answers."""

from typing import Any

from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from requests import RequestException

from profiles.accounts.orcid.answers import OrcidError, ask_record
from works.identifiers import normalise_orcid


class OrcidAdapter(OAuth2Adapter):
    """Asks the ORCID of the settings; unlike allauth's, which knows orcid.org alone and only https."""

    provider_id = "orcid"

    @property
    def authorize_url(self) -> str:
        return f"{settings.ORCID_OAUTH_URL}/oauth/authorize"

    @property
    def access_token_url(self) -> str:
        return f"{settings.ORCID_OAUTH_URL}/oauth/token"

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Return the address that ORCID knows; it begins with PUBLIC_URL, never with the Host header."""
        return settings.PUBLIC_URL + reverse("orcid_callback")

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: OAuth2Client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        try:
            data = super().get_access_token_data(request, app, client, pkce_code_verifier)
        except OrcidError:
            raise
        except RequestException as error:
            raise OrcidError("ORCID could not be reached, or did not answer in time.") from error
        except (OAuth2Error, KeyError, ValueError, AttributeError, RecursionError) as error:
            raise OrcidError("ORCID did not accept the log-in.") from error
        if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
            raise OrcidError("ORCID sent an answer that cannot be read.")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Return the token, which is used for this one log-in and not kept."""
        return SocialToken(token=data["access_token"])

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        said = kwargs["response"].get("orcid")
        orcid = normalise_orcid(said) if isinstance(said, str) else None
        if orcid is None:
            raise OrcidError("ORCID did not say who you are.")
        return self.get_provider().sociallogin_from_response(request, ask_record(orcid))
