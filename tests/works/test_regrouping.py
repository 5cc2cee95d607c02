"""Two authors are one, or one is two: what moves, what imports obey, and taking it back without touching the rest."""

from threading import Thread

from django.db import connection
from django.test import TestCase, TransactionTestCase

from tests.works.regrouped import LATER, author_of, bring, paper, state, work_of, work_off, wrong
from works.ingest.records import AuthorRecord, AuthorshipRecord
from works.models import (
    Author,
    AuthorIdentifier,
    Authorship,
    AuthorshipDecision,
    NameOverride,
    Regrouping,
    Suggestion,
    Work,
)
from works.queries import record_by_pid
from works.services.authors import mark_claimed, suppress_author
from works.services.regrouping import (
    Moved,
    Refused,
    merge_authors,
    preview_merge,
    redo,
    split_author,
    undo,
)
from works.services.resolve import resolve_all

ORCID = "0000-0002-1825-0097"


class AuthorTestCase(TestCase):
    """Three people called Wei Wang, whom imports keep apart: with Ann Lee (1, 2), with Bea Poe (3), with Cleo Roe (4)."""

    @classmethod
    def setUpTestData(cls) -> None:
        bring(
            paper(1, "Wei Wang", "Ann Lee", "Dan Fox"), paper(2, "Wei Wang", "Ann Lee", "Dan Fox"),
            paper(3, "Wei Wang", "Bea Poe"), paper(4, "Wei Wang", "Cleo Roe"),
        )  # fmt: skip
        cls.a, cls.b, cls.c = author_of(1), author_of(3), author_of(4)
        assert len({cls.a, cls.b, cls.c}) == 3 and author_of(2) == cls.a
        cls.first = state()

    def merge(self, author: Author, other: Author) -> Moved:
        moved = merge_authors(author=author, other=other)
        work_off()
        self.assertEqual(wrong(), [])
        return moved

    def split(self, author: Author, *numbers: int, name: str = "Wei Wang") -> tuple[Moved, Author]:
        moved = split_author(author=author, works=[work_of(number).pk for number in numbers], name=name)
        work_off()
        self.assertEqual(wrong(), [])
        new = moved.regrouping.other_author
        assert new
        return moved, new

    def undo(self, moved: Moved) -> Moved:
        found = undo(regrouping=moved.regrouping)
        work_off()
        self.assertEqual(wrong(), [])
        return found

    def redo(self, moved: Moved) -> Moved:
        found = redo(regrouping=moved.regrouping)
        work_off()
        self.assertEqual(wrong(), [])
        return found

    def whose(self) -> list[Author]:
        return [author_of(number) for number in (1, 2, 3, 4)]


