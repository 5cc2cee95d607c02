"""Doorbells: each task works off the marks of its kind."""

from celery import shared_task

from works.models import Mark


@shared_task
def drain_trust() -> int:
    from trust.services import rescore_authors
    from works.services.marks import drain

    return drain(Mark.What.TRUST, rescore_authors)


@shared_task
def follow_time() -> int:
    """Write down what has run out and mark the scores that time alone changes; return how many."""
    from trust.services import expire_evidence, mark_due_scores

    return expire_evidence() + mark_due_scores()
