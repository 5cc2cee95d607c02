from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.models import Change, Claim, Photo, Researcher, ResearcherLink, ShownWork
from profiles.services import owner_photo, pages
from profiles.views.owner_parts import PARTS
from tests.factories import make_author, make_claimed, make_user, make_work
from tests.profiles.cast import HTMX, client_of
from tests.profiles.pictures import picture
from trust.models import TrustScore
from works.models import Author, Authorship, AuthorshipDecision, NameOverride, SyncRequest
from works.services.counts import refresh_authors


class OwnPageTestCase(TestCase):
    def setUp(self) -> None:
        cache.clear()
        self.researcher = make_claimed("Alice Ngata")
        self.user, self.author = self.researcher.user, self.researcher.author
        self.works = [
            make_work(f"Work {year}", authors=[self.author], year=year) for year in (2019, 2020, 2021)
        ]
        refresh_authors([self.author.pk])
        self.client = client_of(self.user)

    def save(self, part: str, data: dict[str, Any], **options: Any) -> HttpResponse:
        return self.client.post(f"/me/page/{part}/", data, **options)

    def public(self, query: str = "") -> HttpResponse:
        return Client().get(Author.objects.get(pk=self.author.pk).get_absolute_url() + query)


class PartTests(OwnPageTestCase):
    def test_every_part_is_a_section_of_the_page_a_page_and_a_fragment(self) -> None:
        page = self.client.get("/me/page/")
        for name in PARTS:
            with self.subTest(name):
                self.assertContains(page, f'id="part-{name}"')
                alone = self.client.get(f"/me/page/{name}/")
                self.assertContains(alone, f'id="part-{name}"')
                self.assertContains(alone, "<html")
                fragment = self.client.get(f"/me/page/{name}/", headers=HTMX)
                self.assertContains(fragment, f'<section id="part-{name}"')
                self.assertNotContains(fragment, "<html")
                self.assertIn("no-store", alone["Cache-Control"])

    def test_an_unknown_part_is_404(self) -> None:
        for method in ("get", "post"):
            self.assertEqual(getattr(self.client, method)("/me/page/horoscope/").status_code, 404)

    def test_strangers_log_in_and_members_without_a_page_are_told_how_to_get_one(self) -> None:
        for path in ("/me/page/", "/me/page/bio/", "/me/page/history/", "/me/page/preview/", "/me/page/add/"):
            response = Client().get(path)
            self.assertRedirects(response, f"/accounts/login/?next={path}", fetch_redirect_response=False)
            self.assertContains(client_of(make_user("Charlie")).get(path), "You hold no page yet")

    def test_posting_needs_a_token(self) -> None:
        client = client_of(self.user, enforce_csrf_checks=True)
        self.assertEqual(client.post("/me/page/bio/", {"bio": "x"}).status_code, 403)

    def test_without_scripts_saving_leads_back_to_the_page(self) -> None:
        response = self.save("bio", {"bio": "I *count*."})
        self.assertRedirects(response, "/me/page/#part-bio", fetch_redirect_response=False)
        self.assertContains(self.client.get("/me/page/"), "Saved.")
        self.assertContains(self.public(), "I <em>count</em>.")

    def test_with_htmx_the_section_comes_back_saved(self) -> None:
        response = self.save("bio", {"bio": "I *count*."}, headers=HTMX)
        self.assertContains(response, "I <em>count</em>.")
        self.assertContains(response, "Saved.")
        self.assertNotContains(response, "<textarea")

    def test_what_is_wrong_comes_back_with_the_reason(self) -> None:
        for data in ({"bio": "x" * 2001}, {"bio": "x" * 999_000}, {"bio": "ab\x00c" * 1000}):
            response = self.save("bio", data, headers=HTMX)
            self.assertEqual(response.status_code, 200)
            self.assertContains(response, "error-summary")
        self.assertEqual(Researcher.objects.get().bio, "")

    def test_script_in_a_text_reaches_nobody(self) -> None:
        self.save("bio", {"bio": "<script>alert(1)</script> [x](javascript:alert(1))"})
        for response in (self.public(), self.client.get("/me/page/"), self.client.get("/me/page/history/")):
            self.assertNotContains(response, "<script>alert")
            self.assertNotContains(response, 'href="javascript')

    def test_a_text_can_be_previewed_before_it_is_saved(self) -> None:
        response = self.client.post("/me/page/bio/preview/", {"bio": "*new*"}, headers=HTMX)
        self.assertContains(response, "<em>new</em>")
        self.assertContains(self.client.post("/me/page/bio/preview/", {"bio": "*new*"}), "not saved yet")
        self.assertEqual(Researcher.objects.get().bio, "")

    def test_links_are_shown_with_what_they_are(self) -> None:
        self.save(
            "links", {"url_1": "https://alice.example/", "label_1": "Home", "url_3": "https://b.example/"}
        )
        ResearcherLink.objects.filter(label="Home").update(
            checked_at=timezone.now(), links_back_at=datetime(2026, 11, 3, tzinfo=UTC)
        )  # fmt: skip
        page = self.public()
        self.assertContains(
            page,
            '<a href="https://alice.example/" rel="nofollow ugc me noopener external"><bdi>Home</bdi></a>',
        )
        self.assertContains(page, "links back, checked <time")
        self.assertContains(page, "3 Nov 2026")
        response = self.save("links", {"url_1": "javascript:alert(1)"}, headers=HTMX)
        self.assertContains(response, "is no address that begins with https://")
        self.assertContains(response, 'value="javascript:alert(1)"')
        self.assertEqual(ResearcherLink.objects.count(), 2)

    def test_availability_is_shown_in_words(self) -> None:
        until = timezone.localdate() + timedelta(days=30)
        self.save(
            "availability",
            {"is_open": "on", "scope": "river data", "role": "data", "until": until.isoformat()},
        )
        page = self.public()
        self.assertContains(page, "Open to collaborate on <bdi>river data</bdi>, as data or code, until")
        Researcher.objects.update(open_until=timezone.localdate() - timedelta(days=1))
        page = self.public()
        self.assertContains(page, "Was open to collaborate until")
        self.assertNotContains(page, '<span class="chip open">')
        for bad in ({"until": "2001-01-01", "is_open": "on"}, {"until": "soon"}, {"role": "emperor"}):
            self.assertContains(self.save("availability", bad, headers=HTMX), "error-summary")

    def test_the_number_can_be_hidden_everywhere(self) -> None:
        TrustScore.objects.create(
            author=self.author, value=37, level=3, parts=[], formula_version=1, computed_at=timezone.now()
        )
        trust = reverse("trust:author_trust", args=[self.author.pid, "alice-ngata"])
        self.assertContains(self.public(), "Trust 37")
        self.assertContains(Client().get(trust), "Why 37?")
        self.save("number", {})
        for response in (self.public(), Client().get(trust)):
            self.assertNotContains(response, "37")
            self.assertContains(response, "L3")
        self.assertFalse(Researcher.objects.get().shows_number)
        self.save("number", {"shows": "on"})
        self.assertContains(self.public(), "Trust 37")

    def test_names_are_chosen_and_hidden(self) -> None:
        Authorship.objects.filter(work=self.works[0]).update(raw_author_name="Alice Former")
        refresh_authors([self.author.pk])
        self.save("name", {"choice": "", "other": "A. Ngata"})
        self.assertRedirects(
            Client().get(self.author.get_absolute_url()), f"/researchers/{self.author.pid}/a-ngata/", 301
        )
        self.assertContains(
            self.save("name", {"other": "Marie Curie"}, headers=HTMX), "stands on none of your works"
        )
        self.assertContains(self.save("name", {"choice": "Marie Curie"}, headers=HTMX), "error-summary")
        self.save("former-names", {"name": "Alice Former"})
        self.assertContains(self.client.get("/me/page/"), "Only you see this list")
        self.assertNotContains(self.public(), "Former")
        for number in ("x", "9" * 30, "-1", "0"):
            response = self.save("former-names", {"again": number}, headers=HTMX)
            self.assertContains(response, "not hidden any more")
        self.save("former-names", {"again": NameOverride.objects.get(is_hidden=True).pk})
        self.assertContains(self.public(), "Former")

    def test_a_dispute_shows_everything_and_changes_nothing(self) -> None:
        Claim.objects.update(state=Claim.State.DISPUTED)
        page = self.client.get("/me/page/")
        self.assertContains(page, "Your claim is disputed")
        self.assertNotContains(page, "hx-post")
        for name in PARTS:
            self.assertNotContains(self.client.get(f"/me/page/{name}/"), "hx-post")
        response = self.save("bio", {"bio": "new"}, headers=HTMX)
        self.assertContains(response, "disputed")
        step = {"work": self.works[0].pid, "step": "disown"}
        self.assertContains(self.save("works", step, headers=HTMX), "disputed")
        self.assertContains(self.client.post("/me/page/add/", {"identifier": self.works[0].pid}), "disputed")
        self.assertFalse(Change.objects.exists())


