"""The snapshot, the ledger behind it, and the method in words."""

from datetime import timedelta
from xml.etree import ElementTree

from django.db import connection
from django.template.loader import render_to_string
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author, make_claimed, make_user
from tests.trust.records import make_known_work
from trust.models import Evidence, TrustChange
from trust.queries import LARGE, SENTENCE, snapshot_on, trust_snapshot
from trust.services import RECOGNISED_PROVIDERS, end_evidence, freeze_score, record_evidence, rescore_authors
from works.models import Author, SourceRecord


def vouch(author: Author, by: Author) -> Evidence:
    return record_evidence(
        author_id=author.pk,
        kind=Evidence.Kind.VOUCH,
        source="vouch",
        event_key=f"vouch:{by.pk}:{author.pk}",
        observed_at=timezone.now(),
        asserted_by_author_id=by.pk,
    )


class TrustPageTestCase(TestCase):
    def setUp(self) -> None:
        self.ada = make_author("Ada Smith", works_count=2, followers_count=1234)
        self.bob = make_author("Bob Stone")
        make_known_work("One", authors=[self.ada, self.bob], arxiv="2001.00001")
        make_known_work("Two", authors=[self.ada, self.bob], arxiv="2001.00002")
        rebuild_collaborations([self.ada.pk])

    def fresh(self) -> Author:
        return Author.objects.get(pk=self.ada.pk)

    def url(self, author: Author | None = None) -> str:
        return trust_snapshot(author or self.fresh()).address


class SnapshotTests(TrustPageTestCase):
    def snapshot(self) -> str:
        return render_to_string("trust/_trust_snapshot.html", {"snapshot": trust_snapshot(self.fresh())})

    def test_it_reads_as_the_reference_page_does(self) -> None:
        rescore_authors([self.ada.pk])
        html = self.snapshot()
        for words in (
            "Trust snapshot", "Quick read", "<strong>Trust 10</strong> - Unverified", "Verification L1", "Unclaimed author",
            SENTENCE, "Why 10?", '<strong id="followers-count">1\u202f234</strong>', "close collaborator</li>",
        ):  # fmt: skip
            with self.subTest(words):
                self.assertIn(words, html)
        self.assertEqual(html.count('class="reached"'), 2)

    def test_a_score_nobody_worked_out_yet_says_so(self) -> None:
        html = self.snapshot()
        self.assertIn("being worked out", html)
        self.assertNotIn("Trust 0", html)
        self.assertIn(SENTENCE, html)

    def test_a_dispute_is_said(self) -> None:
        freeze_score(self.ada.pk)
        self.assertIn("Frozen: under dispute", self.snapshot())

    def test_it_takes_one_query_and_none_when_loaded_with_the_author(self) -> None:
        rescore_authors([self.ada.pk])
        author = self.fresh()
        with self.assertNumQueries(1):
            trust_snapshot(author)
        author = Author.objects.select_related("trust").get(pk=self.ada.pk)
        with self.assertNumQueries(0):
            trust_snapshot(author)


class LedgerPageTests(TrustPageTestCase):
    def test_it_lists_every_point_with_source_and_date_and_what_would_add(self) -> None:
        rescore_authors([self.ada.pk])
        response = self.client.get(self.url())
        self.assertContains(response, "<h1>Why 10?</h1>", html=True)
        self.assertContains(response, "Works with a persistent identifier")
        self.assertContains(response, "<td>arXiv</td>", html=True)
        self.assertContains(response, "Formula v1")
        self.assertContains(response, "signing in with ORCID")
        self.assertContains(response, SENTENCE)
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=0, s-maxage=60")
        self.assertNotContains(response, "csrf")

    def test_it_takes_three_queries_however_much_there_is_to_tell(self) -> None:
        rescore_authors([self.ada.pk])
        url = self.url()
        for _ in range(2):
            with self.assertNumQueries(3):  # author and score, what proves it, timeline
                self.client.get(url)
            for number in range(5):
                vouch(self.ada, make_author(f"Friend {number}"))
            rescore_authors([self.ada.pk])

    def test_before_the_first_run_it_says_so(self) -> None:
        self.assertContains(self.client.get(self.url()), "Trust is being worked out")

    def test_a_wrong_slug_and_a_merged_author_lead_to_the_right_page(self) -> None:
        wrong = reverse("trust:author_trust", args=[self.ada.pid, "someone-else"])
        self.assertRedirects(self.client.get(wrong), self.url(), 301)
        old = self.url(self.bob)
        Author.objects.filter(pk=self.bob.pk).update(merged_into=self.ada)
        self.assertRedirects(self.client.get(old), self.url(), 301)

    def test_a_hidden_author_is_gone_and_an_unknown_one_not_found(self) -> None:
        url = self.url()
        Author.objects.filter(pk=self.ada.pk).update(suppressed=True)
        self.assertEqual(self.client.get(url).status_code, 410)
        self.assertEqual(self.client.get("/researchers/0000000/x/trust/").status_code, 404)

    def test_nothing_but_reading_is_allowed(self) -> None:
        self.assertEqual(self.client.post(self.url()).status_code, 405)


