"""Attempts to get into somebody else's account, each refused."""

from urllib.parse import quote

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client, override_settings
from django.utils import timezone

from profiles.models import OutgoingMail, User
from tests.factories import PASSWORD, make_user
from tests.orcid_server import LIEBERSOHN, real_record
from tests.profiles.accounts_cast import NEW, AccountsTestCase, OrcidTestCase

VICTIM = "victim@example.org"
OWN = "a sentence that only the owner knows"
FOREIGN = [
    "https://evil.example/", "http://evil.example", "//evil.example/", "///evil.example", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "https:evil.example",
    "https:/evil.example", "https:///evil.example", "http:///evil.example/", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "ftp://evil.example/", "blob:https://evil.example/x",
    " https://evil.example/", "\thttps://evil.example/", "\nhttps://evil.example/", "https://evil.example\\@testserver/",
    "https://testserver@evil.example/", "https://testserver:x@evil.example/", "https://testserver.evil.example/",
    "https://evil.example/testserver", "https://evil.example?testserver", "https://evil.example#testserver",
    "//evil.example:80/", "//[::1]/", "//127.0.0.1/", "http://[", "//testserver@evil.example", "/\t/evil.example",
    "/\n/evil.example", "\x00//evil.example", "https://evil%2eexample/", "//evil.example/%2f..", "mailto:x@evil.example",
]  # fmt: skip


class ProviderAddressTests(OrcidTestCase):
    def test_an_address_in_the_record_equal_to_a_members_does_not_log_in_to_their_account(self) -> None:
        victim = make_user("Victim Person", email=VICTIM)
        for verified in (False, True):
            said = real_record()
            said["person"]["emails"] = {"email": [{"email": VICTIM, "verified": verified, "primary": True}]}
            self.orcid.sign_in_as(LIEBERSOHN, said)
            client = Client()
            with self.subTest(verified=verified):
                self.assertRedirects(self.orcid.sign_in(client), "/accounts/3rdparty/signup/")
                self.assert_logged_in(client, None)
                client.post("/accounts/3rdparty/signup/", {"email": VICTIM, "display_name": "X"})
                self.assert_logged_in(client, None)
                self.assertFalse(SocialAccount.objects.filter(user=victim).exists())
                self.assertEqual(User.objects.count(), 1)

    def test_an_iD_of_another_account_is_not_connected(self) -> None:
        victim, attacker = make_user("Victim Person"), make_user("Attacker")
        SocialAccount.objects.create(user=victim, provider="orcid", uid=LIEBERSOHN)
        client = self.log_in(attacker)
        self.orcid.sign_in(client, process="connect")
        self.assertContains(client.get("/accounts/3rdparty/"), "connected to another account")
        self.assert_logged_in(client, attacker)
        self.assertEqual(SocialAccount.objects.get().user, victim)

    def test_a_callback_of_the_attackers_flow_does_not_connect_their_iD_to_the_victim(self) -> None:
        attacker = Client()
        there = attacker.post("/accounts/orcid/login/?process=connect")["Location"]
        back = self.orcid.authorize(there)
        victim = self.log_in(make_user("Victim Person"))
        self.assertEqual(victim.get(back).status_code, 400)
        self.assertFalse(SocialAccount.objects.exists())


