"""What hangs on a researcher's page and goes along when it is joined or divided: claims, and what they showed."""

from django.db import transaction
from django.utils import timezone

from profiles.exceptions import RegroupingError
from profiles.models import Claim, Researcher
from profiles.services.claims.ledger import lines_of
from trust import services as trust
from trust.models import Evidence, EvidenceDetail
from works.models import Author
from works.services import authors


def check_unlocked(*several: Author) -> None:
    """Refuse while a claim that evidence alone accepted is easily contested, or disputed."""
    claims = Claim.objects.filter(author__in=several, state__in=Claim.HELD).select_related("author")
    for claim in claims:
        until = claim.contestable_until
        if until and until > timezone.now():
            raise RegroupingError(
                f"The page of {claim.author} was claimed a short while ago: it cannot be joined with another until"
                f" {until:%-d %b %Y, %H:%M} UTC, so that others can easily contest the claim."
            )


@transaction.atomic
def carry_claims(before: dict[int, int], after: dict[int, int]) -> dict[str, int]:
    """Have claims that wait for a decision follow pages that were joined; return whose page each was of.

    One stays where the same member has another waiting on the page that stands.
    """
    carried: dict[str, int] = {}
    for author in [author for author in before if before[author] == author != after[author]]:
        there = Claim.objects.filter(author=after[author], state__in=Claim.OPEN).values("user")
        waiting = Claim.objects.filter(author=author, state__in=Claim.OPEN).exclude(user__in=there)
        carried |= {str(pk): author for pk in waiting.values_list("pk", flat=True)}
        Claim.objects.filter(pk__in=list(carried)).update(author=after[author])
    return carried


@transaction.atomic
def return_claims(carried: dict[str, int], before: dict[int, int], after: dict[int, int]) -> None:
    """Give claims back that still wait, where the page they were of stands again."""
    for pk, author in carried.items():
        if after.get(author) == author:
            standing = Claim.objects.filter(author=author, state__in=Claim.OPEN).values("user")
            waiting = Claim.objects.filter(pk=pk, author=before[author], state__in=Claim.OPEN)
            waiting.exclude(user__in=standing).update(author=author)


@transaction.atomic
def hand_claim(*, old: Author, new: Author, key: str) -> Claim | None:
    """Have the person of a page go with another: their claim, what it showed, and what they say of themselves.

    key: of the event. The ledger moves nothing: lines end on the old page and begin on the new one.
    """
    claim = Claim.objects.select_for_update(of=("self",)).filter(author=old, state__in=Claim.HELD).first()
    if claim is None:
        return None
    for number, line in enumerate(
        lines_of(claim).filter(author=old, ends=None, ended_by=None).order_by("pk")
    ):
        detail = EvidenceDetail.objects.filter(evidence=line).values_list("detail", flat=True).first()
        trust.end_evidence(line, "the person goes with another page")
        trust.record_evidence(
            author_id=new.pk,
            kind=Evidence.Kind(line.kind),
            source=line.source,
            event_key=f"claim:{claim.pk}:{key}:{number}",
            observed_at=line.observed_at,
            expires_at=line.expires_at,
            detail=detail,
            asserted_by_author_id=line.asserted_by_author_id,
            asserted_by_institution_id=line.asserted_by_institution_id,
            meets_route=line.meets_route,
        )
        EvidenceDetail.objects.filter(evidence=line).delete()
    Claim.objects.filter(pk=claim.pk).update(author=new)
    Researcher.objects.filter(author=old).update(author=new)
    authors.mark_claimed(old.pk, claimed=False)
    authors.mark_claimed(new.pk)
    return claim
