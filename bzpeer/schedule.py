"""The chain from imported records to pages, and when its links run. Joins every app; imported by nothing but Celery.

Order matters: each link reads what the ones before it wrote and leaves marks for the ones behind.
"""

from celery import Task, shared_task
from celery.schedules import crontab

from bzpeer.celery import app
from bzpeer.lib import heartbeat
from graph.tasks import build_ahead, drain_collaborations, drain_slices
from profiles.tasks import (
    check_links,
    claims_due,
    close_ended_pages,
    expire_assertions,
    expire_exports,
    expire_invitations,
    forget_addresses,
    make_exports,
    recommend_to_active,
    run_vouch_flow,
    send_digests,
    send_outbox,
)
from trust.tasks import drain_trust, follow_time
from works.models import Mark
from works.services.marks import due_kinds
from works.sync.tasks import forget_sync, run_sync
from works.tasks import drain_affiliations, drain_catalogue, drain_counts, drain_resolve, ring_imports

CHAIN: dict[Mark.What, Task] = {
    Mark.What.AFFILIATIONS: drain_affiliations,
    Mark.What.RESOLVE: drain_resolve,
    Mark.What.COUNTS: drain_counts,
    Mark.What.CATALOGUE: drain_catalogue,
    Mark.What.COLLABORATIONS: drain_collaborations,
    Mark.What.TRUST: drain_trust,
    Mark.What.SLICE: drain_slices,
    Mark.What.MAIL: send_outbox,
}

SWEEP_SECONDS = 10.0


@shared_task
def sweep() -> list[Mark.What]:
    """Ring again for what lost messages left; two sweepers do nothing twice (marks.drain locks each kind)."""
    heartbeat.beat()
    due = due_kinds()
    kinds = [what for what in CHAIN if what in due]
    for what in kinds:
        CHAIN[what].apply_async(retry=False, expires=SWEEP_SECONDS)
    ring_imports(expires=SWEEP_SECONDS)
    return kinds


app.conf.beat_schedule = {
    "sweep": {"task": sweep.name, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}},
    "sync": {"task": run_sync.name, "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}},
    "forget-sync": {"task": forget_sync.name, "schedule": 86400.0},
    "build-ahead": {"task": build_ahead.name, "schedule": 600.0},
    "expire-invitations": {"task": expire_invitations.name, "schedule": 3600.0},
    "expire-assertions": {"task": expire_assertions.name, "schedule": 3600.0},
    "claims-due": {"task": claims_due.name, "schedule": 3600.0},
    "follow-time": {"task": follow_time.name, "schedule": 3600.0},
    "make-exports": {"task": make_exports.name, "schedule": 60.0, "options": {"expires": 60.0}},
    "expire-exports": {"task": expire_exports.name, "schedule": 3600.0},
    "check-links": {"task": check_links.name, "schedule": 600.0},
    "close-ended-pages": {"task": close_ended_pages.name, "schedule": 3600.0},
    "vouch-flow": {"task": run_vouch_flow.name, "schedule": crontab(hour=2, minute=40)},
    "send-digests": {"task": send_digests.name, "schedule": 3600.0},
    "recommend": {"task": recommend_to_active.name, "schedule": crontab(hour=3, minute=20)},
    "forget-addresses": {"task": forget_addresses.name, "schedule": 3600.0},
}
