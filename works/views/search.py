"""Search, and addresses that end in an identifier."""

from typing import Any

from django.db.models import Model
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from psycopg.errors import QueryCanceled

from bzpeer.lib.errors import gone, not_found
from bzpeer.lib.pagination import page_of
from bzpeer.lib.public import public_page
from works import queries
from works import search as searching

TYPES = {"people": "People", "works": "Works", "topics": "Topics", "institutions": "Institutions"}
FEW = {"people": 5, "works": 5, "topics": 4, "institutions": 4}  # shown of each when no type is chosen


@public_page
def search(request: HttpRequest) -> HttpResponse:
    """Search all kinds of records; an identifier as a whole goes straight to its record.

    What the database breaks off (statement_timeout) is answered with a hint, not with an error page.
    """
    try:
        return _search(request)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        context = {"query": request.GET.get("q", "")[: searching.MAX_QUERY], "too_slow": True}
        response = render(request, "works/search.html", context, status=503)
        response.headers["Cache-Control"] = "no-store"
        return response


def _search(request: HttpRequest) -> HttpResponse:
    text = " ".join(request.GET.get("q", "").split())[: searching.MAX_QUERY]
    identifier = searching.recognise(text)
    if identifier and (record := searching.find_by_identifier(*identifier)):
        return _lead_to(request, record)
    order = request.GET.get("sort", "best")
    order = order if order in searching.ORDERS else "best"
    rows = {
        "people": searching.search_authors(text),
        "works": queries.works_for_card(searching.search_works(text, order)),
        "topics": searching.search_topics(text),
        "institutions": searching.search_institutions(text),
    }
    counts = {kind: searching.count_up_to(found) if text else 0 for kind, found in rows.items()}
    chosen = request.GET.get("type", "")
    context: dict[str, Any] = {
        "query": text,
        "identifier": identifier,
        "chosen": chosen if chosen in TYPES else "",
        "tabs": [(kind, label, counts[kind]) for kind, label in TYPES.items()],
        "count_to": searching.COUNT_TO,
        "found": sum(counts.values()),
        "order": order,
        "orders": searching.ORDERS,
    }
    if context["chosen"]:
        page = page_of(rows[chosen], request.GET.get("page"), total=min(counts[chosen], searching.COUNT_TO))
        context |= {"page": page, "total": counts[chosen]}
        shown = {chosen: list(page.object_list)}
    else:
        shown = {kind: list(found[: FEW[kind]]) if counts[kind] else [] for kind, found in rows.items()}
    queries.add_bylines(shown.get("works", []))
    searching.add_places(shown.get("people", []))
    context["groups"] = [(kind, TYPES[kind], items, counts[kind]) for kind, items in shown.items() if items]
    return render(request, "works/search.html", context)


@public_page
def resolve(request: HttpRequest, scheme: str, value: str) -> HttpResponse:
    """Lead from an identifier to its record."""
    value = value.strip("/ ")
    record = searching.find_by_identifier(scheme, value)
    if record is None:
        return not_found(request, scheme=scheme, value=value, query="")
    return _lead_to(request, record)


def _lead_to(request: HttpRequest, record: Model) -> HttpResponse:
    if getattr(record, "suppressed", False):  # the readable address would tell the name
        return gone(request)
    return HttpResponseRedirect(record.get_absolute_url())  # type: ignore[attr-defined]
