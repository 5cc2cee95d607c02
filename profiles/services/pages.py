"""What a researcher says on the page they hold."""

from django.db import transaction

from profiles.exceptions import ClaimError
from profiles.models import Researcher
from profiles.services import claims
from works.services import authors


@transaction.atomic
def update_researcher(*, researcher: Researcher, bio: str, open_to_collaborate: bool) -> Researcher:
    """Change one's own page; refused while the claim is disputed."""
    if claims.is_read_only(researcher.user):
        raise ClaimError("Your claim is disputed: the page can be changed again once that is decided.")
    researcher.bio = bio.strip()
    researcher.open_to_collaborate = open_to_collaborate
    researcher.save(update_fields=["bio", "open_to_collaborate"])
    authors.raise_version(researcher.author_id)
    return researcher
