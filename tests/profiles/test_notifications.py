from profiles.models import Block, Notification, OutgoingMail
from profiles.services.notifications import notify
from tests.profiles.cast import HTMX, PeopleTestCase, client_of


class NotificationTests(PeopleTestCase):
    def tell(self, key: str = "event:1", **fields: object) -> Notification | None:
        fields = {"actor": self.bob, "verb": Notification.Verb.INVITATION_RECEIVED, **fields}
        return notify(
            recipient=self.alice,
            target_url="/me/",
            target_text="Write a paper together",
            event_key=key,
            **fields,
        )

    def test_a_retry_adds_nothing_and_mails_nothing(self) -> None:
        self.assertEqual(self.tell(), self.tell())
        self.assertEqual(OutgoingMail.objects.filter(notification__recipient=self.alice).count(), 1)

    def test_nothing_passes_a_block(self) -> None:
        for blocker, blocked in ((self.alice, self.bob), (self.bob, self.alice)):
            Block.objects.all().delete()
            Block.objects.create(blocker=blocker, blocked=blocked)
            self.assertIsNone(self.tell())

    def test_nobody_without_a_confirmed_address_gets_mail(self) -> None:
        self.alice.emailaddress_set.update(verified=False)
        self.tell()
        self.assertFalse(OutgoingMail.objects.exists())

    def test_one_is_marked_read_in_place_or_by_redirect(self) -> None:
        notification = self.tell()
        path = f"/me/notifications/{notification.pk}/read/"
        response = self.post(self.alice, path, headers=HTMX)
        self.assertTemplateUsed(response, "profiles/_notification.html")
        self.assertNotContains(response, "Mark as read")
        self.assertRedirects(self.post(self.alice, path), "/me/notifications/")

    def test_all_are_marked_read(self) -> None:
        self.tell("event:1")
        self.tell("event:2")
        self.assertContains(self.get(self.alice, "/me/notifications/"), "2 unread")
        self.post(self.alice, "/me/notifications/read/")
        self.assertFalse(Notification.objects.filter(read_at=None).exists())

    def test_every_verb_has_its_words_on_the_page_and_members_verbs_in_mail(self) -> None:
        # Of a follower one hears by rules of their own: test_preferences.
        verbs = [verb for verb in Notification.Verb if verb != Notification.Verb.FOLLOWED]
        for verb in verbs:
            self.tell(
                f"event:{verb}",
                verb=verb,
                by_mail=verb
                not in {"claim_filed", "claim_overdue", "curation_opened", "conversation_reported"},
            )
        page = self.get(self.alice, "/me/notifications/")
        self.assertEqual(page.content.decode().count('id="notification-'), len(verbs))
        for mail in OutgoingMail.objects.all():
            self.assertNotIn("{", mail.subject + mail.body)
            self.assertIn("http://", mail.body)

    def test_the_list_asks_the_same_number_of_queries_for_one_and_three(self) -> None:
        client = client_of(self.alice)
        for number in (1, 3):
            for event in range(number):
                self.tell(f"event:{event}")
            with self.subTest(number=number), self.assertNumQueries(6):
                client.get("/me/notifications/")
