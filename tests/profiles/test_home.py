from datetime import date

from profiles import queries
from profiles.services import follows
from tests.factories import make_institution, make_topic, make_work
from tests.profiles.cast import HTMX, PeopleTestCase, client_of


class FeedTests(PeopleTestCase):
    def titles(self, after: queries.Cursor | None = None, size: int = 20) -> list[str]:
        return [item.work.title for item in queries.feed(user=self.charlie, after=after, size=size).items]

    def test_it_holds_works_of_what_is_followed_newest_first_each_once(self) -> None:
        topic, institution = make_topic(), make_institution()
        make_work("By topic", topics=[topic], publication_date=date(2021, 5, 1), year=2021)
        make_work("By place", institution=institution, publication_date=date(2022, 5, 1), year=2022)
        make_work(
            "Both", authors=[self.bob_author], topics=[topic], publication_date=date(2023, 5, 1), year=2023
        )
        make_work("Neither", publication_date=date(2024, 5, 1), year=2024)
        for target in (topic, institution, self.bob_author):
            follows.follow(follower=self.charlie, target=target)
        self.assertEqual(self.titles(), ["Both", "By place", "By topic", "On working together"])
        items = queries.feed(user=self.charlie).items
        self.assertEqual([str(reason) for reason in items[0].because], ["Bob Stone", "Graph theory"])
        self.assertEqual([str(reason) for reason in items[1].because], ["Tufts University"])

    def test_pages_follow_on_one_another_without_gap_or_repeat(self) -> None:
        topic = make_topic()
        for number in range(7):
            make_work(
                f"Work {number}", topics=[topic], publication_date=date(2021, 1, 1 + number // 3), year=2021
            )
        make_work("Only the year", topics=[topic], year=2020)
        follows.follow(follower=self.charlie, target=topic)
        seen, after = [], None
        while True:
            page = queries.feed(user=self.charlie, after=after, size=3)
            seen += [item.work.title for item in page.items]
            after = page.next_cursor and queries.Cursor.parse(str(page.next_cursor))
            if after is None:
                break
        self.assertEqual(len(seen), 8)
        self.assertEqual(len(set(seen)), 8)
        self.assertEqual(seen[-1], "Only the year")

    def test_nonsense_for_a_cursor_is_the_first_page(self) -> None:
        for text in (
            "",
            "x",
            "2021-01-01.",
            "2021-13-01.5",
            "2021-01-01.99999999999999999999",
            "2021-01-01.-4",
        ):
            self.assertIsNone(queries.Cursor.parse(text))
            self.assertEqual(self.get(self.charlie, f"/me/?after={text}").status_code, 200)

    def test_with_htmx_only_the_feed_comes_back(self) -> None:
        response = self.get(self.charlie, "/me/", headers=HTMX)
        self.assertTemplateUsed(response, "profiles/_feed.html")
        self.assertNotContains(response, "<html")

    def test_it_asks_the_same_number_of_queries_for_one_and_three(self) -> None:
        topic = make_topic()
        follows.follow(follower=self.charlie, target=topic)
        client = client_of(self.charlie)
        for number in range(3):
            make_work(f"Work {number}", topics=[topic], authors=2)
            if number in {0, 2}:
                with self.subTest(number=number), self.assertNumQueries(12):
                    client.get("/me/")


class ViewerTests(PeopleTestCase):
    def viewer(self, user: object, pid: str) -> str:
        return self.get(user, f"/me/fragments/researcher/{pid}/").content.decode()

    def test_strangers_keep_what_the_page_has(self) -> None:
        response = self.get(None, f"/me/fragments/researcher/{self.bob_author.pid}/")
        self.assertEqual((response.status_code, response.content), (204, b""))

    def test_the_page_itself_has_the_anonymous_form_without_a_token(self) -> None:
        page = self.get(None, self.bob_author.get_absolute_url())
        for words in (
            "Actions", "Decide how to stay connected", "Follow researcher", "Identity and collaboration",
            "How to connect with this researcher", "Log in to claim", "Direct collaboration",
            "Open a focused conversation when the fit is right",
            "Claim this author entity first to unlock direct invitations.",
        ):  # fmt: skip
            self.assertContains(page, words)
        self.assertNotContains(page, "csrfmiddlewaretoken")
        self.assertContains(page, f'href="/follow/author/{self.bob_author.pid}/"')

    def test_members_see_what_they_can_do(self) -> None:
        unclaimed, claimed = self.bob_author.pid, self.alice_author.pid
        self.assertIn("This is me", self.viewer(self.bob, unclaimed))
        self.assertIn("unlock direct invitations", self.viewer(self.bob, unclaimed))
        self.assertIn("This is your page", self.viewer(self.alice, claimed))
        self.assertIn(f"/researchers/{claimed}/invite/", self.viewer(self.dora, claimed))

    def test_a_closed_page_has_no_invite_button(self) -> None:
        self.alice.researcher.open_to_collaborate = False
        self.alice.researcher.save()
        self.assertNotIn("/invite/", self.viewer(self.dora, self.alice_author.pid))

    def test_the_account_nav_knows_its_viewer(self) -> None:
        self.assertContains(self.get(None, "/me/fragments/nav/"), "Log in")
        self.assertContains(self.get(self.bob, "/me/fragments/nav/"), "Log out")
