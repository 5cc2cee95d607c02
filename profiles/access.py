"""Who may see what: the one place from which private rows are read, and the door of every private page.

Another person's private object answers the same 404 as one that does not exist.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from bzpeer.lib.htmx import wants_partial
from profiles.models import (
    Block,
    Claim,
    Conversation,
    Follow,
    Invitation,
    Message,
    Notification,
    Participant,
    Researcher,
    User,
)
from works.models import Author, Work
from works.queries import record_by_pid

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request that came through member_required."""

    user: User


# --- The door ---------------------------------------------------------------------------------------


def private(view: View) -> View:
    """Keep the answer out of every cache: it depends on who asks."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        return response

    return wrapped


def member_required(view: View) -> View:
    """Let members in; send others to the log-in page, from which they come back here."""

    @private
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        response = _to_login(request)
        add_never_cache_headers(response)
        return response

    return wrapped


def moderator_required(view: View) -> View:
    """Let moderators in; to everybody else the page does not exist."""

    @member_required
    @wraps(view)
    def wrapped(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_moderator:
            raise Http404("Nothing here.")
        return view(request, *args, **kwargs)

    return wrapped


def _to_login(request: HttpRequest) -> HttpResponse:
    partial = wants_partial(request)
    if partial:
        try:
            here = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:  # "http://[": the header is whatever somebody sends
            here = urlsplit("")
        path = f"{here.path}?{here.query}" if here.query else here.path
    elif request.method in {"GET", "HEAD"}:
        path = request.get_full_path()
    else:  # an action is a child of the page that holds its form
        path = request.path.rstrip("/").rpartition("/")[0] + "/"
    target = f"{settings.LOGIN_URL}?{urlencode({'next': safe_path(request, path)})}"
    return (
        HttpResponse(status=204, headers={"HX-Redirect": target}) if partial else HttpResponseRedirect(target)
    )


def safe_path(request: HttpRequest, path: str | None, default: str = "/me/") -> str:
    """Return path when it lies on this site, else default."""
    ok = path and url_has_allowed_host_and_scheme(path, {request.get_host()}, request.is_secure())
    return path if ok and path else default


# --- Public records ---------------------------------------------------------------------------------


def public_author(pid: str) -> Author:
    """Return the author that stands behind a public id, after merges; 404 for unknown and hidden ones."""
    author = record_by_pid(Author.objects.all(), pid)
    if author is None or author.suppressed:
        raise Http404("No such researcher.")
    return author


def public_work(pid: str) -> Work:
    """Return the work that stands behind a public id, after joins; 404 for unknown ones."""
    work = record_by_pid(Work.objects.all(), pid)
    if work is None:
        raise Http404("No such work.")
    return work


# --- Blocks -----------------------------------------------------------------------------------------


def _blocked_between(user: User, other: F | OuterRef) -> Exists:
    """Return the condition that user and the member in `other` block each other, in either direction."""
    return Exists(Block.objects.filter(Q(blocker=user.pk, blocked=other) | Q(blocked=user.pk, blocker=other)))


def are_blocked(one: User, other: User) -> bool:
    return Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).exists()


def blocks(user: User) -> QuerySet[Block]:
    """Return the blocks that user made; those made by others are nobody's to see."""
    return Block.objects.filter(blocker=user).select_related("blocked").order_by("-created_at")


# --- Private rows -----------------------------------------------------------------------------------


def claims(user: User) -> QuerySet[Claim]:
    return Claim.objects.filter(user=user).select_related("author").order_by("-created_at")


def follows(user: User) -> QuerySet[Follow]:
    shown = Q(author=None) | Q(author__suppressed=False)
    rows = Follow.objects.filter(shown, user=user).select_related("author", "topic", "institution")
    return rows.defer("author__search", "institution__search").order_by("-pk")


def researcher(user: User) -> Researcher | None:
    """Return what user says on the page they hold, if they hold one."""
    return Researcher.objects.select_related("author").filter(user=user).first()


def invitations(user: User) -> QuerySet[Invitation]:
    """Return the invitations user sent or received, without those across a block."""
    return (
        Invitation.objects.filter(Q(sender=user) | Q(recipient=user))
        .exclude(_blocked_between(user, OuterRef("sender")))
        .exclude(_blocked_between(user, OuterRef("recipient")))
        .select_related("sender", "recipient", "author", "work")
        .order_by("-created_at")
    )


def conversations(user: User) -> QuerySet[Conversation]:
    """Return the conversations user takes part in and has not left, without those across a block."""
    mine = Participant.objects.filter(conversation=OuterRef("pk"), user=user, left_at__isnull=True)
    across = Participant.objects.filter(conversation=OuterRef("pk")).filter(
        _blocked_between(user, OuterRef("user"))
    )
    return Conversation.objects.filter(Exists(mine)).exclude(Exists(across)).order_by("-last_message_at")


def messages(conversation: Conversation) -> QuerySet[Message]:
    """Return the messages of a conversation that conversations() gave out."""
    return Message.objects.filter(conversation=conversation).select_related("sender").order_by("seq")


def notifications(user: User) -> QuerySet[Notification]:
    return (
        Notification.objects.filter(recipient=user)
        .exclude(_blocked_between(user, OuterRef("actor")))
        .select_related("actor")
        .order_by("-created_at")
    )


# --- One of them ------------------------------------------------------------------------------------


def claim(user: User, pk: UUID) -> Claim:
    return _one(claims(user), pk)


def invitation(user: User, pk: UUID) -> Invitation:
    return _one(invitations(user), pk)


def conversation(user: User, pk: UUID) -> Conversation:
    return _one(conversations(user), pk)


def notification(user: User, pk: UUID) -> Notification:
    return _one(notifications(user), pk)


def block(user: User, pk: UUID) -> Block:
    return _one(blocks(user), pk)


def _one(rows: QuerySet[Any], pk: UUID) -> Any:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("Nothing here.")
    return row
