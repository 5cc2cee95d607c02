"""Follow researchers, topics and institutions: one row per pair, counts exact at every commit."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from profiles import access
from profiles.exceptions import TooMany
from profiles.models import CarriedFollow, Change, Follow, User
from works.models import Author, Institution, Topic

Target = Author | Topic | Institution

KINDS: dict[str, type[Author] | type[Topic] | type[Institution]] = {
    "author": Author,
    "topic": Topic,
    "institution": Institution,
}
FIRST_WEEK_PER_DAY = 100
PER_DAY = 400
IN_ALL = 7500


def find_target(kind: str, pid: str) -> Target:
    """Return what a member asks to follow; 404 for what has no page."""
    if kind == "author":
        return access.public_author(pid)
    model = KINDS[kind]
    target = model._default_manager.filter(pid=pid).first()
    if target is None:
        raise Http404(f"No such {kind}.")
    return target


def kind_of(target: Target) -> str:
    return type(target).__name__.lower()


def is_following(*, user: User, target: Target) -> bool:
    return Follow.objects.filter(**_pair(user, target)).exists()


@transaction.atomic
def follow(*, follower: User, target: Target) -> Target:
    """Follow target; following twice is following once. Returns target with its live count."""
    User.objects.select_for_update(no_key=True).get(pk=follower.pk)  # the limits count rows
    locked = _lock(target)
    if not is_following(user=follower, target=target):
        _check_limits(follower)
        Follow.objects.create(**_pair(follower, target))
    return _recount(locked)


@transaction.atomic
def unfollow(*, follower: User, target: Target) -> Target:
    """No longer follow target; returns it with its live count."""
    locked = _lock(target)
    Follow.objects.filter(**_pair(follower, target)).delete()
    return _recount(locked)


def _pair(user: User, target: Target) -> dict[str, object]:
    return {"user": user, kind_of(target): target}


def _lock(target: Target) -> Target:
    return type(target)._default_manager.select_for_update(of=("self",), no_key=True).get(pk=target.pk)


def _recount(target: Target) -> Target:
    count = Follow.objects.filter(**{kind_of(target): target}).count()
    if count != target.followers_count:
        type(target)._default_manager.filter(pk=target.pk).update(followers_count=count)
        target.followers_count = count
    return target


def _check_limits(user: User) -> None:
    now = timezone.now()
    mine = Follow.objects.filter(user=user)
    new = user.date_joined > now - timedelta(days=7)
    per_day = FIRST_WEEK_PER_DAY if new else PER_DAY
    if mine.filter(created_at__gt=now - timedelta(days=1)).count() >= per_day:
        raise TooMany(f"You can follow {per_day} records a day. Please go on tomorrow.")
    if mine.count() >= IN_ALL:
        raise TooMany(f"You follow {IN_ALL} records, which is as many as one can. Unfollow some first.")


# --- When records are joined or divided ---------------------------------------------------------------


@transaction.atomic
def carry_follows(*, change: Change, before: dict[int, int], after: dict[int, int]) -> int:
    """Have follows go where authors lead to now; return how many members they are of. The authors' rows are locked.

    before, after: where each author led to. What a member followed to begin with is journaled, so that it is found
    again whatever was joined in between: taking a merge back gives a follow back that still stands, and a follow
    made of the joined page later stays there.
    """
    changed = {author for author in before if before[author] != after[author]}
    places = {led[author] for author in changed for led in (before, after)} | changed
    followed: dict[int, dict[int, Follow]] = defaultdict(dict)
    for row in Follow.objects.filter(author__in=places):
        followed[row.user_id][row.author_id or 0] = row
    journal: dict[int, dict[int, datetime]] = defaultdict(
        dict
    )  # of a member: what they followed, last carried when
    for carried in CarriedFollow.objects.filter(user__in=followed).select_related("change").order_by("pk"):
        journal[carried.user_id][carried.from_author_id] = carried.change.at
        if carried.was_there:
            journal[carried.user_id].setdefault(carried.to_author_id, carried.change.at)
    for user, rows in followed.items():
        origins = _origins(rows, journal[user], before)
        for origin in origins:
            if origin in changed and after[origin] != origin:
                there = after[origin] in rows and origins.get(after[origin]) == after[origin]
                CarriedFollow.objects.create(
                    change=change, user_id=user, from_author_id=origin, to_author_id=after[origin], was_there=there
                )  # fmt: skip
        _go_to(user, rows, set(origins.values()), {after.get(origin, origin) for origin in origins})
    for author in places:
        _recount(Author.objects.defer("search").get(pk=author))
    return len(followed)


def _origins(rows: dict[int, Follow], journal: dict[int, datetime], before: dict[int, int]) -> dict[int, int]:
    """Return what a member followed to begin with, of what still stands, and where that was followed last."""
    found: dict[int, int] = {}
    for origin, carried_at in journal.items():
        place = before.get(origin, origin)
        if place in rows and (place == origin or rows[place].created_at <= carried_at):
            found[origin] = place
    return found | {place: place for place in rows if place not in found.values()}


def _go_to(user: int, rows: dict[int, Follow], places: set[int], goals: set[int]) -> None:
    left = sorted(places - goals)
    for goal in sorted(goals - places):
        if goal in rows:
            continue
        if left:  # the same row goes on: it was made when the member made it
            Follow.objects.filter(pk=rows[left.pop(0)].pk).update(author=goal)
        else:
            Follow.objects.create(user_id=user, author_id=goal)
    Follow.objects.filter(pk__in=[rows[place].pk for place in left]).delete()
