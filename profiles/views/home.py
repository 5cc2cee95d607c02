"""/me/: where a member arrives, with the feed; the same feed as Atom at a private address."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed as Syndication
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_GET, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access, queries
from profiles.access import MemberRequest
from profiles.feed import KINDS, Cursor, Item, feed
from profiles.models import User
from profiles.services import preferences


@require_GET
@access.member_required
def home(request: MemberRequest) -> HttpResponse:
    """Show a page of the feed; what else a member arrives for is a panel of its own (home_account)."""
    after = Cursor.parse(request.GET.get("after", ""))
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    state = access.feed_state(request.user)
    context: dict[str, Any] = {
        "feed": feed(user=request.user, state=state, after=after, kind=kind),
        "after": after,
        "kind": kind,
        "kinds": KINDS.items(),
    }
    if wants_partial(request):
        return render(request, "profiles/_feed.html", context)
    request.user.unread_count = state["unread"]  # type: ignore[attr-defined]  # asked for already
    if not context["feed"].items:
        context["follows"] = any(queries.follow_counts(request.user).values())
    return render(request, "profiles/home.html", context)


@require_GET
@access.member_required
def home_account(request: MemberRequest) -> HttpResponse:
    """The panels beside the feed: one's page, claims and invitations; a page of its own without htmx."""
    context = {
        "researcher": access.researcher(request.user),
        "claims": access.claims(request.user).filter(state__in=["submitted", "in_review", "appealed"]),
        "pending": queries.pending_invitations(request.user)[:5],
    }
    if wants_partial(request):
        return render(request, "profiles/_home_account.html", context)
    return render(request, "profiles/home_account.html", context)


@require_POST
@access.member_required
def feed_read(request: MemberRequest) -> HttpResponse:
    """Mark as read what came until a moment, which the page names: nothing that came since is lost."""
    preferences.mark_feed_read(user=request.user, until=_moment(request.POST.get("until", "")))
    return redirect("profiles:home")


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text[:40])
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


class PrivateAtom(Syndication):
    """The feed for a reader of feeds. Whoever has the address reads it, so it names nothing private.

    It does not say whose it is, nor which follows or searches brought an entry.
    """

    feed_type = Atom1Feed
    title = "New on BZPEER"
    subtitle = "Works, verified researchers and collaborations from what you follow."

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().__call__(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, max-age=300"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def get_object(self, request: HttpRequest, token: str) -> User:
        return access.feed_owner(token)

    def link(self, user: User) -> str:
        return settings.PUBLIC_URL + "/"

    def items(self, user: User) -> list[Item]:
        return feed(user=user, state=access.feed_state(user), size=40).items

    def item_title(self, item: Item) -> str:
        if item.work:
            return str(item.work)
        if item.kind == "step":
            return f"{item.people[0]} is now {item.level_name.lower()} (L{item.level})"
        return f"{item.people[0]} and {item.people[1]} work together"

    def item_description(self, item: Item) -> str:
        if item.work is None:
            return ""
        rows = item.work.byline  # type: ignore[attr-defined]
        names = ", ".join(row.author.display_name if row.author and not row.author.suppressed else row.printed for row in rows)  # fmt: skip
        return f"{names} ({item.work.publication_year or 'no year'})"

    def item_link(self, item: Item) -> str:
        return settings.PUBLIC_URL + (item.work.get_absolute_url() if item.work else item.people[0].url)

    def item_guid(self, item: Item) -> str:
        return f"{settings.PUBLIC_URL}{reverse('works:home')}#{item.key}"

    item_guid_is_permalink = False

    def item_updateddate(self, item: Item) -> datetime:
        return item.at
