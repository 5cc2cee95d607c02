from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.text import slug_of
from works.models.base import Identifier, PublicRecord


class Topic(PublicRecord):
    """A subject: OpenAlex's domain > field > subfield > topic, with arXiv's categories below a subfield or field."""

    class Level(models.TextChoices):
        DOMAIN = "domain"
        FIELD = "field"
        SUBFIELD = "subfield"
        TOPIC = "topic"

    display_name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    level = models.CharField(max_length=10, choices=Level, default=Level.TOPIC)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    works_count = models.PositiveIntegerField(default=0)
    authors_count = models.PositiveIntegerField(default=0)
    followers_count = models.PositiveIntegerField(default=0)
    search_key = models.TextField(default="", help_text="folded words, for search")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="works_topic_domain_has_no_parent",
                condition=~Q(level="domain") | Q(parent__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("works:topic", args=[self.pid, slug_of(self.display_name)])


class TopicIdentifier(Identifier):
    class Scheme(models.TextChoices):
        OPENALEX = "openalex"
        ARXIV = "arxiv"

    scheme = models.CharField(max_length=16, choices=Scheme)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"], name="works_topicidentifier_scheme_value_uniq"
            )
        ]


class WorkTopic(models.Model):
    """A work is about a topic, as one provider says."""

    work = models.ForeignKey("works.Work", on_delete=models.CASCADE, related_name="work_topics")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="work_topics", db_index=False)
    score = models.FloatField(help_text="0 to 1, the provider's certainty; 1 where it gives none")
    is_primary = models.BooleanField(default=False)
    record = models.ForeignKey(
        "works.SourceRecord", null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "topic"], name="works_worktopic_work_topic_uniq"),
            models.CheckConstraint(
                name="works_worktopic_score_range", condition=Q(score__gte=0, score__lte=1)
            ),
        ]
        indexes = [
            models.Index(
                fields=["topic", "work"], name="works_worktopic_topic_idx"
            ),  # topic page, graph slices
        ]

    def __str__(self) -> str:
        return f"work {self.work_id} about topic {self.topic_id}"
