"""Follow researchers, topics and institutions: one row per pair, counts exact at every commit."""

from datetime import timedelta

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from profiles import access
from profiles.exceptions import TooMany
from profiles.models import Follow, User
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
