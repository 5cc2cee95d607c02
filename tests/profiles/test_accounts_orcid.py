"""Log-in by ORCID through the whole flow, and everything that ORCID may answer instead."""

import json
from datetime import timedelta

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.checks import run_checks
from django.test import Client, SimpleTestCase, override_settings
from django.utils import timezone

from profiles.accounts.orcid import record
from profiles.accounts.orcid.answers import OrcidError
from profiles.models import User
from tests.factories import PASSWORD, make_user
from tests.orcid_server import LIEBERSOHN, real_record
from tests.profiles.accounts_cast import AccountsTestCase, OrcidTestCase
from tests.profiles.cast import client_of

CARBERRY = "0000-0002-1825-0097"


class SignUpTests(OrcidTestCase):
    def test_a_new_person_gives_an_address_and_confirms_it(self) -> None:
        client = Client()
        response = self.orcid.sign_in(client, next="/me/claims/")
        self.assertRedirects(response, "/accounts/3rdparty/signup/")
        page = client.get("/accounts/3rdparty/signup/")
        self.assertContains(page, 'value="Carl Jacob Liebersohn"')
        self.assertContains(page, f"https://orcid.org/{LIEBERSOHN}")
        client.post("/accounts/3rdparty/signup/", {"email": "carl@example.org", "display_name": "Carl"})
        self.assert_logged_in(client, None)
        self.assertRedirects(client.post(self.link("carl@example.org")), "/me/claims/")
        user = User.objects.get(email="carl@example.org")
        self.assert_logged_in(client, user)
        account = record.account_of(user)
        assert account
        self.assertEqual((user.display_name, account.uid), ("Carl", LIEBERSOHN))
        self.assertFalse(user.has_usable_password())

    def test_the_record_is_kept_without_addresses_with_its_time_and_issuer(self) -> None:
        said = real_record()
        said["person"]["emails"] = {
            "email": [{"email": "carl@example.edu", "verified": True, "primary": True}]
        }
        self.orcid.sign_in_as(LIEBERSOHN, said)
        user = make_user()
        self.orcid.sign_in(self.log_in(user), process="connect")
        account = record.account_of(user)
        assert account
        kept = account.extra_data
        self.assertNotIn("carl@example.edu", json.dumps(kept))
        self.assertEqual(kept["activities-summary"], said["activities-summary"])
        fetched = record.fetched_at(account)
        assert fetched
        self.assertLess(timezone.now() - fetched, timedelta(minutes=1))
        self.assertEqual(record.issuer(account), self.orcid.url)

    def test_an_address_of_the_record_is_not_even_proposed(self) -> None:
        said = real_record()
        said["person"]["emails"] = {
            "email": [{"email": "carl@example.edu", "verified": True, "primary": True}]
        }
        self.orcid.sign_in_as(LIEBERSOHN, said)
        client = Client()
        self.orcid.sign_in(client)
        self.assertNotContains(client.get("/accounts/3rdparty/signup/"), "carl@example.edu")

    def test_a_known_address_is_answered_as_an_unknown_one(self) -> None:
        make_user(email="known@example.org")
        self.sign_up_by_orcid(Client(), "known@example.org")
        self.sign_up_by_orcid(Client(), "unknown@example.org")
        self.assertEqual(self.mails("known@example.org")[0].subject, "You have an account already")
        self.assertFalse(SocialAccount.objects.filter(user__email="known@example.org").exists())

    def test_a_record_without_a_public_name_leaves_the_field_empty(self) -> None:
        said = real_record()
        said["person"]["name"] = None
        self.orcid.sign_in_as(LIEBERSOHN, said)
        client = Client()
        self.orcid.sign_in(client)
        self.assertContains(client.get("/accounts/3rdparty/signup/"), 'name="display_name"')


