"""/me/recommendations/: what a worker found for a member, why, and what they do not want to see again."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access, recommended
from profiles.access import MemberRequest
from profiles.services import recommendations
from works.models import Author, Work

ON_HOME = 3
ASIDE = 50


@require_GET
@access.member_required
def recommendation_list(request: MemberRequest) -> HttpResponse:
    waiting = recommendations.is_being_worked_out(user=request.user)
    context = {
        "waiting": waiting,
        "panels": recommended.panels(request.user) if not waiting else [],
        "aside": access.not_interested(request.user)[:ASIDE],
    }
    if wants_partial(request):
        return render(request, "profiles/recommendations/_panels.html", context)
    return render(request, "profiles/recommendations/recommendations.html", context)


@require_GET
@access.member_required
def recommended_people(request: MemberRequest) -> HttpResponse:
    """The first researchers to follow, for the home page; loaded lazily, so that home costs no more."""
    waiting = recommendations.is_being_worked_out(user=request.user)
    people = [] if waiting else recommended.panels(request.user, ON_HOME)[0].items
    context = {"people": people, "waiting": waiting, "loaded": True}
    return render(request, "profiles/recommendations/_home_panel.html", context)


@require_POST
@access.member_required
def not_interested(request: MemberRequest, kind: str, pid: str) -> HttpResponse:
    target = _target(kind, pid)
    recommendations.not_interested(user=request.user, target=target)
    return _answer(request, kind, target, aside=True)


@require_POST
@access.member_required
def interested(request: MemberRequest, kind: str, pid: str) -> HttpResponse:
    """Take "not interested" back; what was recommended stands where it stood."""
    target = _target(kind, pid)
    recommendations.undo_not_interested(user=request.user, target=target)
    return _answer(request, kind, target, aside=False)


def _target(kind: str, pid: str) -> Author | Work:
    if kind == "work":
        return access.public_work(pid)
    if kind == "author":
        return access.public_author(pid)
    raise Http404("Nothing here.")


def _answer(request: MemberRequest, kind: str, target: Author | Work, aside: bool) -> HttpResponse:
    if wants_partial(request):
        row = request.headers.get("HX-Target", "")
        panel = row.split("-")[1] if row.count("-") == 3 and row.split("-")[1].isalpha() else "follow"
        context = {"kind": kind, "record": target, "panel": panel, "aside": aside}
        return render(request, "profiles/recommendations/_aside.html", context)
    text = (
        f"“{target}” is not recommended to you again."
        if aside
        else f"“{target}” may be recommended to you again."
    )
    messages.success(request, text)
    return redirect("profiles:recommendations")
