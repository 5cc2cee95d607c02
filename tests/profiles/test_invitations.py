from datetime import timedelta
from itertools import product

from django.db import transaction
from django.http import HttpResponse
from django.test import SimpleTestCase
from django.utils import timezone
from icalendar import Calendar

from profiles.exceptions import ClaimNeeded, InvitationError, TooMany
from profiles.invitation_states import Actor, Event, after, as_seen
from profiles.models import (
    Block,
    Conversation,
    Invitation,
    Message,
    Notification,
    Preferences,
    Project,
    Report,
    Researcher,
)
from profiles.services import claims, conversations, invitation_rules, invitations
from profiles.tasks import expire_invitations
from tests.factories import make_claimed, make_topic, make_work
from tests.profiles.cast import HTMX, PeopleTestCase, in_days, invite
from trust.models import TrustScore

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


class StateTableTests(SimpleTestCase):
    def test_nothing_happens_but_what_the_table_says(self) -> None:
        """Every state with every event by every actor."""
        allowed = {
            ("pending", "accept", "recipient"): "accepted",
            ("pending", "decline", "recipient"): "declined",
            ("pending", "postpone", "recipient"): "not_now",
            ("pending", "withdraw", "sender"): "withdrawn",
            ("pending", "expire", "clock"): "expired",
            ("not_now", "accept", "recipient"): "accepted",
            ("not_now", "decline", "recipient"): "declined",
            ("not_now", "withdraw", "sender"): "withdrawn",
            ("not_now", "expire", "clock"): "expired",
            ("declined", "withdraw", "sender"): "withdrawn",
            ("accepted", "accept", "recipient"): "accepted",
        }
        cells = list(product(State, Event, Actor))
        self.assertEqual(len(cells), 6 * 5 * 4)
        for state, event, actor in cells:
            with self.subTest(state=state, event=event, actor=actor):
                self.assertEqual(after(state, event, actor), allowed.get((state, event, actor)))

    def test_the_sender_sees_the_same_whatever_the_recipient_silently_chose(self) -> None:
        for overdue, seen in ((False, State.PENDING), (True, State.EXPIRED)):
            for state in (State.PENDING, State.NOT_NOW, State.DECLINED):
                self.assertEqual(as_seen(state, Actor.SENDER, overdue=overdue), seen)
        self.assertEqual(as_seen(State.DECLINED, Actor.RECIPIENT, overdue=True), State.DECLINED)
        self.assertEqual(as_seen(State.NOT_NOW, Actor.RECIPIENT, overdue=False), State.NOT_NOW)
        self.assertEqual(as_seen(State.ACCEPTED, Actor.SENDER, overdue=True), State.ACCEPTED)


