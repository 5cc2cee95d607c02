"""Refuse input that no view of ours can want, before it reaches one."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest


class RefuseBadInput:
    """Answer 400 to NUL bytes in the address or its query: PostgreSQL text cannot hold them.

    Also relaxes trusted types on the admin's pages, whose own scripts set innerHTML.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raw = request.META.get("QUERY_STRING", "").lower()
        if "\x00" in request.path or "%00" in raw or "\x00" in raw:
            return HttpResponseBadRequest(
                "The address holds a NUL character, which no record has.", content_type="text/plain"
            )
        response = self.get_response(request)
        if request.path.startswith(settings.CSP_EXCEPT_TRUSTED_TYPES):
            response._csp_replace = {"require-trusted-types-for": None, "trusted-types": None}  # type: ignore[attr-defined]
        return response
