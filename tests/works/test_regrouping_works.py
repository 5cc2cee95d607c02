"""Two works are one, or one is two, by the records behind them; imports and full passes obey."""

from typing import Any

from django.test import TestCase

from tests.works.regrouped import LATER, author_of, bring, paper, state, work_of, work_off, wrong
from works.ingest.merging import cluster_records
from works.models import Author, AuthorshipDecision, Redirect, SourceRecord, Work, WorkIdentifier
from works.queries import record_by_pid
from works.services.full_pass import rederive_works
from works.services.regrouping import Moved, Refused, merge_authors, merge_works, redo, split_work, undo
from works.services.resolve import resolve_all

SHEEP = "A sufficiently long title about counting sheep"


class WorksTestCase(TestCase):
    """1 and 2 are two versions under two titles; 3 has two records, of two providers, that one DOI made one."""

    maxDiff = None

    @classmethod
    def setUpTestData(cls) -> None:
        doi: Any = (("doi", "10.1234/three"),)
        bring(paper(1, "Wei Wang", "Ann Lee"), paper(2, "Wei Wang", "Ann Lee", "Zoe Unique"))
        bring(paper(3, "Bea Poe", "Dan Fox", title=SHEEP, identifiers=(("openalex", "W3"), *doi)))
        bring(
            paper(
                4,
                "Bea Poe",
                "Dan Fox",
                provider="crossref",
                record_id="10.1234/three",
                title=SHEEP,
                identifiers=doi,
            )
        )
        cls.one, cls.two, cls.three = work_of(1), work_of(2), work_of(3)
        assert len({cls.one, cls.two, cls.three}) == 3 and work_of("10.1234/three") == cls.three
        cls.first = state()

    def record(self, record_id: str) -> SourceRecord:
        return SourceRecord.objects.get(record_id=record_id)

    def done(self, moved: Moved) -> Moved:
        work_off()
        self.assertEqual(wrong(), [])
        return moved

    def merge(self, work: Work, other: Work) -> Moved:
        return self.done(merge_works(work=work, other=other))

    def split(self, work: Work, *records: str) -> Moved:
        keys = [self.record(record_id).pk for record_id in records]
        return self.done(split_work(work=work, records=keys))

    def undo(self, moved: Moved) -> Moved:
        return self.done(undo(regrouping=moved.regrouping))

    def redo(self, moved: Moved) -> Moved:
        return self.done(redo(regrouping=moved.regrouping))

    def pass_over(self) -> None:
        """Do whatever might part or join works, without anybody asking for it."""
        bring(paper(2, "Wei Wang", "Ann Lee", "Zoe Unique", observed_at=LATER, cited_by_count=7))
        bring(paper(3, "Bea Poe", "Dan Fox", title=SHEEP, identifiers=(("openalex", "W3"), ("doi", "10.1234/three")), observed_at=LATER, cited_by_count=7))  # fmt: skip
        rederive_works()
        resolve_all()
        work_off()
        self.assertEqual(wrong(), [])


