"""Joining and dividing as people do it: who may, who is told, what goes along, and taking it back."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from profiles.exceptions import RegroupingError, TooMany
from profiles.models import (
    AuditEntry,
    By,
    CarriedFollow,
    Change,
    Claim,
    Follow,
    Notification,
    Proposal,
    Researcher,
    User,
)
from profiles.services import accounts, claims, follows, regrouping
from profiles.services.follows import is_following
from tests.factories import make_author, make_user, make_work
from tests.profiles.cast import PeopleTestCase
from tests.works.regrouped import bring, paper, work_of, work_off
from trust import services as trust
from trust.models import Evidence
from works.models import Author, Authorship

WHY = "The same person under two spellings."


def followers(author: Author) -> int:
    author = Author.objects.get(pk=author.pk)
    assert author.followers_count == Follow.objects.filter(author=author).count()
    return author.followers_count


class RegroupingTestCase(PeopleTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        accounts.make_moderator(user=cls.moderator)
        accounts.make_moderator(user=cls.second_moderator)
        cls.twin = make_author("A. Ngata")
        cls.mine = make_work("On bridges", authors=[cls.twin])
        cls.second = make_work("On tunnels", authors=[cls.alice_author])

    def merge(self, author: Author, other: Author) -> Change:
        return regrouping.merge(author=author, other=other, actor=self.moderator, reason=WHY)

    def undo(self, change: Change, user: User | None = None) -> Change:
        return regrouping.undo_change(
            change=change, actor=user or self.moderator, by=By.MODERATOR, reason="Wrong."
        )

    def author(self, author: Author) -> Author:
        return Author.objects.get(pk=author.pk)

    def claim(self) -> Claim:
        return Claim.objects.get(user=self.alice, state=Claim.State.APPROVED)


class MergeTests(RegroupingTestCase):
    def test_the_claimed_page_stands_and_its_owner_is_told(self) -> None:
        stands, ends = regrouping.standing_first(self.twin, self.alice_author)
        self.assertEqual((stands, ends), (self.alice_author, self.twin))
        change = self.merge(stands, ends)
        self.assertEqual(Authorship.objects.get(work=self.mine).author, self.alice_author)
        self.assertTrue(self.author(self.alice_author).claimed)
        self.assertEqual(
            (change.kind, change.author, change.other, change.by),
            ("merge", self.alice_author, self.twin, By.MODERATOR),
        )
        entry = AuditEntry.objects.get(action="author.merge")
        self.assertEqual(
            (entry.actor, entry.author, entry.data["regrouping"]),
            (self.moderator, self.alice_author, change.regrouping_id),
        )
        told = Notification.objects.get(recipient=self.alice, verb="record_changed")
        self.assertEqual(told.target_url, self.alice_author.get_absolute_url())

    def test_two_claimed_pages_and_a_page_claimed_a_moment_ago_are_refused(self) -> None:
        with self.assertRaisesMessage(RegroupingError, "Both pages are claimed"):
            self.merge(self.alice_author, self.dora_author)
        Claim.objects.filter(pk=self.claim().pk).update(contestable_until=timezone.now() + timedelta(hours=1))
        with self.assertRaisesMessage(RegroupingError, "was claimed a short while ago"):
            self.merge(self.alice_author, self.twin)
        Claim.objects.filter(pk=self.claim().pk).update(contestable_until=timezone.now() - timedelta(hours=1))
        self.merge(self.alice_author, self.twin)

    def test_a_given_up_claim_makes_room(self) -> None:
        claims.give_up_claim(claim=self.claim(), actor=self.alice)
        self.merge(self.dora_author, self.alice_author)
        self.assertEqual(Authorship.objects.get(work=self.second).author, self.dora_author)

    def test_followers_go_along_and_come_back(self) -> None:
        for user, pages in (
            (self.bob, [self.twin]), (self.charlie, [self.twin, self.alice_author]), (self.dora, [self.alice_author]),
        ):  # fmt: skip
            for page in pages:
                follows.follow(follower=user, target=page)
        change = self.merge(self.alice_author, self.twin)
        self.assertEqual((followers(self.alice_author), followers(self.twin)), (3, 0))
        self.assertEqual(CarriedFollow.objects.filter(change=change, was_there=True).get().user, self.charlie)
        self.undo(change)
        self.assertEqual((followers(self.alice_author), followers(self.twin)), (2, 2))
        self.assertTrue(is_following(user=self.bob, target=self.twin))
        self.assertFalse(is_following(user=self.bob, target=self.alice_author))
        self.assertTrue(is_following(user=self.charlie, target=self.twin))

    def test_a_follow_given_up_since_is_not_brought_back_and_a_new_one_stays(self) -> None:
        follows.follow(follower=self.bob, target=self.twin)
        follows.follow(follower=self.dora, target=self.twin)
        change = self.merge(self.alice_author, self.twin)
        follows.unfollow(follower=self.bob, target=self.alice_author)
        follows.unfollow(follower=self.dora, target=self.alice_author)
        follows.follow(follower=self.dora, target=self.alice_author)
        follows.follow(follower=self.charlie, target=self.alice_author)
        self.undo(change)
        self.assertEqual((followers(self.alice_author), followers(self.twin)), (2, 0))

    def test_follows_find_back_through_two_merges_in_either_order(self) -> None:
        for order in ((0, 1), (1, 0)):
            follows.follow(follower=self.bob, target=self.twin)
            first, second = (
                self.merge(self.charlie_author, self.twin),
                self.merge(self.alice_author, self.charlie_author),
            )
            self.assertEqual(
                [followers(a) for a in (self.alice_author, self.charlie_author, self.twin)], [1, 0, 0]
            )
            for number in order:
                self.undo((first, second)[number])
            self.assertEqual(
                [followers(a) for a in (self.alice_author, self.charlie_author, self.twin)], [0, 0, 1]
            )

    def test_waiting_claims_go_along_and_come_back(self) -> None:
        claim = Claim.objects.create(user=self.charlie, author=self.twin, case="It is me.")
        change = self.merge(self.alice_author, self.twin)
        self.assertEqual(Claim.objects.get(pk=claim.pk).author, self.alice_author)
        self.undo(change)
        self.assertEqual(Claim.objects.get(pk=claim.pk).author, self.twin)

    def test_evidence_stays_in_the_ledger_and_counts_for_who_stands(self) -> None:
        line = trust.record_evidence(
            author_id=self.twin.pk, kind=Evidence.Kind.ORCID_OAUTH, source="ORCID", event_key="test", observed_at=timezone.now()
        )  # fmt: skip
        self.merge(self.alice_author, self.twin)
        self.assertEqual(Evidence.objects.get(pk=line.pk).author, self.twin)
        facts = trust.read_facts([self.alice_author.pk])[self.alice_author.pk]
        self.assertIn("orcid_oauth", [fact.kind for fact in facts.ledger])

    def test_the_reason_is_needed(self) -> None:
        for reason in ("", "  \n"):
            with self.assertRaisesMessage(RegroupingError, "Say why"):
                regrouping.merge(
                    author=self.alice_author, other=self.twin, actor=self.moderator, reason=reason
                )


class SplitTests(RegroupingTestCase):
    def split(self, **fields: Any) -> Change:
        return regrouping.split(
            author=self.alice_author, works=[self.second], name="Alice Ngata", actor=self.moderator, reason=WHY, **fields
        )  # fmt: skip

    def test_the_claim_stays_and_followers_stay(self) -> None:
        follows.follow(follower=self.bob, target=self.alice_author)
        change = self.split()
        assert change.other
        self.assertEqual(self.claim().author, self.alice_author)
        self.assertFalse(self.author(change.other).claimed)
        self.assertEqual((followers(self.alice_author), followers(change.other)), (1, 0))
        self.assertEqual(Authorship.objects.get(work=self.second).author, change.other)

    def test_followers_of_the_new_page_go_to_the_old_one_when_it_is_taken_back(self) -> None:
        change = self.split()
        assert change.other
        follows.follow(follower=self.bob, target=change.other)
        undone = self.undo(change)
        self.assertEqual((followers(self.alice_author), followers(change.other)), (1, 0))
        self.undo(undone)
        self.assertEqual((followers(self.alice_author), followers(change.other)), (0, 1))

    def test_the_person_goes_with_the_new_page_where_the_moderator_says_so(self) -> None:
        claim = self.claim()
        trust.record_evidence(
            author_id=self.alice_author.pk, kind=Evidence.Kind.CLAIM_ACCEPTED, source="moderator", event_key=f"claim:{claim.pk}",
            observed_at=timezone.now(),
        )  # fmt: skip
        change = self.split(person_goes=True)
        assert change.other
        for old, new, step in (
            (self.alice_author, change.other, lambda: None),
            (change.other, self.alice_author, lambda: self.undo(change)),
            (self.alice_author, change.other, lambda: self.undo(Change.objects.get(undoes=change))),
        ):
            step()
            self.assertEqual(self.claim().author, new)
            self.assertEqual(Researcher.objects.get(user=self.alice).author, new)
            self.assertEqual((self.author(old).claimed, self.author(new).claimed), (False, True))
            standing = Evidence.objects.filter(kind="claim_accepted", ended_by=None)
            self.assertEqual(standing.get().author, new)
        claims.give_up_claim(claim=self.claim(), actor=self.alice)
        self.assertFalse(Evidence.objects.filter(kind="claim_accepted", ended_by=None).exists())

    def test_a_name_is_needed(self) -> None:
        with self.assertRaisesMessage(RegroupingError, "Give the name"):
            regrouping.split(
                author=self.alice_author, works=[self.second], name=" ", actor=self.moderator, reason=WHY
            )


class UndoTests(RegroupingTestCase):
    def test_each_row_is_taken_back_once_and_taking_that_back_does_it_again(self) -> None:
        change = self.merge(self.alice_author, self.twin)
        undone = self.undo(change)
        self.assertEqual((undone.undoes, undone.kind, undone.after["undone"]), (change, "merge", True))
        with self.assertRaisesMessage(RegroupingError, "taken back already"):
            self.undo(change)
        self.undo(undone)
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
        self.assertEqual(actions, ["author.merge", "author.merge.undo", "author.merge.redo"])

    def test_owners_take_back_what_they_proposed_and_nothing_else(self) -> None:
        by_moderator = self.merge(self.alice_author, self.twin)
        self.assertFalse(regrouping.may_undo(user=self.alice, change=by_moderator))
        with self.assertRaises(RegroupingError):
            self.undo(by_moderator, self.alice)
        self.undo(by_moderator)
        proposal = regrouping.propose(user=self.alice, kind=Proposal.Kind.MERGE, other=self.twin, reason=WHY)
        change = regrouping.accept(proposal=proposal, actor=self.moderator)
        self.assertTrue(regrouping.may_undo(user=self.alice, change=change))
        for user in (self.bob, self.dora):
            self.assertFalse(regrouping.may_undo(user=user, change=change))
        undone = self.undo(change, self.alice)
        self.assertIsNone(self.author(self.twin).merged_into)
        self.undo(undone, self.alice)
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)

    def test_other_changes_are_not_undone_here(self) -> None:
        change = Change.objects.create(kind="bio", author=self.alice_author, actor=self.alice, by=By.OWNER)
        with self.assertRaisesMessage(RegroupingError, "not a join or division"):
            self.undo(change)


class ProposalTests(RegroupingTestCase):
    def propose(self, **fields: Any) -> Proposal:
        fields = {"user": self.alice, "kind": Proposal.Kind.MERGE, "other": self.twin, "reason": WHY} | fields
        return regrouping.propose(**fields)

    def test_moderators_are_asked_and_the_proposer_hears_the_answer(self) -> None:
        proposal = self.propose()
        self.assertEqual(
            (proposal.author, proposal.by, proposal.state), (self.alice_author, By.OWNER, "open")
        )
        asked = Notification.objects.filter(
            verb="proposal_opened", target_url=regrouping.address_of(proposal)
        )
        self.assertEqual({row.recipient for row in asked}, {self.moderator, self.second_moderator})
        regrouping.accept(proposal=proposal, actor=self.moderator, answer="Agreed.")
        proposal.refresh_from_db()
        self.assertEqual(
            (proposal.state, proposal.decided_by, proposal.answer), ("accepted", self.moderator, "Agreed.")
        )
        self.assertEqual(self.author(self.twin).merged_into, self.alice_author)
        self.assertTrue(Notification.objects.filter(recipient=self.alice, verb="proposal_decided").exists())
        self.assertFalse(asked.filter(read_at=None).exists())

    def test_declining_needs_the_reason_and_changes_nothing(self) -> None:
        proposal = self.propose()
        with self.assertRaisesMessage(RegroupingError, "Give the reason"):
            regrouping.decline(proposal=proposal, actor=self.moderator, answer=" ")
        regrouping.decline(proposal=proposal, actor=self.moderator, answer="Two people.")
        with self.assertRaisesMessage(RegroupingError, "declined"):
            regrouping.accept(proposal=proposal, actor=self.moderator)
        self.assertIsNone(self.author(self.twin).merged_into)
        self.assertTrue(AuditEntry.objects.filter(action="proposal.merge.decline").exists())

    def test_who_may_propose_and_how_often(self) -> None:
        with self.assertRaisesMessage(RegroupingError, "Claim your page first"):
            self.propose(user=self.bob)
        proposal = self.propose()
        with self.assertRaisesMessage(RegroupingError, "proposed this already"):
            self.propose()
        for number in range(4):
            self.propose(other=make_author(f"Alice Ngata {number}"))
        with self.assertRaises(TooMany):
            self.propose(other=self.charlie_author)
        regrouping.withdraw(proposal=proposal, user=self.alice)
        with self.assertRaises(RegroupingError):
            regrouping.withdraw(proposal=proposal, user=self.alice)
        self.propose(other=self.charlie_author)
        claims.dispute_claim(claim=self.claim(), actor=self.moderator, reason="Somebody doubts it.")
        with self.assertRaisesMessage(RegroupingError, "disputed"):
            self.propose(other=self.bob_author)

    def test_nobody_decides_their_own_or_withdraws_anothers(self) -> None:
        accounts.make_moderator(user=self.alice)
        proposal = self.propose()
        self.alice.refresh_from_db()
        with self.assertRaisesMessage(RegroupingError, "Another moderator"):
            regrouping.accept(proposal=proposal, actor=self.alice)
        with self.assertRaises(RegroupingError):
            regrouping.withdraw(proposal=proposal, user=self.dora)

    def test_a_split_and_works_are_done_as_proposed(self) -> None:
        data = {"works": [self.second.pid], "name": "Alice B. Ngata"}
        change = regrouping.accept(
            proposal=self.propose(kind=Proposal.Kind.SPLIT, other=None, data=data), actor=self.moderator
        )
        assert change.other
        self.assertEqual(Authorship.objects.get(work=self.second).author, change.other)
        bring(paper(1, "Alice Ngata", "Ann Lee"), paper(2, "Alice Ngata", "Ann Lee"))
        one, two = work_of(1), work_of(2)
        joined = regrouping.accept(
            proposal=self.propose(
                kind=Proposal.Kind.WORKS_MERGE, other=None, data={"work": one.pid, "other": two.pid}
            ),
            actor=self.moderator,
        )
        self.assertEqual(
            (joined.kind, joined.author, joined.work_pid), ("works_merged", self.alice_author, one.pid)
        )
        self.assertEqual(work_of(2), one)
        data = {"work": one.pid, "records": ["openalex:W1", "crossref:unknown"]}
        regrouping.accept(
            proposal=self.propose(kind=Proposal.Kind.WORK_SPLIT, other=None, data=data), actor=self.moderator
        )
        self.assertNotEqual(work_of(1), work_of(2))
        self.undo(joined, self.alice)
        work_off()
        self.assertEqual(work_of(2), two)


class FollowProperties(HypothesisTestCase):
    """Three pages, three members: merges and their undoing in any order leave who follows whom as it was."""

    @settings(
        max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=6, unique=True),
        st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=7),
        st.randoms(use_true_random=False),
    )
    def test_nothing_is_lost_and_everything_comes_back(self, pairs: Any, steps: Any, random: Any) -> None:
        moderator = make_user("Mo", is_staff=True)
        users = [make_user(f"Member {n}") for n in range(3)]
        pages = [make_author(f"Page {n}") for n in range(3)]
        for page in pages:
            make_work(f"Of {page}", authors=[page])
        for user, page in pairs:
            follows.follow(follower=users[user], target=pages[page])
        first = set(Follow.objects.values_list("user", "author"))
        for takes_back, one, other in steps:
            changes = list(Change.objects.filter(undone_by=None).order_by("at", "pk"))
            try:
                if takes_back and changes:
                    regrouping.undo_change(
                        change=changes[one % len(changes)], actor=moderator, by=By.MODERATOR
                    )
                elif not takes_back:
                    author, ends = (pages[number % 3] for number in (one, other))
                    regrouping.merge(author=author, other=ends, actor=moderator, reason=WHY)
            except RegroupingError:
                continue
            following = {user for user, _ in first}
            self.assertEqual({user for user, _ in Follow.objects.values_list("user", "author")}, following)
            self.assertFalse(Follow.objects.filter(author__merged_into__isnull=False).exists())
            for page in pages:
                followers(page)
        standing = list(Change.objects.filter(undone_by=None, regrouping__is_undone=False))
        random.shuffle(standing)
        for change in standing:
            regrouping.undo_change(change=change, actor=moderator, by=By.MODERATOR)
        self.assertEqual(set(Follow.objects.values_list("user", "author")), first)
        self.assertEqual(Author.objects.filter(merged_into__isnull=False).count(), 0)
