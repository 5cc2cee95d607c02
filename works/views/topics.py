"""The page of a topic: where it belongs, its works, who works on it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.pagination import page_of
from bzpeer.lib.public import public_page
from works import queries
from works.models import Topic
from works.provenance import links_of
from works.views.records import find_record


@public_page
def topic(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    record, redirect = find_record(request, Topic.objects.all(), pid)
    if redirect:
        return redirect
    order = request.GET.get("sort", "newest")
    works = queries.topic_works(record)
    rows = queries.works_for_card(works).order_by(*queries.ORDERS.get(order, queries.ORDERS["newest"]))
    page = page_of(rows, request.GET.get("page"), total=works.count())
    queries.add_bylines(page.object_list)
    return render(
        request,
        "works/topic.html",
        {
            "topic": record,
            "links": links_of("topic", record.identifiers.order_by("scheme", "value")),
            "chain": queries.topic_chain(record),
            "children": record.children.order_by("-works_count", "display_name"),
            "page": page,
            "order": order if order in queries.ORDERS else "newest",
            "people": queries.people_of(works),
            "people_from": queries.NEWEST,
        },
    )
