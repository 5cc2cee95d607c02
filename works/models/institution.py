from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.text import slug_of
from works.models.base import Identifier, PublicRecord


class Institution(PublicRecord):
    """An organisation that researchers are affiliated with; matched to ROR where the provider says so."""

    display_name = models.CharField(max_length=512)
    name_variants = ArrayField(models.CharField(max_length=512), default=list, blank=True)
    type = models.CharField(
        max_length=32, blank=True, help_text="OpenAlex's: education, company, healthcare …"
    )
    country_code = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    ror = models.CharField(
        max_length=9, blank=True, help_text="the ROR id without its address; also an identifier"
    )
    city = models.CharField(max_length=255, blank=True, default="", db_default="")
    homepage = models.CharField(max_length=500, blank=True, default="", db_default="")
    domains = ArrayField(models.CharField(max_length=255), default=list, db_default=[], blank=True)
    acronyms = ArrayField(models.CharField(max_length=255), default=list, db_default=[], blank=True)
    status = models.CharField(
        max_length=10, default="active", db_default="active", help_text="ROR's: active, inactive, withdrawn"
    )
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessors"
    )
    provenance = models.JSONField(
        default=dict, db_default={}, help_text="field name to the id of the SourceRecord shown"
    )
    works_count = models.PositiveIntegerField(default=0)
    authors_count = models.PositiveIntegerField(default=0)
    followers_count = models.PositiveIntegerField(default=0)
    search = SearchVectorField(null=True)

    class Meta:
        indexes = [GinIndex(fields=["search"], name="works_institution_search_idx")]  # works/search.py

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("works:institution", args=[self.pid, slug_of(self.display_name)])


class InstitutionIdentifier(Identifier):
    class Scheme(models.TextChoices):
        OPENALEX = "openalex"
        ROR = "ror"
        ISNI = "isni"
        WIKIDATA = "wikidata"
        GRID = "grid"

    scheme = models.CharField(max_length=16, choices=Scheme)
    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"], name="works_institutionidentifier_scheme_value_uniq"
            )
        ]


class Affiliation(models.Model):
    """An author was at an institution in these years: derived from the affiliations on their works."""

    author = models.ForeignKey("works.Author", on_delete=models.CASCADE, related_name="affiliations")
    institution = models.ForeignKey(
        Institution, on_delete=models.CASCADE, related_name="affiliations", db_index=False
    )
    first_year = models.PositiveSmallIntegerField(null=True)
    last_year = models.PositiveSmallIntegerField(null=True)
    works_count = models.PositiveIntegerField(default=1)
    record = models.ForeignKey(
        "works.SourceRecord",
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="+",
        help_text="the newest record that says so",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author", "institution"], name="works_affiliation_author_inst_uniq"
            ),
            models.CheckConstraint(
                name="works_affiliation_years_in_order",
                condition=Q(first_year__isnull=True)
                | Q(last_year__isnull=True)
                | Q(first_year__lte=models.F("last_year")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "author"], name="works_affiliation_inst_idx"
            ),  # institution page
        ]

    def __str__(self) -> str:
        return f"author {self.author_id} at institution {self.institution_id}"
