"""Members who speak for an institution: asking to, and asserting who is a member of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.pagination import page_of
from bzpeer.lib.sheets import csv_lines
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError, RepresentativeError
from profiles.forms_desk import MemberForm, ObjectionForm, RepresentForm, SheetForm
from profiles.models import Assertion, By, Representative
from profiles.services.representatives import assertions, requests, sheet
from works.models import Affiliation

PER_PAGE = 50
FOUND_SHOWN = 20


# --- Asking to speak for an institution -----------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.member_required
def represent(request: MemberRequest, pid: str) -> HttpResponse:
    """Ask to speak for an institution; says which address it takes where there is none."""
    institution = access.public_institution(pid)
    mine = access.representations(request.user).filter(institution=institution)
    open_states = [Representative.State.REQUESTED, Representative.State.APPROVED]
    addresses = requests.fitting_addresses(request.user, institution)
    context: dict[str, Any] = {
        "institution": institution,
        "standing": mine.filter(state__in=open_states).first(),
        "refused": [] if addresses else requests.refused_addresses(request.user, institution),
    }
    if addresses and not context["standing"]:
        form = RepresentForm(request.POST or None, addresses=addresses)
        if request.method == "POST" and form.is_valid():
            try:
                requests.ask_to_represent(user=request.user, institution=institution, **form.cleaned_data)
            except ProfilesError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Sent. A moderator looks at it, and you get a notification.")
                return redirect("profiles:institutions")
        context["form"] = form
    return render(request, "profiles/representatives/represent.html", context)


@require_GET
@access.member_required
def institutions(request: MemberRequest) -> HttpResponse:
    """For whom a member speaks, and which institutions say that they are a member."""
    context = {
        "representations": access.representations(request.user),
        "assertions": access.assertions_about(request.user),
    }
    return render(request, "profiles/representatives/institutions.html", context)


@require_POST
@access.member_required
def end(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Step down, or take a request back; what was asserted stays unless ticked."""
    representative = access.representation_by_id(request.user, pk)
    try:
        requests.end_representative(
            representative=representative,
            actor=request.user,
            revoke_assertions=request.POST.get("revoke") == "on",
        )
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"You do not speak for {representative.institution} any more.")
    return redirect("profiles:institutions")


# --- Members of an institution --------------------------------------------------------------------------


@require_GET
@access.member_required
def institution(request: MemberRequest, pid: str) -> HttpResponse:
    return _institution_page(request, access.representation(request.user, pid), SheetForm())


