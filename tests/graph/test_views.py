"""The panel, the explorer and the data: built or being built, hidden, moved, and the same for everybody."""

import json
import re
from html import unescape

from django.http import HttpResponse
from django.test import TestCase
from django.urls import reverse

from graph.models import GraphSlice
from graph.services.collaborations import rebuild_collaborations
from graph.services.slices import build_slices
from graph.views import DELAYS
from tests.base import CastTestCase
from tests.factories import make_author, make_institution, make_topic, make_work
from works.models import Author, Mark, Redirect
from works.services.marks import drain

HTMX = {"HTTP_HX_REQUEST": "true"}


def nodes_of(html: str, variant: str = "wide") -> set[str]:
    """Return the addresses that the nodes of a picture lead to."""
    picture = re.search(rf'<svg class="graph-{variant}".*?</svg>', html, re.S)
    assert picture
    return {unescape(address) for address in re.findall(r'<a href="([^"]+)" data-node', picture[0])}


def rows_of(html: str) -> list[str]:
    """Return the names in the first column of the table, in order."""
    return [unescape(name) for name in re.findall(r'<th scope="row"><a href="[^"]*"><bdi>(.*?)</bdi>', html)]


class GraphTestCase(TestCase):
    def setUp(self) -> None:
        self.ada, self.bob = make_author("Ada Smith"), make_author("Bob Stone")
        self.topic = make_topic()
        self.work = make_work(
            "On <counting> & more",
            authors=[self.ada, self.bob],
            topics=[self.topic],
            institution=make_institution(),
        )
        rebuild_collaborations([self.ada.pk, self.bob.pk])

    def panel_url(self, author: Author | None = None) -> str:
        return reverse("graph:panel", args=["author", (author or self.ada).pid])

    def explorer_url(self, author: Author | None = None) -> str:
        return reverse("graph:explorer", args=["author", (author or self.ada).pid])

    def build(self) -> None:
        drain(Mark.What.SLICE, build_slices)

    def built_panel(self) -> HttpResponse:
        self.client.get(self.panel_url(), **HTMX)
        self.build()
        return self.client.get(self.panel_url(), **HTMX)

    def built_explorer(self, query: str = "") -> HttpResponse:
        self.client.get(self.explorer_url())
        self.build()
        return self.client.get(self.explorer_url() + query)


