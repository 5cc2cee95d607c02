"""The two addresses of the flow: to ORCID, and back."""

from collections.abc import Callable

from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse

from profiles.accounts.orcid.oauth import OrcidAdapter
from profiles.accounts.social import is_configured

View = Callable[[HttpRequest], HttpResponse]


def _guarded(view: View) -> View:
    """Let nobody through where ORCID is not set up, nor anybody too often: the way back asks ORCID twice."""

    def wrapped(request: HttpRequest) -> HttpResponse:
        if not is_configured():
            raise Http404("This site does not use ORCID.")
        return consume_or_429(request, action="login") or view(request)

    return wrapped


oauth2_login = _guarded(OAuth2LoginView.adapter_view(OrcidAdapter))
oauth2_callback = _guarded(OAuth2CallbackView.adapter_view(OrcidAdapter))
