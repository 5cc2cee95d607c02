"""The moderators' tools for what people write to each other: limit an account, take a message away and bring it back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.services import conversations, safety
from profiles.talk_forms import LimitForm, RemovalForm


@require_http_methods(["GET", "POST"])
@access.moderator_required
def limit(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep an account from writing to anybody new for some days."""
    member = access.on_desk(access.desk_members(), pk)
    form = LimitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            safety.limit_member(member=member, actor=request.user, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Done.")
            return redirect("profiles:moderation_account", member.pk)
    return render(request, "profiles/moderation_limit.html", {"member": member, "form": form})


@require_http_methods(["GET", "POST"])
@access.moderator_required
def reported_message(request: MemberRequest, pk: UUID, seq: int) -> HttpResponse:
    """Take a message of a reported conversation away, or bring it back."""
    report = access.on_desk(access.desk_reports(), pk)
    found = next((row for row in conversations.reported_messages(report) if row.seq == seq), None)
    if found is None:
        raise Http404("Nothing here.")
    form = RemovalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        service = safety.restore_message if found.removed_at else safety.remove_message
        try:
            service(report=report, seq=seq, actor=request.user, reason=form.cleaned_data["reason"])
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Brought back." if found.removed_at else "Taken away from its readers.")
            return redirect("profiles:moderation_report", report.pk)
    context = {"report": report, "message": found, "form": form}
    return render(request, "profiles/moderation_message.html", context)
