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
