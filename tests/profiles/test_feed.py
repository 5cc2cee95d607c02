from datetime import timedelta

from django.utils import timezone
from lxml import etree

from profiles import access
from profiles.feed import Cursor, Feed, feed
from profiles.models import Block, Invitation, Preferences, SavedSearch
from profiles.services import follows, preferences, saved_searches
from tests.factories import make_author, make_institution, make_topic, make_work
from tests.profiles.cast import HTMX, PeopleTestCase, client_of, invite
from trust.models import TrustChange
from works.models import Author, Work
from works.services.search_documents import refresh_work_search


class FeedTestCase(PeopleTestCase):
    def page(self, **options: object) -> Feed:
        return feed(user=self.charlie, state=access.feed_state(self.charlie), **options)

    def titles(self, **options: object) -> list[str]:
        return [item.work.title for item in self.page(**options).items if item.work]

    def walk(self, size: int) -> list[str]:
        """Return the keys of every line, page after page."""
        seen, after = [], None
        for _ in range(100):
            page = self.page(after=after, size=size)
            seen += [item.key for item in page.items]
            after = page.next_cursor and Cursor.parse(str(page.next_cursor))
            if after is None:
                return seen
        raise AssertionError("The feed has no end.")

    def follow(self, *targets: follows.Target) -> None:
        for target in targets:
            follows.follow(follower=self.charlie, target=target)

    def step(self, author: Author, level: int, old_level: int | None = 1) -> TrustChange:
        return TrustChange.objects.create(
            author=author,
            at=timezone.now(),
            old_value=5,
            value=20,
            old_level=old_level,
            level=level,
            formula_version=1,
        )

    def accepted(self) -> Invitation:
        invitation = invite(self.dora, self.alice_author)
        Invitation.objects.filter(pk=invitation.pk).update(state="accepted", decided_at=timezone.now())
        return invitation


class WorksTests(FeedTestCase):
    def test_it_holds_works_of_what_is_followed_the_last_to_come_first_each_once_with_reasons(self) -> None:
        topic, institution = make_topic(), make_institution()
        make_work("By topic", topics=[topic])
        make_work("By place", institution=institution, authors=2)
        make_work("Both", authors=[self.bob_author], topics=[topic], institution=institution)
        make_work("Neither")
        self.follow(topic, institution, self.bob_author)
        self.assertEqual(self.titles(), ["Both", "By place", "By topic", "On working together"])
        items = self.page().items
        self.assertEqual(
            [str(reason) for reason in items[0].because], ["Bob Stone", "Graph theory", "Tufts University"]
        )
        self.assertEqual([str(reason) for reason in items[1].because], ["Tufts University"])
        self.assertEqual(items[0].because[0].url, self.bob_author.get_absolute_url())

    def test_pages_follow_on_one_another_without_gap_or_repeat(self) -> None:
        topic, place = make_topic(), make_institution()
        for number in range(9):
            make_work(
                f"Work {number}", authors=1 + number % 3, institution=place if number % 2 else None,
                topics=[topic] if number % 4 < 2 else [],
            )  # fmt: skip
            self.step(self.alice_author, 2 + number % 3, 1)
        self.accepted()
        self.follow(topic, place, self.alice_author, self.dora_author)
        whole = [item.key for item in self.page(size=100).items]
        self.assertEqual(len(whole), len(set(whole)))
        self.assertEqual(len([key for key in whole if key.startswith("work:")]), 8)
        for size in (1, 2, 3, 7):
            with self.subTest(size=size):
                self.assertEqual(self.walk(size), whole)

    def test_pages_of_withdrawn_works_and_of_one_large_team_have_an_end(self) -> None:
        place = make_institution()
        for number in range(12):
            make_work(f"Gone {number}", institution=place, is_withdrawn=True)
        make_work("Team", authors=30, institution=place)
        make_work("Early", institution=place)
        Work.objects.filter(title="Early").update(created_at=timezone.now() - timedelta(days=1))
        self.follow(place)
        self.assertEqual(len(self.walk(1)), 2)

    def test_works_of_several_who_are_followed_do_not_shorten_the_feed(self) -> None:
        team, topics = (
            [make_author(f"A{number}") for number in range(6)],
            [make_topic(f"T{number}") for number in range(6)],
        )
        for number in range(9):
            make_work(f"Work {number}", authors=team, topics=topics)
        self.follow(*team, *topics)
        self.assertEqual(len(self.walk(2)), 9)

    def test_hidden_researchers_bring_nothing(self) -> None:
        self.follow(self.bob_author)
        Author.objects.filter(pk=self.bob_author.pk).update(suppressed=True)
        self.assertEqual(self.titles(), [])

    def test_nonsense_for_a_cursor_is_the_first_page(self) -> None:
        for text in ("", "x", "...", "1.2.3", "1.2.3.4.5", "9" * 25 + "...", "-4...", "²...", "1.2.3.x"):
            with self.subTest(text=text):
                self.assertIsNone(Cursor.parse(text))
                self.assertEqual(self.get(self.charlie, f"/me/?after={text}&kind={text}").status_code, 200)
        self.assertEqual(str(Cursor.parse("5..7.")), "5..7.")

    def test_with_htmx_only_the_feed_comes_back(self) -> None:
        response = self.get(self.charlie, "/me/", headers=HTMX)
        self.assertTemplateUsed(response, "profiles/_feed.html")
        self.assertNotContains(response, "<html")

    def test_the_page_asks_six_queries_whatever_is_followed(self) -> None:
        client = client_of(self.charlie)
        for number in range(3):
            topic, place, person = (
                make_topic(f"T{number}"),
                make_institution(f"I{number}"),
                make_author(f"A{number}"),
            )
            make_work(f"Work {number}", topics=[topic], authors=[person, make_author()], institution=place)
            self.step(person, 2)
            saved_searches.save(user=self.charlie, text=f"bridges {number}")
            self.follow(topic, place, person)
            if number in {0, 2}:
                with self.subTest(number=number), self.assertNumQueries(6):
                    client.get("/me/")


