"""How far records were checked: the ledger of one author, and the method in plain words."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from bzpeer.lib.errors import gone
from bzpeer.lib.public import canonical_redirect, public_page
from trust.algorithms import CAPS, FORMULA_VERSION, RULES
from trust.queries import LEVELS, SENTENCE, trust_snapshot
from works.models import Author
from works.queries import record_by_pid


@public_page
def author_trust(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    """Open the ledger: every point, its source, date and expiry, and what would add to it."""
    author = record_by_pid(Author.objects.select_related("trust").defer("search"), pid)
    if author is None:
        raise Http404
    if author.suppressed:
        return gone(request)
    snapshot = trust_snapshot(author)
    if elsewhere := canonical_redirect(request, snapshot.address):
        return elsewhere
    return render(request, "trust/author_trust.html", {"author": author, "snapshot": snapshot})


@public_page
def about(request: HttpRequest) -> HttpResponse:
    parts = [(name, cap, [rule for rule in RULES if rule.part == name]) for name, cap in CAPS.items()]
    context = {"parts": parts, "levels": LEVELS, "sentence": SENTENCE, "formula_version": FORMULA_VERSION}
    return render(request, "trust/about.html", context)
