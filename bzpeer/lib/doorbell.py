"""Ring a Celery task once a transaction has committed. Losing a ring only delays: the sweeper finds the mark."""

import logging
from typing import Any

from celery import Task, current_app
from django.db import transaction

log = logging.getLogger(__name__)


def ring(task: Task, *args: Any) -> None:
    """Send task(*args) after commit, once, without retry; never raise when the broker is away."""

    def send() -> None:
        try:
            task.apply_async(args=args, retry=False)
        except Exception as error:  # whatever the broker's client raises, the mark stays
            log.warning("Could not ring %s (%s); the sweeper will.", task.name, error)

    transaction.on_commit(send, robust=True)


def ring_sweeper() -> None:
    """Ask for everything that is marked, without knowing whose it is: the sweeper joins all apps."""
    try:
        current_app.send_task("bzpeer.schedule.sweep", retry=False)
    except Exception as error:  # whatever the broker's client raises, beat sweeps anyway
        log.warning("Could not ring the sweeper (%s).", error)
