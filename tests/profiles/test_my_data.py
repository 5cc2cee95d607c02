import json

from profiles.models import Follow, Message, Researcher, User
from profiles.services import claims, follows, invitations
from tests.factories import PASSWORD
from tests.profiles.cast import PeopleTestCase, invite
from trust.models import Evidence


class ExportTests(PeopleTestCase):
    def test_it_holds_everything_of_mine_and_nothing_of_others(self) -> None:
        follows.follow(follower=self.alice, target=self.bob_author)
        conversation = self.make_conversation()
        self.say(conversation, self.alice, "My own words")
        claims.submit_claim(user=self.bob, author=self.bob_author, case="The case of somebody else.")
        response = self.get(self.alice, "/me/export/")
        self.assertIn("attachment", response["Content-Disposition"])
        data = json.loads(response.content)
        self.assertEqual(data["account"]["email"], self.alice.email)
        self.assertEqual(data["follows"][0]["name"], "Bob Stone")
        self.assertEqual(data["claims"][0]["state"], "approved")
        self.assertEqual([m["from"] for m in data["conversations"][0]["messages"]], ["Dora Lund", "me"])
        text = response.content.decode()
        for private in (self.dora.email, self.bob.email, "somebody else"):
            self.assertNotIn(private, text)

    def test_it_does_not_tell_that_an_invitation_was_declined(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        invitations.decline_invitation(invitation=invitation, user=self.alice)
        self.assertNotIn("declined", self.get(self.dora, "/me/export/").content.decode())


class DeletionTests(PeopleTestCase):
    def test_a_wrong_password_deletes_nothing(self) -> None:
        response = self.post(self.alice, "/me/delete/", {"password": "wrong"})
        self.assertContains(response, "That is not your password.", status_code=200)
        self.assertTrue(User.objects.filter(pk=self.alice.pk).exists())

    def test_the_page_becomes_unclaimed_and_counts_stay_right(self) -> None:
        claim = claims.submit_claim(user=self.bob, author=self.bob_author, case="It is me, Bob Stone.")
        claims.approve_claim(claim=claim, actor=self.moderator)
        follows.follow(follower=self.bob, target=self.alice_author)
        response = self.post(self.bob, "/me/delete/", {"password": PASSWORD})
        self.assertContains(response, "Your account is deleted")
        self.assertFalse(User.objects.filter(pk=self.bob.pk).exists())
        for author in (self.bob_author, self.alice_author):
            author.refresh_from_db()
        self.assertFalse(self.bob_author.claimed)
        self.assertFalse(Researcher.objects.filter(author=self.bob_author).exists())
        self.assertEqual((self.alice_author.followers_count, Follow.objects.count()), (0, 0))
        self.assertFalse(Evidence.objects.filter(author=self.bob_author, ends=None, ended_by=None).exists())

    def test_messages_stay_with_the_other_person_without_a_name(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.alice, "Keep this")
        self.post(self.alice, "/me/delete/", {"password": PASSWORD})
        page = self.get(self.dora, conversation.get_absolute_url())
        self.assertContains(page, "Keep this")
        self.assertContains(page, "A former member")
        self.assertNotContains(page, "Alice Ngata")
        self.post(self.dora, "/me/delete/", {"password": PASSWORD})
        self.assertFalse(Message.objects.exists())
