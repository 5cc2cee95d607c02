"""Private conversations, and the people one blocks."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access, talk
from profiles.access import MemberRequest
from profiles.exceptions import ProfilesError
from profiles.forms import ReportForm
from profiles.models import Conversation
from profiles.services import conversations, safety
from profiles.talk_forms import DraftForm, EditForm, MessageForm

MOST_SEARCHED = 100  # characters of a search


@require_GET
@access.member_required
def conversation_list(request: MemberRequest) -> HttpResponse:
    """The conversations, those put away with ?box=archived; with ?q= the messages that hold these words."""
    archived = request.GET.get("box") == "archived"
    text = request.GET.get("q", "").strip()[:MOST_SEARCHED]
    rows = talk.conversation_list(request.user, archived=archived)
    context = {
        "page": None if text else Paginator(rows, 30).get_page(request.GET.get("page")),
        "archived": archived,
        "text": text,
        "found": talk.found_messages(request.user, text),
        "most": talk.MOST_FOUND,
    }
    return render(request, "profiles/conversations.html", context)


@require_GET
@access.member_required
def conversation(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The messages, newest page first; reading marks them as read."""
    conversation = access.conversation(request.user, pk)
    part = access.participation(request.user, conversation)
    conversations.mark_read(conversation=conversation, user=request.user)
    form = MessageForm(initial={"client_key": uuid4(), "body": part.draft})
    return _page(request, conversation, form, new_after=part.read_seq)


def _page(
    request: MemberRequest, conversation: Conversation, form: MessageForm, new_after: int | None = None
) -> HttpResponse:
    others = conversations.others_of(conversation, request.user)
    shown = talk.messages_page(conversation, request.user, _number(request.GET.get("before")))
    context = {
        "conversation": conversation,
        "part": access.participation(request.user, conversation),
        "shown": shown.messages,
        "earlier": shown.earlier,
        "new_after": conversation.messages_count if new_after is None else new_after,
        "others": others,
        "open": any(other.left_at is None and other.user.is_active for other in others),
        "form": form,
    }
    partial = wants_partial(request)
    return render(request, "profiles/_messages.html" if partial else "profiles/conversation.html", context)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


@require_GET
@access.member_required
def new_messages(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The messages after ?after=, for a page that is being looked at; 204 where there are none."""
    conversation = access.conversation(request.user, pk)
    after = _number(request.GET.get("after"))
    if conversation.messages_count <= after:
        return HttpResponse(status=204)
    shown = talk.messages_after(conversation, request.user, after)
    conversations.mark_read(conversation=conversation, user=request.user)
    context = {"conversation": conversation, "shown": shown, "new_after": conversation.messages_count}
    return render(request, "profiles/_messages_new.html", context)


@require_POST
@access.member_required
def send(request: MemberRequest, pk: UUID) -> HttpResponse:
    conversation = access.conversation(request.user, pk)
    form = MessageForm(request.POST)
    if form.is_valid():
        try:
            conversations.send_message(conversation=conversation, sender=request.user, **form.cleaned_data)
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            if not wants_partial(request):
                return redirect(conversation)
            form = MessageForm(initial={"client_key": uuid4()})
    conversation.refresh_from_db()
    return _page(request, conversation, form)


@require_POST
@access.member_required
def draft(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Keep what is being typed."""
    conversation = access.conversation(request.user, pk)
    form = DraftForm(request.POST)
    if form.is_valid():
        conversations.save_draft(conversation=conversation, user=request.user, **form.cleaned_data)
    return HttpResponse(status=204)


@require_http_methods(["GET", "POST"])
@access.member_required
def message(request: MemberRequest, pk: UUID, seq: int) -> HttpResponse:
    """One message with what it said before; for a few minutes its writer changes it here."""
    found = access.message(request.user, pk, seq)
    form = EditForm(request.POST or None, initial={"body": found.body})
    if request.method == "POST" and form.is_valid():
        try:
            conversations.edit_message(message=found, user=request.user, body=form.cleaned_data["body"])
        except ProfilesError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(f"{found.conversation.get_absolute_url()}#m{found.seq}")
    context = {
        "conversation": found.conversation,
        "message": found,
        "versions": found.versions.all(),
        "form": form if conversations.can_edit(found, request.user) or form.errors else None,
    }
    return render(request, "profiles/conversation_message.html", context)


@require_POST
@access.member_required
def archive(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Put a conversation away, or with off=1 fetch it back."""
    conversation = access.conversation(request.user, pk)
    archived = request.POST.get("off") != "1"
    conversations.set_archived(conversation=conversation, user=request.user, archived=archived)
    if not archived:
        return redirect(conversation)
    messages.success(request, "Archived. It comes back when somebody writes.")
    return redirect("profiles:conversations")


@require_POST
@access.member_required
def mute(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Have no notices of a conversation, or with off=1 have them again."""
    conversation = access.conversation(request.user, pk)
    muted = request.POST.get("off") != "1"
    conversations.set_muted(conversation=conversation, user=request.user, muted=muted)
    messages.success(request, "Muted: you get no notices of it." if muted else "You get notices of it again.")
    return redirect(conversation)


@require_http_methods(["GET", "POST"])
@access.member_required
def leave(request: MemberRequest, pk: UUID) -> HttpResponse:
    conversation = access.conversation(request.user, pk)
    if request.method == "POST":
        conversations.leave_conversation(conversation=conversation, user=request.user)
        messages.success(request, "You left the conversation.")
        return redirect("profiles:conversations")
    return render(request, "profiles/leave.html", {"conversation": conversation})


@require_http_methods(["GET", "POST"])
@access.member_required
def report(request: MemberRequest, pk: UUID) -> HttpResponse:
    conversation = access.conversation(request.user, pk)
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        conversations.report_conversation(
            conversation=conversation, user=request.user, reason=form.cleaned_data["reason"]
        )
        messages.success(request, "Thank you. The moderators will look at it.")
        return redirect(conversation)
    return render(request, "profiles/report.html", {"conversation": conversation, "form": form})


@require_http_methods(["GET", "POST"])
@access.member_required
def block(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Block one of the other people of a conversation (?who=), after saying what it does."""
    conversation = access.conversation(request.user, pk)
    others = conversations.others_of(conversation, request.user)
    if not others:  # their account is gone
        return redirect(conversation)
    who = _number(request.GET.get("who"))
    other = next((part.user for part in others if part.pk == who), others[0].user)
    if request.method == "POST":
        safety.block_user(blocker=request.user, blocked=other)
        messages.success(request, f"You and {other} do not see each other here any more.")
        return redirect("profiles:blocks")
    context = {"other": other, "back": conversation.get_absolute_url()}
    return render(request, "profiles/block.html", context)


@require_GET
@access.member_required
def block_list(request: MemberRequest) -> HttpResponse:
    return render(request, "profiles/blocks.html", {"blocks": access.blocks(request.user)})


@require_POST
@access.member_required
def unblock(request: MemberRequest, pk: UUID) -> HttpResponse:
    block = access.block(request.user, pk)
    safety.unblock_user(block=block)
    messages.success(request, f"{block.blocked} is not blocked any more.")
    return redirect("profiles:blocks")
