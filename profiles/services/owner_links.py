"""Pages of a researcher elsewhere: at most ten, over https, and whether they link back with rel="me"."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from bzpeer.lib.names import clean
from profiles.exceptions import OwnerError, TooMany
from profiles.models import Change, Researcher, ResearcherLink
from profiles.services.owner import lock_page, write_down

MOST = 10
CHANGES_AN_HOUR = 30  # every new address is fetched
AGAIN_AFTER = timedelta(days=30)
AT_ONCE = 50  # links that one task looks at

Links = Sequence[tuple[str, str]]  # (address, label)


@transaction.atomic
def set_links(*, researcher: Researcher, links: Links, undoes: Change | None = None) -> Change | None:
    """Show these links, in order; an address that stays keeps what was found there. Raises OwnerError."""
    researcher = lock_page(researcher)
    wanted = [(checked_address(url), clean(label)[:80]) for url, label in links]
    if len(wanted) > MOST:
        raise OwnerError(f"{MOST} links fit on your page.")
    if len({url for url, _ in wanted}) < len(wanted):
        raise OwnerError("One address stands here twice.")
    before, after = value_of(researcher), {"links": [{"url": url, "label": label} for url, label in wanted]}
    if before == after:
        return None
    hour = timezone.now() - timedelta(hours=1)
    if researcher.author.changes.filter(kind=Change.Kind.LINKS, at__gt=hour).count() >= CHANGES_AN_HOUR:
        raise TooMany("You changed your links many times within an hour. Please go on later.")
    known = {link.url: link for link in researcher.links.all()}
    researcher.links.exclude(url__in=[url for url, _ in wanted]).delete()
    for position, (url, label) in enumerate(wanted):
        link = known.get(url) or ResearcherLink(researcher=researcher, url=url)
        link.label, link.position = label, position
        link.save()
    _ring()
    return write_down(researcher, Change.Kind.LINKS, before, after, undoes=undoes)


def value_of(researcher: Researcher) -> dict[str, Any]:
    return {"links": list(researcher.links.order_by("position", "pk").values("url", "label"))}


def checked_address(url: str) -> str:
    """Return a web address as it is kept. Raises OwnerError for what is none that others may be sent to."""
    url = clean(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
        parts = urlsplit("")
    if parts.scheme.lower() != "https" or "." not in host or len(url) > 500 or " " in url:
        raise OwnerError(f"“{url[:80]}” is no address that begins with https:// and names a site.")
    if parts.username or parts.password or (port and port != 443):
        raise OwnerError(f"“{url[:80]}” holds a name, a password or a port; leave them out.")
    return url


# --- Whether they link back -------------------------------------------------------------------------


@transaction.atomic
def ask_again(*, researcher: Researcher) -> None:
    """Look at the links anew; once an hour at most."""
    researcher = lock_page(researcher)
    hour = timezone.now() - timedelta(hours=1)
    if not researcher.links.filter(Q(checked_at=None) | Q(checked_at__lt=hour)).update(checked_at=None):
        raise OwnerError("They were looked at within the last hour. Please ask again later.")
    _ring()


def check_links() -> int:
    """Fetch the pages that wait for a look, or had their last one long ago; return how many."""
    due = Q(checked_at=None) | Q(checked_at__lt=timezone.now() - AGAIN_AFTER)
    links = (
        ResearcherLink.objects.filter(due).select_related("researcher__author").order_by("checked_at", "pk")
    )
    found = list(links[:AT_ONCE])
    for link in found:
        check_link(link)
    return len(found)


def check_link(link: ResearcherLink) -> None:
    """Fetch one page and note whether it links to the researcher's page with rel="me"."""
    from profiles.claims.fetching import FetchError, fetch_page, my_links  # the web's processes never fetch

    now = timezone.now()
    pid = link.researcher.author.pid
    try:
        addresses = my_links(fetch_page(link.url))
    except FetchError as error:
        here, trouble = False, str(error)[:200]
    else:
        ours = f"{settings.PUBLIC_URL}/researchers/{pid}/"
        here = any(f"{address}/".startswith(ours) for address in addresses)
        trouble = "" if here else 'It has no link to your page with rel="me".'
    ResearcherLink.objects.filter(pk=link.pk, url=link.url).update(
        checked_at=now, links_back_at=now if here else None, trouble=trouble
    )


def _ring() -> None:
    from profiles.tasks import check_links as task

    ring(task)
