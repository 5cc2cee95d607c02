"""/accounts/orcid/login/ and /accounts/orcid/login/callback/, joined by allauth.urls."""

from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from profiles.accounts.orcid.provider import OrcidProvider

urlpatterns = default_urlpatterns(OrcidProvider)