class ProofTests(TrustPageTestCase):
    def test_each_line_leads_to_where_it_is_seen(self) -> None:
        rescore_authors([self.ada.pk])
        response = self.client.get(self.url())
        self.assertContains(response, f'<a href="{self.ada.get_absolute_url()}?tab=collaborators">')

    def test_who_vouched_is_named_and_who_confirmed_in_private_is_not(self) -> None:
        friend, quiet, gone = (
            make_author("Fay Endo"),
            make_author("Quinn Oak"),
            make_author("Gil One", suppressed=True),
        )
        vouch(self.ada, friend)
        vouch(self.ada, gone)
        record_evidence(
            author_id=self.ada.pk, kind=Evidence.Kind.COAUTHOR_CONFIRMED, source="co-author", event_key="c:1",
            observed_at=timezone.now(), asserted_by_author_id=quiet.pk,
        )  # fmt: skip
        rescore_authors([self.ada.pk])
        response = self.client.get(self.url())
        self.assertContains(
            response, f'<a href="{friend.get_absolute_url()}"><bdi>Fay Endo</bdi></a>', html=True
        )
        self.assertNotContains(response, "Quinn Oak")
        self.assertNotContains(response, "Gil One")


class HiddenNumberTests(TestCase):
    """Who shows the level alone has no number anywhere: page, past days, timeline, JSON, badge."""

    def setUp(self) -> None:
        self.alice = make_claimed("Alice Ngata")
        make_known_work(authors=[self.alice.author])
        SourceRecord.objects.update(imported_at=timezone.now() - timedelta(hours=1))
        rescore_authors([self.alice.author.pk])
        self.alice.shows_number = False
        self.alice.save(update_fields=["shows_number"])
        self.page = trust_snapshot(Author.objects.get(pk=self.alice.author.pk)).address

    def test_the_page_and_its_past_and_timeline_show_no_points(self) -> None:
        today = timezone.now().date().isoformat()
        for url in (self.page, f"{self.page}?on={today}"):
            with self.subTest(url):
                response = self.client.get(url)
                self.assertContains(response, "Level L1, source-attributed")
                self.assertContains(response, "First worked out")
                for number in ("Why 7", "Trust 7", "First worked out: 7", "+5", ">7<", "of 20", "up to"):
                    self.assertNotContains(response, number)

    def test_json_gives_neither_number_nor_points(self) -> None:
        found = self.client.get(reverse("trust:trust_json", args=[self.alice.author.pid])).json()
        self.assertEqual(found["level"], 1)
        self.assertEqual({"value", "parts"} & set(found), set())


