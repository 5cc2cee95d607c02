"""Take along what one follows as a table, and bring such a table: first read, then chosen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import FollowError
from profiles.services import follow_lists


@require_GET
@access.member_required
def export(request: MemberRequest) -> HttpResponse:
    response = HttpResponse("".join(follow_lists.table(request.user)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="following.csv"'
    return response


@require_http_methods(["GET", "POST"])
@access.member_required
def read(request: MemberRequest) -> HttpResponse:
    """Show what a file names here, to choose from; nothing is followed yet."""
    context: dict[str, object] = {"most": follow_lists.MOST_ROWS}
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise FollowError("Choose a file first.")
            if (file.size or 0) > follow_lists.MOST_BYTES:
                raise FollowError("This file is larger than 500 kB.")
            lines = follow_lists.read_table(user=request.user, data=file.read())
        except FollowError as refusal:
            context["error"] = str(refusal)
        else:
            context |= {
                "read": True,
                "new": [line for line in lines if line.target and not line.following],
                "known": [line for line in lines if line.following],
                "missing": [line for line in lines if line.problem],
            }
    return render(request, "profiles/following_import.html", context)


@require_POST
@access.member_required
def choose(request: MemberRequest) -> HttpResponse:
    chosen = [
        (kind, pid)
        for kind, _, pid in (word.partition(":") for word in request.POST.get("records", "").split())
    ]
    count, refusal = follow_lists.follow_all(user=request.user, chosen=chosen)
    messages.success(request, f"You follow {count} more record{'' if count == 1 else 's'}.")
    if refusal:
        messages.warning(request, refusal)
    return redirect("profiles:following")