class MergeTests(AuthorTestCase):
    def test_all_works_go_to_the_one_that_stands_and_the_address_leads_there(self) -> None:
        moved = self.merge(self.a, self.b)
        self.assertEqual(self.whose(), [self.a, self.a, self.a, self.c])
        self.assertEqual([(line.old, line.new) for line in moved.lines], [(self.b.pk, self.a.pk)])
        self.assertEqual(record_by_pid(Author.objects.all(), self.b.pid), self.a)
        self.assertEqual(Author.objects.get(pk=self.a.pk).works_count, 3)

    def test_undo_restores_everything(self) -> None:
        self.undo(self.merge(self.a, self.b))
        self.assertEqual(state(), self.first)
        self.assertFalse(AuthorshipDecision.objects.exists())

    def test_imports_and_resolution_obey_for_ever(self) -> None:
        self.merge(self.a, self.b)
        resolve_all()
        bring(paper(3, "Wei Wang", "Bea Poe", observed_at=LATER), paper(5, "Wei Wang", "Ann Lee", "Dan Fox"))
        bring(paper(6, "Wei Wang", "Cleo Roe"))
        self.assertEqual(self.whose(), [self.a, self.a, self.a, self.c])
        self.assertEqual((author_of(5), author_of(6)), (self.a, self.c))
        resolve_all()
        self.assertEqual(self.whose(), [self.a, self.a, self.a, self.c])

    def test_after_undo_imports_keep_the_two_apart_and_later_works_stay(self) -> None:
        moved = self.merge(self.a, self.b)
        bring(paper(5, "Wei Wang", "Ann Lee", "Dan Fox"))
        self.undo(moved)
        self.assertEqual([*self.whose(), author_of(5)], [self.a, self.a, self.b, self.c, self.a])
        bring(paper(6, "Wei Wang", "Bea Poe"))
        resolve_all()
        work_off()
        self.assertEqual([*self.whose(), author_of(5)], [self.a, self.a, self.b, self.c, self.a])
        self.assertEqual(wrong(), [])

    def test_of_three_merged_each_can_be_taken_back_in_any_order(self) -> None:
        for order in ((0, 1), (1, 0)):
            moved = [self.merge(self.a, self.b), self.merge(self.c, self.a)]
            self.assertEqual(set(self.whose()), {self.c})
            for one in (self.a, self.b):
                self.assertEqual(Author.objects.get(pk=one.pk).merged_into, self.c)  # one step deep
            for number in order:
                self.undo(moved[number])
            self.assertEqual(state(), self.first)

    def test_taking_the_first_of_two_back_leaves_the_second(self) -> None:
        first = self.merge(self.a, self.b)
        self.merge(self.c, self.a)
        self.undo(first)
        self.assertEqual(self.whose(), [self.c, self.c, self.b, self.c])
        self.assertIsNone(Author.objects.get(pk=self.b.pk).merged_into)
        self.redo(first)
        self.assertEqual(set(self.whose()), {self.c})

    def test_two_on_one_list_are_not_one(self) -> None:
        bring(paper(5, "Wei Wang", "W. Wang", "Ann Lee", title="Two of one name write on one sheet"))
        one, other = author_of(5, 0), author_of(5, 1)
        self.assertEqual(preview_merge(one, other).together, [work_of(5)])
        with self.assertRaisesMessage(
            Refused, "Both stand on the author list of “Two of one name write on one sheet”"
        ):
            merge_authors(author=one, other=other)

    def test_what_the_one_said_is_not_theirs_bars_the_other(self) -> None:
        AuthorshipDecision.objects.create(author=self.a, work=work_of(3), is_theirs=False, reason="not mine")
        with self.assertRaises(Refused) as refusal:
            merge_authors(author=self.a, other=self.b)
        self.assertEqual(refusal.exception.works, [work_of(3)])

    def test_claimed_hidden_and_ended_pages_are_refused(self) -> None:
        with self.assertRaisesMessage(Refused, "one page already"):
            merge_authors(author=self.a, other=self.a)
        mark_claimed(self.b.pk)
        with self.assertRaisesMessage(Refused, "is claimed, so it is the one that stands"):
            merge_authors(author=self.a, other=self.b)
        mark_claimed(self.a.pk)
        with self.assertRaisesMessage(Refused, "Both pages are claimed"):
            merge_authors(author=self.a, other=self.b)
        suppress_author(self.c.pk, "asked for it")
        with self.assertRaisesMessage(Refused, "is hidden on request"):
            merge_authors(author=self.a, other=self.c)
        mark_claimed(self.b.pk, claimed=False)
        self.merge(self.a, self.b)
        self.assertTrue(Author.objects.get(pk=self.a.pk).claimed)
        with self.assertRaisesMessage(Refused, "was joined with another already"):
            merge_authors(author=self.a, other=self.b)

    def test_undo_and_redo_are_refused_twice(self) -> None:
        moved = self.merge(self.a, self.b)
        with self.assertRaisesMessage(Refused, "stands already"):
            redo(regrouping=moved.regrouping)
        self.undo(moved)
        with self.assertRaisesMessage(Refused, "taken back already"):
            undo(regrouping=moved.regrouping)

    def test_a_merge_is_not_redone_where_the_other_went_elsewhere(self) -> None:
        moved = self.merge(self.a, self.b)
        self.undo(moved)
        self.merge(self.c, self.b)
        with self.assertRaisesMessage(Refused, "was joined with another already"):
            redo(regrouping=moved.regrouping)

    def test_redo_takes_along_what_came_in_between(self) -> None:
        moved = self.merge(self.a, self.b)
        self.undo(moved)
        bring(paper(5, "Wei Wang", "Bea Poe"))
        late = author_of(5)
        self.redo(moved)
        self.assertEqual(author_of(3), self.a)
        self.assertEqual(author_of(5), self.a if late == self.b else late)

    def test_suggestions_about_the_pair_go(self) -> None:
        pair = sorted((self.a.pk, self.b.pk))
        Suggestion.objects.update_or_create(
            author_a_id=pair[0], author_b_id=pair[1], defaults={"score": -1, "reason": "The same name"}
        )
        self.assertEqual(preview_merge(self.a, self.b).reasons, ["The same name"])
        self.merge(self.a, self.b)
        self.assertFalse(Suggestion.objects.filter(author_a_id=pair[0], author_b_id=pair[1]).exists())

    def test_a_hidden_name_stays_hidden_where_the_works_go(self) -> None:
        NameOverride.objects.create(author=self.b, name="Wei Zhang", folded="wei zhang", is_hidden=True)
        moved = self.merge(self.a, self.b)
        self.assertTrue(
            NameOverride.objects.filter(author=self.a, folded="wei zhang", is_hidden=True).exists()
        )
        self.undo(moved)
        self.assertTrue(
            NameOverride.objects.filter(author=self.a, folded="wei zhang", is_hidden=True).exists()
        )


