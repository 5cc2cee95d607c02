"""The work still to do, as rows: leave marks in the transaction of their cause, drain them in batches."""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bzpeer.lib.sql import LOCK_SPACE, query
from works.models import Mark

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
BATCH = 500


def mark(what: Mark.What, object_ids: Iterable[int], why: str) -> None:
    """Leave a mark for each object; cheap to repeat. Call it in the transaction of the cause."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into works_mark (what, object_id, since, run_at, why, attempts, error, dead)"
            " select %s, id, now(), now(), %s, 0, '', false from unnest(%s::bigint[]) id order by id",
            [what, why[:120], sorted(set(object_ids))],
        )


def drain(what: Mark.What, handler: Callable[[list[int]], None], batch: int = BATCH) -> int:
    """Work off due marks of one kind until none is left; return how many objects were done.

    handler(object_ids) must be idempotent and run in the transaction given to it. One drain of a kind
    runs at a time (advisory lock), so that an older state never overwrites a newer one; who comes
    second returns 0 at once. A batch that fails is tried object by object, so that one bad object
    holds nobody up; it is tried again later, and given up for dead after five attempts. In a worker it ends
    after settings.DRAIN_SECONDS, well within Celery's limit: the sweeper rings for the rest.
    """
    done = 0
    begun = time.monotonic()
    while settings.DRAIN_SECONDS is None or time.monotonic() - begun < settings.DRAIN_SECONDS:
        ids: list[int] = []
        try:
            with transaction.atomic():
                if not _lock(what):
                    return done
                ids = _take(what, batch)
                if not ids:
                    return done
                handler(ids)
        except SoftTimeLimitExceeded:
            raise  # nobody's fault: nothing is tried one by one, no attempt is counted
        except Exception:
            if not ids:
                raise
            log.exception("A batch of %s %s marks failed; trying one by one.", len(ids), what)
            done += sum(_drain_one(what, handler, object_id) for object_id in ids)
            continue
        done += len(ids)
    return done


def pending(what: Mark.What | None = None) -> int:
    """Return how many marks wait to be drained, of one kind or of all."""
    marks = Mark.objects.filter(dead=False)
    return marks.filter(what=what).count() if what else marks.count()


def _lock(what: Mark.What) -> bool:
    return bool(query("select pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, what])[0][0])


def _take(what: Mark.What, batch: int) -> list[int]:
    """Delete every due mark of the objects that wait longest, and return the objects' ids, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from works_mark where what = %s and not dead and run_at <= now()"
            " and object_id = any(array(select object_id from works_mark"
            "  where what = %s and not dead and run_at <= now() order by run_at, id limit %s)) returning object_id",
            [what, what, batch],
        )
        return sorted({row[0] for row in cursor.fetchall()})


def _drain_one(what: Mark.What, handler: Callable[[list[int]], None], object_id: int) -> int:
    taken: list[int] = []
    try:
        with transaction.atomic():
            if not _lock(what):
                return 0
            marks = Mark.objects.filter(what=what, object_id=object_id, dead=False)
            taken = list(marks.values_list("pk", flat=True))
            Mark.objects.filter(pk__in=taken).delete()
            handler([object_id])
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        log.exception("%s %s failed.", what, object_id)
        _postpone(what, object_id, taken, error)
        return 0
    return 1


def _postpone(what: Mark.What, object_id: int, taken: list[int], error: Exception) -> None:
    """Count the failure against the marks that were tried; a cause that came meanwhile has its own five attempts."""
    rows = Mark.objects.filter(pk__in=taken)
    attempts = max((row.attempts for row in rows), default=0) + 1
    rows.update(
        attempts=attempts,
        error=f"{type(error).__name__}: {error}"[:300],
        run_at=timezone.now() + timedelta(seconds=5 * 2**attempts),
        dead=attempts >= MAX_ATTEMPTS,
    )


def due_kinds() -> set[str]:
    """Return the kinds that have a mark due now."""
    return set(
        Mark.objects.filter(dead=False, run_at__lte=timezone.now()).values_list("what", flat=True).distinct()
    )
