"""Two decisions in the same moment, on two connections: one wins, the other gets a sentence, the database keeps one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import IntegrityError, connection
from django.test import TransactionTestCase

from profiles.exceptions import ClaimConflict, ProfilesError
from profiles.models import Claim, Researcher, User
from profiles.services import claims
from tests.factories import make_author, make_user
from tests.profiles.claim_evidence import connect_orcid, import_liu_ke
from trust.models import Evidence
from works.models import Author

State = Claim.State
CASE = "These two papers are mine; my address is printed on both."


def at_once(*acts: Callable[[], Claim]) -> list[Claim | ProfilesError]:
    """Do these at the same moment, each on a connection of its own; return what came of each."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Claim]) -> Claim | ProfilesError:
        try:
            connection.ensure_connection()
            barrier.wait(20)
            return act()
        except ProfilesError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


class RaceTests(TransactionTestCase):
    def setUp(self) -> None:
        self.author = make_author("Bob Stone")
        self.bob, self.rob = make_user("Bob Stone"), make_user("Bob Stone")
        self.moderators = [make_user("Mo Derator", is_staff=True), make_user("Sec Ond", is_staff=True)]

    def submit(self, user: User, author: Author | None = None) -> Claim:
        return claims.submit_claim(user=user, author=author or self.author, case=CASE)

    def race(self, one: Claim, two: Claim) -> str:
        """Approve both at once; return the sentence of the one that lost."""
        first, second = self.moderators
        outcomes = at_once(
            lambda: claims.approve_claim(claim=one, actor=first),
            lambda: claims.approve_claim(claim=two, actor=second),
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, Claim)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, ClaimConflict)]
        self.assertEqual((len(won), len(lost)), (1, 1))
        self.assertEqual(Claim.objects.get(state=State.APPROVED), won[0])
        self.assertEqual(Claim.objects.filter(state=State.SUBMITTED).count(), 1)
        self.assertEqual(Researcher.objects.count(), 1)
        self.assertEqual(Evidence.objects.filter(kind="claim_accepted").count(), 1)
        return str(lost[0])

    def test_two_people_and_one_page(self) -> None:
        sentence = self.race(self.submit(self.bob), self.submit(self.rob))
        self.assertIn("Another claim on this page was accepted meanwhile", sentence)

    def test_one_person_and_two_pages(self) -> None:
        """The authors are locked apart here: what is left to decide it is the constraint."""
        sentence = self.race(self.submit(self.bob), self.submit(self.bob, make_author("Bob Stone")))
        self.assertRegex(sentence, "Another claim was accepted in the meantime|a person has one page")

    def test_the_database_itself_keeps_one(self) -> None:
        one, two = self.submit(self.bob), self.submit(self.rob)
        Claim.objects.filter(pk=one.pk).update(state=State.DISPUTED)
        with self.assertRaisesMessage(IntegrityError, "profiles_claim_one_held_per_author"):
            Claim.objects.filter(pk=two.pk).update(state=State.APPROVED)


class EvidenceRaceTests(TransactionTestCase):
    def test_two_people_with_deciding_evidence_at_once_are_both_heard(self) -> None:
        author = import_liu_ke()
        people = [make_user("Liu Ke"), make_user("Liu Ke")]
        for user, orcid in zip(people, ("0000-0002-1825-0097", "0000-0001-5109-3700"), strict=True):
            connect_orcid(user, orcid)
        outcomes = at_once(
            *[lambda user=user: claims.submit_claim(user=user, author=author) for user in people]
        )
        self.assertEqual({type(outcome) for outcome in outcomes}, {Claim})
        states = Claim.objects.filter(author=author).values_list("state", flat=True)
        self.assertEqual(sorted(states), [State.DISPUTED, State.SUBMITTED])
        self.assertEqual(Researcher.objects.filter(author=author).count(), 1)
