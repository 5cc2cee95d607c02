import json
import time as clock
from datetime import UTC, datetime, time
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.test import SimpleTestCase, override_settings

from profiles.exceptions import PreferenceError
from profiles.models import MailChoice, MailTrouble, Notification, OutgoingMail, Preferences
from profiles.services import mail_events, preferences
from profiles.services.notifications import notify
from tests.profiles.cast import PeopleTestCase, client_of

PAGE = "/me/settings/notifications/"
SECRET = "a long secret of the host"
DATA = {
    "mail_invitations": "daily", "mail_messages": "never", "mail_record": "weekly", "mail_followed": "never",
    "mail_followers": "at_once", "time_zone": "Asia/Tokyo", "quiet_from": "22:00", "quiet_until": "07:00",
}  # fmt: skip


class ChoicesTests(PeopleTestCase):
    def test_without_a_choice_the_defaults_hold(self) -> None:
        self.assertEqual(
            preferences.choices_of(self.bob),
            {"invitations": "at_once", "messages": "at_once", "record": "at_once", "followed": "weekly", "followers": "never"},
        )  # fmt: skip

    def test_choices_are_saved_and_shown(self) -> None:
        self.assertRedirects(self.post(self.bob, PAGE, DATA), PAGE)
        self.assertEqual(preferences.choices_of(self.bob)["messages"], "never")
        row = Preferences.objects.get(user=self.bob)
        self.assertEqual((row.time_zone, row.quiet_from, row.quiet_until), ("Asia/Tokyo", time(22), time(7)))
        self.assertContains(self.get(self.bob, PAGE), '<option value="Asia/Tokyo" selected>')
        self.assertEqual(preferences.choices_of(self.charlie)["messages"], "at_once")

    def test_what_is_no_choice_is_refused_in_words_and_nothing_is_saved(self) -> None:
        for change in (
            {"time_zone": "Mars/Olympus"}, {"mail_messages": "hourly"}, {"quiet_from": "25:99"}, {"quiet_until": ""},
            {"time_zone": "\x00"},
        ):  # fmt: skip
            with self.subTest(change=change):
                response = self.post(self.bob, PAGE, {**DATA, **change})
                self.assertContains(response, 'role="alert"')
                self.assertFalse(MailChoice.objects.exists())

    def test_a_kind_of_mail_is_found_for_every_verb(self) -> None:
        kinds = {verb: preferences.kind_of(verb) for verb in Notification.Verb}
        self.assertEqual(kinds["message_received"], "messages")
        self.assertEqual(kinds["followed"], "followers")
        self.assertEqual(kinds["introduction_asked"], "invitations")
        self.assertEqual(kinds["claim_accepted"], "record")


class QuietTests(SimpleTestCase):
    def row(self, start: int, end: int, zone: str = "Asia/Tokyo") -> Preferences:
        return Preferences(time_zone=zone, quiet_from=time(start), quiet_until=time(end))

    def test_quiet_hours_are_those_of_the_members_place_and_may_pass_midnight(self) -> None:
        at = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)  # 23:30 in Tokyo
        self.assertTrue(preferences.is_quiet(self.row(22, 7), at))
        self.assertFalse(preferences.is_quiet(self.row(1, 7), at))
        self.assertTrue(preferences.is_quiet(self.row(23, 0), at.replace(hour=14)))
        self.assertFalse(preferences.is_quiet(self.row(22, 7, "UTC"), at))
        self.assertTrue(preferences.is_quiet(self.row(14, 15, "Nowhere/Lost"), at))
        self.assertFalse(preferences.is_quiet(None, at))

    def test_a_change_of_clocks_moves_them_along(self) -> None:
        row = self.row(22, 7, "Europe/Berlin")
        self.assertTrue(preferences.is_quiet(row, datetime(2026, 3, 28, 21, 30, tzinfo=UTC)))  # 22:30, winter
        self.assertTrue(preferences.is_quiet(row, datetime(2026, 3, 29, 20, 30, tzinfo=UTC)))  # 22:30, summer
        self.assertFalse(preferences.is_quiet(row, datetime(2026, 3, 28, 20, 30, tzinfo=UTC)))


