"""Evidence decides where it can: at once, again later, and against a squatter; rivals are heard."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from profiles.exceptions import ClaimError, EvidenceNeeded
from profiles.models import AuditEntry, By, Claim, ClaimStep, Notification, Proposal, Researcher, Route, User
from profiles.services import accounts, claims
from tests.factories import make_user
from tests.profiles.cast import client_of
from tests.profiles.claim_evidence import connect_orcid, import_liu_ke
from trust.models import Evidence, TrustScore
from trust.services import rescore_authors
from works.models import Author

State = Claim.State
CASE = "These two papers are mine; my address is printed on both."
RIVAL_ORCID = "0000-0001-5109-3700"


class EvidenceTestCase(TestCase):
    author: Author

    @classmethod
    def setUpTestData(cls) -> None:
        cls.author = import_liu_ke()
        cls.liu = make_user("Liu Ke")
        cls.squatter = make_user("Squat Ter")
        cls.moderator = accounts.make_moderator(user=make_user("Mo Derator"))
        cls.second = accounts.make_moderator(user=make_user("Sec Ond"))

    def submit(self, user: User, **fields: str) -> Claim:
        return claims.submit_claim(user=user, author=self.author, **fields)

    def prove(self, user: User) -> Claim:
        """File the claim that ORCID decides."""
        connect_orcid(user)
        return self.submit(user)

    def standing(self) -> dict[str, bool]:
        rows = Evidence.objects.filter(author=self.author, ends=None, ended_by=None)
        return dict(rows.values_list("kind", "meets_route"))


class DecidingTests(EvidenceTestCase):
    def test_orcid_decides_at_once(self) -> None:
        before = timezone.now()
        claim = self.prove(self.liu)
        self.assertEqual((claim.state, claim.decided_by_route), (State.APPROVED, Route.ORCID))
        assert claim.contestable_until and claim.decided_at
        self.assertGreaterEqual(claim.contestable_until, before + timedelta(hours=72))
        self.assertIsNone(claim.due_at)
        self.assertTrue(Author.objects.get(pk=self.author.pk).claimed)
        self.assertEqual(Researcher.objects.get(user=self.liu).author, self.author)
        steps = ClaimStep.objects.filter(claim=claim).values_list("to_state", "by", "route", "actor")
        self.assertEqual(
            list(steps),
            [("submitted", By.CLAIMANT, "", self.liu.pk), ("approved", By.SYSTEM, Route.ORCID, None)],
        )
        audited = AuditEntry.objects.get(subject=f"claim:{claim.pk}")
        self.assertEqual((audited.action, audited.by, audited.actor), ("claim.approve", By.SYSTEM, None))

    def test_the_ledger_learns_what_was_shown_and_the_level_rises_to_three(self) -> None:
        claim = self.prove(self.liu)
        self.assertEqual(
            self.standing(),
            {"claim_accepted": False, "email_confirmed": False, "orcid_oauth": True, "work_asserted": False},
        )
        keys = Evidence.objects.filter(author=self.author).values_list("event_key", flat=True)
        self.assertIn(f"claim:{claim.pk}:orcid_oauth:1", keys)
        rescore_authors([self.author.pk])
        self.assertEqual(TrustScore.objects.get(author=self.author).level, 3)

    def test_without_evidence_a_case_is_needed_and_nothing_is_filed(self) -> None:
        with self.assertRaises(EvidenceNeeded):
            self.submit(self.liu)
        self.assertFalse(Claim.objects.exists())

    def test_a_work_that_the_person_added_themselves_decides_nothing(self) -> None:
        connect_orcid(self.squatter, given="Squat", family="Ter", organisation=None)
        self.assertEqual(self.submit(self.squatter, case=CASE).state, State.SUBMITTED)

    def test_what_waits_has_signals_and_a_deadline(self) -> None:
        claim = self.submit(self.liu, case=CASE)
        assert claim.due_at
        self.assertAlmostEqual(claim.due_at, timezone.now() + timedelta(days=7), delta=timedelta(minutes=1))
        self.assertIn("account_days", claim.signals)
        self.assertGreater(claim.evidence.count(), 3)
        told = Notification.objects.filter(verb="claim_filed", target_url=f"/moderation/claims/{claim.pk}/")
        self.assertEqual(told.count(), 2)

    def test_more_evidence_decides_an_open_claim(self) -> None:
        claim = self.submit(self.liu, case=CASE)
        self.assertEqual(claims.decide_by_evidence(claim=claim).state, State.SUBMITTED)
        connect_orcid(self.liu)
        self.assertEqual(claims.decide_by_evidence(claim=claim).state, State.APPROVED)
        waiting = Notification.objects.filter(verb="claim_filed", read_at=None)
        self.assertFalse(waiting.exists(), "nothing is left for moderators")

    def test_connecting_orcid_decides_without_another_click(self) -> None:
        claim = self.submit(self.liu, case=CASE)
        connect_orcid(self.liu)
        claims.look_at_open_claims(user=self.liu)
        claim.refresh_from_db()
        self.assertEqual(claim.state, State.APPROVED)

    def test_a_claim_that_a_moderator_accepted_gains_what_is_shown_later(self) -> None:
        claim = claims.approve_claim(claim=self.submit(self.liu, case=CASE), actor=self.moderator)
        self.assertIsNone(claim.contestable_until)
        self.assertNotIn("orcid_oauth", self.standing())
        connect_orcid(self.liu)
        for _ in range(2):
            claims.decide_by_evidence(claim=claim)
            self.assertTrue(self.standing()["orcid_oauth"])
        self.assertEqual(Evidence.objects.filter(kind="orcid_oauth").count(), 1)

    def test_giving_up_ends_every_line(self) -> None:
        claims.give_up_claim(claim=self.prove(self.liu), actor=self.liu)
        self.assertEqual(self.standing(), {})
        detailed = Evidence.objects.filter(author=self.author, ends=None, detail__isnull=False)
        self.assertFalse(detailed.exists(), "private details are gone")

    def test_after_a_revocation_evidence_alone_does_not_bring_the_page_back(self) -> None:
        claim = self.prove(self.liu)
        claims.dispute_claim(claim=claim, actor=self.moderator, reason="Somebody else says so.")
        Proposal.objects.create(
            kind=Proposal.Kind.REVOKE,
            proposer=self.moderator,
            by=By.MODERATOR,
            claim=claim,
            reason="Not them.",
        )
        claims.revoke_claim(claim=claim, actor=self.second, reason="The iD was lent.")
        with self.assertRaises(EvidenceNeeded):
            self.submit(self.liu)
        again = self.submit(self.liu, case=CASE)
        self.assertEqual(claims.decide_by_evidence(claim=again).state, State.SUBMITTED)

    def test_a_deleted_account_is_no_claimant(self) -> None:
        claim = self.submit(self.liu, case=CASE)
        Claim.objects.filter(pk=claim.pk).update(user=None)
        with self.assertRaisesMessage(ClaimError, "account that filed this claim was deleted"):
            claims.approve_claim(claim=claim, actor=self.moderator)
        self.assertEqual(claims.decide_by_evidence(claim=Claim.objects.get()).state, State.SUBMITTED)


class RivalTests(EvidenceTestCase):
    def told(self, user: User) -> list[str]:
        return list(
            Notification.objects.filter(recipient=user).order_by("created_at").values_list("verb", flat=True)
        )

    def test_a_squatters_pending_claim_hinders_nobody(self) -> None:
        squat = self.submit(self.squatter, case="It is me, really, believe me.")
        claim = self.prove(self.liu)
        self.assertEqual(claim.state, State.APPROVED)
        squat.refresh_from_db()
        self.assertEqual(squat.state, State.SUBMITTED, "it stays, for moderators to see")
        assert squat.due_at
        self.assertLess(
            squat.due_at, timezone.now() + timedelta(days=4), "a rival waits: it is looked at soon"
        )
        self.assertEqual(self.told(self.squatter), ["claim_rivalled"])

    def test_the_notice_names_nobody_and_comes_once(self) -> None:
        mine = self.submit(self.squatter, case="It is me, really, believe me.")
        for _ in range(2):
            claims.withdraw_claim(claim=self.submit(self.liu, case=CASE), actor=self.liu)
        told = Notification.objects.get(recipient=self.squatter, verb="claim_rivalled")
        self.assertEqual((told.actor, told.target_url), (None, mine.get_absolute_url()))
        self.assertNotIn("Liu Ke", told.mail.body.replace(f"page of {self.author}", ""))

    def approved_by_evidence(self, user: User, ago: timedelta = timedelta(0)) -> Claim:
        """Return an accepted claim of somebody whose evidence was good enough `ago`."""
        account = connect_orcid(user)
        claim = self.submit(user)
        account.delete()
        Claim.objects.filter(pk=claim.pk).update(contestable_until=claim.contestable_until - ago)
        claim.refresh_from_db()
        return claim

    def test_evidence_as_good_disputes_a_young_acceptance_at_once(self) -> None:
        held = self.approved_by_evidence(self.squatter)
        rival = self.prove(self.liu)
        held.refresh_from_db()
        self.assertEqual((held.state, rival.state), (State.DISPUTED, State.SUBMITTED))
        step = ClaimStep.objects.filter(claim=held).latest("pk")
        self.assertEqual((step.by, step.actor), (By.RIVAL, self.liu))
        self.assertNotIn("Liu", step.reason)
        self.assertIsNotNone(TrustScore.objects.get(author=self.author).frozen_at)
        self.assertTrue(claims.is_read_only(self.squatter))
        self.assertEqual(self.told(self.squatter)[-2:], ["claim_rivalled", "claim_disputed"])
        self.assertEqual(self.told(self.moderator).count("claim_filed"), 2)

    def test_a_case_without_such_evidence_asks_a_moderator(self) -> None:
        held = self.approved_by_evidence(self.liu)
        rival = self.submit(self.squatter, case="It is me, really, believe me.")
        held.refresh_from_db()
        self.assertEqual((held.state, rival.state), (State.APPROVED, State.SUBMITTED))
        self.assertEqual(self.told(self.moderator), ["claim_filed"])

    def test_after_72_hours_only_a_moderator_opens_a_dispute(self) -> None:
        held = self.approved_by_evidence(self.squatter, ago=timedelta(hours=72, seconds=1))
        self.prove(self.liu)
        held.refresh_from_db()
        self.assertEqual(held.state, State.APPROVED)
        claims.dispute_claim(claim=held, actor=self.moderator, reason="Two people with evidence.")
        held.refresh_from_db()
        self.assertEqual(held.state, State.DISPUTED)

    def test_what_a_moderator_upheld_is_not_contested_by_evidence_again(self) -> None:
        held = self.approved_by_evidence(self.squatter)
        rival = self.prove(self.liu)
        claims.uphold_claim(claim=held, actor=self.moderator, reason="It is theirs.")
        claims.decide_by_evidence(claim=rival)
        held.refresh_from_db()
        self.assertEqual(held.state, State.APPROVED)

    def test_when_the_dispute_ends_against_the_holder_evidence_decides_for_the_rival(self) -> None:
        held = self.approved_by_evidence(self.squatter)
        rival = self.prove(self.liu)
        claims.give_up_claim(claim=held, actor=self.squatter)
        self.assertEqual(claims.decide_by_evidence(claim=rival).state, State.APPROVED)
        self.assertEqual(Researcher.objects.get(author=self.author).user, self.liu)
        self.assertIsNone(TrustScore.objects.get(author=self.author).frozen_at)


class DeadlineTests(EvidenceTestCase):
    def test_moderators_hear_of_an_overdue_claim_once_a_day(self) -> None:
        claim = self.submit(self.liu, case=CASE)
        self.assertEqual(claims.claims_due(), 0)
        Claim.objects.filter(pk=claim.pk).update(due_at=timezone.now() - timedelta(minutes=1))
        for _ in range(2):
            self.assertEqual(claims.claims_due(), 1)
        told = Notification.objects.filter(verb="claim_overdue", target_url=f"/moderation/claims/{claim.pk}/")
        self.assertEqual(set(told.values_list("recipient", flat=True)), {self.moderator.pk, self.second.pk})
        self.assertEqual(told.count(), 2)
        page = client_of(self.moderator).get("/me/notifications/")
        self.assertContains(page, "should be decided by now")
        claims.withdraw_claim(claim=claim, actor=self.liu)
        self.assertEqual(claims.claims_due(), 0)
        self.assertFalse(told.filter(read_at=None).exists())
