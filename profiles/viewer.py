"""How a member stands to one public record; what the lazily loaded panels show."""

from dataclasses import dataclass

from profiles import access
from profiles.exceptions import ClaimNeeded, InvitationError
from profiles.models import Claim, User
from profiles.services import follows, invitations
from works.models import Author


@dataclass
class Viewer:
    """How a member stands to one author's page; what _author_viewer.html shows."""

    following: bool
    is_owner: bool
    claim: Claim | None
    can_invite: bool
    closed: str = ""
    needs_claim: bool = False


def author_viewer(*, user: User, author: Author) -> Viewer:
    claim = (
        access.claims(user)
        .filter(author=author, state__in=[*Claim.OPEN, *Claim.HELD, Claim.State.REJECTED])
        .first()
    )
    viewer = Viewer(
        following=follows.is_following(user=user, target=author),
        is_owner=bool(claim and claim.is_held),
        claim=claim,
        can_invite=False,
    )
    if author.claimed and not viewer.is_owner:
        try:
            invitations.check_can_invite(sender=user, author=author)
            viewer.can_invite = True
        except ClaimNeeded:
            viewer.needs_claim = viewer.can_invite = True
        except InvitationError as error:
            viewer.closed = str(error)
    return viewer
