"""The ledger and the scores made from it."""

from datetime import timedelta

from django.db import DatabaseError, transaction
from django.test import TestCase
from django.utils import timezone

from graph.services.collaborations import rebuild_collaborations
from tests.factories import make_author, make_institution, make_work
from tests.trust.records import add_record, describe_author, give_record, make_known_work
from trust.models import Evidence, EvidenceDetail, TrustScore
from trust.services import (
    RECOGNISED_PROVIDERS,
    end_evidence,
    expire_evidence,
    freeze_score,
    mark_due_scores,
    record_evidence,
    rescore_authors,
    thaw_score,
)
from works.models import Author, AuthorshipInstitution, Mark, Provider
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
        make_known_work("Hercules", authors=[liu, *close], arxiv="2203.07424", year=2022)
        make_known_work(
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
        make_known_work(authors=[self.ada], institution=make_institution("Somewhere"))
        self.assertEqual(self.score_of().value, 7)
        make_known_work(authors=[self.ada], institution=make_institution("Tufts University", ror="05wvpxv85"))
        self.assertEqual(self.score_of().value, 10)

    def test_a_work_without_a_persistent_identifier_gives_nothing(self) -> None:
        make_known_work(authors=[self.ada]).identifiers.all().delete()
        found = self.score_of()
        self.assertEqual((found.value, found.level), (0, 0))

    def test_a_work_with_two_identifiers_counts_once_and_both_sources_are_named(self) -> None:
        work = make_work(authors=[self.ada])
        work.identifiers.create(scheme="doi", value="10.1000/1")
        give_record(work)
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
        make_known_work(authors=[twin])
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
            # now, who, close, works, affiliations, ledger, write; and the savepoint
            with self.assertNumQueries(9):
                rescore_authors(ids)


class RecognisedSourceTests(TrustTestCase):
    """What people say of themselves, and what a host typed in, gives nothing."""

    def lines_of(self, author: Author | None = None) -> dict[str, tuple[int, str]]:
        record = self.score_of(author).parts[0]
        return {line["rule"]: (line["points"], line["source"]) for line in record["lines"]}

    def test_each_recognised_provider_gives_points_and_a_level(self) -> None:
        for provider in RECOGNISED_PROVIDERS:
            author = make_author(f"Author of {provider.label}")
            make_known_work(authors=[author], provider=provider)
            found = self.score_of(author)
            self.assertEqual((provider, found.value, found.level), (provider, 7, 1))

    def test_own_orcid_records_and_files_of_the_host_give_neither_points_nor_a_level(self) -> None:
        others = set(Provider) - set(RECOGNISED_PROVIDERS) - {Provider.ROR}
        self.assertEqual(others, {"orcid", "bibtex", "ris", "csl"})
        for provider in sorted(others):
            author = make_author(f"Author of {provider}")
            make_known_work(authors=[author], provider=provider, doi=f"10.1234/{provider}")
            found = self.score_of(author)
            self.assertEqual((provider, found.value, found.level), (provider, 0, 0))

    def test_a_work_without_a_record_gives_nothing(self) -> None:
        make_work(authors=[self.ada])
        self.assertEqual(self.score_of().value, 0)

    def test_a_recognised_record_that_was_taken_back_or_merged_away_gives_nothing(self) -> None:
        for gone in ({"withdrawn": True}, {"merged_into": "W2"}):
            author = make_author("Ada Smith")
            work = make_known_work(authors=[author], provider="bibtex")
            record = add_record("openalex", f"W{work.pk}", work=work, **gone)
            work.identifiers.create(scheme="openalex", value=record.record_id, record=record)
            self.assertEqual((gone, self.score_of(author).value), (gone, 0))

    def test_of_two_works_only_the_recognised_one_counts(self) -> None:
        make_known_work(authors=[self.ada])
        make_known_work(authors=[self.ada], provider="ris", doi="10.1234/typed")
        self.assertEqual(self.lines_of(), {"first_work": (5, "arXiv"), "each_work": (2, "arXiv")})

    def test_collaborators_on_works_that_no_recognised_source_knows_do_not_count(self) -> None:
        known, typed = make_author("Known"), [make_author(f"Typed {n}") for n in range(4)]
        make_known_work(authors=[self.ada, known])
        make_known_work(authors=[self.ada, *typed], provider="bibtex")
        rebuild_collaborations([self.ada.pk])
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.close_collaborators_count, 5)
        self.assertEqual(self.lines_of()["close_collaborator"][0], 1)

    def test_what_is_close_is_the_same_with_and_without_works_that_do_not_count(self) -> None:
        once, twice, crowd = make_author("Once"), make_author("Twice"), [make_author() for _ in range(10)]
        make_known_work(authors=[self.ada, once, twice, *crowd[:9]])
        make_known_work(authors=[self.ada, twice, *crowd[9:], *(make_author() for _ in range(8))])
        make_known_work(authors=[self.ada, *(make_author() for _ in range(60))])
        rebuild_collaborations([self.ada.pk])
        before = self.lines_of()
        make_known_work(authors=[self.ada], provider="orcid", doi="10.1234/own")
        self.assertEqual(before["close_collaborator"][0], 1)
        self.assertEqual(self.lines_of(), before)

    def test_an_affiliation_that_only_the_persons_own_orcid_record_states_gives_no_point(self) -> None:
        make_institution("Tufts University", ror="05wvpxv85")
        describe_author(
            self.ada,
            "orcid",
            "0000-0002-1825-0097",
            {"institution": {"display_name": "Tufts", "ror": "05wvpxv85"}},
        )
        self.assertEqual(self.lines_of(), {})

    def test_one_that_an_organisation_asserts_in_the_orcid_record_does(self) -> None:
        make_institution("Tufts University", ror="05wvpxv85")
        place = {
            "institution": {"display_name": "Tufts", "ror": "05wvpxv85"},
            "asserted_by": "Tufts University",
        }
        describe_author(self.ada, "orcid", "0000-0002-1825-0097", place)
        self.assertEqual(
            self.lines_of(),
            {"ror_affiliation": (1, "Tufts University, asserted by Tufts University in the ORCID record")},
        )

    def test_one_that_a_recognised_source_states_about_the_person_does(self) -> None:
        tufts = make_institution("Tufts University", ror="05wvpxv85")
        tufts.identifiers.create(scheme="openalex", value="I121934306")
        describe_author(
            self.ada,
            "openalex",
            "A5023888391",
            {"institution": {"display_name": "Tufts", "openalex": "I121934306"}},
        )
        self.assertEqual(self.lines_of(), {"ror_affiliation": (1, "Tufts University, stated by OpenAlex")})

    def test_one_that_we_matched_gives_its_point_where_a_recognised_source_carries_the_text(self) -> None:
        tufts = make_institution("Tufts University", ror="05wvpxv85")
        for provider, points in (("bibtex", 0), ("crossref", 1)):
            author = make_author("Ada Smith")
            work = make_known_work(
                authors=[author], institution=tufts, provider=provider, doi=f"10.1234/{provider}"
            )
            AuthorshipInstitution.objects.filter(authorship__work=work).update(matched=True)
            line = self.lines_of(author).get("ror_affiliation", (0, ""))
            self.assertEqual((provider, line[0]), (provider, points))
        self.assertEqual(line[1], "Tufts University, matched from the affiliation text that Crossref carries")

    def test_a_stated_affiliation_is_named_before_a_newer_one_that_we_matched(self) -> None:
        stated = make_institution("Tufts University", ror="05wvpxv85")
        matched = make_institution("Kyoto University", ror="02kpeqv85")
        make_known_work(authors=[self.ada], institution=stated, year=2010)
        work = make_known_work(authors=[self.ada], institution=matched, year=2020)
        AuthorshipInstitution.objects.filter(authorship__work=work).update(matched=True)
        self.assertEqual(self.lines_of()["ror_affiliation"], (1, "Tufts University, stated by arXiv"))

    def test_doubtful_works_cost_one_query_more_however_many_authors_have_them(self) -> None:
        authors = [make_author(f"Author {n}") for n in range(30)]
        for author in authors:
            make_known_work(authors=[author, self.ada], provider="csl")
        for ids in ([authors[0].pk], [author.pk for author in authors]):
            with self.assertNumQueries(10):
                rescore_authors(ids)
