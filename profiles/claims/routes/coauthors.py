"""The co-authors route: members who wrote with this author, and whose own page is verified, say who the claimant is."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from django.db.models import Exists, OuterRef, Q

from bzpeer.lib.sql import query
from profiles.claims.findings import Check, Finding, Line, Outcome
from profiles.claims.sources import TYPED
from profiles.claims.subject import Subject, account_name
from profiles.models import Block, Claim, ClaimConfirmation, Route, User
from trust.models import Evidence
from works.models import Affiliation, Author

PROVES = "That people who wrote with you know you: members whose own pages are verified."
SOON = (
    "As soon as two co-authors from different places confirm you. One confirmation opens the review and counts there; "
    "they usually answer within days."
)
LEAST_LEVEL = 3
MOST_AUTHORS = 50  # of a work: whoever is on a longer list need not know each other
ENOUGH = 2

# Members who hold a page, undisputed, and wrote with an author; pages joined into another count for that one. Works
# that only typed lists know would let friends write themselves a work in common.
_WROTE_WITH = """
select c.user_id, coalesce(held.merged_into_id, held.id), count(distinct mine.work_id)
from works_authorship mine
join works_work w on w.id = mine.work_id and w.authors_count <= %(most_authors)s and not w.is_withdrawn
join works_authorship theirs on theirs.work_id = mine.work_id and theirs.author_id <> all(%(ids)s)
join works_author held on held.id = theirs.author_id
join profiles_claim c on c.author_id = coalesce(held.merged_into_id, held.id) and c.state = 'approved'
join trust_trustscore t on t.author_id = c.author_id and t.level >= %(least_level)s and t.frozen_at is null
left join works_sourcerecord r on r.id = mine.record_id
left join works_sourcerecord o on o.id = theirs.record_id
where mine.author_id = any(%(ids)s) and c.user_id is not null and c.user_id <> %(user)s
  and (r.id is null or r.provider <> all(%(typed)s)) and (o.id is null or o.provider <> all(%(typed)s))
  and (%(only)s::bigint[] is null or c.user_id = any(%(only)s))
group by 1, 2 order by 3 desc, 1
"""


def who_could_confirm(*, user: User, author: Author, most: int = 20) -> list[tuple[User, Author]]:
    """Return members who may be asked whether user is author, those with most works in common first."""
    return _who(user, author, None)[:most]


def _who(user: User, author: Author, only: list[int] | None) -> list[tuple[User, Author]]:
    """Return who may speak for user on author; of these members alone where only is given."""
    standing = author.merged_into_id or author.pk
    ids = list(Author.objects.filter(Q(pk=standing) | Q(merged_into=standing)).values_list("pk", flat=True))
    params = {
        "ids": ids,
        "user": user.pk,
        "only": only,
        "typed": TYPED,
        "least_level": LEAST_LEVEL,
        "most_authors": MOST_AUTHORS,
    }
    pairs = {member: held for member, held, _ in query(_WROTE_WITH, params)}  # type: ignore[arg-type]
    across = Block.objects.filter(
        Q(blocker=user, blocked=OuterRef("pk")) | Q(blocked=user, blocker=OuterRef("pk"))
    )
    members = User.objects.filter(pk__in=pairs, is_active=True).exclude(Exists(across)).in_bulk()
    held = Author.objects.public().filter(pk__in=pairs.values()).defer("search").in_bulk()
    return [(members[m], held[a]) for m, a in pairs.items() if m in members and a in held]


def look(subject: Subject) -> Finding:
    rows = (
        ClaimConfirmation.objects.filter(claim=subject.claim)
        if subject.claim
        else ClaimConfirmation.objects.none()
    )
    answers = list(rows.order_by("pk").values_list("asked_id", "author_id", "state"))
    of_state: dict[str, list[int]] = defaultdict(list)
    for asked, _, state in answers:
        of_state[state].append(asked)
    State = ClaimConfirmation.State
    confirming = (
        _who(subject.user, subject.author, of_state[State.CONFIRMED]) if of_state[State.CONFIRMED] else []
    )
    checks = [_confirmed_check(subject, confirming, len(of_state[State.ASKED]))]
    if denying := _denying(subject, of_state[State.DENIED]):
        said = "A co-author says" if denying == 1 else f"{denying} co-authors say"
        checks.append(Check("denied", Outcome.AGAINST, f"{said} that this is not you."))
    if checks[0].outcome == Outcome.MET:
        checks.append(account_name(subject))
    decides = all(check.outcome == Outcome.MET for check in checks)
    lines = tuple(
        Line(
            Evidence.Kind.COAUTHOR_CONFIRMED,
            "a co-author",
            meets_route=decides,
            asserted_by_author_id=author.pk,
        )
        for _, author in confirming
    )
    return Finding(Route.COAUTHORS, PROVES, SOON, decides, tuple(checks), lines)


def _denying(subject: Subject, asked: list[int]) -> int:
    """Return how many who denied still hold a page: blocking them, or losing touch, does not unsay it."""
    if not asked:
        return 0
    return Claim.objects.filter(user__in=asked, state__in=Claim.HELD).values("user").distinct().count()


def _confirmed_check(subject: Subject, confirming: list[tuple[User, Author]], waiting: int) -> Check:
    people = {author.pk: author.display_name for _, author in confirming}
    detail = {"authors": sorted(people)}
    named = " and ".join(sorted(people.values())[:3])[:300]
    if len(people) >= ENOUGH:
        if _from_different_places(people):
            return Check("confirmed", Outcome.MET, f"{named} confirm that this is you.", detail)
        sentence = (
            f"{named} confirm that this is you; they are of one institution, so a moderator looks as well."
        )
        return Check("confirmed", Outcome.PARTLY, sentence, detail)
    if people:
        sentence = f"{named} confirms that this is you. One more co-author from another place decides."
        return Check("confirmed", Outcome.PARTLY, sentence, detail)
    if waiting:
        asked = "One co-author is asked" if waiting == 1 else f"{waiting} co-authors are asked"
        return Check(
            "confirmed",
            Outcome.NOT_MET,
            f"{asked} and has not answered yet." if waiting == 1 else f"{asked} and have not answered yet.",
        )
    return Check("confirmed", Outcome.NOT_MET, "No co-author has been asked yet.")


def _from_different_places(authors: Iterable[int]) -> bool:
    """Return whether two of these were last at different institutions, as far as is known."""
    last: dict[int, int] = {}
    places: dict[int, set[int]] = {author: set() for author in authors}
    rows = Affiliation.objects.filter(author__in=places).values_list("author", "institution", "last_year")
    for author, institution, year in sorted(rows, key=lambda row: -(row[2] or 0)):
        if last.setdefault(author, year or 0) == (year or 0):
            places[author].add(institution)
    return any(not (places[one] & places[other]) for one, other in combinations(places, 2))
