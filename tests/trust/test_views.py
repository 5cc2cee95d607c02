"""The snapshot, the ledger behind it, and the method in words."""

from django.template.loader import render_to_string
from django.test import TestCase
from django.urls import reverse

from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author
from tests.trust.records import make_known_work
from trust.queries import SENTENCE, trust_snapshot
from trust.services import RECOGNISED_PROVIDERS, freeze_score, rescore_authors
from works.models import Author


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
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=60")
        self.assertNotContains(response, "csrf")

    def test_it_takes_one_query(self) -> None:
        rescore_authors([self.ada.pk])
        url = self.url()
        with self.assertNumQueries(1):
            self.client.get(url)

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
