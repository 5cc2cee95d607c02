from django.db import models
from django.db.models import Q

from works.models import Author


class TrustScore(models.Model):
    """How much of a record has been checked: derived from works and the ledger, never edited."""

    author = models.OneToOneField(Author, on_delete=models.CASCADE, related_name="trust", primary_key=True)
    value = models.PositiveSmallIntegerField(help_text="0 to 100, the sum of the parts")
    level = models.PositiveSmallIntegerField(help_text="0 to 5, by kinds of evidence")
    parts = models.JSONField(help_text="trust.algorithms.Score.parts")
    formula_version = models.PositiveSmallIntegerField()
    computed_at = models.DateTimeField()
    next_change_at = models.DateTimeField(
        null=True, help_text="when evidence next runs out or counts for less"
    )
    frozen_at = models.DateTimeField(null=True, help_text="a dispute is open: the score stays as it was")

    class Meta:
        constraints = [
            models.CheckConstraint(name="trust_trustscore_value_range", condition=Q(value__lte=100)),
            models.CheckConstraint(name="trust_trustscore_level_range", condition=Q(level__lte=5)),
        ]
        indexes = [
            # services: scores that time alone changes
            models.Index(
                fields=["next_change_at"],
                name="trust_trustscore_change_idx",
                condition=Q(next_change_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Trust {self.value}, L{self.level}, author {self.author_id}"


class TrustChange(models.Model):
    """One change of a score, for the timeline: what was gained and lost, and why."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="trust_changes")
    at = models.DateTimeField()
    old_value = models.PositiveSmallIntegerField(null=True, help_text="null: the first score")
    value = models.PositiveSmallIntegerField()
    old_level = models.PositiveSmallIntegerField(null=True)
    level = models.PositiveSmallIntegerField()
    formula_version = models.PositiveSmallIntegerField()
    differences = models.JSONField(
        default=list, help_text="[{rule, label, points}]: what each rule gives more or less than before"
    )

    class Meta:
        indexes = [
            models.Index(fields=["author", "-at"], name="trust_trustchange_author_idx"),  # the timeline
        ]

    def __str__(self) -> str:
        return f"author {self.author_id}: {self.old_value} to {self.value}"


class VouchSeed(models.Model):
    """An author whom the curators know: where the flow that vouches carry begins."""

    author = models.OneToOneField(Author, on_delete=models.PROTECT, related_name="vouch_seed")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"seed author {self.author_id}"
