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
