from django.db import models


class Mark(models.Model):
    """Work still to do: what, for whom, since when, why. Written in the transaction of its cause.

    Rows repeat freely (adding one never waits for a drain under way); a drain takes every row of the
    objects it works on. Celery messages are only the doorbell.
    """

    class What(models.TextChoices):
        RESOLVE = "resolve", "find the authors of a work"
        AFFILIATIONS = "affiliations", "find the institutions in a work's affiliation strings"
        COUNTS = "counts", "recount an author"
        COLLABORATIONS = "collaborations", "rebuild an author's collaborations"
        TRUST = "trust", "rescore an author"
        SLICE = "slice", "rebuild a graph slice"
        CATALOGUE = "catalogue", "recount topics, institutions and sources of a work"
        MAIL = "mail", "send a mail"

    what = models.CharField(max_length=16, choices=What)
    object_id = models.BigIntegerField()
    since = models.DateTimeField(auto_now_add=True)
    run_at = models.DateTimeField(auto_now_add=True, help_text="not before; later after a failure")
    why = models.CharField(max_length=120)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    dead = models.BooleanField(default=False, help_text="gave up after five attempts; the admin shows it")

    class Meta:
        indexes = [
            # services/marks.py: who waits longest, then all marks of the same object
            models.Index(
                fields=["what", "run_at", "id"], name="works_mark_due_idx", condition=models.Q(dead=False)
            ),
            models.Index(
                fields=["what", "object_id"], name="works_mark_object_idx", condition=models.Q(dead=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.object_id}"