class PreHijackTests(OrcidTestCase):
    """The attacker registers the victim's address and waits for its owner."""

    def assert_owner_alone(self, attacker: Client) -> User:
        user = User.objects.get(email=VICTIM)
        self.assertFalse(user.check_password(NEW))
        self.assertFalse(SocialAccount.objects.exists())
        self.assertNotEqual(user.display_name, "New Person")
        attacker.post("/accounts/login/", {"login": VICTIM, "password": NEW})
        self.assert_logged_in(attacker, None)
        self.orcid.sign_in(attacker)
        self.assert_logged_in(attacker, None)
        for path in ("/me/", "/accounts/confirm-email/", "/accounts/login/", "/accounts/login/code/confirm/"):
            attacker.get(path)
            self.assert_logged_in(attacker, None)
        return user

    def test_the_owners_confirmation_wipes_what_the_attacker_set(self) -> None:
        attacker, owner = Client(), Client()
        self.sign_up(attacker, VICTIM)
        link = self.link(VICTIM)
        self.assertContains(owner.get(link), "It was not me")
        owner.post(link)  # no answer to the question: nothing happens
        self.assertFalse(EmailAddress.objects.filter(verified=True).exists())
        response = owner.post(link, {"action": "afresh", "display_name": "True Owner", "password1": OWN})
        self.assertRedirects(response, "/me/")
        user = self.assert_owner_alone(attacker)
        self.assert_logged_in(owner, user)
        self.assertTrue(user.check_password(OWN))
        self.assertEqual(user.display_name, "True Owner")

    def test_an_iD_that_the_attacker_brought_is_taken_off(self) -> None:
        attacker, owner = Client(), Client()
        self.sign_up_by_orcid(attacker, VICTIM, display_name="New Person")
        link = self.link(VICTIM)
        self.assertNotContains(owner.get(link), "It was me")
        owner.post(link, {"action": "afresh", "display_name": "True Owner", "password1": OWN})
        self.assert_owner_alone(attacker)

    def test_the_owner_who_signs_up_is_told_and_sets_a_new_password(self) -> None:
        for by_orcid in (False, True):
            with self.subTest(by_orcid=by_orcid):
                User.objects.all().delete()
                OutgoingMail.objects.all().delete()
                attacker, owner = Client(), Client()
                if by_orcid:
                    self.sign_up_by_orcid(attacker, VICTIM, display_name="New Person")
                else:
                    self.sign_up(attacker, VICTIM)
                self.sign_up(owner, VICTIM, display_name="True Owner", password1=OWN)
                self.assertIn("You have an account already", [row.subject for row in self.mails(VICTIM)])
                owner.post("/accounts/password/reset/", {"email": VICTIM})
                form = owner.get(self.link(VICTIM, "password/reset/key"), follow=True).redirect_chain[-1][0]
                owner.post(form, {"password1": OWN, "password2": OWN})
                owner.post("/accounts/login/", {"login": VICTIM, "password": OWN})
                self.assertContains(owner.get(self.link(VICTIM)), "Yes, confirm it")
                owner.post(self.link(VICTIM))
                user = self.assert_owner_alone(attacker)
                self.assert_logged_in(owner, user)

    def test_the_owner_who_logs_in_by_a_code_wipes_too(self) -> None:
        attacker, owner = Client(), Client()
        self.sign_up(attacker, VICTIM)
        owner.post("/accounts/login/code/", {"email": VICTIM})
        owner.post("/accounts/login/code/confirm/", {"code": self.code(VICTIM)})
        user = self.assert_owner_alone(attacker)
        self.assert_logged_in(owner, user)
        self.assertFalse(user.has_usable_password())

    def code(self, address: str) -> str:
        body = next(row.body for row in reversed(self.mails(address)) if "Type this code" in row.body)
        return body.split("\n\n")[1].strip()

    def test_a_guessed_password_of_the_sign_up_does_not_confirm(self) -> None:
        self.sign_up(Client(), VICTIM)
        other = Client()
        page = other.post(self.link(VICTIM), {"action": "prove", "password": "another guess"})
        self.assertContains(page, "not the password of the sign-up")
        self.assertFalse(EmailAddress.objects.filter(verified=True).exists())

    def test_who_signed_up_may_confirm_elsewhere_with_the_password(self) -> None:
        self.sign_up(Client(), VICTIM)
        elsewhere = Client()
        self.assertRedirects(elsewhere.post(self.link(VICTIM), {"action": "prove", "password": NEW}), "/me/")
        user = User.objects.get(email=VICTIM)
        self.assert_logged_in(elsewhere, user)
        self.assertEqual(user.display_name, "New Person")


