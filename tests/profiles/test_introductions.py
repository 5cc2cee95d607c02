from datetime import timedelta

from django.utils import timezone

from graph.models import Collaboration
from profiles.exceptions import IntroductionError, ProfilesError, TooMany
from profiles.models import Block, Conversation, Introduction, Message, Notification, Researcher
from profiles.services import introductions
from profiles.tasks import expire_invitations
from tests.factories import make_claimed, make_work
from tests.profiles.cast import PeopleTestCase
from works.models import Author

State = Introduction.State
WHY = "We both count bridges."


def tie(one: Author, other: Author, weight: float = 1.0) -> None:
    a, b = sorted([one.pk, other.pk])
    Collaboration.objects.create(
        author_a_id=a, author_b_id=b, works_count=1, small_works_count=1, min_authors_count=2, weight=weight,
        computed_at=timezone.now(),
    )  # fmt: skip


class IntroductionTests(PeopleTestCase):
    """Dora would like to meet alice; eve wrote with both."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        eve = make_claimed("Eve Lind")
        cls.eve, cls.eve_author = eve.user, eve.author
        tie(cls.dora_author, cls.eve_author)
        tie(cls.eve_author, cls.alice_author)
        tie(cls.dora_author, cls.bob_author)  # bob wrote with both, but holds no page
        tie(cls.bob_author, cls.alice_author)

    def ask(self) -> Introduction:
        return introductions.ask_introduction(
            requester=self.dora, target=self.alice_author, middle=self.eve_author, message=WHY
        )

    def test_those_who_wrote_with_both_and_joined_may_introduce(self) -> None:
        alice = Researcher.objects.get(user=self.alice)
        finn = make_claimed("Finn Oja")
        tie(self.dora_author, finn.author, 3.0)
        tie(self.alice_author, finn.author)
        between = introductions.people_between(requester=self.dora, target=alice)
        self.assertEqual([row.user for row in between], [finn.user, self.eve])
        Block.objects.create(blocker=finn.user, blocked=self.alice)
        self.assertEqual([row.user for row in between.all()], [self.eve])

    def test_asking_tells_the_one_in_the_middle_alone(self) -> None:
        path = f"/researchers/{self.alice_author.pid}/introduction/"
        eve = Researcher.objects.get(user=self.eve)
        self.assertContains(self.get(self.dora, path), "Eve Lind")
        response = self.post(self.dora, path, {"middle": eve.pk, "message": WHY})
        self.assertRedirects(response, "/me/introductions/")
        self.assertEqual(Notification.objects.get().recipient, self.eve)
        page = introductions.address_of(Introduction.objects.get())
        self.assertContains(self.get(self.eve, page), WHY)
        self.assertContains(self.get(self.dora, page), "Waiting for an answer")
        self.assertEqual(self.get(self.alice, page).status_code, 404)
        self.assertNotContains(self.get(self.alice, "/me/introductions/"), "Dora")

    def test_consenting_opens_a_conversation_of_three_with_the_words_of_the_request(self) -> None:
        introduction = self.ask()
        page = introductions.address_of(introduction)
        for _ in range(2):
            response = self.post(self.eve, f"{page}consent/")
        conversation = Conversation.objects.get()
        self.assertRedirects(response, conversation.get_absolute_url())
        self.assertEqual(
            {part.user for part in conversation.participants.all()}, {self.dora, self.eve, self.alice}
        )
        first = Message.objects.get()
        self.assertEqual((first.sender, first.body), (self.dora, WHY))
        told = Notification.objects.filter(verb="introduced").values_list("recipient", flat=True)
        self.assertEqual(set(told), {self.dora.pk, self.alice.pk})
        self.assertEqual(self.get(self.charlie, conversation.get_absolute_url()).status_code, 404)

    def test_declining_is_silent_and_ends_as_waiting_does(self) -> None:
        introduction = self.ask()
        page = introductions.address_of(introduction)
        before = len(self.get(self.dora, page).content)
        self.post(self.eve, f"{page}decline/")
        introduction.refresh_from_db()
        self.assertEqual(introduction.state, State.DECLINED)
        self.assertEqual(len(self.get(self.dora, page).content), before)
        self.assertFalse(Notification.objects.filter(recipient=self.dora).exists())
        self.post(self.dora, f"{page}withdraw/")
        introduction.refresh_from_db()
        self.assertEqual(introduction.state, State.WITHDRAWN)

    def test_only_the_middle_answers_and_only_who_asked_withdraws(self) -> None:
        introduction = self.ask()
        for service, user in (
            (introductions.consent, self.dora), (introductions.decline, self.dora), (introductions.withdraw, self.eve),
            (introductions.consent, self.alice),
        ):  # fmt: skip
            with self.assertRaises(IntroductionError):
                service(introduction=introduction, user=user)

    def test_a_block_between_any_two_stops_it_and_hides_it(self) -> None:
        page = introductions.address_of(self.ask())
        introduction = Introduction.objects.get()
        for blocker, blocked in ((self.alice, self.dora), (self.alice, self.eve), (self.eve, self.dora)):
            Block.objects.all().delete()
            Block.objects.create(blocker=blocker, blocked=blocked)
            with self.assertRaises(IntroductionError):
                introductions.consent(introduction=introduction, user=self.eve)
            self.assertEqual({self.get(user, page).status_code for user in (blocker, blocked)}, {404})
        self.assertFalse(Conversation.objects.exists())

    def test_closed_blocked_and_below_the_level_read_alike(self) -> None:
        Block.objects.create(blocker=self.alice, blocked=self.dora)
        with self.assertRaisesMessage(IntroductionError, introductions.CLOSED):
            self.ask()
        Block.objects.all().delete()
        Researcher.objects.filter(user=self.alice).update(open_to_collaborate=False)
        with self.assertRaisesMessage(IntroductionError, introductions.CLOSED):
            self.ask()

    def test_strangers_to_both_cannot_be_asked(self) -> None:
        finn = make_claimed("Finn Oja")
        make_work("Elsewhere", authors=[finn.author])
        for middle in (finn.author, self.bob_author, self.alice_author, self.dora_author):
            with self.assertRaises(IntroductionError):
                introductions.ask_introduction(
                    requester=self.dora, target=self.alice_author, middle=middle, message=WHY
                )
        path = f"/researchers/{self.alice_author.pid}/introduction/"
        for middle in (Researcher.objects.get(user=finn.user).pk, "x", "9" * 30, ""):
            self.assertContains(
                self.post(self.dora, path, {"middle": middle, "message": WHY}), 'role="alert"'
            )
        self.assertContains(self.get(self.bob, path), "claim your own page first")

    def test_limits_hold(self) -> None:
        self.ask()
        with self.assertRaises(TooMany):
            self.ask()
        for number in range(3):
            other = make_claimed(f"Other {number}")
            tie(other.author, self.eve_author)
            arguments = {
                "requester": self.dora,
                "target": other.author,
                "middle": self.eve_author,
                "message": WHY,
            }
            if number < 2:
                introductions.ask_introduction(**arguments)
            else:
                with self.assertRaisesMessage(TooMany, "3 introductions a week"):
                    introductions.ask_introduction(**arguments)

    def test_nobody_without_a_page_asks(self) -> None:
        with self.assertRaises(ProfilesError):
            introductions.ask_introduction(
                requester=self.bob, target=self.alice_author, middle=self.eve_author, message=WHY
            )

    def test_unanswered_ones_expire(self) -> None:
        introduction = self.ask()
        Introduction.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        introduction.refresh_from_db()
        self.assertEqual(
            introductions.shown_state(introduction=introduction, viewer=self.dora), State.EXPIRED
        )
        with self.assertRaises(IntroductionError):
            introductions.consent(introduction=introduction, user=self.eve)
        self.assertEqual((expire_invitations(), expire_invitations()), (1, 0))