class PanelTests(GraphTestCase):
    def test_a_slice_not_built_yet_says_so_and_asks_again(self) -> None:
        response = self.client.get(self.panel_url(), **HTMX)
        self.assertContains(response, "Building this graph slice")
        self.assertContains(response, 'role="status"')
        self.assertContains(response, f'hx-get="{self.panel_url()}?try=1" hx-trigger="load delay:1s"')
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_it_swaps_itself_in_once_a_worker_has_built_it(self) -> None:
        response = self.built_panel()
        self.assertNotContains(response, "Building this graph slice")
        self.assertContains(response, '<svg class="graph-wide"')
        self.assertContains(response, '<svg class="graph-narrow"')
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=0, s-maxage=60")
        self.assertIn("HX-Request", response.headers["Vary"])

    def test_it_asks_ever_more_slowly_and_stops_with_a_way_to_try_again(self) -> None:
        self.assertEqual(sorted(DELAYS), list(DELAYS))
        response = self.client.get(self.panel_url() + f"?try={len(DELAYS) - 1}", **HTMX)
        self.assertContains(response, f"load delay:{DELAYS[-1]}s")
        response = self.client.get(self.panel_url() + f"?try={len(DELAYS)}", **HTMX)
        self.assertContains(response, "still being built")
        self.assertNotContains(response, "hx-trigger")
        self.assertContains(response, f'href="{self.explorer_url()}" hx-get="{self.panel_url()}"')

    def test_a_try_that_is_no_number_counts_as_the_first(self) -> None:
        for text in ("x", "-1", "²", "9" * 50):
            with self.subTest(text):
                self.assertContains(self.client.get(self.panel_url(), {"try": text}, **HTMX), "?try=1")

    def test_opened_without_htmx_it_leads_to_the_explorer(self) -> None:
        response = self.client.get(self.panel_url())
        self.assertRedirects(response, self.explorer_url(), fetch_redirect_response=False)

    def test_the_table_has_the_same_rows_as_the_picture_has_nodes(self) -> None:
        html = self.built_panel().content.decode()
        self.assertEqual(
            rows_of(html),
            ["Ada Smith", "Bob Stone", "On <counting> & more", "Graph theory", "Tufts University"],
        )
        self.assertEqual(len(nodes_of(html)), len(rows_of(html)))

    def test_every_node_is_a_link_to_its_record_with_a_name_of_its_own(self) -> None:
        html = self.built_panel().content.decode()
        self.assertEqual(
            nodes_of(html),
            {
                self.ada.get_absolute_url(), self.bob.get_absolute_url(), self.work.get_absolute_url(),
                self.topic.get_absolute_url(), reverse("works:institution", args=[self.institution_pid(), "tufts-university"]),
            },
        )  # fmt: skip
        self.assertIn('aria-label="Bob Stone, person, 1 work together, 2020"', html)
        self.assertIn("On &lt;counting&gt; &amp; more", html)

    def institution_pid(self) -> str:
        return self.work.authorships.get(author=self.ada).institutions.get().pid

    def test_a_built_panel_takes_three_queries(self) -> None:
        self.built_panel()
        with self.assertNumQueries(3):  # the record, its slice, who of it is hidden now
            self.client.get(self.panel_url(), **HTMX)

    def test_an_author_alone_reads_what_would_fill_the_graph(self) -> None:
        loner = make_author("Solo Only")
        self.client.get(self.panel_url(loner), **HTMX)
        self.build()
        response = self.client.get(self.panel_url(loner), **HTMX)
        self.assertContains(response, "would fill this graph")
        self.assertNotContains(response, "<svg")

    def test_a_slice_stays_readable_while_it_is_built_anew(self) -> None:
        self.built_panel()
        make_work("Newer", authors=[self.ada, self.bob])
        rebuild_collaborations([self.ada.pk])
        self.assertEqual(Mark.objects.filter(what="slice").count(), 1)
        self.assertContains(self.client.get(self.panel_url(), **HTMX), "Bob Stone")

    def test_a_person_hidden_after_it_was_built_is_neither_node_nor_row(self) -> None:
        self.built_panel()
        Author.objects.filter(pk=self.bob.pk).update(suppressed=True)
        response = self.client.get(self.panel_url(), **HTMX)
        self.assertNotContains(response, "Bob")
        self.assertEqual(len(nodes_of(response.content.decode())), len(rows_of(response.content.decode())))

    def test_each_kind_of_record_has_a_panel(self) -> None:
        for kind, record in (("work", self.work), ("topic", self.topic)):
            with self.subTest(kind):
                url = reverse("graph:panel", args=[kind, record.pid])
                self.client.get(url, **HTMX)
                self.build()
                self.assertContains(self.client.get(url, **HTMX), "Ada Smith")


class AddressTests(GraphTestCase):
    def each_address(self, kind: str, pid: str) -> list[str]:
        return [reverse(f"graph:{view}", args=[kind, pid]) for view in ("panel", "explorer", "data")]

    def test_an_unknown_kind_or_record_is_not_found(self) -> None:
        for url in (*self.each_address("person", self.ada.pid), *self.each_address("author", "0000000")):
            with self.subTest(url):
                self.assertEqual(self.client.get(url, **HTMX).status_code, 404)

    def test_a_hidden_author_is_gone(self) -> None:
        Author.objects.filter(pk=self.ada.pk).update(suppressed=True)
        for url in self.each_address("author", self.ada.pid):
            with self.subTest(url):
                self.assertEqual(self.client.get(url, **HTMX).status_code, 410)
        self.assertEqual(GraphSlice.objects.count(), 0)

    def test_a_merged_author_leads_to_the_one_that_stands(self) -> None:
        Author.objects.filter(pk=self.bob.pk).update(merged_into=self.ada)
        for old, new in zip(
            self.each_address("author", self.bob.pid), self.each_address("author", self.ada.pid), strict=True
        ):
            with self.subTest(old):
                self.assertRedirects(self.client.get(old, **HTMX), new, 301, fetch_redirect_response=False)

    def test_a_moved_topic_leads_to_where_it_went(self) -> None:
        Redirect.objects.create(kind="topic", old_pid="zzzzzzz", new_pid=self.topic.pid)
        response = self.client.get(reverse("graph:explorer", args=["topic", "zzzzzzz"]))
        self.assertRedirects(
            response,
            reverse("graph:explorer", args=["topic", self.topic.pid]),
            301,
            fetch_redirect_response=False,
        )

    def test_nothing_but_reading_is_allowed(self) -> None:
        for url in self.each_address("author", self.ada.pid):
            with self.subTest(url):
                self.assertEqual(self.client.post(url).status_code, 405)


