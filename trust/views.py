"""How far records were checked: the ledger of one author, its badge, and the method in plain words."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from bzpeer.lib.errors import gone
from bzpeer.lib.public import canonical_redirect, public_page
from trust.algorithms import CAPS, FORMULA_VERSION, FORMULAS, RULES
from trust.queries import (
    LARGE,
    LEVELS,
    SENTENCE,
    first_day,
    ledger_of,
    snapshot_on,
    trust_document,
    trust_snapshot,
)
from trust.scores import database_now
from trust.timeline import stood_on, timeline
from works.models import Author
from works.queries import record_by_pid

BADGE_SECONDS = 3600


@public_page
def author_trust(request: HttpRequest, pid: str, slug: str = "") -> HttpResponse:
    """Open the ledger: every point, its source, date and expiry, what would add to it, and how it came about.

    ?on=2026-10-01 works the score of a past day out; ?before= leads on through the timeline.
    """
    author = _author(pid)
    if author.suppressed:
        return gone(request)
    snapshot = ledger_of(author)
    if elsewhere := canonical_redirect(request, snapshot.address):
        return elsewhere
    context: dict[str, Any] = {"author": author, "snapshot": snapshot}
    status = 200
    if raw := request.GET.get("on"):
        day, why_not = _day(author, raw)
        status = 400 if why_not else 200
        context |= {"asked": raw[:20], "why_not": why_not}
        if day:
            past = replace(snapshot_on(author, day), proofs=snapshot.proofs)
            context |= {"snapshot": past, "stood": stood_on(author, day)}
    context["timeline"] = timeline(author, request.GET.get("before"))
    context["first_day"] = first_day(author)
    return render(request, "trust/author_trust.html", context, status=status)


def _day(author: Author, raw: str) -> tuple[date | None, str]:
    """Return the past day that a reader asked for, or why its score cannot be told."""
    today = database_now().date()
    try:
        day = date.fromisoformat(raw) if re.fullmatch(r"\d{4}-\d\d-\d\d", raw, re.ASCII) else None
    except ValueError:
        day = None
    if day is None:
        return None, "That is no day this page can read. Write it as 2026-10-01."
    if day > today:
        return None, "That day has not come yet. Choose today or a day before it."
    if day < first_day(author):
        return None, "There was no record here on that day. Choose a later one."
    if author.works_count > LARGE:
        return (
            None,
            "This record has too many works to go back while you wait. Whoever runs this site can work it out.",
        )
    return day, ""


@public_page
def trust_json(request: HttpRequest, pid: str) -> HttpResponse:
    """Give the same to machines: the number with its parts and the version of the formula, or neither."""
    author = _author(pid)
    if author.suppressed:
        return gone(request)
    if author.pid != pid:
        return HttpResponsePermanentRedirect(reverse("trust:trust_json", args=[author.pid]))
    return JsonResponse(trust_document(trust_snapshot(author)), headers={"Access-Control-Allow-Origin": "*"})


@public_page
def badge(request: HttpRequest, pid: str) -> HttpResponse:
    """Draw the level as a word, for a page of one's own: no number, no script, no cookie, kept by caches for an hour."""
    author = _author(pid)
    if author.suppressed:
        return gone(request)
    if author.pid != pid:
        return HttpResponsePermanentRedirect(reverse("trust:badge", args=[author.pid]))
    snapshot = trust_snapshot(author)
    width = 16 + 7 * len(snapshot.word)  # textLength makes whatever font there is fit
    context = {
        "snapshot": snapshot, "text": width - 16, "flat": width - 3, "middle": 66 + width // 2, "whole": 66 + width,
        "inner": 65 + width,
    }  # fmt: skip
    response = render(request, "trust/badge.svg", context, content_type="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={BADGE_SECONDS}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@public_page
def about(request: HttpRequest) -> HttpResponse:
    parts = [(name, cap, [rule for rule in RULES if rule.part == name]) for name, cap in CAPS.items()]
    context = {
        "parts": parts, "levels": LEVELS, "sentence": SENTENCE, "formula_version": FORMULA_VERSION,
        "formulas": [formula for formula in FORMULAS.values() if formula.version <= FORMULA_VERSION],
    }  # fmt: skip
    return render(request, "trust/about.html", context)


def _author(pid: str) -> Author:
    author = record_by_pid(Author.objects.select_related("trust").defer("search"), pid)
    if author is None:
        raise Http404
    return author
