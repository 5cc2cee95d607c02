"""The page of a work and its citation in other programs' formats."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.public import canonical_redirect, public_page
from works import citation, queries
from works.models import Work
from works.provenance import (
    disagreements,
    links_of,
    provider_list,
    retracted_by,
    sources_of,
    withdrawals,
)
from works.structured_data import work_json_ld
from works.views.records import find_record

FORMATS: dict[str, tuple[Callable[[citation.Cited], str], str]] = {
    "bib": (citation.bibtex, "application/x-bibtex"),
    "ris": (citation.ris, "application/x-research-info-systems"),
    "json": (citation.csl_json, "application/vnd.citationstyles.csl+json"),
}
SHOWN_AUTHORS = 20
ASKABLE = {"doi", "arxiv", "openalex"}  # identifiers by which a source can be asked (works.sync.plan)


@public_page
def work(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    record, redirect = find_record(request, Work.objects.select_related("source").defer("search"), pid)
    if redirect:
        return redirect
    authorships = queries.work_authorships(record)
    identifiers = list(record.identifiers.order_by("scheme", "value"))
    records = list(queries.work_records(record))
    cited = citation.cited(record, authorships, identifiers, settings.PUBLIC_URL + record.get_absolute_url())
    topics = list(queries.work_topics(record))
    links = links_of("work", identifiers)
    notices = queries.retraction_notices(record)
    saying = [notice.record.provider for notice in notices if notice.record]
    return render(
        request,
        "works/work.html",
        {
            "work": record,
            "authorships": authorships[:SHOWN_AUTHORS],
            "authors_total": len(authorships),
            "more_authorships": authorships[SHOWN_AUTHORS:],
            "places": queries.work_places(authorships),
            "links": links,
            "can_refresh": any(identifier.scheme in ASKABLE for identifier in identifiers),
            "warning": citation.warning_of(record),
            "withdrawals": withdrawals(records) if record.is_withdrawn else [],
            "retracted_by": provider_list([*retracted_by(records), *saying]),
            "notices": [notice.work for notice in notices],
            "topics": topics,
            "counts": queries.references_counts(record),
            "sources": sources_of(record, records),
            "disagreements": disagreements(records),
            "cited": {"BibTeX": citation.bibtex(cited), "Plain text": citation.plain(cited)},
            "json_ld_data": work_json_ld(record, authorships, links, topics),
        },
    )


@public_page
def citation_file(request: HttpRequest, pid: str, extension: str) -> HttpResponse:
    """Send the citation of a work as a file."""
    record = queries.record_by_pid(Work.objects.select_related("source").defer("search"), pid)
    if record is None or extension not in FORMATS:
        raise Http404
    write, content_type = FORMATS[extension]
    address = citation_address(record, extension)
    if redirect := canonical_redirect(request, address):
        return redirect
    authorships = queries.work_authorships(record)
    page = settings.PUBLIC_URL + record.get_absolute_url()
    item = citation.cited(record, authorships, record.identifiers.order_by("scheme", "value"), page)
    return HttpResponse(
        write(item),
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{item.key[:60]}.{extension}"'},
    )


def citation_address(record: Work, extension: str) -> str:
    return f"/works/{record.pid}/cite.{extension}"
