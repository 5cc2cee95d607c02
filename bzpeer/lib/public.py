"""Pages that are the same bytes for every anonymous reader."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

# Browsers ask again each time, so that people see what they just did; caches in between may keep it for a minute.
PUBLIC = "public, max-age=0, s-maxage=60"


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let anybody keep the answer for a minute, and send it small. The view must not look at its viewer.

    Compression is safe here because such a page holds no secret and no token.
    """

    @wraps(view)
    def public(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", PUBLIC)
        return response

    return require_safe(gzip_page(public))


def canonical_redirect(request: HttpRequest, address: str) -> HttpResponse | None:
    """Return a permanent redirect to address, with the query kept, unless the reader is there already."""
    if request.path == unquote(address):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)
