"""Public records by their address: merged ones lead on, hidden and unknown ones are a 404."""

from django.http import Http404

from profiles.models import (
    Photo,
)
from works.models import Author, Institution, Work
from works.queries import record_by_pid


def public_author(pid: str) -> Author:
    """Return the author that stands behind a public id, after merges; 404 for unknown and hidden ones."""
    author = record_by_pid(Author.objects.all(), pid)
    if author is None or author.suppressed:
        raise Http404("No such researcher.")
    return author


def public_work(pid: str) -> Work:
    """Return the work that stands behind a public id, after joins; 404 for unknown ones."""
    work = record_by_pid(Work.objects.all(), pid)
    if work is None:
        raise Http404("No such work.")
    return work


def public_institution(pid: str) -> Institution:
    """Return the institution that stands behind a public id, after redirects; 404 for unknown ones."""
    institution = record_by_pid(Institution.objects.defer("search"), pid)
    if institution is None:
        raise Http404("No such institution.")
    return institution


def public_photo(pid: str, digest: str) -> Photo:
    """Return the picture that an address names; 404 where the page shows another one, or none."""
    rows = Photo.objects.filter(
        digest=digest, researcher__author__pid=pid, researcher__author__suppressed=False,
        researcher__author__claimed=True, researcher__user__is_active=True,
    )  # fmt: skip
    found = rows.first() if pid.isalnum() and digest.isalnum() else None
    if found is None:
        raise Http404("Nothing here.")
    return found
