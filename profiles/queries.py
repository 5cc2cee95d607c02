"""Page-sized reads for members' own pages."""

from django.db.models import Count, QuerySet

from profiles import access
from profiles.models import Follow, Invitation, User


def follow_counts(user: User) -> dict[str, int]:
    return Follow.objects.filter(user=user).aggregate(
        authors=Count("author"), topics=Count("topic"), institutions=Count("institution")
    )


def pending_invitations(user: User) -> QuerySet[Invitation]:
    return access.invitations(user).filter(recipient=user, state=Invitation.State.PENDING)
