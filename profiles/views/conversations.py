"""Private conversations, and the people one blocks."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bzpeer.lib.htmx import wants_partial
from profiles import access, queries
from profiles.access import MemberRequest
from profiles.exceptions import ConversationError
from profiles.forms import MessageForm, ReportForm
from profiles.models import Conversation
from profiles.services import conversations

PAGE = 50


@require_GET
@access.member_required
def conversation_list(request: MemberRequest) -> HttpResponse:
    page = Paginator(queries.conversation_list(request.user), 30).get_page(request.GET.get("page"))
    return render(request, "profiles/conversations.html", {"page": page})


@require_GET
@access.member_required
def conversation(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The messages, newest page first; reading marks them as read."""
    conversation = access.conversation(request.user, pk)
    conversations.mark_read(conversation=conversation, user=request.user)
    return _page(request, conversation, MessageForm(initial={"client_key": uuid4()}))


def _page(request: MemberRequest, conversation: Conversation, form: MessageForm) -> HttpResponse:
    others = conversations.others_of(conversation, request.user)
    before = _number(request.GET.get("before")) or conversation.messages_count + 1
    shown = access.messages(conversation).filter(seq__gte=max(before - PAGE, 1), seq__lt=before)
    context = {
        "conversation": conversation,
        "shown": shown,
        "earlier": before - PAGE if before - PAGE > 1 else None,
        "others": others,
        "open": any(other.left_at is None for other in others),
        "form": form,
    }
    partial = wants_partial(request)
    return render(request, "profiles/_messages.html" if partial else "profiles/conversation.html", context)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


@require_POST
@access.member_required
def send(request: MemberRequest, pk: UUID) -> HttpResponse:
    conversation = access.conversation(request.user, pk)
    form = MessageForm(request.POST)
    if form.is_valid():
        try:
            conversations.send_message(conversation=conversation, sender=request.user, **form.cleaned_data)
        except ConversationError as refusal:
            form.add_error(None, str(refusal))
        else:
            if not wants_partial(request):
                return redirect(conversation)
            form = MessageForm(initial={"client_key": uuid4()})
    conversation.refresh_from_db()
    return _page(request, conversation, form)


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
    """Block the other person of a conversation, after saying what it does."""
    conversation = access.conversation(request.user, pk)
    others = conversations.others_of(conversation, request.user)
    if not others:  # their account is gone
        return redirect(conversation)
    if request.method == "POST":
        for other in others:
            conversations.block_user(blocker=request.user, blocked=other.user)
        messages.success(request, f"You and {others[0].user} do not see each other here any more.")
        return redirect("profiles:blocks")
    context = {"other": others[0].user, "back": conversation.get_absolute_url()}
    return render(request, "profiles/block.html", context)


@require_GET
@access.member_required
def block_list(request: MemberRequest) -> HttpResponse:
    return render(request, "profiles/blocks.html", {"blocks": access.blocks(request.user)})


@require_POST
@access.member_required
def unblock(request: MemberRequest, pk: UUID) -> HttpResponse:
    block = access.block(request.user, pk)
    conversations.unblock_user(block=block)
    messages.success(request, f"{block.blocked} is not blocked any more.")
    return redirect("profiles:blocks")
