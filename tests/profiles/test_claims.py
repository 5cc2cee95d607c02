from datetime import timedelta
from itertools import product

from django.db.models import QuerySet
from django.utils import timezone

from profiles.claims import states
from profiles.claims.states import Event
from profiles.exceptions import ClaimConflict, ClaimError, ClaimStateError, InvitationError, TooMany
from profiles.models import (
    AuditEntry,
    By,
    Claim,
    ClaimStep,
    Conversation,
    Notification,
    OutgoingMail,
    Proposal,
    Researcher,
    User,
)
from profiles.services import accounts, claims, follows, invitations, pages
from tests.factories import make_author
from tests.profiles.cast import PeopleTestCase, invite
from trust.models import Evidence, EvidenceDetail, TrustScore
from works.models import Mark
from works.services import authors

State = Claim.State
CASE = "My institution's page links here, and the address on both papers is mine."


def propose_revocation(claim: Claim, moderator: User) -> Proposal:
    return Proposal.objects.create(
        kind=Proposal.Kind.REVOKE,
        proposer=moderator,
        by=By.MODERATOR,
        author=claim.author,
        claim=claim,
        reason="Not them.",
    )


class ClaimServiceTests(PeopleTestCase):
    def submit(self, user: User | None = None) -> Claim:
        return claims.submit_claim(user=user or self.bob, author=self.bob_author, case=CASE)

    def approve(self, claim: Claim) -> Claim:
        return claims.approve_claim(claim=claim, actor=self.moderator)

    def ledger(self) -> QuerySet[Evidence]:
        return Evidence.objects.filter(author=self.bob_author)

    def test_accepting_does_all_of_it(self) -> None:
        claim = self.approve(self.submit())
        self.bob_author.refresh_from_db()
        self.assertEqual(claim.state, State.APPROVED)
        self.assertTrue(self.bob_author.claimed)
        self.assertEqual(self.bob_author.version, 2)
        self.assertEqual(Researcher.objects.get(user=self.bob).author, self.bob_author)
        self.assertEqual(
            set(self.ledger().values_list("kind", "event_key")),
            {("claim_accepted", f"claim:{claim.pk}"), ("email_confirmed", f"claim:{claim.pk}:email")},
        )
        self.assertTrue(Mark.objects.filter(what=Mark.What.TRUST, object_id=self.bob_author.pk).exists())
        told = Notification.objects.get(recipient=self.bob)
        self.assertEqual((told.verb, told.target_url), ("claim_accepted", claim.get_absolute_url()))
        self.assertEqual(OutgoingMail.objects.get(notification=told).recipients, [self.bob.email])

    def test_the_confirmed_address_stands_only_in_the_private_detail(self) -> None:
        claim = self.approve(self.submit())
        line = self.ledger().get(event_key=f"claim:{claim.pk}:email")
        self.assertEqual(line.detail.detail, {"email": self.bob.email})
        self.assertNotIn(self.bob.email, f"{line.source} {line.event_key}")

    def test_every_step_is_written_down(self) -> None:
        claim = self.submit()
        claims.reject_claim(claim=claim, actor=self.moderator, reason="No link found.")
        claims.appeal_claim(claim=claim, actor=self.bob, reason="It is on page two.")
        claims.approve_claim(claim=claim, actor=self.second_moderator, reason="So it is.")
        steps = ClaimStep.objects.filter(claim=claim).values_list("from_state", "to_state", "actor", "reason")
        self.assertEqual(
            list(steps),
            [
                ("", "submitted", self.bob.pk, ""),
                ("submitted", "in_review", self.moderator.pk, ""),
                ("in_review", "rejected", self.moderator.pk, "No link found."),
                ("rejected", "appealed", self.bob.pk, "It is on page two."),
                ("appealed", "approved", self.second_moderator.pk, "So it is."),
            ],
        )

    def test_only_edges_of_the_table_are_stepped(self) -> None:
        steps = {
            Event.REVIEW: claims.review_claim,
            Event.APPROVE: claims.approve_claim,
            Event.DISPUTE: claims.dispute_claim,
            Event.UPHOLD: claims.uphold_claim,
            Event.REVOKE: claims.revoke_claim,
        }
        for before, event in product(State, steps):
            if states.target(before, event):
                continue
            claim = Claim.objects.create(user=self.bob, author=make_author(), state=before, case=CASE)
            with self.subTest(before=before, event=event), self.assertRaises(ClaimStateError):
                steps[event](claim=claim, actor=self.moderator, reason="Because.")
            claim.refresh_from_db()
            self.assertEqual(claim.state, before)
            Claim.objects.filter(pk=claim.pk).update(state=State.WITHDRAWN)

    def test_what_only_the_claimant_does_nobody_else_does(self) -> None:
        claim = self.submit()
        for actor in (self.moderator, self.charlie):
            with self.assertRaisesMessage(ClaimError, "Only the person who filed the claim can do this."):
                claims.withdraw_claim(claim=claim, actor=actor)
        with self.assertRaisesMessage(ClaimError, "Only moderators decide claims."):
            claims.approve_claim(claim=claim, actor=self.charlie)

    def test_a_moderator_who_claims_the_page_does_not_decide_a_rivals_claim(self) -> None:
        claim = self.submit()
        claims.submit_claim(user=self.moderator, author=self.bob_author, case=CASE)
        for decide in (claims.approve_claim, claims.reject_claim):
            with self.assertRaisesMessage(ClaimError, "You have a claim on this page yourself"):
                decide(claim=claim, actor=self.moderator, reason="It is me.")
        claims.approve_claim(claim=claim, actor=self.second_moderator)
        with self.assertRaisesMessage(ClaimError, "You have a claim on this page yourself"):
            claims.dispute_claim(claim=claim, actor=self.moderator, reason="It is me.")

    def test_every_decision_of_a_moderator_is_in_the_audit_trail(self) -> None:
        claim = self.submit()
        claims.reject_claim(claim=claim, actor=self.moderator, reason="No link found.")
        claims.appeal_claim(claim=claim, actor=self.bob, reason="It is on page two.")
        claims.approve_claim(claim=claim, actor=self.second_moderator, reason="So it is.")
        rows = AuditEntry.objects.filter(subject=f"claim:{claim.pk}").order_by("pk")
        self.assertEqual(
            list(rows.values_list("action", "actor", "by", "reason", "author")),
            [
                ("claim.review", self.moderator.pk, "moderator", "", self.bob_author.pk),
                ("claim.reject", self.moderator.pk, "moderator", "No link found.", self.bob_author.pk),
                ("claim.approve", self.second_moderator.pk, "moderator", "So it is.", self.bob_author.pk),
            ],
        )

    def test_a_second_rejection_is_final(self) -> None:
        claim = self.submit()
        claims.reject_claim(claim=claim, actor=self.moderator, reason="No.")
        claims.appeal_claim(claim=claim, actor=self.bob, reason="But.")
        claims.reject_claim(claim=claim, actor=self.second_moderator, reason="Still no.")
        with self.assertRaises(ClaimStateError):
            claims.appeal_claim(claim=claim, actor=self.bob, reason="But, but.")

    def test_rivals_may_file_while_a_claim_is_pending_and_one_is_accepted(self) -> None:
        first, second = self.submit(), self.submit(self.charlie)
        self.approve(first)
        with self.assertRaisesMessage(ClaimConflict, "accepted meanwhile, by Bob Stone"):
            self.approve(second)
        second.refresh_from_db()
        self.assertEqual(second.state, State.SUBMITTED)
        self.assertEqual(Evidence.objects.filter(event_key=f"claim:{second.pk}").count(), 0)

    def test_a_person_has_one_page(self) -> None:
        self.approve(self.submit())
        with self.assertRaises(ClaimConflict):
            claims.submit_claim(user=self.bob, author=self.charlie_author, case=CASE)

    def test_two_pages_are_not_accepted_for_one_person(self) -> None:
        one = self.submit()
        two = claims.submit_claim(user=self.bob, author=self.charlie_author, case=CASE)
        self.approve(one)
        with self.assertRaisesMessage(ClaimConflict, "a person has one page"):
            self.approve(two)

    def test_the_same_claim_is_not_filed_twice_and_three_at_most(self) -> None:
        self.submit()
        with self.assertRaises(ClaimConflict):
            self.submit()
        for _ in range(2):
            claims.submit_claim(user=self.bob, author=make_author(), case=CASE)
        with self.assertRaises(TooMany):
            claims.submit_claim(user=self.bob, author=make_author(), case=CASE)

    def test_a_hidden_record_is_not_claimed(self) -> None:
        with self.assertRaises(ClaimError):
            claims.submit_claim(user=self.bob, author=make_author(suppressed=True), case=CASE)

    def test_an_unconfirmed_address_claims_nothing(self) -> None:
        self.bob.emailaddress_set.update(verified=False)
        with self.assertRaises(ClaimError):
            self.submit()

    def test_revoking_and_giving_up_undo_what_acceptance_did(self) -> None:
        for end in ("give up", "revoke"):
            with self.subTest(end=end):
                claim = self.approve(self.submit())
                if end == "revoke":
                    claims.dispute_claim(claim=claim, actor=self.moderator, reason="A rival.")
                    propose_revocation(claim, self.moderator)
                    claims.revoke_claim(claim=claim, actor=self.second_moderator, reason="Not them.")
                else:
                    claims.give_up_claim(claim=claim, actor=self.bob)
                self.bob_author.refresh_from_db()
                self.assertFalse(self.bob_author.claimed)
                self.assertFalse(Researcher.objects.filter(user=self.bob).exists())
                standing = self.ledger().filter(ends=None, ended_by=None)
                self.assertEqual(list(standing), [])

    def test_a_dispute_makes_the_page_read_only_until_it_is_upheld(self) -> None:
        claim = self.approve(self.submit())
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="A rival.")
        page = Researcher.objects.get(user=self.bob)
        with self.assertRaises(ClaimError):
            pages.update_researcher(researcher=page, bio="Me", open_to_collaborate=True)
        claims.uphold_claim(claim=claim, actor=self.moderator, reason="It is theirs.")
        pages.update_researcher(researcher=page, bio="Me", open_to_collaborate=True)
        self.assertEqual(Researcher.objects.get(user=self.bob).bio, "Me")

    def test_moderators_are_told_of_a_new_claim(self) -> None:
        accounts.make_moderator(user=self.moderator)
        claim = self.submit()
        told = Notification.objects.get(recipient=self.moderator)
        self.assertEqual(told.target_url, f"/moderation/claims/{claim.pk}/")
        claims.review_claim(claim=claim, actor=self.second_moderator)
        told.refresh_from_db()
        self.assertIsNone(told.read_at)
        claims.reject_claim(claim=claim, actor=self.second_moderator, reason="No link found.")
        told.refresh_from_db()
        self.assertIsNotNone(told.read_at, "it is decided: nothing is left to do")

    def test_nobody_decides_their_own_claim(self) -> None:
        accounts.make_moderator(user=self.bob)
        claim = self.submit()
        for decide in (claims.approve_claim, claims.reject_claim):
            with self.assertRaisesMessage(ClaimError, "Somebody else decides your own claim."):
                decide(claim=claim, actor=self.bob, reason="It is me.")
        claims.dispute_claim(claim=self.approve(claim), actor=self.moderator, reason="A rival.")
        propose_revocation(claim, self.moderator)
        for decide in (claims.uphold_claim, claims.revoke_claim):
            with self.assertRaisesMessage(ClaimError, "Somebody else decides your own claim."):
                decide(claim=claim, actor=self.bob, reason="It is me.")
        claim.refresh_from_db()
        self.assertEqual(claim.state, State.DISPUTED)

    def test_a_revocation_needs_two_moderators_in_this_dispute(self) -> None:
        claim = self.approve(self.submit())
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="A rival.")
        propose_revocation(claim, self.moderator)
        claims.uphold_claim(claim=claim, actor=self.second_moderator, reason="It is theirs.")
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="Another rival.")
        two = "A revocation needs two moderators"
        with self.assertRaisesMessage(ClaimError, two):  # what was proposed in the last dispute is over
            claims.revoke_claim(claim=claim, actor=self.second_moderator, reason="Not them.")
        claim.proposals.update(state=Proposal.State.DECLINED)
        propose_revocation(claim, self.moderator)
        with self.assertRaisesMessage(ClaimError, two):
            claims.revoke_claim(claim=claim, actor=self.moderator, reason="Not them.")
        claim = claims.revoke_claim(claim=claim, actor=self.second_moderator, reason="Not them.")
        self.assertEqual(claim.state, State.REVOKED)

    def test_who_rejected_does_not_hear_the_appeal(self) -> None:
        claim = self.submit()
        claims.reject_claim(claim=claim, actor=self.moderator, reason="No.")
        claims.appeal_claim(claim=claim, actor=self.bob, reason="But.")
        for decide in (claims.approve_claim, claims.reject_claim):
            with self.assertRaisesMessage(ClaimError, "Somebody else hears the appeal"):
                decide(claim=claim, actor=self.moderator, reason="No again.")
        claim.refresh_from_db()
        self.assertEqual(claim.state, State.APPEALED)

    def test_ten_claims_in_thirty_days_withdrawn_ones_included(self) -> None:
        for _ in range(10):
            claims.withdraw_claim(claim=self.submit(), actor=self.bob)
        with self.assertRaisesMessage(TooMany, "10 claims in 30 days"):
            self.submit()
        Claim.objects.filter(user=self.bob).update(created_at=timezone.now() - timedelta(days=31))
        self.assertEqual(self.submit().state, State.SUBMITTED)

    def test_a_dispute_freezes_trust_and_its_end_thaws_it(self) -> None:
        claim = self.approve(self.submit())
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="A rival.")
        self.assertIsNotNone(TrustScore.objects.get(author=self.bob_author).frozen_at)
        claims.uphold_claim(claim=claim, actor=self.moderator, reason="It is theirs.")
        self.assertIsNone(TrustScore.objects.get(author=self.bob_author).frozen_at)

    def test_giving_up_deletes_the_address_in_the_ledger(self) -> None:
        claim = self.approve(self.submit())
        mine = EvidenceDetail.objects.filter(detail__email=self.bob.email)
        self.assertTrue(mine.exists())
        claims.give_up_claim(claim=claim, actor=self.bob)
        self.assertFalse(mine.exists())
        self.assertTrue(self.ledger().filter(event_key=f"claim:{claim.pk}:email").exists(), "the line stays")


