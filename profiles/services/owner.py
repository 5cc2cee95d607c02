"""What every change of one's own page goes through: the page locked and editable, the change written down."""

from typing import Any

from django.utils import timezone

from profiles.exceptions import ClaimError, OwnerError
from profiles.models import By, Change, Claim, Researcher
from profiles.services import claims
from profiles.services.history import record_change
from works.models import Author, Work
from works.services import authors

READ_ONLY = "Your claim is disputed: the page can be changed again once that is decided."


def lock_page(researcher: Researcher) -> Researcher:
    """Return one's own page, locked and as it stands now. Call it in a transaction.

    The author's row is locked first, as every step of a claim does. Raises ClaimError during a dispute and when
    the page is not theirs any more.
    """
    Author.objects.select_for_update(of=("self",), no_key=True).get(pk=researcher.author_id)
    rows = Researcher.objects.select_for_update(of=("self",), no_key=True).select_related("author", "user")
    found = rows.filter(pk=researcher.pk, author=researcher.author_id).first()
    if found is None:
        raise ClaimError("This page is not yours any more.")
    if claims.is_read_only(found.user):
        raise ClaimError(READ_ONLY)
    return found


def check_names_unlocked(researcher: Researcher) -> None:
    """Refuse a change of names while a claim that evidence alone accepted is easily contested."""
    held = Claim.objects.filter(user=researcher.user, author=researcher.author_id, state__in=Claim.HELD)
    until = held.values_list("contestable_until", flat=True).first()
    if until and until > timezone.now():
        raise OwnerError(
            f"Your claim is new: names can be changed from {until:%-d %b %Y, %H:%M} UTC on. "
            "Until then others can easily contest it."
        )


def write_down(
    researcher: Researcher,
    kind: Change.Kind,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    work: Work | None = None,
    undoes: Change | None = None,
) -> Change:
    """Record a change of the owner, and let everybody see the page anew."""
    authors.raise_version(researcher.author_id)
    return record_change(
        kind=kind,
        author=researcher.author,
        actor=researcher.user,
        by=By.OWNER,
        before=before,
        after=after,
        work=work,
        undoes=undoes,
    )
