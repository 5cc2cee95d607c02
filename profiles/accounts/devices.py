"""Which browsers a member has logged in from before: a signed cookie in the browser, no list of ours."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from profiles.models import User

COOKIE = "bzpeer_device" if settings.LOCAL else "__Host-bzpeer_device"
SALT = "profiles.accounts.devices"
YEAR = 365 * 24 * 3600
MOST = 10  # members who share a browser


def is_known_device(request: HttpRequest, user: User) -> bool:
    return user.pk in _known(request)


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    members = [user.pk, *(pk for pk in _known(request) if pk != user.pk)][:MOST]
    response.set_signed_cookie(
        COOKIE,
        ".".join(map(str, members)),
        salt=SALT,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known(request: HttpRequest) -> list[int]:
    members = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=YEAR)
    return [int(pk) for pk in (members or "").split(".") if pk]
