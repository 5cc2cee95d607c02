"""What was asked of the sources live: one request for one record, one step for each answer it needs.

Nobody is named who asked: works knows no people. A step is work still to do, taken up by any worker until it
is done; the last one that was done at an address keeps the validators with which to ask "anything new?".
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models.provenance import ImportRun, Provider


class SyncRequest(models.Model):
    """Somebody wants to know what the sources say about one record now."""

    class Kind(models.TextChoices):
        AUTHOR = "author"
        WORK = "work"
        ORCID = "orcid"
        ROR = "ror"

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done", "answered by at least one source"
        NOT_FOUND = "not_found", "known to no source"
        FAILED = "failed", "no source answered"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    kind = models.CharField(max_length=8, choices=Kind)
    scheme = models.CharField(max_length=16, help_text="pid for a record that is here, else its identifier's")
    value = models.CharField(max_length=512)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "scheme", "value"],
                name="works_syncrequest_one_open",
                condition=Q(finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="works_syncrequest_waiting_is_open",
                condition=Q(state="waiting", finished_at__isnull=True)
                | (~Q(state="waiting") & Q(finished_at__isnull=False)),
            ),
        ]
        indexes = [
            # sync/service.py: when was this record refreshed last
            models.Index(fields=["kind", "scheme", "value", "-asked_at"], name="works_syncrequest_last_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.scheme}:{self.value}"


class SyncStep(models.Model):
    """One question to one source. address: path and query below the source's own, without any key."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        UNCHANGED = "unchanged", "the source says: nothing new"
        NOT_FOUND = "not_found"
        FAILED = "failed"

    request = models.ForeignKey(SyncRequest, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=16, choices=Provider)
    address = models.TextField()
    expects = models.CharField(
        max_length=600, blank=True, help_text="scheme:value that the answer must be about; empty for a list"
    )
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    run_at = models.DateTimeField(help_text="not before; while a worker has it, when another may take it up")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    answered_at = models.DateTimeField(null=True)
    run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="works_syncstep_request_number_uniq")
        ]
        indexes = [
            # sync/service.py: what is due
            models.Index(
                fields=["run_at", "id"], name="works_syncstep_due_idx", condition=Q(state="waiting")
            ),
            # sync/service.py: the last answer from this address
            models.Index(
                fields=["expects", "provider", "-answered_at"],
                name="works_syncstep_answer_idx",
                condition=Q(state__in=["done", "unchanged"]) & ~Q(expects=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.address}"[:200]

    def postpone(self, until: datetime, error: str = "") -> None:
        """Leave the step for later, saying why."""
        self.run_at, self.error = until, error[:300]
        self.save(update_fields=["run_at", "error"])
