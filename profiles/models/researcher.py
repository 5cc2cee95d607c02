from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7
from works.models import Author, Institution, Work


class Researcher(models.Model):
    """What a person says on the page they claimed."""

    class Role(models.TextChoices):
        ANY = "", "Any"
        COAUTHOR = "coauthor", "Co-author"
        ADVISER = "adviser", "Adviser or mentor"
        REVIEWER = "reviewer", "Reader of drafts"
        DATA = "data", "Data or code"
        SPEAKER = "speaker", "Speaker"
        SUPERVISOR = "supervisor", "Supervisor of students"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="researcher")
    author = models.OneToOneField(Author, on_delete=models.PROTECT, related_name="researcher")
    bio = models.TextField(blank=True, max_length=2000, help_text="Markdown")
    open_to_collaborate = models.BooleanField(default=True)
    collaboration_scope = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="on what, in their words"
    )
    collaboration_role = models.CharField(max_length=12, choices=Role, blank=True, default="", db_default="")
    open_until = models.DateField(null=True, blank=True)
    shows_number = models.BooleanField(
        default=True, db_default=True, help_text="false: the trust number is hidden, the level stays"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"researcher of author {self.author_id}"


class ResearcherLink(models.Model):
    """A page of theirs elsewhere."""

    researcher = models.ForeignKey(Researcher, on_delete=models.CASCADE, related_name="links")
    url = models.URLField(max_length=500)
    label = models.CharField(max_length=80, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    links_back_at = models.DateTimeField(
        null=True, help_text='when it was last seen to link here with rel="me"'
    )
    trouble = models.CharField(max_length=200, blank=True, help_text="why the last look found nothing")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["researcher", "url"], name="profiles_researcherlink_url_uniq")
        ]

    def __str__(self) -> str:
        return self.url


class ShownWork(models.Model):
    """Where the researcher wants a work to stand on the page; what has no row follows by year."""

    researcher = models.ForeignKey(Researcher, on_delete=models.CASCADE, related_name="shown_works")
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(help_text="from 0")
    is_highlighted = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["researcher", "work"], name="profiles_shownwork_pair_uniq")
        ]

    def __str__(self) -> str:
        return f"work {self.work_id} at {self.position}"


class Photo(models.Model):
    """Their picture, re-encoded by us: nothing of the file that was sent remains."""

    researcher = models.OneToOneField(Researcher, on_delete=models.CASCADE, related_name="photo")
    content = models.BinaryField(help_text="WebP, square")
    digest = models.CharField(max_length=16, help_text="in its address, so that caches may keep it for ever")
    alt = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"photo of researcher {self.researcher_id}"


class Representative(models.Model):
    """A member who speaks for an institution: a confirmed address at its domain, and a moderator's yes."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Waiting for a moderator"
        APPROVED = "approved", "Accepted"
        DECLINED = "declined", "Not accepted"
        REVOKED = "revoked", "Ended"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="representations"
    )
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="representatives")
    email = models.EmailField(max_length=254, help_text="the confirmed address it rests on")
    position = models.CharField(max_length=150, help_text="their office, in their words")
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    answer = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "institution"],
                condition=Q(state__in=["requested", "approved"]),
                name="profiles_representative_one_per_pair",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.institution}"


class Assertion(models.Model):
    """An institution says that this author is a member of it; the ledger holds the line, this row who wrote it."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="assertions")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="assertions")
    representative = models.ForeignKey(
        Representative, null=True, on_delete=models.SET_NULL, related_name="assertions"
    )
    role = models.CharField(max_length=150, blank=True)
    since = models.DateField(null=True)
    evidence = models.OneToOneField(
        "trust.Evidence",
        on_delete=models.PROTECT,
        related_name="assertion",
        help_text="its line in the ledger",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "author"],
                condition=Q(revoked_at__isnull=True),
                name="profiles_assertion_one_standing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.institution} on {self.author}"
