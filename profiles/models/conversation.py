from django.conf import settings
from django.db import models
from django.urls import reverse

from bzpeer.lib.db import UUIDv7


class Conversation(models.Model):
    """A private exchange between its participants. Read it only through profiles/access."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    subject = models.CharField(max_length=300)
    invitation = models.OneToOneField(
        "profiles.Invitation", null=True, on_delete=models.SET_NULL, related_name="conversation"
    )
    messages_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_message_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("profiles:conversation", args=[self.pk])


class Participant(models.Model):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="participations"
    )
    read_seq = models.PositiveIntegerField(default=0, help_text="number of the last message read")
    left_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True, help_text="out of the list until something new comes")
    muted_at = models.DateTimeField(null=True, help_text="no notices")
    draft = models.TextField(blank=True, default="", db_default="", max_length=10_000)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "user"], name="profiles_participant_conversation_user_uniq"
            )
        ]

    def __str__(self) -> str:
        return f"user {self.user_id} in {self.conversation_id}"


class Message(models.Model):
    """Plain text. `seq` counts from 1 without gaps; `client_key` makes a repeated send one message."""

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    seq = models.PositiveIntegerField()
    body = models.TextField(max_length=10_000)
    client_key = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True, help_text="a moderator took it away")

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "seq"], name="profiles_message_conversation_seq_uniq"
            ),
            models.UniqueConstraint(
                fields=["conversation", "client_key"], name="profiles_message_client_key_uniq"
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.seq} in {self.conversation_id}"


class MessageVersion(models.Model):
    """What a message said before it was edited."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="versions")
    body = models.TextField(max_length=10_000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"version of message {self.message_id}"


class Report(models.Model):
    """A participant asks the moderators to look: the only way in which they see a conversation."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting for a moderator"
        DONE = "done", "Looked at"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7())
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reports"
    )
    reason = models.TextField(max_length=2000)
    last_seq = models.PositiveIntegerField(help_text="moderators read up to this message, and no further")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    answer = models.TextField(max_length=2000, blank=True, help_text="what was done, for other moderators")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "reporter"],
                condition=models.Q(state="open"),
                name="profiles_report_one_open_per_reporter",
            )
        ]

    def __str__(self) -> str:
        return f"report on conversation {self.conversation_id}"
