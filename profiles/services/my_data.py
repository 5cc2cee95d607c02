"""A member's data: all of it in one file, and the way out."""

from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction

from profiles import access
from profiles.exceptions import AccountError
from profiles.models import Claim, Conversation, CurationRequest, Follow, Message, Participant, User
from profiles.services import claims, follows, invitations


def export(user: User) -> dict[str, Any]:
    """Return everything this site holds about a member, as plain JSON values."""
    researcher = access.researcher(user)
    participations = Participant.objects.filter(user=user).select_related("conversation")
    return {
        "account": {
            "email": user.email,
            "display_name": user.display_name,
            "date_joined": user.date_joined,
            "last_login": user.last_login,
        },
        "email_addresses": list(
            EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
        ),
        "profile": researcher
        and {
            "author": researcher.author.pid,
            "bio": researcher.bio,
            "open_to_collaborate": researcher.open_to_collaborate,
            "created_at": researcher.created_at,
        },
        "claims": [
            {
                "author": claim.author.pid,
                "name": claim.author.display_name,
                "state": claim.state,
                "case": claim.case,
                "created_at": claim.created_at,
                "steps": list(claim.steps.values("from_state", "to_state", "reason", "at")),
            }
            for claim in access.claims(user).prefetch_related("steps")
        ],
        "follows": [
            {
                "kind": follow.kind,
                "id": follow.target.pid,
                "name": str(follow.target),
                "at": follow.created_at,
            }
            for follow in access.follows(user)
        ],
        "blocks": [{"name": str(block.blocked), "at": block.created_at} for block in access.blocks(user)],
        "invitations": [
            {
                "direction": "sent" if invitation.sender_id == user.pk else "received",
                "with": str(invitation.recipient if invitation.sender_id == user.pk else invitation.sender),
                "purpose": invitation.purpose,
                "work": invitation.work and invitation.work.title,
                "offer": invitation.offer,
                "ask": invitation.ask,
                "expected_time": invitation.expected_time,
                "reply_by": invitation.reply_by,
                "state": invitations.shown_state(invitation=invitation, viewer=user),
                "created_at": invitation.created_at,
            }
            for invitation in access.invitations(user)
        ],
        "conversations": [
            {
                "subject": participation.conversation.subject,
                "left_at": participation.left_at,
                "messages": [
                    {
                        "from": "me"
                        if message.sender_id == user.pk
                        else str(message.sender or "a former member"),
                        "at": message.created_at,
                        "text": message.body,
                    }
                    for message in access.messages(participation.conversation)
                ],
            }
            for participation in participations
        ],
        "notifications": list(
            access.notifications(user).values("verb", "target_text", "target_url", "created_at", "read_at")
        ),
        "reports": list(user.reports.values("reason", "state", "created_at")),
        "requests_about_records": list(
            CurationRequest.objects.filter(
                email__in=EmailAddress.objects.filter(user=user, verified=True).values("email")
            ).values("kind", "state", "message", "answer", "created_at")
        ),
    }


@transaction.atomic
def delete_account(*, user: User, password: str) -> None:
    """Delete a member for good: the page they claimed becomes unclaimed, their follows are counted off.

    Messages stay with the other person, without a name. Raises AccountError on a wrong password.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not user.check_password(password):
        raise AccountError("That is not your password.")
    for claim in Claim.objects.filter(user=user, state__in=Claim.HELD):
        claims.give_up_claim(claim=claim, actor=user, reason="The account was deleted.")
    for follow in Follow.objects.filter(user=user).order_by("author_id", "topic_id", "institution_id"):
        follows.unfollow(follower=user, target=follow.target)
    # A conversation that nobody else takes part in would be read by nobody.
    alone = Conversation.objects.filter(participants__user=user).exclude(
        pk__in=Participant.objects.exclude(user=user).values("conversation")
    )
    Message.objects.filter(conversation__in=alone).delete()
    alone.delete()
    user.delete()