class SplitTests(AuthorTestCase):
    def test_chosen_works_go_to_a_new_page_and_stay_there(self) -> None:
        _, new = self.split(self.a, 2, name="Wei Wang of Leeds")
        for _ in range(2):
            self.assertEqual(self.whose(), [self.a, new, self.b, self.c])
            resolve_all()
            bring(paper(2, "Wei Wang", "Ann Lee", "Dan Fox", observed_at=LATER, cited_by_count=4))
        bring(paper(5, "Wei Wang", "Ann Lee", "Dan Fox"))
        self.assertEqual(self.whose(), [self.a, new, self.b, self.c])
        self.assertIn(author_of(5), {self.a, new})
        self.assertEqual(Author.objects.get(pk=new.pk).display_name, "Wei Wang of Leeds")

    def test_undo_gives_them_back_and_the_new_address_leads_there(self) -> None:
        moved, new = self.split(self.a, 2)
        self.undo(moved)
        self.assertEqual(record_by_pid(Author.objects.all(), new.pid), self.a)
        now = state()
        del now["authors"][new.pk]
        self.assertEqual(now, self.first)
        self.redo(moved)
        self.assertEqual(self.whose(), [self.a, new, self.b, self.c])
        self.assertEqual(record_by_pid(Author.objects.all(), new.pid), new)

    def test_a_merge_after_a_split_and_each_back_in_any_order(self) -> None:
        for order in ((0, 1), (1, 0)):
            divided, new = self.split(self.a, 2)
            joined = self.merge(self.b, new)
            self.assertEqual(self.whose(), [self.a, self.b, self.b, self.c])
            for number in order:
                self.undo((divided, joined)[number])
            self.assertEqual(self.whose(), [self.a, self.a, self.b, self.c])
            self.assertEqual(record_by_pid(Author.objects.all(), new.pid), self.a)

    def test_a_split_after_a_merge_outlives_its_undo(self) -> None:
        joined = self.merge(self.a, self.b)
        _, new = self.split(self.a, 3, 1)
        self.undo(joined)
        self.assertEqual(self.whose(), [new, self.a, new, self.c])
        self.assertFalse(Authorship.objects.filter(author=self.b).exists())

    def test_a_line_whose_place_is_taken_stays_and_the_report_says_so(self) -> None:
        divided, new = self.split(self.a, 2)
        line = Authorship.objects.get(work=work_of(2), index=2)  # as an import might have it
        dan = line.author
        Authorship.objects.filter(pk=line.pk).update(author=self.a)
        found = undo(regrouping=divided.regrouping)
        self.assertEqual(
            [(line.work, line.old, line.new) for line in found.stayed], [(work_of(2).pk, new.pk, self.a.pk)]
        )
        self.assertEqual(author_of(2), new)
        self.assertIsNone(Author.objects.get(pk=new.pk).merged_into)
        Authorship.objects.filter(pk=line.pk).update(author=dan)

    def test_not_mine_said_later_is_not_touched_by_an_undo(self) -> None:
        moved = self.merge(self.a, self.b)
        AuthorshipDecision.objects.update_or_create(
            author=self.a, work=work_of(3), defaults={"is_theirs": False, "reason": "not mine"}
        )
        resolve_all()
        elsewhere = author_of(3)
        self.assertNotIn(elsewhere, {self.a, self.b})
        self.undo(moved)
        self.assertEqual(author_of(3), elsewhere)
        self.assertFalse(AuthorshipDecision.objects.get(author=self.a, work=work_of(3)).is_theirs)

    def test_nothing_or_everything_or_others_works_is_refused(self) -> None:
        for works in ([], [1, 2], [3], [1, 3]):
            with self.assertRaises(Refused):
                split_author(author=self.a, works=[work_of(n).pk for n in works], name="Wei Wang")
        with self.assertRaises(Refused):
            split_author(author=self.a, works=[10**9], name="Wei Wang")
        self.assertEqual(state(), self.first)

    def test_the_claim_stays_with_the_page_and_a_claimed_new_page_cannot_go(self) -> None:
        mark_claimed(self.a.pk)
        moved, new = self.split(self.a, 2)
        self.assertTrue(Author.objects.get(pk=self.a.pk).claimed)
        self.assertFalse(Author.objects.get(pk=new.pk).claimed)
        mark_claimed(new.pk)
        with self.assertRaisesMessage(Refused, "was claimed since"):
            undo(regrouping=moved.regrouping)

    def test_a_hidden_name_is_hidden_on_the_new_page_too(self) -> None:
        NameOverride.objects.create(author=self.a, name="Wei Zhang", folded="wei zhang", is_hidden=True)
        _, new = self.split(self.a, 2)
        self.assertTrue(NameOverride.objects.filter(author=new, folded="wei zhang", is_hidden=True).exists())


