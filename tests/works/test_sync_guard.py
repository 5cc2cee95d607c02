import httpx
from django.core.checks import Error
from django.test import SimpleTestCase, override_settings

from works.sync import checks
from works.sync.guard import (
    Forbidden,
    GuardedTransport,
    Origin,
    Resolver,
    checked_addresses,
    origin_of,
    resolve,
)

PUBLIC = "93.184.216.34"
OPENALEX = Origin("https", "api.openalex.org", 443)

# Each way to write an address of this machine or its network that has fooled somebody.
INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.000.000.001/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://localhost/",
    "http://localhost./",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fec0::1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://198.18.0.1/",
]
# Not one of the sources, though some look like it.
ELSEWHERE = [
    "https://evil.example/",
    "https://api.openalex.org.evil.example/",
    "https://api.openalex.org@evil.example/",
    "https://evil.example/api.openalex.org",
    "https://evil.example#api.openalex.org",
    "https://xn--pi-1nb.openalex.org/",
    "http://api.openalex.org/",
    "https://api.openalex.org:8443/",
    "ftp://api.openalex.org/",
    "file:///etc/passwd",
    "gopher://api.openalex.org/",
    "//api.openalex.org/",
    "javascript:alert(1)",
]


def leading_to(*addresses: str) -> Resolver:
    """Return a resolver for whom every name has these addresses."""
    return lambda host, port: list(addresses)


class Network(httpx.BaseTransport):
    """The network behind the guard: notes what reaches it."""

    def __init__(self, *replies: httpx.Response) -> None:
        self.asked: list[httpx.Request] = []
        self.replies = list(replies)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.replies.pop(0) if self.replies else httpx.Response(200)


