"""What every public record shares."""

from django.db import models
from django.db.models import F, Func


class PublicId(Func):
    """A short, stable text made from the row's number: a bijection, so never used twice.

    Seven characters of Crockford's base 32; the SQL function is made in works' first migration.
    """

    function = "works_pid"
    output_field = models.CharField(max_length=7)


class PublicRecord(models.Model):
    """A record with a page of its own."""

    pid = models.GeneratedField(
        expression=PublicId(F("id")),
        output_field=models.CharField(max_length=7),
        db_persist=True,
        unique=True,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Identifier(models.Model):
    """One (scheme, value) that names one record; values are normalised in works/identifiers.py."""

    value = models.CharField(max_length=512)
    record = models.ForeignKey(
        "works.SourceRecord",
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
        help_text="The provider's record that gave it.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"  # type: ignore[attr-defined]