class SuspendedTests(PeopleTestCase):
    def suspend(self, user: User) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)

    def test_the_page_shows_no_bio_and_takes_no_invitation(self) -> None:
        Researcher.objects.filter(user=self.alice).update(bio="I count bridges.")
        path = self.alice_author.get_absolute_url()
        self.assertContains(self.get(None, path), "I count bridges.")
        self.suspend(self.alice)
        self.assertNotContains(self.get(None, path), "I count bridges.")
        with self.assertRaisesMessage(InvitationError, invitations.CLOSED):
            invite(self.dora, self.alice_author)

    def test_an_invitation_from_a_suspended_member_is_not_accepted(self) -> None:
        invitation = invite(self.dora, self.alice_author)
        self.suspend(self.dora)
        with self.assertRaisesMessage(InvitationError, "no longer open"):
            invitations.accept_invitation(invitation=invitation, user=self.alice)
        self.assertFalse(Conversation.objects.exists())


class HiddenAuthorTests(PeopleTestCase):
    def test_a_hidden_author_vanishes_from_what_one_follows_and_from_the_feed(self) -> None:
        follows.follow(follower=self.charlie, target=self.bob_author)
        for path, said in (("/me/following/", "Bob Stone"), ("/me/", "On working together")):
            self.assertContains(self.get(self.charlie, path), said)
        authors.suppress_author(self.bob_author.pk, "They asked.")
        for path, said in (("/me/following/", "Bob Stone"), ("/me/", "On working together")):
            self.assertNotContains(self.get(self.charlie, path), said)


