"""What the tests of accounts share: an ORCID on this machine, and mails read from the outbox."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client, TestCase, override_settings

from profiles.models import OutgoingMail, User
from tests.factories import PASSWORD
from tests.orcid_server import OrcidServer

NEW = "a long sentence for a password"


@override_settings(EMAIL_BACKEND="profiles.mail.OutboxBackend", ACCOUNT_RATE_LIMITS=False)
class AccountsTestCase(TestCase):
    """Log-ins by the front door. Limits are off but where a test is about them: they outlive a test in the cache."""

    def log_in(self, user: User, client: Client | None = None, **data: str) -> Client:
        client = client or Client()
        response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, **data})
        self.assertEqual(response.status_code, 302, response.content.decode()[:2000])
        return client

    def sign_up(self, client: Client, email: str, **fields: str) -> None:
        data = {"email": email, "display_name": "New Person", "password1": NEW, **fields}
        self.assertRedirects(client.post("/accounts/signup/", data), "/accounts/confirm-email/")

    def mails(self, address: str) -> list[OutgoingMail]:
        return [row for row in OutgoingMail.objects.order_by("pk") if row.recipients == [address]]

    def link(self, address: str, part: str = "confirm-email") -> str:
        """Return the path of the newest link with some words that was mailed to an address."""
        body = next(row.body for row in reversed(self.mails(address)) if part in row.body)
        found = re.search(rf"https?://\S*{part}\S*", body)
        assert found
        parts = urlsplit(found[0])
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def assert_logged_in(self, client: Client, user: User | None) -> None:
        self.assertEqual(client.session.get("_auth_user_id"), str(user.pk) if user else None)


class OrcidTestCase(AccountsTestCase):
    orcid: OrcidServer

    def setUp(self) -> None:
        super().setUp()
        self.orcid = self.enterContext(OrcidServer())
        self.enterContext(override_settings(**self.orcid.settings, ORCID_TIMEOUTS=(1.0, 0.3, 2.0)))

    def sign_up_by_orcid(self, client: Client, email: str, **fields: Any) -> HttpResponse:
        """Come from ORCID and give an address; what follows is the mail with the link."""
        self.assertRedirects(self.orcid.sign_in(client), "/accounts/3rdparty/signup/")
        data = {"email": email, "display_name": "Carl Liebersohn", **fields}
        response = client.post("/accounts/3rdparty/signup/", data)
        self.assertRedirects(response, "/accounts/confirm-email/")
        return response
