import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.db import UUIDv7
from works.models import Author


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Route(models.TextChoices):
    """How a claim is shown to be true (DESIGN 8)."""

    ORCID = "orcid", "ORCID"
    DOMAIN = "domain", "Address at the institution"
    BACK_LINK = "back_link", "Link back from a page of yours"
    COAUTHORS = "coauthors", "Co-authors"
    REVIEW = "review", "A moderator reads your case"


class Claim(models.Model):
    """This user says: this author is me. Its states and who may go from which to which: profiles/claims/states.py."""

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
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="claims",
        help_text="null: the account was deleted, the log stays",
    )
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="claims")
    state = models.CharField(max_length=12, choices=State, default=State.SUBMITTED)
    case = models.TextField(
        max_length=4000, blank=True, help_text="the written case; the claimant and moderators see it"
    )
    decided_by_route = models.CharField(
        max_length=12,
        choices=Route,
        blank=True,
        default="",
        db_default="",
        help_text="what the decision rests on",
    )
    link_url = models.URLField(
        max_length=500, blank=True, default="", db_default="", help_text="the page that links back"
    )
    link_token = models.CharField(
        max_length=40, default=new_token, db_default="", help_text='what that page carries as rel="me"'
    )
    risk = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="0 to 100: how careful a moderator should be; of the signals"
    )
    signals = models.JSONField(default=dict, db_default={}, help_text="what the risk was worked out from")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="by when somebody decides")
    contestable_until = models.DateTimeField(
        null=True, help_text="approved by evidence alone: easily contested until then, no merging or renaming"
    )

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
        indexes = [
            # the moderators' queue, and what is overdue
            models.Index(
                fields=["due_at"],
                name="profiles_claim_due_idx",
                condition=Q(state__in=["submitted", "in_review", "appealed", "disputed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"claim by {self.user or 'a former member'} on {self.author}"

    def get_absolute_url(self) -> str:
        return reverse("profiles:claim", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_held(self) -> bool:
        return self.state in self.HELD


class By(models.TextChoices):
    """In which part somebody acted; what public logs show instead of a name."""

    CLAIMANT = "claimant", "the claimant"
    OWNER = "owner", "the researcher"
    RIVAL = "rival", "another claimant"
    COAUTHOR = "coauthor", "a co-author"
    REPRESENTATIVE = "representative", "the institution"
    MODERATOR = "moderator", "a moderator"
    SYSTEM = "system", "the evidence"


class ClaimStep(models.Model):
    """One change of a claim's state: who, when, why. The database refuses to change or delete it."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="steps")
    from_state = models.CharField(max_length=12, choices=Claim.State, blank=True)
    to_state = models.CharField(max_length=12, choices=Claim.State)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by = models.CharField(max_length=16, choices=By, default=By.MODERATOR, db_default=By.MODERATOR)
    route = models.CharField(max_length=12, choices=Route, blank=True, default="", db_default="")
    reason = models.TextField(blank=True, max_length=2000, help_text="the claimant and moderators read it")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_state} to {self.to_state}"


class ClaimEvidence(models.Model):
    """What one check of a route found, as of a moment; several lines of one check are its history, newest last."""

    class Outcome(models.TextChoices):
        MET = "met", "Shown"
        PARTLY = "partly", "Partly shown"
        NOT_MET = "not_met", "Not shown"
        AGAINST = "against", "Speaks against it"
        UNKNOWN = "unknown", "Could not be looked up"

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="evidence")
    route = models.CharField(max_length=12, choices=Route)
    check_name = models.CharField(max_length=40, help_text="profiles/claims/routes/: which check")
    outcome = models.CharField(max_length=8, choices=Outcome)
    sentence = models.CharField(
        max_length=500, help_text="what was found; the claimant and moderators read it"
    )
    detail = models.JSONField(default=dict, help_text="for moderators alone")
    observed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.route}/{self.check_name}: {self.outcome}"


class ClaimAttachment(models.Model):
    """A file with a written case; moderators alone can read it, by a view that asks who they are."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=60)
    content = models.BinaryField()
    size = models.PositiveIntegerField(help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ClaimConfirmation(models.Model):
    """A member who wrote with the claimant is asked whether they are who they say."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        CONFIRMED = "confirmed", "Confirmed"
        DENIED = "denied", "Denied"
        LAPSED = "lapsed", "Not answered"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="confirmations")
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="confirmations_asked"
    )
    author = models.ForeignKey(
        Author, on_delete=models.PROTECT, related_name="+", help_text="the page of the one who was asked"
    )
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    note = models.TextField(blank=True, max_length=1000, help_text="moderators read it")
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim", "asked"], name="profiles_claimconfirmation_pair_uniq")
        ]

    def __str__(self) -> str:
        return f"{self.asked} on {self.claim_id}: {self.state}"