class ExplorerTests(GraphTestCase):
    def test_without_javascript_the_page_loads_itself_until_the_slice_is_there(self) -> None:
        response = self.client.get(self.explorer_url())
        self.assertContains(response, '<noscript><meta http-equiv="refresh" content="3"></noscript>')
        self.assertContains(response, "Building this graph slice")
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.build()
        response = self.client.get(self.explorer_url())
        self.assertNotContains(response, "http-equiv")
        self.assertContains(response, '<svg class="graph-wide"')

    def test_nodes_lead_on_to_their_graphs_and_rows_to_their_records_too(self) -> None:
        html = self.built_explorer().content.decode()
        self.assertIn(self.explorer_url(self.bob) + f"?from=author:{self.ada.pid}", nodes_of(html))
        self.assertIn(
            f'<th scope="row"><a href="{self.bob.get_absolute_url()}"><bdi>Bob Stone</bdi></a>', html
        )

    def test_kinds_are_filtered_by_the_server(self) -> None:
        html = self.built_explorer("?kind=author").content.decode()
        self.assertEqual(rows_of(html), ["Ada Smith", "Bob Stone"])
        self.assertEqual(len(nodes_of(html)), 2)
        self.assertIn("Show everything", html)

    def test_strong_ties_only_leaves_out_the_rest(self) -> None:
        html = self.built_explorer("?strength=strong").content.decode()
        self.assertEqual(rows_of(html), ["Ada Smith", "Bob Stone"])

    def test_the_table_view_has_the_rows_of_the_picture(self) -> None:
        picture = self.built_explorer().content.decode()
        table = self.client.get(self.explorer_url() + "?view=table").content.decode()
        self.assertEqual(rows_of(table), rows_of(picture))
        self.assertNotIn('<svg class="graph-wide"', table)

    def test_it_says_where_the_reader_came_from(self) -> None:
        response = self.built_explorer(f"?from=author:{self.bob.pid}")
        self.assertContains(
            response, f'<a href="{self.explorer_url(self.bob)}">Graph around <bdi>Bob Stone</bdi></a>'
        )

    def test_a_made_up_or_hidden_origin_is_left_out(self) -> None:
        Author.objects.filter(pk=self.bob.pk).update(suppressed=True)
        for origin in ("author:zzzzzzz", "nobody:1", "author:", f"author:{self.bob.pid}", "<script>"):
            with self.subTest(origin):
                self.assertNotContains(self.built_explorer(f"?from={origin}"), "Graph around <bdi>B")

    def test_htmx_gets_the_fragment_alone(self) -> None:
        self.built_explorer()
        response = self.client.get(self.explorer_url(), **HTMX)
        self.assertNotContains(response, "<html")
        self.assertContains(response, 'id="graph-panel"')


class SameBytesTests(CastTestCase):
    def test_members_and_strangers_get_the_same_bytes_without_a_token(self) -> None:
        rebuild_collaborations([self.alice_author.pk, self.bob_author.pk])
        urls = [
            reverse(f"graph:{view}", args=["author", self.alice_author.pid]) for view in ("panel", "explorer")
        ]
        for url in urls:
            self.client.get(url, **HTMX)
        drain(Mark.What.SLICE, build_slices)
        for url in urls:
            for headers in (HTMX, {}):
                anonymous = self.client.get(url, **headers)
                self.client.force_login(self.alice)
                self.assertEqual(self.client.get(url, **headers).content, anonymous.content)
                self.assertNotIn(b"csrf", anonymous.content)
                self.assertFalse(anonymous.cookies)
                self.client.logout()


class DataTests(GraphTestCase):
    def test_it_is_accepted_while_it_is_built_and_then_says_what_each_tie_rests_on(self) -> None:
        url = reverse("graph:data", args=["author", self.ada.pid])
        response = self.client.get(url)
        self.assertEqual((response.status_code, response.headers["Retry-After"]), (202, "3"))
        self.build()
        data = json.loads(self.client.get(url).content)
        self.assertEqual(data["subject"], f"author:{self.ada.pid}")
        self.assertEqual(
            {node["name"] for node in data["nodes"]} & {"Bob Stone", "Ada Smith"}, {"Bob Stone", "Ada Smith"}
        )
        tie = next(edge for edge in data["edges"] if edge["target"] == f"author:{self.bob.pid}")
        self.assertEqual([work["id"] for work in tie["works"]], [f"work:{self.work.pid}"])
        self.assertEqual(tie["works"][0]["identifiers"], [f"arxiv:{self.work.identifiers.get().value}"])

    def test_hidden_people_are_not_in_the_data(self) -> None:
        url = reverse("graph:data", args=["author", self.ada.pid])
        self.client.get(url)
        self.build()
        Author.objects.filter(pk=self.bob.pk).update(suppressed=True)
        self.assertNotIn("Bob", self.client.get(url).content.decode())
