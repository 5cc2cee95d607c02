"""The provider as allauth's registry finds it (SOCIALACCOUNT_PROVIDERS["orcid"]["provider_class"])."""

from typing import Any

from allauth.socialaccount.providers.orcid.provider import OrcidProvider as AllauthOrcidProvider
from django.http import HttpRequest

from profiles.accounts.orcid.oauth import OrcidAdapter
from profiles.accounts.orcid.record import display_name, kept


class OrcidProvider(AllauthOrcidProvider):
    """ORCID tells us an iD and a record; an e-mail address is never believed, nor even taken."""

    name = "ORCID"
    package = "profiles.accounts.orcid"
    oauth2_adapter_class = OrcidAdapter

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"name": display_name(data)}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return kept(data)

    # Neither may a link to our log-in widen what we ask ORCID for.
    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, Any]:
        return self.get_auth_params()

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return self.get_scope()


provider_classes = [OrcidProvider]
