"""What anybody may ask about a public record, with or without an account."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models import Author, Work


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
