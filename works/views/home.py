"""The first page, the privacy notice, and what robots read."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.public import public_page
from works import queries


@public_page
def home(request: HttpRequest) -> HttpResponse:
    works = queries.newest_works()
    queries.add_bylines(works)
    return render(
        request,
        "works/home.html",
        {
            "counts": queries.site_counts(),
            "authors": queries.busiest_authors(),
            "topics": queries.widest_topics(),
            "works": works,
        },
    )


@public_page
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "works/privacy.html")


ROBOTS = """\
User-agent: *
Disallow: /accounts/
Disallow: /me/
Disallow: /moderation/
Disallow: /admin/
Disallow: /search
Disallow: /graph/
Disallow: /refresh/
Disallow: /works/add/
Disallow: /correct/
Disallow: /follow/
Disallow: /unfollow/
Disallow: /researchers/*/history/
Disallow: /researchers/*/claim/
Disallow: /researchers/*/invite/
Disallow: /*/correct/
"""


@public_page
def robots(request: HttpRequest) -> HttpResponse:
    """Let records be found; keep robots out of what is private or without end."""
    return HttpResponse(f"{ROBOTS}\n# {settings.PUBLIC_URL}\n", content_type="text/plain; charset=utf-8")
