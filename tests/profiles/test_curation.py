import re
from datetime import timedelta

from django.core import signing
from django.utils import timezone

from profiles.models import CurationRequest, OutgoingMail
from profiles.services import curation
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
        curation.show_author(author=self.bob_author)
        self.assertEqual(self.get(None, self.bob_author.get_absolute_url()).status_code, 200)

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
        self.assertEqual(CurationRequest.objects.get().address_hash, "")

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
