"""One's own page, part by part: each is a section that turns into its form, and a page of its own without scripts."""

from collections.abc import Callable
from copy import copy
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from bzpeer.lib.htmx import wants_partial
from bzpeer.lib.markdown import render_markdown
from bzpeer.lib.pagination import page_of
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ChangedSince, ProfilesError
from profiles.models import Change, Researcher
from profiles.owner_forms import (
    BioForm,
)
from profiles.services import claims, owner_history, regrouping
from profiles.services.owner import READ_ONLY
from profiles.views.authors import author as public_page_of
from profiles.views.owner_parts import PARTS, Part
from works.models import Work

Kind = Change.Kind


def own_page(view: Callable[..., HttpResponse]) -> Callable[..., Any]:
    """Give the view the page that the member holds; without one, say how to get one."""

    @access.member_required
    def wrapped(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        researcher = access.researcher(request.user)
        if researcher is None:
            return render(request, "profiles/owner/none.html")
        return view(request, researcher, *args, **kwargs)

    return wrapped


# --- The page and its parts -------------------------------------------------------------------------


@require_GET
@own_page
def page(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Show everything that can be said on one's page, each part with a way to change it."""
    read_only = claims.is_read_only(request.user)
    parts = [(name, _context(researcher, request, name, read_only)) for name in PARTS]
    context = {"researcher": researcher, "author": researcher.author, "parts": parts, "read_only": read_only}
    return render(request, "profiles/owner/page.html", context)


@require_http_methods(["GET", "POST"])
@own_page
def part(request: MemberRequest, researcher: Researcher, name: str) -> HttpResponse:
    """Show one part with its form (?shown: without), or save it."""
    section = PARTS.get(name)
    if section is None:
        raise Http404("Nothing here.")
    read_only = claims.is_read_only(request.user)
    form, said = None, ""
    if request.method == "POST":
        form = section.form(researcher, request)
        said = _save(section, researcher, request, form)
        if said and not wants_partial(request):
            messages.success(request, said)
            return redirect(f"{reverse('profiles:page')}#part-{name}")
        if said:
            form = None
            researcher = access.researcher(request.user) or researcher
    elif section.has_form and not read_only and "shown" not in request.GET:
        form = section.form(researcher)
    context = _context(researcher, request, name, read_only) | {"form": form, "said": said}
    if wants_partial(request):
        # The section takes the place of the one that had the focus: htmx gives it to what asks for it.
        context["refocus"] = form is None
        if form is not None and section.has_form:
            form.visible_fields()[0].field.widget.attrs["autofocus"] = True
        return render(request, f"profiles/owner/_{name.replace('-', '_')}.html", context)
    return render(request, "profiles/owner/part.html", context)


def _save(section: Part, researcher: Researcher, request: MemberRequest, form: Any) -> str:
    """Return what to say of what was saved; "" where it was not, with the reason in the form."""
    special = {"remove", "again"} & set(request.POST)
    if not special and not form.is_valid():
        return ""
    form.is_valid()
    try:
        return section.save(researcher, request, form)
    except ProfilesError as refusal:
        form.errors.clear()
        form.add_error(None, str(refusal))
        return ""


def _context(researcher: Researcher, request: HttpRequest, name: str, read_only: bool) -> dict[str, Any]:
    return {
        "researcher": researcher,
        "author": researcher.author,
        "part": name,
        "template": f"profiles/owner/_{name.replace('-', '_')}.html",
        "title": PARTS[name].title,
        "read_only": read_only,
        "why_read_only": READ_ONLY,
        "path": reverse("profiles:page_part", args=[name]),
        **PARTS[name].shown(researcher, request),
    }


@require_POST
@own_page
def bio_preview(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Show what is being written as it would stand on the page; nothing is kept."""
    form = BioForm(request.POST)
    html = render_markdown(form.cleaned_data["bio"]) if form.is_valid() else ""
    template = "_bio_preview.html" if wants_partial(request) else "bio_preview.html"
    return render(request, f"profiles/owner/{template}", {"bio_html": html, "form": form})


@require_safe
@own_page
def preview(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Show the public page as everybody gets it, to its owner alone."""
    anonymous = copy(request)
    anonymous.user = AnonymousUser()  # type: ignore[assignment]
    anonymous.path = anonymous.path_info = researcher.author.get_absolute_url()
    return public_page_of(anonymous, researcher.author.pid)


# --- History ----------------------------------------------------------------------------------------


@require_GET
@own_page
def history(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """List every change of the page, each with a way back."""
    return _history(request, researcher)


@require_POST
@own_page
def undo(request: MemberRequest, researcher: Researcher, pk: UUID) -> HttpResponse:
    """Take one change back; where it was changed again later, ask first."""
    change = access.own_change(request.user, pk)
    try:
        owner_history.undo(researcher=researcher, change=change, restore="restore" in request.POST)
    except ChangedSince as doubt:
        return _history(request, researcher, doubtful=change, refusal=str(doubt))
    except ProfilesError as refusal:
        return _history(request, researcher, refusal=str(refusal))
    messages.success(request, "Undone.")
    return redirect("profiles:page_history")


def _history(request: MemberRequest, researcher: Researcher, **more: Any) -> HttpResponse:
    changes = page_of(access.own_changes(request.user), request.GET.get("page"), per_page=50)
    changes.object_list = list(changes.object_list)
    works = Work.objects.filter(pid__in=[row.work_pid for row in changes if row.work_pid]).defer("search")
    titles = {work.pid: work for work in works}
    for row in changes:
        row.work = titles.get(row.work_pid)
        undone = hasattr(row, "undone_by")
        row.can_undo = row.kind in owner_history.UNDOABLE and not undone and _has_way_back(row)
        row.regrouped = bool(
            row.regrouping_id and not undone and regrouping.may_undo(user=request.user, change=row)
        )
    context = {
        "researcher": researcher,
        "author": researcher.author,
        "page": changes,
        "read_only": claims.is_read_only(request.user),
        "why_read_only": READ_ONLY,
        **more,
    }
    return render(request, "profiles/owner/history.html", context)


def _has_way_back(change: Change) -> bool:
    """Return whether undoing could lead anywhere: deleted pictures and forgotten names do not come back."""
    if change.kind == Kind.FORMER_NAME:
        return not change.before.get("override")
    if change.kind == Kind.PHOTO:
        return change.before.get("digest") in {"", change.after.get("digest")}
    return True


# --- The picture ------------------------------------------------------------------------------------


@require_safe
def photo(request: HttpRequest, pid: str, digest: str) -> HttpResponse:
    """Send a picture; its address changes with it, so that caches may keep it."""
    found = access.public_photo(pid, digest)
    response: HttpResponse
    if request.headers.get("If-None-Match") == f'"{digest}"':
        response = HttpResponseNotModified()
    else:
        response = HttpResponse(bytes(found.content), content_type="image/webp")
    response.headers["ETag"] = f'"{digest}"'
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
