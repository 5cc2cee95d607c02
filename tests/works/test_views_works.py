from datetime import UTC, datetime

from django.core.cache import cache
from django.template.loader import render_to_string
from django.test import TestCase

from tests.factories import make_author, make_institution, make_topic, make_work
from works import queries
from works.models import (
    Affiliation,
    Authorship,
    AuthorshipInstitution,
    Citation,
    NameOverride,
    Redirect,
    SourceRecord,
    Work,
)
from works.services.search_documents import refresh_work_search


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
        self.assertContains(
            self.client.get(work.get_absolute_url()),
            "This work has been retracted</strong>, according to a source.",
        )

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
        self.assertEqual(first.headers["Cache-Control"], "public, max-age=0, s-maxage=60")
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


class RefreshLinkTests(TestCase):
    def test_it_is_shown_only_where_a_source_can_be_asked(self) -> None:
        asked, unknown = make_work(doi="10.1000/x"), make_work()
        unknown.identifiers.all().delete()
        unknown.identifiers.create(scheme="dblp", value="conf/isca/KeGCWX20")
        self.assertContains(self.client.get(asked.get_absolute_url()), "Refresh from source")
        self.assertNotContains(self.client.get(unknown.get_absolute_url()), "Refresh from source")


class WithdrawnWorkTests(TestCase):
    """What every source took back: a page that says so, and nothing in any list."""

    def setUp(self) -> None:
        self.work = make_work(
            "A withdrawn study of counting", authors=0, doi="10.1234/gone", is_withdrawn=True
        )
        self.live = make_work("A standing study of counting", authors=1)
        add_record(self.work, "acl", "P19-1001", withdrawn=True)
        refresh_work_search([self.work.pk, self.live.pk])
        self.page = self.client.get(self.work.get_absolute_url())

    def test_it_says_first_who_withdrew_it_and_since_when_that_is_known(self) -> None:
        text = self.page.content.decode()
        self.assertLess(text.index("This work was withdrawn."), text.index("<h1"))
        self.assertContains(self.page, "ACL Anthology withdrew its record")
        self.assertContains(self.page, 'href="https://aclanthology.org/P19-1001"')
        self.assertContains(self.page, "known here since")
        self.assertEqual(self.page.context["withdrawals"][0].known_since.day, 3)

    def test_it_keeps_its_title_and_shows_nothing_else_as_fact(self) -> None:
        self.assertContains(self.page, "<bdi>A withdrawn study of counting</bdi>", html=True)
        self.assertContains(self.page, "<title>Withdrawn: A withdrawn study of counting")
        for words in ("No source names an author", "Abstract</h2>", "graph-panel", "Institutions</h2>"):
            self.assertNotContains(self.page, words)

    def test_robots_and_machines_leave_it_out(self) -> None:
        self.assertContains(self.page, '<meta name="robots" content="noindex">')
        self.assertNotContains(self.page, "application/ld+json")
        standing = self.client.get(self.live.get_absolute_url())
        self.assertNotContains(standing, "noindex")
        self.assertContains(standing, "application/ld+json")

    def test_a_record_that_was_merged_into_one_we_lack_says_so(self) -> None:
        work = make_work("Merged away", authors=0, is_withdrawn=True)
        add_record(work, "openalex", "W1", merged_into="W2")
        self.assertContains(self.client.get(work.get_absolute_url()), "OpenAlex merged its record")

    def test_no_list_and_no_count_holds_it(self) -> None:
        author, topic, place = make_author("Ada Smith"), make_topic("Counting"), make_institution("Tufts")
        work = make_work(
            "Left behind", authors=[author], topics=[topic], institution=place, is_withdrawn=True
        )
        self.assertEqual(queries.newest_works(), [self.live])
        cache.delete("works:site_counts")
        self.addCleanup(cache.delete, "works:site_counts")
        self.assertEqual(queries.site_counts()["works"], 1)
        for rows in (
            queries.author_works(author), queries.topic_works(topic), queries.institution_works(place),
        ):  # fmt: skip
            self.assertNotIn(work, rows)
        found = self.client.get("/search?q=study+of+counting&type=works").context["page"]
        self.assertEqual(list(found), [self.live])

    def test_its_identifier_still_leads_to_it(self) -> None:
        self.assertRedirects(
            self.client.get("/doi/10.1234/gone"), self.work.get_absolute_url(), fetch_redirect_response=False
        )

    def test_its_citation_says_withdrawn(self) -> None:
        for extension, words in (
            ("bib", "Withdrawn work"),
            ("ris", "Withdrawn work"),
            ("json", '"withdrawn"'),
        ):
            self.assertContains(self.client.get(f"/works/{self.work.pid}/cite.{extension}"), words)

    def test_a_card_that_is_shown_all_the_same_is_marked(self) -> None:
        self.work.byline, self.work.more_authors = [], 0  # type: ignore[attr-defined]
        self.assertIn("Withdrawn", render_to_string("components/_work.html", {"work": self.work}))


