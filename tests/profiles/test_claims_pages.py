"""What the pages of claiming show, and the way from "This is me" to a page of one's own."""

import html
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase, override_settings

from profiles.models import Claim
from profiles.services import claims
from tests.factories import PASSWORD, make_user
from tests.orcid_server import OrcidServer
from tests.profiles.cast import client_of
from tests.profiles.claim_evidence import ORCID, connect_orcid, import_liu_ke, record_with
from works.models import Author

State = Claim.State
CASE = "These two papers are mine; my address is printed on both."
CONFIGURED = {"ORCID_CLIENT_ID": "APP-TEST", "ORCID_CLIENT_SECRET": "secret"}


class PagesTestCase(TestCase):
    author: Author

    @classmethod
    def setUpTestData(cls) -> None:
        cls.author = import_liu_ke()
        cls.liu, cls.other = make_user("Liu Ke"), make_user("Somebody Else")

    def setUp(self) -> None:
        self.client = client_of(self.liu)
        self.path = f"/researchers/{self.author.pid}/claim/"


class ThisIsMeTests(PagesTestCase):
    def test_every_route_says_what_it_proves_and_what_to_do(self) -> None:
        with override_settings(**CONFIGURED):
            page = self.client.get(self.path)
        for route in ("orcid", "domain", "back_link", "coauthors"):
            self.assertContains(page, f'id="route-{route}"')
        self.assertContains(page, "You have not signed in with ORCID yet.")
        self.assertContains(page, "/accounts/orcid/login/?process=connect&amp;next=")
        self.assertContains(page, 'class="button primary"', count=1)
        self.assertNotContains(page, "claim it now")
        self.assertContains(page, "Your case")

    def test_a_host_without_orcid_offers_no_button_for_it(self) -> None:
        with override_settings(ORCID_CLIENT_ID=""):
            self.assertNotContains(self.client.get(self.path), "/accounts/orcid/login/")

    def test_with_deciding_evidence_one_button_is_left(self) -> None:
        connect_orcid(self.liu)
        page = self.client.get(self.path)
        self.assertContains(page, "This is me: claim it now")
        self.assertContains(page, 'class="button primary"', count=1)
        self.assertNotContains(page, "Your case")
        response = self.client.post(self.path, {"now": "1"})
        claim = Claim.objects.get()
        self.assertRedirects(response, claim.get_absolute_url())
        self.assertEqual((claim.user, claim.state), (self.liu, State.APPROVED))
        mine = self.client.get(claim.get_absolute_url())
        self.assertContains(mine, "This is your page")
        self.assertContains(mine, "others can contest it easily")
        self.assertContains(mine, "the evidence: ORCID")

    def test_what_was_shown_and_is_gone_by_now_decides_nothing(self) -> None:
        account = connect_orcid(self.liu)
        self.assertContains(self.client.get(self.path), "claim it now")
        account.delete()
        page = self.client.post(self.path, {"now": "1"})
        self.assertContains(page, "No evidence at hand decides this yet", status_code=200)
        self.assertFalse(Claim.objects.exists())

    def test_the_button_without_the_evidence_decides_nothing(self) -> None:
        page = self.client.post(self.path, {"now": "1"})
        self.assertContains(page, "No evidence at hand decides this yet", status_code=200)
        self.assertFalse(Claim.objects.exists())

    def test_looking_changes_nothing(self) -> None:
        connect_orcid(self.liu)
        self.client.get(self.path)
        self.assertFalse(Claim.objects.exists())

    def test_something_to_look_at_is_needed(self) -> None:
        for data in ({}, {"case": ""}, {"case": "Too short"}, {"link_url": "http://example.org/"},
                     {"link_url": "https://user:pass@example.org/"}, {"link_url": "javascript:alert(1)"},
                     {"case": "x" * 5000}, {"coauthors": ["nobody"]}):  # fmt: skip
            with self.subTest(data=data):
                self.assertContains(self.client.post(self.path, data), 'role="alert"', status_code=200)
        self.assertFalse(Claim.objects.exists())

    def test_a_page_of_theirs_is_enough_to_file(self) -> None:
        self.client.post(self.path, {"link_url": "https://example.org/~liu"})
        claim = Claim.objects.get()
        self.assertEqual((claim.state, claim.link_url), (State.SUBMITTED, "https://example.org/~liu"))
        page = self.client.get(claim.get_absolute_url())
        self.assertContains(page, claim.link_token)

    def test_who_waits_is_led_to_their_claim(self) -> None:
        claim = claims.submit_claim(user=self.liu, author=self.author, case=CASE)
        self.assertRedirects(self.client.get(self.path), claim.get_absolute_url())

    def test_guests_log_in_and_come_back(self) -> None:
        response = client_of(None).get(self.path)
        self.assertRedirects(response, f"/accounts/login/?next={self.path}", fetch_redirect_response=False)

    def test_unclaimed_wording_stays(self) -> None:
        self.assertContains(
            self.client.get(self.path),
            "Claiming links this public author record to a researcher profile and unlocks direct collaboration.",
        )


