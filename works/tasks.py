"""Celery entry points of works: each drains one kind of mark."""

from collections.abc import Callable

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


def rebuild_works(say: Callable[[str], None] = lambda words: None) -> None:
    """Work off what an import left in works, in this process; say what is done."""
    for words, drain in (
        ("Finding who is who", drain_resolve),
        ("Counting", drain_counts),
        ("Indexing", drain_catalogue),
    ):
        say(words)
        drain()