def _institution_page(request: MemberRequest, mine: Representative, form: SheetForm) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:200]
    name = request.GET.get("name", "").strip()[:200]
    rows = assertions.standing(mine.institution).order_by("author__display_name", "pk")
    page = page_of(
        rows.filter(author__display_name__icontains=name) if name else rows,
        request.GET.get("page"),
        per_page=PER_PAGE,
    )
    context = {
        "mine": mine,
        "institution": mine.institution,
        "trouble": requests.standing_trouble(mine),
        "page": page,
        "name": name,
        "text": text,
        "found": sheet.affiliated(mine.institution, text)[:FOUND_SHOWN] if text else [],
        "known": assertions.standing_author_ids(mine.institution) if text else set(),
        "form": form,
    }
    return render(request, "profiles/representatives/institution.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def member(request: MemberRequest, pid: str, author_pid: str) -> HttpResponse:
    """Assert one author as a member."""
    mine = access.representation(request.user, pid)
    author = access.public_author(author_pid)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            requests.check_standing(mine)
            assertions.assert_member(representative=mine, author=author, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{author} is asserted for twelve months.")
            return redirect("profiles:institution", mine.institution.pid)
    context = {
        "mine": mine,
        "institution": mine.institution,
        "author": author,
        "affiliation": Affiliation.objects.filter(author=author, institution=mine.institution).first(),
        "form": form,
    }
    return render(request, "profiles/representatives/member.html", context)


@require_POST
@access.member_required
def preview_sheet(request: MemberRequest, pid: str) -> HttpResponse:
    """Say row by row what a table of members names; nothing is asserted yet."""
    mine = access.representation(request.user, pid)
    form = SheetForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            requests.check_standing(mine)
            rows = sheet.read_rows(form.read())
            sheet.match(rows, mine)
            members = sheet.members_of(rows)
            token = sheet.to_token(members, mine)
        except ProfilesError as refusal:
            form.add_error("sheet", str(refusal))
        else:
            counts = [(status, sum(row.status == status for row in rows)) for status in sheet.Status]
            context = {
                "mine": mine,
                "institution": mine.institution,
                "rows": rows,
                "counts": dict(counts),
                "members": members,
                "token": token,
            }
            return render(request, "profiles/representatives/preview.html", context)
    return _institution_page(request, mine, form)


@require_POST
@access.member_required
def confirm_sheet(request: MemberRequest, pid: str) -> HttpResponse:
    """Assert whom the preview showed as found."""
    mine = access.representation(request.user, pid)
    try:
        requests.check_standing(mine)
        members = sheet.from_token(request.POST.get("token", ""), mine)
        made = assertions.assert_members(representative=mine, members=members)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        left = len(members) - len(made)
        more = (
            f" {left} changed since the preview and {'was' if left == 1 else 'were'} left out."
            if left
            else ""
        )
        messages.success(request, f"Asserted for twelve months: {len(made)}.{more}")
    return redirect("profiles:institution", mine.institution.pid)


@require_POST
@access.member_required
def change_members(request: MemberRequest, pid: str) -> HttpResponse:
    """Renew or revoke what was picked, or all that stands."""
    mine = access.representation(request.user, pid)
    rows = _picked(request, mine)
    action = request.POST.get("action")
    try:
        if action == "renew":
            requests.check_standing(mine)
            count = assertions.renew_assertions(representative=mine, rows=rows)
            done = f"Renewed for twelve months: {count}."
        elif action == "revoke":
            count = assertions.revoke_assertions(rows=rows, actor=request.user, by=By.REPRESENTATIVE)
            done = f"Revoked: {count}."
        else:
            raise RepresentativeError("Choose whether to renew or to revoke.")
        if not count:
            raise RepresentativeError("Pick at least one member.")
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("profiles:institution", mine.institution.pid)


def _picked(request: MemberRequest, mine: Representative) -> QuerySet[Assertion]:
    rows = assertions.standing(mine.institution)
    if request.POST.get("all") == "on":
        return rows
    picked = set()
    for text in request.POST.getlist("picked"):
        try:
            picked.add(UUID(text))
        except ValueError:
            continue
    return rows.filter(pk__in=picked)


@require_GET
@access.member_required
def download_members(request: MemberRequest, pid: str) -> HttpResponseBase:
    """What stands, as CSV of the form that is taken back."""
    mine = access.representation(request.user, pid)
    rows = assertions.standing(mine.institution).order_by("author__display_name", "pk")
    lines: list[list[Any]] = [["name", "orcid or page", "role", "since", "until"]]
    for row in rows:
        author = row.author.merged_into or row.author
        page = request.build_absolute_uri(author.get_absolute_url())
        until = row.expires_at.date()
        lines.append([author.display_name, author.orcid or page, row.role, row.since or "", until])
    response = StreamingHttpResponse(csv_lines(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="members-{mine.institution.pid}.csv"'
    return response


# --- What institutions say of oneself -------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.member_required
def assertion(request: MemberRequest, pk: UUID) -> HttpResponse:
    """What an institution says of the member who looks, and how to object."""
    found = access.assertion_about(request.user, pk)
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            assertions.object_to(assertion=found, user=request.user, message=form.cleaned_data["message"])
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Thank you. The moderators look at it and answer you by mail.")
            return redirect("profiles:assertion", found.pk)
    return render(request, "profiles/representatives/assertion.html", {"assertion": found, "form": form})