class OrcidFlowTests(PagesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = Client()  # connecting asks for a log-in that is fresh
        self.client.post("/accounts/login/", {"login": self.liu.email, "password": PASSWORD})

    def test_connecting_orcid_comes_back_here_with_the_evidence(self) -> None:
        with OrcidServer() as orcid, override_settings(**orcid.settings):
            orcid.sign_in_as(ORCID, record_with())
            response = orcid.sign_in(self.client, process="connect", next=self.path)
        self.assertRedirects(response, self.path, fetch_redirect_response=False)
        self.assertContains(self.client.get(self.path), "This is me: claim it now")

    def test_an_open_claim_is_decided_by_connecting(self) -> None:
        claim = claims.submit_claim(user=self.liu, author=self.author, case=CASE)
        with OrcidServer() as orcid, override_settings(**orcid.settings):
            orcid.sign_in_as(ORCID, record_with())
            with self.captureOnCommitCallbacks(execute=True):
                orcid.sign_in(self.client, process="connect", next=self.path)
        claim.refresh_from_db()
        self.assertEqual((claim.state, claim.decided_by_route), (State.APPROVED, "orcid"))


class PageOfTheirs:
    """A real HTTP server with one page."""

    def __init__(self) -> None:
        self.html = b""
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page.html)))
                self.end_headers()
                self.wfile.write(page.html)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/~liu"

    def __enter__(self) -> Self:
        Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()


@override_settings(SYNC_ALLOW_LOOPBACK=True)
class BackLinkTests(PagesTestCase):
    def test_the_link_that_the_page_gives_is_found_when_they_look_again(self) -> None:
        with PageOfTheirs() as page:
            claim = claims.submit_claim(user=self.liu, author=self.author, case=CASE, link_url=page.url)
            given = html.unescape(self.client.get(claim.get_absolute_url()).content.decode())
            page.html = re.search('<a rel="me" href="[^"]+">BZPEER</a>', given)[0].encode()  # type: ignore[index]
            claims.decide_by_evidence(claim=claim)
        token = claim.evidence.filter(check_name="token").latest("pk")
        self.assertEqual(token.outcome, "met")
        shown = self.client.get(claim.get_absolute_url())
        self.assertContains(shown, html.escape(token.sentence), html=False)
        claims.look_at_open_claims(user=self.liu)  # nothing is fetched: what was seen last stays
        self.assertEqual(claim.evidence.filter(check_name="token").latest("pk"), token)


