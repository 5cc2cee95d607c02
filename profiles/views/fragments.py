"""What depends on who looks, with addresses of its own: public pages load these lazily."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from profiles import access
from profiles.viewer import author_viewer as viewer_of


@require_GET
@access.private
def author_viewer(request: HttpRequest, pid: str) -> HttpResponse:
    """The three panels of a researcher's page as this member needs them; strangers keep what they have."""
    author = access.public_author(pid)
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    context = {"author": author, "viewer": viewer_of(user=request.user, author=author)}
    return render(request, "profiles/_author_viewer.html", context)


@require_GET
@access.private
def account_nav(request: HttpRequest) -> HttpResponse:
    """The account's part of the top bar: log in, or one's own pages with the unread count."""
    return render(request, "profiles/_account_nav.html")