def client_of(network: Network, *addresses: list[str]) -> httpx.Client:
    """Return a client to whom each look-up of a name gives the next of addresses."""
    answers = list(addresses)

    def resolver(host: str, port: int) -> list[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    guard = GuardedTransport([OPENALEX], network, resolver=resolver)
    return httpx.Client(transport=guard, follow_redirects=True, trust_env=False)


class InsideTests(SimpleTestCase):
    def test_no_spelling_of_an_inside_address_is_connected_to(self) -> None:
        for url in INSIDE:
            with self.subTest(url=url):
                network = Network()
                with self.assertRaises((Forbidden, httpx.ConnectError)):
                    guard = GuardedTransport([origin_of(url)], network, resolver=resolve)
                    httpx.Client(transport=guard, trust_env=False).get(url)
                self.assertEqual(network.asked, [])

    def test_an_inside_address_behind_an_allowed_name_is_refused(self) -> None:
        hosts = [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "fe80::1%eth0",
            "2002:a00:1::",
        ]
        for address in hosts:
            with self.subTest(address=address), self.assertRaises(Forbidden):
                checked_addresses("api.openalex.org", 443, resolver=leading_to(address))

    def test_one_inside_address_among_public_ones_spoils_the_name(self) -> None:
        network = Network()
        with self.assertRaisesMessage(Forbidden, "10.0.0.1, which is not on the public internet"):
            client_of(network, [PUBLIC, "10.0.0.1"]).get("https://api.openalex.org/works/W1")
        self.assertEqual(network.asked, [])

    def test_public_addresses_pass(self) -> None:
        for address in (PUBLIC, "2606:4700::6812:1a5b", "64:ff9b::5db8:d822"):
            with self.subTest(address=address):
                found = checked_addresses("api.openalex.org", 443, resolver=leading_to(address))
                self.assertEqual(found, [address])

    def test_loopback_passes_only_where_it_is_allowed_and_the_network_never(self) -> None:
        def resolver(host: str, port: int) -> list[str]:
            return [host]

        self.assertEqual(
            checked_addresses("127.0.0.1", 80, allow_loopback=True, resolver=resolver), ["127.0.0.1"]
        )
        for address in ("10.0.0.1", "169.254.169.254", "192.168.1.1"):
            with self.subTest(address=address), self.assertRaises(Forbidden):
                checked_addresses(address, 80, allow_loopback=True, resolver=resolver)


class ElsewhereTests(SimpleTestCase):
    def test_nobody_but_the_sources_is_asked(self) -> None:
        for url in ELSEWHERE:
            with self.subTest(url=url):
                network = Network()
                with self.assertRaises((Forbidden, httpx.UnsupportedProtocol)):
                    client_of(network, [PUBLIC]).get(url)
                self.assertEqual(network.asked, [])

    def test_redirects_go_through_the_same_gate(self) -> None:
        for url in [*INSIDE, *ELSEWHERE]:
            if url.startswith("//"):
                continue  # the source itself, as the question was
            with self.subTest(url=url):
                network = Network(httpx.Response(302, headers={"Location": url}))
                with self.assertRaises((Forbidden, httpx.TransportError, httpx.InvalidURL)):
                    client_of(network, [PUBLIC]).get("https://api.openalex.org/works/W1")
                self.assertEqual(len(network.asked), 1)

    def test_a_redirect_within_a_source_is_followed(self) -> None:
        network = Network(httpx.Response(301, headers={"Location": "/works/W2"}), httpx.Response(200))
        response = client_of(network, [PUBLIC]).get("https://api.openalex.org/works/W1")
        self.assertEqual(
            (response.status_code, str(response.url)), (200, "https://api.openalex.org/works/W2")
        )


class RebindingTests(SimpleTestCase):
    def test_the_connection_goes_to_the_address_that_was_checked(self) -> None:
        """The name turns to this machine right after it was looked up: nobody asks again."""
        network = Network()
        client_of(network, [PUBLIC], ["127.0.0.1"]).get("https://api.openalex.org/works/W1?a=b")
        (request,) = network.asked
        self.assertEqual(str(request.url), f"https://{PUBLIC}/works/W1?a=b")
        self.assertEqual(request.headers["Host"], "api.openalex.org")
        self.assertEqual(request.extensions["sni_hostname"], "api.openalex.org")

    def test_the_second_look_up_of_a_redirect_is_checked_as_well(self) -> None:
        network = Network(httpx.Response(301, headers={"Location": "/works/W2"}))
        with self.assertRaises(Forbidden):
            client_of(network, [PUBLIC], ["127.0.0.1"]).get("https://api.openalex.org/works/W1")
        self.assertEqual(len(network.asked), 1)

    def test_the_next_checked_address_is_tried_when_one_does_not_answer(self) -> None:
        class HalfAway(Network):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                super().handle_request(request)
                if ":" in request.url.host:
                    raise httpx.ConnectError("no route", request=request)
                return httpx.Response(200)

        network = HalfAway()
        client_of(network, ["2606:4700::6812:1a5b", PUBLIC]).get("https://api.openalex.org/")
        self.assertEqual([request.url.host for request in network.asked], ["2606:4700::6812:1a5b", PUBLIC])


class CheckTests(SimpleTestCase):
    def test_loopback_is_refused_where_it_counts(self) -> None:
        for allowed, debug, ids in [(True, False, ["works.E001"]), (True, True, []), (False, False, [])]:
            with (
                self.subTest(allowed=allowed, debug=debug),
                override_settings(SYNC_ALLOW_LOOPBACK=allowed, DEBUG=debug),
            ):
                self.assertEqual([found.id for found in checks.no_loopback()], ids)

    def test_addresses_without_encryption_are_refused(self) -> None:
        for address in ("http://api.openalex.org", "api.openalex.org", "", "ftp://api.openalex.org"):
            with self.subTest(address=address), override_settings(SYNC_ADDRESSES={"openalex": address}):
                (found,) = checks.sound_addresses()
                self.assertIsInstance(found, Error)
                self.assertIn("SYNC_OPENALEX_URL", found.msg)

    def test_the_default_addresses_are_sound(self) -> None:
        self.assertEqual(checks.sound_addresses(), [])
