"""Co-authors are asked, answer once, and the claimant learns of a yes alone."""

from datetime import timedelta

from django.utils import timezone

from profiles.exceptions import ClaimError, ClaimStateError, TooMany
from profiles.models import (
    Block,
    Claim,
    ClaimConfirmation,
    ClaimStep,
    Notification,
    OutgoingMail,
    Researcher,
    User,
)
from profiles.services import accounts, claims
from tests.factories import make_claimed, make_institution, make_user, make_work
from tests.profiles.cast import PeopleTestCase
from trust.algorithms import FORMULA_VERSION
from trust.models import TrustScore
from works.models import Author

State = Claim.State
Answer = ClaimConfirmation.State
CASE = "These papers are mine; my address is printed on both."


def verify(author: Author, level: int = 3) -> None:
    """Say that the page was checked this far."""
    TrustScore.objects.update_or_create(
        author=author,
        defaults={
            "value": 40, "level": level, "parts": [], "formula_version": FORMULA_VERSION, "computed_at": timezone.now(),
        },
    )  # fmt: skip


class ConfirmationTestCase(PeopleTestCase):
    """Alice and dora wrote with bob's author, at different places, and hold pages of level 3."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.moderator = accounts.make_moderator(user=cls.moderator)
        make_work("With Dora", authors=[cls.dora_author, cls.bob_author])
        for author, place in ((cls.alice_author, "Tufts"), (cls.dora_author, "Lund")):
            verify(author)
            make_work("At home", authors=[author], institution=make_institution(place))

    def setUp(self) -> None:
        self.claim = claims.submit_claim(user=self.bob, author=self.bob_author, case=CASE)
        self.path = self.claim.get_absolute_url()

    def ask(self, *members: User) -> list[ClaimConfirmation]:
        return claims.ask_coauthors(claim=self.claim, asked=members)

    def answer(self, asked: ClaimConfirmation, confirmed: bool = True, note: str = "") -> ClaimConfirmation:
        return claims.answer_confirmation(
            confirmation=asked, user=asked.asked, confirmed=confirmed, note=note
        )


class AskingTests(ConfirmationTestCase):
    def test_who_is_asked_gets_one_notification_and_one_mail(self) -> None:
        asked = self.ask(self.alice)[0]
        told = Notification.objects.get(recipient=self.alice)
        self.assertEqual((told.verb, told.actor), ("claim_confirmation_asked", self.bob))
        self.assertEqual(told.target_url, f"/me/confirmations/{asked.pk}/")
        mail = OutgoingMail.objects.get(notification=told)
        self.assertEqual(mail.recipients, [self.alice.email])
        self.assertIn(told.target_url, mail.body)
        self.assertNotIn(self.bob.email, mail.body)
        self.assertContains(self.get(self.alice, "/me/notifications/"), "Can you confirm that it is them?")

    def test_only_verified_coauthors_are_asked_and_nobody_twice(self) -> None:
        offered = {member for member, _ in claims.could_be_asked(user=self.bob, author=self.bob_author)}
        self.assertEqual(offered, {self.alice, self.dora})
        with self.assertRaisesMessage(ClaimError, "Choose among the co-authors offered."):
            self.ask(self.charlie)
        self.ask(self.alice)
        with self.assertRaisesMessage(ClaimError, "Choose among the co-authors offered."):
            self.ask(self.alice)

    def test_nobody_is_asked_across_a_block(self) -> None:
        Block.objects.create(blocker=self.alice, blocked=self.bob)
        with self.assertRaises(ClaimError):
            self.ask(self.alice)
        self.assertFalse(ClaimConfirmation.objects.exists())

    def test_five_for_one_claim(self) -> None:
        members = []
        for number in range(6):
            researcher = make_claimed(f"Co Author{number}")
            verify(researcher.author)
            make_work("Many", authors=[researcher.author, self.bob_author])
            members.append(researcher.user)
        with self.assertRaises(TooMany):
            self.ask(*members)
        self.ask(*members[:4])
        with self.assertRaisesMessage(TooMany, "1 more from now"):
            self.ask(*members[4:])
        self.ask(members[4])
        self.assertEqual(self.claim.confirmations.count(), 5)

    def test_ten_a_week_reach_one_member(self) -> None:
        for number in range(10):
            user = make_user(f"Other {number}")
            other = Claim.objects.create(user=user, author=self.charlie_author, state=State.SUBMITTED)
            ClaimConfirmation.objects.create(claim=other, asked=self.alice, author=self.alice_author)
        with self.assertRaisesMessage(TooMany, "asked often this week"):
            self.ask(self.alice)
        ClaimConfirmation.objects.update(created_at=timezone.now() - timedelta(days=8))
        self.assertEqual(len(self.ask(self.alice)), 1)


class AnsweringTests(ConfirmationTestCase):
    def test_one_confirmation_opens_the_review_and_two_decide(self) -> None:
        alice, dora = self.ask(self.alice, self.dora)
        if alice.asked != self.alice:
            alice, dora = dora, alice
        self.answer(alice)
        self.claim.refresh_from_db()
        self.assertEqual(self.claim.state, State.IN_REVIEW)
        assert self.claim.due_at
        self.assertLess(self.claim.due_at, timezone.now() + timedelta(days=4))
        self.answer(dora)
        self.claim.refresh_from_db()
        self.assertEqual((self.claim.state, self.claim.decided_by_route), (State.APPROVED, "coauthors"))
        self.assertEqual(Researcher.objects.get(user=self.bob).author, self.bob_author)
        self.assertEqual(
            list(ClaimStep.objects.filter(claim=self.claim).values_list("to_state", "by")),
            [("submitted", "claimant"), ("in_review", "system"), ("approved", "system")],
        )

    def test_an_answer_is_final(self) -> None:
        asked = self.ask(self.alice)[0]
        self.answer(asked, confirmed=False)
        with self.assertRaisesMessage(ClaimStateError, "an answer is final"):
            self.answer(asked)
        asked.refresh_from_db()
        self.assertEqual(asked.state, Answer.DENIED)

    def test_a_denial_is_told_to_moderators_and_looks_like_silence_to_the_claimant(self) -> None:
        silent, denied = self.ask(self.alice, self.dora)
        before = self.get(self.bob, self.path).content.decode()
        before_denied = before.replace("csrf", "")
        Notification.objects.all().delete()
        self.answer(denied, confirmed=False, note="I never met this person.")
        page = self.get(self.bob, self.path)
        for word in ("denied", "Denied", "not you", "never met", "is not", "speaks against"):
            self.assertNotContains(page, word)
        self.assertEqual(before_denied.count(">Asked<"), page.content.decode().count(">Asked<"))
        self.assertFalse(Notification.objects.filter(recipient=self.bob).exists())
        told = Notification.objects.get(recipient=self.moderator)
        self.assertEqual(told.target_url, f"/moderation/claims/{self.claim.pk}/")
        ClaimConfirmation.objects.update(created_at=timezone.now() - timedelta(days=15))
        claims.claims_due()
        silent.refresh_from_db()
        self.assertEqual(silent.state, Answer.LAPSED)
        self.assertContains(self.get(self.bob, self.path), ">No answer<", count=2)

    def test_nothing_is_answered_after_14_days_or_once_the_claim_is_decided(self) -> None:
        asked = self.ask(self.alice)[0]
        ClaimConfirmation.objects.update(created_at=timezone.now() - timedelta(days=15))
        with self.assertRaisesMessage(ClaimStateError, "closed by now"):
            self.answer(asked)
        ClaimConfirmation.objects.update(created_at=timezone.now())
        claims.withdraw_claim(claim=self.claim, actor=self.bob)
        with self.assertRaisesMessage(ClaimStateError, "closed by now"):
            self.answer(asked)


class ConfirmationPageTests(ConfirmationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.asked = self.ask(self.alice)[0]
        self.url = f"/me/confirmations/{self.asked.pk}/"

    def test_it_shows_who_asks_and_what_was_written_together(self) -> None:
        page = self.get(self.alice, self.url)
        self.assertContains(page, "Bob Stone")
        self.assertContains(page, "On working together")
        self.assertNotContains(page, self.bob.email)
        self.assertNotContains(page, CASE)

    def test_it_is_confirmed_by_a_button(self) -> None:
        self.assertRedirects(self.post(self.alice, self.url, {"answer": "confirm", "note": ""}), self.url)
        self.asked.refresh_from_db()
        self.assertEqual(self.asked.state, Answer.CONFIRMED)
        self.assertContains(self.get(self.alice, self.url), "You confirmed it")
        self.assertContains(self.get(self.bob, self.path), ">Confirmed<")

    def test_a_strange_answer_is_refused_with_status_200(self) -> None:
        for data in ({}, {"answer": "perhaps"}, {"answer": "deny", "note": "x" * 2000}):
            self.assertContains(self.post(self.alice, self.url, data), 'role="alert"', status_code=200)
        self.asked.refresh_from_db()
        self.assertEqual(self.asked.state, Answer.ASKED)

    def test_others_get_404_and_guests_the_log_in_page(self) -> None:
        for user in (self.bob, self.dora, self.moderator):
            self.assertEqual(self.get(user, self.url).status_code, 404)
            self.assertEqual(self.post(user, self.url, {"answer": "confirm"}).status_code, 404)
        self.assertRedirects(
            self.get(None, self.url), f"/accounts/login/?next={self.url}", fetch_redirect_response=False
        )

    def test_the_claimant_asks_from_the_claims_page(self) -> None:
        twice = {"coauthors": [self.dora_author.pid] * 2}
        response = self.post(self.bob, f"{self.path}ask/", twice)
        self.assertRedirects(response, self.path)
        self.assertEqual(self.claim.confirmations.count(), 2)
        for forged in ([self.charlie_author.pid], ["\x00"], [], ["' or 1=1"]):
            page = self.post(self.bob, f"{self.path}ask/", {"coauthors": forged})
            self.assertEqual(page.status_code, 200)
        self.assertEqual(self.claim.confirmations.count(), 2)
