from html.parser import HTMLParser
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from bzpeer.lib.markup import _ATTRIBUTES, _TAGS, render

ALPHABET = ["<", ">", "/", "&", "lt;", "amp;", "$", "\\", "{", "}", "mbox", "frac", "<script>", "</math>", "<mtext>", "onerror=", "javascript:", "<img src=x ", "<i>", "</i>", "<style>", "<svg", "'", '"', "x", " ", "\x00", "\u202e", "\ud800", "mml:", "<!--", "-->", "<jats:p>"]  # fmt: skip


class Opened(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}


class MarkupTests(TestCase):
    def test_plain_text_stays_as_it_is(self) -> None:
        self.assertEqual(render("On counting"), ("On counting", "On counting"))

    def test_nothing_gives_nothing(self) -> None:
        self.assertEqual(render(None), ("", ""))
        self.assertEqual(render(" \x00 "), ("", ""))

    def test_accents_on_a_dotless_i_are_read(self) -> None:
        self.assertEqual(render(r"Garc\'{\i}a and Mart\'\i nez").plain, "García and Martí nez")

    def test_what_only_looks_like_a_tag_keeps_its_letters(self) -> None:
        self.assertEqual(render("AutoLearn<Word> again").plain, "AutoLearn<Word> again")

    def test_tex_mathematics_becomes_mathml(self) -> None:
        shown, plain = render(r"Sorting in $O(n^2)$ time")
        self.assertIn("<math", shown)
        self.assertIn("<msup><mi>n</mi><mn>2</mn></msup>", shown)
        self.assertEqual(plain, "Sorting in O(n^2) time")

    def test_dollars_that_are_money_stay_money(self) -> None:
        self.assertEqual(render("From $5 to $10 a day").plain, "From $5 to $10 a day")
        self.assertEqual(
            render("costs $100 million to $200 million").html, "costs $100 million to $200 million"
        )

    def test_tex_symbols_outside_formulas_become_characters(self) -> None:
        self.assertEqual(
            render(r"for n \geq2, 100\times faster, {\mu}Watt").plain, "for n ≥2, 100×faster, μWatt"
        )
        self.assertEqual(render("Gale--Shapley, 1990--1995").plain, "Gale–Shapley, 1990–1995")
        self.assertEqual(render(r"as in \cite{Li09} and before").plain, "as in and before")

    def test_short_words_and_percentages_in_dollars_are_formulas(self) -> None:
        self.assertEqual(render(r"$NP$-hard for $|V|$ in $\sim$90% of cases").html.count("<math"), 3)

    def test_plain_formulas_can_be_searched(self) -> None:
        self.assertEqual(render(r"$diam\leq D$, $\frac{n}{\lambda}$").plain, "diam≤D, n/λ")

    def test_tags_that_say_nothing_are_gone(self) -> None:
        self.assertEqual(
            render("<subtitle>Part</subtitle> <span class='x'>one</span> of T<n>").html,
            "Part one of T&lt;n&gt;",
        )

    def test_tex_accents_and_quotes_become_letters(self) -> None:
        self.assertEqual(
            render(r"Schr\"odinger, G\'{e}za, Erd\H{o}s and \O re: ``why''").plain,
            "Schrödinger, Géza, Erdős and Øre: “why”",
        )

    def test_tex_that_cannot_be_read_is_shown_as_written(self) -> None:
        self.assertEqual(render(r"$\frac{$ x").plain.count("frac"), 1)

    def test_markup_of_titles_is_kept(self) -> None:
        self.assertEqual(
            render("<i>E. coli</i> and H<sub>2</sub>O").html, "<i>E. coli</i> and H<sub>2</sub>O"
        )
        self.assertEqual(render("<i>E. coli</i> and H<sub>2</sub>O").plain, "E. coli and H2O")

    def test_entities_escaped_twice_are_undone(self) -> None:
        self.assertEqual(
            render("Science &amp;amp; &lt;i&gt;Nature&lt;/i&gt;").html, "Science &amp; <i>Nature</i>"
        )

    def test_a_less_than_sign_is_no_tag(self) -> None:
        self.assertEqual(render("if x<y then p < 0.05").html, "if x&lt;y then p &lt; 0.05")

    def test_jats_becomes_html(self) -> None:
        self.assertEqual(
            render("<jats:p>In <jats:italic>vivo</jats:italic></jats:p>").html, "<p>In <i>vivo</i></p>"
        )

    def test_a_title_holds_no_paragraphs(self) -> None:
        self.assertEqual(render("<p>One</p><p>Two</p>", blocks=False).html, "OneTwo")

    def test_script_is_gone_and_handlers_are_text(self) -> None:
        shown = render('<script>alert(1)</script><img src=x onerror="alert(1)"><i onclick="x()">a</i>').html
        opened = Opened()
        opened.feed(shown)
        self.assertEqual(opened.tags, {"i"})
        self.assertEqual(opened.attributes, set())

    def test_script_inside_a_formula_is_gone(self) -> None:
        shown = render(r"$\mbox{</mtext></math><script>alert(1)</script>}$").html
        self.assertNotIn("<script", shown)

    def test_directional_controls_are_removed(self) -> None:
        self.assertEqual(render("abc\u202edef\u2066").plain, "abcdef")

    @settings(max_examples=600, deadline=None)
    @given(st.lists(st.sampled_from(ALPHABET), max_size=25).map("".join))
    def test_only_allowed_tags_and_attributes_ever_come_out(self, text: str) -> None:
        rendered = render(text)
        opened = Opened()
        opened.feed(rendered.html)
        self.assertLessEqual(opened.tags, _TAGS)
        self.assertLessEqual(
            opened.attributes, {(tag, name) for tag, names in _ATTRIBUTES.items() for name in names}
        )
        self.assertNotIn("\x00", rendered.plain + rendered.html)
        rendered.html.encode("utf-8")