class MergeWorksTests(WorksTestCase):
    def test_records_address_and_list_go_to_the_work_that_stands(self) -> None:
        zoe = author_of(2, 2)
        self.merge(self.one, self.two)
        for _ in range(2):
            self.assertEqual((work_of(1), work_of(2)), (self.one, self.one))
            self.assertEqual(record_by_pid(Work.objects.all(), self.two.pid), self.one)
            self.assertEqual(author_of(1, 2), zoe)
            self.assertEqual(Work.objects.get(pk=self.one.pk).identifiers.count(), 2)
            self.pass_over()

    def test_undo_gives_the_number_back(self) -> None:
        moved = self.merge(self.one, self.two)
        self.undo(moved)
        self.assertEqual(state(), self.first)
        self.assertFalse(Redirect.objects.filter(kind="work").exists())
        self.pass_over()
        self.assertEqual((work_of(1), work_of(2)), (self.one, self.two))
        self.redo(moved)
        self.assertEqual(work_of(2), self.one)

    def test_three_merged_and_each_taken_back_in_any_order(self) -> None:
        for order in ((0, 1), (1, 0)):
            moved = [self.merge(self.one, self.two), self.merge(self.three, self.one)]
            self.assertEqual({work_of(1), work_of(2), work_of(3)}, {self.three})
            for work in (self.one, self.two):
                self.assertEqual(record_by_pid(Work.objects.all(), work.pid), self.three)
            for number in order:
                self.undo(moved[number])
            self.assertEqual(state(), self.first)

    def test_taking_the_first_of_two_back_leaves_the_second(self) -> None:
        first, _ = self.merge(self.one, self.two), self.merge(self.three, self.one)
        self.undo(first)
        for _ in range(2):
            self.assertEqual((work_of(1), work_of(2), work_of(3)), (self.three, self.two, self.three))
            self.pass_over()

    def test_an_author_whose_only_work_ended_leads_to_the_namesake_on_it(self) -> None:
        bring(paper(8, "Wei Wang", "Ann Lee", title="One and the same study of the weather"))
        bring(paper(9, "Wei Wang", "Cleo Roe", title="One and the same study, printed again"))
        kept, gone = author_of(8), author_of(9)
        self.assertNotEqual(kept, gone)
        first = state()
        moved = self.merge(work_of(8), work_of(9))
        self.assertEqual(author_of(8), kept)
        self.assertEqual(record_by_pid(Author.objects.all(), gone.pid), kept)
        self.undo(moved)
        self.assertEqual(author_of(9), gone)
        self.assertIsNone(Author.objects.get(pk=gone.pk).merged_into)
        self.assertEqual(state(), first)

    def test_an_import_does_not_join_two_works_that_people_made(self) -> None:
        first = self.merge(self.one, self.two)
        self.split(self.three, "10.1234/three")
        doi: Any = (("doi", "10.1234/three"),)
        bring(
            paper(
                1,
                "Wei Wang",
                "Ann Lee",
                title=SHEEP,
                identifiers=(("openalex", "W1"), *doi),
                observed_at=LATER,
            )
        )
        self.assertEqual(len({work_of(1), work_of(3), work_of("10.1234/three")}), 3)
        self.undo(first)

    def test_the_same_or_a_vanished_work_is_refused(self) -> None:
        with self.assertRaisesMessage(Refused, "one work already"):
            merge_works(work=self.one, other=self.one)
        moved = self.merge(self.one, self.two)
        with self.assertRaisesMessage(Refused, "joined with another since"):
            merge_works(work=self.three, other=self.two)
        self.undo(moved)
        self.merge(self.three, self.two)
        with self.assertRaisesMessage(Refused, "stands no longer"):
            redo(regrouping=moved.regrouping)

    def test_a_work_that_was_emptied_comes_back_when_its_own_record_does(self) -> None:
        joined = self.merge(self.one, self.two)
        divided = self.split(self.one, "W1")
        new = work_of(1)
        self.undo(joined)
        self.assertEqual((work_of(1), work_of(2)), (new, self.two))
        self.assertIsNotNone(record_by_pid(Work.objects.all(), self.one.pid))
        self.undo(divided)
        self.assertEqual(state(), self.first)
        self.assertEqual(record_by_pid(Work.objects.all(), new.pid), self.one)

    def test_a_work_without_records_is_refused(self) -> None:
        bare = Work.objects.create(type="article", title="Nothing known")
        with self.assertRaisesMessage(Refused, "No record is kept behind “Nothing known”"):
            merge_works(work=self.one, other=bare)

    def test_what_people_decided_goes_along_and_comes_back(self) -> None:
        ann = author_of(2, 1)
        AuthorshipDecision.objects.create(author=ann, work=self.two, is_theirs=True, reason="mine")
        moved = self.merge(self.one, self.two)
        self.assertTrue(AuthorshipDecision.objects.filter(author=ann, work=self.one, is_theirs=True).exists())
        self.undo(moved)
        self.assertTrue(AuthorshipDecision.objects.filter(author=ann, work=self.two, is_theirs=True).exists())

    def test_authors_merged_in_between_stay_merged_on_both_and_come_back_on_both(self) -> None:
        bring(paper(8, "Wei Wang", "Cleo Roe"))
        wei, other = author_of(1), author_of(8)
        self.assertNotEqual(wei, other)
        works = self.merge(self.one, self.two)
        people = self.done(merge_authors(author=other, other=wei))
        self.undo(works)
        self.assertEqual({author_of(1), author_of(2), author_of(8)}, {other})
        self.undo(people)
        self.assertEqual([author_of(n) for n in (1, 2, 8)], [wei, wei, other])