class TransitionTests(PeopleTestCase):
    """Each cell of the table by the services, on rows."""

    SERVICES = {
        Event.ACCEPT: invitations.accept_invitation,
        Event.DECLINE: invitations.decline_invitation,
        Event.POSTPONE: invitations.postpone_invitation,
        Event.WITHDRAW: invitations.withdraw_invitation,
    }

    def test_each_step_by_each_person_does_what_the_table_says(self) -> None:
        people = {Actor.SENDER: self.dora, Actor.RECIPIENT: self.alice, Actor.STRANGER: self.charlie}
        invitation = invite(self.dora, self.alice_author)
        for state, (event, service), (actor, user) in product(State, self.SERVICES.items(), people.items()):
            with self.subTest(state=state, event=event, actor=actor), transaction.atomic():
                Conversation.objects.filter(invitation=invitation).delete()
                if state == State.ACCEPTED:
                    Invitation.objects.update(state=State.PENDING)
                    invitations.accept_invitation(invitation=invitation, user=self.alice)
                Invitation.objects.update(state=state)
                expected = after(state, event, actor)
                if expected is None:
                    with self.assertRaises(InvitationError), transaction.atomic():
                        service(invitation=invitation, user=user)
                else:
                    service(invitation=invitation, user=user)
                invitation.refresh_from_db()
                self.assertEqual(invitation.state, expected or state)

    def test_the_clock_closes_what_waits_and_nothing_else(self) -> None:
        invite(self.dora, self.alice_author)
        for state in State:
            Invitation.objects.update(state=state, reply_by=in_days(-1))
            expire_invitations()
            expected = after(state, Event.EXPIRE, Actor.CLOCK) or state
            self.assertEqual(Invitation.objects.get().state, expected)

    def test_not_now_is_silent_and_accepted_later(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        page = f"/me/invitations/{invitation.pk}/"
        before = self.get(self.dora, page).content
        self.assertRedirects(self.post(self.alice, f"{page}not-now/"), page)
        self.assertEqual(len(before), len(self.get(self.dora, page).content))
        self.assertFalse(Notification.objects.filter(recipient=self.dora).exists())
        self.assertContains(self.get(self.alice, page), "Accept: open a conversation")
        self.post(self.alice, f"{page}accept/")
        self.assertEqual(Conversation.objects.count(), 1)


class RulesTests(PeopleTestCase):
    PATH = "/me/settings/invitations/"

    def test_the_least_level_is_asked_for(self) -> None:
        self.post(self.alice, self.PATH, {"invite_level": "3", "invites_a_week": "10"})
        with self.assertRaisesMessage(InvitationError, "verified at L3 and above"):
            invite(self.dora, self.alice_author)
        TrustScore.objects.update_or_create(
            author=self.dora_author,
            defaults={
                "value": 30, "level": 3, "formula_version": 1, "parts": {}, "computed_at": timezone.now(),
            },
        )  # fmt: skip
        self.assertEqual(invite(self.dora, self.alice_author).state, State.PENDING)

    def test_topics_are_of_the_work_or_of_the_senders(self) -> None:
        chosen, other = make_topic("Graph theory"), make_topic("Bridges")
        mine = make_work("On graphs", authors=[self.alice_author], topics=[chosen])
        form = {"invite_level": "2", "invites_a_week": "10", "invite_topics": [chosen.pk]}
        self.assertRedirects(self.post(self.alice, self.PATH, form), self.PATH)
        self.assertContains(self.get(self.alice, self.PATH), "checked")
        bridge = make_work("On bridges", authors=[self.dora_author], topics=[other])
        for work in (None, bridge):
            with self.assertRaisesMessage(InvitationError, "on Graph theory"):
                invite(self.dora, self.alice_author, work=work)
        self.assertEqual(invite(self.dora, self.alice_author, work=mine).work, mine)

    def test_the_recipients_weekly_number_and_a_pile_on_read_alike(self) -> None:
        self.post(self.alice, self.PATH, {"invite_level": "2", "invites_a_week": "1"})
        invite(self.dora, self.alice_author)
        with self.assertRaisesMessage(TooMany, invitation_rules.ENOUGH):
            invite(make_claimed("Eve Lind").user, self.alice_author)
        self.post(self.alice, self.PATH, {"invite_level": "2", "invites_a_week": "50"})
        for number in range(invitation_rules.MOST_WAITING - 1):
            invite(make_claimed(f"Other {number}").user, self.alice_author)
        with self.assertRaisesMessage(TooMany, invitation_rules.ENOUGH):
            invite(make_claimed("Eve Lind").user, self.alice_author)

    def test_wrong_rules_are_asked_again(self) -> None:
        for form in (
            {"invite_level": "1"},
            {"invites_a_week": "-1"},
            {"invite_level": "x", "invite_topics": ["9" * 30]},
        ):
            response = self.post(self.alice, self.PATH, {"invite_level": "2", "invites_a_week": "10", **form})
            self.assertContains(response, 'role="alert"')
        self.assertFalse(Preferences.objects.exists())

    def test_rules_do_not_betray_a_block(self) -> None:
        invitation_rules.save_rules(user=self.alice, level=5, topics=[], a_week=1)
        Block.objects.create(blocker=self.alice, blocked=self.dora)
        with self.assertRaisesMessage(InvitationError, invitations.CLOSED):
            invite(self.dora, self.alice_author)


class GroupTests(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.eve, cls.finn = make_claimed("Eve Lind"), make_claimed("Finn Oja")
        cls.form = {
            **FORM,
            "title": "Bridges of the north",
            "people": f"http://testserver{cls.alice_author.get_absolute_url()}\n{cls.eve.author.pid}",
        }

    def send(self, **fields: str) -> HttpResponse:
        form = {**self.form, "reply_by": in_days(14).isoformat(), **fields}
        return self.post(self.dora, "/me/invitations/group/", form)

    def test_each_answers_alone_and_who_accepts_joins_one_conversation(self) -> None:
        self.assertEqual(self.send(people=f"{self.form['people']}\n{self.finn.author.pid}").status_code, 302)
        sent = {row.recipient: row for row in Invitation.objects.all()}
        self.assertEqual(set(sent), {self.alice, self.eve.user, self.finn.user})
        first = invitations.accept_invitation(invitation=sent[self.alice], user=self.alice)
        invitations.decline_invitation(invitation=sent[self.finn.user], user=self.finn.user)
        second = invitations.accept_invitation(invitation=sent[self.eve.user], user=self.eve.user)
        self.assertEqual((first, Conversation.objects.count()), (second, 1))
        people = {part.user for part in first.participants.all()}
        self.assertEqual(people, {self.dora, self.alice, self.eve.user})
        self.assertEqual(self.get(self.finn.user, first.get_absolute_url()).status_code, 404)
        page = self.get(self.eve.user, sent[self.eve.user].get_absolute_url())
        self.assertContains(page, first.get_absolute_url())
        waiting = self.get(self.dora, sent[self.finn.user].get_absolute_url())
        self.assertContains(waiting, "Waiting for an answer")
        self.assertNotContains(waiting, first.get_absolute_url())

    def test_one_who_cannot_be_invited_stops_all(self) -> None:
        Researcher.objects.filter(user=self.eve.user).update(open_to_collaborate=False)
        self.assertContains(self.send(), "Nobody was invited")
        self.assertFalse(Invitation.objects.exists() or Project.objects.exists())

    def test_two_to_five_pages_that_exist(self) -> None:
        six = "\n".join(make_claimed(f"Other {number}").author.pid for number in range(6))
        for people in (self.eve.author.pid, six, "nobody\nnowhere", "javascript:alert(1)\n\u0663", ""):
            self.assertContains(self.send(people=people), 'role="alert"')
        self.assertFalse(Invitation.objects.exists())

    def test_who_blocks_another_invited_person_talks_with_the_owner_alone(self) -> None:
        self.send()
        Block.objects.create(blocker=self.alice, blocked=self.eve.user)
        conversations = [
            invitations.accept_invitation(invitation=row, user=row.recipient)
            for row in Invitation.objects.all()
        ]
        self.assertEqual(len(set(conversations)), 2)
        for row, conversation in zip(Invitation.objects.all(), conversations, strict=True):
            self.assertEqual(self.get(row.recipient, conversation.get_absolute_url()).status_code, 200)


class InvitationPageTests(PeopleTestCase):
    def setUp(self) -> None:
        self.path = f"/researchers/{self.alice_author.pid}/invite/"
        self.form = {**FORM, "reply_by": in_days(14).isoformat()}

    def test_the_form_sends_and_leads_to_the_invitation(self) -> None:
        response = self.post(self.dora, self.path, {**self.form, "work": self.joint_work.pk})
        invitation = Invitation.objects.get()
        self.assertRedirects(response, invitation.get_absolute_url())
        self.assertEqual((invitation.work, invitation.offer), (self.joint_work, "Data on bridges"))

    def test_the_preview_is_what_the_recipient_will_see(self) -> None:
        form = {**self.form, "offer": "<b>Data</b> https://x.example/", "reply_by": "tomorrow"}
        for headers in ({}, HTMX):
            response = self.post(self.dora, f"{self.path}preview/", form, headers=headers)
            self.assertContains(response, "&lt;b&gt;Data&lt;/b&gt; https://x.example/")
            self.assertContains(response, "Dora Lund")
            self.assertEqual("<html" in response.content.decode(), not headers)
        self.assertContains(self.post(self.dora, f"{self.path}preview/", {}, headers=HTMX), "They bring")
        self.assertContains(self.post(self.bob, f"{self.path}preview/", form), "claim your own page first")
        self.assertFalse(Invitation.objects.exists())

    def test_the_reply_by_day_is_a_file_for_calendars(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        path = f"/me/invitations/{invitation.pk}/calendar.ics"
        for user, other in ((self.alice, "Dora Lund"), (self.dora, "Alice Ngata")):
            response = self.get(user, path)
            self.assertEqual(response["Content-Type"], "text/calendar; charset=utf-8")
            event = Calendar.from_ical(response.content).walk("VEVENT")[0]
            self.assertEqual(event.decoded("dtstart"), invitation.reply_by)
            self.assertIn(other, event["summary"])
            self.assertIn(str(invitation.pk), event["uid"])
        self.assertEqual(self.get(self.charlie, path).status_code, 404)

    def test_a_reported_invitation_is_declined_and_read_by_moderators_alone(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        page = f"/me/invitations/{invitation.pk}/"
        before = len(self.get(self.dora, page).content)
        self.assertEqual(self.post(self.dora, f"{page}report/", {"reason": "x"}).status_code, 200)
        self.assertRedirects(self.post(self.alice, f"{page}report/", {"reason": "Spam."}), "/me/invitations/")
        report = Report.objects.get()
        invitation.refresh_from_db()
        self.assertEqual((invitation.state, report.reporter), (State.DECLINED, self.alice))
        self.assertEqual(conversations.reported_people(report), [self.dora])
        self.assertIn("Data on bridges", conversations.reported_messages(report)[0].body)
        self.assertEqual(before, len(self.get(self.dora, page).content))
        for user in (self.alice, self.dora):
            self.assertNotContains(self.get(user, "/me/conversations/"), str(report.conversation_id))
            self.assertEqual(self.get(user, report.conversation.get_absolute_url()).status_code, 404)

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
