from django.conf import settings
from django.db import models
from django.db.models import Q

from bzpeer.lib.db import UUIDv7


class Notification(models.Model):
    """Something happened that a member should know; profiles/notifications/<verb>.html words it."""

    class Verb(models.TextChoices):
        CLAIM_ACCEPTED = "claim_accepted"
        CLAIM_REJECTED = "claim_rejected"
        CLAIM_DISPUTED = "claim_disputed"
        CLAIM_REVOKED = "claim_revoked"
        CLAIM_RIVALLED = "claim_rivalled"  # to whoever holds or claims the page: another claim was filed
        CLAIM_CONFIRMATION_ASKED = "claim_confirmation_asked"  # to a co-author
        CLAIM_FILED = "claim_filed"  # to moderators
        CLAIM_OVERDUE = "claim_overdue"  # to moderators
        PROPOSAL_OPENED = "proposal_opened"  # to moderators
        PROPOSAL_DECIDED = "proposal_decided"
        RECORD_CHANGED = "record_changed"  # to the owner: a moderator changed the page
        REPRESENTATIVE_ASKED = "representative_asked"  # to moderators
        REPRESENTATIVE_DECIDED = "representative_decided"
        ASSERTION_MADE = "assertion_made"
        EXPORT_READY = "export_ready"
        VOUCHED = "vouched"
        FOLLOWED = "followed"
        INTRODUCTION_ASKED = "introduction_asked"  # to the person in the middle
        INTRODUCED = "introduced"
        CURATION_OPENED = "curation_opened"  # to moderators
        CONVERSATION_REPORTED = "conversation_reported"  # to moderators
        INVITATION_RECEIVED = "invitation_received"
        INVITATION_ACCEPTED = "invitation_accepted"
        MESSAGE_RECEIVED = "message_received"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    verb = models.CharField(max_length=32, choices=Verb)
    target_url = models.CharField(max_length=300)
    target_text = models.CharField(max_length=300)
    event_key = models.CharField(max_length=100, help_text="made from the event: a retry adds nothing")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "event_key"], name="profiles_notification_event_uniq"
            )
        ]
        indexes = [
            # /me/notifications/
            models.Index(fields=["recipient", "-created_at"], name="profiles_notification_list_idx"),
            # the count in every page's navigation
            models.Index(
                fields=["recipient"], name="profiles_notif_unread_idx", condition=Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} for user {self.recipient_id}"

    @property
    def template_name(self) -> str:
        return f"profiles/notifications/{self.verb}.html"


class OutgoingMail(models.Model):
    """A mail accepted for sending. The body is emptied once sent; Message-ID comes from the row."""

    id = models.BigAutoField(primary_key=True)
    notification = models.OneToOneField(
        Notification,
        null=True,
        on_delete=models.SET_NULL,
        related_name="mail",
        help_text="what it tells of: one mail per member and event",
    )
    recipients = models.JSONField()
    subject = models.CharField(max_length=500)
    body = models.TextField()
    body_html = models.TextField(blank=True)
    from_email = models.CharField(max_length=254)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"mail {self.pk}"
