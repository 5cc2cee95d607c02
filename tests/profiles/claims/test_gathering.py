import threading

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext

from profiles.claims.gathering import deciding, gather, save
from profiles.models import Claim, ClaimConfirmation, ClaimEvidence, Route
from tests.factories import make_user
from tests.profiles.claims.cast import (
    CARBERRY,
    NAME,
    OTHER,
    POTTERY,
    ROR,
    EvidenceTestCase,
    added_by,
    author_of,
    bring,
    confirm,
    forget_addresses,
    give_page,
    line,
    orcid_record,
    paper,
    sign_in,
    there,
    university,
)
from works.models import Author


class GatherTests(EvidenceTestCase):
    def setUp(self) -> None:
        super().setUp()
        bring(university("Brown University", ROR, "brown.edu"))
        bring(
            paper(POTTERY, "On cracked pots", line(orcid=CARBERRY, institutions=there()), line("Ann Other"))
        )
        self.author = author_of()

    def claim(
        self, user: object = None, state: str = Claim.State.SUBMITTED, author: Author | None = None
    ) -> Claim:
        return Claim.objects.create(user=user or self.josiah, author=author or self.author, state=state)  # type: ignore[misc]

    def test_every_route_answers_in_designs_order(self) -> None:
        findings = self.gather()
        self.assertEqual([finding.route for finding in findings], list(Route))
        for finding in findings:
            self.assertTrue(finding.proves and finding.soon and finding.checks)
            self.assertEqual(bool(finding.start), bool(finding.start_label))
        self.assertIsNone(deciding(findings))

    def test_the_first_that_decides(self) -> None:
        confirm(self.josiah, "josiah@brown.edu")
        self.assertEqual(deciding(self.gather()).route, Route.DOMAIN)  # type: ignore[union-attr]
        sign_in(self.josiah)
        self.assertEqual(deciding(self.gather()).route, Route.ORCID)  # type: ignore[union-attr]

    def test_a_written_case_never_decides(self) -> None:
        claim = self.claim()
        claim.case = "It is me, see the attached letter."
        finding = self.find(Route.REVIEW, claim=claim)
        self.assertEqual((finding.decides, self.checks(finding)), (False, {"case": "partly"}))

    # --- What keeps evidence from deciding ---

    def test_a_page_that_somebody_holds_is_not_given_away(self) -> None:
        sign_in(self.josiah)
        rival = give_page(self.eve, self.author)
        for state in Claim.HELD:
            Claim.objects.filter(pk=rival.pk).update(state=state)
            finding = self.find(Route.ORCID)
            self.assertEqual((finding.decides, self.checks(finding)["rival"]), (False, "partly"))
            self.assertTrue(
                finding.lines[0].meets_route
            )  # should a moderator accept it, the evidence is as strong

    def test_a_squatter_does_not_hinder_the_rightful_person(self) -> None:
        squat = self.claim(self.eve)
        save(squat, self.gather(self.eve, claim=squat))
        for other in range(3):
            self.claim(make_user(f"Squatter {other}"), Claim.State.IN_REVIEW)
        sign_in(self.josiah)
        self.assertTrue(self.find(Route.ORCID).decides)

    def test_two_claims_with_strong_evidence_are_heard_side_by_side(self) -> None:
        namesake = make_user(NAME)
        confirm(namesake, "other@brown.edu")
        theirs = self.claim(namesake)
        save(theirs, self.gather(namesake, claim=theirs))
        sign_in(self.josiah)
        mine = self.claim()
        finding = self.find(Route.ORCID, claim=mine)
        self.assertEqual(
            (finding.decides, self.checks(finding)["rival"], self.checks(finding)["enough"]),
            (False, "partly", "met"),
        )
        # Once their evidence is gone, it hinders no more.
        forget_addresses(namesake)
        save(theirs, self.gather(namesake, claim=theirs))
        self.assertTrue(self.find(Route.ORCID, claim=mine).decides)

    def test_what_speaks_against_stops_every_route(self) -> None:
        confirm(self.josiah, "josiah@brown.edu")
        sign_in(self.josiah, orcid_record(OTHER), OTHER)
        findings = self.gather()
        self.assertIsNone(deciding(findings))
        [domain] = [finding for finding in findings if finding.route == Route.DOMAIN]
        self.assertEqual(self.checks(domain)["contradiction"], "against")
        self.assertIn("another ORCID iD than yours", self.check(domain, "contradiction").sentence)
        self.assertEqual([row.meets_route for row in domain.lines], [False])

    def test_a_denial_stops_the_orcid_route(self) -> None:
        sign_in(self.josiah)
        claim = self.claim()
        ann = make_user("Ann Other")
        give_page(ann, author_of("Ann Other"))
        ClaimConfirmation.objects.create(
            claim=claim, asked=ann, author=author_of("Ann Other"), state="denied"
        )
        self.assertIsNone(deciding(self.gather(claim=claim)))

    def test_a_display_name_of_mixed_letters_is_looked_at(self) -> None:
        sign_in(self.josiah)
        self.josiah.display_name = "Jоsiah Carberry"  # with a Cyrillic о
        finding = self.find(Route.ORCID)
        self.assertEqual((finding.decides, self.checks(finding)["look_alike_name"]), (False, "against"))

    def test_evidence_follows_what_was_joined(self) -> None:
        standing = Author.objects.create(display_name=NAME)
        Author.objects.filter(pk=self.author.pk).update(merged_into=standing)
        self.author.refresh_from_db()
        sign_in(self.josiah)
        for author in (standing, self.author):
            self.assertTrue(self.find(Route.ORCID, author=author).decides)
        give_page(self.eve, standing)
        self.assertFalse(self.find(Route.ORCID, author=self.author).decides)

    def test_as_many_queries_for_a_large_record_as_for_a_small_one(self) -> None:
        confirm(self.josiah, "josiah@brown.edu")
        sign_in(self.josiah, orcid_record(works=[added_by("Crossref", POTTERY)]))
        claim = self.claim()
        with CaptureQueriesContext(connection) as small:
            gather(user=self.josiah, author=self.author, claim=claim)
        bring(
            *(
                paper(f"10.5555/{n}", f"On the pots of {n}", line(orcid=CARBERRY, institutions=there()))
                for n in range(30)
            )
        )
        with CaptureQueriesContext(connection) as large:
            gather(user=self.josiah, author=self.author, claim=claim)
        self.assertEqual(len(large), len(small))
        self.assertLessEqual(len(small), 30)

    # --- What is written down ---

    def test_each_check_is_written_once_until_it_says_something_else(self) -> None:
        claim = self.claim()
        save(claim, self.gather(claim=claim))
        rows = ClaimEvidence.objects.filter(claim=claim)
        before = rows.count()
        self.assertEqual(before, sum(len(finding.checks) for finding in self.gather(claim=claim)))
        save(claim, self.gather(claim=claim))
        self.assertEqual(rows.count(), before)
        sign_in(self.josiah)
        save(claim, self.gather(claim=claim))
        history = rows.filter(route=Route.ORCID, check_name="signed_in").values_list("outcome", flat=True)
        self.assertEqual(list(history), ["not_met", "met"])

    def test_a_check_that_is_asked_no_more_says_so_once(self) -> None:
        claim = self.claim()
        account = sign_in(self.josiah)
        save(claim, self.gather(claim=claim))
        account.delete()
        for _ in range(2):
            save(claim, self.gather(claim=claim))
        history = ClaimEvidence.objects.filter(claim=claim, check_name="enough").values_list(
            "outcome", "sentence"
        )
        self.assertEqual(
            list(history),
            [
                ("met", "By itself this is enough to accept the claim at once."),
                ("not_met", "This no longer applies."),
            ],
        )


