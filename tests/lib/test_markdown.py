from html.parser import HTMLParser

from django.test import SimpleTestCase

from bzpeer.lib.markdown import render_markdown


def elements(text: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, {name: value or "" for name, value in attrs}))

    Reader().feed(text)
    return found


class MarkdownTests(SimpleTestCase):
    def test_it_shows_emphasis_lists_and_links(self) -> None:
        html = render_markdown("*a* **b** [c](https://example.org/)\n\n- d")
        self.assertIn("<em>a</em> <strong>b</strong>", html)
        self.assertIn('<a href="https://example.org/" rel="nofollow ugc noopener">c</a>', html)
        self.assertIn("<li>d</li>", html)

    def test_nothing_hostile_gets_through(self) -> None:
        for text in (
            "<script>alert(1)</script>",
            '<img src=x onerror="alert(1)">',
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "<javascript:alert(1)>",
            "![x](https://example.org/track.png)",
            "[x]: javascript:alert(1)\n\n[x]",
            '[a](https://example.org/" onmouseover="alert(1))',
            "<svg/onload=alert(1)>",
            "`</code><script>alert(1)</script>`",
            "```html\n<script>alert(1)</script>\n```",
            "\x00<scr\x00ipt>alert(1)</script>",
        ):
            for tag, attributes in elements(render_markdown(text)):
                self.assertIn(tag, {"p", "a", "code", "pre", "em"}, text)
                self.assertLessEqual(set(attributes), {"href", "rel"}, text)
                self.assertTrue(attributes.get("href", "https:").startswith(("https:", "http:")), text)

    def test_a_million_characters_are_cut(self) -> None:
        self.assertLess(len(render_markdown("[" * 1_000_000)), 100_000)
        self.assertLess(len(render_markdown("*a " * 300_000)), 100_000)
