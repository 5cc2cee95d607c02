"""Ways in beside the password, second steps, sessions, limits; and that nobody learns who has an account."""

import re
import time

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client, SimpleTestCase, TestCase, override_settings
from django.urls import reverse

from profiles.models import User
from profiles.templatetags.accounts import device
from tests.factories import PASSWORD, make_user
from tests.orcid_server import LIEBERSOHN
from tests.profiles.accounts_cast import NEW, AccountsTestCase, OrcidTestCase
from tests.profiles.cast import client_of
from tests.profiles.counting_hasher import CountingHasher

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def totp_code(secret: str, steps: int = 0) -> str:
    """Return the code that an application shows, or showed some steps of 30 s ago."""
    return f"{hotp_value(secret, int(time.time()) // 30 - steps):06d}"


@override_settings(PASSWORD_HASHERS=["tests.profiles.counting_hasher.CountingHasher"])
class EnumerationTests(AccountsTestCase):
    """Known and unknown addresses: the same status, the same page, the same work on passwords."""

    def setUp(self) -> None:
        super().setUp()
        make_user("Known Person", email="known@example.org")

    def compare(self, path: str, field: str, follow: bool = True, **data: str) -> None:
        seen = []
        for email in ("known@example.org", "other@example.org"):
            client = Client()
            before = CountingHasher.worked
            response = client.post(path, {field: email, **data}, follow=follow)
            worked = CountingHasher.worked - before
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
            text = text.replace(email, "ADDRESS")
            seen.append((response.status_code, response.redirect_chain, text, worked, sorted(client.cookies)))
        self.assertEqual(seen[0], seen[1])

    def test_sign_up(self) -> None:
        self.compare("/accounts/signup/", "email", display_name="X", password1=NEW)
        self.assertGreater(CountingHasher.worked, 0)

    def test_log_in(self) -> None:
        self.compare("/accounts/login/", "login", password="wrong password")

    def test_reset(self) -> None:
        self.compare("/accounts/password/reset/", "email")

    def test_code_by_mail(self) -> None:
        self.compare("/accounts/login/code/", "email")

    def test_a_wrong_code(self) -> None:
        pages = []
        for email in ("known@example.org", "other@example.org"):
            client = Client()
            client.post("/accounts/login/code/", {"email": email})
            response = client.post("/accounts/login/code/confirm/", {"code": "AAAAAA"})
            self.assertEqual(response.status_code, 200)
            pages.append(re.sub(r'value="\w+"', "", response.content.decode()).replace(email, "ADDRESS"))
        self.assertEqual(pages[0], pages[1])


class CodeByMailTests(AccountsTestCase):
    def test_a_code_logs_in_once_and_next_survives(self) -> None:
        user = make_user()
        client = Client()
        page = client.get("/accounts/login/?next=/me/following/")
        self.assertContains(page, "/accounts/login/code/?next=%2Fme%2Ffollowing%2F")
        client.post("/accounts/login/code/", {"email": user.email, "next": "/me/following/"})
        mail = self.mails(user.email)[-1]
        self.assertEqual(mail.subject, "Your code to log in")
        code = mail.body.split("\n\n")[1].strip()
        response = client.post("/accounts/login/code/confirm/", {"code": code, "next": "/me/following/"})
        self.assertRedirects(response, "/me/following/")
        self.assert_logged_in(client, user)
        other = Client()
        other.post("/accounts/login/code/confirm/", {"code": code})
        self.assert_logged_in(other, None)

    def test_a_few_wrong_codes_end_it(self) -> None:
        user = make_user()
        client = Client()
        client.post("/accounts/login/code/", {"email": user.email})
        code = self.mails(user.email)[-1].body.split("\n\n")[1].strip()
        for _ in range(3):
            client.post("/accounts/login/code/confirm/", {"code": "ZZZZZZ"})
        client.post("/accounts/login/code/confirm/", {"code": code})
        self.assert_logged_in(client, None)