class OtherEventsTests(FeedTestCase):
    def kinds(self, **options: object) -> list[str]:
        return [item.kind for item in self.page(**options).items]

    def test_steps_to_a_level_of_people_are_shown_and_other_changes_are_not(self) -> None:
        self.follow(self.alice_author, self.bob_author)
        self.step(self.alice_author, 2, 2)
        self.step(self.alice_author, 1, 0)
        self.step(self.alice_author, 2, 3)
        self.step(self.bob_author, 2, 1)  # unclaimed: nobody to speak of
        self.assertEqual(self.kinds(kind="verified"), [])
        self.step(self.alice_author, 3, 2)
        self.assertContains(self.get(self.charlie, "/me/?kind=verified"), "identity-linked (L3)")

    def test_a_collaboration_is_shown_where_both_are_followed_and_hold_pages(self) -> None:
        self.accepted()
        self.follow(self.alice_author)
        self.assertEqual(self.kinds(kind="together"), [])
        self.follow(self.dora_author)
        self.assertEqual(self.kinds(kind="together"), ["together"])
        self.assertContains(self.get(self.charlie, "/me/"), "work together")
        for change in ({"claimed": False}, {"suppressed": True}):
            Author.objects.filter(pk=self.dora_author.pk).update(**change)
            with self.subTest(change=change):
                self.assertEqual(self.kinds(kind="together"), [])
            Author.objects.filter(pk=self.dora_author.pk).update(claimed=True, suppressed=False)

    def test_what_is_not_accepted_is_not_shown(self) -> None:
        invite(self.dora, self.alice_author)
        self.follow(self.alice_author, self.dora_author)
        self.assertEqual(self.kinds(kind="together"), [])

    def test_across_a_block_nothing_of_what_they_do_is_shown_but_their_works_are(self) -> None:
        self.accepted()
        self.step(self.alice_author, 3, 2)
        self.follow(self.alice_author, self.dora_author)
        self.assertEqual(sorted(self.kinds()), ["step", "together", "work"])
        for blocker, blocked in ((self.alice, self.charlie), (self.charlie, self.alice)):
            block = Block.objects.create(blocker=blocker, blocked=blocked)
            with self.subTest(blocker=str(blocker)):
                self.assertEqual(self.kinds(), ["work"])
            block.delete()

    def test_what_came_since_the_last_look_is_marked_until_it_is_read(self) -> None:
        self.follow(self.bob_author)
        self.assertEqual([item.unread for item in self.page().items], [True])
        page = self.get(self.charlie, "/me/")
        self.assertContains(page, "Mark as read")
        until = self.page().newest
        self.post(self.charlie, "/me/feed/read/", {"until": until.isoformat()})
        self.assertEqual([item.unread for item in self.page().items], [False])
        self.assertNotContains(self.get(self.charlie, "/me/"), "Mark as read")
        make_work("Later", authors=[self.bob_author])
        self.assertEqual([item.unread for item in self.page().items], [True, False])

    def test_the_mark_never_goes_back_nor_into_the_future(self) -> None:
        for until in (
            "2999-01-01T00:00:00+00:00",
            "2001-01-01T00:00:00+00:00",
            "x" * 5000,
            "2001-99-99T00:00:00Z",
        ):
            self.assertRedirects(
                self.post(self.charlie, "/me/feed/read/", {"until": until}),
                "/me/",
                fetch_redirect_response=False,
            )
            seen = Preferences.objects.get(user=self.charlie).feed_seen_at
            self.assertLess(abs(timezone.now() - seen), timedelta(minutes=1))


