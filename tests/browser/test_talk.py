"""Two people at once, each with a browser: invite, accept, talk, block. A third sees none of it by any address."""

import re
from datetime import date, timedelta

import pytest
from django.urls import URLPattern, reverse
from playwright.sync_api import Browser, Page, expect

from profiles.models import Claim, Conversation, Invitation, Message, Participant, Researcher
from profiles.urls import urlpatterns
from tests.browser.test_walk import log_in, new_page, shoot
from tests.factories import make_user
from works.models import Author

pytestmark = pytest.mark.browser


def make_researcher(name: str) -> Researcher:
    """Return a member who holds the page of this name."""
    user, author = make_user(name), Author.objects.get(display_name=name)
    Author.objects.filter(pk=author.pk).update(claimed=True)
    Claim.objects.create(user=user, author=author, state=Claim.State.APPROVED, case="It is me.")
    return Researcher.objects.create(user=user, author=author)


def addresses_of(invitation: Invitation, conversation: Conversation) -> list[str]:
    """Return every address under these two, as the table of addresses knows them."""
    found = []
    for pattern in urlpatterns:
        if not isinstance(pattern, URLPattern) or not pattern.name:
            continue
        route = str(pattern.pattern)
        for start, row in (
            ("me/invitations/<uuid:pk>/", invitation),
            ("me/conversations/<uuid:pk>/", conversation),
        ):
            if route.startswith(start):
                arguments = [row.pk, 1] if "<int:seq>" in route else [row.pk]
                found.append(reverse(f"profiles:{pattern.name}", args=arguments))
    return found


def statuses(page: Page, address: str) -> tuple[int, int]:
    """Return what GET and POST of an address answer to whoever is logged in here."""
    token = page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value")
    headers = {"X-CSRFToken": token or "", "Referer": page.url}
    answers = (page.request.get(address), page.request.post(address, headers=headers, form={"body": "x"}))
    return answers[0].status, answers[1].status


def test_two_people_talk_and_nobody_else_hears(site: str, browser: Browser) -> None:
    problems: list[str] = []
    ke, udit, third = make_researcher("Liu Ke"), make_researcher("Udit Gupta"), make_user("Third Person")
    hers, his = new_page(browser, site, problems), new_page(browser, site, problems, width=390)
    log_in(hers, ke.user.email)
    log_in(his, udit.user.email)

    # He invites; the preview follows what he types.
    his.goto(reverse("profiles:invite", args=[ke.author.pid]))
    his.get_by_label("Purpose").select_option(label="Write a paper together")
    his.get_by_label("What I bring").fill("Traces of a production cluster.")
    expect(his.locator("#invitation-preview")).to_contain_text("Traces of a production cluster.")
    expect(his.locator("#invitation-preview")).to_contain_text("Write a paper together")
    his.get_by_label("What I ask").fill("An hour to go through the scheduler.")
    his.get_by_label("Expected time").fill("Two hours a week")
    his.get_by_label("Reply by").fill(str(date.today() + timedelta(days=14)))
    shoot(his, "invite-preview")
    his.get_by_role("button", name="Send the invitation").click()
    expect(his.get_by_text("Waiting for an answer").first).to_be_visible()
    invitation = Invitation.objects.get()

    # She accepts; both look at the conversation, and what one writes appears at the other's by itself.
    hers.goto(invitation.get_absolute_url())
    shoot(hers, "invitation-received")
    hers.get_by_role("button", name=re.compile("^Accept")).click()
    conversation = Conversation.objects.get()
    his.goto(conversation.get_absolute_url())
    hers.locator("#id_body").fill("Gladly. Compare arXiv:2203.07424 first.")
    hers.get_by_role("button", name="Send").dblclick()
    expect(hers.locator("#talk > li")).to_have_count(2)
    expect(his.locator("#talk")).to_contain_text("Gladly. Compare arXiv:2203.07424 first.")
    his.locator("#id_body").fill("Log in at https://orcid.org.login.example/ please")
    his.get_by_role("button", name="Send").click()
    expect(hers.locator("#talk")).to_contain_text("Look twice at the address")
    expect(hers.locator("#talk > li")).to_have_count(3)
    shoot(hers, "conversation-two")

    # What is half written is still there after a reload; what fails for want of a connection is sent once, later.
    with hers.expect_response(lambda answer: "/draft/" in answer.url):
        hers.locator("#id_body").press_sequentially("On Thursday then")
    hers.reload()
    expect(hers.locator("#id_body")).to_have_value("On Thursday then")
    lost = problems.copy()
    hers.context.set_offline(True)
    hers.get_by_role("button", name="Send").click()
    expect(hers.get_by_text("That did not work")).to_be_visible()
    expect(hers.locator("#id_body")).to_have_value("On Thursday then")
    hers.context.set_offline(False)
    hers.get_by_role("button", name="Send").click()
    expect(hers.locator("#talk > li")).to_have_count(4)
    problems[:] = lost  # the browser complains of the lost connection
    assert Message.objects.filter(body="On Thursday then").count() == 1
    expect(his.locator("#talk")).to_contain_text("On Thursday then")
    assert set(Participant.objects.values_list("read_seq", flat=True)) == {4}

    # A third member, and nobody, at every address there is.
    stranger, nobody = new_page(browser, site, []), new_page(browser, site, [])
    log_in(stranger, third.email)
    stranger.goto("/me/settings/")
    addresses = addresses_of(invitation, conversation)
    assert len(addresses) == 18
    for address in addresses:
        assert set(statuses(stranger, address)) <= {404, 405}, address
        assert nobody.request.get(address, max_redirects=0).status in {302, 405}, address
    for address in (
        "/me/invitations/",
        "/me/conversations/",
        "/me/conversations/?q=Thur",
        "/me/notifications/",
    ):
        assert "On Thursday then" not in stranger.request.get(address).text(), address
    assert Message.objects.count() == 4

    # She blocks him: it is gone for both, the open page of his included.
    hers.get_by_text("Leave, report or block").click()
    hers.get_by_role("link", name=re.compile("^Block")).click()
    hers.get_by_role("button", name="Block").click()
    expect(hers.get_by_role("heading", name="People you block")).to_be_visible()
    expect(his.locator("#talk")).to_have_count(0)
    for page in (hers, his):
        for address in (invitation.get_absolute_url(), conversation.get_absolute_url()):
            assert page.request.get(address).status == 404
    his_only = [line for line in problems if "404" not in line]  # his page looked once more
    assert his_only == []