class PhotoTests(OwnPageTestCase):
    def upload(self, data: bytes, name: str = "me.jpg", **fields: Any) -> HttpResponse:
        return self.save(
            "photo", {"photo": SimpleUploadedFile(name, data, "image/jpeg"), **fields}, headers=HTMX
        )

    def test_a_picture_is_shown_with_its_words_and_kept_by_caches(self) -> None:
        self.assertContains(self.upload(picture(), alt="Alice <b>"), "Saved.")
        digest = Photo.objects.get().digest
        address = f"/researchers/{self.author.pid}/photo-{digest}.webp"
        self.assertContains(self.public(), f'src="{address}" alt="Alice &lt;b&gt;"')
        response = Client().get(address)
        self.assertEqual((response.status_code, response["Content-Type"]), (200, "image/webp"))
        self.assertIn("immutable", response["Cache-Control"])
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertEqual(Client().get(address, headers={"If-None-Match": response["ETag"]}).status_code, 304)

    def test_only_the_picture_of_now_is_sent(self) -> None:
        self.upload(picture())
        address = f"/researchers/{self.author.pid}/photo-{Photo.objects.get().digest}.webp"
        other = make_author("Other")
        for path in (
            address.replace(self.author.pid, other.pid),
            f"/researchers/{self.author.pid}/photo-{'0' * 16}.webp",
        ):
            self.assertEqual(Client().get(path).status_code, 404, path)
        self.save("photo", {"remove": "1"})
        self.assertEqual(Client().get(address).status_code, 404)
        self.assertNotContains(self.public(), ".webp")

    def test_a_hidden_page_shows_no_picture(self) -> None:
        self.upload(picture())
        Author.objects.filter(pk=self.author.pk).update(suppressed=True)
        address = f"/researchers/{self.author.pid}/photo-{Photo.objects.get().digest}.webp"
        self.assertEqual(Client().get(address).status_code, 404)

    def test_what_is_no_picture_is_refused_in_words(self) -> None:
        for data in (b"<svg onload=alert(1)></svg>", b"x" * (owner_photo.MAX_BYTES + 10), b"\x00" * 100):
            self.assertContains(self.upload(data, name="a\x00b.svg"), "error-summary")
        self.assertContains(self.save("photo", {"alt": "words"}, headers=HTMX), "There is no picture yet")
        self.assertFalse(Photo.objects.exists())


