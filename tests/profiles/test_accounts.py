import re
from pathlib import Path
from urllib.parse import urlsplit

import allauth
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.core import mail as django_mail
from django.db import transaction
from django.test import Client, SimpleTestCase, TestCase, override_settings

from profiles import mail
from profiles.models import OutgoingMail, User
from profiles.services import accounts
from tests.factories import PASSWORD, make_user
from tests.profiles.cast import PeopleTestCase
from works.models import Mark
from works.services import marks

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
NEW = "a long sentence for a password"


@override_settings(EMAIL_BACKEND="profiles.mail.OutboxBackend", DELIVERY_BACKEND=LOCMEM)
class AccountTests(TestCase):
    def sign_up(self, client: Client, email: str, **fields: str) -> None:
        """Sign up; each test with an address of its own, since a second link within minutes is not sent."""
        data = {"email": email, "display_name": "New Person", "password1": NEW, **fields}
        response = client.post("/accounts/signup/", data)
        self.assertRedirects(response, "/accounts/confirm-email/")

    def link(self) -> str:
        address = urlsplit(re.search(r"https?://\S+", OutgoingMail.objects.order_by("pk").last().body)[0])
        return f"{address.path}?{address.query}" if address.query else address.path

    def test_sign_up_confirm_log_in(self) -> None:
        client = Client()
        self.sign_up(client, "new.person@example.org")
        user = User.objects.get(email="new.person@example.org")
        self.assertEqual(user.display_name, "New Person")
        self.assertFalse(accounts.has_confirmed_email(user))
        login = {"login": user.email, "password": NEW}
        self.assertRedirects(client.post("/accounts/login/", login), "/accounts/confirm-email/")
        link = self.link()
        page = client.get(link)
        self.assertContains(page, user.email)
        self.assertNotContains(page, "on its way")  # it is here
        self.assertFalse(accounts.has_confirmed_email(user))  # opening the link is not confirming
        client.post(link)
        self.assertTrue(accounts.has_confirmed_email(user))
        self.assertRedirects(client.post("/accounts/login/", login), "/me/")

    @override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
    def test_passwords_are_kept_with_argon2(self) -> None:
        self.sign_up(Client(), "argon@example.org")
        self.assertEqual(identify_hasher(User.objects.get().password).algorithm, "argon2")

    def test_next_survives_sign_up_and_confirmation_in_another_browser(self) -> None:
        target = "/follow/author/abcdefg/"
        client = Client()
        page = client.get(f"/accounts/login/?next={target}")
        self.assertContains(page, f"/accounts/signup/?next={target.replace('/', '%2F')}")
        page = client.get(f"/accounts/signup/?next={target}")
        self.assertContains(page, f'<input type="hidden" name="next" value="{target}"')
        self.sign_up(client, "detour@example.org", next=target)
        elsewhere = Client()
        response = elsewhere.post(self.link(), {"action": "prove", "password": NEW})
        self.assertRedirects(response, target, fetch_redirect_response=False)

    def test_next_leads_to_this_site_only(self) -> None:
        make_user("Safe Person", email="safe@example.org")
        for target in (
            "https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "http:///evil.example",
        ):  # fmt: skip
            with self.subTest(target=target):
                data = {"login": "safe@example.org", "password": PASSWORD, "next": target}
                response = Client().post("/accounts/login/", data)
                self.assertRedirects(response, "/me/", fetch_redirect_response=False)

    def test_who_has_an_account_shows_neither_on_the_page_nor_by_a_second_account(self) -> None:
        make_user("Known Person", email="known@example.org")
        self.sign_up(Client(), email="known@example.org")
        self.sign_up(Client(), email="unknown@example.org")
        self.assertEqual(User.objects.filter(email="known@example.org").count(), 1)
        subjects = OutgoingMail.objects.order_by("pk").values_list("subject", flat=True)
        self.assertEqual(list(subjects), ["You have an account already", "Please confirm your address"])

    def test_a_reset_mails_members_only_and_says_the_same(self) -> None:
        make_user("Forgetful Person", email="forgetful@example.org")
        pages = []
        for email in ("forgetful@example.org", "nobody@example.org"):
            response = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
            pages.append(re.sub(r"csrf\S+", "", response.content.decode()))
        self.assertEqual(pages[0], pages[1])
        self.assertEqual([row.recipients for row in OutgoingMail.objects.all()], [["forgetful@example.org"]])
        self.assertEqual(marks.pending(Mark.What.MAIL), 1)

    def test_a_new_password_is_set_by_the_link(self) -> None:
        user = make_user("Forgetful Person", email="forgetful@example.org")
        client = Client()
        client.post("/accounts/password/reset/", {"email": user.email})
        form = client.get(self.link(), follow=True)
        self.assertContains(form, "Choose a new password")
        path = form.redirect_chain[-1][0]
        client.post(path, {"password1": NEW, "password2": NEW})
        self.assertTrue(User.objects.get().check_password(NEW))

    def test_links_in_mails_do_not_believe_the_host_header(self) -> None:
        with override_settings(ALLOWED_HOSTS=["*"]):
            Client(SERVER_NAME="evil.example").post(
                "/accounts/signup/", {"email": "x@example.org", "display_name": "X", "password1": NEW}
            )
        self.assertNotIn("evil.example", OutgoingMail.objects.get().body)

    def test_the_address_is_changed_after_confirmation(self) -> None:
        user = make_user("Moving Person", email="old@example.org")
        client = Client()
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        client.post("/accounts/email/", {"action_add": "1", "email": "new@example.org"})
        client.post(self.link())
        client.post("/accounts/email/", {"action_primary": "1", "email": "new@example.org"})
        user.refresh_from_db()
        self.assertEqual((user.email, accounts.mail_address(user)), ("new@example.org", "new@example.org"))

    def test_a_name_without_letters_one_can_see_is_refused(self) -> None:
        data = {"email": "x@example.org", "display_name": "\u200b\u202e ", "password1": NEW}
        self.assertContains(Client().post("/accounts/signup/", data), 'role="alert"', status_code=200)
        self.assertFalse(User.objects.exists())