class FurtherAddressTests(AccountsTestCase):
    """The attacker adds the victim's address to their own account."""

    def setUp(self) -> None:
        super().setUp()
        self.attacker = make_user("Attacker")
        self.at = self.log_in(self.attacker)
        self.at.post("/accounts/email/", {"action_add": "1", "email": VICTIM})

    def test_the_owner_who_opens_the_link_confirms_nothing_for_the_attacker(self) -> None:
        link = self.link(VICTIM)
        stranger = Client()
        self.assertContains(stranger.get(link), "Log in to that account")
        stranger.post(link)
        stranger.post(link, {"action": "afresh", "display_name": "X", "password1": OWN})
        member = self.log_in(make_user("Some Member"))
        self.assertContains(member.get(link), "another account than the one you are logged in with")
        member.post(link)
        self.assertTrue(member.session.get("_auth_user_id"))  # nor does the link log anybody out
        self.assertFalse(EmailAddress.objects.get(email=VICTIM).verified)

    def test_it_does_not_stand_in_the_way_of_the_owner(self) -> None:
        owner = Client()
        self.sign_up(owner, VICTIM)
        owner.post(self.link(VICTIM))
        self.assert_logged_in(owner, User.objects.get(email=VICTIM))
        self.assertFalse(EmailAddress.objects.filter(user=self.attacker, email=VICTIM).exists())

    def test_a_reset_by_the_owner_does_not_reach_into_the_attackers_account(self) -> None:
        OutgoingMail.objects.all().delete()
        Client().post("/accounts/password/reset/", {"email": VICTIM})
        Client().post("/accounts/login/code/", {"email": VICTIM})
        self.assertEqual(self.mails(VICTIM), [])

    def test_a_confirmed_address_is_nobody_elses(self) -> None:
        make_user("Victim Person", email="taken@example.org")
        self.at.post("/accounts/email/", {"action_add": "1", "email": "taken@example.org"})
        link = self.link("taken@example.org")
        self.assertContains(self.at.get(link), "belongs to another account by now")
        self.at.post(link)
        self.assertFalse(
            EmailAddress.objects.filter(user=self.attacker, email="taken@example.org", verified=True)
        )


class LinkTests(AccountsTestCase):
    def test_a_used_link_does_nothing(self) -> None:
        client = Client()
        self.sign_up(client, VICTIM)
        link = self.link(VICTIM)
        client.post(link)
        user = User.objects.get(email=VICTIM)
        for other in (Client(), client):
            self.assertContains(other.get(link), "does not work", status_code=404)
            self.assertEqual(other.post(link).status_code, 404)
            other.post(link, {"action": "afresh", "display_name": "X", "password1": OWN})
        user.refresh_from_db()
        self.assertTrue(user.check_password(NEW))

    def test_an_expired_link_does_nothing(self) -> None:
        client = Client()
        self.sign_up(client, VICTIM)
        with override_settings(ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS=-1):
            self.assertEqual(client.post(self.link(VICTIM)).status_code, 404)
        self.assertFalse(EmailAddress.objects.get(email=VICTIM).verified)

    def test_a_link_of_an_address_that_was_removed_does_nothing(self) -> None:
        user = make_user()
        client = self.log_in(user)
        client.post("/accounts/email/", {"action_add": "1", "email": VICTIM})
        link = self.link(VICTIM)
        client.post("/accounts/email/", {"action_remove": "1", "email": VICTIM})
        self.assertEqual(client.post(link).status_code, 404)

    def test_a_forged_link_does_nothing(self) -> None:
        client = Client()
        for key in ("x", "MQ:1:x", "a:b:c", "9" * 500, "%00", "%F0%9F%98%80"):
            with self.subTest(key=key):
                self.assertIn(client.get(f"/accounts/confirm-email/{key}/").status_code, {400, 404})

    def test_a_reset_link_works_once_and_not_after_the_address_changed(self) -> None:
        user = make_user(email=VICTIM)
        client = Client()
        client.post("/accounts/password/reset/", {"email": VICTIM})
        link = self.link(VICTIM, "password/reset/key")
        EmailAddress.objects.create(user=user, email="further@example.org", verified=True)
        self.assertContains(client.get(link, follow=True), "does not work")
        client.post("/accounts/password/reset/", {"email": VICTIM})
        link = self.link(VICTIM, "password/reset/key")
        form = client.get(link, follow=True).redirect_chain[-1][0]
        client.post(form, {"password1": OWN, "password2": OWN})
        self.assertContains(Client().get(link, follow=True), "does not work")


