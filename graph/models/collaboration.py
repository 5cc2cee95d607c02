from django.db import models
from django.db.models import Q

from works.models import Author


class Collaboration(models.Model):
    """Two authors who wrote together: an unordered pair, derived from authorships.

    Works of over 100 authors add no pairs (see graph/algorithms.py).
    """

    author_a = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="+", db_index=False)
    author_b = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="+", db_index=False)
    works_count = models.PositiveIntegerField(help_text="shared works of at most 100 authors")
    small_works_count = models.PositiveIntegerField(help_text="shared works of at most 50 authors")
    min_authors_count = models.PositiveIntegerField(help_text="authors on the shared work with the fewest")
    weight = models.FloatField(help_text="sum of 1 / (n - 1) over shared works of n authors (Newman 2001)")
    first_year = models.SmallIntegerField(null=True)
    last_year = models.SmallIntegerField(null=True)
    method_version = models.PositiveSmallIntegerField(default=1)
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author_a", "author_b"], name="graph_collaboration_pair_uniq"),
            models.CheckConstraint(
                name="graph_collaboration_ordered_pair", condition=Q(author_a__lt=models.F("author_b"))
            ),
            models.CheckConstraint(
                name="graph_collaboration_counts",
                condition=Q(works_count__gte=1, weight__gt=0, min_authors_count__gte=2),
            ),
        ]
        indexes = [
            models.Index(
                fields=["author_b", "author_a"], name="graph_collaboration_b_idx"
            ),  # neighbours of b
        ]

    def __str__(self) -> str:
        return f"{self.author_a_id} with {self.author_b_id}"