class SplitWorksTests(WorksTestCase):
    def test_records_stay_apart_for_ever(self) -> None:
        bea = author_of(3)
        self.split(self.three, "10.1234/three")
        for _ in range(2):
            new = work_of("10.1234/three")
            self.assertEqual(work_of(3), self.three)
            self.assertNotEqual(new, self.three)
            self.assertEqual((author_of(3), author_of("10.1234/three")), (bea, bea))
            self.assertEqual(WorkIdentifier.objects.filter(value="10.1234/three").count(), 1)
            self.pass_over()

    def test_undo_joins_them_again_and_the_new_address_leads_there(self) -> None:
        moved = self.split(self.three, "10.1234/three")
        new = work_of("10.1234/three")
        self.undo(moved)
        self.assertEqual(state(), self.first)
        self.assertEqual(record_by_pid(Work.objects.all(), new.pid), self.three)
        self.redo(moved)
        self.assertEqual(work_of("10.1234/three"), new)
        self.assertEqual(work_of(3), self.three)

    def test_a_merge_after_a_split_and_each_back_in_any_order(self) -> None:
        for order in ((0, 1), (1, 0)):
            divided = self.split(self.three, "10.1234/three")
            joined = self.merge(self.one, work_of("10.1234/three"))
            self.assertEqual(work_of("10.1234/three"), self.one)
            for number in order:
                self.undo((divided, joined)[number])
            self.assertEqual(state()["records"], self.first["records"])
            self.assertEqual(state()["owners"], self.first["owners"])

    def test_an_author_of_both_is_pinned_on_both(self) -> None:
        bea, fox = author_of(3), author_of(3, 1)
        people = self.done(merge_authors(author=author_of(1), other=bea))
        moved = self.split(self.three, "10.1234/three")
        self.assertEqual((author_of(3), author_of("10.1234/three")), (author_of(1), author_of(1)))
        self.pass_over()
        self.undo(people)
        self.assertEqual((author_of(3), author_of("10.1234/three")), (bea, bea))
        self.undo(moved)
        self.assertEqual((author_of(3), author_of(3, 1)), (bea, fox))

    def test_what_cannot_be_divided_is_refused(self) -> None:
        everything = [self.record(name).pk for name in ("W3", "10.1234/three")]
        for records in ([], everything, [self.record("W1").pk], [10**9]):
            with self.assertRaises(Refused):
                split_work(work=self.three, records=records)
        self.assertEqual(state(), self.first)


class ClusterTests(TestCase):
    def test_decided_records_are_together_and_never_with_others(self) -> None:
        doi: Any = (("doi", "10.1/x"),)
        records = {n: paper(n, "Bea Poe", title=SHEEP, identifiers=doi) for n in (1, 2, 3)}
        titles = dict.fromkeys(records, "sheep")
        self.assertEqual(cluster_records(records, titles), [[1, 2, 3]])
        parted = cluster_records(records, titles, decided={1: 10, 2: 20})
        self.assertEqual(sorted(map(sorted, parted)), [[1, 3], [2]])
        records[2] = paper(2, "Dan Fox", title="Something else", identifiers=())
        joined = cluster_records(records, {1: "sheep", 3: "sheep"}, decided={1: 10, 2: 10})
        self.assertEqual(sorted(map(sorted, joined)), [[1, 2, 3]])
