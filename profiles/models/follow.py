from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models import Author, Institution, Topic


class Follow(models.Model):
    """A member follows one researcher, topic or institution."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows")
    author = models.ForeignKey(Author, null=True, on_delete=models.CASCADE, related_name="follows")
    topic = models.ForeignKey(Topic, null=True, on_delete=models.CASCADE, related_name="follows")
    institution = models.ForeignKey(Institution, null=True, on_delete=models.CASCADE, related_name="follows")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profiles_follow_one_target",
                condition=Q(author__isnull=False, topic__isnull=True, institution__isnull=True)
                | Q(author__isnull=True, topic__isnull=False, institution__isnull=True)
                | Q(author__isnull=True, topic__isnull=True, institution__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["user", "author"],
                condition=Q(author__isnull=False),
                name="profiles_follow_user_author_uniq",
            ),
            models.UniqueConstraint(
                fields=["user", "topic"],
                condition=Q(topic__isnull=False),
                name="profiles_follow_user_topic_uniq",
            ),
            models.UniqueConstraint(
                fields=["user", "institution"],
                condition=Q(institution__isnull=False),
                name="profiles_follow_user_inst_uniq",
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.user_id} follows {self.target}"

    @property
    def kind(self) -> str:
        return "author" if self.author_id else "topic" if self.topic_id else "institution"

    @property
    def target(self) -> Author | Topic | Institution:
        target = self.author or self.topic or self.institution
        assert target is not None  # noqa: S101 - profiles_follow_one_target
        return target


class Block(models.Model):
    """A member wants nothing to do with another; works both ways at once, everywhere."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocked_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="profiles_block_pair_uniq"),
            models.CheckConstraint(
                name="profiles_block_not_oneself", condition=~Q(blocker=models.F("blocked"))
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.blocker_id} blocks user {self.blocked_id}"