class StopTests(PeopleTestCase):
    def tell(self) -> OutgoingMail:
        notify(
            recipient=self.alice, actor=self.bob, verb=Notification.Verb.MESSAGE_RECEIVED, target_url="/me/",
            target_text="A bridge", event_key="event:1",
        )  # fmt: skip
        return OutgoingMail.objects.get()

    def test_every_mail_is_text_and_html_and_says_how_it_is_stopped(self) -> None:
        mail = self.tell()
        address = mail.headers["List-Unsubscribe"].strip("<>")
        self.assertEqual(mail.headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
        for body in (mail.body, mail.body_html):
            self.assertIn(address, body)
            self.assertIn("A bridge", body)
            self.assertNotIn("{{", body)
        self.assertIn("<html", mail.body_html)

    def test_one_click_stops_the_kind_without_log_in_and_get_changes_nothing(self) -> None:
        path = urlsplit(self.tell().headers["List-Unsubscribe"].strip("<>")).path
        client = client_of(None, enforce_csrf_checks=True)
        self.assertContains(client.get(path), "Stop these mails")
        self.assertEqual(preferences.choices_of(self.alice)["messages"], "at_once")
        self.assertContains(client.post(path, {"List-Unsubscribe": "One-Click"}), "Done")
        self.assertEqual(preferences.choices_of(self.alice)["messages"], "never")
        self.assertEqual(preferences.choices_of(self.alice)["invitations"], "at_once")
        self.assertEqual(client.post(path).status_code, 200)

    def test_a_digests_link_stops_what_comes_daily_or_weekly(self) -> None:
        preferences.stop(user=self.alice, kind=preferences.DIGEST)
        chosen = preferences.choices_of(self.alice)
        self.assertEqual((chosen["followed"], chosen["messages"]), ("never", "at_once"))

    def test_a_changed_link_stops_nothing(self) -> None:
        path = urlsplit(preferences.stop_address(self.alice, "messages")).path
        for wrong in (
            path[:-3] + "x/",
            "/mail/stop/x/",
            f"/mail/stop/{'x' * 900}/",
            "/mail/stop/%F0%9F%98%80/",
        ):
            with self.subTest(path=wrong):
                self.assertEqual(self.post(None, wrong).status_code, 404)
        self.assertFalse(MailChoice.objects.exists())

    def test_what_is_never_wanted_by_mail_is_in_the_page_alone(self) -> None:
        preferences.stop(user=self.alice, kind="messages")
        with self.assertRaises(OutgoingMail.DoesNotExist):
            self.tell()
        self.assertEqual(Notification.objects.filter(recipient=self.alice).count(), 1)


@override_settings(MAIL_WEBHOOK_SECRET=SECRET)
class TroubleTests(PeopleTestCase):
    def send(
        self, body: bytes, *, at: float | None = None, secret: str = SECRET
    ) -> tuple[int, dict[str, object]]:
        timestamp = str(int(at or clock.time()))
        response = client_of(None, enforce_csrf_checks=True).post(
            "/mail/trouble/", body, content_type="application/json",
            headers={"X-Timestamp": timestamp, "X-Signature": mail_events.signature_of(body, timestamp, secret)},
        )  # fmt: skip
        return response.status_code, response.json()

    def bounce(self, email: str, kind: str = "bounce") -> bytes:
        return json.dumps({"events": [{"email": email, "kind": kind, "detail": "550 no such user"}]}).encode()

    def test_a_bounce_stops_mail_to_the_address_and_the_settings_say_so(self) -> None:
        self.assertEqual(self.send(self.bounce(self.alice.email.upper())), (200, {"received": 1, "known": 1}))
        notify(
            recipient=self.alice,
            verb=Notification.Verb.CLAIM_ACCEPTED,
            target_url="/me/",
            target_text="x",
            event_key="x",
        )
        self.assertFalse(OutgoingMail.objects.exists())
        self.assertContains(self.get(self.alice, PAGE), "550 no such user")

    def test_strangers_addresses_are_not_kept(self) -> None:
        self.assertEqual(self.send(self.bounce("stranger@example.org")), (200, {"received": 1, "known": 0}))
        self.assertFalse(MailTrouble.objects.exists())

    def test_a_complaint_stays_one(self) -> None:
        for kind in ("complaint", "bounce"):
            self.send(self.bounce(self.alice.email, kind))
        self.assertEqual(MailTrouble.objects.get().kind, "complaint")

    def test_what_is_not_signed_rightly_or_now_is_refused(self) -> None:
        body = self.bounce(self.alice.email)
        for options in ({"secret": "other"}, {"at": clock.time() - 4000}, {"at": clock.time() + 4000}):
            self.assertEqual(self.send(body, **options)[0], 403)
        self.assertEqual(self.post(None, "/mail/trouble/").status_code, 403)
        with override_settings(MAIL_WEBHOOK_SECRET=""):
            self.assertEqual(self.send(body, secret="")[0], 403)
        self.assertFalse(MailTrouble.objects.exists())

    def test_signed_nonsense_is_refused_in_words(self) -> None:
        for body in (
            b"", b"[" * 100_000, b"[]", b'{"events": {}}', b'{"events": [1]}', b'{"events": [{"email": 5, "kind": "bounce"}]}',
            b'{"events": [{"email": "x@example.org", "kind": ["bounce"]}]}', b"\xff", b'{"events": [' + b"1," * 2000 + b"1]}",
        ):  # fmt: skip
            with self.subTest(body=body[:40]):
                status, answer = self.send(body)
                self.assertEqual(status, 400)
                self.assertIn("error", answer)

    def test_the_link_that_was_asked_for_ends_it(self) -> None:
        self.send(self.bounce(self.alice.email))
        self.post(self.alice, f"{PAGE}address/")
        mail = OutgoingMail.objects.get()
        self.assertEqual(mail.recipients, [self.alice.email])
        path = next(urlsplit(line).path for line in mail.body.splitlines() if "/mail/again/" in line)
        self.assertContains(self.get(None, path), "Mail arrives")
        self.assertTrue(MailTrouble.objects.exists())
        self.post(None, path)
        self.assertFalse(MailTrouble.objects.exists())

    def test_confirming_the_address_anew_ends_it(self) -> None:
        self.send(self.bounce(self.bob.email))
        preferences.on_confirmed(sender=None, email_address=EmailAddress.objects.get(user=self.bob))
        self.assertFalse(MailTrouble.objects.exists())

    def test_the_link_is_of_no_use_to_somebody_without_that_address(self) -> None:
        path = urlsplit(preferences.again_address(self.alice)).path
        EmailAddress.objects.filter(user=self.alice).delete()
        self.assertEqual(self.post(None, path).status_code, 404)
        self.assertEqual(self.post(None, "/mail/again/x/").status_code, 404)


class ServiceTests(PeopleTestCase):
    def test_half_of_quiet_hours_are_none(self) -> None:
        with self.assertRaises(PreferenceError):
            preferences.save_choices(
                user=self.bob, often={}, time_zone="UTC", quiet_from=time(1), quiet_until=None
            )
