"""Members ask the sources about a record now, or bring a work by its identifier.

Works knows no people: a member is whoever logged in and confirmed an address, which is allauth's to say.
Public pages hold a plain link here; with htmx the answer takes the link's place.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from allauth.account.decorators import verified_email_required
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods

from bzpeer.lib.htmx import wants_partial
from bzpeer.lib.names import clean
from works.models import Author, SyncRequest, Work
from works.queries import add_bylines, record_by_pid, works_for_card
from works.sync import words
from works.sync.errors import BadIdentifier, Refused
from works.sync.plan import Plan, plan, plan_author, plan_work
from works.sync.service import again_at, ask, last_request, pause_of, work_of

ASKS_PER_HOUR = 30  # of one member; a record's own limit is in works/sync/service.py
JUST_NOW = timedelta(minutes=2)
# Seconds until the panel asks again; after the last it waits for the reader.
DELAYS = (1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 15, 20, 30)

View = Callable[..., HttpResponse]


def member_page(view: View) -> View:
    """Let members with a confirmed address in; others log in or confirm first, and come back here."""
    guarded = verified_email_required(view)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wants_partial(request) and not _is_member(request):
            # The whole page says what is missing: a fragment has no room for it.
            user = request.user
            target = f"{settings.LOGIN_URL}?{urlencode({'next': request.path})}"
            there = request.path if user.is_authenticated else target
            response = HttpResponse(status=204, headers={"HX-Redirect": there})
        else:
            response = guarded(request, *args, **kwargs)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response

    return wrapped


def _is_member(request: HttpRequest) -> bool:
    user = request.user
    return user.is_authenticated and EmailAddress.objects.filter(user=user, verified=True).exists()


# --- Refresh from source ------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@member_page
def refresh(request: HttpRequest, kind: str, pid: str) -> HttpResponse:
    """GET says who would be asked and what came of the last time; POST asks."""
    wish = _wish(kind, pid)
    error = ""
    if request.method == "POST":
        try:
            count_ask(request)
            ask(wish)
        except Refused as refusal:
            error = str(refusal)
        else:
            if not wants_partial(request):
                return HttpResponseRedirect(request.path)
    context = {
        "kind": kind,
        "record": wish.record,
        "path": request.path,
        "error": error,
        **_shown(request, wish),
    }
    return render(request, "works/_refresh.html" if wants_partial(request) else "works/refresh.html", context)


def _wish(kind: str, pid: str) -> Plan:
    if kind == "work":
        work = record_by_pid(Work.objects.defer("search"), pid)
        if work is None:
            raise Http404("No such work.")
        return plan_work(work)
    author = record_by_pid(Author.objects.defer("search"), pid)
    if author is None or author.suppressed:
        raise Http404("No such researcher.")
    return plan_author(author)


def _shown(request: HttpRequest, wish: Plan) -> dict[str, Any]:
    last = last_request(wish)
    return {
        "sources": list(dict.fromkeys(words.label_of(question.provider) for question in wish.questions)),
        "again_at": again_at(last),
        **progress(request, last),
    }


def progress(request: HttpRequest, asked: SyncRequest | None) -> dict[str, Any]:
    """Return what a page says about a request, and when it looks again."""
    if asked is None:
        return {}
    lines = words.lines_of(asked)
    waiting = asked.state == SyncRequest.State.WAITING
    looks = _number(request.GET.get("looks"))
    pause = pause_of(asked) if waiting else None
    delay = DELAYS[looks] if waiting and pause is None and looks < len(DELAYS) else None
    return {
        "asked": asked,
        "lines": lines,
        "summary": words.summary_of(asked, lines),
        "waiting": waiting,
        "pause": pause,
        "just_changed": not waiting and bool(words.changed_by(asked)) and _is_fresh(asked),
        "delay": delay,
        "next_url": f"{request.path}?looks={looks + 1}",
    }


def _is_fresh(asked: SyncRequest) -> bool:
    return asked.finished_at is not None and asked.finished_at > timezone.now() - JUST_NOW


def _number(text: str | None) -> int:
    return min(int(text), len(DELAYS)) if text and len(text) < 4 and text.isascii() and text.isdigit() else 0


def count_ask(request: HttpRequest) -> None:
    """Count a member's wish. Raises Refused beyond the hour's number."""
    key = f"sync-asks:{request.user.pk}:{timezone.now():%Y%m%d%H}"
    cache.add(key, 0, timeout=3600)
    try:
        asked = cache.incr(key)
    except ValueError:  # the cache was emptied in between
        asked = 1
    if asked > ASKS_PER_HOUR:
        raise Refused(f"You can ask for {ASKS_PER_HOUR} records an hour. Please go on later.")


# --- Add a work -----------------------------------------------------------------------------------------------


class AddWorkForm(forms.Form):
    identifier = forms.CharField(
        label="DOI, arXiv id or OpenAlex id",
        max_length=600,
        help_text="For example 10.7717/peerj.4375, arXiv:1912.12953 or W2741809807; whole addresses work too.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )

    def clean_identifier(self) -> Plan:
        try:
            return plan(SyncRequest.Kind.WORK, clean(self.cleaned_data["identifier"]))
        except BadIdentifier as error:
            raise forms.ValidationError(str(error)) from error


@require_http_methods(["GET", "POST"])
@member_page
def add_work(request: HttpRequest) -> HttpResponse:
    """Show the work that is here already, else ask the sources for it."""
    if request.method != "POST":
        form = AddWorkForm(initial={"identifier": request.GET.get("id", "")[:600].replace("\x00", "")})
        return _add_page(request, form)
    form = AddWorkForm(request.POST)
    if form.is_valid():
        wish: Plan = form.cleaned_data["identifier"]
        if isinstance(wish.record, Work):
            return _add_page(request, form, known=wish.record)
        try:
            count_ask(request)
            asked = ask(wish)
        except Refused as refusal:
            last = last_request(wish)
            if last and again_at(last):
                return HttpResponseRedirect(reverse("works:added", args=[last.pk]))
            form.add_error(None, str(refusal))
        else:
            return HttpResponseRedirect(reverse("works:added", args=[asked.pk]))
    return _add_page(request, form)


def _add_page(request: HttpRequest, form: AddWorkForm, known: Work | None = None) -> HttpResponse:
    if known is not None:
        known = works_for_card(Work.objects.all()).get(pk=known.pk)
        add_bylines([known])
    return render(request, "works/add.html", {"form": form, "known": known})


@require_GET
@member_page
def added(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show how far the sources are with a work that was asked for; lead to it once it is here."""
    asked = get_object_or_404(SyncRequest, pk=pk, kind=SyncRequest.Kind.WORK)
    record = work_of(asked) if asked.finished_at else None
    if record is not None:
        address = record.get_absolute_url()
        if wants_partial(request):
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)
    context = {"again_at": again_at(asked), "path": request.path, **progress(request, asked)}
    return render(request, "works/_added.html" if wants_partial(request) else "works/added.html", context)
