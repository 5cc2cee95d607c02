from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.db import UUIDv7
from works.models import Author, Work


class Invitation(models.Model):
    """A structured request to work together. Steps: services/invitations.py."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for an answer"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"
        NOT_NOW = "not_now", "Not now"

    class Purpose(models.TextChoices):
        PAPER = "paper", "Write a paper together"
        DATA = "data", "Share data or code"
        REVIEW = "review", "Comment on a draft"
        PROPOSAL = "proposal", "Apply for funding together"
        TALK = "talk", "Give a talk or teach"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    project = models.ForeignKey(
        "profiles.Project", null=True, on_delete=models.SET_NULL, related_name="invitations",
        help_text="one of several invitations to one project",
    )  # fmt: skip
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations_sent"
    )
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations_received"
    )
    author = models.ForeignKey(
        Author, on_delete=models.PROTECT, related_name="invitations", help_text="the page it came through"
    )
    purpose = models.CharField(max_length=12, choices=Purpose)
    work = models.ForeignKey(
        Work,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="the work it builds on",
    )
    offer = models.TextField(max_length=1000, help_text="what I bring")
    ask = models.TextField(max_length=1000, help_text="what I ask")
    expected_time = models.CharField(max_length=100)
    reply_by = models.DateField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "recipient"],
                condition=Q(state="pending"),
                name="profiles_invitation_one_open_per_pair",
            ),
            models.CheckConstraint(
                name="profiles_invitation_not_oneself", condition=~Q(sender=models.F("recipient"))
            ),
        ]
        indexes = [
            # tasks.expire_invitations
            models.Index(
                fields=["reply_by"], name="profiles_invitation_due_idx", condition=Q(state="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("profiles:invitation", args=[self.pk])


class Project(models.Model):
    """What up to five people are invited to together; who accepts joins its one conversation."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="projects")
    title = models.CharField(max_length=200)
    conversation = models.OneToOneField(
        "profiles.Conversation", null=True, on_delete=models.SET_NULL, related_name="project"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title


class Introduction(models.Model):
    """A member asks the person in the middle of a path to introduce them; consenting or not is silent."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        CONSENTED = "consented", "Introduced"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="introductions_asked"
    )
    middle = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="introductions_to_give"
    )
    target = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="introductions_received"
    )
    message = models.TextField(max_length=1000)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    conversation = models.ForeignKey(
        "profiles.Conversation", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requester", "target"],
                condition=Q(state="asked"),
                name="profiles_introduction_one_open_per_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"introduction {self.pk}"
