from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class GraphSlice(models.Model):
    """The neighbourhood that fits a page, laid out by a worker and stored ready to draw."""

    class Kind(models.TextChoices):
        AUTHOR = "author"
        WORK = "work"
        TOPIC = "topic"
        INSTITUTION = "institution"

    class Size(models.TextChoices):
        PANEL = "panel"
        EXPLORER = "explorer"

    kind = models.CharField(max_length=12, choices=Kind)
    object_id = models.BigIntegerField()
    size = models.CharField(max_length=8, choices=Size)
    payload = models.JSONField(
        null=True, help_text="graph.algorithms.payload; null: asked for, not built yet"
    )
    author_ids = ArrayField(models.BigIntegerField(), default=list, help_text="the authors it draws")
    method_version = models.PositiveSmallIntegerField(default=1)
    requested_at = models.DateTimeField(auto_now_add=True, help_text="when it was last asked for")
    built_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_id", "size"], name="graph_graphslice_subject_uniq"
            )
        ]
        indexes = [
            GinIndex(
                fields=["author_ids"], name="graph_graphslice_authors_idx"
            ),  # services: slices to rebuild
        ]

    def __str__(self) -> str:
        return f"{self.size} of {self.kind} {self.object_id}"
