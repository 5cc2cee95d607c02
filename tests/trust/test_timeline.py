"""Each change of a score leaves a line that says what changed it, in the transaction in which it changed."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tests.factories import make_author, make_work
from tests.trust.records import add_record, describe_author, give_record, make_known_work
from tests.trust.test_services import TrustTestCase
from trust.algorithms import FORMULA_VERSION
from trust.bulk import recompute_scores
from trust.models import TrustChange, TrustScore
from trust.services import end_evidence, freeze_score, rescore_authors, thaw_score
from trust.timeline import stood_on, timeline
from works.models import Author


class ChangeTests(TrustTestCase):
    def told(self) -> list[tuple[int | None, int, int | None, int, list[tuple[str, int]]]]:
        rows = TrustChange.objects.filter(author=self.ada).order_by("pk")
        return [
            (
                row.old_value,
                row.value,
                row.old_level,
                row.level,
                [(d["rule"], d["points"]) for d in row.differences],
            )
            for row in rows
        ]

    def test_the_first_score_and_every_change_are_told_with_what_each_rule_gave(self) -> None:
        make_known_work(authors=[self.ada])
        self.score_of()
        line = self.record("orcid_oauth")
        self.score_of()
        end_evidence(line, "unlinked")
        self.record("claim_accepted")
        self.record("email_confirmed")
        self.score_of()
        self.assertEqual(
            self.told(),
            [
                (None, 7, None, 1, [("first_work", 5), ("each_work", 2)]),
                (7, 19, 1, 1, [("orcid_oauth", 12)]),
                (19, 17, 1, 2, [("claim_accepted", 7), ("email_confirmed", 3), ("orcid_oauth", -12)]),
            ],
        )
        newest = timeline(self.ada).moments[0]
        self.assertEqual([gain.signed for gain in newest.gains], ["+7", "+3", "\u221212"])
        self.assertEqual(newest.change.formula_version, FORMULA_VERSION)
        self.assertEqual(newest.change.at, TrustScore.objects.get(author=self.ada).computed_at)

    def test_differences_add_up_to_the_change(self) -> None:
        make_known_work(authors=[self.ada])
        for kind in ("orcid_oauth", "claim_accepted", "email_confirmed", "vouch", "work_asserted"):
            self.record(kind)
            self.score_of()
        for before, after, _, _, rules in self.told():
            self.assertEqual(after - (before or 0), sum(points for _, points in rules))

    def test_what_changes_neither_value_nor_level_is_not_told_and_nothing_known_neither(self) -> None:
        self.score_of()
        self.assertEqual(self.told(), [])
        self.record("claim_accepted")
        self.score_of()
        self.record("claim_accepted", "again")
        self.score_of()
        self.assertEqual(len(self.told()), 1)

    def test_the_whole_table_tells_the_same_as_one_by_one(self) -> None:
        make_known_work(authors=[self.ada])
        self.record("orcid_oauth")
        with transaction.atomic():
            self.score_of()
            one_by_one = self.told()
            transaction.set_rollback(True)
        recompute_scores()
        self.assertEqual(self.told(), one_by_one)

    def test_a_score_that_is_rolled_back_leaves_no_line(self) -> None:
        make_known_work(authors=[self.ada])
        with transaction.atomic():
            self.score_of()
            transaction.set_rollback(True)
        self.assertEqual((self.told(), TrustScore.objects.count()), ([], 0))

    def test_a_dispute_tells_nothing_until_it_ends(self) -> None:
        freeze_score(self.ada.pk)
        self.record("claim_accepted")
        self.score_of()
        self.assertEqual(self.told(), [])
        thaw_score(self.ada.pk)
        self.score_of()
        self.assertEqual(self.told(), [(0, 7, 0, 0, [("claim_accepted", 7)])])

    def test_the_number_that_stood_on_a_day_is_found(self) -> None:
        self.record("claim_accepted")
        rescore_authors([self.ada.pk], self.now - timedelta(days=5))
        self.record("orcid_oauth")
        rescore_authors([self.ada.pk], self.now - timedelta(days=2))
        found = [stood_on(self.ada, (self.now - timedelta(days=days)).date()) for days in (9, 4, 1)]
        self.assertEqual([row and row.value for row in found], [None, 7, 19])


class RestoringTests(TrustTestCase):
    def standing(self) -> tuple[object, ...]:
        row = self.score_of()
        return row.value, row.level, row.parts, row.next_change_at

    def test_ending_what_was_added_restores_the_score_exactly(self) -> None:
        make_known_work(authors=[self.ada])
        self.record("domain_confirmed", meets_route=True)
        before = self.standing()
        until = self.now + timedelta(days=3)
        lines = [
            self.record(kind, asserted_by_author_id=by, expires_at=expires, meets_route=True)
            for kind, by, expires in (
                ("claim_accepted", None, None), ("email_confirmed", None, None), ("vouch", make_author().pk, until),
                ("affiliation_asserted", None, until), ("identity_high", None, None),
            )
        ]  # fmt: skip
        self.assertNotEqual(self.standing(), before)
        for line in lines:
            end_evidence(line, "taken back")
        self.assertEqual(self.standing(), before)

    def test_whatever_somebody_says_of_themselves_changes_nothing(self) -> None:
        make_known_work(authors=[self.ada])
        before = self.standing()
        for number, provider in enumerate(("orcid", "bibtex", "ris", "csl")):
            give_record(
                make_work(f"Own {number}", authors=[self.ada, make_author()], doi=f"10.1234/{number}"),
                provider,
            )
        make_work("Nobody's", authors=[self.ada, make_author()])
        describe_author(self.ada, "orcid", "0000-0002-1825-0097", {"institution": {"ror": "05wvpxv85"}})
        add_record("orcid", "0000-0002-1694-233X", display_name="Ada Smith", affiliations=[])
        Author.objects.filter(pk=self.ada.pk).update(
            orcid="0000-0002-1825-0097", followers_count=10**6, cited_by_count=10**6
        )
        self.assertEqual(self.standing(), before)

    def test_timezone_of_the_process_moves_nothing(self) -> None:
        self.record("domain_confirmed", observed_at=self.now - timedelta(days=1))
        before = self.standing()
        with timezone.override("Asia/Tokyo"):
            self.assertEqual(self.standing(), before)
