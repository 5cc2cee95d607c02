from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.db import UUIDv7
from works.models import Author, Work


class Researcher(models.Model):
    """What a person says on the page they claimed."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="researcher")
    author = models.OneToOneField(Author, on_delete=models.PROTECT, related_name="researcher")
    bio = models.TextField(blank=True, max_length=2000)
    open_to_collaborate = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"researcher of author {self.author_id}"


class Claim(models.Model):
    """This user says: this author is me. States and steps: services/claims.py."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", "Waiting for a moderator"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Accepted"
        REJECTED = "rejected", "Not accepted"
        APPEALED = "appealed", "Appealed"
        DISPUTED = "disputed", "Disputed"
        REVOKED = "revoked", "Revoked"
        WITHDRAWN = "withdrawn", "Withdrawn"

    OPEN = [State.SUBMITTED, State.IN_REVIEW, State.APPEALED]
    HELD = [State.APPROVED, State.DISPUTED]

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="claims")
    state = models.CharField(max_length=12, choices=State, default=State.SUBMITTED)
    case = models.TextField(max_length=4000, help_text="the written case; the claimant and moderators see it")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author"],
                condition=Q(state__in=["approved", "disputed"]),
                name="profiles_claim_one_held_per_author",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state__in=["approved", "disputed"]),
                name="profiles_claim_one_held_per_user",
            ),
            models.UniqueConstraint(
                fields=["user", "author"],
                condition=Q(state__in=["submitted", "in_review", "appealed"]),
                name="profiles_claim_one_open_per_pair",
            ),
        ]

    def __str__(self) -> str:
        return f"claim by {self.user} on {self.author}"

    def get_absolute_url(self) -> str:
        return reverse("profiles:claim", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_held(self) -> bool:
        return self.state in self.HELD


class ClaimStep(models.Model):
    """One change of a claim's state: who, when, why. Rows are only added."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="steps")
    from_state = models.CharField(max_length=12, choices=Claim.State, blank=True)
    to_state = models.CharField(max_length=12, choices=Claim.State)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.TextField(blank=True, max_length=2000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_state} to {self.to_state}"


class CurationRequest(models.Model):
    """Somebody, with or without an account, says that a public record is wrong or should be hidden."""

    class Kind(models.TextChoices):
        REMOVAL = "removal", "Hide this page"
        CORRECTION = "correction", "Something is wrong"
        OBJECTION = "objection", "I object to this use of my data"

    class State(models.TextChoices):
        UNCONFIRMED = "unconfirmed", "Waiting for the address to be confirmed"
        OPEN = "open", "Waiting for a moderator"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.UNCONFIRMED)
    author = models.ForeignKey(Author, null=True, on_delete=models.PROTECT, related_name="curation_requests")
    work = models.ForeignKey(Work, null=True, on_delete=models.PROTECT, related_name="curation_requests")
    email = models.EmailField(max_length=254)
    message = models.TextField(max_length=4000)
    answer = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    address_hash = models.CharField(
        max_length=64, blank=True, help_text="keyed hash of the network address, for the daily limit only"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profiles_curationrequest_one_record",
                condition=Q(author__isnull=False, work__isnull=True)
                | Q(author__isnull=True, work__isnull=False),
            )
        ]
        indexes = [
            # services/curation.py counts the day's requests
            models.Index(fields=["email", "created_at"], name="profiles_curation_email_idx"),
            models.Index(fields=["address_hash", "created_at"], name="profiles_curation_address_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.record}"

    @property
    def record(self) -> Author | Work:
        record = self.author or self.work
        assert record is not None  # noqa: S101 - profiles_curationrequest_one_record
        return record