class LogInTests(OrcidTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.user = make_user("Carl Liebersohn")
        self.account = SocialAccount.objects.create(user=self.user, provider="orcid", uid=LIEBERSOHN)

    def test_a_connected_iD_logs_in_and_the_record_is_read_anew(self) -> None:
        client = Client()
        self.assertRedirects(self.orcid.sign_in(client, next="/me/following/"), "/me/following/")
        self.assert_logged_in(client, self.user)
        self.account.refresh_from_db()
        self.assertEqual(self.account.extra_data["orcid-identifier"]["path"], LIEBERSOHN)

    def test_the_flow_is_bound_by_state_and_pkce(self) -> None:
        client = Client()
        there = client.post("/accounts/orcid/login/")["Location"]
        self.assertIn("code_challenge_method=S256", there)
        back = self.orcid.authorize(there)
        self.assertEqual(Client().get(back).status_code, 400)  # another browser
        self.assertRedirects(client.get(back), "/me/", fetch_redirect_response=False)
        client.logout()
        again = client.get(back)
        self.assertContains(again, "finished already", status_code=400)
        self.assert_logged_in(client, None)

    def test_logging_in_needs_a_button(self) -> None:
        page = Client().get("/accounts/orcid/login/")
        self.assertContains(page, "Go on to ORCID")
        self.assertEqual(self.orcid.requests, [])

    def test_stopping_at_orcid_says_so(self) -> None:
        client = Client()
        client.post("/accounts/orcid/login/")
        state = next(iter(client.session["socialaccount_states"]))
        page = client.get(f"/accounts/orcid/login/callback/?error=access_denied&state={state}", follow=True)
        self.assertContains(page, "You stopped at ORCID")

    def test_a_closed_account_stays_closed(self) -> None:
        User.objects.filter(pk=self.user.pk).update(is_active=False)
        client = Client()
        self.orcid.sign_in(client)
        self.assert_logged_in(client, None)

    def test_links_cannot_widen_what_is_asked_for(self) -> None:
        there = Client().post(
            "/accounts/orcid/login/?scope=/read-limited&auth_params=redirect_uri%3Dhttps://evil.example/"
        )
        self.assertNotIn("evil", there["Location"])
        self.assertIn("scope=%2Fauthenticate&", there["Location"])

    def test_the_way_back_does_not_believe_the_host_header(self) -> None:
        with override_settings(ALLOWED_HOSTS=["*"]):
            there = Client(SERVER_NAME="evil.example").post("/accounts/orcid/login/")["Location"]
        self.assertNotIn("evil.example", there)


class ConnectTests(OrcidTestCase):
    def test_an_iD_is_connected_and_told_by_mail(self) -> None:
        user = make_user()
        client = self.log_in(user)
        self.assertRedirects(self.orcid.sign_in(client, process="connect"), "/accounts/3rdparty/")
        self.assertContains(client.get("/accounts/3rdparty/"), LIEBERSOHN)
        self.assertIn("ORCID was connected", [row.subject for row in self.mails(user.email)])

    def test_it_needs_a_fresh_proof_and_goes_on_from_there(self) -> None:
        user = make_user()
        client = client_of(user)  # logged in, who knows when
        response = self.orcid.sign_in(client, process="connect", next="/me/claims/")
        self.assertRedirects(response, "/accounts/reauthenticate/")
        self.assertIsNone(record.account_of(user))
        response = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        self.assertRedirects(response, "/me/claims/")
        account = record.account_of(user)
        assert account
        self.assertEqual(account.uid, LIEBERSOHN)

    def test_a_member_has_one_iD(self) -> None:
        user = make_user()
        SocialAccount.objects.create(user=user, provider="orcid", uid=CARBERRY)
        client = self.log_in(user)
        self.orcid.sign_in(client, process="connect")
        self.assertContains(client.get("/accounts/3rdparty/"), "Disconnect that one first")
        self.assertEqual(SocialAccount.objects.get().uid, CARBERRY)

    def test_nobody_logged_in_connects_nothing(self) -> None:
        response = self.orcid.sign_in(Client(), process="connect")
        self.assertEqual(response.status_code, 302)
        self.assertFalse(SocialAccount.objects.exists())

    def test_disconnecting_needs_a_fresh_proof_and_another_way_in(self) -> None:
        user = make_user()
        account = SocialAccount.objects.create(user=user, provider="orcid", uid=LIEBERSOHN)
        data = {"account": account.pk}
        self.assertEqual(client_of(user).post("/accounts/3rdparty/", data).status_code, 302)
        self.assertIsNotNone(record.account_of(user))
        client = self.log_in(user)
        client.post("/accounts/3rdparty/", data)
        self.assertIsNone(record.account_of(user))
        User.objects.filter(pk=user.pk).update(password="!")
        account = SocialAccount.objects.create(user=user, provider="orcid", uid=LIEBERSOHN)
        client = Client()
        self.orcid.sign_in(client)
        self.assertContains(
            client.post("/accounts/3rdparty/", {"account": account.pk}), "Set a password first"
        )
        self.assertIsNotNone(record.account_of(user))

    def test_another_members_iD_is_not_disconnected(self) -> None:
        other = make_user("Other Person")
        account = SocialAccount.objects.create(user=other, provider="orcid", uid=CARBERRY)
        self.log_in(make_user()).post("/accounts/3rdparty/", {"account": account.pk})
        self.assertIsNotNone(record.account_of(other))

    def test_it_is_disconnected_where_orcid_is_not_set_up_any_more(self) -> None:
        user = make_user()
        account = SocialAccount.objects.create(user=user, provider="orcid", uid=LIEBERSOHN)
        client = self.log_in(user)
        with override_settings(ORCID_CLIENT_ID="", ORCID_CLIENT_SECRET=""):
            self.assertContains(client.get("/accounts/3rdparty/"), LIEBERSOHN)
            client.post("/accounts/3rdparty/", {"account": account.pk})
        self.assertIsNone(record.account_of(user))


class OddAnswersTests(OrcidTestCase):
    def refused(self) -> str:
        """Go through the flow; return the page that says why it came to nothing."""
        client = Client()
        response = self.orcid.sign_in(client)
        self.assertEqual(response.status_code, 502)
        self.assertContains(response, "Try again", status_code=502)
        self.assert_logged_in(client, None)
        return response.content.decode()

    def test_whatever_is_sent_instead_becomes_a_page_that_says_what_to_do(self) -> None:
        odd = [
            (500, b"{}", "application/json"),
            (503, b"", "text/plain"),
            (200, b"<html>Maintenance</html>", "text/html"),
            (200, b"", "application/json"),
            (200, b"null", "application/json"),
            (200, b"[]", "application/json"),
            (200, b'"access_token"', "application/json"),
            (200, b'{"access_token": 7, "orcid": 7}', "application/json"),
            (200, b'{"orcid-identifier": 7, "access_token": "x", "orcid": ["x"]}', "application/json"),
            (200, b"[" * 100_000, "application/json"),
            (200, b"\xff\xfe\x00", "application/json"),
            (302, b"", "text/html"),
            (404, b'{"response-code":404}', "application/json"),
            (409, b'{"response-code":409,"error-code":9018}', "application/json"),
        ]
        for at in ("token", "record"):
            for status, body, kind in odd:
                with self.subTest(at=at, status=status, body=body[:40]):
                    self.orcid.fail_with(status, body, kind, at=at)
                    self.refused()

    def test_another_persons_record_is_refused(self) -> None:
        self.orcid.records[LIEBERSOHN] = real_record(CARBERRY)
        self.assertIn("another record", self.refused())

    def test_who_it_is_must_be_said_with_a_sound_iD(self) -> None:
        for orcid in (None, "", "0000-0002-1825-0098", "x" * 1000, 7, {"path": CARBERRY}):
            with self.subTest(orcid=orcid):
                self.orcid.token_says = {"orcid": orcid}
                self.assertIn("did not say who you are", self.refused())

    def test_an_orcid_that_says_nothing_holds_nobody_up(self) -> None:
        for at in ("token", "record"):
            self.orcid.fail_with(at=at, hang=True)
            self.assertIn("in time", self.refused())
            self.orcid.recover()

    def test_an_orcid_that_is_away_is_told_from_a_wrong_password(self) -> None:
        client = Client()
        back = self.orcid.authorize(client.post("/accounts/orcid/login/")["Location"])
        with override_settings(ORCID_OAUTH_URL="http://127.0.0.1:1"):
            self.assertContains(client.get(back), "could not be reached", status_code=502)

    def test_a_wrong_secret_is_a_page_too(self) -> None:
        with override_settings(ORCID_CLIENT_SECRET="another"):
            self.refused()

    def test_characters_that_no_database_holds_are_left_out(self) -> None:
        said = real_record()
        said["person"]["name"]["credit-name"] = {"value": "Carl\x00 \ud800Lieber\x00sohn"}
        said["preferences"]["\x00"] = "\x00"
        self.orcid.sign_in_as(LIEBERSOHN, said)
        user = make_user()
        self.orcid.sign_in(self.log_in(user), process="connect")
        account = record.account_of(user)
        assert account
        self.assertEqual(account.extra_data["person"]["name"]["credit-name"]["value"], "Carl ?Liebersohn")

    def test_an_error_that_orcid_sends_along_is_no_500(self) -> None:
        client = Client()
        client.post("/accounts/orcid/login/")
        state = next(iter(client.session["socialaccount_states"]))
        page = client.get(f"/accounts/orcid/login/callback/?error=server_error&state={state}")
        self.assertEqual(page.status_code, 502)


class KeptTests(SimpleTestCase):
    def test_a_huge_record_is_kept_in_short_with_the_works_that_organisations_added_first(self) -> None:
        said = real_record()
        groups = said["activities-summary"]["works"]["group"]
        own = [
            {"work-summary": [{"put-code": n, "title": {"title": {"value": "x" * 500}}}]} for n in range(6000)
        ]
        said["activities-summary"]["works"]["group"] = own + groups
        kept = record.kept(said)
        self.assertLessEqual(len(json.dumps(kept)), record.MOST_CHARACTERS + 200)
        self.assertTrue(kept["truncated"])
        kept_groups = kept["activities-summary"]["works"]["group"]
        sources = {
            version["source"]["source-name"]["value"]
            for group in kept_groups[: len(groups)]
            for version in group["work-summary"]
            if version.get("source")
        }
        self.assertIn("Crossref", sources)
        self.assertGreater(len(kept_groups), 1000)
        self.assertEqual(kept["person"]["name"], said["person"]["name"])

    def test_a_huge_record_of_any_shape_is_bounded(self) -> None:
        identifier = {"path": CARBERRY}
        for said in (
            {"orcid-identifier": identifier, "person": {"name": "x" * 3_000_000}},
            {"orcid-identifier": identifier, "activities-summary": ["x" * 3_000_000]},
            {"orcid-identifier": identifier, "activities-summary": {"works": {"group": [["x" * 3_000_000]]}}},
            {"orcid-identifier": identifier, "activities-summary": {"works": {"group": [{"work-summary": "x" * 3_000_000}]}}},
            {"orcid-identifier": identifier, "activities-summary": {"works": {"group": [{"external-ids": "x" * 3_000_000}]}}},
        ):  # fmt: skip
            with self.subTest(said=list(said)):
                kept = record.kept(said)
                self.assertLessEqual(len(json.dumps(kept)), record.MOST_CHARACTERS + 200)
                self.assertEqual(kept["orcid-identifier"], identifier)

    def test_a_record_cannot_say_when_it_was_fetched_nor_by_whom(self) -> None:
        kept = record.kept(
            real_record() | {"fetched-at": "1999-01-01T00:00:00Z", "issuer": "https://evil.example"}
        )
        self.assertEqual(kept["issuer"], settings.ORCID_OAUTH_URL)
        self.assertNotIn("1999", kept["fetched-at"])


class RefreshTests(OrcidTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account = SocialAccount.objects.create(
            user=make_user(), provider="orcid", uid=LIEBERSOHN, extra_data=record.kept(real_record())
        )

    def test_the_public_record_is_read_anew(self) -> None:
        self.orcid.sign_in_as(LIEBERSOHN, real_record(given="Carla", family="Liebersohn"))
        record.refresh(self.account)
        self.account.refresh_from_db()
        self.assertEqual(record.display_name(self.account.extra_data), "Carla Liebersohn")

    def test_what_is_kept_stays_when_orcid_is_out_of_order(self) -> None:
        before = self.account.extra_data
        self.orcid.fail_with()
        with self.assertRaisesMessage(OrcidError, "answer 500"):
            record.refresh(self.account)
        self.account.refresh_from_db()
        self.assertEqual(self.account.extra_data, before)

    def test_an_iD_of_the_sandbox_is_not_filled_from_the_real_register(self) -> None:
        self.account.extra_data["issuer"] = "https://sandbox.orcid.org"
        record.refresh(self.account)
        self.assertEqual(self.orcid.requests, [])


class NotConfiguredTests(AccountsTestCase):
    def test_without_credentials_there_is_no_button_and_no_flow(self) -> None:
        for path in ("/accounts/login/", "/accounts/signup/"):
            self.assertNotContains(Client().get(path), "ORCID")
        for path in ("/accounts/orcid/login/", "/accounts/orcid/login/callback/?code=x&state=y"):
            self.assertEqual(Client().get(path).status_code, 404)
        self.assertEqual(Client().post("/accounts/orcid/login/").status_code, 404)
        self.assertContains(self.log_in(make_user()).get("/accounts/3rdparty/"), "No iD is connected")


class ChecksTests(SimpleTestCase):
    def found(self, deploy: bool = True, **values: object) -> list[str | None]:
        with override_settings(**values):
            rows = run_checks(tags=["security"], include_deployment_checks=deploy)
        return sorted(row.id for row in rows if (row.id or "").startswith("profiles.") and row.id)

    def test_the_real_register_passes(self) -> None:
        self.assertEqual(self.found(LOCAL=False), [])

    def test_a_public_site_refuses_the_sandbox_and_other_servers(self) -> None:
        for address in (
            "https://sandbox.orcid.org", "https://pub.sandbox.orcid.org", "https://orcid.org.evil.example",
            "https://evilorcid.org", "http://127.0.0.1:8000",
        ):  # fmt: skip
            with self.subTest(address=address):
                self.assertEqual(self.found(LOCAL=False, ORCID_OAUTH_URL=address), ["profiles.E002"])
                self.assertEqual(self.found(LOCAL=False, ORCID_API_URL=address), ["profiles.E002"])

    def test_a_local_site_may_use_the_sandbox_and_loopback(self) -> None:
        values = {"ORCID_OAUTH_URL": "https://sandbox.orcid.org", "ORCID_API_URL": "http://127.0.0.1:9"}
        self.assertEqual(self.found(LOCAL=True, **values), [])

    def test_plain_http_and_paths_are_refused_everywhere(self) -> None:
        for address in (
            "http://orcid.org",
            "ftp://127.0.0.1",
            "",
            "http://[",
            "https://orcid.org/x",
            "https://a:b@orcid.org",
        ):
            with self.subTest(address=address):
                self.assertEqual(self.found(deploy=False, ORCID_OAUTH_URL=address), ["profiles.E001"])

    def test_half_a_set_of_credentials_is_told(self) -> None:
        self.assertEqual(self.found(ORCID_CLIENT_ID="APP-1"), ["profiles.W001"])
