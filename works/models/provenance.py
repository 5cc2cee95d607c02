"""Where facts came from: import runs, providers' records as they were read, and what was refused."""

from django.db import models
from django.db.models import Q


class Provider(models.TextChoices):
    OPENALEX = "openalex", "OpenAlex"
    ARXIV = "arxiv", "arXiv"
    CROSSREF = "crossref", "Crossref"
    ORCID = "orcid", "ORCID"
    ROR = "ror", "ROR"
    DBLP = "dblp", "dblp"
    ACL = "acl", "ACL Anthology"
    BIBTEX = "bibtex", "BibTeX"
    RIS = "ris", "RIS"
    CSL = "csl", "CSL-JSON"


class Entity(models.TextChoices):
    """What a provider's record describes."""

    WORK = "work"
    AUTHOR = "author"
    INSTITUTION = "institution"
    SOURCE = "source"
    TOPIC = "topic"


class ImportRun(models.Model):
    """One call of an importer, over one or more files."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        STOPPED = "stopped"
        FAILED = "failed"

    provider = models.CharField(max_length=16, choices=Provider)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    paths = models.JSONField(default=list)
    read = models.PositiveBigIntegerField(default=0)
    stored = models.PositiveBigIntegerField(default=0, help_text="new or changed records")
    updated = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="of those stored, the changed ones"
    )
    unchanged = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)
    jobs = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Celery tasks that share the files; 0: the command reads them itself",
    )
    again = models.BooleanField(
        default=False, db_default=False, help_text="read files that were read to their end before"
    )
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="works_importrun_read_is_sum",
                condition=Q(read=models.F("stored") + models.F("unchanged") + models.F("rejected")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} run {self.pk}"


class ImportFile(models.Model):
    """One file of a run: a unit of work that one importer at a time has in hand, and how far it is.

    The checkpoint (position, counts) is written in the transaction of its batch.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running"
        FINISHED = "finished", "read to its end"
        KNOWN = "known", "read to its end before"
        DAMAGED = "damaged", "read up to its damage"
        STOPPED = "stopped"

    provider = models.CharField(max_length=16, choices=Provider)
    digest = models.CharField(
        max_length=64,
        blank=True,
        help_text="SHA-256 of the file's bytes, in hex; empty until somebody has it in hand",
    )
    name = models.CharField(max_length=255)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveBigIntegerField(default=0, help_text="records read and committed")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED, db_default=State.QUEUED)
    path = models.TextField(default="", db_default="", help_text="where the importer finds it")
    size = models.PositiveBigIntegerField(default=0, db_default=0, help_text="bytes on disk")
    bytes_read = models.PositiveBigIntegerField(default=0, db_default=0)
    added = models.PositiveBigIntegerField(default=0, db_default=0, help_text="records new to us")
    updated = models.PositiveBigIntegerField(default=0, db_default=0, help_text="newer versions")
    unchanged = models.PositiveBigIntegerField(default=0, db_default=0)
    rejected = models.PositiveBigIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=300, default="", db_default="", blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            # works/ingest/load.py: how far the same bytes were read before; which files of a run are left
            models.Index(fields=["provider", "digest"], name="works_importfile_digest_idx"),
            models.Index(
                fields=["run", "id"],
                name="works_importfile_open_idx",
                condition=Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportReject(models.Model):
    """One record that could not be read, with the reason."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejects")
    file = models.ForeignKey(ImportFile, on_delete=models.CASCADE, related_name="rejects")
    position = models.PositiveBigIntegerField(help_text="number of the record in its file, from 1")
    reason = models.CharField(max_length=300)
    snippet = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "position"], name="works_importreject_file_position_uniq")
        ]

    def __str__(self) -> str:
        return f"{self.file} record {self.position}: {self.reason}"


class SourceRecord(models.Model):
    """One work, author, institution … as one provider describes it, in our names; what every imported fact
    points back to.

    The catalogue's rows are derived from these: two providers that disagree are both kept here, and
    works/services/catalogue.py says which one the page shows.
    """

    provider = models.CharField(max_length=16, choices=Provider)
    entity = models.CharField(max_length=12, choices=Entity, default=Entity.WORK, db_default=Entity.WORK)
    record_id = models.CharField(max_length=255)
    work = models.ForeignKey("works.Work", null=True, on_delete=models.SET_NULL, related_name="records")
    run = models.ForeignKey(ImportRun, null=True, on_delete=models.SET_NULL, related_name="+")
    digest = models.BinaryField(max_length=16, help_text="of payload, to see at once that nothing changed")
    payload = models.JSONField(help_text="a record of works.ingest.records")
    observed_at = models.DateTimeField(help_text="when the provider last changed it, else when it was read")
    imported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "record_id"], name="works_sourcerecord_record_uniq")
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.record_id}"
