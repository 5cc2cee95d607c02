"""The graph around a record: the panel on its page, the explorer, and the same as data."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from bzpeer.lib.errors import gone
from bzpeer.lib.htmx import wants_partial
from bzpeer.lib.public import canonical_redirect, public_page
from graph.models import GraphSlice
from graph.pictures import PLURALS, Filter, panel_of
from graph.queries import MODELS, Shown, Subject, built_slice, export_slice, find_subject, name_of
from graph.services.slices import request_slice

# Seconds until the building panel asks again; after the last it waits for the reader.
DELAYS = (1, 1, 1, 2, 2, 3, 4, 5, 6, 8)


@public_page
def panel(request: HttpRequest, kind: str, pid: str) -> HttpResponse:
    """Answer the panel of a record's page, drawn or being built; without htmx the explorer is the place."""
    subject, elsewhere = _find(request, "graph:panel", kind, pid)
    if elsewhere:
        return elsewhere
    if not wants_partial(request):
        response: HttpResponse = HttpResponseRedirect(reverse("graph:explorer", args=[kind, pid]))
        return _differs(response)
    found = request_slice(kind, subject.pk, GraphSlice.Size.PANEL)
    shown = built_slice(found)
    context: dict[str, object] = {
        "kind": kind,
        "pid": pid,
        "name": name_of(subject),
        "explorer_url": reverse("graph:explorer", args=[kind, pid]),
    }
    if shown is None:
        return _building(request, "graph/_building.html", {**context, "panel_url": request.path})
    context |= {"panel": panel_of(shown), "found": found, "is_empty": shown.is_empty}
    return _differs(render(request, "graph/_panel.html", context))


@public_page
def explorer(request: HttpRequest, kind: str, pid: str) -> HttpResponse:
    """Show the larger slice as a page of its own, as a picture or as a table."""
    subject, elsewhere = _find(request, "graph:explorer", kind, pid)
    if elsewhere:
        return elsewhere
    found = request_slice(kind, subject.pk, GraphSlice.Size.EXPLORER)
    shown = built_slice(found)
    context: dict[str, object] = {
        "kind": kind,
        "pid": pid,
        "name": name_of(subject),
        "record_url": subject.get_absolute_url(),
        "explorer_url": request.path,
        "panel_url": request.path + _with_view(request, request.GET.get("view", "")),
        "as_table": request.GET.get("view") == "table",
        "came_from": _came_from(request.GET.get("from", ""), but=(kind, pid)),
    }
    partial = wants_partial(request)
    if shown is None:
        return _building(request, "graph/_building.html" if partial else "graph/explorer.html", context)
    wanted = _filter(request)
    context |= {
        "panel": panel_of(shown, to_graph=True, filtered=wanted),
        "found": found,
        "is_empty": shown.is_empty,
        "choices": [(one, word, one in wanted.kinds) for one, word in PLURALS.items()],
        "data_url": reverse("graph:data", args=[kind, pid]),
        "with_table": request.path + _with_view(request, "table"),
        "with_picture": request.path + _with_view(request, ""),
    }
    return _differs(render(request, "graph/_explorer.html" if partial else "graph/explorer.html", context))


@public_page
def data(request: HttpRequest, kind: str, pid: str) -> HttpResponse:
    """Send the explorer's slice as JSON, with the works that each tie between people rests on."""
    subject, elsewhere = _find(request, "graph:data", kind, pid)
    if elsewhere:
        return elsewhere
    shown: Shown | None = built_slice(request_slice(kind, subject.pk, GraphSlice.Size.EXPLORER))
    if shown is None:
        response = JsonResponse(
            {"detail": "This graph slice is being built. Ask again in a moment."}, status=202
        )
        response.headers["Retry-After"] = "3"
        response.headers["Cache-Control"] = "no-store"
        return response
    return JsonResponse(
        export_slice(shown, settings.PUBLIC_URL), json_dumps_params={"ensure_ascii": False, "indent": 1}
    )


def _find(request: HttpRequest, view: str, kind: str, pid: str) -> tuple[Subject, HttpResponse | None]:
    """Return the record of an address, and the answer where that is not the graph: moved, or hidden."""
    if kind not in MODELS:
        raise Http404
    subject = find_subject(kind, pid)
    if subject is None:
        raise Http404
    if getattr(subject, "suppressed", False):
        return subject, gone(request)
    return subject, canonical_redirect(request, reverse(view, args=[kind, subject.pid]))


def _building(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    asked = request.GET.get("try", "")
    tries = min(int(asked), len(DELAYS)) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 0
    query = request.GET.copy()
    query["try"] = str(tries + 1)
    context |= {
        "delay": DELAYS[tries] if tries < len(DELAYS) else None,
        "next_url": f"{request.path}?{query.urlencode()}",
    }
    response = _differs(render(request, template, context))
    response.headers["Cache-Control"] = "no-store"
    return response


def _differs(response: HttpResponse) -> HttpResponse:
    """Tell caches that htmx gets another answer from the same address."""
    patch_vary_headers(response, ["HX-Request"])
    return response


def _filter(request: HttpRequest) -> Filter:
    kinds = frozenset(request.GET.getlist("kind")) & frozenset(MODELS)
    return Filter(kinds if len(kinds) < len(MODELS) else frozenset(), request.GET.get("strength") == "strong")


def _with_view(request: HttpRequest, view: str) -> str:
    query = request.GET.copy()
    query.pop("view", None)
    query.pop("try", None)
    if view:
        query["view"] = view
    return f"?{query.urlencode()}" if query else ""


def _came_from(text: str, but: tuple[str, str]) -> dict[str, str] | None:
    """Return the graph that a reader came from, named, where the address tells a public one."""
    kind, _, pid = text.partition(":")
    if kind not in MODELS or not pid or len(pid) > 12 or (kind, pid) == but:
        return None
    subject = find_subject(kind, pid)
    if subject is None or getattr(subject, "suppressed", False):
        return None
    return {"name": name_of(subject), "url": reverse("graph:explorer", args=[kind, subject.pid])}