class RetractedWorkTests(TestCase):
    def test_page_card_citation_and_data_say_so(self) -> None:
        author = make_author("Ada Smith")
        work = make_work("Cold fusion", authors=[author], is_retracted=True)
        add_record(work, "crossref", "10.1/x", is_retracted=True)
        page = self.client.get(work.get_absolute_url())
        self.assertContains(page, "This work has been retracted</strong>, according to Crossref.")
        self.assertContains(page, "<title>Retracted: Cold fusion")
        self.assertEqual(page.context["json_ld_data"]["creativeWorkStatus"], "Retracted")
        self.assertContains(
            self.client.get(author.get_absolute_url()), '<strong class="chip warn">Retracted</strong>'
        )
        self.assertContains(self.client.get(f"/works/{work.pid}/cite.bib"), "note = {Retracted work}")

    def test_the_notice_that_takes_it_back_is_linked(self) -> None:
        work, notice = make_work("Cold fusion", is_retracted=True), make_work("Retraction: Cold fusion")
        source = add_record(notice, "crossref", "10.1/notice")
        Citation.objects.create(
            work=notice, scheme="doi", value="10.1/x", cited_work=work, retracts=True, record=source
        )
        Citation.objects.create(work=make_work(), scheme="doi", value="10.1/x", cited_work=work)
        page = self.client.get(work.get_absolute_url())
        self.assertEqual((page.context["notices"], page.context["retracted_by"]), ([notice], "Crossref"))
        self.assertContains(
            page, f'<a href="{notice.get_absolute_url()}"><bdi>Retraction: Cold fusion</bdi></a>'
        )


class AffiliationTests(TestCase):
    def setUp(self) -> None:
        self.author = make_author("Ada Smith")
        self.tufts, self.mit = make_institution("Tufts University"), make_institution("MIT")
        self.work = make_work(
            "On counting", authors=[self.author, make_author("Bob Stone"), make_author("Eve")]
        )
        first, second, third = self.work.authorships.all()
        self.set_texts(first, "Dept. of CS, Tufts Univ.")
        self.set_texts(second, "Nowhere Inc.", "Nowhere Inc")
        AuthorshipInstitution.objects.create(authorship=first, institution=self.tufts, matched=True)
        AuthorshipInstitution.objects.create(authorship=third, institution=self.mit)

    def set_texts(self, row: Authorship, *texts: str) -> None:
        row.raw_affiliation_strings = list(texts)
        row.save(update_fields=["raw_affiliation_strings"])

    def test_what_we_matched_stands_apart_with_its_text(self) -> None:
        page = self.client.get(self.work.get_absolute_url())
        places = page.context["places"]
        self.assertEqual(places.stated, [self.mit])
        self.assertEqual(places.matched, [queries.Match(self.tufts, ["Dept. of CS, Tufts Univ."])])
        self.assertEqual(places.unmatched, ["Nowhere Inc."])
        self.assertContains(page, "Matched from the affiliation text")
        self.assertContains(page, '“<bdi lang="">Dept. of CS, Tufts Univ.</bdi>”')

    def test_an_institution_that_one_source_states_is_not_called_matched(self) -> None:
        AuthorshipInstitution.objects.create(
            authorship=self.work.authorships.get(index=1), institution=self.tufts
        )
        places = self.client.get(self.work.get_absolute_url()).context["places"]
        self.assertEqual((places.stated, places.matched), ([self.tufts, self.mit], []))

    def test_the_page_of_the_person_says_matched_and_machines_are_not_told(self) -> None:
        Affiliation.objects.create(author=self.author, institution=self.tufts, last_year=2020)
        sentence = "matched from the affiliation text “Dept. of CS, Tufts Univ.”, as given by a source."
        page = self.client.get(self.author.get_absolute_url())
        self.assertContains(page, f"Affiliation {sentence}")
        self.assertNotIn("affiliation", page.context["json_ld_data"]["mainEntity"])
        tab = self.client.get(f"{self.author.get_absolute_url()}?tab=institutions")
        self.assertContains(tab, f"M{sentence[1:]}")

    def test_where_a_person_is_since_2020_stands_before_where_they_were(self) -> None:
        now = SourceRecord.objects.create(
            provider="orcid", entity="author", record_id="0000-0002-1825-0097", digest=b"",
            payload={"affiliations": []}, observed_at=datetime(2026, 10, 3, tzinfo=UTC),
            imported_at=datetime(2026, 10, 3, tzinfo=UTC),
        )  # fmt: skip
        Affiliation.objects.create(author=self.author, institution=self.tufts, last_year=2024)
        Affiliation.objects.create(
            author=self.author, institution=self.mit, first_year=2020, works_count=0, record=now
        )
        page = self.client.get(self.author.get_absolute_url())
        self.assertContains(page, "MIT</bdi></a>, since 2020")
        self.assertContains(page, "Affiliation stated only in the person&#x27;s own ORCID record.")


