"""What every request goes through: bad input refused, headers set, reads tried again while the database restarts."""

import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

MOST_BYTES = 20_000_000  # of a request, files included: three of 5 MB with a claim, and the rest of its form


class RefuseBadInput:
    """Answer 400 to NUL bytes in the address or its query: PostgreSQL text cannot hold them; 413 to huge bodies.

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
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:20]) > MOST_BYTES:
            return HttpResponse(
                "That is more than this site takes at once: 20 MB.", status=413, content_type="text/plain"
            )
        response = self.get_response(request)
        if request.path.startswith(settings.CSP_EXCEPT_TRUSTED_TYPES):
            response._csp_replace = {"require-trusted-types-for": None, "trusted-types": None}  # type: ignore[attr-defined]
        return response


class Headers:
    """Headers of every answer that no middleware of Django writes; what no view called public stays private."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"


class RetryReads:
    """Ask once more while the database restarts: reads are tried for six seconds, writes answer 503."""

    PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.0)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for pause in self.PAUSES:
            if not getattr(request, "database_away", False):
                return response
            if request.method not in {"GET", "HEAD"}:
                break
            time.sleep(pause)
            request.database_away = False  # type: ignore[attr-defined]
            response = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Notice that the connection broke or that time ran out; other errors of the database are our own."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        state = getattr(error.__cause__, "sqlstate", None) or ""
        if state in {"57014", "55P03"}:  # the time of a statement, or of waiting for a lock, is over
            return _try_again()
        if not state or state.startswith(("57P", "08")):
            connection.close()
            request.database_away = True  # type: ignore[attr-defined]
            return _try_again()
        return None


def _try_again() -> HttpResponse:
    text = "The database does not answer at the moment. Nothing was lost; try again shortly.\n"
    return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "5"})
