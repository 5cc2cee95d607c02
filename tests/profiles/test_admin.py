"""The administration: lists to look things up in; nothing is decided there."""

from profiles.models import Claim
from profiles.services import conversations, curation
from tests.profiles.desk import DeskTestCase


class AdminTests(DeskTestCase):
    def test_claims_requests_and_reports_are_lists_that_nobody_changes(self) -> None:
        request = curation.request_curation(
            kind="removal", record=self.bob_author, email="x@example.org", message="Private words."
        )
        path = f"/admin/profiles/curationrequest/{request.pk}/change/"
        self.assertEqual(self.get(self.moderator, path).status_code, 302)  # unconfirmed
        curation.confirm_request(request=request)
        claim_path = f"/admin/profiles/claim/{self.claim.pk}/change/"
        for shown in (path, claim_path):
            page = self.get(self.moderator, shown)
            self.assertContains(page, "Bob Stone")
            for private in ("Private words.", "x@example.org", "It is me, Bob Stone."):
                self.assertNotContains(page, private)
            self.assertEqual(self.post(self.moderator, shown, {"state": "approved"}).status_code, 403)
        self.assertEqual(Claim.objects.get(pk=self.claim.pk).state, "submitted")
        for model in ("claim", "curationrequest", "report"):
            self.assertEqual(self.get(self.moderator, f"/admin/profiles/{model}/").status_code, 200)
            self.assertEqual(self.get(self.moderator, f"/admin/profiles/{model}/add/").status_code, 403)

    def test_private_words_of_conversations_are_nowhere(self) -> None:
        conversation = self.make_conversation()
        for model in ("conversation", "message", "participant"):
            self.assertEqual(self.get(self.moderator, f"/admin/profiles/{model}/").status_code, 404)
        invitation = conversation.invitation
        assert invitation is not None
        page = self.get(self.moderator, f"/admin/profiles/invitation/{invitation.pk}/change/")
        self.assertNotContains(page, invitation.offer)
        report = conversations.report_conversation(
            conversation=conversation, user=self.alice, reason="Private reason."
        )
        page = self.get(self.moderator, f"/admin/profiles/report/{report.pk}/change/")
        self.assertNotContains(page, "Private reason.")

    def test_members_have_no_administration(self) -> None:
        for user in (self.bob, self.alice):
            self.assertEqual(self.get(user, "/admin/profiles/claim/").status_code, 302)

    def test_staff_without_the_group_see_no_lists(self) -> None:
        self.moderator.groups.clear()
        self.assertEqual(self.get(self.moderator, "/admin/profiles/claim/").status_code, 403)
