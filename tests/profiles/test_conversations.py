import threading
from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.db.models import Max
from django.test import SimpleTestCase, TransactionTestCase
from django.utils import timezone

from profiles.exceptions import ConversationError
from profiles.models import (
    Block,
    Conversation,
    Message,
    MessageVersion,
    Notification,
    OutgoingMail,
    Participant,
    Report,
)
from profiles.said import doubtful_hosts, works_named
from profiles.services import conversations, invitations
from profiles.talk import part_around
from profiles.templatetags.members import typed_text
from tests.factories import make_claimed, make_user, make_work
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
            Message.objects.update(created_at=timezone.now() - timedelta(hours=1))
        page = self.get(self.alice, self.path)
        self.assertNotContains(page, "Message 9.")
        self.assertContains(page, "?before=12")
        self.assertContains(self.get(self.alice, f"{self.path}?before=12"), "Message 9.")

    def test_what_came_after_a_message_is_a_small_fragment(self) -> None:
        response = self.get(self.alice, f"{self.path}new/?after=1", headers=HTMX)
        self.assertEqual(response.status_code, 204)
        self.say(self.conversation, self.dora, "Something new")
        response = self.get(self.alice, f"{self.path}new/?after=1", headers=HTMX)
        self.assertContains(response, '<li id="m2"')
        self.assertNotContains(response, '<li id="m1"')
        self.assertFalse(Notification.objects.filter(verb="message_received", read_at=None).exists())
        for text in ("-1", "x", "9" * 30, "\u0663"):
            self.assertContains(self.get(self.alice, f"{self.path}new/?after={text}"), '<li id="m1"')

    def test_a_draft_survives_until_its_message_is_sent(self) -> None:
        key = str(uuid4())
        self.post(self.alice, f"{self.path}draft/", {"body": "Half a sen", "client_key": key})
        self.assertContains(self.get(self.alice, self.path), "Half a sen")
        self.assertNotContains(self.get(self.dora, self.path), "Half a sen")
        self.post(self.alice, f"{self.path}send/", {"body": "Half a sentence", "client_key": key})
        self.post(self.alice, f"{self.path}draft/", {"body": "Half a sen", "client_key": key})  # came late
        self.assertEqual(Participant.objects.get(user=self.alice).draft, "")
        self.assertEqual(self.post(self.alice, f"{self.path}draft/", {"body": "x"}).status_code, 204)

    def test_a_message_is_changed_for_ten_minutes_and_its_past_stays(self) -> None:
        self.say(self.conversation, self.alice, "At noon")
        path = f"{self.path}messages/2/"
        self.assertRedirects(
            self.post(self.alice, path, {"body": "At one"}), f"{self.path}#m2", fetch_redirect_response=False
        )
        page = self.get(self.dora, path)
        self.assertContains(page, "At noon")
        self.assertNotContains(page, "<textarea")
        self.assertContains(self.get(self.dora, self.path), "edited")
        self.assertContains(self.post(self.dora, path, {"body": "Never"}), "by who wrote it")
        Message.objects.filter(seq=2).update(created_at=timezone.now() - timedelta(minutes=11))
        self.assertContains(self.post(self.alice, path, {"body": "At two"}), "for 10 minutes")
        self.assertEqual(Message.objects.get(seq=2).body, "At one")
        self.assertEqual(MessageVersion.objects.get().body, "At noon")

    def test_the_invitation_that_opened_it_cannot_be_rewritten(self) -> None:
        self.assertContains(self.post(self.dora, f"{self.path}messages/1/", {"body": "Other"}), "changed")
        self.assertFalse(MessageVersion.objects.exists())

    def test_archived_goes_from_the_list_until_somebody_writes(self) -> None:
        self.post(self.alice, f"{self.path}archive/")
        self.assertNotContains(self.get(self.alice, "/me/conversations/"), self.path)
        self.assertContains(self.get(self.alice, "/me/conversations/?box=archived"), self.path)
        self.assertContains(self.get(self.dora, "/me/conversations/"), self.path)
        self.say(self.conversation, self.dora)
        self.assertContains(self.get(self.alice, "/me/conversations/"), self.path)

    def test_a_muted_one_gives_no_notices(self) -> None:
        self.post(self.alice, f"{self.path}mute/")
        self.say(self.conversation, self.dora)
        told = Notification.objects.filter(recipient=self.alice, verb="message_received")
        self.assertFalse(told.exists())
        self.post(self.alice, f"{self.path}mute/", {"off": "1"})
        self.say(self.conversation, self.dora)
        self.assertEqual(told.count(), 1)

    def test_search_finds_words_in_ones_own_conversations_alone(self) -> None:
        self.say(self.conversation, self.dora, "The scheduler of Hercules")
        self.assertContains(self.get(self.alice, "/me/conversations/?q=hercules"), "#m2")
        self.assertNotContains(self.get(self.charlie, "/me/conversations/?q=hercules"), "scheduler")
        self.assertContains(self.get(self.alice, "/me/conversations/?q=%25"), "No message of yours")
        self.post(self.dora, f"{self.path}block/")
        self.assertContains(self.get(self.alice, "/me/conversations/?q=hercules"), "No message of yours")

    def test_works_that_are_named_become_cards(self) -> None:
        make_work("On naming", doi="10.1000/naming")
        self.say(
            self.conversation, self.dora, "Compare https://doi.org/10.1000/NAMING, please; not 10.1000/none."
        )
        page = self.get(self.alice, self.path)
        self.assertContains(page, "On naming", count=1)

    def test_an_address_that_pretends_is_shown_as_text_with_a_warning(self) -> None:
        self.say(self.conversation, self.dora, "Log in at https://orcid.org.login.example/x")
        page = self.get(self.alice, self.path)
        self.assertContains(page, "Look twice at the address")
        self.assertNotContains(page, 'href="https://orcid.org.login.example/x"')

    def test_twenty_messages_a_minute_and_the_text_is_kept(self) -> None:
        for _ in range(20):
            self.say(self.conversation, self.alice)
        response = self.post(
            self.alice, f"{self.path}send/", {"body": "Once more", "client_key": str(uuid4())}
        )
        self.assertContains(response, "20 messages a minute")
        self.assertContains(response, "Once more</textarea>")
        self.say(self.conversation, self.dora)  # the limit is one person's

    def test_a_conversation_has_at_most_eight_people(self) -> None:
        people = [make_user(f"Person {number}") for number in range(9)]
        with self.assertRaises(ConversationError):
            conversations.open_conversation(subject="x", people=people, invitation=None, first_message="x")
        full = conversations.open_conversation(
            subject="x", people=people[:8], invitation=None, first_message="x"
        )
        with self.assertRaises(ConversationError):
            conversations.join_conversation(conversation=full, user=people[8])
        self.assertEqual(full.participants.count(), 8)

    def test_hostile_bodies_are_answered_not_stored_whole(self) -> None:
        for body in ("x" * 10_001, "\u202e\u200b", ""):
            response = self.post(self.alice, f"{self.path}send/", {"body": body, "client_key": str(uuid4())})
            self.assertContains(response, 'role="alert"')
        response = self.post(self.alice, f"{self.path}send/", {"body": "Hello", "client_key": "no key"})
        self.assertContains(response, 'role="alert"')
        self.assertEqual(Message.objects.count(), 1)
        self.assertEqual(self.get(self.alice, f"{self.path}messages/{10**20}/").status_code, 404)


