from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models import Author


class Vouch(models.Model):
    """A researcher says in public that they know another. Points come only while it carries flow (trust/flow.py)."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="vouches"
    )
    voucher = models.ForeignKey(
        Author,
        on_delete=models.PROTECT,
        related_name="vouches_given",
        help_text="the page of whoever vouches",
    )
    author = models.ForeignKey(
        Author, on_delete=models.PROTECT, related_name="vouches_received", help_text="the one vouched for"
    )
    statement = models.CharField(max_length=300, help_text="how they know each other; public")
    evidence = models.ForeignKey(
        "trust.Evidence", null=True, on_delete=models.SET_NULL, related_name="+",
        help_text="its newest line in the ledger, while it carries flow",
    )  # fmt: skip
    carries = models.BooleanField(null=True, help_text="null: the nightly run has not seen it yet")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["voucher", "author"],
                condition=Q(revoked_at__isnull=True),
                name="profiles_vouch_one_standing",
            ),
            models.CheckConstraint(
                name="profiles_vouch_not_oneself", condition=~Q(voucher=models.F("author"))
            ),
        ]

    def __str__(self) -> str:
        return f"author {self.voucher_id} for author {self.author_id}"
