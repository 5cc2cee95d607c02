"""The site as a person walks it: find, look, sign up, follow, claim; be accepted, be invited, answer."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bzpeer.lib.markup import render
from profiles.models import Claim
from profiles.services import claims
from tests.browser.conftest import SCREENSHOTS, Mailbox
from tests.factories import PASSWORD, make_user, make_work
from works.models import Author

pytestmark = pytest.mark.browser
WAIT = 30_000  # ms; a worker may need its ten-second sweep
expect.set_options(timeout=WAIT)


def new_page(browser: Browser, site: str, problems: list[str], width: int = 1280) -> Page:
    """Open a page that writes down what the browser complains of."""
    context: BrowserContext = browser.new_context(
        base_url=site, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on(
        "console",
        lambda message: (
            problems.append(f"{message.text} {message.location}") if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((site, "data:"))
            else problems.append(f"left the site: {request.url}")
        ),
    )
    return page


def log_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/me/")


def shoot(page: Page, name: str) -> None:
    """Write a picture of the page at both widths and in both schemes."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    for width, scheme in ((390, "dark"), (390, "light"), (1280, "dark"), (1280, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (
            f"{name} is wider than {width} px"
        )
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
    assert size
    page.set_viewport_size(size)


def test_a_person_finds_claims_and_answers(site: str, browser: Browser, mailbox: Mailbox) -> None:
    problems: list[str] = []

    # A reader finds Liu Ke from search, and the graph swaps itself in.
    page = new_page(browser, site, problems)
    page.goto("/")
    shoot(page, "home")
    page.get_by_role("searchbox").first.fill("Liú Kè")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    shoot(page, "search")
    page.get_by_role("link", name="Liu Ke", exact=True).first.click()
    profile = page.url
    expect(page.get_by_role("heading", level=1)).to_have_text("Liu Ke")
    for words in (
        "Researcher profile",
        "Liu Ke contributes to research discovery and scholarly infrastructure.",
        "Affiliation not imported",
        "Open to collaborate",
        "Built from public sources. This person has not joined.",
        "Quick read",
        "Verification L1",
        "Unclaimed author",
        "Decide how to stay connected",
        "How to connect with this researcher",
        "Log in to claim",
        "Open a focused conversation when the fit is right",
        "Claim this author entity first to unlock direct invitations.",
        "See the researcher in context",
        "Open full explorer",
        "2 published item(s)",
        "Hercules: Heterogeneity-Aware Inference Serving for At-Scale Personalized Recommendation",
        "RecNMP: Accelerating Personalized Recommendation with Near-Memory Processing",
    ):
        expect(page.get_by_text(words).first).to_be_visible()
    snapshot = page.get_by_role("region", name="Trust snapshot")
    expect(snapshot).to_contain_text(re.compile(r"Trust 13\s+- Unverified"))
    expect(page.locator("#graph-panel svg").first).to_be_visible()
    expect(
        page.locator("#graph-panel").get_by_role("link", name=re.compile("Udit Gupta")).first
    ).to_be_visible()
    shoot(page, "researcher")

    # They sign up, confirm the address by the mail, and come back to follow.
    page.get_by_role("link", name=re.compile("^Follow researcher")).click()
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Name to be shown").fill("Liu Ke")
    page.get_by_label("E-mail address").fill("liu.ke@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    shoot(page, "sign-up")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    mail = mailbox.wait_for("liu.ke@example.org", "confirm-email")
    page.goto(re.search(r"http://\S+/confirm-email/\S+", mail)[0])  # type: ignore[index]
    page.get_by_role("button", name="Yes, confirm it").click()
    if not page.get_by_text("Log out").count():
        log_in(page, "liu.ke@example.org")
    page.goto(profile)
    page.get_by_role("button", name=re.compile("^Follow researcher")).click()
    expect(page.get_by_role("button", name=re.compile("^Unfollow researcher"))).to_be_visible()
    expect(page.locator("#followers-count")).to_have_text("1")
    page.get_by_role("button", name=re.compile("^Unfollow researcher")).click()
    expect(page.locator("#followers-count")).to_have_text("0")

    # They claim the page with a written case.
    page.get_by_role("link", name="This is me", exact=True).click()
    page.get_by_label("Your case").fill("These two papers are mine; my address is printed on both of them.")
    shoot(page, "claim")
    page.get_by_role("button", name=re.compile("^This is me")).click()
    expect(page.get_by_text("Waiting for a moderator").first).to_be_visible()

    # A moderator accepts it at the desk, by the keyboard alone.
    moderator = make_user("Mo Derator", is_staff=True, is_superuser=True)
    desk = new_page(browser, site, problems)
    log_in(desk, moderator.email)
    desk.goto("/moderation/queues/claims/")
    desk.get_by_role("link", name="Liu Ke").first.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Liu Ke")
    shoot(desk, "moderation")
    desk.get_by_role("link", name="Go to the decision").press("Enter")
    for _ in range(2):  # past the answers that are used again
        desk.keyboard.press("Tab")
    expect(desk.get_by_label(re.compile("^Reason"))).to_be_focused()
    desk.keyboard.type("The address on both papers is theirs.")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("button", name="Accept", exact=True)).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Liu Ke: Accepted.")).to_be_visible()
    assert Claim.objects.get().state == Claim.State.APPROVED

    # The worker carries it into the ledger: claim 7 and confirmed e-mail 3 on top of 13.
    for _ in range(60):
        page.goto(profile)
        if "Trust 23" in snapshot.inner_text():
            break
        page.wait_for_timeout(500)
    expect(snapshot).to_contain_text("Trust 23")
    expect(snapshot).to_contain_text("Verification L2")
    expect(snapshot).not_to_contain_text("Unclaimed author")
    page.goto(profile.rstrip("/") + "/trust/")
    expect(page.get_by_role("heading", name="Why 23?")).to_be_visible()
    expect(page.get_by_text("Accepted claim").first).to_be_visible()
    shoot(page, "why")

    # A second researcher, who holds a page too, invites; the owner accepts and answers.
    inviter = make_user("Udit Gupta")
    udit = Author.objects.get(display_name="Udit Gupta")
    claims.approve_claim(
        claim=claims.submit_claim(user=inviter, author=udit, case="My address is on both papers."),
        actor=moderator,
    )
    other = new_page(browser, site, problems, width=390)
    log_in(other, inviter.email)
    other.goto(profile)
    other.get_by_role("link", name="Invite", exact=True).click()
    other.get_by_label("Purpose").select_option(label="Write a paper together")
    other.get_by_label("What I bring").fill("Traces of a production cluster.")
    other.get_by_label("What I ask").fill("An hour to go through the scheduler of Hercules.")
    other.get_by_label("Expected time").fill("Two hours a week until June")
    other.get_by_label("Reply by").fill(str(date.today() + timedelta(days=14)))
    shoot(other, "invite")
    other.get_by_role("button", name="Send the invitation").click()
    expect(other.get_by_text("Waiting for an answer").first).to_be_visible()

    page.goto("/me/invitations/")
    page.get_by_role("link", name=re.compile("Udit Gupta|paper", re.I)).first.click()
    shoot(page, "invitation")
    page.get_by_role("button", name=re.compile("^Accept")).click()
    page.get_by_role("textbox").last.fill("Gladly. <b>Thursday</b>? See https://arxiv.org/abs/2203.07424")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#messages")).to_contain_text("Gladly. <b>Thursday</b>?")
    shoot(page, "conversation")

    other.goto("/me/conversations/")
    other.get_by_role("link", name=re.compile("Liu Ke|paper", re.I)).first.click()
    expect(other.locator("#messages")).to_contain_text("Gladly. <b>Thursday</b>?")
    expect(other.locator("#messages").get_by_role("link", name=re.compile("arxiv.org"))).to_have_attribute(
        "rel", re.compile("noopener")
    )

    assert problems == []


