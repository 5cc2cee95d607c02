"""Passkeys, codes and sessions in a browser, under the strict policy for scripts."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, Page, expect

from profiles.models import OutgoingMail
from tests.browser.test_walk import log_in, new_page, shoot
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def named(site: str, settings: Any) -> str:
    """Return the site's address with a name: a passkey belongs to a name, never to a number."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    return f"http://localhost:{urlsplit(site).port}"


def add_authenticator(page: Page) -> None:
    """Give the browser a device that holds passkeys and whose owner always nods."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_logs_in_and_proves_again(named: str, browser: Browser) -> None:
    problems: list[str] = []
    member = make_user("Ada Smith")
    page = new_page(browser, named, problems)
    add_authenticator(page)
    log_in(page, member.email)
    page.goto("/me/security/")
    page.get_by_role("link", name="Add a passkey").click()
    shoot(page, "passkey-add")
    page.get_by_label(re.compile("^Name")).fill("My laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    shoot(page, "recovery-codes")
    assert Authenticator.objects.filter(user=member, type="webauthn").count() == 1
    page.goto("/me/security/")
    expect(page.get_by_text("My laptop")).to_be_visible()
    page.get_by_role("link", name="Manage passkeys").click()
    expect(page.get_by_text("logs you in by itself")).to_be_visible()
    shoot(page, "passkeys")

    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/?next=/me/following/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{named}/me/following/")

    # With the password, it is the second step.
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(member.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One step more")
    shoot(page, "second-step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{named}/me/")

    page.goto("/accounts/2fa/webauthn/reauthenticate/?next=/me/security/")
    shoot(page, "still-you")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page).to_have_url(f"{named}/me/security/")
    assert problems == []


def test_where_no_passkey_works_the_page_says_why(named: str, browser: Browser) -> None:
    page = new_page(browser, named.replace("localhost", "127.0.0.1"), [])
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_contain_text("log in another way", ignore_case=True)


def test_the_second_step_and_the_sessions_work_without_javascript(named: str, browser: Browser) -> None:
    member = make_user("Ada Smith")
    context = browser.new_context(base_url=named, java_script_enabled=False)
    page = context.new_page()
    log_in(page, member.email)
    page.goto("/me/security/")
    shoot(page, "security")
    page.get_by_role("link", name="Set it up").click()
    shoot(page, "application")
    secret = page.locator("code.key").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    told = OutgoingMail.objects.filter(subject="An application was set up")
    assert [row.recipients for row in told] == [[member.email]]
    code = page.locator("pre.codes").inner_text().split()[0]
    other = browser.new_context(base_url=named, java_script_enabled=False).new_page()
    other.goto("/accounts/login/")
    other.get_by_label("E-mail").fill(member.email)
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Log in", exact=True).click()
    expect(other.get_by_role("button", name="Use a passkey")).to_be_hidden()
    other.get_by_label("Code").fill(code)
    other.get_by_role("button", name="Log in", exact=True).click()
    expect(other).to_have_url(f"{named}/me/")
    page.goto("/me/security/")
    page.get_by_role("link", name="See the devices").click()
    expect(page.get_by_text("Chrome on Linux").first).to_be_visible()
    shoot(page, "sessions")
    page.get_by_role("button", name="Log out everywhere else").click()
    expect(page.get_by_text("You are logged out everywhere else.")).to_be_visible()
    other.goto("/me/")
    expect(other).to_have_url(re.compile("/accounts/login/"))
    context.close()


def code_of(secret: str) -> str:
    """Return the code that an application shows now for a key."""
    return f"{hotp_value(secret, next(iter(yield_hotp_counters_from_time()))):06d}"
