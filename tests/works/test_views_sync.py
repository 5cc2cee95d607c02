from datetime import timedelta
from unittest import mock
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client, TestCase
from django.utils import timezone

from tests.factories import make_author, make_user, make_work
from tests.works.sync_server import Reply, SourcesTestCase, recorded
from works.models import Author, Redirect, SyncRequest, SyncStep, Work
from works.services.authors import suppress_author
from works.sync.service import run_due
from works.views import sync

HTMX = {"HX-Request": "true"}
ARXIV = recorded("arxiv/atom/id_1605.08386_s0_m100_199195aa31ad.xml")


class MemberTestCase(SourcesTestCase, TestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.member = make_user()
        self.client.force_login(self.member, backend="django.contrib.auth.backends.ModelBackend")
        self.work = make_work("On counting", arxiv="1605.08386")
        self.path = f"/refresh/work/{self.work.pid}/"
        self.sources.give("/arxiv", ARXIV)

    def work_off(self) -> None:
        while run_due(self.client_of_sources):
            pass


class RefreshTests(MemberTestCase):
    def test_public_pages_hold_the_link_and_nothing_of_the_viewer(self) -> None:
        author = Author.objects.get(authorships__work=self.work)
        pages: list[tuple[Work | Author, str]] = [(self.work, "work"), (author, "author")]
        for record, kind in pages:
            with self.subTest(kind=kind):
                response = self.client.get(record.get_absolute_url())
                self.assertContains(response, f'href="/refresh/{kind}/{record.pid}/"')
                self.assertNotContains(response, "csrfmiddlewaretoken")
                self.assertEqual(response.content, Client().get(record.get_absolute_url()).content)

    def test_strangers_are_sent_to_log_in_and_come_back(self) -> None:
        for method in ("get", "post"):
            response = getattr(Client(), method)(self.path)
            self.assertRedirects(
                response, f"/accounts/login/?next={self.path}", fetch_redirect_response=False
            )
        response = Client().get(self.path, headers=HTMX)
        self.assertEqual(response.status_code, 204)
        self.assertEqual(
            response["HX-Redirect"], f"/accounts/login/?next=%2Frefresh%2Fwork%2F{self.work.pid}%2F"
        )
        self.assertFalse(SyncRequest.objects.exists())

    def test_members_without_a_confirmed_address_confirm_it_first(self) -> None:
        EmailAddress.objects.update(verified=False)
        self.assertContains(self.client.post(self.path), "Confirm your address first")
        response = self.client.post(self.path, headers=HTMX)
        self.assertEqual((response.status_code, response["HX-Redirect"]), (204, self.path))
        self.assertFalse(SyncRequest.objects.exists())

    def test_get_says_who_would_be_asked_and_asks_nobody(self) -> None:
        response = self.client.get(self.path)
        self.assertContains(response, "Ask OpenAlex and arXiv now")
        self.assertIn("no-store", response["Cache-Control"])
        self.assertFalse(SyncRequest.objects.exists())

    def test_posting_needs_a_token(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.member, backend="django.contrib.auth.backends.ModelBackend")
        self.assertEqual(client.post(self.path).status_code, 403)

    def test_without_javascript_it_asks_shows_progress_and_the_outcome(self) -> None:
        self.assertRedirects(self.client.post(self.path), self.path)
        response = self.client.get(self.path)
        self.assertContains(response, "The sources are being asked.")
        self.assertContains(response, f'<a class="button small" href="{self.path}"')
        self.work_off()
        response = self.client.get(self.path)
        self.assertContains(response, "1 record new or changed.")
        self.assertContains(response, "arXiv (127.0.0.1): 1 record, 1 new or changed")
        self.assertContains(response, "OpenAlex (127.0.0.1) does not know this record.")
        self.assertContains(response, self.work.get_absolute_url())
        self.assertNotContains(response, '<button class="button small primary">')

    def test_with_htmx_it_looks_again_slower_and_slower_and_stops(self) -> None:
        response = self.client.post(self.path, headers=HTMX)
        self.assertTemplateUsed(response, "works/_refresh.html")
        self.assertNotContains(response, "<html")
        self.assertContains(response, f'hx-get="{self.path}?looks=1" hx-trigger="load delay:1s"')
        last = len(sync.DELAYS) - 1
        response = self.client.get(f"{self.path}?looks={last}", headers=HTMX)
        self.assertContains(response, f"delay:{sync.DELAYS[-1]}s")
        response = self.client.get(f"{self.path}?looks={last + 1}", headers=HTMX)
        self.assertNotContains(response, "delay:")
        self.assertContains(response, "goes on by itself")
        self.work_off()
        response = self.client.get(f"{self.path}?looks=3", headers=HTMX)
        self.assertNotContains(response, "delay:")
        self.assertContains(response, "1 record new or changed.")

    def test_odd_numbers_of_looks_do_no_harm(self) -> None:
        self.client.post(self.path)
        for looks in ("-1", "x", "9" * 5000, "²", ""):
            with self.subTest(looks=looks[:5]):
                self.assertEqual(self.client.get(self.path, {"looks": looks}, headers=HTMX).status_code, 200)

    def test_a_record_is_refreshed_once_an_hour_whoever_asks(self) -> None:
        self.client.post(self.path)
        self.work_off()
        response = self.client.post(self.path)
        self.assertContains(response, "The sources were asked a short time ago.")
        self.assertEqual(SyncRequest.objects.count(), 1)
        SyncRequest.objects.update(finished_at=timezone.now() - timedelta(minutes=61))
        self.assertRedirects(self.client.post(self.path), self.path)
        self.assertEqual(SyncRequest.objects.count(), 2)

    def test_a_member_asks_for_so_many_records_an_hour(self) -> None:
        with mock.patch.object(sync, "ASKS_PER_HOUR", 1):
            self.client.post(self.path)
            other = make_work("Another", arxiv="1707.08567")
            response = self.client.post(f"/refresh/work/{other.pid}/")
        self.assertContains(response, "You can ask for 1 records an hour.")
        self.assertEqual(SyncRequest.objects.count(), 1)

    def test_a_failure_says_what_happened_and_when_to_try_again(self) -> None:
        self.sources.give("/arxiv", Reply(b"<html>down</html>", type="text/html"))
        self.client.post(self.path)
        self.work_off()
        response = self.client.get(self.path)
        self.assertContains(response, "No source gave a usable answer. Nothing was changed; try again later.")
        self.assertContains(response, "a web page instead of data")
        self.assertContains(response, "can be asked again after")

    def test_a_record_that_no_source_can_know_says_so(self) -> None:
        author = make_author("Nobody Known")
        path = f"/refresh/author/{author.pid}/"
        self.assertContains(self.client.get(path), "No source can be asked about this record")
        self.assertContains(self.client.post(path), "No source can be asked about this record")

    def test_hidden_and_unknown_records_are_not_there(self) -> None:
        hidden = make_author("Gone Away")
        suppress_author(hidden.pk, "asked")
        for path in (f"/refresh/author/{hidden.pid}/", "/refresh/author/zzzzzzz/", "/refresh/work/zzzzzzz/"):
            with self.subTest(path=path):
                self.assertEqual(self.client.get(path).status_code, 404)
                self.assertEqual(self.client.post(path).status_code, 404)
        self.assertEqual(self.client.get("/refresh/topic/zzzzzzz/").status_code, 404)

    def test_an_old_id_refreshes_the_record_that_stands(self) -> None:
        Redirect.objects.create(kind="work", old_pid="aaaaaaa", new_pid=self.work.pid)
        self.client.post("/refresh/work/aaaaaaa/")
        self.assertEqual(SyncRequest.objects.get().value, self.work.pid)


class AddWorkTests(MemberTestCase):
    path = "/works/add/"

    def setUp(self) -> None:
        super().setUp()
        self.path = "/works/add/"

    def add(self, identifier: str) -> str:
        response = self.client.post(self.path, {"identifier": identifier})
        self.assertEqual(response.status_code, 302, response.content[-500:])
        return response["Location"]

    def test_strangers_are_sent_to_log_in_and_come_back_with_their_identifier(self) -> None:
        response = Client().get(f"{self.path}?id=1707.08567")
        self.assertRedirects(
            response, "/accounts/login/?next=/works/add/%3Fid%3D1707.08567", fetch_redirect_response=False
        )

    def test_the_form_is_filled_from_the_address(self) -> None:
        self.assertContains(self.client.get(f"{self.path}?id=1707.08567"), 'value="1707.08567"')

    def test_a_work_that_is_here_is_shown_and_nobody_is_asked(self) -> None:
        for text in (
            "1605.08386",
            "arXiv:1605.08386v3",
            "https://doi.org/10.48550/arXiv.1605.08386",
            self.work.pid,
        ):
            with self.subTest(text=text):
                response = self.client.post(self.path, {"identifier": text})
                self.assertContains(response, "This work is here already")
                self.assertContains(response, self.work.get_absolute_url())
                self.assertContains(response, f"/refresh/work/{self.work.pid}/")
        self.assertFalse(SyncRequest.objects.exists())

    def test_an_unknown_work_is_asked_for_and_leads_to_its_page(self) -> None:
        self.sources.give("/arxiv", recorded("arxiv/atom/id_1707.08567_s0_m100_6a1afebfc6a3.xml"))
        place = self.add("1707.08567")
        response = self.client.get(place)
        self.assertContains(response, "The sources are being asked.")
        self.assertContains(response, f'hx-get="{place}?looks=1"')
        self.work_off()
        work = Work.objects.get(identifiers__value="1707.08567")
        self.assertRedirects(self.client.get(place), work.get_absolute_url())
        response = self.client.get(place, headers=HTMX)
        self.assertEqual((response.status_code, response["HX-Redirect"]), (204, work.get_absolute_url()))

    def test_an_id_that_was_merged_leads_to_the_work_that_stands(self) -> None:
        found = recorded("openalex/single/W4408732759.json.gz")
        self.sources.give(
            "/openalex/works/W1111111", Reply(status=301, headers={"Location": "/openalex/works/W4408732759"})
        )
        self.sources.give("/openalex/works/W4408732759", found)
        place = self.add("W1111111")
        self.work_off()
        work = Work.objects.get(identifiers__value="W4408732759")
        self.assertRedirects(self.client.get(place), work.get_absolute_url())

    def test_a_work_that_nobody_knows_says_what_to_do(self) -> None:
        place = self.add("10.1234/nobody-knows-this")
        self.work_off()
        response = self.client.get(place)
        self.assertContains(response, "None of the sources knows this record.")
        self.assertContains(response, "Check the identifier")
        self.assertContains(response, "/works/add/?id=10.1234/nobody-knows-this")
        # Asked again at once, the answer of a moment ago is shown.
        self.assertEqual(self.add("10.1234/nobody-knows-this"), place)

    def test_a_source_that_is_away_keeps_the_work_asked_for(self) -> None:
        for path in ("/openalex/works/doi:10.1234/later", "/crossref/works/10.1234/later"):
            self.sources.give(path, Reply(status=503))
        place = self.add("10.1234/later")
        self.work_off()
        response = self.client.get(place)
        self.assertContains(response, "is out of order (answer 503). Asked again at")
        self.assertNotContains(response, "Come back after")  # it is tried again within a minute
        SyncStep.objects.update(run_at=timezone.now() + timedelta(hours=1))
        response = self.client.get(place)
        self.assertContains(response, "Come back after")
        self.assertNotContains(response, "delay:")
        self.assertEqual(SyncStep.objects.filter(state="waiting").count(), 2)

    def test_what_is_no_identifier_is_told_beside_the_field(self) -> None:
        for text in (
            "Attention is all you need",
            "0000-0001-6187-6610",
            "",
            "A5023888391",
            "10.1\x00234/x",
            "x" * 700,
        ):
            with self.subTest(text=text[:20]):
                response = self.client.post(self.path, {"identifier": text})
                self.assertEqual(response.status_code, 200)
                self.assertContains(response, 'id="id_identifier_error"')
        self.assertFalse(SyncRequest.objects.exists())

    def test_hostile_text_stays_text(self) -> None:
        response = self.client.post(self.path, {"identifier": "<script>alert(1)</script>"})
        self.assertNotContains(response, "<script>alert")

    def test_progress_of_nothing_is_not_there(self) -> None:
        author = SyncRequest.objects.create(kind="author", scheme="pid", value="zzzzzzz")
        for pk in (uuid4(), author.pk):
            with self.subTest(pk=pk):
                self.assertEqual(self.client.get(f"/works/add/{pk}/").status_code, 404)
        self.assertEqual(self.client.post(f"/works/add/{author.pk}/").status_code, 405)

    def test_the_page_of_a_work_is_not_shadowed(self) -> None:
        self.assertEqual(self.client.get(self.work.get_absolute_url()).status_code, 200)