class ClaimPageTests(PeopleTestCase):
    def setUp(self) -> None:
        self.path = f"/researchers/{self.bob_author.pid}/claim/"

    def test_the_case_is_filed_and_its_page_shows_the_log(self) -> None:
        response = self.post(self.bob, self.path, {"case": CASE})
        claim = Claim.objects.get(user=self.bob)
        self.assertRedirects(response, claim.get_absolute_url())
        page = self.get(self.bob, claim.get_absolute_url())
        self.assertContains(page, "Waiting for a moderator")
        self.assertContains(page, "the address on both papers is mine")

    def test_an_empty_case_is_asked_again_with_status_200(self) -> None:
        response = self.post(self.bob, self.path, {"case": " "})
        self.assertContains(response, 'role="alert"', status_code=200)
        self.assertFalse(Claim.objects.filter(user=self.bob).exists())

    def test_a_refusal_stands_in_the_form_and_keeps_what_was_typed(self) -> None:
        response = self.post(self.alice, self.path, {"case": CASE})
        self.assertNotContains(response, "Your case is filed")
        self.assertContains(response, "a person has one page")

    def test_a_claimed_page_says_so_and_can_be_contested(self) -> None:
        path = f"/researchers/{self.alice_author.pid}/claim/"
        self.assertContains(self.get(self.bob, path), "Somebody else has claimed this page already")
        self.post(self.bob, path, {"case": CASE})
        self.assertEqual(Claim.objects.filter(author=self.alice_author, state=State.SUBMITTED).count(), 1)

    def test_a_claim_is_withdrawn(self) -> None:
        self.post(self.bob, self.path, {"case": CASE})
        claim = Claim.objects.get(user=self.bob)
        response = self.post(self.bob, f"{claim.get_absolute_url()}withdraw/")
        self.assertRedirects(response, claim.get_absolute_url())
        claim.refresh_from_db()
        self.assertEqual(claim.state, State.WITHDRAWN)

    def test_an_appeal_is_filed_once(self) -> None:
        self.post(self.bob, self.path, {"case": CASE})
        claim = claims.reject_claim(
            claim=Claim.objects.get(user=self.bob), actor=self.moderator, reason="No link found."
        )
        self.assertContains(self.get(self.bob, claim.get_absolute_url()), "No link found.")
        self.post(self.bob, f"{claim.get_absolute_url()}appeal/", {"reason": "It is on page two."})
        claim.refresh_from_db()
        self.assertEqual(claim.state, State.APPEALED)
