"""Where somebody is logged in, and since when: rows of allauth.usersessions, refreshed now and then."""

import time
from collections.abc import Callable

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

EVERY = 300  # seconds between two notes that a session was seen


class SessionsMiddleware:
    """Note every few minutes that a session is in use; allauth's own middleware writes with every request.

    Pages that did not look at the session stay as they are: the same for everybody, without a query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            request.session.accessed
            and (last := last_proof(request))
            and time.time() - last > EVERY
            and request.user.is_authenticated
            and cache.add(f"session-seen:{request.session.session_key}", 1, EVERY)
        ):
            UserSession.objects.create_from_request(request)
        return response


def last_proof(request: HttpRequest) -> float | None:
    """Return when the person of this session last proved who they are, by log-in or again later."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    last = records[-1] if isinstance(records, list) and records else None
    at = last.get("at") if isinstance(last, dict) else None
    return float(at) if isinstance(at, int | float) else None
