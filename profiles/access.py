"""Who may see what: the one place from which private rows are read, and the door of every private page.

Another person's private object answers the same 404 as one that does not exist.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_cache_control, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from bzpeer.lib.htmx import wants_partial
from profiles.models import (
    AnswerTemplate,
    Assertion,
    Block,
    Change,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    Conversation,
    CurationRequest,
    DataExport,
    Follow,
    Introduction,
    Invitation,
    Message,
    Notification,
    NotInterested,
    Participant,
    Photo,
    Preferences,
    Proposal,
    Recommendation,
    Report,
    Representative,
    Researcher,
    SavedSearch,
    User,
    Vouch,
)
from works.models import Author, Authorship, Institution, Work
from works.queries import author_works, record_by_pid

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


def without_blocked(rows: QuerySet[Any], user: User, field: str) -> QuerySet[Any]:
    """Return rows without those whose member in `field` and user block each other."""
    return rows.exclude(_blocked_between(user, OuterRef(field)))


def are_blocked(one: User, other: User) -> bool:
    return Block.objects.filter(Q(blocker=one, blocked=other) | Q(blocker=other, blocked=one)).exists()


def blocks(user: User) -> QuerySet[Block]:
    """Return the blocks that user made; those made by others are nobody's to see."""
    return Block.objects.filter(blocker=user).select_related("blocked").order_by("-created_at")


# --- Private rows -----------------------------------------------------------------------------------


def claims(user: User) -> QuerySet[Claim]:
    return Claim.objects.filter(user=user).select_related("author").order_by("-created_at")


def claims_on(author: Author) -> QuerySet[Claim]:
    """Return every claim on a record and those joined with it; what is shown of them names nobody."""
    of = Q(author=author) | Q(author__merged_into=author)
    return Claim.objects.filter(of).order_by("created_at", "pk")


def confirmations(user: User) -> QuerySet[ClaimConfirmation]:
    """Return what user is asked to confirm of others' claims, without those across a block."""
    return (
        ClaimConfirmation.objects.filter(asked=user, claim__user__isnull=False)
        .exclude(_blocked_between(user, OuterRef("claim__user")))
        .select_related("author", "claim__author", "claim__user")
        .defer("author__search", "claim__author__search")
    )


def follows(user: User) -> QuerySet[Follow]:
    shown = Q(author=None) | Q(author__suppressed=False)
    rows = Follow.objects.filter(shown, user=user).select_related("author", "topic", "institution")
    return rows.defer("author__search", "institution__search").order_by("-pk")


def preferences(user: User) -> Preferences | None:
    return Preferences.objects.filter(user=user).first()


def saved_searches(user: User) -> QuerySet[SavedSearch]:
    return SavedSearch.objects.filter(user=user).order_by("-created_at")


def feed_state(user: User) -> dict[str, Any]:
    """Return what a page with user's feed needs beside it, in one query: seen, unread, searches."""
    unread = notifications(user).filter(read_at__isnull=True).order_by().values("recipient")
    searches = SavedSearch.objects.filter(user=OuterRef("pk")).order_by("created_at")
    fields = JSONObject(id="pk", name="name", query="query", since="created_at")
    rows = User.objects.filter(pk=user.pk).values(
        seen=Coalesce("preferences__feed_seen_at", "date_joined"),
        unread=Coalesce(Subquery(unread.values(n=Count("pk"))), Value(0)),
        searches=ArraySubquery(searches.values(row=fields)),
    )
    return dict(rows[0])


def feed_owner(token: str) -> User:
    """Return whose private feed this address is; 404 for revoked and made-up ones and for suspended members."""
    row = Preferences.objects.select_related("user").filter(feed_token=token, user__is_active=True).first()
    if row is None:
        raise Http404("Nothing here.")
    return row.user


def authors_across_block(user: User) -> QuerySet[Researcher]:
    """Return the pages of members across a block from user, in either direction."""
    return Researcher.objects.filter(_blocked_between(user, OuterRef("user")))


def collaborations_followed(user: User) -> QuerySet[Invitation]:
    """Return accepted invitations between two people whom user follows and who both hold a public page."""
    rows = Invitation.objects.filter(state=Invitation.State.ACCEPTED, decided_at__isnull=False)
    for side in ("sender", "recipient"):
        author = f"{side}__researcher__author"
        rows = rows.filter(
            Exists(Follow.objects.filter(user=user.pk, author=OuterRef(author))),
            **{f"{author}__claimed": True, f"{author}__suppressed": False, f"{side}__is_active": True},
        ).exclude(_blocked_between(user, OuterRef(side)))
    return rows