class WorksTests(OwnPageTestCase):
    def step(self, step: str, work: Any, **options: Any) -> HttpResponse:
        return self.save("works", {"step": step, "work": getattr(work, "pid", work)}, **options)

    def test_order_and_highlights_reach_the_public_page(self) -> None:
        oldest, middle, newest = self.works
        self.step("up", oldest)
        self.step("highlight", middle)
        page = self.public()
        self.assertEqual(list(page.context["page"]), [middle, oldest, newest])
        self.assertContains(page, "Highlighted by the researcher", count=1)
        self.assertContains(page, "Their order")
        self.assertEqual(list(self.public("?sort=oldest").context["page"]), [oldest, middle, newest])
        self.assertEqual(list(self.public("?sort=newest").context["page"]), [newest, middle, oldest])

    def test_works_of_others_are_404_and_nonsense_is_said_so(self) -> None:
        foreign = make_work("Foreign")
        for step in ("up", "highlight", "disown"):
            self.assertEqual(self.step(step, foreign).status_code, 404)
            self.assertEqual(self.step(step, "zzzzzzz").status_code, 404)
            self.assertEqual(self.step(step, "../../x").status_code, 404)
        for data in ({"step": "explode", "work": self.works[0].pid}, {"step": "up", "work": "\x00"}, {}):
            self.assertContains(self.save("works", data, headers=HTMX), "not known")
        self.assertFalse(ShownWork.objects.exists())
        self.assertFalse(AuthorshipDecision.objects.exists())

    def test_not_mine_leaves_the_page_at_once_and_says_how_many(self) -> None:
        response = self.step("disown", self.works[0], headers=HTMX)
        self.assertContains(response, "The work left your page")
        change = Change.objects.get()
        self.assertContains(response, f"/me/page/history/{change.pk}/undo/")
        page = self.public()
        self.assertNotContains(page, "Work 2019")
        self.assertContains(page, "2 published item(s)")
        self.assertContains(page, "1 work marked by the researcher: 1 “not mine”")
        self.client.post(f"/me/page/history/{change.pk}/undo/")
        self.assertContains(self.public(), "Work 2019")

    def test_a_work_that_is_here_is_added_or_the_reason_given(self) -> None:
        lost = make_work("Lost", authors=[make_author("A. Ngata")], doi="10.1000/lost")
        strange = make_work("Strange", doi="10.1000/strange")
        response = self.client.post(
            "/me/page/add/", {"identifier": "https://doi.org/10.1000/LOST"}, follow=True
        )
        self.assertContains(response, "“Lost” is on your page.")
        self.assertTrue(Authorship.objects.filter(work=lost, author=self.author).exists())
        response = self.client.post("/me/page/add/", {"identifier": strange.pid})
        self.assertContains(response, "None of the names on this work agrees with yours.")
        for text in ("", "nonsense", "\x00", "x" * 5000):
            self.assertContains(self.client.post("/me/page/add/", {"identifier": text}), "error-summary")

    def test_a_work_that_is_not_here_is_asked_for_and_then_offered(self) -> None:
        response = self.client.post("/me/page/add/", {"identifier": "10.1000/new"})
        asked = SyncRequest.objects.get()
        self.assertRedirects(response, f"/me/page/add/{asked.pk}/")
        make_work("New", authors=[make_author("Alice Ngata")], doi="10.1000/new")
        SyncRequest.objects.update(state=SyncRequest.State.DONE, finished_at=timezone.now())
        response = self.client.get(f"/me/page/add/{asked.pk}/")
        self.assertContains(response, "Put it on my page")
        self.assertFalse(AuthorshipDecision.objects.exists())
        self.assertEqual(self.client.get(f"/me/page/add/{uuid4()}/").status_code, 404)


