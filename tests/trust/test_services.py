"""The ledger and the scores made from it."""

from datetime import timedelta

from django.db import DatabaseError, transaction
from django.test import TestCase
from django.utils import timezone

from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author, make_institution, make_work
from trust.models import Evidence, EvidenceDetail, TrustScore
from trust.services import (
    end_evidence,
    expire_evidence,
    freeze_score,
    mark_due_scores,
    record_evidence,
    rescore_authors,
    thaw_score,
)
from works.models import Author, Mark
from works.services.marks import drain


class TrustTestCase(TestCase):
    def setUp(self) -> None:
        self.ada = make_author("Ada Smith")
        self.now = timezone.now()

    def record(self, kind: str, key: str = "", **fields: object) -> Evidence:
        return record_evidence(
            author_id=self.ada.pk,
            kind=Evidence.Kind(kind),
            source="a test",
            event_key=key or f"{kind}:1",
            observed_at=fields.pop("observed_at", self.now),  # type: ignore[arg-type]
            **fields,  # type: ignore[arg-type]
        )

    def score_of(self, author: Author | None = None) -> TrustScore:
        author = author or self.ada
        rescore_authors([author.pk])
        return TrustScore.objects.get(author=author)


class LedgerTests(TrustTestCase):
    def test_the_database_refuses_to_change_or_delete_a_line(self) -> None:
        evidence = self.record("claim_accepted")
        for change in (
            lambda: Evidence.objects.filter(pk=evidence.pk).update(source="someone else"),
            lambda: Evidence.objects.filter(pk=evidence.pk)._raw_delete("default"),
        ):
            with self.assertRaisesMessage(DatabaseError, "append-only"), transaction.atomic():
                change()
        self.assertEqual(Evidence.objects.get().source, "a test")

    def test_the_same_event_again_adds_nothing(self) -> None:
        first = self.record("claim_accepted", "claim:7")
        self.assertEqual(self.record("claim_accepted", "claim:7"), first)
        self.assertEqual(Evidence.objects.count(), 1)

    def test_an_event_key_for_another_author_is_refused(self) -> None:
        self.record("claim_accepted", "claim:7")
        self.ada = make_author("Bob Stone")
        with self.assertRaises(ValueError):
            self.record("claim_accepted", "claim:7")

    def test_a_private_detail_can_be_deleted_and_does_not_come_back_by_a_retry(self) -> None:
        evidence = self.record("email_confirmed", detail={"address": "ada@example.org"})
        EvidenceDetail.objects.filter(evidence=evidence).delete()
        self.record("email_confirmed", detail={"address": "ada@example.org"})
        self.assertEqual(EvidenceDetail.objects.count(), 0)
        self.assertEqual(Evidence.objects.count(), 1)

    def test_recording_marks_the_author_and_rings_once_after_commit(self) -> None:
        with self.captureOnCommitCallbacks() as rings:
            self.record("claim_accepted")
        self.assertEqual(list(Mark.objects.values_list("what", "object_id")), [("trust", self.ada.pk)])
        self.assertEqual(len(rings), 1)

    def test_a_line_is_ended_by_a_new_one_only_once(self) -> None:
        evidence = self.record("claim_accepted")
        end = end_evidence(evidence, "the claim was revoked")
        self.assertEqual(
            (end.kind, end.ends, end.detail.detail), ("revoked", evidence, {"why": "the claim was revoked"})
        )
        self.assertEqual(end_evidence(evidence, "again", event_key="another"), end)
        self.assertEqual(Evidence.objects.count(), 2)

    def test_what_has_run_out_is_ended_once(self) -> None:
        self.record("affiliation_asserted", expires_at=self.now + timedelta(days=30))
        self.assertEqual(expire_evidence(self.now), 0)
        later = self.now + timedelta(days=31)
        self.assertEqual(expire_evidence(later), 1)
        self.assertEqual(expire_evidence(later), 0)
        self.assertEqual(Evidence.objects.filter(kind="expired").count(), 1)


