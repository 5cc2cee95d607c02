"""From "This is me" to a page of one's own, by ORCID, in a browser: a squatter who came first hinders nobody."""

import re
import time
from collections.abc import Iterator

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Locator, Page, expect

from profiles.models import Claim
from profiles.services import claims
from tests.browser.conftest import SCREENSHOTS
from tests.browser.test_walk import log_in, new_page, shoot
from tests.factories import make_user
from tests.orcid_server import OrcidServer
from tests.profiles.claim_evidence import ORCID, record_with
from trust.models import TrustScore
from works.models import Author

pytestmark = pytest.mark.browser

MOST_CLICKS = 5


@pytest.fixture
def orcid(site: str) -> Iterator[OrcidServer]:
    """ORCID as this site knows it; the person who signs in there wrote both works."""
    with OrcidServer() as server, override_settings(**server.settings):
        server.sign_in_as(ORCID, record_with())
        yield server


class Clicks:
    """Counts what a person presses, and how long the machines take between two of them."""

    def __init__(self, page: Page) -> None:
        self.page, self.count, self.seconds = page, 0, 0.0

    def __call__(self, button: Locator, then: Locator) -> None:
        expect(button).to_be_visible()
        self.count += 1
        started = time.monotonic()
        button.click()
        expect(then).to_be_visible()
        self.seconds += time.monotonic() - started


def test_this_is_me_by_orcid(
    site: str, orcid: OrcidServer, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    problems: list[str] = []
    author = Author.objects.get(display_name="Liu Ke")
    squat = claims.submit_claim(
        user=make_user("Squat Ter"), author=author, case="This page is mine, believe me please."
    )
    liu = make_user("Liu Ke")
    page = new_page(browser, site, problems, width=390)
    log_in(page, liu.email)
    page.goto(author.get_absolute_url())

    def button(name: str) -> Locator:
        return page.get_by_role("button", name=re.compile(f"^{name}"))

    click = Clicks(page)
    click(page.get_by_role("link", name="This is me", exact=True), button("Sign in with ORCID"))
    expect(page.get_by_text("You have not signed in with ORCID yet.")).to_be_visible()
    click(button("Sign in with ORCID"), button("Authorize access"))
    click(button("Authorize access"), button("This is me: claim it now"))
    click(button("This is me: claim it now"), page.get_by_role("heading", name="This is your page"))
    assert click.count <= MOST_CLICKS

    claim = Claim.objects.get(user=liu)
    assert (claim.state, claim.decided_by_route) == (Claim.State.APPROVED, "orcid")
    squat.refresh_from_db()
    assert squat.state == Claim.State.SUBMITTED
    started = time.monotonic()
    page.goto(author.get_absolute_url())
    snapshot = page.get_by_role("region", name="Trust snapshot")
    while "Verification L3" not in snapshot.inner_text() and time.monotonic() - started < 30:
        page.wait_for_timeout(250)
        page.reload()
    expect(snapshot).to_contain_text("Verification L3")
    assert TrustScore.objects.get(author=author).level == 3
    with capsys.disabled():
        print(
            f"\nFrom “This is me” to an accepted claim: {click.count} clicks, {click.seconds:.1f} s of machine time;"
            f" level 3 on the page {time.monotonic() - started:.1f} s later."
        )
    assert [problem for problem in problems if orcid.url not in problem] == []


def test_the_pages_of_claiming_hold_on_a_phone_and_in_the_dark(
    site: str, orcid: OrcidServer, browser: Browser
) -> None:
    problems: list[str] = []
    author = Author.objects.get(display_name="Liu Ke")
    liu = make_user("Liu Ke")
    page = new_page(browser, site, problems)
    log_in(page, liu.email)
    page.goto(f"/researchers/{author.pid}/claim/")
    shoot(page, "claim-routes")
    page.get_by_label("Your case").fill("These two papers are mine; my address is printed on both of them.")
    page.get_by_label("A page of yours").fill("https://example.org/~liu")
    page.get_by_role("button", name=re.compile("^This is me: file")).click()
    expect(page.get_by_text("a moderator decides").first).to_be_visible()
    shoot(page, "claim-open")
    page.get_by_label("Add files").set_input_files(
        {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 a letter"}
    )
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("letter.pdf").first).to_be_visible()
    page.goto(f"/researchers/{author.pid}/history/")
    expect(page.get_by_text("Claim 1 filed")).to_be_visible()
    shoot(page, "history")
    assert problems == []
    assert (SCREENSHOTS / "history-390-dark.png").exists()


def test_claiming_needs_no_javascript(site: str, orcid: OrcidServer, browser: Browser) -> None:
    author = Author.objects.get(display_name="Liu Ke")
    liu = make_user("Liu Ke")
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    log_in(page, liu.email)
    page.goto(f"/researchers/{author.pid}/claim/")
    page.get_by_role("button", name=re.compile("^Sign in with ORCID")).click()
    page.get_by_role("button", name="Authorize access").click()
    page.get_by_role("button", name=re.compile("^This is me: claim it now")).click()
    expect(page.get_by_role("heading", name="This is your page")).to_be_visible()
    context.close()
