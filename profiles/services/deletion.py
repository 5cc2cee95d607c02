"""The way out: a member's account goes, with everything that names them; what others hold stays, without the name."""

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from profiles import access
from profiles.models import (
    By,
    Change,
    Claim,
    ClaimAttachment,
    ClaimConfirmation,
    ClaimEvidence,
    Conversation,
    CurationRequest,
    Follow,
    Invitation,
    MailTrouble,
    Message,
    OutgoingMail,
    Participant,
    Proposal,
    User,
    Vouch,
)
from profiles.services import claims, conversations, follows, invitations, my_data
from profiles.services.history import audit
from trust import services as trust
from trust.models import Evidence, EvidenceDetail

WHY = "The account was deleted."
# Changes that hold what a member wrote about themselves: the database lets their words go with the name
# (migrations/0006_words_of_the_gone.py).
OWN_WORDS = (Change.Kind.BIO, Change.Kind.LINKS, Change.Kind.AVAILABILITY, Change.Kind.PHOTO)


@transaction.atomic
def delete_account(*, user: User) -> None:
    """Delete a member for good.

    The page they hold becomes unclaimed, their follows are counted off. Messages and invitations stay with the
    others, claims and what was done stay in the logs, all without a name.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    addresses = my_data.addresses_of(user)
    _end_claims(user)
    for follow in Follow.objects.filter(user=user).order_by("author_id", "topic_id", "institution_id"):
        follows.unfollow(follower=user, target=follow.target)
    _forget_words(user)
    _take_back_vouches(user)
    _leave_invitations(user)
    _close_conversations(user)
    _forget_requests(user, addresses)
    _forget_mails(user, addresses)
    Session.objects.filter(
        session_key__in=UserSession.objects.filter(user=user).values("session_key")
    ).delete()
    about = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=about, object_id=str(user.pk)).delete()  # each line names them
    audit(actor=None, by=By.OWNER, action="account.delete", subject=f"user:{user.pk}")
    user.delete()


def _end_claims(user: User) -> None:
    """End every claim, and keep of it what the public log shows: that there was one, and how it went."""
    for claim in Claim.objects.filter(user=user).order_by("author_id", "pk"):
        if claim.is_open:
            claims.withdraw_claim(claim=claim, actor=user)
        elif claim.is_held:
            claims.give_up_claim(claim=claim, actor=user, reason=WHY)
    mine = Claim.objects.filter(user=user)
    for part in (ClaimAttachment, ClaimEvidence, ClaimConfirmation):
        part.objects.filter(claim__in=mine).delete()
    for pk in mine.values_list("pk", flat=True):  # addresses, iDs, pages: the lines of the ledger stay, ended
        EvidenceDetail.objects.filter(evidence__event_key__startswith=f"claim:{pk}").delete()
    waiting = Proposal.objects.filter(Q(proposer=user) | Q(claim__in=mine), state=Proposal.State.OPEN)
    waiting.update(state=Proposal.State.WITHDRAWN, decided_at=timezone.now())
    mine.update(case="", link_url="", link_token="", signals={}, risk=0)


def _forget_words(user: User) -> None:
    """Empty what a member wrote about themselves in the history of their page; that it changed stays."""
    ended = Q(
        actor=None, by=By.SYSTEM, author__claims__user=user
    )  # an end date came: the words are theirs all the same
    own = Change.objects.filter(Q(actor=user) | ended, kind__in=OWN_WORDS).values("pk")
    Change.objects.filter(pk__in=own).update(actor=None, before={}, after={}, reason="")


def _take_back_vouches(user: User) -> None:
    """End what a member vouched for: nobody stands behind it any more."""
    mine = Vouch.objects.filter(user=user)
    standing = mine.filter(revoked_at=None)
    for line in Evidence.objects.filter(pk__in=standing.values("evidence")):
        trust.end_evidence(line, WHY)
    standing.update(revoked_at=timezone.now())
    mine.update(statement="")


def _leave_invitations(user: User) -> None:
    """Turn each invitation that has no conversation into one, which the other person goes on reading."""
    unread = (
        access.invitations(user)
        .filter(conversation=None)
        .exclude(state=Invitation.State.WITHDRAWN)
        # Who accepted an invitation to a project takes part in the project's conversation.
        .exclude(state=Invitation.State.ACCEPTED, project__conversation__isnull=False)
    )
    for invitation in unread:
        conversations.open_conversation(
            subject=invitations.subject_of(invitation),
            people=[invitation.sender, invitation.recipient],
            invitation=invitation,
            first_message=invitations.as_message(invitation),
        )


def _close_conversations(user: User) -> None:
    """Delete the conversations that nobody else takes part in: nobody would read them."""
    alone = Conversation.objects.filter(participants__user=user).exclude(
        pk__in=Participant.objects.exclude(user=user).values("conversation")
    )
    Message.objects.filter(conversation__in=alone).delete()
    alone.delete()


def _forget_requests(user: User, addresses: list[str]) -> None:
    """Take the addresses off requests about records; those that wait are decided, and answered to nobody."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    mine = CurationRequest.objects.filter(email__in=addresses)
    mine.filter(state=CurationRequest.State.UNCONFIRMED).delete()
    mine.filter(email__in=[*confirmed]).update(email="", address_hash="")


def _forget_mails(user: User, addresses: list[str]) -> None:
    """Delete the mails to and about a member that wait; take their name and address off those that were sent."""
    theirs = Q(notification__recipient=user) | Q(notification__actor=user)
    for email in addresses:
        theirs |= Q(recipients__contains=[email])
    OutgoingMail.objects.filter(theirs, sent_at=None).delete()
    OutgoingMail.objects.filter(theirs).update(recipients=[], subject="", headers={})
    MailTrouble.objects.filter(email__in=addresses).delete()