class NamesTests(TestCase):
    def test_the_name_in_its_own_script_stands_beside_the_latin_one(self) -> None:
        author = make_author("Yuru Jiang")
        for name in ("Y. Jiang", "蒋玉茹"):
            author.names.create(display_name=name)
        work = make_work("On dialogues", authors=[author])
        work.authorships.update(name_variants=["蒋玉茹"])
        page = self.client.get(author.get_absolute_url())
        self.assertEqual(
            (page.context["facts"].native_name, page.context["facts"].names), ("蒋玉茹", ["Y. Jiang"])
        )
        self.assertEqual(page.context["json_ld_data"]["mainEntity"]["alternateName"], ["蒋玉茹", "Y. Jiang"])
        self.assertContains(
            self.client.get(work.get_absolute_url()), '<bdi class="quiet" lang="">蒋玉茹</bdi>'
        )

    def test_a_name_that_the_author_hides_stands_nowhere(self) -> None:
        author = make_author("Ada Stone")
        work = make_work("On counting", authors=[author])
        work.authorships.update(raw_author_name="Adam Former", name_variants=["亚当"])
        NameOverride.objects.create(author=author, name="Adam Former", folded="adam former", is_hidden=True)
        for path in (work.get_absolute_url(), f"/works/{work.pid}/cite.bib", author.get_absolute_url()):
            page = self.client.get(path)
            self.assertNotContains(page, "Former")
            self.assertNotContains(page, "亚当")
        self.assertContains(self.client.get(f"/works/{work.pid}/cite.bib"), "author = {Stone, Ada}")


class ResolverTests(TestCase):
    def test_keys_of_dblp_and_the_anthology_lead_to_their_works(self) -> None:
        work = make_work()
        work.identifiers.create(scheme="dblp", value="conf/isca/KeGCWX20")
        work.identifiers.create(scheme="acl", value="2020.acl-main.12")
        old = make_work()
        old.identifiers.create(scheme="acl", value="P19-1001")
        for path, found in (
            ("/dblp/conf/isca/KeGCWX20", work), ("/acl/2020.acl-main.12", work), ("/acl/2020.ACL-main.12/", work),
            ("/acl/p19-1001", old), ("/search?q=https://aclanthology.org/P19-1001/", old),
            ("/search?q=https://aclanthology.org/P19-1001.pdf", old),
            ("/search?q=https://dblp.org/rec/conf/isca/KeGCWX20.html", work), ("/search?q=conf/isca/KeGCWX20", work),
        ):  # fmt: skip
            self.assertRedirects(
                self.client.get(path), found.get_absolute_url(), fetch_redirect_response=False
            )

    def test_what_is_no_such_key_is_not_taken_for_one(self) -> None:
        for path in ("/dblp/nothing", "/dblp/a/b/c/d/e/f", "/acl/P19", "/acl/../../x", "/acl/" + "9" * 5000):
            self.assertEqual(self.client.get(path).status_code, 404, path)
        self.assertIsNone(self.client.get("/search?q=hr/finance/policy").context["identifier"])


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
