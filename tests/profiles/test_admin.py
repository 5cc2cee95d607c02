from django.test import Client

from profiles.models import Claim, ClaimStep, CurationRequest, Report
from profiles.services import accounts, claims, conversations, curation
from tests.profiles.cast import PeopleTestCase, client_of


class ModerationTests(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        accounts.make_moderator(user=cls.moderator)
        accounts.make_moderator(user=cls.second_moderator)

    def claim(self) -> tuple[Claim, str]:
        claim = claims.submit_claim(user=self.bob, author=self.bob_author, case="It is me, Bob Stone.")
        return claim, f"/admin/profiles/claim/{claim.pk}/change/"

    def test_the_case_and_the_record_stand_side_by_side(self) -> None:
        _, path = self.claim()
        page = self.get(self.moderator, path)
        self.assertContains(page, "It is me, Bob Stone.")
        self.assertContains(page, "On working together")
        self.assertContains(page, 'name="_accept"')

    def test_accepting_and_rejecting(self) -> None:
        claim, path = self.claim()
        self.assertRedirects(self.post(self.moderator, path, {"_reject": "1", "reason": "No link."}), path)
        claim.refresh_from_db()
        self.assertEqual(claim.state, "rejected")
        self.assertEqual(ClaimStep.objects.filter(claim=claim).last().reason, "No link.")
        claims.appeal_claim(claim=claim, actor=self.bob, reason="Look again.")
        self.post(self.second_moderator, path, {"_accept": "1", "reason": "The link is there."})
        claim.refresh_from_db()
        self.assertEqual(claim.state, "approved")

    def test_every_step_but_taking_into_review_has_a_reason(self) -> None:
        claim, path = self.claim()
        for choice, label in (("accept", "Accept"), ("reject", "Reject")):
            page = self.client_of_moderator().post(path, {f"_{choice}": "1", "reason": " "}, follow=True)
            self.assertContains(page, "Write the reason first.")
            chosen = f'<input type="submit" name="_{choice}" value="{label}" class="default">'
            self.assertContains(page, chosen, html=True)
            claim.refresh_from_db()
            self.assertEqual(claim.state, "submitted")
        self.post(self.moderator, path, {"_review": "1"})
        claim.refresh_from_db()
        self.assertEqual(claim.state, "in_review")

    def test_the_list_begins_with_what_waits(self) -> None:
        waiting, _ = self.claim()
        decided = claims.submit_claim(user=self.charlie, author=self.charlie_author, case="It is me.")
        claims.reject_claim(claim=decided, actor=self.moderator, reason="No link.")
        page = self.get(self.moderator, "/admin/profiles/claim/")
        self.assertEqual(page.context["cl"].result_list[0], waiting)

    def test_moderators_find_the_desk_and_members_do_not(self) -> None:
        self.assertContains(self.get(self.moderator, "/me/"), 'href="/admin/">Moderation</a>')
        self.assertNotContains(self.get(self.bob, "/me/"), "/admin/")

    def test_a_second_acceptance_is_a_clear_error_and_keeps_the_reason(self) -> None:
        first, _ = self.claim()
        second = claims.submit_claim(user=self.charlie, author=self.bob_author, case="No, it is me, Charlie.")
        claims.approve_claim(claim=first, actor=self.moderator)
        path = f"/admin/profiles/claim/{second.pk}/change/"
        page = self.client_of_moderator().post(path, {"_accept": "1", "reason": "Looks right"}, follow=True)
        self.assertContains(page, "Another claim on this page was accepted meanwhile, by Bob Stone.")
        self.assertContains(page, "Looks right")

    def test_requests_are_decided_and_unconfirmed_ones_are_nobodys(self) -> None:
        request = curation.request_curation(
            kind="removal", record=self.bob_author, email="x@example.org", message="Please."
        )
        path = f"/admin/profiles/curationrequest/{request.pk}/change/"
        self.assertEqual(self.get(self.moderator, path).status_code, 302)
        curation.confirm_request(request=request)
        self.post(self.moderator, path, {"_hide": "1", "reason": "Your page is hidden."})
        self.bob_author.refresh_from_db()
        self.assertTrue(self.bob_author.suppressed)
        self.assertEqual(CurationRequest.objects.get().decided_by, self.moderator)
        self.post(self.moderator, path, {"_show": "1"})
        self.bob_author.refresh_from_db()
        self.assertFalse(self.bob_author.suppressed)

    def test_moderators_read_reported_conversations_only(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.dora, "Something rude")
        self.assertEqual(self.get(self.moderator, conversation.get_absolute_url()).status_code, 404)
        for model in ("conversation", "message", "participant"):
            self.assertEqual(self.get(self.moderator, f"/admin/profiles/{model}/").status_code, 404)
        invitation = conversation.invitation
        page = self.get(self.moderator, f"/admin/profiles/invitation/{invitation.pk}/change/")
        self.assertNotContains(page, invitation.offer)
        report = conversations.report_conversation(
            conversation=conversation, user=self.alice, reason="This is rude."
        )
        self.say(conversation, self.dora, "Afterwards")
        path = f"/admin/profiles/report/{report.pk}/change/"
        self.assertContains(self.get(self.moderator, path), "Something rude")
        self.assertNotContains(self.get(self.moderator, path), "Afterwards")
        self.post(self.moderator, path, {"_suspend": "1", "reason": "Rude again."})
        self.dora.refresh_from_db()
        self.assertFalse(self.dora.is_active)
        self.assertEqual(Report.objects.get().state, "done")

    def test_members_have_no_desk(self) -> None:
        _, path = self.claim()
        for user in (self.bob, self.alice):
            self.assertIn(self.get(user, path).status_code, {302, 403})
            self.assertIn(self.post(user, path, {"_accept": "1"}).status_code, {302, 403})
        self.assertEqual(Claim.objects.get(user=self.bob).state, "submitted")

    def test_staff_without_the_group_decide_nothing(self) -> None:
        claim, path = self.claim()
        self.moderator.groups.clear()
        self.assertEqual(self.post(self.moderator, path, {"_accept": "1"}).status_code, 403)
        claim.refresh_from_db()
        self.assertEqual(claim.state, "submitted")

    def client_of_moderator(self) -> Client:
        return client_of(self.moderator)