@override_settings(MFA_RATE_LIMITS=False)
class SecondStepTests(AccountsTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.user = make_user("Ada Smith")
        self.client = self.log_in(self.user)

    def set_up(self) -> str:
        secret = self.client.get("/accounts/2fa/totp/activate/").context["form"].secret
        response = self.client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
        self.assertRedirects(response, "/accounts/2fa/recovery-codes/")
        return str(secret)

    def test_after_the_password_the_code_is_asked_for(self) -> None:
        secret = self.set_up()
        other = Client()
        response = other.post("/accounts/login/", {"login": self.user.email, "password": PASSWORD})
        self.assertRedirects(response, "/accounts/2fa/authenticate/")
        self.assert_logged_in(other, None)
        self.assertContains(
            other.post("/accounts/2fa/authenticate/", {"code": "000000"}), "does not fit", status_code=200
        )
        # A clock that is half a minute slow is all right; a minute and a half is not.
        other.post("/accounts/2fa/authenticate/", {"code": totp_code(secret, 3)})
        self.assert_logged_in(other, None)
        other.post("/accounts/2fa/authenticate/", {"code": totp_code(secret, 1)})
        self.assert_logged_in(other, self.user)
        third = Client()
        third.post("/accounts/login/", {"login": self.user.email, "password": PASSWORD})
        third.post("/accounts/2fa/authenticate/", {"code": totp_code(secret, 1)})
        self.assert_logged_in(third, None)  # a code works once

    def test_a_recovery_code_works_once(self) -> None:
        self.set_up()
        codes = self.client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
        self.assertEqual(len(codes), 10)
        for expected in (self.user, None):
            other = Client()
            other.post("/accounts/login/", {"login": self.user.email, "password": PASSWORD})
            other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
            self.assert_logged_in(other, expected)

    def test_it_stands_before_a_code_by_mail_and_orcid_too(self) -> None:
        self.set_up()
        other = Client()
        other.post("/accounts/login/code/", {"email": self.user.email})
        code = self.mails(self.user.email)[-1].body.split("\n\n")[1].strip()
        response = other.post("/accounts/login/code/confirm/", {"code": code})
        self.assertRedirects(response, "/accounts/2fa/authenticate/")

    def test_a_further_address_may_be_added_with_it(self) -> None:
        self.set_up()
        self.client.post("/accounts/email/", {"action_add": "1", "email": "further@example.org"})
        self.client.post(self.link("further@example.org"))
        self.assertTrue(EmailAddress.objects.get(email="further@example.org").verified)

    def test_setting_up_and_turning_off_need_a_fresh_proof(self) -> None:
        self.set_up()
        stale = client_of(self.user)
        for name in (
            "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes",
        ):  # fmt: skip
            with self.subTest(name=name):
                path = reverse(name)
                response = stale.get(path)
                self.assertRedirects(response, f"/accounts/reauthenticate/?next={path.replace('/', '%2F')}")
                self.assertEqual(stale.post(path, {}).status_code, 302)
        self.assertNotContains(stale.get("/accounts/2fa/recovery-codes/", follow=True), self.codes()[0])
        self.assertEqual(Authenticator.objects.count(), 2)
        stale.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/me/"})
        stale.post("/accounts/2fa/totp/deactivate/")
        self.assertEqual(Authenticator.objects.count(), 0)

    def codes(self) -> list[str]:
        return list(Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes())

    def test_what_no_passkey_would_send_is_refused(self) -> None:
        """Anything may be posted where a passkey's answer is expected."""
        anonymous = Client()
        anonymous.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"})
        big = "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"  # 999999999999999999999999 in base64
        hostile = [
            "", "null", "[]", "7", '"x"', "{}", "{", '{"id": 7}', '{"response": 7}', '{"response": []}',
            '{"response": {"userHandle": 7}}', '{"response": {"userHandle": "\\u0000"}}', "[" * 5000, '{"id": "A", "rawId": "A"}', '{"id": "' + "A" * 100_000 + '"}',
            '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
            '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}',
            '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AA","userHandle":"' + big + '"}}',
            '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUEiLCJvcmlnaW4iOiJodHRwOi8veCJ9","authenticatorData":"' + "A" * 50 + '","signature":"AA","userHandle":"' + big + '"}}',
        ]  # fmt: skip
        for text in hostile:
            with self.subTest(text=text[:80]):
                response = anonymous.post("/accounts/2fa/webauthn/login/", {"credential": text})
                self.assertEqual(response.status_code, 302)
                self.assert_logged_in(anonymous, None)
                added = self.client.post("/accounts/2fa/webauthn/add/", {"name": "x", "credential": text})
                self.assertEqual(added.status_code, 200)
                self.assertFalse(Authenticator.objects.filter(type="webauthn").exists())


class NothingToProveWithTests(OrcidTestCase):
    """Members without a password, application or passkey prove themselves by logging in once more."""

    def setUp(self) -> None:
        super().setUp()
        self.user = make_user("Carl Liebersohn")
        User.objects.filter(pk=self.user.pk).update(password="!")
        SocialAccount.objects.create(user=self.user, provider="orcid", uid=LIEBERSOHN)

    def test_a_session_of_yesterday_cannot_lock_the_member_out(self) -> None:
        for method, path, data in (
            ("get", "/accounts/password/set/", {}),
            ("post", "/accounts/password/set/", {"password1": NEW, "password2": NEW}),
            ("post", "/accounts/email/", {"action_add": "1", "email": "evil@example.org"}),
            ("get", "/accounts/2fa/totp/activate/", {}),
            ("get", "/accounts/2fa/webauthn/add/", {}),
            ("post", "/accounts/3rdparty/", {"account": "1"}),
            ("post", "/accounts/orcid/login/?process=connect", {}),
        ):
            with self.subTest(path=path, method=method):
                client = client_of(User.objects.get(pk=self.user.pk))
                response = getattr(client, method)(path, data)
                self.assertEqual(response.status_code, 302)
                self.assertTrue(response["Location"].startswith("/accounts/login/?next=%2Faccounts%2F"))
                self.assertContains(client.get(response["Location"]), "Log in once more")
        self.user.refresh_from_db()
        self.assertFalse(self.user.has_usable_password())
        self.assertFalse(EmailAddress.objects.filter(email="evil@example.org").exists())

    def test_just_logged_in_they_go_on(self) -> None:
        client = Client()
        self.assertRedirects(
            self.orcid.sign_in(client, next="/accounts/password/set/"), "/accounts/password/set/"
        )
        client.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
        self.user.refresh_from_db()
        self.assertTrue(self.user.check_password(NEW))


class SecurityPageTests(AccountsTestCase):
    def test_it_shows_every_way_in_and_only_to_the_member(self) -> None:
        user = make_user("Ada Smith")
        EmailAddress.objects.create(user=user, email="further@example.org")
        page = self.log_in(user).get("/me/security/")
        for words in (
            user.email,
            "main address",
            "further@example.org",
            "not confirmed yet",
            "Change the password",
        ):
            self.assertContains(page, words)
        self.assertIn("no-store", page["Cache-Control"])
        self.assertRedirects(Client().get("/me/security/"), "/accounts/login/?next=%2Fme%2Fsecurity%2F")
        self.assertContains(self.log_in(user).get("/me/settings/"), "/me/security/")

    def test_without_a_password_it_offers_one(self) -> None:
        user = make_user()
        User.objects.filter(pk=user.pk).update(password="!")
        user.refresh_from_db()
        self.assertContains(client_of(user).get("/me/security/"), "Set a password")

    def test_further_addresses_are_managed_after_a_fresh_proof(self) -> None:
        user = make_user()
        EmailAddress.objects.create(user=user, email="further@example.org", verified=True)
        stale = client_of(user)
        for action in ("action_primary", "action_remove"):
            response = stale.post("/accounts/email/", {action: "1", "email": "further@example.org"})
            self.assertRedirects(response, "/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F")
        client = self.log_in(user)
        client.post("/accounts/email/", {"action_primary": "1", "email": "further@example.org"})
        self.assertEqual(User.objects.get().email, "further@example.org")
        self.assertIn("Your address was changed", [row.subject for row in self.mails(user.email)])
        page = client.post(
            "/accounts/email/", {"action_remove": "1", "email": "further@example.org"}, follow=True
        )
        self.assertContains(page, "is your main address and cannot be removed")


class SessionsTests(AccountsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user("Ada Smith")

    def test_devices_are_shown_and_ended_one_by_one_or_all(self) -> None:
        here = self.log_in(self.user)
        others = [self.log_in(self.user, Client(headers={"User-Agent": FIREFOX})) for _ in range(3)]
        page = here.get("/accounts/sessions/")
        self.assertContains(page, "Firefox on Linux", count=6)  # in the list and on its button
        key = others[0].session.session_key
        row = UserSession.objects.get(session_key=key)
        self.assertRedirects(here.post(f"/me/security/sessions/{row.pk}/end/"), "/accounts/sessions/")
        self.assertEqual([client.get("/me/").status_code for client in others], [302, 200, 200])
        here.post("/accounts/sessions/")
        self.assertEqual([client.get("/me/").status_code for client in others], [302, 302, 302])
        self.assertEqual(here.get("/me/").status_code, 200)

    def test_nobody_ends_the_sessions_of_others(self) -> None:
        victim = self.log_in(self.user)
        row = UserSession.objects.get(user=self.user)
        attacker = self.log_in(make_user("Attacker"))
        unknown = attacker.post("/me/security/sessions/999999999/end/")
        response = attacker.post(f"/me/security/sessions/{row.pk}/end/")
        self.assertEqual((response.status_code, unknown.status_code), (404, 404))
        self.assertEqual(attacker.get(f"/me/security/sessions/{row.pk}/end/").status_code, 405)
        self.assertEqual(victim.get("/me/").status_code, 200)

    def test_being_seen_is_noted_now_and_then(self) -> None:
        client = self.log_in(self.user)
        row = UserSession.objects.get()
        client.get("/me/")
        row.refresh_from_db()
        first = row.last_seen_at
        session = client.session
        session["account_authentication_methods"][-1]["at"] -= 400
        session.save()
        client.get("/me/")
        row.refresh_from_db()
        second = row.last_seen_at
        client.get("/me/")
        row.refresh_from_db()
        self.assertGreater(second, first)
        self.assertEqual(row.last_seen_at, second)

    def test_a_log_in_from_a_new_browser_is_told_by_mail_once(self) -> None:
        browser = self.log_in(self.user)
        told = "A log-in from a new browser"
        self.assertEqual([row.subject for row in self.mails(self.user.email)], [told])
        browser.post("/accounts/logout/")
        self.log_in(self.user, browser)
        self.assertEqual(len(self.mails(self.user.email)), 1)
        shared = make_user("Second Person")
        for user in (shared, self.user):
            browser.post("/accounts/logout/")
            self.log_in(user, browser)
        self.assertEqual((len(self.mails(shared.email)), len(self.mails(self.user.email))), (1, 1))
        forged = Client()
        forged.cookies["bzpeer_device"] = f"{self.user.pk}:x:y"
        self.log_in(self.user, forged)
        self.assertEqual(len(self.mails(self.user.email)), 2)


class DeviceNameTests(SimpleTestCase):
    def test_browsers_are_told_apart(self) -> None:
        for agent, name in (
            (FIREFOX, "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1", "Safari on iOS"),
            ("curl/8.0", "Another browser"),
            ("", "Another browser"),
        ):  # fmt: skip
            self.assertEqual(device(agent), name)


class LimitTests(TestCase):
    """Limits as they are set, on an address of the network of each test's own."""

    def test_five_wrong_passwords_close_the_door_even_to_the_right_one(self) -> None:
        user = make_user()
        client = Client(REMOTE_ADDR="198.51.100.1")
        data = {"login": user.email, "password": "wrong password"}
        for _ in range(5):
            client.post("/accounts/login/", data)
        page = client.post("/accounts/login/", data | {"password": PASSWORD})
        self.assertContains(page, "Too many failed tries")

    def test_many_log_ins_from_one_network_are_answered_429_in_our_words(self) -> None:
        client = Client(REMOTE_ADDR="198.51.100.2")
        statuses = [
            client.post("/accounts/login/", {"login": f"x{n}@example.org", "password": "x"}).status_code
            for n in range(31)
        ]
        self.assertEqual((statuses[0], statuses[-1]), (200, 429))
        page = client.post("/accounts/login/", {"login": "y@example.org", "password": "x"})
        self.assertContains(page, "Too many tries", status_code=429)

    def test_they_hold_while_the_cache_server_is_away(self) -> None:
        user = make_user()
        away = {
            "default": {
                "BACKEND": "bzpeer.lib.cache.ForgivingRedisCache",
                "LOCATION": "unix:///nowhere/redis.sock",
                "KEY_PREFIX": "test-away",
            }
        }
        client = Client(REMOTE_ADDR="198.51.100.3")
        with self.settings(CACHES=away):
            data = {"login": user.email, "password": "wrong password"}
            for _ in range(5):
                self.assertEqual(client.post("/accounts/login/", data).status_code, 200)
            page = client.post("/accounts/login/", data | {"password": PASSWORD})
            self.assertContains(page, "Too many failed tries")
            other = make_user("Other Person")
            response = client.post("/accounts/login/", {"login": other.email, "password": PASSWORD})
            self.assertRedirects(response, "/me/")
