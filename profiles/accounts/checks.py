"""Settings of ORCID that would let anybody be anybody."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
NAMES = ("ORCID_OAUTH_URL", "ORCID_API_URL")


@register(Tags.security)
def orcid_addresses(**kwargs: Any) -> list[CheckMessage]:
    """Refuse addresses without https, but on this machine, and half a set of credentials."""
    found: list[CheckMessage] = []
    for name in NAMES:
        try:
            address = urlsplit(getattr(settings, name))
            host = address.hostname or ""
        except ValueError:  # "http://[": not an address at all
            address, host = urlsplit(""), ""
        bare = not address.path and not address.query and not address.username
        if (
            not host
            or not bare
            or (address.scheme != "https" and not (address.scheme == "http" and host in LOOPBACK))
        ):
            hint = "Give it as https://orcid.org, without a path; http is for servers on this machine only."
            found.append(Error(f"{name} is not a safe address.", hint=hint, id="profiles.E001"))
    if bool(settings.ORCID_CLIENT_ID) != bool(settings.ORCID_CLIENT_SECRET):
        hint = "Set both ORCID_CLIENT_ID and ORCID_CLIENT_SECRET, or neither."
        found.append(Warning("ORCID is half set up, so it is not offered.", hint=hint, id="profiles.W001"))
    return found


@register(Tags.security, deploy=True)
def no_sandbox(**kwargs: Any) -> list[CheckMessage]:
    """Refuse ORCID's sandbox, where everybody may be everybody, and servers on this machine, on a public site."""
    if settings.LOCAL:
        return []
    found: list[CheckMessage] = []
    for name in NAMES:
        host = urlsplit(getattr(settings, name)).hostname or ""
        if not (host == "orcid.org" or host.endswith(".orcid.org")) or "sandbox" in host.split("."):
            hint = "Leave it out: an iD of the sandbox or of another server proves nothing about a person."
            found.append(Error(f"{name} is not ORCID's own register.", hint=hint, id="profiles.E002"))
    return found
