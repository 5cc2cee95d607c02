"""The moderators' tools: the audit trail, answers used again, everything by one account at once."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from profiles import access
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.forms_desk import AnswerForm, AuditFilterForm, DecisionForm, SpamForm
from profiles.services import suspension
from profiles.services.moderation import answers, spam, trail
from profiles.views.moderation import desk_address

# --- The audit trail ------------------------------------------------------------------------------------


def _filters(request: MemberRequest) -> tuple[AuditFilterForm, trail.Filters]:
    form = AuditFilterForm(request.GET)
    form.is_valid()  # what is not valid is passed over, and said beside its field
    return form, trail.Filters(**form.cleaned_data)


@require_GET
@access.moderator_required
def audit(request: MemberRequest) -> HttpResponse:
    form, filters = _filters(request)
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else 0
    entries, following = trail.page_of_entries(filters, number)
    context = {
        "form": form,
        "entries": entries,
        "next": following,
        "at_start": not number,
        "actions": trail.actions(),
        "filtered": any(vars(filters).values()),
    }
    return render(request, "profiles/moderation/audit.html", context)


@require_POST
@access.moderator_required
def audit_download(request: MemberRequest) -> HttpResponseBase:
    """The entries that the address asks for, as CSV. By POST: that somebody took them is written down."""
    _, filters = _filters(request)
    lines = trail.download(filters, actor=request.user)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"audit-{timezone.localdate().isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# --- Answers --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.moderator_required
def answer_list(request: MemberRequest) -> HttpResponse:
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            answers.save_answer(actor=request.user, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error("title", str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("profiles:moderation_answers")
    own = access.desk_answers()
    context = {"form": form, "own": own, "usual": [] if own else answers.USUAL}
    return render(request, "profiles/moderation/answers.html", context)


@require_POST
@access.moderator_required
def keep_usual_answers(request: MemberRequest) -> HttpResponse:
    try:
        answers.keep_usual(actor=request.user)
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    return redirect("profiles:moderation_answers")


@require_http_methods(["GET", "POST"])
@access.moderator_required
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    template = access.on_desk(access.desk_answers(), pk)
    form = AnswerForm(request.POST or None, initial={"title": template.title, "body": template.body})
    if request.method == "POST" and form.is_valid():
        try:
            answers.save_answer(actor=request.user, template=template, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error("title", str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("profiles:moderation_answers")
    return render(request, "profiles/moderation/answer.html", {"form": form, "template": template})


@require_POST
@access.moderator_required
def delete_answer(request: MemberRequest, pk: int) -> HttpResponse:
    template = access.on_desk(access.desk_answers(), pk)
    title = template.title
    answers.delete_answer(actor=request.user, template=template)
    messages.success(request, f"“{title}” was deleted.")
    return redirect("profiles:moderation_answers")


# --- Everything by one account or address ---------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@access.moderator_required
def account(request: MemberRequest, pk: int) -> HttpResponse:
    """What waits by one member, to be turned down at once; their account, to be closed or opened."""
    member = access.on_desk(access.desk_members(), pk)
    return _sender_page(request, spam.sender_of(member=member))


@require_http_methods(["GET", "POST"])
@access.moderator_required
def address(request: MemberRequest, pk: UUID) -> HttpResponse:
    """What waits by the address of a request: of a member, or of somebody without an account."""
    row = access.on_desk(access.desk_requests(), pk)
    sender = spam.sender_of(address=row.email)
    if sender.member:
        return redirect("profiles:moderation_account", sender.member.pk)
    return _sender_page(request, sender)


def _sender_page(request: MemberRequest, sender: spam.Sender) -> HttpResponse:
    member = sender.member
    items = [(key, spam.name_of(row)) for key, row in sender.items.items()]
    may_suspend = bool(member and member.is_active and not member.is_staff)
    form = SpamForm(
        request.POST or None,
        items=items,
        may_suspend=may_suspend,
        initial={"picked": [key for key, _ in items]},
    )
    if request.method == "POST" and form.is_valid():
        try:
            outcome = spam.reject_all(
                sender=sender,
                picked=form.cleaned_data.get("picked", []),
                actor=request.user,
                reason=form.cleaned_data["reason"],
                suspend=form.cleaned_data.get("suspend", False),
            )
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Turned down: {outcome.done}.")
            for refused in outcome.refused:
                messages.error(request, refused)
            if member and form.cleaned_data.get("suspend"):
                messages.success(request, "The account is closed.")
            return redirect(request.path)
    context = {
        "sender": sender,
        "rows": [(key, row, spam.name_of(row), desk_address(row)) for key, row in sender.items.items()],
        "form": form,
        "picked": set(form["picked"].value() or []) if items else set(),
        "history": spam.past_of(member) if member else [],
        "restore_form": DecisionForm(label="Why it is opened again")
        if member and not member.is_active
        else None,
    }
    return render(request, "profiles/moderation/account.html", context)


@require_POST
@access.moderator_required
def restore(request: MemberRequest, pk: int) -> HttpResponse:
    """Open a closed account again."""
    member = access.on_desk(access.desk_members(), pk)
    form = DecisionForm(request.POST)
    try:
        suspension.restore_member(
            member=member, actor=request.user, reason=form.cleaned_data["reason"] if form.is_valid() else ""
        )
    except ProfilesError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The account is open again.")
    return redirect("profiles:moderation_account", member.pk)
