"""Settings of live sync that would open this site's inside to the world."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def no_loopback(**kwargs: Any) -> list[CheckMessage]:
    if not settings.SYNC_ALLOW_LOOPBACK or settings.DEBUG:
        return []
    return [
        Error(
            "SYNC_ALLOW_LOOPBACK lets live sync ask servers on this machine.",
            hint="Leave it out: it is for tests and development.",
            id="works.E001",
        )
    ]


@register(Tags.security)
def sound_addresses(**kwargs: Any) -> list[CheckMessage]:
    from works.sync.guard import Forbidden, origin_of  # httpx: only where checks run

    found: list[CheckMessage] = []
    for provider, address in settings.SYNC_ADDRESSES.items():
        try:
            sound = settings.SYNC_ALLOW_LOOPBACK or origin_of(address).scheme == "https"
        except Forbidden:
            sound = False
        if not sound:
            hint = "Give an address that begins with https://, or leave the setting out."
            found.append(
                Error(f"SYNC_{provider.upper()}_URL is not a safe address.", hint=hint, id="works.E002")
            )
    return found
