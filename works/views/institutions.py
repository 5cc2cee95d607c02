"""The page of an institution: what it is, who was there, what they wrote."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.pagination import page_of
from bzpeer.lib.public import public_page
from works import queries
from works.models import Institution
from works.views.records import find_record

TABS = ("works", "people")


@public_page
def institution(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    record, redirect = find_record(request, Institution.objects.defer("search"), pid)
    if redirect:
        return redirect
    tab = request.GET.get("tab")
    tab = tab if tab in TABS else "works"
    works = queries.institution_works(record)
    people = queries.institution_people(record)
    totals = {"works": works.count(), "people": people.count()}
    if tab == "people":
        page = page_of(people, request.GET.get("page"), total=totals["people"], per_page=50)
    else:
        rows = queries.works_for_card(works).order_by(*queries.ORDERS["newest"])
        page = page_of(rows, request.GET.get("page"), total=totals["works"])
        queries.add_bylines(page.object_list)
    return render(
        request,
        "works/institution.html",
        {
            "institution": record,
            "identifiers": record.identifiers.order_by("scheme", "value"),
            "tab": tab,
            "totals": totals,
            "page": page,
        },
    )