class ScoreTests(TrustTestCase):
    def make_liu_ke(self) -> Author:
        """Two works on arXiv, six and 21 authors, five people on both."""
        liu = make_author("Liu Ke")
        close = [make_author(name) for name in ("Gupta", "Hempstead", "Wu", "Lee", "Zhang")]
        make_work("Hercules", authors=[liu, *close], arxiv="2203.07424", year=2022)
        make_work(
            "RecNMP",
            authors=[liu, *close, *(make_author() for _ in range(15))],
            arxiv="1912.12953",
            year=2019,
        )
        rebuild_collaborations([liu.pk])
        return liu

    def test_liu_ke_has_13_and_after_an_accepted_claim_23(self) -> None:
        liu = self.make_liu_ke()
        found = self.score_of(liu)
        self.assertEqual((found.value, found.level), (13, 1))
        self.assertEqual([part["points"] for part in found.parts], [13, 0, 0, 0])
        self.ada = liu
        self.record("claim_accepted")
        self.record("email_confirmed")
        found = self.score_of(liu)
        self.assertEqual((found.value, found.level), (23, 2))

    def test_a_second_run_writes_nothing_and_raises_no_version(self) -> None:
        liu = self.make_liu_ke()
        before = self.score_of(liu)
        liu.refresh_from_db()
        version = liu.version
        self.assertEqual(self.score_of(liu).computed_at, before.computed_at)
        liu.refresh_from_db()
        self.assertEqual(liu.version, version)

    def test_a_changed_value_raises_the_version_of_the_author(self) -> None:
        self.score_of()
        self.ada.refresh_from_db()
        version = self.ada.version
        self.record("claim_accepted")
        self.score_of()
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.version, version + 1)

    def test_an_affiliation_counts_only_when_it_is_matched_to_ror(self) -> None:
        make_work(authors=[self.ada], institution=make_institution("Somewhere"))
        self.assertEqual(self.score_of().value, 7)
        make_work(authors=[self.ada], institution=make_institution("Tufts University", ror="05wvpxv85"))
        self.assertEqual(self.score_of().value, 10)

    def test_a_work_without_a_persistent_identifier_gives_nothing(self) -> None:
        make_work(authors=[self.ada]).identifiers.all().delete()
        found = self.score_of()
        self.assertEqual((found.value, found.level), (0, 0))

    def test_a_work_with_two_identifiers_counts_once_and_both_sources_are_named(self) -> None:
        make_work(authors=[self.ada]).identifiers.create(scheme="doi", value="10.1000/1")
        found = self.score_of()
        self.assertEqual(found.value, 7)
        self.assertEqual(found.parts[0]["lines"][1]["source"], "DOI, arXiv")

    def test_ended_lines_no_longer_count(self) -> None:
        evidence = self.record("claim_accepted")
        self.assertEqual(self.score_of().value, 7)
        end_evidence(evidence, "withdrawn")
        self.assertEqual(self.score_of().value, 0)

    def test_works_and_lines_of_a_merged_author_count_for_the_one_that_stands(self) -> None:
        twin = make_author("A. Smith")
        make_work(authors=[twin])
        self.record("claim_accepted")
        self.ada.merged_into = twin
        self.ada.save(update_fields=["merged_into"])
        rescore_authors([self.ada.pk])
        self.assertEqual(TrustScore.objects.get(author=twin).value, 7 + 7)

    def test_time_alone_changes_a_score_and_the_sweep_knows_whose(self) -> None:
        self.record("domain_confirmed", observed_at=self.now - timedelta(days=300))
        found = self.score_of()
        self.assertEqual(found.value, 10)
        Mark.objects.all().delete()
        self.assertEqual(mark_due_scores(self.now), 0)
        later = self.now + timedelta(days=66)
        self.assertEqual(mark_due_scores(later), 1)
        rescore_authors([self.ada.pk], at=later)
        found.refresh_from_db()
        self.assertEqual((found.value, found.next_change_at), (5, None))

    def test_a_dispute_freezes_the_score_until_it_ends(self) -> None:
        self.record("claim_accepted")
        freeze_score(self.ada.pk)
        self.record("email_confirmed")
        found = self.score_of()
        self.assertEqual(found.value, 7)
        self.assertIsNotNone(found.frozen_at)
        thaw_score(self.ada.pk)
        drain(Mark.What.TRUST, rescore_authors)
        found.refresh_from_db()
        self.assertEqual((found.value, found.frozen_at), (10, None))

    def test_it_takes_the_same_queries_for_one_author_and_for_many(self) -> None:
        liu = self.make_liu_ke()
        for ids in ([liu.pk], list(Author.objects.values_list("pk", flat=True))):
            with self.assertNumQueries(
                8
            ):  # who, close, works, affiliations, ledger, write; and the savepoint
                rescore_authors(ids)
