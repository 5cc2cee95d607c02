"""Follow and unfollow: a confirmation page for readers without JavaScript, a fragment for the others."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access, queries
from profiles.access import MemberRequest
from profiles.exceptions import TooMany
from profiles.services import follows
from profiles.services.follows import Target


def _find(kind: str, pid: str) -> tuple[str, Target]:
    kind = "author" if kind == "researcher" else kind
    return kind, follows.find_target(kind, pid)


def _context(kind: str, target: Target, following: bool, **more: object) -> dict[str, object]:
    return {"kind": kind, "record": target, "following": following, **more}


@require_GET
@access.private
def follow_button(request: HttpRequest, kind: str, pid: str) -> HttpResponse:
    """The button as this viewer needs it, and the live count; strangers get the link of the public page."""
    kind, target = _find(kind, pid)
    user = request.user if request.user.is_authenticated else None
    following = bool(user and follows.is_following(user=user, target=target))
    context = _context(kind, target, following, member=bool(user), live=True)
    return render(request, "profiles/_follow_button.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def follow(request: MemberRequest, kind: str, pid: str) -> HttpResponse:
    """GET asks, POST follows."""
    kind, target = _find(kind, pid)
    error = ""
    if request.method == "POST":
        try:
            target = follows.follow(follower=request.user, target=target)
        except TooMany as refusal:
            error = str(refusal)
    return _answer(request, kind, target, error)


@require_POST
@access.member_required
def unfollow(request: MemberRequest, kind: str, pid: str) -> HttpResponse:
    kind, target = _find(kind, pid)
    target = follows.unfollow(follower=request.user, target=target)
    return _answer(request, kind, target, undone=True)


def _answer(
    request: MemberRequest, kind: str, target: Target, error: str = "", undone: bool = False
) -> HttpResponse:
    following = follows.is_following(user=request.user, target=target)
    context = _context(kind, target, following, error=error, undone=undone, member=True, live=True)
    if wants_partial(request):
        row = request.headers.get("HX-Target", "").startswith("follow-row")
        return render(
            request, "profiles/_follow_row.html" if row else "profiles/_follow_button.html", context
        )
    if request.method == "POST" and not error:
        if request.POST.get("next"):
            text = f"You no longer follow {target}." if undone else f"You follow {target}."
            messages.success(request, text)
            return redirect(access.safe_path(request, request.POST["next"]))
        return redirect("profiles:follow", kind, target.pid)
    return render(request, "profiles/follow.html", context)


@require_GET
@access.member_required
def following(request: MemberRequest) -> HttpResponse:
    page = Paginator(access.follows(request.user), 50).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "counts": queries.follow_counts(request.user),
        "searches": access.saved_searches(request.user),
    }
    return render(request, "profiles/following.html", context)