class PastDayTests(TrustPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()
        Author.objects.update(created_at=self.now - timedelta(days=100))
        SourceRecord.objects.filter(record_id__contains="arxiv").update(
            imported_at=self.now - timedelta(days=90)
        )
        self.line = record_evidence(
            author_id=self.ada.pk, kind=Evidence.Kind.CLAIM_ACCEPTED, source="moderator", event_key="claim:1",
            observed_at=self.now - timedelta(days=1),
        )  # fmt: skip
        rescore_authors([self.ada.pk])

    def on(self, days: int) -> str:
        return (self.now - timedelta(days=days)).date().isoformat()

    def test_a_past_day_is_worked_out_from_what_was_recorded_then(self) -> None:
        for days, value in ((0, 17), (3, 10), (95, 0)):
            with self.subTest(days=days):
                response = self.client.get(f"{self.url()}?on={self.on(days)}")
                self.assertContains(response, f"Trust {value} of 100")
                self.assertContains(response, "records that their source has changed since")

    def test_what_was_ended_later_counts_on_days_before(self) -> None:
        end_evidence(self.line, "it ended")
        rescore_authors([self.ada.pk])
        self.assertEqual(snapshot_on(self.fresh(), self.now.date()).value, 10)
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into trust_evidence (author_id, kind, source, meets_route, ends_id, event_key, observed_at, recorded_at)"
                " select author_id, kind, source, false, null, 'older', observed_at - interval '9 days',"
                "  recorded_at - interval '9 days' from trust_evidence where ends_id is null"
            )
            cursor.execute(
                "insert into trust_evidence (author_id, kind, source, meets_route, ends_id, event_key, observed_at, recorded_at)"
                " select author_id, 'revoked', source, false, id, 'end', now(), now() from trust_evidence where event_key = 'older'"
            )
        yesterday = snapshot_on(self.fresh(), self.now.date() - timedelta(days=1))
        self.assertEqual((yesterday.value, yesterday.level), (17, 1))

    def test_what_the_page_showed_is_told_where_the_timeline_knows_it(self) -> None:
        response = self.client.get(f"{self.url()}?on={self.on(0)}")
        self.assertContains(response, "The page showed the same number at the time.")
        response = self.client.get(f"{self.url()}?on={self.on(3)}")
        self.assertContains(response, "The timeline does not reach back so far")

    def test_a_day_that_cannot_be_told_is_refused_with_what_to_do(self) -> None:
        wrong = {
            "tomorrow": "Write it as 2026-10-01", "2026-13-01": "Write it as", "20261001": "Write it as",
            "1" * 9000: "Write it as", "٢٠٢٦-١٠-٠١": "Write it as", "9999-12-31": "has not come yet",
            "1900-01-01": "There was no record here on that day",
        }  # fmt: skip
        for day, words in wrong.items():
            with self.subTest(day[:20]):
                response = self.client.get(self.url(), {"on": day})
                self.assertContains(response, words, status_code=400)
                self.assertContains(response, "Why 17?", status_code=400)

    def test_a_very_large_record_is_not_worked_out_while_a_reader_waits(self) -> None:
        Author.objects.filter(pk=self.ada.pk).update(works_count=LARGE + 1)
        response = self.client.get(f"{self.url()}?on={self.on(3)}")
        self.assertContains(response, "too many works", status_code=400)

    def test_the_same_queries_for_every_past_day(self) -> None:
        url = self.url()
        for days in (0, 50):
            with self.assertNumQueries(12):
                self.client.get(f"{url}?on={self.on(days)}")


class TimelinePageTests(TrustPageTestCase):
    def test_each_change_has_its_sentence_and_older_ones_are_a_link_away(self) -> None:
        rescore_authors([self.ada.pk])
        for number in range(22):
            TrustChange.objects.create(
                author=self.ada, at=timezone.now(), old_value=number, value=number + 1, old_level=1, level=2,
                formula_version=1, differences=[{"rule": "orcid_oauth", "label": f"Change {number}.", "points": 12}],
            )  # fmt: skip
        first = self.client.get(self.url())
        self.assertContains(first, "+12 Change 21.,")
        self.assertContains(first, "Level L1 to L2")
        self.assertNotContains(first, "Change 1.")
        older = first.context["timeline"].before
        second = self.client.get(f"{self.url()}?before={older}")
        self.assertContains(second, "+12 Change 1.,")
        self.assertContains(second, "First worked out: 10")
        self.assertNotContains(second, "Change 21.")
        self.assertIsNone(second.context["timeline"].before)

    def test_a_place_that_is_none_shows_the_newest(self) -> None:
        rescore_authors([self.ada.pk])
        for before in ("x", "-1", "9" * 400, "²", "999999999"):
            with self.subTest(before[:9]):
                self.assertContains(self.client.get(self.url(), {"before": before}), "First worked out: 10")


class MachineTests(TrustPageTestCase):
    def test_the_number_comes_with_its_parts_and_the_version_of_the_formula(self) -> None:
        rescore_authors([self.ada.pk])
        response = self.client.get(reverse("trust:trust_json", args=[self.ada.pid]))
        found = response.json()
        self.assertEqual((found["value"], found["level"], found["formula_version"]), (10, 1, 1))
        self.assertEqual(sum(part["points"] for part in found["parts"]), 10)
        self.assertEqual(found["about"], SENTENCE)
        self.assertEqual(response.headers["Access-Control-Allow-Origin"], "*")

    def test_before_the_first_run_there_is_no_number(self) -> None:
        self.assertNotIn("value", self.client.get(reverse("trust:trust_json", args=[self.ada.pid])).json())


