"""Doorbells: each task works off the marks of its kind."""

from celery import shared_task

from works.models import Mark


@shared_task
def drain_collaborations() -> int:
    from graph.services.collaborations import rebuild_collaborations
    from works.services.marks import drain

    return drain(Mark.What.COLLABORATIONS, rebuild_collaborations)


@shared_task
def drain_slices() -> int:
    from graph.services.slices import BATCH, build_slices
    from works.services.marks import drain

    return drain(Mark.What.SLICE, build_slices, batch=BATCH)


@shared_task
def build_ahead() -> int:
    """Ask for the slices that are likely to be looked at next; return how many are new."""
    from graph.services.slices import request_popular_slices

    return request_popular_slices()
