import threading
from uuid import uuid4

from django.db import connection
from django.db.models import Max
from django.test import SimpleTestCase, TransactionTestCase

from profiles.exceptions import ConversationError
from profiles.models import Block, Conversation, Message, Notification, OutgoingMail, Report
from profiles.services import conversations, invitations
from profiles.templatetags.members import typed_text
from tests.factories import make_claimed
from tests.profiles.cast import HTMX, PeopleTestCase, client_of, invite


class ConversationTests(PeopleTestCase):
    def setUp(self) -> None:
        self.conversation = self.make_conversation()
        self.path = self.conversation.get_absolute_url()

    def test_a_message_is_sent_and_the_form_is_new(self) -> None:
        key = uuid4()
        response = self.post(
            self.alice, f"{self.path}send/", {"body": "Good morning", "client_key": str(key)}
        )
        self.assertRedirects(response, self.path)
        self.assertContains(self.get(self.dora, self.path), "Good morning")
        self.assertNotContains(self.get(self.dora, self.path), str(key))

    def test_sending_twice_stores_one(self) -> None:
        data = {"body": "Good morning", "client_key": str(uuid4())}
        for _ in range(3):
            self.post(self.alice, f"{self.path}send/", data)
        self.assertEqual(list(Message.objects.values_list("seq", flat=True)), [1, 2])
        self.assertEqual(Notification.objects.filter(verb="message_received").count(), 1)

    def test_with_htmx_the_messages_come_back(self) -> None:
        data = {"body": "Good morning", "client_key": str(uuid4())}
        response = self.post(self.alice, f"{self.path}send/", data, headers=HTMX)
        self.assertTemplateUsed(response, "profiles/_messages.html")
        self.assertNotContains(response, "<html")
        self.assertContains(response, "Good morning")
        self.assertNotContains(response, data["client_key"])

    def test_an_empty_message_is_asked_again(self) -> None:
        data = {"body": "  ", "client_key": str(uuid4())}
        response = self.post(self.alice, f"{self.path}send/", data)
        self.assertContains(response, 'role="alert"', status_code=200)
        self.assertEqual(Message.objects.count(), 1)

    def test_reading_marks_as_read(self) -> None:
        self.say(self.conversation, self.dora)
        self.assertContains(self.get(self.alice, "/me/conversations/"), "1 unread")
        self.get(self.alice, self.path)
        self.assertNotContains(self.get(self.alice, "/me/conversations/"), "unread</span>")
        self.assertFalse(Notification.objects.filter(verb="message_received", read_at=None).exists())

    def test_one_mail_until_it_is_read(self) -> None:
        for number in range(3):
            self.say(self.conversation, self.dora, f"Message {number}")
        mails = OutgoingMail.objects.filter(notification__verb="message_received")
        self.assertEqual(mails.count(), 1)
        self.assertNotIn("Message 0", mails.get().body)
        self.get(self.alice, self.path)
        self.say(self.conversation, self.dora)
        self.assertEqual(mails.count(), 2)

    def test_who_left_sees_it_no_more_and_it_cannot_go_on(self) -> None:
        self.assertRedirects(self.post(self.alice, f"{self.path}leave/"), "/me/conversations/")
        self.assertEqual(self.get(self.alice, self.path).status_code, 404)
        self.assertContains(self.get(self.dora, self.path), "Nobody else is in this conversation")
        with self.assertRaises(ConversationError):
            self.say(self.conversation, self.dora)
        with self.assertRaises(ConversationError):
            self.say(self.conversation, self.alice)

    def test_strangers_cannot_write(self) -> None:
        with self.assertRaises(ConversationError):
            self.say(self.conversation, self.charlie)

    def test_a_block_hides_it_both_ways_and_unblocking_brings_it_back(self) -> None:
        self.post(self.dora, f"{self.path}block/")
        block = Block.objects.get()
        for user in (self.alice, self.dora):
            self.assertEqual(self.get(user, self.path).status_code, 404)
            self.assertNotContains(self.get(user, "/me/conversations/"), self.path)
        with self.assertRaises(ConversationError):
            self.say(self.conversation, self.alice)
        self.assertContains(self.get(self.dora, "/me/blocks/"), "Alice Ngata")
        self.assertNotContains(self.get(self.alice, "/me/blocks/"), "Dora Lund")
        self.post(self.dora, f"/me/blocks/{block.pk}/unblock/")
        self.assertEqual(self.get(self.alice, self.path).status_code, 200)

    def test_a_report_shows_moderators_what_was_said_until_then(self) -> None:
        self.say(self.conversation, self.dora, "Something rude")
        response = self.post(self.alice, f"{self.path}report/", {"reason": "This is rude."})
        self.assertRedirects(response, self.path)
        self.say(self.conversation, self.dora, "Afterwards")
        report = Report.objects.get()
        said = [message.body for message in conversations.reported_messages(report)]
        self.assertEqual(said[1:], ["Something rude"])

    def test_the_list_asks_the_same_number_of_queries_for_one_and_three(self) -> None:
        client = client_of(self.alice)
        for number in (1, 3):
            while Conversation.objects.count() < number:
                other = make_claimed(f"Other {Conversation.objects.count()}")
                invitations.accept_invitation(
                    invitation=invite(other.user, self.alice_author), user=self.alice
                )
            with self.subTest(number=number), self.assertNumQueries(6):
                client.get("/me/conversations/")

    def test_long_conversations_come_in_pages(self) -> None:
        for number in range(60):
            self.say(self.conversation, self.dora, f"Message {number}.")
        page = self.get(self.alice, self.path)
        self.assertNotContains(page, "Message 9.")
        self.assertContains(page, "?before=12")
        self.assertContains(self.get(self.alice, f"{self.path}?before=12"), "Message 9.")


class TypedTextTests(SimpleTestCase):
    def test_only_whole_addresses_become_links_and_all_is_escaped(self) -> None:
        for text, html in {
            "a < b": '<p dir="auto">a &lt; b</p>',
            "one\ntwo\n\nthree": '<p dir="auto">one<br>two</p><p dir="auto">three</p>',
            "(https://x.example/a?b=1&c=2).": '<p dir="auto">(<a rel="nofollow noopener ugc" '
            'href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>).</p>',
            "javascript:alert(1)": '<p dir="auto">javascript:alert(1)</p>',
            'https://x.example/"onload=': '<p dir="auto"><a rel="nofollow noopener ugc" '
            'href="https://x.example/">https://x.example/</a>&quot;onload=</p>',
            "https://": '<p dir="auto">https://</p>',
        }.items():
            with self.subTest(text=text):
                self.assertEqual(typed_text(text), html)


class SimultaneousMessageTests(TransactionTestCase):
    def test_double_sends_at_once_are_stored_once_and_numbers_have_no_gaps(self) -> None:
        dora, alice = make_claimed("Dora Lund"), make_claimed("Alice Ngata")
        conversation = invitations.accept_invitation(
            invitation=invite(dora.user, alice.author), user=alice.user
        )
        keys = [uuid4() for _ in range(4)]
        start = threading.Barrier(12)
        errors: list[Exception] = []

        def send(number: int) -> None:
            sender = dora.user if number % 2 else alice.user
            try:
                start.wait()
                conversations.send_message(
                    conversation=conversation, sender=sender, body="Hello", client_key=keys[number]
                )
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=[number]) for number in range(4) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        messages = Message.objects.filter(conversation=conversation)
        self.assertEqual((messages.count(), messages.aggregate(Max("seq"))["seq__max"]), (5, 5))
        self.assertEqual(Notification.objects.filter(verb="message_received").count(), 4)
