from django.test import SimpleTestCase, override_settings

from profiles.claims.fetching import MAX_BYTES, FetchError, fetch_page, my_links
from tests.profiles.claims.pages import PageServer
from works.sync.guard import Resolver

PUBLIC = "93.184.216.34"
HOSTILE = [
    "http://example.org/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.000.000.001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::1]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://198.18.0.1/",
    "https://93.184.216.34:22/",
    "https://user@example.org/",
    "https://user:secret@example.org/",
    "https://example.org:99999/",
    "ftp://example.org/",
    "file:///etc/passwd",
    "gopher://example.org/",
    "javascript:alert(1)",
    "//example.org/",
    "example.org",
    "https://",
    "https://[::1",
    "https://exa mple.org/",
    "https://example.org\r\nHost: inside/",
    "",
]


def leading_to(*answers: list[str]) -> Resolver:
    """Return a resolver that gives the next of answers each time it is asked, the last again and again."""
    left = list(answers)
    return lambda host, port: left.pop(0) if len(left) > 1 else left[0]


class GuardTests(SimpleTestCase):
    def test_no_hostile_address_is_asked(self) -> None:
        for url in HOSTILE:
            with self.subTest(url=url), self.assertRaises(FetchError) as caught:
                fetch_page(url, seconds=1)
            self.assertNotIn("within", str(caught.exception))

    def test_a_name_that_leads_inside_is_not_asked(self) -> None:
        for addresses in (
            ["127.0.0.1"],
            [PUBLIC, "10.0.0.1"],
            ["::ffff:169.254.169.254"],
            ["fe80::1%eth0"],
            [],
        ):
            with (
                self.subTest(addresses=addresses),
                self.assertRaisesRegex(FetchError, "was not asked for|reached"),
            ):
                fetch_page("https://example.org/", leading_to(addresses), seconds=1)

    def test_this_very_machine_is_asked_in_tests_alone(self) -> None:
        with PageServer() as server:
            url = server.put("/", "hello")
            with self.assertRaisesMessage(FetchError, "must begin with https"):
                fetch_page(url)
            with override_settings(SYNC_ALLOW_LOOPBACK=True):
                self.assertEqual(fetch_page(url), b"hello")
            self.assertEqual(server.asked, [f"127.0.0.1:{server.port} /"])


@override_settings(SYNC_ALLOW_LOOPBACK=True)
class FetchTests(SimpleTestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(PageServer())

    def refusal(self, url: str, **options: object) -> str:
        with self.assertRaises(FetchError) as caught:
            fetch_page(url, **options)  # type: ignore[arg-type]
        return str(caught.exception)

    def test_a_redirect_stays_on_the_page(self) -> None:
        self.server.put("/ada/", "hello")
        self.assertEqual(fetch_page(self.server.put("/ada", status=301, Location="/ada/")), b"hello")

    def test_takeover_a_redirect_to_a_private_address(self) -> None:
        for target in (
            "http://10.0.0.1/", "https://169.254.169.254/", "//10.0.0.1/", "http://localhost:9/", "https://example.org/",
            "http://127.0.0.1:9/", "file:///etc/passwd", "javascript:alert(1)", "https://user@127.0.0.1/",
        ):  # fmt: skip
            with self.subTest(target=target):
                url = self.server.put("/page", status=302, Location=target)
                self.assertNotIn("reached", self.refusal(url))
        self.assertEqual({asked.split()[1] for asked in self.server.asked}, {"/page"})

    def test_takeover_a_name_that_changes_its_answer(self) -> None:
        self.server.put("/page", status=302, Location="/next")
        self.server.put("/next", "the inside")
        url = f"http://localhost:{self.server.port}/page"
        self.assertIn("10.0.0.1", self.refusal(url, resolver=leading_to(["127.0.0.1"], ["10.0.0.1"])))
        self.assertEqual(self.server.asked, [f"localhost:{self.server.port} /page"])

    def test_redirects_without_end_or_aim(self) -> None:
        url = self.server.put("/page", status=302, Location="/page")
        self.assertEqual(self.refusal(url), "The page leads from address to address.")
        self.assertEqual(len(self.server.asked), 4)
        self.assertIn("does not say where", self.refusal(self.server.put("/page", status=302)))

    def test_a_page_that_is_too_large(self) -> None:
        self.assertIn("larger than 1 MB", self.refusal(self.server.put("/page", b"x" * (MAX_BYTES + 1))))
        self.assertEqual(len(fetch_page(self.server.put("/page", b"x" * MAX_BYTES))), MAX_BYTES)

    def test_a_page_that_is_packed(self) -> None:
        url = self.server.put("/page", b"\x1f\x8b", Content_Encoding="gzip")
        self.assertIn("packed", self.refusal(url))

    def test_one_byte_at_a_time_gains_nothing(self) -> None:
        for where in ("head", "body"):
            with self.subTest(where=where):
                self.server.slow["/slow"] = where
                self.assertIn("did not come within", self.refusal(f"{self.server.url}/slow", seconds=0.3))

    def test_other_answers(self) -> None:
        self.assertIn("answers 404", self.refusal(f"{self.server.url}/none"))
        self.assertIn("answers 500", self.refusal(self.server.put("/page", status=500)))
        with PageServer() as gone:
            pass
        self.assertIn("could not be reached", self.refusal(f"{gone.url}/"))


class LinkTests(SimpleTestCase):
    def test_links_to_oneself(self) -> None:
        page = b"""<!doctype html><link rel="ME" href="https://a.example/"><a rel="nofollow me" href=" /b ">b</a>
        <a rel="friend" href="/c">c</a><a href="/d">d</a><!-- <a rel="me" href="/e"> --><area rel="me" href="/f">
        <script>'<a rel="me" href="/g">'</script><a rel="me">h</a>"""
        self.assertEqual(my_links(page), ["https://a.example/", "/b", "/f", ""])

    def test_what_is_no_page_has_none(self) -> None:
        for page in (
            b"",
            b" ",
            b"\x00",
            b"\xff\xfe",
            b"%PDF-1.4",
            b"<" * 5000,
            b"<a>" * 5000,
            b"<!-- -->",
            b"<?xml?>",
        ):
            with self.subTest(page=page[:10]):
                self.assertEqual(my_links(page), [])
