from django.test import TestCase

from tests.factories import make_author, make_institution, make_topic, make_work
from tests.works.test_search import index_all
from works.models import AuthorIdentifier


class SearchPageTests(TestCase):
    def test_it_counts_each_kind(self) -> None:
        author = make_author("Ada Graph")
        make_work("On graph drawing", authors=[author])
        make_topic("Graph theory")
        make_institution("Graph Institute")
        index_all()
        response = self.client.get("/search?q=graph")
        self.assertEqual([(kind, count) for kind, _, count in response.context["tabs"]],
                         [("people", 1), ("works", 1), ("topics", 1), ("institutions", 1)])  # fmt: skip
        self.assertContains(response, author.get_absolute_url())

    def test_an_identifier_goes_straight_to_its_record(self) -> None:
        author = make_author("Liu Ke")
        AuthorIdentifier.objects.create(author=author, scheme="orcid", value="0000-0002-1825-0097")
        for path in ("/search?q=https%3A//orcid.org/0000-0002-1825-0097", "/orcid/0000-0002-1825-0097"):
            self.assertRedirects(
                self.client.get(path), author.get_absolute_url(), fetch_redirect_response=False
            )

    def test_an_identifier_of_somebody_hidden_tells_no_name(self) -> None:
        author = make_author("Liu Ke", suppressed=True)
        AuthorIdentifier.objects.create(author=author, scheme="orcid", value="0000-0002-1825-0097")
        for path in ("/search?q=0000-0002-1825-0097", "/orcid/0000-0002-1825-0097"):
            response = self.client.get(path)
            self.assertEqual(response.status_code, 410)
            self.assertNotContains(response, "Liu", status_code=410)

    def test_an_unknown_identifier_says_where_else_to_look(self) -> None:
        self.assertContains(self.client.get("/search?q=10.1234/none"), "https://doi.org/10.1234/none")
        response = self.client.get("/doi/10.1234/none")
        self.assertContains(response, "https://doi.org/10.1234/none", status_code=404)

    def test_nothing_found_helps(self) -> None:
        self.assertContains(self.client.get("/search?q=xyzzy"), "Try the family name alone")

    def test_what_was_typed_is_escaped(self) -> None:
        response = self.client.get("/search", {"q": '"><script>alert(1)</script>'})
        self.assertNotContains(response, "<script>alert")

    def test_odd_parameters_do_no_harm(self) -> None:
        make_author("Ada Smith")
        index_all()
        for query in ("q=ada&page=1e29", "q=ada&page=-4&type=people", f"q=ada&type=people&page={'9' * 5000}",
                      "q=ada&type=robots&sort=;drop", "q=%F0%9F%92%A9", "type=works", "q=" + "%27" * 400):  # fmt: skip
            self.assertEqual(self.client.get(f"/search?{query}").status_code, 200, query)

    def test_it_asks_as_often_for_one_result_as_for_three(self) -> None:
        for number in (1, 3):
            for i in range(number):
                make_work(f"Subject{number} {i}", authors=[make_author(f"Ada Subject{number}")])
                make_topic(f"Subject{number} {i}")
                make_institution(f"Subject{number} {i}")
            index_all()
            with self.subTest(results=number), self.assertNumQueries(10):
                self.client.get(f"/search?q=subject{number}")


class HomeTests(TestCase):
    def test_an_empty_site_says_how_to_fill_it(self) -> None:
        self.assertContains(self.client.get("/"), "Nothing has been imported yet.")

    def test_it_asks_few_questions(self) -> None:
        self.client.get("/")
        for number in (1, 3):
            for i in range(number):
                make_work(f"Title {number} {i}", topics=[make_topic(f"T{number}{i}", works_count=1)])
            with self.subTest(works=number), self.assertNumQueries(3):
                self.client.get("/")


class OtherPagesTests(TestCase):
    def test_privacy_names_the_contact(self) -> None:
        with self.settings(CONTACT_EMAIL="help@example.org"):
            self.assertContains(self.client.get("/privacy/"), "mailto:help@example.org")

    def test_robots_stay_out_of_private_pages(self) -> None:
        rules = self.client.get("/robots.txt").content.decode().splitlines()
        for folder in (
            "me",
            "accounts",
            "moderation",
            "admin",
            "refresh",
            "works/add",
            "correct",
            "researchers/*/history",
        ):
            self.assertIn(f"Disallow: /{folder}/", rules)

    def test_an_unknown_record_offers_a_search_for_its_words(self) -> None:
        response = self.client.get("/researchers/zzzzzzz/liu-ke/")
        self.assertContains(response, 'value="liu ke"', status_code=404)

    def test_health_asks_nobody_and_readiness_the_database(self) -> None:
        with self.assertNumQueries(0):
            self.assertEqual(self.client.get("/healthz").status_code, 200)
        response = self.client.get("/readyz")
        self.assertEqual((response.status_code, response.json()["ready"]), (200, True))

    def test_pages_are_ready_without_a_broker(self) -> None:
        with self.settings(CELERY_BROKER_URL="redis://127.0.0.1:1/0"):
            response = self.client.get("/readyz")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["degraded"], True)
        self.assertEqual(response.json()["checks"]["broker"]["ok"], False)