class ClaimPageTests(PagesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.claim = claims.submit_claim(user=self.liu, author=self.author, case=CASE)
        self.url = self.claim.get_absolute_url()
        cache.clear()

    def forget_the_last_look(self) -> None:
        cache.clear()

    def test_look_again_decides_what_is_shown_by_now(self) -> None:
        self.assertNotContains(self.client.get(self.url), "claim it now")
        self.client.post(f"{self.url}look/")
        self.assertContains(self.client.get(self.url), "it does not decide yet")
        self.client.post(f"{self.url}look/")
        self.assertContains(self.client.get(self.url), "We looked only just now.")
        connect_orcid(self.liu)
        self.forget_the_last_look()
        self.assertContains(self.client.get(self.url), "This is me: claim it now")
        self.client.post(f"{self.url}look/")
        self.assertContains(self.client.get(self.url), "It is you: the page is yours now.")
        self.claim.refresh_from_db()
        self.assertEqual(self.claim.state, State.APPROVED)

    def test_the_case_and_the_page_are_written_anew(self) -> None:
        self.assertRedirects(
            self.client.post(f"{self.url}case/", {"case": "A better case, with addresses."}), self.url
        )
        self.client.post(f"{self.url}link/", {"link_url": "https://example.org/~liu"})
        self.claim.refresh_from_db()
        self.assertEqual(
            (self.claim.case, self.claim.link_url),
            ("A better case, with addresses.", "https://example.org/~liu"),
        )
        for address, data in (("case", {"case": "x"}), ("link", {"link_url": "https://"}), ("case", {})):
            page = self.client.post(f"{self.url}{address}/", data)
            self.assertContains(page, 'role="alert"', status_code=200)

    def test_a_decided_claim_shows_what_was_found_and_takes_nothing_more(self) -> None:
        claims.withdraw_claim(claim=self.claim, actor=self.liu)
        page = self.client.get(self.url)
        self.assertContains(page, "You have not signed in with ORCID yet.")
        self.assertNotContains(page, "Look again")
        late = self.client.post(f"{self.url}case/", {"case": "A better case, too late."}, follow=True)
        self.assertContains(late, "This claim is decided: its case stays as it was.")
        self.assertContains(late, CASE)

    def test_a_rival_is_mentioned_and_not_named(self) -> None:
        self.assertNotContains(self.client.get(self.url), "Somebody else says that this page is theirs")
        claims.submit_claim(user=self.other, author=self.author, case=CASE)
        page = self.client.get(self.url)
        self.assertContains(page, "Somebody else says that this page is theirs")
        self.assertNotContains(page, "Somebody Else")

    def test_others_get_404_for_every_address_of_a_claim(self) -> None:
        stranger = client_of(self.other)
        self.assertEqual(stranger.get(self.url).status_code, 404)
        for name in ("look", "case", "link", "ask", "files", "remove-file", "withdraw", "appeal", "give-up"):
            self.assertEqual(stranger.post(f"{self.url}{name}/").status_code, 404, name)
            self.assertEqual(self.client.get(f"{self.url}{name}/").status_code, 405, name)

    def test_a_decided_claim_may_be_disputed_and_says_so(self) -> None:
        moderator = make_user("Mo Derator", is_staff=True)
        claims.approve_claim(claim=self.claim, actor=moderator)
        claims.dispute_claim(claim=self.claim, actor=moderator, reason="A letter came.")
        page = self.client.get(self.url)
        self.assertContains(page, "The claim is disputed")
        self.assertContains(page, "A letter came.")
        self.assertContains(page, 'aria-current="step"')

    def test_the_holder_answers_a_dispute_and_it_stays_one(self) -> None:
        moderator = make_user("Mo Derator", is_staff=True)
        claims.approve_claim(claim=self.claim, actor=moderator)
        claims.dispute_claim(claim=self.claim, actor=moderator, reason="A letter came.")
        self.client.post(f"{self.url}case/", {"case": "The letter is forged; ask my institute."})
        self.client.post(f"{self.url}files/", {"attachments": [SimpleUploadedFile("a.txt", b"See here")]})
        connect_orcid(self.liu)
        self.forget_the_last_look()
        self.client.post(f"{self.url}look/")
        self.claim.refresh_from_db()
        self.assertEqual((self.claim.state, self.claim.attachments.count()), (State.DISPUTED, 1))
        self.assertEqual(self.claim.case, "The letter is forged; ask my institute.")
        signed_in = self.claim.evidence.filter(route="orcid", check_name="signed_in").latest("pk")
        self.assertEqual(signed_in.outcome, "met")