class RedirectTests(AuthorTestCase):
    def test_whom_an_import_had_joined_follows_and_comes_back(self) -> None:
        gone = Author.objects.create(display_name="W. Wang", merged_into=self.b)
        first = self.merge(self.a, self.b)
        second = self.merge(self.c, self.a)
        for one in (gone, self.a, self.b):
            self.assertEqual(Author.objects.get(pk=one.pk).merged_into, self.c)
        self.undo(first)
        self.assertEqual(Author.objects.get(pk=gone.pk).merged_into, self.b)
        self.undo(second)
        self.assertEqual(Author.objects.get(pk=gone.pk).merged_into, self.b)

    def test_authors_of_whom_history_tells_are_never_deleted(self) -> None:
        moved, new = self.split(self.a, 2)
        self.undo(moved)
        Authorship.objects.filter(author=self.b).update(author=None)
        Regrouping.objects.create(kind="merge_authors", author=self.b, other_author=new, is_undone=True)
        resolve_all()
        self.assertEqual(Author.objects.filter(pk__in=[new.pk, self.b.pk]).count(), 2)


class IdentifierTests(TestCase):
    maxDiff = None

    def holder(self, scheme: str, value: str) -> Author:
        return AuthorIdentifier.objects.get(scheme=scheme, value=value).author

    def test_identifiers_go_with_their_lines_and_come_back(self) -> None:
        bring(
            AuthorRecord(provider="openalex", record_id="A5023888391", identifiers=(("orcid", ORCID), ("scopus", "77")), display_name="Wei Wang"),
            AuthorRecord(provider="orcid", record_id="0000-0001-5109-3700", display_name="Wei Wang"),
        )  # fmt: skip
        bring(
            paper(1, AuthorshipRecord("Wei Wang", openalex="A5023888391"), "Ann Lee"),
            paper(2, "Wei Wang", "Bea Poe"),
        )
        one, two = author_of(1), author_of(2)
        described = self.holder("orcid", "0000-0001-5109-3700")
        self.assertEqual(len({one, two, described}), 3)
        first = state()
        events = [merge_authors(author=two, other=one), merge_authors(author=two, other=described)]
        for again in (work_off, resolve_all, work_off):
            again()
            holders = {
                self.holder("orcid", ORCID),
                self.holder("openalex", "A5023888391"),
                self.holder("scopus", "77"),
            }
            self.assertEqual(holders | {self.holder("orcid", "0000-0001-5109-3700")}, {two})
        for event in events:
            undo(regrouping=event.regrouping)
        work_off()
        self.assertEqual(state(), first)
        self.assertEqual(wrong(), [])

    def test_a_split_takes_the_identifier_of_its_lines_along(self) -> None:
        theirs = AuthorshipRecord("Josiah Carberry", orcid=ORCID)
        bring(
            paper(1, theirs, "Ann Lee"), paper(2, theirs, "Ann Lee"), paper(3, "Josiah Carberry", "Ann Lee")
        )
        author = author_of(1)
        self.assertEqual(author_of(3), author)
        moved = split_author(author=author, works=[work_of(1).pk, work_of(2).pk], name="Josiah Carberry")
        new = moved.regrouping.other_author
        for again in (work_off, resolve_all, work_off):
            again()
            self.assertEqual([author_of(n) for n in (1, 2, 3)], [new, new, author])
            self.assertEqual(self.holder("orcid", ORCID), new)
        undo(regrouping=moved.regrouping)
        work_off()
        self.assertEqual(self.holder("orcid", ORCID), author)
        self.assertEqual(Work.objects.filter(authorships__author=author).count(), 3)


class RaceTests(TransactionTestCase):
    def test_of_two_who_merge_one_page_into_two_others_one_is_refused(self) -> None:
        bring(
            paper(1, "Wei Wang", "Ann Lee", "Dan Fox"), paper(3, "Wei Wang", "Bea Poe"), paper(4, "Wei Wang", "Cleo Roe")
        )  # fmt: skip
        ended, one, two = (author_of(number) for number in (1, 3, 4))
        found: list[str] = []

        def merge(author: Author) -> None:
            try:
                merge_authors(author=author, other=ended)
                found.append("merged")
            except Refused:
                found.append("refused")
            finally:
                connection.close()

        threads = [Thread(target=merge, args=[author]) for author in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(found), ["merged", "refused"])
        self.assertIn(Author.objects.get(pk=ended.pk).merged_into, {one, two})
        self.assertFalse(Authorship.objects.filter(author=ended).exists())
