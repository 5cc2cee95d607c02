from datetime import timedelta
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from profiles.exceptions import ConversationError, InvitationError, ModerationError
from profiles.models import AuditEntry, Block, Follow, Message, Report
from profiles.services import conversations, follows, safety
from profiles.services.notifications import notify
from tests.factories import make_claimed
from tests.profiles.cast import PeopleTestCase, invite


class BlockTests(PeopleTestCase):
    def test_a_block_hides_both_from_each_other_in_every_list_and_count(self) -> None:
        conversation = self.make_conversation()
        self.say(conversation, self.dora, "Words of dora")
        notify(
            recipient=self.alice,
            actor=self.dora,
            verb="followed",
            target_url="/me/",
            target_text="x",
            event_key="f",
        )
        self.assertContains(self.get(self.alice, "/me/fragments/nav/"), "badge unread")
        safety.block_user(blocker=self.dora, blocked=self.alice)
        for user, other in ((self.alice, "Dora Lund"), (self.dora, "Alice Ngata")):
            for path in (
                "/me/invitations/", "/me/invitations/?box=sent", "/me/conversations/", "/me/notifications/",
                "/me/conversations/?q=words", "/me/introductions/",
            ):  # fmt: skip
                with self.subTest(path=path, user=user):
                    self.assertNotContains(self.get(user, path), other)
        self.assertNotContains(self.get(self.alice, "/me/fragments/nav/"), "badge unread")

    def test_of_several_people_the_one_who_is_named_is_blocked(self) -> None:
        eve = make_claimed("Eve Lind").user
        three = conversations.open_conversation(
            subject="Three", people=[self.dora, self.alice, eve], invitation=None, first_message="Hello"
        )
        part = three.participants.get(user=eve)
        page = f"{three.get_absolute_url()}block/?who={part.pk}"
        self.assertContains(self.get(self.alice, page), "Eve Lind")
        self.post(self.alice, page)
        self.assertEqual(Block.objects.get().blocked, eve)
        self.assertEqual(self.get(self.dora, three.get_absolute_url()).status_code, 200)
        for user in (self.alice, eve):
            self.assertEqual(self.get(user, three.get_absolute_url()).status_code, 404)
            with self.assertRaises(ConversationError):
                conversations.send_message(conversation=three, sender=user, body="x", client_key=uuid4())

    def test_nobody_blocks_themselves(self) -> None:
        with self.assertRaises(ConversationError):
            safety.block_user(blocker=self.alice, blocked=self.alice)

    def test_public_pages_stay_public_across_a_block(self) -> None:
        safety.block_user(blocker=self.dora, blocked=self.alice)
        page = self.get(None, self.dora_author.get_absolute_url()).content
        self.assertEqual(self.get(self.alice, self.dora_author.get_absolute_url()).content, page)
        follows.follow(follower=self.alice, target=self.dora_author)
        self.assertEqual(Follow.objects.count(), 1)


class LimitTests(PeopleTestCase):
    def test_a_limited_member_writes_to_nobody_new_and_goes_on_where_they_are(self) -> None:
        conversation = self.make_conversation()
        safety.limit_member(member=self.alice, actor=self.moderator, days=7, reason="Many complaints.")
        self.alice.refresh_from_db()
        with self.assertRaisesMessage(InvitationError, "to anybody new"):
            invite(self.alice, self.dora_author)
        page = f"/researchers/{self.dora_author.pid}/introduction/"
        self.assertContains(self.get(self.alice, page), "to anybody new")
        self.say(conversation, self.alice, "I am still here")
        self.alice.limited_until = timezone.now() - timedelta(seconds=1)
        self.assertEqual(safety.limited_words(self.alice), "")

    def test_moderators_limit_and_lift_by_the_page_and_it_is_written_down(self) -> None:
        page = reverse("profiles:moderation_limit", args=[self.alice.pk])
        self.assertEqual(self.get(self.dora, page).status_code, 404)
        for form in (
            {"days": "-1", "reason": "x"},
            {"days": "400", "reason": "x"},
            {"days": "7", "reason": " "},
        ):
            self.assertContains(self.post(self.moderator, page, form), 'role="alert"')
        self.assertEqual(
            self.post(self.moderator, page, {"days": "7", "reason": "Complaints."}).status_code, 302
        )
        self.assertEqual(self.post(self.moderator, page, {"days": "0", "reason": "Sorry."}).status_code, 302)
        actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        self.assertEqual([*actions][-2:], ["member.limit", "member.unlimit"])
        self.alice.refresh_from_db()
        self.assertIsNone(self.alice.limited_until)

    def test_moderators_are_not_limited_here(self) -> None:
        with self.assertRaises(ModerationError):
            safety.limit_member(member=self.second_moderator, actor=self.moderator, days=7, reason="No.")


class RemovalTests(PeopleTestCase):
    def setUp(self) -> None:
        self.conversation = self.make_conversation()
        self.say(self.conversation, self.dora, "Something rude")
        self.report = conversations.report_conversation(
            conversation=self.conversation, user=self.alice, reason="This is rude."
        )
        self.say(self.conversation, self.dora, "Afterwards")
        self.page = reverse("profiles:moderation_message", args=[self.report.pk, 2])

    def test_a_reported_message_is_taken_away_and_brought_back(self) -> None:
        talk = self.conversation.get_absolute_url()
        self.assertEqual(self.post(self.moderator, self.page, {"reason": "Rude."}).status_code, 302)
        for user in (self.alice, self.dora):
            self.assertContains(self.get(user, talk), "A moderator took this message away")
            self.assertNotContains(self.get(user, talk), "Something rude")
            self.assertNotContains(self.get(user, "/me/conversations/?q=rude"), "Something rude")
            self.assertEqual(self.get(user, f"{talk}messages/2/").status_code, 404)
        self.assertContains(self.get(self.moderator, self.page), "Something rude")
        self.post(self.moderator, self.page, {"reason": "It was a quotation."})
        self.assertContains(self.get(self.alice, talk), "Something rude")
        actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        self.assertEqual([*actions][-2:], ["message.remove", "message.restore"])

    def test_what_came_after_the_report_is_out_of_reach(self) -> None:
        for seq in (3, 99):
            page = reverse("profiles:moderation_message", args=[self.report.pk, seq])
            self.assertEqual(self.get(self.moderator, page).status_code, 404)
            with self.assertRaises(ModerationError):
                safety.remove_message(report=self.report, seq=seq, actor=self.moderator, reason="x")
        self.assertFalse(Message.objects.filter(removed_at__isnull=False).exists())

    def test_it_is_not_there_for_anybody_else(self) -> None:
        for user in (self.alice, self.dora, self.charlie):
            self.assertEqual(self.get(user, self.page).status_code, 404)
            self.assertEqual(self.post(user, self.page, {"reason": "x"}).status_code, 404)

    def test_of_several_reported_people_none_is_closed_by_the_way(self) -> None:
        three = conversations.open_conversation(
            subject="Three", people=[self.dora, self.alice, self.bob], invitation=None, first_message="Hello"
        )
        report = conversations.report_conversation(conversation=three, user=self.alice, reason="Rude.")
        with self.assertRaises(ConversationError):
            conversations.suspend_reported(report=report, actor=self.moderator, answer="One of them.")
        self.assertEqual(Report.objects.get(pk=report.pk).state, Report.State.OPEN)
