"""Invitations: write one, answer one."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ClaimNeeded, InvitationError, ProfilesError
from profiles.forms import InvitationForm
from profiles.models import Invitation
from profiles.services import conversations, invitations
from profiles.services.notifications import mark_page_read


@require_http_methods(["GET", "POST"])
@access.member_required
def invite(request: MemberRequest, pid: str) -> HttpResponse:
    """The form; or, where one cannot invite, why not and what to do."""
    author = access.public_author(pid)
    try:
        researcher = invitations.check_can_invite(sender=request.user, author=author)
    except InvitationError as refusal:
        context = {
            "author": author,
            "refusal": str(refusal),
            "claim_needed": isinstance(refusal, ClaimNeeded),
        }
        return render(request, "profiles/invite_refused.html", context)
    works = invitations.works_to_build_on(sender=request.user, author=author)
    form = InvitationForm(request.POST or None, works=works)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = invitations.send_invitation(sender=request.user, author=author, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Your invitation to {researcher.user} is sent.")
            return redirect(invitation)
    again = invitations.may_invite_again_on(sender=request.user, recipient=researcher.user)
    context = {"author": author, "form": form, "again": again}
    return render(request, "profiles/invite.html", context)


@require_GET
@access.member_required
def invitation_list(request: MemberRequest) -> HttpResponse:
    sent = request.GET.get("box") == "sent"
    mine = access.invitations(request.user)
    rows = mine.filter(sender=request.user) if sent else mine.filter(recipient=request.user)
    page = Paginator(rows, 30).get_page(request.GET.get("page"))
    for invitation in page:
        _show(request, invitation)
    return render(request, "profiles/invitations.html", {"page": page, "sent": sent})


@require_GET
@access.member_required
def invitation(request: MemberRequest, pk: UUID) -> HttpResponse:
    invitation = access.invitation(request.user, pk)
    mark_page_read(user=request.user, url=invitation.get_absolute_url())
    _show(request, invitation)
    context = {
        "invitation": invitation,
        "received": invitation.recipient_id == request.user.pk,
        "open": invitation.shown == Invitation.State.PENDING,  # type: ignore[attr-defined]
        "conversation": access.conversations(request.user).filter(invitation=invitation).first(),
    }
    return render(request, "profiles/invitation.html", context)


def _show(request: MemberRequest, invitation: Invitation) -> None:
    """Set the state as this viewer may know it."""
    state = invitations.shown_state(invitation=invitation, viewer=request.user)
    invitation.shown = state  # type: ignore[attr-defined]
    invitation.shown_label = Invitation.State(state).label  # type: ignore[attr-defined]


@require_POST
@access.member_required
def accept(request: MemberRequest, pk: UUID) -> HttpResponse:
    invitation = access.invitation(request.user, pk)
    try:
        conversation = invitations.accept_invitation(invitation=invitation, user=request.user)
    except InvitationError as refusal:
        messages.error(request, str(refusal))
        return redirect(invitation)
    return redirect(conversation)


@require_POST
@access.member_required
def decline(request: MemberRequest, pk: UUID) -> HttpResponse:
    done = "Declined. The sender is not told; for them the invitation just expires."
    return _close(request, pk, invitations.decline_invitation, done)


@require_POST
@access.member_required
def withdraw(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _close(request, pk, invitations.withdraw_invitation, "Your invitation is withdrawn.")


def _close(request: MemberRequest, pk: UUID, service: Callable[..., Invitation], done: str) -> HttpResponse:
    invitation = access.invitation(request.user, pk)
    try:
        service(invitation=invitation, user=request.user)
    except InvitationError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(invitation)


@require_http_methods(["GET", "POST"])
@access.member_required
def block(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Block the other person of an invitation, after saying what it does."""
    invitation = access.invitation(request.user, pk)
    other = invitation.sender if invitation.recipient_id == request.user.pk else invitation.recipient
    if request.method == "POST":
        conversations.block_user(blocker=request.user, blocked=other)
        messages.success(request, f"You and {other} do not see each other here any more.")
        return redirect("profiles:blocks")
    context = {"other": other, "back": invitation.get_absolute_url()}
    return render(request, "profiles/block.html", context)
