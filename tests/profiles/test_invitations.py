from datetime import timedelta

from django.utils import timezone

from profiles.exceptions import ClaimNeeded, InvitationError, TooMany
from profiles.models import Block, Conversation, Invitation, Message, Notification, Researcher
from profiles.services import claims, invitations
from profiles.tasks import expire_invitations
from tests.factories import make_claimed, make_work
from tests.profiles.cast import PeopleTestCase, in_days, invite

State = Invitation.State
FORM = {
    "purpose": "paper",
    "work": "",
    "offer": "Data on bridges",
    "ask": "A second pair of eyes",
    "expected_time": "two hours a week",
}


class InvitationServiceTests(PeopleTestCase):
    def close(self) -> None:
        Researcher.objects.filter(user=self.alice).update(open_to_collaborate=False)

    def test_a_researcher_invites_another_who_is_told_once(self) -> None:
        invitation = invite(self.dora, self.alice_author, work=self.joint_work)
        self.assertEqual((invitation.recipient, invitation.state), (self.alice, State.PENDING))
        told = Notification.objects.get(recipient=self.alice)
        self.assertEqual((told.verb, told.actor), ("invitation_received", self.dora))

    def test_a_member_without_a_claim_is_told_what_to_do(self) -> None:
        with self.assertRaises(ClaimNeeded):
            invite(self.bob, self.alice_author)
        page = self.get(self.bob, f"/researchers/{self.alice_author.pid}/invite/")
        self.assertContains(page, "claim your own page first")

    def test_unclaimed_own_and_unconfirmed_are_refused(self) -> None:
        for sender, author in ((self.dora, self.bob_author), (self.alice, self.alice_author)):
            with self.assertRaises(InvitationError):
                invite(sender, author)
        self.dora.emailaddress_set.update(verified=False)
        with self.assertRaises(InvitationError):
            invite(self.dora, self.alice_author)

    def test_a_block_in_either_direction_reads_the_same_as_a_closed_page(self) -> None:
        answers = set()
        path = f"/researchers/{self.alice_author.pid}/invite/"
        for blocker, blocked in ((None, None), (self.alice, self.dora), (self.dora, self.alice)):
            Block.objects.all().delete()
            Researcher.objects.filter(user=self.alice).update(open_to_collaborate=blocker is not None)
            if blocker:
                Block.objects.create(blocker=blocker, blocked=blocked)
            with self.assertRaises(InvitationError) as refusal:
                invite(self.dora, self.alice_author)
            answers.add(str(refusal.exception))
            self.assertContains(self.get(self.dora, path), "does not take invitations at present")
        self.assertEqual(answers, {invitations.CLOSED})

    def test_one_open_invitation_per_direction(self) -> None:
        invite(self.dora, self.alice_author)
        with self.assertRaises(TooMany):
            invite(self.dora, self.alice_author)
        invite(self.alice, self.dora_author)
        self.assertEqual(Invitation.objects.count(), 2)

    def test_five_a_week_at_level_two(self) -> None:
        others = [make_claimed(f"Other {number}") for number in range(6)]
        for other in others[:5]:
            invite(self.dora, other.author)
        with self.assertRaisesMessage(TooMany, "5 invitations a week"):
            invite(self.dora, others[5].author)

    def test_accepting_opens_one_conversation_for_both_with_the_invitation_as_first_message(self) -> None:
        invitation = invite(self.dora, self.alice_author, work=self.joint_work)
        for _ in range(2):
            conversation = invitations.accept_invitation(invitation=invitation, user=self.alice)
        self.assertEqual(Conversation.objects.count(), 1)
        first = Message.objects.get(conversation=conversation)
        self.assertEqual((first.sender, first.seq), (self.dora, 1))
        self.assertIn("On working together", first.body)
        people = {person.user for person in conversation.participants.all()}
        self.assertEqual(people, {self.alice, self.dora})
        self.assertEqual(Notification.objects.get(recipient=self.dora).verb, "invitation_accepted")

    def test_only_the_recipient_answers_and_only_the_sender_withdraws(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        for service, user in (
            (invitations.accept_invitation, self.dora),
            (invitations.decline_invitation, self.dora),
            (invitations.withdraw_invitation, self.alice),
        ):
            with self.assertRaises(InvitationError):
                service(invitation=invitation, user=user)

    def test_declining_is_silent(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        page = f"/me/invitations/{invitation.pk}/"
        before = self.get(self.dora, page).content
        self.post(self.alice, f"{page}decline/")
        invitation.refresh_from_db()
        self.assertEqual(invitation.state, State.DECLINED)
        after = self.get(self.dora, page)
        self.assertContains(after, "Waiting for an answer")
        self.assertNotContains(after, "Declined")
        self.assertEqual(len(before), len(after.content))
        self.assertFalse(Notification.objects.filter(recipient=self.dora).exists())

    def test_a_declined_invitation_is_withdrawn_and_renewed_like_any_other(self) -> None:
        texts = []
        for decline in (False, True):
            Invitation.objects.all().delete()
            invitation = invite(self.dora, self.alice_author)
            if decline:
                invitations.decline_invitation(invitation=invitation, user=self.alice)
            with self.assertRaises(TooMany) as refusal:
                invite(self.dora, self.alice_author)
            texts.append(str(refusal.exception))
            invitations.withdraw_invitation(invitation=invitation, user=self.dora)
            with self.assertRaises(TooMany) as refusal:
                invite(self.dora, self.alice_author)
            texts.append(str(refusal.exception))
        self.assertEqual(len(set(texts)), 1)

    def test_overdue_invitations_expire_by_the_task_and_before_it(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        declined = invite(self.alice, self.dora_author)
        invitations.decline_invitation(invitation=declined, user=self.dora)
        Invitation.objects.update(reply_by=in_days(-1))
        with self.assertRaisesMessage(InvitationError, "expired"):
            invitations.accept_invitation(invitation=invitation, user=self.alice)
        for row, viewer in ((invitation, self.dora), (declined, self.alice)):
            row.refresh_from_db()
            self.assertEqual(invitations.shown_state(invitation=row, viewer=viewer), State.EXPIRED)
        self.assertEqual((expire_invitations(), expire_invitations()), (1, 0))

    def test_ninety_days_later_one_may_ask_again(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        invitations.decline_invitation(invitation=invitation, user=self.alice)
        Invitation.objects.update(created_at=timezone.now() - timedelta(days=91))
        again = invite(self.dora, self.alice_author)
        self.assertEqual(again.state, Invitation.State.PENDING)

    def test_a_disputed_researcher_sends_nothing(self) -> None:
        claim = self.dora.claims.get()
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="A rival.")
        with self.assertRaises(ClaimNeeded):
            invite(self.dora, self.alice_author)


class InvitationPageTests(PeopleTestCase):
    def setUp(self) -> None:
        self.path = f"/researchers/{self.alice_author.pid}/invite/"
        self.form = {**FORM, "reply_by": in_days(14).isoformat()}

    def test_the_form_sends_and_leads_to_the_invitation(self) -> None:
        response = self.post(self.dora, self.path, {**self.form, "work": self.joint_work.pk})
        invitation = Invitation.objects.get()
        self.assertRedirects(response, invitation.get_absolute_url())
        self.assertEqual((invitation.work, invitation.offer), (self.joint_work, "Data on bridges"))

    def test_the_choice_of_works_is_both_peoples(self) -> None:
        other = make_work("Nobody's here", authors=[self.charlie_author])
        response = self.post(self.dora, self.path, {**self.form, "work": other.pk})
        self.assertContains(response, 'role="alert"', status_code=200)
        self.assertFalse(Invitation.objects.exists())

    def test_the_day_must_lie_ahead_and_not_too_far(self) -> None:
        for days in (0, -1, 91):
            response = self.post(self.dora, self.path, {**self.form, "reply_by": in_days(days).isoformat()})
            self.assertContains(response, "within the next 90 days", status_code=200)

    def test_accepting_by_the_page_leads_to_the_conversation(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        response = self.post(self.alice, f"/me/invitations/{invitation.pk}/accept/")
        self.assertRedirects(response, Conversation.objects.get().get_absolute_url())

    def test_reading_an_invitation_reads_its_notification(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        self.assertContains(self.get(self.alice, "/me/fragments/nav/"), '<span class="badge unread"')
        self.get(self.alice, f"/me/invitations/{invitation.pk}/")
        self.assertNotContains(self.get(self.alice, "/me/fragments/nav/"), "badge")

    def test_both_lists_show_what_is_theirs(self) -> None:
        invite(self.dora, self.alice_author)
        self.assertContains(self.get(self.alice, "/me/invitations/"), "Dora Lund")
        self.assertContains(self.get(self.dora, "/me/invitations/?box=sent"), "Alice Ngata")
        self.assertNotContains(self.get(self.charlie, "/me/invitations/"), "Dora Lund")

    def test_blocking_hides_invitations_and_notifications_for_both(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        self.post(self.alice, f"/me/invitations/{invitation.pk}/block/")
        for user in (self.alice, self.dora):
            self.assertEqual(self.get(user, f"/me/invitations/{invitation.pk}/").status_code, 404)
            self.assertNotContains(self.get(user, "/me/notifications/"), "invites you")
        self.assertFalse(Block.objects.filter(blocker=self.dora).exists())

    def test_what_people_type_is_escaped(self) -> None:
        invitation = invite(
            self.dora, self.alice_author, offer="<script>alert(1)</script> https://x.example/"
        )
        page = self.get(self.alice, f"/me/invitations/{invitation.pk}/")
        self.assertContains(page, "&lt;script&gt;")
        self.assertNotContains(page, 'href="https://x.example/"')
