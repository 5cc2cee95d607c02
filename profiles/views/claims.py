"""Claim a page, and follow one's claims."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest, View
from profiles.claim_forms import AskForm, CaseForm, ClaimForm, FilesForm, LinkForm
from profiles.claim_pages import claim_context, filing_context
from profiles.exceptions import ClaimStateError, ProfilesError
from profiles.forms import AppealForm
from profiles.models import Claim
from profiles.services import claims
from profiles.services.notifications import mark_page_read
from works.models import Author


@require_http_methods(["GET", "POST"])
@access.member_required
def claim_author(request: MemberRequest, pid: str) -> HttpResponse:
    """Say "this is me": what the evidence at hand shows, what decides at once, and what a moderator may look at."""
    author = access.public_author(pid)
    waiting = access.claims(request.user).filter(author=author, state__in=Claim.OPEN).first()
    if waiting:
        return redirect(waiting)
    could_be_asked = claims.could_be_asked(user=request.user, author=author)
    bound = request.method == "POST" and "now" not in request.POST
    form = ClaimForm(request.POST if bound else None, request.FILES or None, could_be_asked=could_be_asked)
    if request.method == "POST" and (not bound or form.is_valid()):
        data = form.cleaned_data if bound else {}
        try:
            return redirect(_file(request, author, data))
        except ProfilesError as refusal:
            if bound:
                form.add_error(None, str(refusal))
            else:
                messages.error(request, str(refusal))
    return render(
        request, "profiles/claim_author.html", {"form": form, **filing_context(request.user, author)}
    )


def _file(request: MemberRequest, author: Author, data: dict[str, Any]) -> Claim:
    """File the claim and say what became of it."""
    files = [(file.name, file.read()) for file in data.pop("attachments", [])]
    claim = claims.submit_claim(user=request.user, author=author, files=files, **data)
    if claim.is_held:
        messages.success(request, "It is you: the page is yours now.")
    else:
        messages.success(request, "Your claim is filed. A moderator reads it and decides.")
    return claim


@require_GET
@access.member_required
def claim_list(request: MemberRequest) -> HttpResponse:
    return render(request, "profiles/claims.html", {"claims": access.claims(request.user)})


@require_GET
@access.member_required
def claim(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _page(request, access.claim(request.user, pk))


def _page(request: MemberRequest, claim: Claim, **forms: Form) -> HttpResponse:
    """Show a claim; forms: those that were sent and refused, by their name in the template."""
    mark_page_read(user=request.user, url=claim.get_absolute_url())
    return render(request, "profiles/claim.html", claim_context(request.user, claim, **forms))


# --- Steps, each a button ---------------------------------------------------------------------------


def _button(service: Callable[..., Claim], done: str) -> View:
    @require_POST
    @access.member_required
    def step(request: MemberRequest, pk: UUID) -> HttpResponse:
        claim = access.claim(request.user, pk)
        try:
            service(claim=claim, actor=request.user)
        except ProfilesError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return redirect(claim)

    return step


withdraw = _button(claims.withdraw_claim, "Your claim is withdrawn.")
give_up = _button(claims.give_up_claim, "The page is not yours any more; it is unclaimed again.")


@require_POST
@access.member_required
def look(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Look at the evidence again."""
    before = access.claim(request.user, pk)
    try:
        after = claims.look_again(claim=before)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
        return redirect(before)
    if after.is_held and before.is_open:
        messages.success(request, "It is you: the page is yours now.")
    elif after.is_open:
        messages.success(request, "We looked again. What we found stands below; it does not decide yet.")
    else:
        messages.success(request, "We looked again. What is new counts from now on.")
    return redirect(after)


@require_POST
@access.member_required
def remove_file(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    try:
        claims.remove_attachment(claim=claim, pk=UUID(request.POST.get("file", "")))
    except ValueError:
        raise Http404("No such file.") from None
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The file is removed.")
    return redirect(claim)


# --- Steps with something to type or choose ---------------------------------------------------------


@require_POST
@access.member_required
def appeal(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    form = AppealForm(request.POST)
    return _typed(
        request, claim, "appeal", form, "Your appeal is filed. Another moderator decides for good.",
        lambda data: claims.appeal_claim(claim=claim, actor=request.user, reason=data["reason"]),
    )  # fmt: skip


@require_POST
@access.member_required
def write_case(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    return _typed(
        request, claim, "case_form", CaseForm(request.POST), "Your case is saved.",
        lambda data: claims.update_case(claim=claim, case=data["case"]),
    )  # fmt: skip


@require_POST
@access.member_required
def name_page(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    return _typed(
        request, claim, "link_form", LinkForm(request.POST), "The page is noted. Put the link there, then look again.",
        lambda data: claims.update_case(claim=claim, link_url=data["link_url"]),
    )  # fmt: skip


@require_POST
@access.member_required
def ask(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    could_be_asked = claims.could_be_asked(user=request.user, author=claim.author, claim=claim)
    return _typed(
        request, claim, "ask_form", AskForm(request.POST, could_be_asked=could_be_asked), "They are asked.",
        lambda data: claims.ask_coauthors(claim=claim, asked=data["coauthors"]),
    )  # fmt: skip


@require_POST
@access.member_required
def add_files(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    return _typed(
        request, claim, "files_form", FilesForm(request.POST, request.FILES), "The files are added.",
        lambda data: claims.add_attachments(
            claim=claim, files=[(file.name, file.read()) for file in data["attachments"]]
        ),
    )  # fmt: skip


def _typed(
    request: MemberRequest,
    claim: Claim,
    name: str,
    form: Form,
    done: str,
    act: Callable[[dict[str, Any]], object],
) -> HttpResponse:
    """Do what a valid form asks for; a refusal stands in the form, and nothing typed is lost."""
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except ClaimStateError as refusal:  # the form is not there any more
            messages.error(request, str(refusal))
            return redirect(claim)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(claim)
    return _page(request, claim, **{name: form})
