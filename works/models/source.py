from django.db import models

from works.models.base import Identifier


class Source(models.Model):
    """Where works appear: a journal, a repository, a conference (OpenAlex's term)."""

    display_name = models.CharField(max_length=512)
    type = models.CharField(
        max_length=32, blank=True, help_text="OpenAlex's: journal, repository, conference …"
    )
    host_organization_name = models.CharField(max_length=255, blank=True)
    works_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.display_name


class SourceIdentifier(Identifier):
    class Scheme(models.TextChoices):
        OPENALEX = "openalex"
        ISSN = "issn"
        ACL = "acl"
        DBLP = "dblp"
        BZPEER = "bzpeer", "BZPEER's own key"

    scheme = models.CharField(max_length=16, choices=Scheme)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="identifiers")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "value"], name="works_sourceidentifier_scheme_value_uniq"
            )
        ]