def test_the_graph_panel_says_that_it_is_being_built_until_it_is(site: str, browser: Browser) -> None:
    problems: list[str] = []
    page = new_page(browser, site, problems, width=390)
    page.goto(Author.objects.get(display_name="Liu Ke").get_absolute_url())
    building = page.get_by_text("Building this graph slice")
    expect(page.locator("#graph-panel svg").or_(building).first).to_be_visible()
    expect(page.locator("#graph-panel svg").last).to_be_visible()
    assert page.locator("#graph-panel h1").count() == 0
    assert problems == []


def test_every_page_reads_without_javascript(site: str, browser: Browser) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/search?q=ke+liu")
    page.get_by_role("link", name="Liu Ke", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Liu Ke")
    page.get_by_role("link", name="Open full explorer").click()
    for _ in range(30):
        if page.locator("svg a").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    assert page.locator("svg a").count() > 5
    page.goto(Author.objects.get(display_name="Liu Ke").get_absolute_url())
    page.get_by_role("link", name=re.compile("^Follow researcher")).click()
    expect(page.get_by_label("E-mail").first).to_be_visible()
    context.close()


def test_formulas_stand_within_their_line(site: str, browser: Browser) -> None:
    abstract = render(r"It takes $O(n^2)$ time for <i>most</i> graphs of $n$ nodes. " * 12)
    work = make_work("Sorting in short", abstract=abstract.plain, abstract_html=abstract.html)
    page = new_page(browser, site, [])
    for address in (work.get_absolute_url(), work.authorships.get().author.get_absolute_url()):
        page.goto(address)
        tops = page.locator(".abstract math").evaluate_all(
            "nodes => nodes.slice(0, 4).map(n => n.getBoundingClientRect().top)"
        )
        assert len(tops) == 4
        assert max(tops) - min(tops) < 60, f"{address}: formulas stand below each other"
