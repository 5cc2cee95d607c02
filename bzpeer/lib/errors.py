"""Error pages: what happened and what to do next."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None, **context: Any) -> HttpResponse:
    """Answer 404 with a search box, filled with the words of the address where it has any.

    context: scheme and value of an identifier that nobody here has.
    """
    context.setdefault("query", _words_of(request.path))
    return render(request, "errors/404.html", context, status=404)


def gone(request: HttpRequest) -> HttpResponse:
    """Answer 410 for a record that was hidden on request."""
    # Its canonical address names no record: an old readable address may hold a name that is hidden now.
    return render(request, "errors/410.html", {"canonical_url": settings.PUBLIC_URL}, status=410)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 from a template that needs no database, no cache and no context."""
    return HttpResponse(loader.get_template("errors/500.html").render({}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "errors/403.html", {"csrf": True}, status=403)


def _words_of(path: str) -> str:
    """Return the readable words at the end of an address: "/researchers/abc/liu-ke/" gives "liu ke"."""
    parts = [part for part in path.split("/") if part]
    if len(parts) < 3:
        return ""
    return " ".join(parts[2].replace("-", " ").split())[:80]
