"""Pairs of authors, derived from works: hand-computed weights, and every way they may change."""

from django.core.management import CommandError, call_command
from django.test import TestCase

from graph.models import Collaboration, GraphSlice
from graph.services.collaborations import check_collaborations, rebuild_collaborations
from graph.services.slices import build_slices
from tests.factories import make_author, make_work
from works.models import Author, Authorship, Mark


def pair(one: Author, other: Author) -> Collaboration | None:
    a, b = sorted((one.pk, other.pk))
    return Collaboration.objects.filter(author_a=a, author_b=b).first()


class RebuildTests(TestCase):
    def setUp(self) -> None:
        self.ada, self.bob, self.cyd = (make_author(name) for name in ("Ada", "Bob", "Cyd"))

    def rebuild(self, *authors: Author) -> None:
        rebuild_collaborations([author.pk for author in authors or (self.ada, self.bob, self.cyd)])

    def marked(self, what: Mark.What) -> set[int]:
        return set(Mark.objects.filter(what=what).values_list("object_id", flat=True))

    def test_weights_counts_and_years_are_those_worked_out_by_hand(self) -> None:
        make_work(authors=[self.ada, self.bob], year=2001)
        make_work(authors=[self.cyd, self.ada, self.bob], year=2010)
        make_work(authors=[self.ada, self.bob, *(make_author() for _ in range(58))], year=2005)
        self.rebuild()
        both = pair(self.ada, self.bob)
        assert both
        self.assertAlmostEqual(both.weight, 1 / 1 + 1 / 2 + 1 / 59)
        self.assertEqual((both.works_count, both.small_works_count, both.min_authors_count), (3, 2, 2))
        self.assertEqual((both.first_year, both.last_year), (2001, 2010))
        self.rebuild(*Author.objects.all())
        self.assertTrue(check_collaborations().agrees)

    def test_n_is_what_the_record_lists_even_where_names_are_not_resolved(self) -> None:
        work = make_work(authors=[self.ada, self.bob])
        work.authors_count = 5
        work.save(update_fields=["authors_count"])
        self.rebuild()
        both = pair(self.ada, self.bob)
        assert both
        self.assertAlmostEqual(both.weight, 1 / 4)

    def test_a_work_of_101_authors_adds_no_pair_and_one_of_100_does(self) -> None:
        make_work(authors=[self.ada, self.bob, *(make_author() for _ in range(99))])
        self.rebuild()
        self.assertEqual(Collaboration.objects.count(), 0)
        make_work(authors=[self.ada, self.bob, *(make_author() for _ in range(98))])
        self.rebuild(self.ada)
        both = pair(self.ada, self.bob)
        assert both
        self.assertEqual((both.works_count, both.small_works_count), (1, 0))

    def test_a_second_rebuild_writes_nothing(self) -> None:
        make_work(authors=[self.ada, self.bob, self.cyd])
        self.rebuild()
        before = list(Collaboration.objects.order_by("pk").values())
        versions = list(Author.objects.order_by("pk").values_list("version", flat=True))
        self.rebuild()
        self.assertEqual(list(Collaboration.objects.order_by("pk").values()), before)
        self.assertEqual(list(Author.objects.order_by("pk").values_list("version", flat=True)), versions)

    def test_a_pair_that_no_work_gives_any_more_goes(self) -> None:
        work = make_work(authors=[self.ada, self.bob])
        self.rebuild()
        Authorship.objects.filter(work=work, author=self.bob).delete()
        self.rebuild(self.bob)
        self.assertIsNone(pair(self.ada, self.bob))
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.close_collaborators_count, 0)

    def test_close_collaborators_are_counted_on_both_sides_and_raise_the_version(self) -> None:
        make_work(authors=[self.ada, self.bob])
        far = [make_author() for _ in range(12)]
        make_work(authors=[self.ada, *far])
        self.rebuild(self.ada)
        for author, count in ((self.ada, 1), (self.bob, 1), (far[0], 0)):
            author.refresh_from_db()
            self.assertEqual(author.close_collaborators_count, count)
        self.assertEqual((self.bob.version, far[0].version), (2, 1))
        make_work(authors=[self.ada, *far])
        self.rebuild(self.ada)
        far[0].refresh_from_db()
        self.assertEqual(far[0].close_collaborators_count, 1)

    def test_two_shared_works_of_over_50_authors_make_nobody_close(self) -> None:
        crowd = [make_author() for _ in range(49)]
        for _ in range(2):
            make_work(authors=[self.ada, self.bob, *crowd])
        self.rebuild(self.ada)
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.close_collaborators_count, 0)

    def test_it_marks_the_trust_of_whoever_it_concerns(self) -> None:
        make_work(authors=[self.ada, self.bob])
        self.rebuild(self.ada)
        self.assertEqual(self.marked(Mark.What.TRUST), {self.ada.pk, self.bob.pk})

    def test_it_marks_the_built_slices_that_draw_them_and_no_other(self) -> None:
        dee = make_author("Dee")
        make_work(authors=[self.ada, self.bob])
        make_work(authors=[dee])
        self.rebuild()
        slices = [
            GraphSlice.objects.create(kind="author", object_id=author.pk, size="panel")
            for author in (self.bob, dee)
        ]
        build_slices([found.pk for found in slices])
        make_work(authors=[self.ada, self.cyd])
        self.rebuild(self.ada)
        self.assertEqual(self.marked(Mark.What.SLICE), {slices[0].pk})

    def test_works_of_a_merged_author_count_for_the_one_that_stands(self) -> None:
        twin = make_author("Ada")
        make_work(authors=[twin, self.bob])
        make_work(authors=[self.ada, self.bob])
        self.rebuild(twin, self.ada, self.bob)
        self.assertIsNotNone(pair(twin, self.bob))
        twin.merged_into = self.ada
        twin.save(update_fields=["merged_into"])
        self.rebuild(twin)
        both = pair(self.ada, self.bob)
        assert both
        self.assertEqual(both.works_count, 2)
        self.assertIsNone(pair(twin, self.bob))
        self.assertTrue(check_collaborations().agrees)

    def test_no_more_queries_for_three_authors_than_for_one(self) -> None:
        make_work(authors=[self.ada, self.bob, self.cyd])
        for ids in ([self.ada.pk], [self.ada.pk, self.bob.pk, self.cyd.pk]):
            with self.assertNumQueries(7):  # merges, rebuild, recount, mark, slices, and the savepoint around
                rebuild_collaborations(ids)


class CheckTests(TestCase):
    def test_the_check_finds_what_is_missing_surplus_and_different(self) -> None:
        ada, bob, cyd, dee = (make_author(name) for name in ("Ada", "Bob", "Cyd", "Dee"))
        make_work(authors=[ada, bob, cyd])
        rebuild_collaborations([ada.pk, bob.pk, cyd.pk])
        call_command("check_collaborations")
        Collaboration.objects.filter(author_a=ada, author_b=bob).update(weight=7)
        Collaboration.objects.filter(author_a=ada, author_b=cyd).delete()
        Collaboration.objects.create(
            author_a=cyd, author_b=dee, works_count=1, small_works_count=1, min_authors_count=2, weight=1,
            computed_at=ada.created_at,
        )  # fmt: skip
        found = check_collaborations()
        self.assertEqual((found.pairs, found.missing, found.surplus, found.different), (3, 1, 1, 1))
        self.assertEqual(found.wrong_close_counts, 2)  # Ada lost one, Dee gained one; Cyd did both
        with self.assertRaisesMessage(CommandError, "1 are missing"):
            call_command("check_collaborations")
