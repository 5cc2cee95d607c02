"""Celery entry points of works: each drains one kind of mark."""

import math
import time
from collections.abc import Callable

from celery import shared_task
from django.conf import settings

from bzpeer.lib.memory import rare_collection
from works.models import ImportRun, Mark


@shared_task
def drain_resolve() -> int:
    from works.services.marks import drain
    from works.services.resolve import resolve_works

    # Everybody of a name is judged together: the more works at once, the fewer times.
    with rare_collection():
        return drain(Mark.What.RESOLVE, resolve_works, batch=100_000)


@shared_task
def drain_affiliations() -> int:
    from works.services.affiliations import match_affiliations
    from works.services.marks import drain

    return drain(Mark.What.AFFILIATIONS, match_affiliations, batch=2000)


@shared_task
def import_files(run_id: int) -> None:
    """Read files of a run until none is left, or for a while: then the rest is rung for."""
    from works.ingest.load import work_off

    run = ImportRun.objects.filter(pk=run_id, finished_at__isnull=True).first()
    if run is None:
        return
    patience = settings.DRAIN_SECONDS
    until = math.inf if patience is None else time.monotonic() + patience
    if not work_off(run, until=until) and time.monotonic() > until:
        import_files.apply_async(args=[run_id], retry=False)


def ring_imports(expires: float | None = None) -> None:
    """Ring for every run whose files Celery reads: what a killed worker had in hand goes on with another."""
    for run in ImportRun.objects.filter(finished_at__isnull=True, jobs__gt=0):
        for _ in range(run.jobs):
            import_files.apply_async(args=[run.pk], retry=False, expires=expires)


@shared_task
def drain_counts() -> int:
    from works.services.counts import refresh_authors
    from works.services.marks import drain

    return drain(Mark.What.COUNTS, refresh_authors, batch=2000)


@shared_task
def drain_catalogue() -> int:
    from works.services.counts import refresh_catalogue
    from works.services.marks import drain

    return drain(Mark.What.CATALOGUE, refresh_catalogue, batch=2000)


def rebuild_works(say: Callable[[str], None] = lambda words: None) -> None:
    """Work off what an import left in works, in this process; say what is done."""
    for words, drain in (
        ("Looking up affiliations", drain_affiliations),
        ("Finding who is who", drain_resolve),
        ("Counting", drain_counts),
        ("Indexing", drain_catalogue),
    ):
        say(words)
        drain()
