"""Work recommendations out in workers, keep them, and obey what a member does not want."""

import time
from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from bzpeer.lib.doorbell import ring
from profiles.models import NotInterested, Recommendation, User
from works.models import Author, Work

ACTIVE_DAYS = 60
FRESH = timedelta(hours=20)
ASKED_SECONDS = 120  # after that a lost message is sent again
RUN_SECONDS = 120.0  # of one task among the nightly ones
_DONE, _ASKED = "recommended:{}", "recommending:{}"


def recommend(*, user: User) -> int:
    """Replace what is recommended to a member; return how much it is. Running it twice changes nothing."""
    # numpy and scipy: for workers alone, whatever page imports this module.
    from profiles.services.recommendations.around import look_around, member_of
    from profiles.services.recommendations.finding import find

    now = timezone.now()
    today = timezone.localdate()
    member = member_of(user)
    around = look_around(member, today)
    found = find(member, around, today) if around else []
    with transaction.atomic():
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).exists():
            return 0
        Recommendation.objects.filter(user=user).delete()
        Recommendation.objects.bulk_create(
            Recommendation(user=user, computed_at=now, **one.row()) for one in found
        )
        transaction.on_commit(lambda: _remember(user), robust=True)
    return len(found)


def _remember(user: User) -> None:
    cache.set(_DONE.format(user.pk), True, 86400)
    cache.delete(_ASKED.format(user.pk))


def ask(*, user: User) -> None:
    """Have a worker look again, unless that was asked a moment ago."""
    from profiles.tasks import recommend_to

    if cache.add(_ASKED.format(user.pk), True, ASKED_SECONDS):
        ring(recommend_to, user.pk)


def is_being_worked_out(*, user: User) -> bool:
    """Return whether a worker still has to look; asks one to where what stands is old or missing."""
    newest = (
        Recommendation.objects.filter(user=user)
        .order_by("-computed_at")
        .values_list("computed_at", flat=True)
        .first()
    )
    done = bool(cache.get(_DONE.format(user.pk))) or bool(
        newest and newest > timezone.now() - timedelta(days=2)
    )
    if not done:
        ask(user=user)
    return not done and newest is None


def recommend_active(*, after: int = 0) -> int:
    """Recommend anew to the members of the last weeks, as many as fit a task; the next one goes on after them."""
    from profiles.tasks import recommend_to_active

    started, done = time.monotonic(), 0
    for user in _due(after).iterator(chunk_size=100):
        if time.monotonic() - started > RUN_SECONDS:
            ring(recommend_to_active, after)
            break
        recommend(user=user)
        after, done = user.pk, done + 1
    return done


def _due(after: int) -> QuerySet[User]:
    since = timezone.now() - timedelta(days=ACTIVE_DAYS)
    here = Exists(UserSession.objects.filter(user=OuterRef("pk"), last_seen_at__gte=since))
    fresh = Recommendation.objects.filter(user=OuterRef("pk"), computed_at__gt=timezone.now() - FRESH)
    active = User.objects.filter(here | Q(last_login__gte=since), pk__gt=after, is_active=True)
    return active.exclude(Exists(fresh)).order_by("pk")


@transaction.atomic
def not_interested(*, user: User, target: Author | Work) -> None:
    """Never recommend target to them again; saying so twice is saying it once."""
    NotInterested.objects.get_or_create(user=user, **_column(target))


@transaction.atomic
def undo_not_interested(*, user: User, target: Author | Work) -> None:
    NotInterested.objects.filter(user=user, **_column(target)).delete()


def _column(target: Author | Work) -> dict[str, Any]:
    return {"author" if isinstance(target, Author) else "work": target}
