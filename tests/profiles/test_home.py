from tests.profiles.cast import PeopleTestCase


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
