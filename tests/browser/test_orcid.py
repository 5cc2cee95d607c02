"""ORCID through the real OAuth flow, in a browser: sign up, log in, connect, and what happens when it is away."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from playwright.sync_api import Browser, Page, expect

from profiles.models import User
from tests.browser.conftest import Mailbox
from tests.browser.test_walk import log_in, new_page, shoot
from tests.factories import make_user
from tests.orcid_server import LIEBERSOHN, OrcidServer

pytestmark = pytest.mark.browser


@pytest.fixture
def orcid(settings: Any) -> Iterator[OrcidServer]:
    with OrcidServer() as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield server


def authorize(page: Page, orcid: OrcidServer) -> None:
    expect(page).to_have_url(re.compile(f"^{re.escape(orcid.url)}/oauth/authorize"))
    page.get_by_role("button", name="Authorize access").click()


def on_this_site(problems: list[str], orcid: OrcidServer) -> list[str]:
    """Return what the browser complained of, but that it went to ORCID, as it was asked to."""
    return [problem for problem in problems if not problem.startswith(f"left the site: {orcid.url}/")]


def test_a_person_signs_up_with_orcid_and_later_logs_in(
    site: str, browser: Browser, mailbox: Mailbox, orcid: OrcidServer
) -> None:
    problems: list[str] = []
    page = new_page(browser, site, problems)
    page.goto("/accounts/signup/?next=/me/claims/")
    page.get_by_role("button", name="Continue with ORCID").click()
    authorize(page, orcid)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up with ORCID")
    expect(page.get_by_label("Name to be shown")).to_have_value("Carl Jacob Liebersohn")
    shoot(page, "orcid-sign-up")
    page.get_by_label("E-mail address").fill("carl@example.org")
    page.get_by_role("button", name="Sign up").click()
    mail = mailbox.wait_for("carl@example.org", "confirm-email")
    found = re.search(r"http://\S+/confirm-email/\S+", mail)
    assert found
    page.goto(found[0])
    page.get_by_role("button", name="Yes, confirm it").click()
    expect(page).to_have_url(f"{site}/me/claims/")
    user = User.objects.get(email="carl@example.org")
    assert SocialAccount.objects.get(user=user).uid == LIEBERSOHN

    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/?next=/me/following/")
    shoot(page, "log-in")
    page.get_by_role("button", name="Continue with ORCID").click()
    authorize(page, orcid)
    expect(page).to_have_url(f"{site}/me/following/")
    assert on_this_site(problems, orcid) == []


def test_a_member_connects_orcid_without_javascript(site: str, browser: Browser, orcid: OrcidServer) -> None:
    member = make_user("Carl Liebersohn")
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    log_in(page, member.email)
    page.goto("/me/security/")
    page.get_by_role("button", name="Connect ORCID").click()
    authorize(page, orcid)
    expect(page).to_have_url(f"{site}/me/security/")
    expect(page.get_by_role("link", name=re.compile(LIEBERSOHN))).to_be_visible()
    assert SocialAccount.objects.get().extra_data["orcid-identifier"]["path"] == LIEBERSOHN
    context.close()


def test_stopping_there_and_orcid_out_of_order_are_pages(
    site: str, browser: Browser, orcid: OrcidServer
) -> None:
    problems: list[str] = []
    page = new_page(browser, site, problems, width=390)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Continue with ORCID").click()
    page.get_by_role("button", name="Deny access").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You stopped at ORCID")
    shoot(page, "orcid-stopped")
    orcid.fail_with(status=503, body="<html>Maintenance</html>", content_type="text/html", at="token")
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Continue with ORCID").click()
    authorize(page, orcid)
    expect(page.get_by_role("heading", level=1)).to_have_text("ORCID did not work")
    shoot(page, "orcid-out-of-order")
    orcid.recover()
    page.get_by_role("button", name="Try again").click()
    authorize(page, orcid)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign up with ORCID")
    # The page said 502, which the browser writes down.
    assert [problem for problem in on_this_site(problems, orcid) if "502" not in problem] == []
