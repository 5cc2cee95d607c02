"""Who changed what: the public history of a record, the moderators' audit trail, what waits for a second person."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from profiles.models.claim import By, Claim
from works.models import Author, Regrouping


class Change(models.Model):
    """One change of a record that people can see and undo. Rows are only added; undoing adds one that names it.

    before and after hold nothing private: a hidden name is named by its row's number alone.
    """

    class Kind(models.TextChoices):
        BIO = "bio", "About"
        LINKS = "links", "Links"
        AVAILABILITY = "availability", "Availability"
        NAME = "name", "Name shown"
        FORMER_NAME = "former_name", "A name hidden"
        WORK_ORDER = "work_order", "Order of works"
        PHOTO = "photo", "Photo"
        NUMBER = "number", "Trust number shown or hidden"
        NOT_MINE = "not_mine", "A work marked “not mine”"
        WORK_ADDED = "work_added", "A work added"
        MERGE = "merge", "Records joined"
        SPLIT = "split", "Record divided"
        WORKS_MERGED = "works_merged", "Works joined"
        WORK_SPLIT = "work_split", "Work divided"
        HIDDEN = "hidden", "Page hidden or shown again"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    kind = models.CharField(max_length=16, choices=Kind)
    author = models.ForeignKey(
        Author, null=True, on_delete=models.PROTECT, related_name="changes", help_text="whose page shows it"
    )
    other = models.ForeignKey(
        Author,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="the other page of a merge or split",
    )
    work_pid = models.CharField(
        max_length=7, blank=True, help_text="a work may be joined away: its address stays"
    )
    regrouping = models.ForeignKey(
        Regrouping, null=True, on_delete=models.PROTECT, related_name="changes", help_text="what moved"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by = models.CharField(max_length=16, choices=By)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    undoes = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="undone_by",
        help_text="the row this one undoes",
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["author", "-at"], name="profiles_change_author_idx"),  # the history page
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, author {self.author_id}"


class AuditEntry(models.Model):
    """One privileged act. The database refuses to change or delete it."""

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by = models.CharField(max_length=16, choices=By)
    action = models.CharField(max_length=40, help_text="claim.approve, author.merge, member.suspend …")
    subject = models.CharField(max_length=80, help_text="what it was done to, as kind:id")
    author = models.ForeignKey(Author, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, max_length=2000)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at"], name="profiles_audit_subject_idx"),
            models.Index(fields=["-at"], name="profiles_audit_at_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class Proposal(models.Model):
    """Something that waits for another person's yes: an owner's merge or split, a moderator's revocation."""

    class Kind(models.TextChoices):
        MERGE = "merge", "Join two researchers"
        SPLIT = "split", "Divide a researcher"
        WORKS_MERGE = "works_merge", "Join two works"
        WORK_SPLIT = "work_split", "Divide a work"
        REVOKE = "revoke", "Revoke a claim"

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        ACCEPTED = "accepted", "Done"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="proposals"
    )
    by = models.CharField(max_length=16, choices=By)
    author = models.ForeignKey(Author, null=True, on_delete=models.PROTECT, related_name="proposals")
    other = models.ForeignKey(
        Author, null=True, on_delete=models.PROTECT, related_name="+", help_text="merge: the one that ends"
    )
    claim = models.ForeignKey(Claim, null=True, on_delete=models.CASCADE, related_name="proposals")
    data = models.JSONField(
        default=dict, help_text="pids of works; for a split also the name of the new page"
    )
    reason = models.TextField(max_length=2000)
    answer = models.TextField(max_length=2000, blank=True)
    change = models.ForeignKey(Change, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["claim"], condition=Q(state="open"), name="profiles_proposal_one_open_per_claim"
            ),
            models.CheckConstraint(
                name="profiles_proposal_second_person",
                condition=~Q(kind="revoke")
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=models.F("proposer")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.author or self.data}"


class AnswerTemplate(models.Model):
    """Words that moderators use again."""

    title = models.CharField(max_length=100, unique=True)
    body = models.TextField(max_length=2000)

    def __str__(self) -> str:
        return self.title


class CarriedFollow(models.Model):
    """A follow that went from one author to another with a merge; undoing it brings the follow back."""

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="carried_follows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    from_author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="+")
    to_author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="+")
    was_there = models.BooleanField(help_text="the member followed both: on undoing, they follow both again")

    def __str__(self) -> str:
        return f"user {self.user_id}: author {self.from_author_id} to {self.to_author_id}"


class DataExport(models.Model):
    """All that is held about a member, made by a worker, to be fetched for a while."""

    class State(models.TextChoices):
        QUEUED = "queued", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    content = models.BinaryField(null=True, help_text="zip of JSON and CSV; emptied when it expires")
    size = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="queued"), name="profiles_dataexport_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"export of user {self.user_id}: {self.state}"
