from django.db import models
from django.db.models import Q

from works.models import Author, Institution


class Evidence(models.Model):
    """One line of the ledger: a fact about a record that works cannot tell. Never changed, never deleted.

    The database refuses UPDATE and DELETE; revocation and expiry are new rows that name the old one.
    """

    class Kind(models.TextChoices):
        EMAIL_CONFIRMED = "email_confirmed", "Confirmed e-mail address"
        ORCID_OAUTH = "orcid_oauth", "Signed in with ORCID"
        DOMAIN_CONFIRMED = "domain_confirmed", "Confirmed address at a recorded institution"
        CLAIM_ACCEPTED = "claim_accepted", "Accepted claim"
        BACK_LINK = "back_link", "Back-link from a page of theirs"
        AFFILIATION_ASSERTED = "affiliation_asserted", "Affiliation asserted by the institution"
        WORK_ASSERTED = "work_asserted", "Work asserted by a publisher or repository"
        FUNDING_ASSERTED = "funding_asserted", "Funding or peer review asserted by an organisation"
        IDENTITY_MEDIUM = "identity_medium", "Federated identity proofing, medium"
        IDENTITY_HIGH = "identity_high", "Federated identity proofing, high"
        COAUTHOR_CONFIRMED = "coauthor_confirmed", "Confirmed by a co-author"
        VOUCH = "vouch", "Vouched for by a researcher"
        REVOKED = "revoked", "Withdrawn"
        EXPIRED = "expired", "Ran out"

    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=24, choices=Kind)
    source = models.CharField(max_length=64, help_text="who says so, in words: moderator, ORCID …")
    asserted_by_author = models.ForeignKey(Author, null=True, on_delete=models.PROTECT, related_name="+")
    asserted_by_institution = models.ForeignKey(
        Institution, null=True, on_delete=models.PROTECT, related_name="+"
    )
    meets_route = models.BooleanField(
        default=False, help_text="this fact meets its claiming route in full, so it may raise the level"
    )
    ends = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="ended_by",
        help_text="the row this one ends",
    )
    event_key = models.CharField(
        max_length=100, unique=True, help_text="made from the event, so that a retry adds nothing"
    )
    observed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="trust_evidence_end_names_a_row",
                condition=Q(kind__in=["revoked", "expired"], ends__isnull=False)
                | (~Q(kind__in=["revoked", "expired"]) & Q(ends__isnull=True)),
            ),
            models.CheckConstraint(
                name="trust_evidence_one_asserter",
                condition=Q(asserted_by_author__isnull=True) | Q(asserted_by_institution__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for author {self.author_id}"


class EvidenceDetail(models.Model):
    """The private part of a line (an address, a case number): may be deleted, the line stays."""

    evidence = models.OneToOneField(Evidence, on_delete=models.CASCADE, related_name="detail")
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"detail of evidence {self.evidence_id}"
