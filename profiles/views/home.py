"""/me/: where a member arrives."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from bzpeer.lib.htmx import wants_partial
from profiles import access, queries
from profiles.access import MemberRequest


@require_GET
@access.member_required
def home(request: MemberRequest) -> HttpResponse:
    after = queries.Cursor.parse(request.GET.get("after", ""))
    feed = queries.feed(user=request.user, after=after)
    if wants_partial(request):
        return render(request, "profiles/_feed.html", {"feed": feed})
    context = {
        "feed": feed,
        "after": after,
        "researcher": access.researcher(request.user),
        "claims": access.claims(request.user).filter(state__in=["submitted", "in_review", "appealed"]),
        "pending": queries.pending_invitations(request.user)[:5],
        "counts": queries.follow_counts(request.user),
    }
    return render(request, "profiles/home.html", context)
