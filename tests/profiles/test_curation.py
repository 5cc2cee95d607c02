import re
from datetime import timedelta

from django.core import signing
from django.utils import timezone

from profiles.exceptions import CurationError
from profiles.models import AuditEntry, Change, CurationRequest, Notification, OutgoingMail
from profiles.services import accounts, curation
from profiles.tasks import forget_addresses
from tests.profiles.cast import PeopleTestCase
from works.models import Suppression

State = CurationRequest.State


class CurationTests(PeopleTestCase):
    def setUp(self) -> None:
        self.path = f"/researchers/{self.bob_author.pid}/correct/"

    def ask(self, **fields: str) -> CurationRequest:
        data = {
            "kind": "removal",
            "email": "Somebody@Example.org",
            "message": "Please take me down.",
            **fields,
        }
        self.post(None, self.path, data)
        return CurationRequest.objects.order_by("created_at").last()

    def link(self) -> str:
        body = OutgoingMail.objects.order_by("pk").last().body
        return re.search(r"https?://[^/]+(/correct/\S+)", body)[1]

    def test_a_request_counts_once_the_address_is_confirmed(self) -> None:
        request = self.ask()
        self.assertEqual((request.state, request.email), (State.UNCONFIRMED, "somebody@example.org"))
        link = self.link()
        self.assertContains(self.get(None, link), "Confirm your request")
        request.refresh_from_db()
        self.assertEqual(request.state, State.UNCONFIRMED)  # opening the link is not confirming
        for _ in range(2):
            self.assertContains(self.post(None, link), "A moderator reads it")
        request.refresh_from_db()
        self.assertEqual(request.state, State.OPEN)

    def test_the_link_takes_a_request_back_before_and_after_it_was_confirmed(self) -> None:
        accounts.make_moderator(user=self.moderator)
        self.ask()
        path = self.link() + "withdraw/"
        self.assertEqual(self.get(None, path).status_code, 405)
        self.assertContains(self.post(None, path), "Your request is taken back")
        self.assertFalse(CurationRequest.objects.exists())
        self.assertContains(self.post(None, path), "This link does not work")
        request = self.ask()
        self.post(None, self.link())
        waiting = Notification.objects.filter(verb="curation_opened", read_at=None)
        self.assertEqual(waiting.count(), 1)
        CurationRequest.objects.update(created_at=timezone.now() - timedelta(days=30))
        self.assertContains(
            self.get(None, self.link()), "Take it back"
        )  # a confirmed one for as long as it waits
        self.assertContains(self.post(None, self.link() + "withdraw/"), "Your request is taken back")
        request.refresh_from_db()
        self.assertEqual((request.state, request.answer), (State.DECLINED, curation.TAKEN_BACK))
        self.assertEqual(waiting.count(), 0)
        self.assertContains(self.post(None, self.link() + "withdraw/"), "is decided already")
        self.assertContains(self.get(None, self.link()), "Taken back by the person who asked")

    def test_an_unconfirmed_request_is_over_after_seven_days(self) -> None:
        self.ask()
        CurationRequest.objects.update(created_at=timezone.now() - timedelta(days=8))
        self.assertContains(self.post(None, self.link()), "older than seven days")
        self.assertEqual(CurationRequest.objects.get().state, State.UNCONFIRMED)

    def test_a_wrong_or_old_link_says_so(self) -> None:
        self.ask()
        self.assertContains(self.get(None, "/correct/nonsense/"), "This link does not work")
        forged = signing.dumps(str(CurationRequest.objects.get().pk), salt="other")
        self.assertContains(self.post(None, f"/correct/{forged}/"), "This link does not work")
        self.assertEqual(CurationRequest.objects.get().state, State.UNCONFIRMED)

    def test_hiding_suppresses_and_answers_and_can_be_lifted(self) -> None:
        request = curation.confirm_request(request=self.ask())
        curation.hide_author(request=request, actor=self.moderator, answer="Your page is hidden.")
        self.bob_author.refresh_from_db()
        self.assertTrue(self.bob_author.suppressed)
        self.assertTrue(Suppression.objects.filter(author=self.bob_author, lifted_at=None).exists())
        self.assertEqual(self.get(None, self.bob_author.get_absolute_url()).status_code, 410)
        answer = OutgoingMail.objects.order_by("pk").last()
        self.assertEqual(answer.recipients, ["somebody@example.org"])
        self.assertIn("Your page is hidden.", answer.body)
        curation.show_author(author=self.bob_author, actor=self.moderator, reason="They asked again.")
        self.assertEqual(self.get(None, self.bob_author.get_absolute_url()).status_code, 200)
        entries = AuditEntry.objects.filter(actor=self.moderator).order_by("pk")
        self.assertEqual(
            [(entry.action, entry.subject) for entry in entries],
            [
                ("curation.done", f"curation:{request.pk}"),
                ("author.hide", f"author:{self.bob_author.pk}"),
                ("author.show", f"author:{self.bob_author.pk}"),
            ],
        )
        changes = Change.objects.filter(author=self.bob_author).order_by("at")
        self.assertEqual(
            [(c.kind, c.after) for c in changes],
            [("hidden", {"hidden": True}), ("hidden", {"hidden": False})],
        )

    def test_a_page_joined_with_another_meanwhile_is_hidden_where_it_stands(self) -> None:
        request = curation.confirm_request(request=self.ask())
        self.bob_author.merged_into = self.charlie_author
        self.bob_author.save()
        curation.hide_author(request=request, actor=self.moderator, answer="Hidden.")
        self.charlie_author.refresh_from_db()
        self.assertTrue(self.charlie_author.suppressed)

    def test_a_work_is_not_hidden_and_nothing_is_decided(self) -> None:
        request = curation.request_curation(
            kind="correction", record=self.joint_work, email="a@example.org", message="The year is wrong."
        )
        request = curation.confirm_request(request=request)
        with self.assertRaisesMessage(CurationError, "Only a researcher's page can be hidden."):
            curation.hide_author(request=request, actor=self.moderator, answer="Hidden.")
        request.refresh_from_db()
        self.assertEqual((request.state, AuditEntry.objects.count()), (State.OPEN, 0))

    def test_three_a_day_per_address_of_mail(self) -> None:
        for _ in range(curation.PER_EMAIL_A_DAY + 1):
            self.ask()
        self.assertEqual(CurationRequest.objects.count(), curation.PER_EMAIL_A_DAY)

    def test_ten_a_day_per_network_address_which_is_not_kept(self) -> None:
        for number in range(curation.PER_ADDRESS_A_DAY + 1):
            self.ask(email=f"somebody{number}@example.org")
        self.assertEqual(CurationRequest.objects.count(), curation.PER_ADDRESS_A_DAY)
        self.assertNotIn("127.0.0.1", CurationRequest.objects.first().address_hash)

    def test_hashes_and_dead_requests_are_forgotten(self) -> None:
        self.ask()
        curation.confirm_request(request=self.ask())
        CurationRequest.objects.update(created_at=timezone.now() - timedelta(days=8))
        forget_addresses()
        request = CurationRequest.objects.get()
        self.assertEqual((request.address_hash, request.email), ("", "somebody@example.org"))
        curation.decide_request(request=request, actor=self.moderator, done=True, answer="Done.")
        CurationRequest.objects.update(decided_at=timezone.now() - curation.ADDRESS_KEPT - timedelta(days=1))
        forget_addresses()
        request.refresh_from_db()
        self.assertEqual((request.email, request.answer), ("", "Done."))

    def test_an_incomplete_form_is_asked_again(self) -> None:
        response = self.post(None, self.path, {"kind": "removal", "email": "no", "message": ""})
        self.assertContains(response, 'role="alert"', status_code=200)
        self.assertFalse(CurationRequest.objects.exists())

    def test_works_are_corrected_but_not_removed(self) -> None:
        path = f"/works/{self.joint_work.pid}/correct/"
        data = {"email": "a@example.org", "message": "The year is wrong."}
        self.post(None, path, {**data, "kind": "removal"})
        self.assertFalse(CurationRequest.objects.exists())
        self.post(None, path, {**data, "kind": "correction"})
        self.assertEqual(CurationRequest.objects.get().work, self.joint_work)

    def test_the_link_of_a_page_leads_to_its_form(self) -> None:
        address = f"http://x.example{self.bob_author.get_absolute_url()}?tab=works"
        self.assertRedirects(self.get(None, f"/correct/?page={address}"), self.path)
        self.assertContains(self.get(None, "/correct/?page=nonsense"), "not the address of a researcher")
