from datetime import UTC, datetime

from django.test import TestCase

from tests.factories import make_author, make_institution, make_topic, make_work
from works.models import Citation, Redirect, SourceRecord, Work


def add_record(work: Work, provider: str, record_id: str, **payload: object) -> SourceRecord:
    when = datetime(2026, 10, 3, tzinfo=UTC)
    return SourceRecord.objects.create(
        work=work, provider=provider, record_id=record_id, digest=b"", payload=payload, observed_at=when, imported_at=when
    )  # fmt: skip


class WorkPageTests(TestCase):
    def setUp(self) -> None:
        self.author = make_author("Liú Kè")
        self.work = make_work(
            "On counting", authors=[self.author, make_author("Ada Smith")], arxiv="1912.12953"
        )
        self.url = self.work.get_absolute_url()

    def test_it_shows_title_authors_identifier(self) -> None:
        response = self.client.get(self.url)
        self.assertContains(response, "<bdi>On counting</bdi>", html=True)
        self.assertContains(
            response, f'<a href="{self.author.get_absolute_url()}"><bdi>Liú Kè</bdi></a>', html=True
        )
        self.assertContains(response, "https://arxiv.org/abs/1912.12953")
        self.assertContains(response, "2 authors")

    def test_a_wrong_slug_redirects_for_ever_and_keeps_the_query(self) -> None:
        response = self.client.get(f"/works/{self.work.pid}/something-else/?a=1&b=2")
        self.assertRedirects(response, f"{self.url}?a=1&b=2", status_code=301, fetch_redirect_response=False)
        response = self.client.get(f"/works/{self.work.pid}/")
        self.assertRedirects(response, self.url, status_code=301, fetch_redirect_response=False)

    def test_an_old_pid_leads_to_the_new_one(self) -> None:
        Redirect.objects.create(kind="work", old_pid="aaaaaaa", new_pid="bbbbbbb")
        Redirect.objects.create(kind="work", old_pid="bbbbbbb", new_pid=self.work.pid)
        response = self.client.get("/works/aaaaaaa/on-counting/")
        self.assertRedirects(response, self.url, status_code=301, fetch_redirect_response=False)

    def test_a_ring_of_redirects_ends_in_404(self) -> None:
        Redirect.objects.create(kind="work", old_pid="aaaaaaa", new_pid="bbbbbbb")
        Redirect.objects.create(kind="work", old_pid="bbbbbbb", new_pid="aaaaaaa")
        self.assertEqual(self.client.get("/works/aaaaaaa/x/").status_code, 404)

    def test_stored_markup_is_shown_and_plain_text_escaped(self) -> None:
        work = make_work("a <b>c</b>", title_html="H<sub>2</sub>O &lt;script&gt;", abstract_html="<p>x</p>")
        text = self.client.get(work.get_absolute_url()).content.decode()
        self.assertIn("<bdi>H<sub>2</sub>O &lt;script&gt;</bdi>", text)
        self.assertIn("<title>a &lt;b&gt;c&lt;/b&gt; | BZPEER</title>", text)
        self.assertNotIn("a <b>c</b>", text)

    def test_a_json_ld_block_cannot_be_ended_by_a_title(self) -> None:
        work = make_work("</script><script>alert(1)</script>", title_html="x")
        text = self.client.get(work.get_absolute_url()).content.decode()
        self.assertNotIn("<script>alert", text)
        self.assertIn("\\u003c/script\\u003e", text)

    def test_a_work_of_300_authors_folds_all_but_twenty(self) -> None:
        work = make_work("Collaboration", authors=300)
        response = self.client.get(work.get_absolute_url())
        self.assertContains(response, "300 authors")
        self.assertContains(response, "Show the other 280 authors")
        self.assertEqual(len(response.context["authorships"]), 20)

    def test_a_hidden_author_is_named_without_a_link(self) -> None:
        self.author.suppressed = True
        self.author.save(update_fields=["suppressed"])
        response = self.client.get(self.url)
        self.assertContains(response, "<bdi>Liú Kè</bdi>", html=True)
        self.assertNotContains(response, f"/researchers/{self.author.pid}/")

    def test_a_retracted_work_says_so(self) -> None:
        work = make_work("Cold fusion", is_retracted=True)
        self.assertContains(self.client.get(work.get_absolute_url()), "This work has been retracted.")

    def test_a_work_without_title_authors_or_date_has_a_page(self) -> None:
        work = make_work("", authors=0, year=None, source=None)
        response = self.client.get(work.get_absolute_url())
        self.assertContains(response, "Untitled work")
        self.assertContains(response, "No source names an author.")
        self.assertContains(response, "No source gives an abstract.")

    def test_it_says_which_source_said_what(self) -> None:
        record = add_record(self.work, "arxiv", "1912.12953", title="On counting", publication_year=2019)
        add_record(self.work, "openalex", "W1", title="On Counting.", publication_year=2020)
        self.work.provenance = {"title": record.pk}
        self.work.save(update_fields=["provenance"])
        response = self.client.get(self.url)
        self.assertEqual([line.gives for line in response.context["sources"]], [["title"], []])
        self.assertEqual(
            [(item.field, item.values) for item in response.context["disagreements"]],
            [("year", [("arXiv 1912.12953", "2019"), ("OpenAlex W1", "2020")])],
        )

    def test_everybody_gets_the_same_public_bytes(self) -> None:
        first, second = self.client.get(self.url), self.client.get(self.url)
        self.assertEqual(first.content, second.content)
        self.assertEqual(first.headers["Cache-Control"], "public, max-age=60")
        self.assertNotIn("Cookie", first.headers.get("Vary", ""))
        self.assertNotIn("csrf", first.content.decode())
        self.assertFalse(first.cookies)

    def test_it_rejects_post(self) -> None:
        self.assertEqual(self.client.post(self.url).status_code, 405)

    def test_it_asks_as_often_for_one_author_as_for_three(self) -> None:
        place = make_institution("Tufts")
        for number in (1, 3):
            topics = [make_topic(f"Topic {number} {i}") for i in range(number)]
            work = make_work("Counted", authors=number, topics=topics, institution=place)
            for i in range(number):
                add_record(work, "openalex", f"W{number}{i}", title="x")
                Citation.objects.create(work=work, scheme="doi", value=f"10.1/{i}")
            with self.subTest(authors=number), self.assertNumQueries(8):
                self.client.get(work.get_absolute_url())


class CitationFileTests(TestCase):
    def test_it_sends_each_format_as_a_file(self) -> None:
        work = make_work("On counting", authors=[make_author("Liu Ke")], doi="10.1/x", year=2022)
        for extension, start in (("bib", "@misc{ke2022counting,"), ("ris", "TY  - UNPB"), ("json", "[\n")):
            response = self.client.get(f"/works/{work.pid}/cite.{extension}")
            self.assertTrue(response.content.decode().startswith(start), response.content)
            self.assertEqual(
                response.headers["Content-Disposition"], f'attachment; filename="ke2022counting.{extension}"'
            )

    def test_an_unknown_format_or_work_is_404(self) -> None:
        work = make_work()
        self.assertEqual(self.client.get(f"/works/{work.pid}/cite.doc").status_code, 404)
        self.assertEqual(self.client.get("/works/zzzzzzz/cite.bib").status_code, 404)