class SavedSearchTests(FeedTestCase):
    def test_works_that_come_later_and_that_it_finds_are_shown(self) -> None:
        make_indexed("Bridges of before")
        self.post(self.charlie, "/me/searches/", {"q": "  bridges   "})
        make_indexed("Bridges of steel")
        make_indexed("Tunnels")
        self.assertEqual(self.titles(), ["Bridges of steel"])
        self.assertEqual(self.titles(kind="searches"), ["Bridges of steel"])
        self.assertEqual([str(reason) for reason in self.page().items[0].because], ["your search “bridges”"])

    def test_following_a_search_twice_is_once_and_twenty_are_the_most(self) -> None:
        for _ in range(2):
            self.post(self.charlie, "/me/searches/", {"q": "bridges"})
        self.assertEqual(SavedSearch.objects.count(), 1)
        for number in range(30):
            self.post(self.charlie, "/me/searches/", {"q": f"bridges {number}"})
        self.assertEqual(SavedSearch.objects.filter(user=self.charlie).count(), saved_searches.MOST)
        self.assertContains(self.post(self.charlie, "/me/searches/", {"q": "more"}), "20 searches")

    def test_a_search_without_words_is_refused_in_words(self) -> None:
        for text in ("", " ", "...", "\x00"):
            self.assertContains(self.post(self.charlie, "/me/searches/", {"q": text}), "Type some words")

    def test_the_search_page_has_a_link_and_members_a_form(self) -> None:
        page = self.get(None, "/search?q=bridges")
        self.assertNotContains(page, "csrfmiddlewaretoken")
        self.assertEqual(self.get(None, "/me/fragments/search/?q=bridges").status_code, 204)
        self.assertContains(self.get(self.charlie, "/me/fragments/search/?q=bridges"), "Follow this search")
        answer = self.post(self.charlie, "/me/searches/", {"q": "bridges"}, headers=HTMX)
        self.assertContains(answer, "You follow this search")
        self.assertNotContains(answer, "<html")

    def test_it_is_listed_and_can_be_left(self) -> None:
        saved = saved_searches.save(user=self.charlie, text="bridges")
        self.assertContains(self.get(self.charlie, "/me/following/"), "bridges")
        self.post(self.charlie, f"/me/searches/{saved.pk}/remove/")
        self.assertFalse(SavedSearch.objects.exists())


def make_indexed(title: str) -> Work:
    """Return a work that searching finds."""
    work = make_work(title)
    refresh_work_search([work.pk])
    return work


class AtomTests(FeedTestCase):
    def atom(self, token: str, status: int = 200) -> str:
        response = self.get(None, f"/feeds/{token}.atom")
        self.assertEqual(response.status_code, status)
        return response.content.decode()

    def test_it_reads_as_atom_by_its_token_alone_and_names_nothing_private(self) -> None:
        self.follow(self.bob_author, self.alice_author)
        self.step(self.alice_author, 3, 2)
        make_indexed("Secret wishes met")
        saved_searches.save(user=self.charlie, text="secret wishes")
        token = preferences.renew_feed_token(user=self.charlie)
        text = self.atom(token)
        titles = [
            title.text for title in etree.fromstring(text.encode()).iter("{http://www.w3.org/2005/Atom}title")
        ]
        self.assertEqual(
            sorted(titles),
            ["Alice Ngata is now identity-linked (L3)", "New on BZPEER", "On working together"],
        )
        for private in (self.charlie.email, "Charlie", "your search", "Here because"):
            self.assertNotIn(private, text)

    def test_no_shared_cache_keeps_it(self) -> None:
        token = preferences.renew_feed_token(user=self.charlie)
        response = self.get(None, f"/feeds/{token}.atom")
        self.assertIn("private", response["Cache-Control"])

    def test_an_old_address_a_made_up_one_and_a_suspended_members_are_none(self) -> None:
        old = preferences.renew_feed_token(user=self.charlie)
        new = preferences.renew_feed_token(user=self.charlie)
        self.atom(old, 404)
        self.atom("x" * 40, 404)
        self.atom(new)
        self.charlie.is_active = False
        self.charlie.save()
        self.atom(new, 404)

    def test_members_make_renew_and_remove_the_address(self) -> None:
        self.post(self.charlie, "/me/settings/notifications/feed/")
        token = Preferences.objects.get(user=self.charlie).feed_token
        self.assertContains(self.get(self.charlie, "/me/settings/notifications/"), f"/feeds/{token}.atom")
        self.post(self.charlie, "/me/settings/notifications/feed/", {"step": "revoke"})
        self.atom(token, 404)
