import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from django.test import SimpleTestCase, override_settings

from tests.works.sync_server import Reply, SourcesTestCase, recorded
from works.sync import addresses
from works.sync.client import LONGEST_WISH, Client, retry_after
from works.sync.errors import BadAnswer, NotFound, NoTurn, SyncError, TryLater

WORK = addresses.openalex_work(("openalex", "W2741809807"))
PATH = "/openalex/works/W2741809807"
GOOD = recorded("openalex/single/W2741809807.json")


class ClientTests(SourcesTestCase, SimpleTestCase):
    def ask(self, *replies: Reply, **validators: str) -> bytes:
        self.sources.give(PATH, *replies)
        return self.client_of_sources.ask(WORK, **validators).body

    def refused(self, error: type[SyncError], *replies: Reply) -> str:
        self.sources.give(PATH, *replies)
        with self.assertRaises(error) as caught:
            self.client_of_sources.ask(WORK)
        self.assertRegex(str(caught.exception), r"^OpenAlex \(127\.0\.0\.1\) .*\.$")
        return str(caught.exception)

    def test_an_answer_comes_whole_at_the_first_try(self) -> None:
        self.assertEqual(self.ask(GOOD), GOOD.body)
        self.assertEqual(self.sources.counts(), {"openalex": 1})

    def test_the_contact_stands_in_the_user_agent_and_where_the_source_wants_it(self) -> None:
        self.ask(GOOD)
        headers = self.sources.headers()
        self.assertRegex(headers["user-agent"], r"^BZPEER \(\+http://\S+; mailto:host@example\.org\)$")
        self.assertEqual((headers["accept"], headers["accept-encoding"]), ("application/json", "gzip"))
        self.assertEqual(self.sources.paths(), [f"{PATH}?mailto=host%40example.org"])
        self.assertNotIn("cookie", headers)

    @override_settings(SYNC_OPENALEX_KEY="a key", SYNC_ROR_CLIENT_ID="an id", SYNC_CONTACT="")
    def test_keys_go_to_their_own_source_only(self) -> None:
        for question in (WORK, addresses.crossref_work("10.1/a"), addresses.ror_record("00jmfr291")):
            with self.assertRaises(NotFound):
                self.client_of_sources.ask(question)
        openalex, crossref, ror = self.sources.requests
        self.assertEqual(openalex[0], f"{PATH}?api_key=a+key")
        self.assertEqual(crossref[0], "/crossref/works/10.1%2Fa")
        self.assertEqual(
            [request[1].get("client-id") for request in (openalex, crossref, ror)], [None, None, "an id"]
        )
        self.assertNotIn("mailto", openalex[1]["user-agent"])

    def test_no_identifier_leads_out_of_its_place_in_the_address(self) -> None:
        for doi in ("10.1/../../../authors/A1", "10.1/a?b=c#d", "10.1/a%2f..%2fb", "10.1/a b", "10.1/é"):
            with self.subTest(doi=doi), self.assertRaises(NotFound):
                self.client_of_sources.ask(addresses.crossref_work(doi))
        for path in self.sources.paths():
            self.assertRegex(path, r"^/crossref/works/[^/?#]+\?mailto=host%40example.org$")

    def test_packed_answers_are_unpacked(self) -> None:
        packed = Reply(gzip.compress(GOOD.body), headers={"Content-Encoding": "gzip"})
        self.assertEqual(self.ask(packed), GOOD.body)

    # --- Trying again ---

    def test_a_server_error_is_asked_again(self) -> None:
        self.assertEqual(self.ask(Reply(status=500), Reply(status=503), GOOD), GOOD.body)
        self.assertEqual(self.sources.counts(), {"openalex": 3})

    def test_a_server_that_stays_out_of_order_is_asked_four_times(self) -> None:
        self.assertIn("answer 503", self.refused(TryLater, Reply(status=503)))
        self.assertEqual(self.sources.counts(), {"openalex": 4})

    def test_silence_is_asked_again(self) -> None:
        self.assertEqual(self.ask(Reply(hang=True), GOOD), GOOD.body)
        self.assertEqual(self.sources.counts(), {"openalex": 2})

    def test_a_source_that_stays_silent_is_called_late(self) -> None:
        self.assertIn("did not answer in time", self.refused(TryLater, Reply(hang=True)))

    def test_an_answer_that_breaks_off_is_asked_again(self) -> None:
        cut = Reply(GOOD.body[:1000], length=len(GOOD.body))
        self.assertEqual(self.ask(cut, GOOD), GOOD.body)
        self.assertEqual(self.sources.counts(), {"openalex": 2})

    def test_an_answer_that_always_breaks_off_is_not_taken(self) -> None:
        self.assertIn("broke off", self.refused(TryLater, Reply(GOOD.body[:1000], length=len(GOOD.body))))

    def test_damaged_packing_is_asked_again(self) -> None:
        damaged = Reply(b"\x1f\x8bnonsense", headers={"Content-Encoding": "gzip"})
        self.assertEqual(self.ask(damaged, GOOD), GOOD.body)

    def test_a_source_that_cannot_be_reached_says_so(self) -> None:
        self.sources.close()
        self.assertIn("could not be reached", self.refused(TryLater))

    def test_a_name_without_an_address_says_so(self) -> None:
        def nobody(host: str, port: int) -> list[str]:
            raise OSError("Name or service not known")

        with self.assertRaisesMessage(TryLater, "could not be reached"):
            Client(turns=self.turns, resolver=nobody).ask(WORK)

    # --- 429 ---

    def test_a_source_that_asks_for_some_seconds_is_left_alone_for_it(self) -> None:
        busy = Reply(status=429, headers={"Retry-After": "15"})
        self.assertEqual(self.ask(busy, GOOD), GOOD.body)
        self.assertEqual(self.sources.counts(), {"openalex": 2})
        self.assertTrue(0 < max(self.waits) <= 15, self.waits)

    def test_the_wish_may_be_a_date(self) -> None:
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=15), usegmt=True)
        self.assertEqual(self.ask(Reply(status=429, headers={"Retry-After": when}), GOOD), GOOD.body)
        self.assertTrue(0 < max(self.waits) <= 15, self.waits)

    def test_a_long_wish_is_not_slept_through_and_holds_for_all_workers(self) -> None:
        sentence = self.refused(TryLater, Reply(status=429, headers={"Retry-After": "3600"}))
        self.assertIn("asks for patience (answer 429)", sentence)
        self.assertEqual(self.sources.counts(), {"openalex": 1})
        with self.assertRaises(NoTurn) as caught:
            self.client_of_sources.ask(WORK)
        self.assertTrue(3000 < caught.exception.seconds <= 3600)
        self.assertEqual(self.sources.counts(), {"openalex": 1})

    def test_both_forms_of_retry_after_are_read_and_nonsense_is_not(self) -> None:
        now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        for text, seconds in [
            ("120", 120.0),
            ("0", 0.0),
            ("Sun, 22 Nov 2026 12:02:00 GMT", 120.0),
            ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
            ("Sunday, 22-Nov-26 12:02:00 GMT", 120.0),
            ("999999999999", LONGEST_WISH),
            ("-5", None),
            ("soon", None),
            ("", None),
            (None, None),
            ("٣", None),
        ]:
            with self.subTest(text=text):
                self.assertEqual(retry_after(text, now), seconds)

    # --- What is not asked again ---

    def test_final_answers_are_asked_once(self) -> None:
        for status, error in [
            (404, NotFound),
            (410, NotFound),
            (400, BadAnswer),
            (418, BadAnswer),
            (401, TryLater),
            (403, TryLater),
        ]:
            with self.subTest(status=status):
                before = len(self.sources.requests)
                self.refused(error, Reply(b"{}", status))
                self.assertEqual(len(self.sources.requests) - before, 1)

    @override_settings(SYNC_MAX_BYTES=100_000)
    def test_an_answer_without_end_is_cut_short(self) -> None:
        self.assertIn("more than 0.1 MB", self.refused(BadAnswer, Reply(b"{", endless=True)))
        self.assertEqual(self.sources.counts(), {"openalex": 1})

    @override_settings(SYNC_MAX_BYTES=100_000)
    def test_a_gzip_bomb_is_cut_short(self) -> None:
        bomb = Reply(gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"})
        self.assertIn("more than 0.1 MB", self.refused(BadAnswer, bomb))

    @override_settings(SYNC_TIMEOUTS=(2.0, 2.0, 0.0))
    def test_an_answer_that_takes_too_long_as_a_whole_is_given_up(self) -> None:
        self.assertIn("too slowly", self.refused(TryLater, Reply(b"{", endless=True)))

    # --- Redirects ---

    def test_a_redirect_to_another_server_inside_is_refused(self) -> None:
        for place in (
            "http://127.0.0.1:1/secret",
            "http://169.254.169.254/latest/",
            "http://[::1]/",
            "https://10.0.0.1/",
        ):
            with self.subTest(place=place):
                before = len(self.sources.requests)
                sentence = self.refused(BadAnswer, Reply(status=302, headers={"Location": place}))
                self.assertIn("none of the sources' addresses", sentence)
                self.assertEqual(len(self.sources.requests) - before, 1)

    def test_a_redirect_within_the_source_is_followed_and_told(self) -> None:
        self.sources.give(PATH, Reply(status=301, headers={"Location": "/openalex/works/W1"}))
        self.sources.give("/openalex/works/W1", GOOD)
        answer = self.client_of_sources.ask(WORK)
        self.assertEqual((answer.body, answer.moved), (GOOD.body, True))

    def test_redirects_in_a_ring_end(self) -> None:
        self.assertIn("without end", self.refused(BadAnswer, Reply(status=302, headers={"Location": PATH})))

    @override_settings(SYNC_ALLOW_LOOPBACK=False)
    def test_without_the_setting_this_machine_is_not_asked(self) -> None:
        self.assertIn("without encryption", self.refused(BadAnswer, GOOD))
        self.assertEqual(self.sources.requests, [])

    # --- Anything new? ---

    def test_a_known_answer_is_asked_for_only_if_it_is_new(self) -> None:
        self.sources.give(
            PATH, Reply(GOOD.body, headers={"ETag": '"v1"', "Last-Modified": "Sun, 22 Nov 2026 12:02:00 GMT"})
        )
        first = self.client_of_sources.ask(WORK)
        self.assertEqual((first.status, first.etag), (200, '"v1"'))
        second = self.client_of_sources.ask(WORK, first.etag, first.last_modified)
        self.assertEqual((second.status, second.body), (304, b""))
        self.assertEqual(self.sources.headers()["if-none-match"], '"v1"')
        self.assertEqual(self.sources.headers()["if-modified-since"], "Sun, 22 Nov 2026 12:02:00 GMT")
        self.assertNotIn("if-none-match", self.sources.headers(0))

    def test_validators_that_are_no_text_of_a_header_are_not_kept(self) -> None:
        self.sources.give(PATH, Reply(GOOD.body, headers={"ETag": '"' + "x" * 400 + '"'}))
        self.assertEqual(self.client_of_sources.ask(WORK).etag, "")
