"""What the tests of people share beyond the cast of tests/base.py."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from profiles.models import Conversation, Invitation, User
from profiles.services import conversations, invitations
from tests.base import CastTestCase
from tests.factories import make_claimed, make_user
from works.models import Author

HTMX = {"HX-Request": "true"}


def client_of(user: User | None, **options: Any) -> Client:
    client = Client(**options)
    if user:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def invite(sender: User, author: Author, **fields: Any) -> Invitation:
    fields = {
        "purpose": "paper",
        "offer": "Data on bridges",
        "ask": "A second pair of eyes",
        "expected_time": "two hours a week",
        "reply_by": in_days(14),
        **fields,
    }
    return invitations.send_invitation(sender=sender, author=author, **fields)


class PeopleTestCase(CastTestCase):
    """Adds dora, a second researcher, who may invite alice and be invited, and a moderator who hears appeals."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        dora = make_claimed("Dora Lund")
        cls.dora, cls.dora_author = dora.user, dora.author
        cls.second_moderator = make_user("Sec Ond", is_staff=True)

    def get(self, user: User | None, path: str, **options: Any) -> HttpResponse:
        return client_of(user).get(path, **options)

    def post(
        self, user: User | None, path: str, data: dict[str, Any] | None = None, **options: Any
    ) -> HttpResponse:
        return client_of(user).post(path, data or {}, **options)

    def make_conversation(self) -> Conversation:
        """Return a conversation that dora's invitation opened with alice."""
        invitation = invite(self.dora, self.alice_author)
        return invitations.accept_invitation(invitation=invitation, user=self.alice)

    def say(self, conversation: Conversation, user: User, body: str = "Hello") -> None:
        conversations.send_message(conversation=conversation, sender=user, body=body, client_key=uuid4())