def researcher(user: User) -> Researcher | None:
    """Return what user says on the page they hold, if they hold one."""
    return Researcher.objects.select_related("author").filter(user=user).first()


def invitations(user: User) -> QuerySet[Invitation]:
    """Return the invitations user sent or received, without those across a block."""
    return (
        Invitation.objects.filter(Q(sender=user) | Q(recipient=user))
        .exclude(_blocked_between(user, OuterRef("sender")))
        .exclude(_blocked_between(user, OuterRef("recipient")))
        .select_related("sender", "recipient", "author", "work", "project")
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


def message(user: User, pk: UUID, seq: int) -> Message:
    """Return a message of a conversation of user's; 404 for what a moderator took away."""
    rows = messages(conversation(user, pk)).filter(removed_at__isnull=True, seq=seq)
    found = rows.prefetch_related("versions").first()
    if found is None:
        raise Http404("Nothing here.")
    return found


def messages_with(user: User, text: str) -> QuerySet[Message]:
    """Return the messages in user's conversations that hold some words, the newest first."""
    mine = Message.objects.filter(
        conversation__in=conversations(user).order_by().values("pk"), removed_at__isnull=True
    )
    found = mine.filter(Q(body__icontains=text) | Q(seq=1, conversation__subject__icontains=text))
    return found.select_related("sender", "conversation").order_by("-created_at")


def participation(user: User, conversation: Conversation) -> Participant:
    """Return how user takes part in a conversation that conversations() gave out."""
    return Participant.objects.get(user=user, conversation=conversation)


def introductions(user: User) -> QuerySet[Introduction]:
    """Return the introductions that user asked for or is asked to give; whom they lead to knows of none."""
    rows = Introduction.objects.filter(Q(requester=user) | Q(middle=user))
    for other in ("requester", "middle", "target"):
        rows = rows.exclude(_blocked_between(user, OuterRef(other)))
    return rows.select_related("requester", "middle", "target").order_by("-created_at")


def notifications(user: User) -> QuerySet[Notification]:
    return (
        Notification.objects.filter(recipient=user)
        .exclude(_blocked_between(user, OuterRef("actor")))
        .select_related("actor")
        .order_by("-created_at")
    )


def exports(user: User) -> QuerySet[DataExport]:
    """Return the files of their data that user asked for, newest first, without the content."""
    return DataExport.objects.filter(user=user).defer("content").order_by("-created_at")


def export(user: User, pk: UUID) -> DataExport:
    """Return one that can be fetched now, content and all."""
    ready = exports(user).filter(state=DataExport.State.READY, expires_at__gt=timezone.now())
    return _one(ready.defer(None), pk)


# --- Recommendations ------------------------------------------------------------------------------------


def recommendations(user: User) -> QuerySet[Recommendation]:
    """Return what a worker found for user, without what has been put aside, followed, hidden or blocked since."""
    aside = NotInterested.objects.filter(user=user)
    followed = Follow.objects.filter(user=user, author=OuterRef("author"))
    across = Authorship.objects.filter(work=OuterRef("work")).filter(
        _blocked_between(user, OuterRef("author__researcher__user"))
    )
    return (
        Recommendation.objects.filter(user=user)
        .filter(Q(author=None) | Q(author__suppressed=False, author__merged_into=None))
        .filter(Q(work=None) | Q(work__is_withdrawn=False))
        .exclude(Exists(aside.filter(author=OuterRef("author"))))
        .exclude(Exists(aside.filter(work=OuterRef("work"))))
        .exclude(Q(kind=Recommendation.Kind.FOLLOW) & Exists(followed))
        .exclude(_blocked_between(user, OuterRef("author__researcher__user")))
        .exclude(Exists(across))
        .select_related("author")
        .defer("author__search")
        .order_by("kind", "-score", "pk")
    )


def not_interested(user: User) -> QuerySet[NotInterested]:
    """Return what user does not want recommended, the last said first."""
    shown = Q(author=None) | Q(author__suppressed=False)
    rows = NotInterested.objects.filter(shown, user=user).select_related("author", "work")
    return rows.defer("author__search", "work__search", "work__abstract", "work__abstract_html").order_by(
        "-pk"
    )


def recommended_authors(user: User, pids: set[str]) -> QuerySet[Author]:
    """Return the people that a reason names, without those hidden or across a block."""
    return (
        Author.objects.public()
        .filter(pid__in=pids)
        .exclude(_blocked_between(user, OuterRef("researcher__user")))
        .defer("search")
    )


# --- Institutions and who speaks for them --------------------------------------------------------------


def public_institution(pid: str) -> Institution:
    """Return the institution that stands behind a public id, after redirects; 404 for unknown ones."""
    institution = record_by_pid(Institution.objects.defer("search"), pid)
    if institution is None:
        raise Http404("No such institution.")
    return institution


def representations(user: User) -> QuerySet[Representative]:
    """Return for which institutions user speaks, spoke or asked to speak."""
    rows = Representative.objects.filter(user=user).select_related("institution", "user")
    return rows.defer("institution__search").order_by("-created_at")


def representation(user: User, pid: str) -> Representative:
    """Return user's standing for an institution; 404 for others' institutions and for none alike."""
    approved = representations(user).filter(state=Representative.State.APPROVED)
    found = approved.filter(institution__pid=pid).first()
    if found is None:
        raise Http404("Nothing here.")
    return found


def representation_by_id(user: User, pk: UUID) -> Representative:
    return _one(representations(user), pk)


def assertions_about(user: User) -> QuerySet[Assertion]:
    """Return what institutions say of the person whose page user holds, on pages joined with it too."""
    mine = Q(author__researcher__user=user) | Q(author__merged_into__researcher__user=user)
    rows = Assertion.objects.filter(mine).select_related("institution", "author")
    return rows.defer("institution__search", "author__search").order_by("-created_at")


def assertion_about(user: User, pk: UUID) -> Assertion:
    return _one(assertions_about(user), pk)


def vouches_given(user: User) -> QuerySet[Vouch]:
    """Return what user vouched for, whatever became of it."""
    return Vouch.objects.filter(user=user)


def vouches_received(user: User) -> QuerySet[Vouch]:
    """Return the vouches for user as the person behind the page they hold, without those across a block."""
    mine = researcher(user)
    if mine is None:
        return Vouch.objects.none()
    of = Q(author=mine.author_id) | Q(author__merged_into=mine.author_id)
    rows = Vouch.objects.filter(of, created_at__gte=mine.created_at)
    return rows.exclude(_blocked_between(user, OuterRef("user")))


def vouch(user: User, pk: UUID) -> Vouch:
    """Return one that user gave, or that is for them."""
    given = vouches_given(user).filter(pk=pk).select_related("voucher", "author").first()
    return given or _one(vouches_received(user).select_related("voucher", "author"), pk)


# --- What moderators read -------------------------------------------------------------------------------


def desk_claims() -> QuerySet[Claim]:
    return Claim.objects.select_related("author", "user").defer("author__search")


def desk_attachment(moderator: User, claim: UUID, pk: UUID) -> ClaimAttachment:
    """Return a file with a claim; a moderator who claims the same page reads no rival's files."""
    own = Claim.objects.filter(user=moderator, author=OuterRef("claim__author")).exclude(pk=OuterRef("claim"))
    rows = ClaimAttachment.objects.filter(claim=claim)
    return _one(rows.exclude(Exists(own.filter(state__in=[*Claim.OPEN, *Claim.HELD]))), pk)


def may_regroup(user: User | AnonymousUser, record: Author | Work) -> bool:
    """Return whether somebody may join or divide a record, or propose it: any for moderators, else what is theirs."""
    if not isinstance(user, User):
        return False
    if user.is_moderator:
        return True
    held = researcher(user)
    if held is None:
        return False
    if isinstance(record, Author):
        return held.author_id == record.pk
    return author_works(held.author).filter(pk=record.pk).exists()


def regroupable_author(user: User, pid: str) -> Author:
    author = public_author(pid)
    if not may_regroup(user, author):
        raise Http404("Nothing here.")
    return author


def regroupable_work(user: User, pid: str) -> Work:
    work = public_work(pid)
    if not may_regroup(user, work):
        raise Http404("Nothing here.")
    return work


def own_proposals(user: User) -> QuerySet[Proposal]:
    """Return what a member proposed for their own page, the newest first."""
    rows = Proposal.objects.filter(proposer=user).exclude(kind=Proposal.Kind.REVOKE)
    rows = rows.select_related("author", "other", "change").defer("author__search", "other__search")
    return rows.order_by("-created_at")


def own_proposal(user: User, pk: UUID) -> Proposal:
    return _one(own_proposals(user), pk)


def regrouped_change(pk: UUID) -> Change:
    """Return a change that joined or divided records, whoever asks: who may take it back is asked of the service."""
    rows = Change.objects.filter(regrouping__isnull=False)
    rows = rows.select_related("author", "other", "regrouping", "undoes")
    return _one(rows.defer("author__search", "other__search"), pk)


def desk_proposals() -> QuerySet[Proposal]:
    rows = Proposal.objects.select_related("author", "other", "proposer", "claim")
    return rows.defer("author__search", "other__search")


def desk_requests() -> QuerySet[CurationRequest]:
    """Unconfirmed requests are nobody's to read: anybody could have typed that address."""
    rows = CurationRequest.objects.exclude(state=CurationRequest.State.UNCONFIRMED)
    return rows.select_related("author", "work", "decided_by").defer("author__search", "work__search")


def desk_reports() -> QuerySet[Report]:
    return Report.objects.select_related("reporter", "decided_by", "conversation")


def desk_representatives() -> QuerySet[Representative]:
    rows = Representative.objects.select_related("user", "institution", "decided_by")
    return rows.defer("institution__search")


def desk_members() -> QuerySet[User]:
    return User.objects.all()


def desk_vouches() -> QuerySet[Vouch]:
    return Vouch.objects.all()


def desk_answers() -> QuerySet[AnswerTemplate]:
    return AnswerTemplate.objects.order_by("title")


def on_desk(rows: QuerySet[Any], pk: UUID | int) -> Any:
    """Return one of the rows that moderators read, or 404."""
    return _one(rows, pk)


def sessions(user: User) -> QuerySet[UserSession]:
    return UserSession.objects.filter(user=user).order_by("-last_seen_at")


# --- One's own page -------------------------------------------------------------------------------------


def own_work(user: User, pid: str) -> Work:
    """Return a work on the page that user holds; 404 for everybody else's and for unknown ones alike."""
    row = researcher(user)
    found = author_works(row.author).filter(pid=pid).first() if row and pid.isalnum() else None
    if found is None:
        raise Http404("Nothing here.")
    return found


def own_changes(user: User) -> QuerySet[Change]:
    """Return what was changed on the page that user holds, the last first."""
    rows = Change.objects.filter(author__researcher__user=user).select_related("undoes", "undone_by")
    return rows.order_by("-at", "-pk")


def own_change(user: User, pk: UUID) -> Change:
    return _one(own_changes(user), pk)


def public_photo(pid: str, digest: str) -> Photo:
    """Return the picture that an address names; 404 where the page shows another one, or none."""
    rows = Photo.objects.filter(
        digest=digest, researcher__author__pid=pid, researcher__author__suppressed=False,
        researcher__author__claimed=True, researcher__user__is_active=True,
    )  # fmt: skip
    found = rows.first() if pid.isalnum() and digest.isalnum() else None
    if found is None:
        raise Http404("Nothing here.")
    return found


# --- One of them ------------------------------------------------------------------------------------


def claim(user: User, pk: UUID) -> Claim:
    return _one(claims(user), pk)


def confirmation(user: User, pk: UUID) -> ClaimConfirmation:
    return _one(confirmations(user), pk)


def saved_search(user: User, pk: UUID) -> SavedSearch:
    return _one(saved_searches(user), pk)


def invitation(user: User, pk: UUID) -> Invitation:
    return _one(invitations(user), pk)


def conversation(user: User, pk: UUID) -> Conversation:
    return _one(conversations(user), pk)


def introduction(user: User, pk: UUID) -> Introduction:
    return _one(introductions(user), pk)


def notification(user: User, pk: UUID) -> Notification:
    return _one(notifications(user), pk)


def block(user: User, pk: UUID) -> Block:
    return _one(blocks(user), pk)


def _one(rows: QuerySet[Any], pk: UUID | int) -> Any:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("Nothing here.")
    return row
