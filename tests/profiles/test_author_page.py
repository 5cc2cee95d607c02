from datetime import UTC, datetime

from django.test import TestCase
from django.utils import timezone

from graph.models import Collaboration
from tests.factories import make_author, make_claimed, make_institution, make_topic, make_work
from works.models import AuthorIdentifier, Redirect, SourceRecord


class AuthorPageTests(TestCase):
    def setUp(self) -> None:
        self.author = make_author("Liu Ke", works_count=2, topics_count=2)
        self.works = [
            make_work(
                "Hercules", authors=[self.author, make_author("Udit Gupta")], arxiv="2203.07424", year=2022
            ),
            make_work(
                "RecNMP", authors=[make_author("Ada Smith"), self.author], arxiv="1912.12953", year=2019
            ),
        ]
        self.url = self.author.get_absolute_url()

    def test_it_keeps_the_words_of_the_reference_page(self) -> None:
        response = self.client.get(self.url)
        for words in (
            "Researcher profile",
            "Liu Ke contributes to research discovery and scholarly infrastructure.",
            "Affiliation not imported",
            "Open to collaborate",
            "by default; this person has not said",
            "Built from public sources. This person has not joined.",
            "Trust snapshot",
            "Quick read",
            "Unclaimed author",
            "Decide how to stay connected",
            "Follow researcher",
            "How to connect with this researcher",
            "Log in to claim",
            "Open a focused conversation when the fit is right",
            "Claim this author entity first to unlock direct invitations.",
            "See the researcher in context",
            "Open full explorer",
            "Published work",
            "2 published item(s)",
            "preprint",
            "Hercules",
            "RecNMP",
        ):
            self.assertContains(response, words)

    def test_it_names_sources_contact_and_how_to_correct(self) -> None:
        when = datetime(2026, 10, 3, tzinfo=UTC)
        SourceRecord.objects.create(
            work=self.works[0], provider="arxiv", record_id="2203.07424", digest=b"", payload={},
            observed_at=when, imported_at=when,
        )  # fmt: skip
        with self.settings(CONTACT_EMAIL="help@example.org"):
            response = self.client.get(self.url)
        self.assertContains(response, "arXiv, <time datetime=")
        self.assertContains(response, "3 Oct 2026")
        self.assertContains(response, "mailto:help@example.org")
        self.assertContains(response, f"/researchers/{self.author.pid}/correct/")

    def test_a_wrong_slug_redirects_and_keeps_the_query(self) -> None:
        response = self.client.get(f"/researchers/{self.author.pid}/someone/?tab=topics")
        self.assertRedirects(
            response, f"{self.url}?tab=topics", status_code=301, fetch_redirect_response=False
        )
        response = self.client.get(f"/researchers/{self.author.pid}/")
        self.assertRedirects(response, self.url, status_code=301, fetch_redirect_response=False)

    def test_a_merged_author_leads_to_the_one_that_stands(self) -> None:
        last = make_author("L Ke", merged_into=make_author("L. Ke", merged_into=self.author))
        response = self.client.get(last.get_absolute_url())
        self.assertRedirects(response, self.url, status_code=301, fetch_redirect_response=False)
        Redirect.objects.create(kind="author", old_pid="aaaaaaa", new_pid=last.pid)
        response = self.client.get("/researchers/aaaaaaa/x/")
        self.assertRedirects(response, self.url, status_code=301, fetch_redirect_response=False)

    def test_a_hidden_author_is_gone_and_unnamed(self) -> None:
        self.author.suppressed = True
        self.author.save(update_fields=["suppressed"])
        for path in (self.url, f"/researchers/{self.author.pid}/"):
            response = self.client.get(path)
            self.assertContains(response, "removed on request", status_code=410)
            self.assertNotContains(response, "Liu Ke", status_code=410)

    def test_an_unknown_author_is_404(self) -> None:
        self.assertEqual(self.client.get("/researchers/zzzzzzz/x/").status_code, 404)

    def test_works_can_be_narrowed_to_a_year_and_ordered(self) -> None:
        hercules, recnmp = self.works
        pages = {
            "": [hercules, recnmp],
            "?sort=oldest": [recnmp, hercules],
            "?year=2019": [recnmp],
            "?year=1800": [hercules, recnmp],
            "?page=99&sort=nonsense": [hercules, recnmp],
        }
        for query, works in pages.items():
            self.assertEqual(list(self.client.get(self.url + query).context["page"]), works, query)

    def test_the_author_of_the_page_is_named_even_far_down_a_long_list(self) -> None:
        work = make_work(
            "Many", authors=[*(make_author(f"Person {n}") for n in range(10)), self.author], year=2023
        )
        response = self.client.get(self.url)
        shown = next(w for w in response.context["page"] if w.pk == work.pk)
        self.assertEqual([row.index for row in shown.byline], [0, 1, 2, 3, 4, 5, 10])
        self.assertEqual(shown.more_authors, 4)

    def test_an_imported_orcid_is_unauthenticated(self) -> None:
        AuthorIdentifier.objects.create(author=self.author, scheme="orcid", value="0000-0002-1825-0097")
        response = self.client.get(self.url)
        self.assertContains(response, "https://orcid.org/0000-0002-1825-0097")
        self.assertContains(response, "(unauthenticated)")

    def test_it_shows_the_last_affiliation(self) -> None:
        make_work("At Tufts", authors=[self.author], institution=make_institution("Tufts"), year=2021)
        response = self.client.get(self.url)
        self.assertContains(response, "Tufts")
        self.assertNotContains(response, "Affiliation not imported")

    def test_a_claimed_page_does_not_say_that_nobody_joined(self) -> None:
        researcher = make_claimed("Alice Ngata")
        response = self.client.get(researcher.author.get_absolute_url())
        self.assertNotContains(response, "has not joined")
        self.assertNotContains(response, "by default; this person has not said")

    def test_collaborators_come_closest_first(self) -> None:
        near, far = make_author("Near"), make_author("Far")
        for other, weight in ((far, 0.1), (near, 2.0)):
            Collaboration.objects.create(
                author_a=self.author, author_b=other, works_count=1, small_works_count=1, min_authors_count=2,
                weight=weight, computed_at=timezone.now(),
            )  # fmt: skip
        page = self.client.get(self.url + "?tab=collaborators").context["page"]
        self.assertEqual([tie.author for tie in page], [near, far])

    def test_structured_data_never_holds_the_trust_number(self) -> None:
        data = self.client.get(self.url).context["json_ld_data"]
        self.assertEqual(data["mainEntity"]["name"], "Liu Ke")
        self.assertNotIn("trust", str(data).lower())

    def test_everybody_gets_the_same_public_bytes(self) -> None:
        first, second = self.client.get(self.url), self.client.get(self.url)
        self.assertEqual(first.content, second.content)
        self.assertEqual(first.headers["Cache-Control"], "public, max-age=0, s-maxage=60")
        self.assertNotIn("Cookie", first.headers.get("Vary", ""))
        self.assertFalse(first.cookies)
        self.assertNotIn("csrfmiddlewaretoken", first.content.decode())

    def test_it_asks_as_often_for_one_work_as_for_three(self) -> None:
        for tab, queries in (("works", 12), ("collaborators", 12), ("topics", 10), ("institutions", 10)):
            for number in (1, 3):
                author = make_author(f"Author {tab} {number}")
                place = make_institution(f"Place {tab} {number}")
                for i in range(number):
                    topic = make_topic(
                        f"Topic {tab} {number} {i}", parent=make_topic("Parent", level="subfield")
                    )
                    other = make_author("Other")
                    work = make_work(
                        f"W{i}", authors=[author, other], topics=[topic], institution=place, year=2000 + i
                    )
                    SourceRecord.objects.create(
                        work=work, provider="arxiv", record_id=f"{tab}{number}{i}", digest=b"", payload={},
                        observed_at=timezone.now(), imported_at=timezone.now(),
                    )  # fmt: skip
                    Collaboration.objects.create(
                        author_a=author, author_b=other, works_count=1, small_works_count=1, min_authors_count=2,
                        weight=1.0, computed_at=timezone.now(),
                    )  # fmt: skip
                with self.subTest(tab=tab, works=number), self.assertNumQueries(queries):
                    self.client.get(f"{author.get_absolute_url()}?tab={tab}")
