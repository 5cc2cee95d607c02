from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.text import slug_of
from works.models.base import Identifier, PublicRecord


class AuthorQuerySet(models.QuerySet["Author"]):
    def public(self) -> "AuthorQuerySet":
        """Authors with a page: not merged into another, not hidden on request."""
        return self.filter(merged_into__isnull=True, suppressed=False)


class Author(PublicRecord):
    """The public record of a person who wrote works. Who claimed it is known to profiles alone."""

    display_name = models.CharField(max_length=255)
    orcid = models.CharField(max_length=19, blank=True, help_text="as a source says; also an identifier")
    works_count = models.PositiveIntegerField(default=0)
    cited_by_count = models.PositiveIntegerField(default=0)
    topics_count = models.PositiveIntegerField(default=0)
    close_collaborators_count = models.PositiveIntegerField(default=0)
    followers_count = models.PositiveIntegerField(default=0)
    first_year = models.SmallIntegerField(null=True)
    last_year = models.SmallIntegerField(null=True)
    claimed = models.BooleanField(default=False)
    suppressed = models.BooleanField(default=False, help_text="hidden on request: the page answers 410")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    version = models.PositiveIntegerField(default=1, help_text="rises with every visible change")
    search = SearchVectorField(null=True)

    objects = AuthorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="works_author_not_merged_into_itself",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
            )
        ]
        indexes = [
            GinIndex(fields=["search"], name="works_author_search_idx"),  # works/search.py
            models.Index(fields=["-works_count"], name="works_author_works_idx"),  # home, slices built ahead
        ]

    def __str__(self) -> str:
        return self.display_name

    def get_absolute_url(self) -> str:
        return reverse("profiles:author", args=[self.pid, slug_of(self.display_name)])


class AuthorIdentifier(Identifier):
    class Scheme(models.TextChoices):
        ORCID = "orcid", "ORCID"
        OPENALEX = "openalex", "OpenAlex"
        DBLP = "dblp", "DBLP"
        ACL = "acl", "ACL Anthology"
        ISNI = "isni", "ISNI"
        SCOPUS = "scopus", "Scopus"
        WIKIDATA = "wikidata", "Wikidata"

    scheme = models.CharField(max_length=16, choices=Scheme)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"], name="works_authoridentifier_scheme_value_uniq"
            )
        ]


class AuthorName(models.Model):
    """A way the author's name stands on works."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="names")
    display_name = models.CharField(max_length=255)
    works_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author", "display_name"], name="works_authorname_author_name_uniq"
            )
        ]

    def __str__(self) -> str:
        return self.display_name


class Authorship(models.Model):
    """One author on one work, as the record shown for that work says."""

    class Position(models.TextChoices):
        FIRST = "first"
        MIDDLE = "middle"
        LAST = "last"

    work = models.ForeignKey(
        "works.Work", on_delete=models.CASCADE, related_name="authorships", db_index=False
    )
    author = models.ForeignKey(
        Author,
        null=True,
        on_delete=models.PROTECT,
        related_name="authorships",
        help_text="null between import and identity resolution",
    )
    index = models.PositiveIntegerField(help_text="place in the author list, from 0")
    author_position = models.CharField(max_length=6, choices=Position)
    raw_author_name = models.CharField(max_length=255, help_text="as printed on the work")
    display_name = models.CharField(
        max_length=255, blank=True, help_text="the provider's own form, where it has one"
    )
    raw_affiliation_strings = models.JSONField(default=list, blank=True)
    is_corresponding = models.BooleanField(default=False)
    institutions = models.ManyToManyField("works.Institution", through="works.AuthorshipInstitution")
    orcid = models.CharField(max_length=19, blank=True, help_text="as this record says")
    openalex_id = models.CharField(max_length=16, blank=True, help_text="as this record says")
    acl_id = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="as this record says"
    )
    dblp_id = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="as this record says"
    )
    name_variants = models.JSONField(
        default=list, db_default=[], blank=True, help_text="the same name in other scripts, as printed"
    )
    name_block = models.CharField(
        max_length=100, help_text="folded family name and first initial: who could be the same"
    )
    record = models.ForeignKey(
        "works.SourceRecord", null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["work", "index"], name="works_authorship_work_index_uniq"),
            # Deferred: resolution may hand an author from one row of a work to another in one statement.
            models.UniqueConstraint(
                fields=["work", "author"],
                name="works_authorship_work_author_uniq",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ]
        indexes = [
            models.Index(fields=["name_block"], name="works_authorship_block_idx"),  # services/resolve.py
        ]

    def __str__(self) -> str:
        return f"{self.raw_author_name} on work {self.work_id}"


class AuthorshipInstitution(models.Model):
    authorship = models.ForeignKey(
        Authorship, on_delete=models.CASCADE, related_name="authorship_institutions", db_index=False
    )
    institution = models.ForeignKey("works.Institution", on_delete=models.CASCADE, related_name="+")
    matched = models.BooleanField(
        default=False,
        db_default=False,
        help_text="found by us in the affiliation string, not stated by a source",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["authorship", "institution"], name="works_authorshipinst_pair_uniq"
            )
        ]

    def __str__(self) -> str:
        return f"authorship {self.authorship_id} at institution {self.institution_id}"