class BadgeTests(TrustPageTestCase):
    def badge(self, author: Author | None = None) -> str:
        return reverse("trust:badge", args=[(author or self.ada).pid])

    def test_it_is_an_accessible_picture_of_the_levels_word_without_the_number(self) -> None:
        rescore_authors([self.ada.pk])
        Author.objects.filter(pk=self.ada.pk).update(display_name="Ada <Smith> & Söhne")
        with self.assertNumQueries(1):
            response = self.client.get(self.badge())
        drawing = ElementTree.fromstring(response.content)  # noqa: S314 - our own drawing
        space = {"s": "http://www.w3.org/2000/svg"}
        self.assertEqual(drawing.get("role"), "img")
        self.assertEqual(
            drawing.findtext("s:title", None, space), "BZPEER record: unverified, level L1 of L0 to L5"
        )
        self.assertEqual(drawing.findtext("s:desc", None, space), f"Ada <Smith> & Söhne. {SENTENCE}")
        words = [text.text for text in drawing.iterfind(".//s:text", space)]
        self.assertEqual(words, ["BZPEER", "Unverified"])

    def test_any_site_may_show_it_and_caches_keep_it_and_nobody_is_followed(self) -> None:
        response = self.client.get(self.badge())
        self.assertEqual(response.headers["Content-Type"], "image/svg+xml")
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=3600")
        self.assertEqual(response.headers["Access-Control-Allow-Origin"], "*")
        self.assertEqual(response.headers["Cross-Origin-Resource-Policy"], "cross-origin")
        self.assertEqual(response.headers.get("Vary", "Accept-Encoding"), "Accept-Encoding")
        self.assertFalse(response.cookies)
        for word in ("script", "href", "style", "url("):
            self.assertNotContains(response, word)

    def test_it_follows_the_record(self) -> None:
        Author.objects.filter(pk=self.bob.pk).update(merged_into=self.ada)
        self.assertRedirects(self.client.get(self.badge(self.bob)), self.badge(), 301)
        Author.objects.filter(pk=self.ada.pk).update(suppressed=True)
        self.assertEqual(self.client.get(self.badge()).status_code, 410)
        self.assertEqual(self.client.get("/researchers/zzzzzzz/badge.svg").status_code, 404)
        self.assertEqual(self.client.post(self.badge()).status_code, 405)


class MyTrustTests(TestCase):
    def setUp(self) -> None:
        self.alice = make_claimed("Alice [Ngata]")
        make_known_work(authors=[self.alice.author])
        rescore_authors([self.alice.author.pk])

    def test_it_tells_the_owner_in_the_second_person_and_gives_the_badge_to_copy(self) -> None:
        self.client.force_login(self.alice.user)
        response = self.client.get(reverse("profiles:trust"))
        badge = reverse("trust:badge", args=[self.alice.author.pid])
        self.assertContains(response, "Trust 7 of 100")
        self.assertContains(response, "Sign in with ORCID.")
        self.assertContains(response, "Ask your institution to confirm your affiliation here")
        self.assertContains(response, f"[![BZPEER record of Alice Ngata](http://127.0.0.1:8000{badge})]")
        self.assertContains(response, "&lt;img src=&quot;http://127.0.0.1:8000/researchers/")
        self.assertIn("no-store", response.headers["Cache-Control"])

    def test_others_are_sent_to_log_in_and_who_holds_no_page_is_told(self) -> None:
        self.assertEqual(self.client.get(reverse("profiles:trust")).status_code, 302)
        self.client.force_login(make_user("Bob Stone"))
        self.assertContains(self.client.get(reverse("profiles:trust")), "You hold no page yet")

    def test_the_public_page_stays_neutral(self) -> None:
        page = trust_snapshot(Author.objects.get(pk=self.alice.author.pk)).address
        self.client.force_login(self.alice.user)
        response = self.client.get(page)
        self.assertContains(response, "signing in with ORCID")
        self.assertNotContains(response, "your institution")


class AboutTests(TestCase):
    def test_it_tells_the_formula_what_it_is_not_for_and_its_models(self) -> None:
        with self.assertNumQueries(0):
            response = self.client.get(reverse("trust:about"))
        for words in (
            SENTENCE, "What it must not be used for", "Confirmed e-mail address", "Leiden Manifesto", "RG Score", "REFEDS",
            "STM", "Vouches never raise a level", *(provider.label for provider in RECOGNISED_PROVIDERS),
        ):  # fmt: skip
            with self.subTest(words):
                self.assertContains(response, words)
