"""Introductions: ask the person in the middle, and answer as one."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.pagination import page_of
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ClaimNeeded, ProfilesError
from profiles.models import Introduction, Researcher
from profiles.services import introductions
from profiles.services.notifications import mark_page_read
from profiles.talk_forms import IntroductionForm

MOST_BETWEEN = 10


@require_http_methods(["GET", "POST"])
@access.member_required
def ask(request: MemberRequest, pid: str) -> HttpResponse:
    """Choose who may introduce one, and say why; or why it cannot be asked."""
    author = access.public_author(pid)
    try:
        target = introductions.check_can_ask(requester=request.user, author=author)
    except ProfilesError as refusal:
        context = {
            "author": author,
            "refusal": str(refusal),
            "claim_needed": isinstance(refusal, ClaimNeeded),
        }
        return render(request, "profiles/introduction_refused.html", context)
    between = list(introductions.people_between(requester=request.user, target=target)[:MOST_BETWEEN])
    form = IntroductionForm(request.POST or None, between=between)
    if request.method == "POST" and form.is_valid():
        middle = form.cleaned_data["middle"]
        try:
            introductions.ask_introduction(
                requester=request.user,
                target=author,
                middle=middle.author,
                message=form.cleaned_data["message"],
            )
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{middle.user} is asked.")
            return redirect("profiles:introductions")
    context = {"author": author, "form": form, "between": between}
    return render(request, "profiles/introduction_ask.html", context)


@require_GET
@access.member_required
def introduction_list(request: MemberRequest) -> HttpResponse:
    page = page_of(access.introductions(request.user), request.GET.get("page"), per_page=30)
    for row in page:
        _show(request, row)
    return render(request, "profiles/introductions.html", {"page": page})


@require_GET
@access.member_required
def introduction(request: MemberRequest, pk: UUID) -> HttpResponse:
    row = access.introduction(request.user, pk)
    mark_page_read(user=request.user, url=introductions.address_of(row))
    _show(request, row)
    people = [row.requester_id, row.target_id]
    pages = {
        page.user_id: page.author
        for page in Researcher.objects.filter(user__in=people).select_related("author")
    }
    context = {
        "introduction": row,
        "asked": row.middle_id == request.user.pk,
        "open": row.shown == Introduction.State.ASKED,  # type: ignore[attr-defined]
        "conversation": access.conversations(request.user).filter(pk__in=[row.conversation_id]).first(),
        "requester_page": pages.get(row.requester_id),
        "target_page": pages.get(row.target_id),
    }
    return render(request, "profiles/introduction.html", context)


def _show(request: MemberRequest, row: Introduction) -> None:
    """Set the state as this viewer may know it."""
    state = introductions.shown_state(introduction=row, viewer=request.user)
    row.shown = state  # type: ignore[attr-defined]
    row.shown_label = Introduction.State(state).label  # type: ignore[attr-defined]


@require_POST
@access.member_required
def consent(request: MemberRequest, pk: UUID) -> HttpResponse:
    row = access.introduction(request.user, pk)
    try:
        conversation = introductions.consent(introduction=row, user=request.user)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
        return redirect(introductions.address_of(row))
    return redirect(conversation)


@require_POST
@access.member_required
def decline(request: MemberRequest, pk: UUID) -> HttpResponse:
    done = "Declined. Nobody is told; for the one who asked the request just expires."
    return _close(request, pk, introductions.decline, done)


@require_POST
@access.member_required
def withdraw(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _close(request, pk, introductions.withdraw, "Your request is withdrawn.")


def _close(request: MemberRequest, pk: UUID, service: Callable[..., Introduction], done: str) -> HttpResponse:
    row = access.introduction(request.user, pk)
    try:
        service(introduction=row, user=request.user)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(introductions.address_of(row))