@override_settings(DELIVERY_BACKEND=LOCMEM)
class OutboxTests(TestCase):
    def write(self) -> OutgoingMail:
        return mail.queue(
            django_mail.EmailMultiAlternatives("Hello\nthere", "Text", "us@example.org", ["you@example.org"])
        )

    def test_a_mail_is_sent_once_with_an_id_of_its_row_and_then_emptied(self) -> None:
        row = self.write()
        self.assertEqual((mail.send_outbox(), mail.send_outbox()), (1, 0))
        sent = django_mail.outbox[0]
        self.assertEqual(len(django_mail.outbox), 1)
        self.assertEqual((sent.subject, sent.to, sent.body), ("Hello there", ["you@example.org"], "Text"))
        self.assertEqual(sent.extra_headers["Message-ID"], mail.message_id(row))
        row.refresh_from_db()
        self.assertEqual((row.body, row.sent_at is not None), ("", True))

    def test_a_mark_that_comes_twice_sends_nothing_more(self) -> None:
        row = self.write()
        marks.mark(Mark.What.MAIL, [row.pk], why="again")
        mail.send_outbox()
        marks.mark(Mark.What.MAIL, [row.pk], why="and again")
        mail.send_outbox()
        self.assertEqual(len(django_mail.outbox), 1)

    def test_while_the_server_is_away_the_mail_waits_untouched(self) -> None:
        self.write()
        smtp = {
            "DELIVERY_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": 1,
        }
        with self.settings(**smtp), self.assertLogs("profiles.mail", "WARNING"):
            self.assertEqual(mail.send_outbox(), 0)
        self.assertEqual(Mark.objects.get(what=Mark.What.MAIL).attempts, 0)
        mail.send_outbox()
        self.assertEqual(len(django_mail.outbox), 1)

    def test_a_transaction_that_fails_leaves_no_mail(self) -> None:
        with transaction.atomic():
            self.write()
            transaction.set_rollback(True)
        self.assertFalse(OutgoingMail.objects.exists() or Mark.objects.exists())


class WordsTests(SimpleTestCase):
    """Every page and mail of allauth that this site can show is in our own words."""

    # Bases and pieces of its own pages, and ways that are switched off here.
    LEFT = re.compile(
        r"/(base\w*|phone_\w+|signup_by_passkey|signup_form|email_change|trust|login_redirect|recovery_codes/base)\.html"
        r"|/snippets/|_code\.html|password_reset_code_|phone_verif|\bauthentication_error_"
    )

    def test_none_is_left_as_it_came(self) -> None:
        theirs = Path(allauth.__file__).parent / "templates"
        ours = settings.BASE_DIR / "templates"
        names = [
            path.relative_to(theirs).as_posix()
            for app in ("account", "mfa", "socialaccount", "usersessions")
            for path in (theirs / app).rglob("*")
            if path.is_file()
        ]
        self.assertGreater(len(names), 80)
        missing = [name for name in names if not self.LEFT.search(name) and not (ours / name).exists()]
        self.assertEqual(missing, [])


class SettingsTests(PeopleTestCase):
    def test_the_name_to_be_shown_is_changed(self) -> None:
        self.assertRedirects(
            self.post(self.bob, "/me/settings/", {"display_name": "Robert Stone"}), "/me/settings/"
        )
        self.bob.refresh_from_db()
        self.assertEqual(self.bob.display_name, "Robert Stone")
