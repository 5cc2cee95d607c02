"""What a member has to do with others, and did for them."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import F, Q, QuerySet

from profiles import access
from profiles.models import (
    AuditEntry,
    CarriedFollow,
    ClaimStep,
    CurationRequest,
    Introduction,
    Invitation,
    Message,
    MessageVersion,
    NotInterested,
    Participant,
    Project,
    Proposal,
    Recommendation,
    Report,
    Representative,
    SavedSearch,
    User,
    Vouch,
)
from profiles.services import invitations
from profiles.services.my_data.kinds import Kind, Row


def people_kinds(user: User) -> Iterator[Kind]:
    yield Kind(
        "follows",
        "Researchers, topics and institutions that you follow",
        (
            {
                "kind": follow.kind,
                "pid": follow.target.pid,
                "name": str(follow.target),
                "created_at": follow.created_at,
            }
            for follow in access.follows(user)
        ),
    )
    yield Kind(
        "carried_follows",
        "Follows that went with a page when it was joined with another",
        CarriedFollow.objects.filter(user=user)
        .order_by("pk")
        .values(
            "was_there", "change_id", from_author_pid=F("from_author__pid"), to_author_pid=F("to_author__pid")
        ),
    )
    yield Kind(
        "blocks",
        "Members whom you block",
        ({"blocked": str(row.blocked), "created_at": row.created_at} for row in access.blocks(user)),
    )
    yield from _wishes(user)
    yield Kind("invitations", "Invitations that you sent or received", _invitations(user))
    yield Kind(
        "projects",
        "Projects to which you invited several people",
        Project.objects.filter(owner=user)
        .order_by("created_at")
        .values("id", "title", "conversation_id", "created_at"),
    )
    yield Kind("introductions", "Introductions that you asked for, gave or got", _introductions(user))
    yield Kind(
        "vouches",
        "Researchers for whom you vouch",
        Vouch.objects.filter(user=user)
        .order_by("created_at")
        .values(
            "id", "statement", "carries", "evidence_id", "created_at", "revoked_at",
            voucher_pid=F("voucher__pid"), author_pid=F("author__pid"),
        ),
    )  # fmt: skip
    yield Kind(
        "conversations",
        "Your conversations",
        Participant.objects.filter(user=user)
        .order_by("pk")
        .values(
            "conversation_id", "read_seq", "left_at", "archived_at", "muted_at", "draft", subject=F("conversation__subject"),
            invitation_id=F("conversation__invitation_id"), messages_count=F("conversation__messages_count"),
            created_at=F("conversation__created_at"), last_message_at=F("conversation__last_message_at"),
        ),
    )  # fmt: skip
    yield Kind("messages", "What was written in your conversations", _messages(user))
    yield Kind(
        "message_versions",
        "What messages of yours said before you changed them",
        MessageVersion.objects.filter(message__sender=user)
        .order_by("pk")
        .values("body", "at", conversation_id=F("message__conversation"), message_seq=F("message__seq")),
    )
    yield Kind(
        "reports",
        "Conversations that you reported",
        Report.objects.filter(reporter=user)
        .order_by("created_at")
        .values("id", "conversation_id", "reason", "last_seq", "state", "created_at", "decided_at"),
    )


def _wishes(user: User) -> Iterator[Kind]:
    yield Kind(
        "saved_searches",
        "Searches that you follow",
        SavedSearch.objects.filter(user=user)
        .order_by("created_at")
        .values("id", "name", "query", "created_at"),
    )
    named = {"author_pid": F("author__pid"), "work_pid": F("work__pid")}
    yield Kind(
        "recommendations",
        "What was found for you, and why",
        Recommendation.objects.filter(user=user)
        .order_by("kind", "-score")
        .values("kind", "score", "reasons", "computed_at", **named),
    )
    yield Kind(
        "not_interested",
        "What you do not want recommended again",
        NotInterested.objects.filter(user=user).order_by("pk").values("created_at", **named),
    )


def _introductions(user: User) -> Iterator[Row]:
    """Yield what passed through a member. Who asked is not told that the one in the middle declined."""
    rows = Introduction.objects.filter(Q(requester=user) | Q(middle=user) | Q(target=user))
    # The one who was to be introduced knows of it once it was done.
    rows = rows.exclude(~Q(state=Introduction.State.CONSENTED), target=user)
    for row in rows.select_related("requester", "middle", "target").order_by("created_at"):
        silent = row.state == Introduction.State.DECLINED and row.middle_id != user.pk
        yield {
            "id": row.pk,
            "requester": str(row.requester),
            "middle": str(row.middle),
            "target": str(row.target),
            "message": row.message,
            "state": Introduction.State.ASKED.value if silent else row.state,
            "conversation_id": row.conversation_id,
            "created_at": row.created_at,
            "decided_at": None if silent else row.decided_at,
            "expires_at": row.expires_at,
        }


def _invitations(user: User) -> Iterator[Row]:
    rows = Invitation.objects.filter(Q(sender=user) | Q(recipient=user)).select_related(
        "sender", "recipient", "author", "work"
    )
    for row in rows.order_by("created_at"):
        sent = row.sender_id == user.pk
        state = invitations.shown_state(invitation=row, viewer=user)
        yield {
            "id": row.pk,
            "direction": "sent" if sent else "received",
            "with": str(row.recipient if sent else row.sender),
            "author_pid": row.author.pid,
            "purpose": row.purpose,
            "work_title": row.work and row.work.title,
            "offer": row.offer,
            "ask": row.ask,
            "expected_time": row.expected_time,
            "project_id": row.project_id,
            "reply_by": row.reply_by,
            "state": state,
            "created_at": row.created_at,
            # The moment would tell of a decision that the state conceals.
            "decided_at": row.decided_at if state == row.state else None,
        }


def _messages(user: User) -> Iterator[Row]:
    """Yield the messages up to where a member left each conversation."""
    left_at = "conversation__participants__left_at"
    rows = Message.objects.filter(
        Q(**{left_at: None}) | Q(created_at__lte=F(left_at)), conversation__participants__user=user
    )
    for row in rows.select_related("sender").order_by("conversation", "seq").iterator():
        mine = row.sender_id == user.pk
        yield {
            "conversation_id": row.conversation_id,
            "seq": row.seq,
            "from": "me" if mine else str(row.sender or "a former member"),
            "created_at": row.created_at,
            "edited_at": row.edited_at,
            "removed_at": row.removed_at,
            "body": row.body if mine or not row.removed_at else "",
        }


def acts_kinds(user: User) -> Iterator[Kind]:
    yield Kind(
        "steps_taken",
        "Steps that you took in other people's claims",
        ClaimStep.objects.filter(actor=user)
        .exclude(claim__user=user)
        .order_by("pk")
        .values("claim_id", "from_state", "to_state", "by", "route", "reason", "at", author_pid=F("claim__author__pid")),
    )  # fmt: skip
    yield Kind(
        "proposals",
        "What you proposed",
        Proposal.objects.filter(proposer=user)
        .order_by("created_at")
        .values(
            "id", "kind", "state", "by", "claim_id", "data", "reason", "answer", "change_id", "created_at",
            "decided_at", author_pid=F("author__pid"), other_pid=F("other__pid"),
        ),
    )  # fmt: skip
    yield Kind("decisions", "What you decided as a moderator", _decisions(user))
    yield Kind("audit", "Privileged acts, by you or on your account", _audit(user))
    yield Kind(
        "admin_log",
        "What you did in the admin",
        LogEntry.objects.filter(user=user)
        .order_by("pk")
        .values(
            "action_time",
            "action_flag",
            "object_id",
            "change_message",
            content_type_name=F("content_type__model"),
        ),
    )


def _audit(user: User) -> Iterator[Row]:
    """Yield what a member did, and what was done to the account: why others did so may tell of somebody else."""
    rows = AuditEntry.objects.filter(Q(actor=user) | Q(subject=f"user:{user.pk}")).order_by("pk")
    for row in rows.values(
        "id", "action", "subject", "by", "reason", "at", "actor_id", author_pid=F("author__pid")
    ):  # fmt: skip
        told = {name: value for name, value in row.items() if name != "actor_id"}
        yield told if row["actor_id"] == user.pk else {**told, "reason": ""}


def _decisions(user: User) -> Iterator[Row]:
    decided: list[tuple[str, QuerySet[Any]]] = [
        ("proposal", Proposal.objects.all()),
        ("request about a record", CurationRequest.objects.all()),
        ("report", Report.objects.all()),
        ("representative", Representative.objects.all()),
    ]
    for what, rows in decided:
        mine = rows.filter(decided_by=user).order_by("decided_at")
        for row in mine.values("id", "state", "answer", "decided_at"):
            yield {"what": what, **row}
