"""What people decided about records, kept so that imports obey it without knowing people."""

from django.db import models
from django.db.models import Q

from works.models.author import Author


class Redirect(models.Model):
    """A public id that now lives elsewhere, for ever."""

    kind = models.CharField(
        max_length=12, choices=[(k, k) for k in ("author", "work", "topic", "institution")]
    )
    old_pid = models.CharField(max_length=7)
    new_pid = models.CharField(max_length=7)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "old_pid"], name="works_redirect_kind_old_uniq"),
            models.CheckConstraint(
                name="works_redirect_goes_elsewhere", condition=~Q(old_pid=models.F("new_pid"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.old_pid} to {self.new_pid}"


class Suppression(models.Model):
    """A person asked to be hidden. Identifiers keep the wish alive when the record is imported again."""

    author = models.OneToOneField(Author, on_delete=models.PROTECT, related_name="suppression")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"author {self.author_id} hidden"


class AuthorshipDecision(models.Model):
    """Somebody who may say so said whether this author is on this work; identity resolution obeys."""

    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="decisions")
    work = models.ForeignKey("works.Work", on_delete=models.CASCADE, related_name="author_decisions")
    is_theirs = models.BooleanField(help_text="false: not mine")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "work"], name="works_authorshipdecision_pair_uniq")
        ]

    def __str__(self) -> str:
        return f"author {self.author_id} {'is' if self.is_theirs else 'is not'} on work {self.work_id}"


class NameOverride(models.Model):
    """A name that an author wants shown, or shown nowhere; imports obey."""

    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="name_overrides")
    name = models.CharField(max_length=255)
    folded = models.CharField(max_length=255, help_text="bzpeer.lib.names.fold(name)")
    is_hidden = models.BooleanField(help_text="true: a former name, shown nowhere; false: the name to show")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "folded"], name="works_nameoverride_author_name_uniq"),
            models.UniqueConstraint(
                fields=["author"], name="works_nameoverride_one_shown", condition=Q(is_hidden=False)
            ),
        ]

    def __str__(self) -> str:
        return f"author {self.author_id}: {'hide' if self.is_hidden else 'show'} {self.name}"


class Suggestion(models.Model):
    """Two authors who may be one person: evidence was not enough to join them."""

    author_a = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="+")
    author_b = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="+", db_index=False)
    score = models.FloatField(help_text="bits of evidence beyond what the name needs; below 0")
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author_a", "author_b"], name="works_suggestion_pair_uniq"),
            models.CheckConstraint(
                name="works_suggestion_ordered_pair", condition=Q(author_a__lt=models.F("author_b"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author_a_id} ~ {self.author_b_id}"


class Regrouping(models.Model):
    """People said that two records are one, or one is two; what moved stands in its lines.

    Who an authorship is of follows from the lines of all regroupings that stand, in their order
    (works/services/regrouping.py), so that any of them can be taken back without touching the others.
    """

    class Kind(models.TextChoices):
        MERGE_AUTHORS = "merge_authors"
        SPLIT_AUTHOR = "split_author"
        MERGE_WORKS = "merge_works"
        SPLIT_WORK = "split_work"

    kind = models.CharField(max_length=16, choices=Kind)
    author = models.ForeignKey(
        Author,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the one that stands, or was divided",
    )
    other_author = models.ForeignKey(
        Author,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the one that ended, or began",
    )
    work_number = models.BigIntegerField(null=True, help_text="id of the work that stands, or was divided")
    other_work_number = models.BigIntegerField(
        null=True,
        help_text="id of the work that ended, or began; a work taken apart again gets its number back",
    )
    is_undone = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["author"], name="works_regrouping_author_idx"),
            models.Index(fields=["other_author"], name="works_regrouping_other_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class RegroupedLine(models.Model):
    """One authorship that a regrouping of authors moved, named by its work and whose it was before any of them."""

    regrouping = models.ForeignKey(Regrouping, on_delete=models.CASCADE, related_name="lines")
    work = models.ForeignKey("works.Work", on_delete=models.CASCADE, related_name="+")
    base_author = models.ForeignKey(
        Author, on_delete=models.PROTECT, related_name="+", help_text="whose it was before any regrouping"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["regrouping", "work", "base_author"], name="works_regroupedline_uniq"
            )
        ]

    def __str__(self) -> str:
        return f"work {self.work_id} of author {self.base_author_id}"


class RecordDecision(models.Model):
    """A source's record that a regrouping of works gave to a work; imports obey, whatever the identifiers say.

    Of several on one record, the newest whose regrouping stands holds.
    """

    record = models.ForeignKey("works.SourceRecord", on_delete=models.CASCADE, related_name="decisions")
    regrouping = models.ForeignKey(Regrouping, on_delete=models.CASCADE, related_name="record_decisions")
    work_number = models.BigIntegerField(help_text="id of the work it is of now")
    base_work_number = models.BigIntegerField(help_text="id of the work it was of before any regrouping")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "regrouping"], name="works_recorddecision_uniq")
        ]

    def __str__(self) -> str:
        return f"record {self.record_id} is of work {self.work_number}"
