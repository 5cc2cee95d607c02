"""Finding the record that an address means: merged ones lead on, unknown ones are a 404."""

from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from bzpeer.lib.public import canonical_redirect
from works.models import Author, Institution, Topic, Work
from works.queries import record_by_pid

Record = TypeVar("Record", Author, Work, Topic, Institution)


def find_record(request: HttpRequest, rows: QuerySet[Record], pid: str) -> tuple[Record, HttpResponse | None]:
    """Return the record of a page, and a redirect where the address is not the record's own."""
    record = record_by_pid(rows, pid)
    if record is None:
        raise Http404
    return record, canonical_redirect(request, record.get_absolute_url())
