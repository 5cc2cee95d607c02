"""Follow a search from the search page; stop following it from the list."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import FollowError, TooMany
from profiles.services import saved_searches


@require_GET
@access.private
def button(request: HttpRequest) -> HttpResponse:
    """The small form below a search; strangers keep the link of the public page."""
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    text = request.GET.get("q", "")
    return render(request, "profiles/_search_button.html", {"text": text, **_standing(request, text)})


@require_http_methods(["GET", "POST"])
@access.member_required
def save(request: MemberRequest) -> HttpResponse:
    """GET asks, POST follows the search."""
    data = request.POST if request.method == "POST" else request.GET
    text, error = data.get("q", ""), ""
    if request.method == "POST":
        try:
            saved_searches.save(user=request.user, text=text)
        except (FollowError, TooMany) as refusal:
            error = str(refusal)
        else:
            if not wants_partial(request):
                messages.success(
                    request, "You follow this search: what it newly finds appears on your home page."
                )
                return redirect("profiles:following")
    context = {"text": text, "error": error, **_standing(request, text)}
    partial = wants_partial(request)
    return render(
        request, "profiles/_search_button.html" if partial else "profiles/search_save.html", context
    )


@require_POST
@access.member_required
def remove(request: MemberRequest, pk: UUID) -> HttpResponse:
    saved = access.saved_search(request.user, pk)
    saved_searches.remove(saved=saved)
    messages.success(request, f"You no longer follow the search “{saved.name}”.")
    return redirect("profiles:following")


def _standing(request: HttpRequest, text: str) -> dict[str, object]:
    rows = access.saved_searches(request.user)  # type: ignore[arg-type]
    clean = " ".join(text.split())
    return {"saved": any(saved_searches.text_of(row) == clean for row in rows)}