class LockTests(TransactionTestCase):
    """Between proof and decision nobody takes the proof away: on a second connection."""

    def setUp(self) -> None:
        self.user = make_user(NAME)
        self.author = Author.objects.create(display_name=NAME)
        self.address = confirm(self.user, "josiah@brown.edu")
        self.account = sign_in(self.user)

    def in_another_connection(self, sql: str, params: list[int]) -> str:
        """Return what a statement raises elsewhere if it must wait, or an empty text."""
        said: list[str] = []

        def run() -> None:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("set local lock_timeout = '100ms'")
                    cursor.execute(sql, params)
                    transaction.set_rollback(True)
            except OperationalError as error:
                said.append(str(error))
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return "".join(said)

    def changes(self) -> list[str]:
        addresses, accounts = EmailAddress._meta.db_table, SocialAccount._meta.db_table
        return [
            self.in_another_connection(sql, [pk])
            for sql, pk in (
                (f"update {addresses} set verified = false where id = %s", self.address.pk),  # noqa: S608
                (f"update {addresses} set email = 'eve@evil.example' where id = %s", self.address.pk),  # noqa: S608
                (f"delete from {addresses} where id = %s", self.address.pk),  # noqa: S608
                (f"delete from {accounts} where id = %s", self.account.pk),  # noqa: S608
                (f"update {accounts} set uid = '0000' where id = %s", self.account.pk),  # noqa: S608
            )
        ]

    def test_takeover_changing_the_address_between_proof_and_decision(self) -> None:
        with transaction.atomic():
            gather(user=self.user, author=self.author, for_update=True)
            for said in self.changes():
                self.assertIn("lock timeout", said)
        self.assertEqual(self.changes(), [""] * 5)

    def test_looking_locks_nothing(self) -> None:
        with transaction.atomic():
            gather(user=self.user, author=self.author)
            self.assertEqual(self.changes(), [""] * 5)
