from datetime import timedelta

from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from profiles.claims.findings import Finding
from profiles.claims.gathering import read_page
from profiles.models import Claim, Route
from tests.profiles.claims.cast import (
    NAME,
    OTHER,
    EvidenceTestCase,
    added_by_hand,
    author_of,
    bring,
    line,
    orcid_record,
    paper,
    records_in,
)
from tests.profiles.claims.pages import PageServer
from trust.models import Evidence
from works.ingest.records import AuthorRecord
from works.models import SourceRecord

DBLP = "00/1"


@override_settings(SYNC_ALLOW_LOOPBACK=True)
class BackLinkRouteTests(EvidenceTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.enterContext(PageServer())
        bring(
            paper(
                "d1",
                "On cracked pots",
                line(dblp="Josiah Carberry 0001"),
                provider="dblp",
                identifiers=(("dblp", "d1"),),
            )
        )

    def link_from_dblp(self, *addresses: str, days_ago: int = 30) -> None:
        bring(
            AuthorRecord(
                provider="dblp", record_id=DBLP, display_name=NAME, links=tuple(("home", address) for address in addresses),
                identifiers=(("dblp", DBLP), ("dblp", "Josiah Carberry 0001")),
                observed_at=timezone.now() - timedelta(days=days_ago),
            )
        )  # fmt: skip

    def claim(self, url: str) -> Claim:
        return Claim.objects.create(user=self.josiah, author=author_of(), link_url=url)

    def back_link(self, claim: Claim, fetch: bool = True) -> Finding:
        return self.find(Route.BACK_LINK, claim=claim, fetch=fetch)

    def page_with(self, token: str, rel: str = "me") -> str:
        return f'<a rel="{rel}" href="https://bzpeer.example/link/{token}">me</a>'

    def test_a_page_that_was_known_and_links_back_decides(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url + "/")
        claim = self.claim(url)
        self.server.put("/ada", self.page_with(claim.link_token))
        finding = self.back_link(claim)
        self.assertTrue(finding.decides)
        [row] = finding.lines
        self.assertEqual(
            (row.kind, row.source, row.meets_route, row.detail),
            (Evidence.Kind.BACK_LINK, "127.0.0.1", True, {"url": url}),
        )

    def test_nothing_is_fetched_unless_asked_for(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url)
        claim = self.claim(url)
        finding = self.back_link(claim, fetch=False)
        self.assertEqual(self.checks(finding), {"known_page": "met", "token": "unknown"})
        self.assertEqual((finding.decides, self.server.asked), (False, []))

    def test_a_page_read_before_counts_without_asking_again(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url)
        claim = self.claim(url)
        self.server.put("/ada", self.page_with(claim.link_token))
        page = read_page(claim)
        with transaction.atomic():
            self.assertTrue(self.find(Route.BACK_LINK, claim=claim, page=page, for_update=True).decides)
        self.assertEqual(len(self.server.asked), 1)

    def test_the_page_is_looked_at_anew_each_time(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url)
        claim = self.claim(url)
        self.server.put("/ada", self.page_with(claim.link_token))
        self.assertTrue(self.back_link(claim).decides)
        self.server.put("/ada", "nothing here")
        self.assertEqual(self.checks(self.back_link(claim))["token"], "not_met")

    def test_takeover_a_page_that_no_source_linked(self) -> None:
        claim = self.claim(self.server.put("/eve"))
        self.server.put("/eve", self.page_with(claim.link_token))
        finding = self.back_link(claim)
        self.assertEqual(self.checks(finding), {"known_page": "not_met", "token": "met"})
        self.assertEqual((finding.decides, finding.lines), (False, ()))

    def test_takeover_a_page_that_was_linked_after_sign_up(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url, days_ago=-1)
        self.assertEqual(self.checks(self.back_link(self.claim(url)))["known_page"], "not_met")

    def test_takeover_a_page_that_the_attackers_orcid_record_links(self) -> None:
        url = self.server.put("/eve")
        urls = {"researcher-url": [{"url-name": "me", "url": {"value": url}, "visibility": "public"}]}
        data = orcid_record(OTHER, NAME, [added_by_hand("10.5555/x", title="On cracked pots")])
        data["person"]["researcher-urls"] = urls
        bring(*records_in(data))
        SourceRecord.objects.update(observed_at=timezone.now() - timedelta(days=30))
        claim = self.claim(url)
        self.server.put("/eve", self.page_with(claim.link_token))
        self.assertEqual(self.checks(self.back_link(claim))["known_page"], "not_met")

    def test_takeover_a_token_page_that_redirects_to_a_private_address(self) -> None:
        url = self.server.put("/ada", status=302, Location="http://10.0.0.1/token")
        self.link_from_dblp(url)
        finding = self.back_link(self.claim(url))
        self.assertEqual(self.checks(finding), {"known_page": "met", "token": "unknown"})
        self.assertIn("leads on elsewhere", self.check(finding, "token").sentence)

    def test_another_claims_token_or_none_decides_nothing(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url)
        claim = self.claim(url)
        for page in (
            self.page_with("x" * 32), self.page_with(claim.link_token, rel="friend"), claim.link_token, self.page_with(""),
            f'<a rel="me" href="https://bzpeer.example/link/{claim.link_token[:-1]}">me</a>',
        ):  # fmt: skip
            with self.subTest(page=page):
                self.server.put("/ada", page)
                self.assertEqual(self.checks(self.back_link(claim))["token"], "not_met")
        claim.link_token = ""  # of claims from before there were tokens
        self.server.put("/ada", self.page_with("anything"))
        self.assertEqual(self.checks(self.back_link(claim))["token"], "not_met")

    def test_a_name_that_does_not_fit_decides_nothing(self) -> None:
        url = self.server.put("/ada")
        self.link_from_dblp(url)
        claim = self.claim(url)
        self.server.put("/ada", self.page_with(claim.link_token))
        finding = self.find(Route.BACK_LINK, self.eve, claim=claim, fetch=True)
        self.assertEqual((finding.decides, self.checks(finding)["account_name"]), (False, "not_met"))

    def test_the_claimant_is_told_which_page_would_do(self) -> None:
        self.link_from_dblp("https://carberry.example/")
        self.assertEqual(
            self.find(Route.BACK_LINK).checks[0].sentence,
            "dblp links https://carberry.example/. If you can write on it, let it link to your claim.",
        )