BIB = """
@article{a, title={Already On It}, author={Ngata, Alice}, year=2020, doi={10.1000/on}}
@article{b, title={Under A Double}, author={Ngata, A. and Stone, Bob}, year=2021, doi={10.1000/double}}
@article{c, title={Not Here Yet}, author={Ngata, Alice}, year=2022, doi={10.1000/fresh}}
@article{d, title={Of Somebody Else}, author={Curie, Marie}, year=1903, doi={10.1000/radium}}
@article{e, title={<script>alert(1)</script> Without Id}, author={Ngata, Alice}, year=2001}
@article{broken, title={
"""
RIS = "TY  - JOUR\r\nTI  - From RIS\r\nAU  - Ngata, Alice\r\nPY  - 2020\r\nDO  - 10.1000/ris\r\nER  - \r\n"


class ListTests(OwnPageTestCase):
    def read(self, text: str | bytes, name: str = "mine.bib") -> HttpResponse:
        data = text.encode() if isinstance(text, str) else text
        return self.client.post("/me/page/add/list/", {"file": SimpleUploadedFile(name, data)})

    def test_a_list_is_sorted_before_anything_happens(self) -> None:
        make_work("Already On It", authors=[self.author], doi="10.1000/on")
        double = make_work("Under A Double", authors=[make_author("A. Ngata")], doi="10.1000/double")
        context = self.read(BIB).context
        titles = {
            key: [item.title for item in context[key]]
            for key in ("on_page", "here", "new", "other_name", "no_identifier")
        }
        self.assertEqual(titles["on_page"], ["Already On It"])
        self.assertEqual(titles["here"], ["Under A Double"])
        self.assertEqual(titles["new"], ["Not Here Yet"])
        self.assertEqual(titles["other_name"], ["Of Somebody Else"])
        self.assertEqual(len(titles["no_identifier"]), 1)
        self.assertNotContains(self.read(BIB), "<script>alert")
        self.assertFalse(AuthorshipDecision.objects.exists() or SyncRequest.objects.exists())
        response = self.client.post(
            "/me/page/add/chosen/", {"work": [double.pid], "new": ["doi:10.1000/fresh"]}
        )
        self.assertContains(response, "1 work came to your page")
        self.assertTrue(Authorship.objects.filter(work=double, author=self.author).exists())
        self.assertEqual(SyncRequest.objects.get().value, "10.1000/fresh")

    def test_ris_is_read_too(self) -> None:
        self.assertEqual(
            [item.identifier for item in self.read(RIS, "x.txt").context["new"]], ["doi:10.1000/ris"]
        )

    def test_forged_choices_change_nothing(self) -> None:
        strange = make_work("Strange")
        held = make_work("Held", authors=[make_author("Alice Ngata", claimed=True)])
        data = {"work": [strange.pid, held.pid, "\x00", "x" * 999], "new": ["\x00", "nonsense", "y" * 9999]}
        response = self.client.post("/me/page/add/chosen/", data)
        self.assertContains(response, "0 works came to your page")
        self.assertEqual(self.client.post("/me/page/add/chosen/", {"work": ["zzzzzzz"]}).status_code, 404)
        self.assertFalse(AuthorshipDecision.objects.exists() or SyncRequest.objects.exists())

    def test_files_that_are_no_list_are_refused_in_words(self) -> None:
        for data in (
            b"", b"\x00" * 500, b"<html><body>Not found</body></html>", b"%PDF-1.4", b"{" * 100_000, b"@" * 100_000,
            b"@article{a," * 2000, b"x" * 2_000_001, (BIB * 101).encode(),
        ):  # fmt: skip
            response = self.read(data)
            self.assertEqual(response.status_code, 200, data[:20])
        self.assertContains(self.client.post("/me/page/add/list/", {}), "error-summary")
        self.assertFalse(SyncRequest.objects.exists())


