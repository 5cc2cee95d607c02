"""What people decided about an author's record, pushed down by profiles; imports obey it."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from works.models import Author, Mark, Suppression
from works.services import marks


@transaction.atomic
def mark_claimed(author_id: int, claimed: bool = True) -> None:
    """Say that the person of this record holds it, or no longer does."""
    Author.objects.filter(pk=author_id).update(claimed=claimed, version=F("version") + 1)
    marks.mark(Mark.What.TRUST, [author_id], why="claimed" if claimed else "no longer claimed")


@transaction.atomic
def raise_version(author_id: int) -> None:
    """Say that something visible on the author's page changed."""
    Author.objects.filter(pk=author_id).update(version=F("version") + 1)


@transaction.atomic
def suppress_author(author_id: int, reason: str) -> None:
    """Hide an author's page; the wish outlives the next import."""
    Author.objects.filter(pk=author_id).update(suppressed=True, version=F("version") + 1)
    Suppression.objects.update_or_create(
        author_id=author_id, defaults={"reason": reason[:300], "lifted_at": None}
    )


@transaction.atomic
def lift_suppression(author_id: int) -> None:
    """Show a hidden author's page again."""
    Author.objects.filter(pk=author_id).update(suppressed=False, version=F("version") + 1)
    Suppression.objects.filter(author_id=author_id, lifted_at=None).update(lifted_at=timezone.now())
