"""The public page of a researcher: the same bytes for every anonymous reader."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.errors import gone
from bzpeer.lib.public import public_page
from profiles import author_page
from profiles.models import Researcher
from trust.queries import trust_snapshot
from works.models import Author
from works.queries import ORDERS
from works.views.records import find_record


@public_page
def author(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    record, redirect = find_record(request, Author.objects.defer("search"), pid)
    if record.suppressed:
        return gone(request)
    if redirect:
        return redirect
    facts = author_page.author_facts(record)
    tab = request.GET.get("tab", "")
    tab = tab if tab in author_page.TABS else "works"
    context = {
        "author": record,
        "researcher": Researcher.objects.filter(author=record, user__is_active=True).first()
        if record.claimed
        else None,
        "facts": facts,
        "line": author_page.contribution(record, facts),
        "snapshot": trust_snapshot(record),
        "tab": tab,
        "json_ld_data": author_page.structured_data(record, facts),
    }
    return render(request, "profiles/author.html", context | _tab(request, record, facts, tab))


def _tab(request: HttpRequest, record: Author, facts: author_page.Facts, tab: str) -> dict[str, Any]:
    number = request.GET.get("page")
    if tab == "collaborators":
        return {"page": author_page.author_collaborators(record, number)}
    if tab != "works":
        return {}
    order = request.GET.get("sort", "newest")
    order = order if order in ORDERS else "newest"
    year = author_page.chosen_year(request.GET.get("year", ""), facts.years)
    page = author_page.author_works_page(record, facts, year=year, order=order, number=number)
    return {"page": page, "year": year, "order": order}
