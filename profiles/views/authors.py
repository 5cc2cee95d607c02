"""The public page of a researcher: the same bytes for every anonymous reader."""

from typing import Any

from django.conf import settings
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
    record, redirect = find_record(
        request, Author.objects.select_related("researcher__user").defer("search"), pid
    )
    if record.suppressed:
        return gone(request)
    if redirect:
        return redirect
    facts = author_page.author_facts(record)
    researcher = _researcher(record)
    says = author_page.what_they_say(researcher) if researcher else None
    tab = request.GET.get("tab", "")
    tab = tab if tab in author_page.TABS else "works"
    context = {
        "author": record,
        "researcher": researcher,
        "says": says,
        "canonical_url": settings.PUBLIC_URL + record.get_absolute_url(),
        "facts": facts,
        "line": author_page.contribution(record, facts),
        "snapshot": trust_snapshot(record),
        "tab": tab,
        "json_ld_data": author_page.structured_data(record, facts),
    }
    return render(request, "profiles/author.html", context | _tab(request, record, facts, says, tab))


def _researcher(record: Author) -> Researcher | None:
    """Return who holds the page and may be shown; loaded with the record."""
    found = getattr(record, "researcher", None) if record.claimed else None
    return found if found and found.user.is_active else None


def _tab(
    request: HttpRequest, record: Author, facts: author_page.Facts, says: author_page.Says | None, tab: str
) -> dict[str, Any]:
    number = request.GET.get("page")
    if tab == "collaborators":
        return {"page": author_page.author_collaborators(record, number)}
    if tab != "works":
        return {}
    orders = [author_page.THEIRS, *ORDERS] if says and says.has_order else list(ORDERS)
    order = request.GET.get("sort", orders[0])
    order = order if order in orders else orders[0]
    year = author_page.chosen_year(request.GET.get("year", ""), facts.years)
    page = author_page.author_works_page(record, facts, year=year, order=order, number=number)
    return {"page": page, "year": year, "order": order, "orders": orders}
