"""Works that are missing on one's own page: by identifier, or from a list in BibTeX or RIS."""

import re
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import OwnerError, ProfilesError
from profiles.models import Researcher
from profiles.owner_forms import ListForm
from profiles.services import claims, owner_lists, owner_works
from profiles.services.owner import READ_ONLY
from profiles.views.owner import own_page
from works.models import SyncRequest, Work
from works.queries import add_bylines, works_for_card
from works.sync.errors import BadIdentifier, Refused
from works.sync.plan import plan
from works.sync.service import again_at, ask, last_request, work_of
from works.views.sync import ASKS_PER_HOUR, AddWorkForm, count_ask, progress

MOST_OFFERED = 150  # works of a list that one form offers: it may hold 200 fields

_PID = re.compile(r"[0-9a-z]{1,12}")


@require_http_methods(["GET", "POST"])
@own_page
def add(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Put a work on one's page by its identifier; one that is not here is asked for first."""
    if request.method != "POST":
        return _add_page(request, researcher, AddWorkForm())
    form = AddWorkForm(request.POST)
    if not form.is_valid():
        return _add_page(request, researcher, form)
    wish = form.cleaned_data["identifier"]
    try:
        if isinstance(wish.record, Work):
            owner_works.adopt(researcher=researcher, work=wish.record)
            messages.success(request, f"“{str(wish.record)[:120]}” is on your page.")
            return redirect("profiles:page_add")
        _check_editable(request)
        count_ask(request)
        asked = ask(wish)
    except Refused as refusal:
        last = last_request(wish)
        if last and again_at(last):
            return redirect("profiles:page_added", last.pk)
        form.add_error(None, str(refusal))
    except ProfilesError as refusal:
        form.add_error(None, str(refusal))
    else:
        return redirect("profiles:page_added", asked.pk)
    return _add_page(request, researcher, form, known=wish.record if isinstance(wish.record, Work) else None)


def _add_page(
    request: MemberRequest,
    researcher: Researcher,
    form: AddWorkForm,
    *,
    list_form: ListForm | None = None,
    known: Work | None = None,
) -> HttpResponse:
    context = {
        "researcher": researcher,
        "form": form,
        "list_form": list_form or ListForm(),
        "known": _card(known) if known else None,
        "read_only": claims.is_read_only(request.user),
        "why_read_only": READ_ONLY,
    }
    return render(request, "profiles/owner/add.html", context)


@require_GET
@own_page
def added(request: MemberRequest, researcher: Researcher, pk: UUID) -> HttpResponse:
    """Show how far the sources are with a work; once it is here, offer to put it on the page."""
    asked = get_object_or_404(SyncRequest, pk=pk, kind=SyncRequest.Kind.WORK)
    work = work_of(asked) if asked.finished_at else None
    context = {"researcher": researcher, "asked": asked, "again_at": again_at(asked), "path": request.path}
    if work is not None:
        return render(request, "profiles/owner/arrived.html", context | {"work": _card(work)})
    context |= progress(request, asked)
    template = "works/_added.html" if wants_partial(request) else "profiles/owner/waiting.html"
    return render(request, template, context)


@require_POST
@own_page
def read_list(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Show what a list holds, before anything happens."""
    form = ListForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            _check_editable(request)
            data = file.read(owner_lists.MAX_BYTES + 1)
            items = owner_lists.preview(researcher=researcher, data=data, name=file.name)
        except ProfilesError as refusal:
            form.add_error("file", str(refusal))
        else:
            return render(request, "profiles/owner/list.html", _sorted(researcher, items))
    return _add_page(request, researcher, AddWorkForm(), list_form=form)


def _sorted(researcher: Researcher, items: list[owner_lists.Item]) -> dict[str, object]:
    groups: dict[str, list[owner_lists.Item]] = {}
    for item in items:
        groups.setdefault(item.state, []).append(item)
    new = groups.get("new", [])
    return {
        "researcher": researcher,
        "total": len(items),
        "here": groups.get("here", [])[:MOST_OFFERED],
        "here_left": max(0, len(groups.get("here", [])) - MOST_OFFERED),
        "new": new[:ASKS_PER_HOUR],
        "new_left": max(0, len(new) - ASKS_PER_HOUR),
        "on_page": groups.get("on_page", []),
        "other_name": groups.get("other_name", []),
        "no_identifier": groups.get("no_identifier", []),
        "unreadable": groups.get("unreadable", []),
    }


@require_POST
@own_page
def choose(request: MemberRequest, researcher: Researcher) -> HttpResponse:
    """Put the chosen works of a list on the page, and ask the sources for the new ones."""
    done, refused, asked = [], [], []
    for pid in list(dict.fromkeys(request.POST.getlist("work")))[:MOST_OFFERED]:
        if not _PID.fullmatch(pid):
            continue
        work = access.public_work(pid)
        try:
            owner_works.adopt(researcher=researcher, work=work)
            done.append(work)
        except ProfilesError as refusal:
            refused.append((work.title, str(refusal)))
    for identifier in list(dict.fromkeys(request.POST.getlist("new")))[:ASKS_PER_HOUR]:
        try:
            _check_editable(request)
            wish = plan(SyncRequest.Kind.WORK, identifier[:600].replace("\x00", ""))
            if isinstance(wish.record, Work):
                owner_works.adopt(researcher=researcher, work=wish.record)
                done.append(wish.record)
                continue
            last = last_request(wish)
            if last and again_at(last):
                asked.append((identifier, last))
                continue
            count_ask(request)
            asked.append((identifier, ask(wish)))
        except (ProfilesError, Refused, BadIdentifier) as refusal:
            refused.append((identifier[:120], str(refusal)))
    context = {"researcher": researcher, "done": done, "refused": refused, "asked": asked}
    return render(request, "profiles/owner/chosen.html", context)


def _check_editable(request: MemberRequest) -> None:
    if claims.is_read_only(request.user):
        raise OwnerError(READ_ONLY)


def _card(work: Work) -> Work:
    found = works_for_card(Work.objects.all()).get(pk=work.pk)
    add_bylines([found])
    return found
