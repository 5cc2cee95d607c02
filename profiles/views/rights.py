"""What members may do with all that is held about them: take it along, or have it deleted."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from bzpeer.lib.htmx import wants_partial
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import TooMany
from profiles.models import DataExport
from profiles.services import data_export, deletion

DELAYS = (2, 3, 5, 8, 13, 21, 34)  # seconds between the looks of a page that waits

View = Callable[..., HttpResponseBase]


def fresh_login_required(*, allow_get: bool) -> Callable[[View], View]:
    """Let nobody through who did not say lately who they are; for views behind access.member_required.

    Who has a password, passkey or app is asked for that by allauth. Who has none of them logs in with another
    service: allauth would let them through unasked, here their log-in has to be as recent.
    """

    def decorator(view: View) -> View:
        asked_by_allauth = reauthentication_required(allow_get=allow_get)(view)

        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if get_adapter().get_reauthentication_methods(request.user):
                return cast(HttpResponseBase, asked_by_allauth(request, *args, **kwargs))
            if (allow_get and request.method == "GET") or _logged_in_lately(request):
                return view(request, *args, **kwargs)
            return render(request, "profiles/log_in_again.html", {"next": request.path}, status=403)

        return wrapped

    return decorator


def _logged_in_lately(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    return any(record["at"] > since for record in records)


@require_http_methods(["GET", "POST"])
@access.member_required
@fresh_login_required(allow_get=True)
def export(request: MemberRequest) -> HttpResponse:
    """How far the file with one's data is; POST asks for it."""
    if request.method == "POST":
        try:
            data_export.request_export(user=request.user)
        except TooMany as refusal:
            messages.error(request, str(refusal))
        return redirect("profiles:export")
    looks = request.GET.get("look", "")
    look = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 3 else 0
    newest = access.exports(request.user).first()
    waiting = newest is not None and newest.state == DataExport.State.QUEUED
    context = {
        "export": newest,
        "waiting": waiting,
        "delay": DELAYS[look] if waiting and look < len(DELAYS) else None,
        "next_url": f"{request.path}?look={look + 1}",
    }
    return render(request, f"profiles/{'_' if wants_partial(request) else ''}export.html", context)


@require_GET
@access.member_required
@fresh_login_required(allow_get=False)
def download(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The file itself: for its owner alone, who said lately who they are, and as long as it is kept."""
    found = access.export(request.user, pk)
    name = f"bzpeer-{found.created_at:%Y-%m-%d}.zip"
    return HttpResponse(
        bytes(found.content or b""),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "POST"])
@access.member_required
@fresh_login_required(allow_get=True)
def delete(request: MemberRequest) -> HttpResponse:
    """What goes and what stays; POST deletes."""
    if request.method == "POST":
        deletion.delete_account(user=request.user)
        logout(request)
        return render(request, "profiles/deleted.html")
    return render(request, "profiles/delete.html", {"researcher": access.researcher(request.user)})
