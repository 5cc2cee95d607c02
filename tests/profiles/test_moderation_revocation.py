"""Revoking takes two moderators."""

from django.db import IntegrityError, transaction

from profiles.exceptions import ModerationError
from profiles.models import AuditEntry, Claim, Notification, Proposal, Researcher
from profiles.services.moderation import revocation
from tests.profiles.desk import DeskTestCase


class RevocationTests(DeskTestCase):
    def test_one_proposes_and_another_confirms(self) -> None:
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose", "The address was never theirs.")
        self.assertEqual(claim.state, "disputed")
        proposal = Proposal.objects.get(claim=claim)
        self.assertEqual((proposal.proposer, proposal.state), (self.moderator, "open"))
        self.decide(self.moderator, claim, "confirm", "Me again.")
        self.assertEqual(claim.state, "disputed")
        page = self.get(self.second_moderator, f"/moderation/claims/{claim.pk}/")
        self.assertContains(page, "The address was never theirs.")
        self.assertContains(page, 'value="confirm"')
        self.decide(self.second_moderator, claim, "confirm", "")
        self.assertEqual(claim.state, "revoked")
        self.assertFalse(Researcher.objects.filter(user=self.dora).exists())
        proposal.refresh_from_db()
        self.assertEqual((proposal.state, proposal.decided_by), ("accepted", self.second_moderator))
        self.assertEqual(claim.steps.last().reason, "The address was never theirs.")
        written = list(AuditEntry.objects.order_by("pk").values_list("action", "actor"))
        self.assertEqual(
            written,
            [
                ("claim.dispute", self.moderator.pk),
                ("claim.revoke.propose", self.moderator.pk),
                ("claim.revoke", self.second_moderator.pk),
                ("claim.revoke.confirm", self.second_moderator.pk),
            ],
        )

    def test_the_other_moderators_are_told_once_and_it_is_done_when_decided(self) -> None:
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose")
        told = Notification.objects.filter(verb="proposal_opened")
        self.assertEqual(
            set(told.values_list("recipient", flat=True)), {self.second_moderator.pk, self.third_moderator.pk}
        )
        self.assertContains(
            self.get(self.third_moderator, "/me/notifications/"), f"/moderation/claims/{claim.pk}/"
        )
        self.decide(self.second_moderator, claim, "decline", "The address is theirs.")
        self.assertFalse(told.filter(read_at=None).exists())

    def test_declining_and_taking_back_leave_the_dispute_open(self) -> None:
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose")
        self.assertContains(
            self.decide(self.second_moderator, claim, "decline", ""), "Write the reason first"
        )
        self.decide(self.second_moderator, claim, "decline", "Not proven.")
        self.assertEqual(Proposal.objects.get().state, "declined")
        self.decide(self.second_moderator, claim, "propose", "Now it is.")
        self.decide(self.second_moderator, claim, "take_back", "")
        self.assertEqual(
            list(Proposal.objects.order_by("created_at").values_list("state", flat=True)),
            ["declined", "withdrawn"],
        )
        self.assertEqual(claim.state, "disputed")

    def test_upholding_ends_the_proposal(self) -> None:
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose")
        self.decide(self.second_moderator, claim, "uphold", "The holder showed more.")
        self.assertEqual(claim.state, "approved")
        self.assertEqual(Proposal.objects.get().state, "declined")
        with self.assertRaisesRegex(ModerationError, "decided meanwhile"):
            revocation.confirm_revocation(proposal=Proposal.objects.get(), actor=self.third_moderator)

    def test_only_a_disputed_claim_of_somebody_else_and_only_once(self) -> None:
        claim = Claim.objects.get(user=self.dora)
        with self.assertRaisesRegex(ModerationError, "Only a disputed claim"):
            revocation.propose_revocation(claim=claim, actor=self.moderator, reason="Because.")
        claim = self.make_disputed()
        with self.assertRaisesRegex(ModerationError, "Give the reason"):
            revocation.propose_revocation(claim=claim, actor=self.moderator, reason=" ")
        with self.assertRaisesRegex(ModerationError, "your own claim"):
            revocation.propose_revocation(claim=claim, actor=self.dora, reason="Because.")
        revocation.propose_revocation(claim=claim, actor=self.moderator, reason="Because.")
        with self.assertRaisesRegex(ModerationError, "has proposed it already"):
            revocation.propose_revocation(claim=claim, actor=self.second_moderator, reason="Because.")

    def test_the_database_refuses_the_same_person_twice(self) -> None:
        claim = self.make_disputed()
        proposal = revocation.propose_revocation(claim=claim, actor=self.moderator, reason="Because.")
        with self.assertRaisesRegex(IntegrityError, "profiles_proposal_second_person"), transaction.atomic():
            Proposal.objects.filter(pk=proposal.pk).update(state="accepted", decided_by=self.moderator)

    def test_a_claim_given_up_meanwhile_is_not_revoked_and_the_proposal_can_be_closed(self) -> None:
        claim = self.make_disputed()
        self.decide(self.moderator, claim, "propose")
        self.post(self.dora, f"/me/claims/{claim.pk}/give-up/")
        self.decide(self.second_moderator, claim, "confirm", "")
        self.assertEqual(claim.state, "withdrawn")
        self.assertEqual(Proposal.objects.get().state, "open")
        page = self.get(self.second_moderator, f"/moderation/claims/{claim.pk}/")
        self.assertContains(page, 'value="decline"')
        self.decide(self.second_moderator, claim, "decline", "They gave it up.")
        self.assertEqual(Proposal.objects.get().state, "declined")