class SaidTests(SimpleTestCase):
    def test_hosts_that_pretend_to_be_others_are_found(self) -> None:
        doubtful = [
            "аrxiv.org",
            "orcid.org.evil.example",
            "www.doi.org.example.com",
            "gооgle.com",
            "xn--80ak6aa92e.com",
        ]
        honest = [
            "arxiv.org",
            "www.doi.org",
            "münchen.de",
            "example.com",
            "пример.рф",
            "中文.cn",
            "localhost:8000",
        ]
        for host in doubtful:
            with self.subTest(host=host):
                self.assertEqual(len(doubtful_hosts(f"See https://{host}/x")), 1)
        for host in honest:
            with self.subTest(host=host):
                self.assertEqual(doubtful_hosts(f"See https://{host}/x"), [])
        self.assertEqual(doubtful_hosts("https://orcid.org@evil.example/"), ["evil.example"])
        self.assertEqual(doubtful_hosts("http://[ https:// http://[::1"), [])

    def test_works_are_named_by_doi_arxiv_and_our_own_address(self) -> None:
        with self.settings(PUBLIC_URL="https://peers.example"):
            text = "(https://peers.example/works/ab12/on-x/) 10.1000/xyz. arXiv:1912.12953v2 2001.00001"
            self.assertEqual(
                works_named(text), [("pid", "ab12"), ("doi", "10.1000/xyz"), ("arxiv", "1912.12953")]
            )

    def test_the_part_around_a_word(self) -> None:
        self.assertEqual(part_around("Hello there", "THERE"), "Hello there")
        self.assertIn("needle", part_around("x " * 300 + "needle" + " y" * 300, "needle"))


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
