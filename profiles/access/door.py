"""The door of every private page: who comes in, and who is sent to log in."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from bzpeer.lib.htmx import wants_partial
from profiles.models import (
    User,
)

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request that came through member_required."""

    user: User


def private(view: View) -> View:
    """Keep the answer out of every cache: it depends on who asks."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response

    return wrapped


def member_required(view: View) -> View:
    """Let members in; send others to the log-in page, from which they come back here."""

    @private
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        response = _to_login(request)
        add_never_cache_headers(response)
        return response

    return wrapped


def moderator_required(view: View) -> View:
    """Let moderators in; to everybody else the page does not exist."""

    @member_required
    @wraps(view)
    def wrapped(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_moderator:
            raise Http404("Nothing here.")
        return view(request, *args, **kwargs)

    return wrapped


def _to_login(request: HttpRequest) -> HttpResponse:
    partial = wants_partial(request)
    if partial:
        try:
            here = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:  # "http://[": the header is whatever somebody sends
            here = urlsplit("")
        path = f"{here.path}?{here.query}" if here.query else here.path
    elif request.method in {"GET", "HEAD"}:
        path = request.get_full_path()
    else:  # an action is a child of the page that holds its form
        path = request.path.rstrip("/").rpartition("/")[0] + "/"
    target = f"{settings.LOGIN_URL}?{urlencode({'next': safe_path(request, path)})}"
    return (
        HttpResponse(status=204, headers={"HX-Redirect": target}) if partial else HttpResponseRedirect(target)
    )


def safe_path(request: HttpRequest, path: str | None, default: str = "/me/") -> str:
    """Return path when it lies on this site, else default."""
    ok = path and url_has_allowed_host_and_scheme(path, {request.get_host()}, request.is_secure())
    return path if ok and path else default
