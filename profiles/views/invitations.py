"""Invitations: write one, answer one, say who may send them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from icalendar import Alarm, Calendar, Event

from bzpeer.lib.htmx import wants_partial
from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ClaimNeeded, InvitationError, ProfilesError
from profiles.forms import ReportForm
from profiles.invitation_states import WAITING
from profiles.models import Invitation
from profiles.services import invitation_rules, invitations, safety
from profiles.services.notifications import mark_page_read
from profiles.talk_forms import GroupForm, InvitationForm, RulesForm
from works.models import Author

# --- Writing one ------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.member_required
def invite(request: MemberRequest, pid: str) -> HttpResponse:
    """The form; or, where one cannot invite, why not and what to do."""
    author = access.public_author(pid)
    try:
        researcher = invitations.check_can_invite(sender=request.user, author=author)
    except InvitationError as refusal:
        return _refused(request, author, refusal)
    works = invitations.works_to_build_on(sender=request.user, authors=[author])
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
    context = {"author": author, "form": form, "again": again, "preview": _preview(form, request, author)}
    return render(request, "profiles/invite.html", context)


@require_POST
@access.member_required
def invite_preview(request: MemberRequest, pid: str) -> HttpResponse:
    """The invitation as its recipient will see it: beside the form while it is filled in, or on the form's page."""
    author = access.public_author(pid)
    try:
        invitations.check_can_invite(sender=request.user, author=author)
    except InvitationError as refusal:
        return _refused(request, author, refusal)
    works = invitations.works_to_build_on(sender=request.user, authors=[author])
    form = InvitationForm(request.POST, works=works)
    context = {"author": author, "form": form, "preview": _preview(form, request, author)}
    partial = wants_partial(request)
    return render(
        request, "profiles/_invitation_preview.html" if partial else "profiles/invite.html", context
    )


def _preview(form: InvitationForm, request: MemberRequest, author: Author) -> Invitation:
    """Return the invitation as far as it is written; what is missing or wrong stays empty."""
    cleaned: dict[str, Any] = {}
    if form.is_bound:
        form.is_valid()
        cleaned = form.cleaned_data
    fields = ("purpose", "work", "offer", "ask", "expected_time", "reply_by")
    known = {name: cleaned[name] for name in fields if cleaned.get(name)}
    return Invitation(sender=request.user, author=author, **known)


def _refused(request: HttpRequest, author: Author, refusal: ProfilesError) -> HttpResponse:
    context = {"author": author, "refusal": str(refusal), "claim_needed": isinstance(refusal, ClaimNeeded)}
    return render(request, "profiles/invite_refused.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def invite_group(request: MemberRequest) -> HttpResponse:
    """Invite several people to one project; ?to= names whose page one came from."""
    first = request.GET.get("to", "")
    to = access.public_author(first) if first else None
    works = invitations.works_to_build_on(sender=request.user, authors=[to] if to else [])
    people = request.build_absolute_uri(to.get_absolute_url()) + "\n" if to else ""
    form = GroupForm(request.POST or None, works=works, initial={"people": people})
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            project = invitations.invite_group(sender=request.user, authors=fields.pop("people"), **fields)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{project.title}: your invitations are sent.")
            return redirect(reverse("profiles:invitations") + "?box=sent")
    context = {"form": form, "most": invitations.MOST_AT_ONCE}
    return render(request, "profiles/invite_group.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def invitation_rules_page(request: MemberRequest) -> HttpResponse:
    """Who may invite me, on what, how many a week."""
    rules = invitation_rules.rules_of(request.user)
    topics = invitation_rules.topics_to_choose(request.user)
    form = RulesForm(request.POST or None, instance=rules, topics=topics)
    if request.method == "POST" and form.is_valid():
        invitation_rules.save_rules(
            user=request.user,
            level=form.cleaned_data["invite_level"],
            topics=form.cleaned_data.get("invite_topics", ()),
            a_week=form.cleaned_data["invites_a_week"],
        )
        messages.success(request, "Saved.")
        return redirect("profiles:invitation_rules")
    return render(request, "profiles/invitation_rules.html", {"form": form})


# --- Reading and answering --------------------------------------------------------------------------


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
    accepted = invitation.shown == Invitation.State.ACCEPTED  # type: ignore[attr-defined]
    of = Q(invitation=invitation) | Q(project__isnull=False, project=invitation.project_id)
    context = {
        "invitation": invitation,
        "received": invitation.recipient_id == request.user.pk,
        "open": invitation.shown in WAITING,  # type: ignore[attr-defined]
        "conversation": access.conversations(request.user).filter(of).first() if accepted else None,
    }
    return render(request, "profiles/invitation.html", context)


@require_GET
@access.member_required
def calendar(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The reply-by day as a file for calendars, with a reminder two days before."""
    invitation = access.invitation(request.user, pk)
    other = invitation.sender if invitation.recipient_id == request.user.pk else invitation.recipient
    day = Event()
    day.add("uid", f"invitation-{invitation.pk}@{request.get_host()}")
    day.add("summary", f"Reply by today: {invitation.get_purpose_display()}, with {other}")
    day.add("dtstamp", invitation.created_at)
    day.add("dtstart", invitation.reply_by)
    day.add("dtend", invitation.reply_by + timedelta(days=1))
    day.add("transp", "TRANSPARENT")
    day.add("class", "PRIVATE")
    day.add("url", request.build_absolute_uri(invitation.get_absolute_url()))
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("description", "An invitation waits for an answer.")
    reminder.add("trigger", timedelta(days=-2))
    day.add_component(reminder)
    file = Calendar()
    file.add("prodid", "-//BZPEER//Invitations//EN")
    file.add("version", "2.0")
    file.add_component(day)
    response = HttpResponse(file.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="invitation.ics"'
    return response


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
def postpone(request: MemberRequest, pk: UUID) -> HttpResponse:
    done = "Kept for later. The sender is not told; you can accept until the day they set."
    return _close(request, pk, invitations.postpone_invitation, done)


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
        safety.block_user(blocker=request.user, blocked=other)
        messages.success(request, f"You and {other} do not see each other here any more.")
        return redirect("profiles:blocks")
    context = {"other": other, "back": invitation.get_absolute_url()}
    return render(request, "profiles/block.html", context)


@require_http_methods(["GET", "POST"])
@access.member_required
def report(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Report an invitation that one received and has not accepted; this declines it."""
    invitation = access.invitation(request.user, pk)
    form = ReportForm(request.POST or None)
    form.fields[
        "reason"
    ].help_text = "Moderators will read this invitation, and it is declined. The sender is told of neither."
    if request.method == "POST" and form.is_valid():
        try:
            invitations.report_invitation(
                invitation=invitation, user=request.user, reason=form.cleaned_data["reason"]
            )
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Thank you. The moderators will look at it.")
            return redirect("profiles:invitations")
    return render(request, "profiles/report_invitation.html", {"invitation": invitation, "form": form})
