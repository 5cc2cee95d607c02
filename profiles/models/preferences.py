from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models import Author, Topic, Work


def default_time_zone() -> str:
    return "UTC"


class Preferences(models.Model):
    """How a member wants to be told of things, and who may invite them."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences", primary_key=True
    )
    time_zone = models.CharField(max_length=64, default=default_time_zone)
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="no mail from this hour, in their time zone …"
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="… until this one")
    feed_token = models.CharField(max_length=48, unique=True, null=True, help_text="of the private Atom feed")
    feed_seen_at = models.DateTimeField(null=True, help_text="until where they have read the feed")
    digest_sent_at = models.DateTimeField(null=True)
    invite_level = models.PositiveSmallIntegerField(
        default=2, help_text="the least verification level of whoever may invite them"
    )
    invite_topics = models.ManyToManyField(
        Topic, blank=True, related_name="+", help_text="none: invitations on any topic"
    )
    invites_a_week = models.PositiveSmallIntegerField(default=10)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profiles_preferences_level", condition=Q(invite_level__gte=2, invite_level__lte=5)
            ),
            models.CheckConstraint(
                name="profiles_preferences_quiet_both",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"


class MailChoice(models.Model):
    """How often mail tells of one kind of thing; without a row, as services/preferences.py says."""

    class Kind(models.TextChoices):
        INVITATIONS = "invitations", "Invitations"
        MESSAGES = "messages", "Messages"
        RECORD = "record", "Your page, claims and requests"
        FOLLOWED = "followed", "New works and events among those you follow"
        FOLLOWERS = "followers", "New followers"

    class Often(models.TextChoices):
        AT_ONCE = "at_once", "At once"
        DAILY = "daily", "Once a day"
        WEEKLY = "weekly", "Once a week"
        NEVER = "never", "Never"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_choices")
    kind = models.CharField(max_length=12, choices=Kind)
    often = models.CharField(max_length=8, choices=Often)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="profiles_mailchoice_uniq")]

    def __str__(self) -> str:
        return f"user {self.user_id}: {self.kind} {self.often}"


class MailTrouble(models.Model):
    """A bounce or complaint that a mail provider told of: nothing more is sent there until it is confirmed anew."""

    class Kind(models.TextChoices):
        BOUNCE = "bounce", "Bounced"
        COMPLAINT = "complaint", "Marked as spam"

    email = models.EmailField(max_length=254, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind} at {self.created_at:%Y-%m-%d}"


class SavedSearch(models.Model):
    """A search that a member follows: what it newly finds comes into their feed."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(max_length=120)
    query = models.CharField(max_length=1000, help_text="the address's query string, normalised")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "query"], name="profiles_savedsearch_uniq")]

    def __str__(self) -> str:
        return self.name


class Recommendation(models.Model):
    """What a worker found for a member, with the reasons; replaced as a whole."""

    class Kind(models.TextChoices):
        FOLLOW = "follow", "Researchers to follow"
        COLLABORATE = "collaborate", "Possible collaborators"
        READ = "read", "Works to read"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recommendations"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    author = models.ForeignKey(Author, null=True, on_delete=models.CASCADE, related_name="+")
    work = models.ForeignKey(Work, null=True, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField()
    reasons = models.JSONField(help_text="sentences with what they rest on: [{text, url}]")
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profiles_recommendation_one_target",
                condition=Q(author__isnull=False, work__isnull=True)
                | Q(author__isnull=True, work__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["user", "kind", "-score"], name="profiles_recommendation_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for user {self.user_id}"


class NotInterested(models.Model):
    """A member does not want this recommended again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="not_interested"
    )
    author = models.ForeignKey(Author, null=True, on_delete=models.CASCADE, related_name="+")
    work = models.ForeignKey(Work, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profiles_notinterested_one_target",
                condition=Q(author__isnull=False, work__isnull=True)
                | Q(author__isnull=True, work__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["user", "author"],
                condition=Q(author__isnull=False),
                name="profiles_notint_author_uniq",
            ),
            models.UniqueConstraint(
                fields=["user", "work"], condition=Q(work__isnull=False), name="profiles_notint_work_uniq"
            ),
        ]

    def __str__(self) -> str:
        return f"user {self.user_id}: not {self.author_id or self.work_id}"
