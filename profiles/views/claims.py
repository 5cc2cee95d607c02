"""Claim a page, and follow one's claims."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ClaimError, ProfilesError
from profiles.forms import AppealForm, ClaimForm
from profiles.models import Claim
from profiles.services import claims
from profiles.services.notifications import mark_page_read


@require_http_methods(["GET", "POST"])
@access.member_required
def claim_author(request: MemberRequest, pid: str) -> HttpResponse:
    """Say "this is me": what it does, what counts, and the written case."""
    author = access.public_author(pid)
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            claim = claims.submit_claim(user=request.user, author=author, case=form.cleaned_data["case"])
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your claim is filed. A moderator reads it and decides.")
            return redirect(claim)
    mine = access.claims(request.user)
    context = {
        "author": author,
        "form": form,
        "standing": mine.filter(author=author, state__in=[*Claim.OPEN, *Claim.HELD]).first(),
        "held": mine.filter(state__in=Claim.HELD).exclude(author=author).first(),
    }
    return render(request, "profiles/claim_author.html", context)


@require_GET
@access.member_required
def claim_list(request: MemberRequest) -> HttpResponse:
    return render(request, "profiles/claims.html", {"claims": access.claims(request.user)})


@require_GET
@access.member_required
def claim(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _page(request, access.claim(request.user, pk), AppealForm())


def _page(request: MemberRequest, claim: Claim, form: AppealForm) -> HttpResponse:
    mark_page_read(user=request.user, url=claim.get_absolute_url())
    context = {
        "claim": claim,
        "steps": claim.steps.select_related("actor"),
        "can_appeal": claims.can_step(claim, Claim.State.APPEALED),
        "form": form,
    }
    return render(request, "profiles/claim.html", context)


@require_POST
@access.member_required
def appeal(request: MemberRequest, pk: UUID) -> HttpResponse:
    claim = access.claim(request.user, pk)
    form = AppealForm(request.POST)
    if form.is_valid():
        try:
            claims.appeal_claim(claim=claim, actor=request.user, reason=form.cleaned_data["reason"])
        except ClaimError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Your appeal is filed. Another look decides for good.")
            return redirect(claim)
    return _page(request, claim, form)


@require_POST
@access.member_required
def withdraw(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _step(request, pk, claims.withdraw_claim, "Your claim is withdrawn.")


@require_POST
@access.member_required
def give_up(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _step(request, pk, claims.give_up_claim, "The page is not yours any more; it is unclaimed again.")


def _step(request: MemberRequest, pk: UUID, service: Callable[..., Claim], done: str) -> HttpResponse:
    claim = access.claim(request.user, pk)
    try:
        service(claim=claim, actor=request.user)
    except ClaimError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(claim)