class HistoryTests(OwnPageTestCase):
    def test_changes_are_listed_and_undone(self) -> None:
        self.save("bio", {"bio": "one"})
        change = Change.objects.get()
        address = f"/me/page/history/{change.pk}/undo/"
        self.assertContains(self.client.get("/me/page/history/"), address)
        self.assertEqual(self.client.get(address).status_code, 405)
        self.assertRedirects(self.client.post(address), "/me/page/history/")
        self.assertEqual(Researcher.objects.get().bio, "")
        self.assertNotContains(self.client.get("/me/page/history/"), address)
        self.assertContains(self.client.post(address), "undone already")

    def test_what_was_changed_again_is_asked_about(self) -> None:
        self.save("bio", {"bio": "one"})
        change = Change.objects.get()
        self.save("bio", {"bio": "two"})
        address = f"/me/page/history/{change.pk}/undo/"
        response = self.client.post(address)
        self.assertContains(response, "changed again later")
        self.assertContains(response, "Put back what stood before")
        self.assertEqual(Researcher.objects.get().bio, "two")
        self.client.post(address, {"restore": "1"})
        self.assertEqual(Researcher.objects.get().bio, "")

    def test_changes_of_others_are_404(self) -> None:
        other = make_claimed("Dora Lund")
        change = pages.set_bio(researcher=other, bio="mine")
        assert change
        self.assertEqual(self.client.post(f"/me/page/history/{change.pk}/undo/").status_code, 404)
        self.assertEqual(self.client.post(f"/me/page/history/{uuid4()}/undo/").status_code, 404)
        self.assertNotContains(self.client.get("/me/page/history/"), str(change.pk))


class PreviewTests(OwnPageTestCase):
    def test_it_is_the_public_page_to_the_byte_and_private(self) -> None:
        self.save("bio", {"bio": "I count."})
        for query in ("", "?tab=topics", "?sort=oldest"):
            response = self.client.get(f"/me/page/preview/{query}")
            self.assertEqual(response.content, self.public(query).content)
            self.assertIn("no-store", response["Cache-Control"])
            self.assertNotIn("public", response["Cache-Control"])

    def test_the_public_page_is_the_same_bytes_for_its_owner(self) -> None:
        self.save("bio", {"bio": "I count."})
        self.assertEqual(self.client.get(self.author.get_absolute_url()).content, self.public().content)

    def test_the_owner_finds_the_way_from_the_fragment(self) -> None:
        response = self.client.get(f"/me/fragments/researcher/{self.author.pid}/", headers=HTMX)
        self.assertContains(response, 'href="/me/page/"')
        self.assertContains(response, 'href="/me/page/add/"')

    def test_asks_as_often_for_one_work_as_for_three(self) -> None:
        counts = []
        for number in (1, 3):
            researcher = make_claimed(f"Person {number}")
            for n in range(number):
                work = make_work(f"W{n}", authors=[researcher.author])
                ShownWork.objects.create(researcher=researcher, work=work, position=n)
                ResearcherLink.objects.create(researcher=researcher, url=f"https://example.org/{n}")
            with self.subTest(number):
                with CaptureQueriesContext(connection) as queries:
                    Client().get(researcher.author.get_absolute_url())
                counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])