class SessionTests(OrcidTestCase):
    def test_a_session_planted_before_the_log_in_is_worth_nothing(self) -> None:
        user = make_user("Carl Liebersohn")
        SocialAccount.objects.create(user=user, provider="orcid", uid=LIEBERSOHN)
        for way in ("password", "orcid"):
            with self.subTest(way=way):
                victim = Client()
                victim.post("/accounts/orcid/login/")  # has a session from here on
                planted = victim.cookies["sessionid"].value
                if way == "password":
                    self.log_in(user, victim)
                else:
                    self.orcid.sign_in(victim)
                self.assert_logged_in(victim, user)
                self.assertNotEqual(victim.cookies["sessionid"].value, planted)
                attacker = Client()
                attacker.cookies["sessionid"] = planted
                self.assertEqual(attacker.get("/me/").status_code, 302)

    def test_logging_out_by_a_link_does_nothing(self) -> None:
        client = self.log_in(make_user())
        page = client.get("/accounts/logout/")
        self.assertContains(page, "Log out?")
        self.assertEqual(client.get("/me/").status_code, 200)

    def test_a_new_password_ends_all_other_sessions(self) -> None:
        user = make_user()
        here, there = self.log_in(user), self.log_in(user)
        data = {"oldpassword": PASSWORD, "password1": OWN, "password2": OWN}
        here.post("/accounts/password/change/", data)
        self.assertEqual(here.get("/me/").status_code, 200)
        self.assertEqual(there.get("/me/").status_code, 302)


class NextTests(OrcidTestCase):
    def test_no_way_in_leads_to_another_site(self) -> None:
        self.assertEqual(len(FOREIGN), 40)
        user = make_user("Carl Liebersohn")
        SocialAccount.objects.create(user=user, provider="orcid", uid=LIEBERSOHN)
        for target in FOREIGN:
            with self.subTest(target=target):
                data = {"login": user.email, "password": PASSWORD, "next": target}
                response = Client().post("/accounts/login/", data)
                self.assertRedirects(response, "/me/", fetch_redirect_response=False)
                client = self.log_in(user)
                out = client.post("/accounts/logout/", {"next": target})
                self.assertRedirects(out, "/", fetch_redirect_response=False)
                client = self.log_in(user)
                data = {"password": PASSWORD, "next": target}
                again = client.post("/accounts/reauthenticate/", data)
                self.assertRedirects(again, "/me/", fetch_redirect_response=False)
                if "\x00" not in target:
                    client = Client()
                    there = client.post(f"/accounts/orcid/login/?next={quote(target)}")
                    response = client.get(self.orcid.authorize(there["Location"]))
                    self.assertRedirects(response, "/me/", fetch_redirect_response=False)

    def test_nor_does_the_link_of_a_mail(self) -> None:
        for number, target in enumerate(FOREIGN):
            if "\x00" in target:
                continue
            with self.subTest(target=target):
                email = f"reader{number}@example.org"
                client = Client()
                self.sign_up(client, email, next=target)
                link = self.link(email)
                self.assertNotIn("evil", link)
                response = client.post(f"{link}?next={quote(target)}")
                self.assertRedirects(response, "/me/", fetch_redirect_response=False)
                self.assertLess(User.objects.get(email=email).last_login, timezone.now())
