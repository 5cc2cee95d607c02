"""Celery entry points of works: each drains one kind of mark."""

from celery import shared_task

from works.models import Mark


@shared_task
def drain_resolve() -> int:
    from works.services.marks import drain
    from works.services.resolve import resolve_works

    return drain(Mark.What.RESOLVE, resolve_works, batch=2000)


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
