"""The public log of a researcher's page: the same bytes for every reader."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.errors import gone, not_found
from bzpeer.lib.public import canonical_redirect, public_page
from profiles.public_log import Cursor, public_log
from works.models import Author
from works.queries import record_by_pid


@public_page
def author_history(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    """What happened to claims and to the record: when, what and in which part; never who or why."""
    author = record_by_pid(Author.objects.defer("search"), pid)
    if author is None:
        return not_found(request)
    if author.suppressed:
        return gone(request)
    address = author.get_absolute_url() + "history/"
    if elsewhere := canonical_redirect(request, address):
        return elsewhere
    after = Cursor.parse(request.GET.get("after", ""))
    context = {
        "author": author,
        "address": address,
        "log": public_log(author, after),
        "after": after,
    }
    return render(request, "profiles/history.html", context)
