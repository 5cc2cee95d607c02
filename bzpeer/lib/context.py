"""What every page may say about the site itself; never about its viewer."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

HTMX_CONFIG = (
    '{"allowEval":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,'
    '"allowScriptTags":false,"historyCacheSize":0}'
)


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "public_url": settings.PUBLIC_URL,
        "contact_email": settings.CONTACT_EMAIL,
        "canonical_url": settings.PUBLIC_URL + request.path,
        "htmx_config": HTMX_CONFIG,
    }
