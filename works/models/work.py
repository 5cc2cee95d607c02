from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from bzpeer.lib.text import slug_of
from works.models.base import Identifier, PublicRecord


class Work(PublicRecord):
    """A publication or preprint: derived from one or more SourceRecords, the better one shown."""

    type = models.CharField(max_length=32, help_text="OpenAlex's: article, preprint, book-chapter …")
    title = models.TextField(blank=True, help_text="plain text, for search, slugs and citations")
    title_html = models.TextField(blank=True, help_text="sanitised HTML and MathML, safe to show")
    abstract = models.TextField(blank=True, help_text="plain text")
    abstract_html = models.TextField(blank=True, help_text="sanitised HTML and MathML, safe to show")
    title_key = models.CharField(
        max_length=200, blank=True, help_text="folded title, to find the same work again"
    )
    publication_date = models.DateField(null=True)
    publication_year = models.SmallIntegerField(null=True)
    source = models.ForeignKey("works.Source", null=True, on_delete=models.SET_NULL, related_name="works")
    language = models.CharField(max_length=8, blank=True, help_text="ISO 639-1, empty where nobody says")
    license = models.CharField(max_length=64, blank=True)
    is_oa = models.BooleanField(null=True)
    is_retracted = models.BooleanField(default=False)
    is_withdrawn = models.BooleanField(
        default=False, db_default=False, help_text="every source that had it took it back"
    )
    cited_by_count = models.PositiveIntegerField(default=0)
    authors_count = models.PositiveIntegerField(default=0)
    provenance = models.JSONField(default=dict, help_text="field name to the id of the SourceRecord shown")
    search = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="works_work_year_plausible",
                condition=Q(publication_year__isnull=True)
                | Q(publication_year__gte=1400, publication_year__lte=2200),
            )
        ]
        indexes = [
            models.Index(
                fields=["title_key"], name="works_work_title_key_idx"
            ),  # ingest: same title, year, authors
            GinIndex(fields=["search"], name="works_work_search_idx"),  # works/search.py
        ]

    def __str__(self) -> str:
        return self.title or "Untitled work"

    def get_absolute_url(self) -> str:
        return reverse("works:work", args=[self.pid, slug_of(self.title)])


class WorkIdentifier(Identifier):
    class Scheme(models.TextChoices):
        DOI = "doi", "DOI"
        ARXIV = "arxiv", "arXiv"
        OPENALEX = "openalex", "OpenAlex"
        DBLP = "dblp", "DBLP"
        ACL = "acl", "ACL Anthology"
        PMID = "pmid", "PubMed"

    scheme = models.CharField(max_length=16, choices=Scheme)
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "value"], name="works_workidentifier_scheme_value_uniq")
        ]


class Citation(models.Model):
    """A work refers to another, known to us or not yet."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="references")
    scheme = models.CharField(max_length=16, choices=WorkIdentifier.Scheme)
    value = models.CharField(max_length=512)
    retracts = models.BooleanField(
        default=False, db_default=False, help_text="the citing work is a notice that takes the cited one back"
    )
    cited_work = models.ForeignKey(Work, null=True, on_delete=models.SET_NULL, related_name="cited_by")
    record = models.ForeignKey(
        "works.SourceRecord", null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "scheme", "value"], name="works_citation_work_cited_uniq")
        ]
        indexes = [
            models.Index(
                fields=["scheme", "value"], name="works_citation_value_idx"
            ),  # ingest: link a work that arrives later
        ]

    def __str__(self) -> str:
        return f"work {self.work_id} cites {self.scheme}:{self.value}"
