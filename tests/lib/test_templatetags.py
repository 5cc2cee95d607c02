from datetime import UTC, date, datetime

from django.core.paginator import Paginator
from django.test import SimpleTestCase

from bzpeer.lib.pagination import page_of
from bzpeer.lib.templatetags import bzpeer as tags
from works.models import Work


class FilterTests(SimpleTestCase):
    def test_numbers_have_narrow_spaces(self) -> None:
        self.assertEqual(tags.thousands(1234567), "1\u202f234\u202f567")
        self.assertEqual(tags.up_to(1001, 1000), "1\u202f000+")
        self.assertEqual(tags.up_to(7, 1000), "7")

    def test_dates_keep_the_exact_time(self) -> None:
        self.assertEqual(tags.day(date(2022, 3, 14)), '<time datetime="2022-03-14">14 Mar 2022</time>')
        moment = datetime(2022, 3, 4, 5, 6, 7, tzinfo=UTC)
        self.assertEqual(tags.day(moment), '<time datetime="2022-03-04T05:06:07+00:00">4 Mar 2022</time>')
        self.assertEqual(tags.day(None), "")

    def test_the_first_of_january_is_only_a_year(self) -> None:
        work = Work(publication_date=date(2009, 1, 1), publication_year=2009)
        self.assertEqual(tags.published(work), '<time datetime="2009">2009</time>')

    def test_identifiers_are_full_links_and_escaped(self) -> None:
        self.assertEqual(
            tags.identifier_link("doi", '10.1/<a>"'),
            '<a class="mono bare" rel="external noopener" href="https://doi.org/10.1/%3Ca%3E%22">'
            "https://doi.org/10.1/&lt;a&gt;&quot;</a>",
        )
        self.assertEqual(tags.identifier_link("unheard", "<x>"), '<span class="mono">&lt;x&gt;</span>')

    def test_json_ld_escapes_what_could_end_the_block(self) -> None:
        text = tags.json_ld({"name": "</script>&"})
        self.assertEqual(
            text, '<script type="application/ld+json">{"name":"\\u003c/script\\u003e\\u0026"}</script>'
        )

    def test_page_numbers_leave_out_the_middle(self) -> None:
        page = Paginator(range(1000), 20).get_page(10)
        self.assertEqual(tags.page_numbers(page), [1, 0, 9, 10, 11, 0, 50])

    def test_a_chart_needs_three_years(self) -> None:
        self.assertIsNone(tags.year_chart([(2020, 1), (None, 4)]))
        chart = tags.year_chart([(2018, 1), (2019, 4), (2021, 2), (None, 1)])
        assert chart is not None
        self.assertEqual([(bar.year, bar.works) for bar in chart.bars], [(2018, 1), (2019, 4), (2021, 2)])
        self.assertEqual(chart.bars[1].height, 56)


class PageTests(SimpleTestCase):
    def test_any_number_gives_a_page(self) -> None:
        for number, expected in (
            (None, 1),
            ("2", 2),
            ("x", 1),
            ("-1", 3),
            ("9" * 5000, 1),
            ("1e29", 1),
            (99, 3),
        ):
            self.assertEqual(page_of(list(range(50)), number, per_page=20).number, expected, str(number)[:20])

    def test_a_known_total_is_not_counted_again(self) -> None:
        self.assertEqual(page_of([1, 2, 3], 1, total=3).paginator.count, 3)
