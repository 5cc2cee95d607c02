"""Celery entry points of live sync: doorbells for the steps that wait in PostgreSQL."""

from celery import shared_task
from django.conf import settings

SECONDS = 60.0  # of one task: the next ring goes on


@shared_task
def run_sync() -> int:
    """Ask the sources what is due; any number of workers at once share the steps."""
    from works.sync.service import run_due

    return run_due(seconds=None if settings.DRAIN_SECONDS is None else SECONDS)


@shared_task
def forget_sync() -> int:
    from works.sync.service import forget_requests

    return forget_requests()
