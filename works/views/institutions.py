"""The page of an institution: what it is, who was there, what they wrote."""

from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.pagination import page_of
from bzpeer.lib.public import canonical_redirect, public_page
from works import queries
from works.grounds import add_grounds
from works.models import Entity, Institution
from works.provenance import links_of, provider_list, sources_of
from works.views.records import find_record

TABS = ("works", "people")


@public_page
def institution(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    """Show an institution; one that was withdrawn for another leads there."""
    record, redirect = find_record(
        request, Institution.objects.select_related("successor").defer("search"), pid
    )
    if (standing := queries.standing_institution(record)) != record:
        redirect = canonical_redirect(request, standing.get_absolute_url())
    if redirect:
        return redirect
    tab = request.GET.get("tab")
    tab = tab if tab in TABS else "works"
    works = queries.institution_works(record)
    people = queries.institution_people(record)
    totals = {"works": works.count(), "people": people.count()}
    if tab == "people":
        page = page_of(people, request.GET.get("page"), total=totals["people"], per_page=50)
        page.object_list = list(page.object_list)
        add_grounds(page.object_list)
    else:
        rows = queries.works_for_card(works).order_by(*queries.ORDERS["newest"])
        page = page_of(rows, request.GET.get("page"), total=totals["works"])
        queries.add_bylines(page.object_list)
    identifiers = list(record.identifiers.order_by("scheme", "value"))
    records = queries.institution_records(identifiers)
    describing = [found for found in records if found.entity == Entity.INSTITUTION]
    return render(
        request,
        "works/institution.html",
        {
            "institution": record,
            "homepage": web_address(record.homepage),
            "links": links_of("institution", identifiers),
            "sources": sources_of(record, describing),
            "named_by": provider_list({found.provider for found in records}),
            "tab": tab,
            "totals": totals,
            "page": page,
        },
    )


class WebAddress(NamedTuple):
    """An address that is safe to link, and how a page shows it."""

    href: str
    shown: str


def web_address(text: str) -> WebAddress | None:
    """Return a source's address of a homepage; None for what is no address of the web."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or any(char.isspace() for char in text):
        return None
    return WebAddress(text, host.removeprefix("www.") + parts.path.rstrip("/"))
