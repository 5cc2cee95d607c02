"""Slices asked for and built: for every kind of record, in batches, without people who are hidden."""

from datetime import timedelta

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from graph.models import GraphSlice
from graph.services.collaborations import rebuild_collaborations
from graph.services.slices import build_slices, request_popular_slices, request_slice
from tests.factories import make_author, make_institution, make_topic, make_work
from works.models import Author, Mark
from works.services.marks import drain


class SliceTestCase(TestCase):
    def setUp(self) -> None:
        self.ada, self.bob, self.cyd = (make_author(name) for name in ("Ada Smith", "Bob Stone", "Cyd Lee"))
        self.topic, self.institution = make_topic(), make_institution(ror="05wvpxv85")
        self.work = make_work(
            "Hercules: on counting",
            authors=[self.ada, self.bob],
            topics=[self.topic],
            institution=self.institution,
            year=2022,
        )
        make_work("RecNMP", authors=[self.ada, self.bob, self.cyd], year=2019)
        rebuild_collaborations([self.ada.pk, self.bob.pk, self.cyd.pk])

    def built(self, kind: str, object_id: int, size: str = "panel") -> GraphSlice:
        found, _ = GraphSlice.objects.get_or_create(kind=kind, object_id=object_id, size=size)
        build_slices([found.pk])
        found.refresh_from_db()
        return found

    def names(self, found: GraphSlice) -> set[str]:
        assert found.payload
        return {node["name"] for node in found.payload["nodes"]}


class BuildTests(SliceTestCase):
    def test_a_slice_of_an_author_shows_people_works_topics_and_institutions(self) -> None:
        found = self.built("author", self.ada.pk)
        self.assertEqual(
            self.names(found),
            {
                "Ada Smith",
                "Bob Stone",
                "Cyd Lee",
                "Hercules: on counting",
                "RecNMP",
                "Graph theory",
                "Tufts University",
            },
        )
        self.assertEqual(found.author_ids, sorted([self.ada.pk, self.bob.pk, self.cyd.pk]))
        assert found.payload
        bob = next(node for node in found.payload["nodes"] if node["name"] == "Bob Stone")
        self.assertEqual((bob["works"], bob["first_year"], bob["last_year"]), (2, 2019, 2022))

    def test_slices_of_works_topics_and_institutions_show_their_people(self) -> None:
        for kind, object_id in (
            ("work", self.work.pk),
            ("topic", self.topic.pk),
            ("institution", self.institution.pk),
        ):
            with self.subTest(kind):
                found = self.built(kind, object_id, "explorer")
                self.assertLessEqual({"Ada Smith", "Bob Stone"}, self.names(found))

    def test_building_many_takes_no_more_queries_than_building_one(self) -> None:
        slices = [
            GraphSlice.objects.create(kind="author", object_id=author.pk, size="panel")
            for author in Author.objects.all()
        ]
        with CaptureQueriesContext(
            connection,
        ) as one:
            build_slices([slices[0].pk])
        with self.assertNumQueries(len(one)):
            build_slices([found.pk for found in slices])

    def test_a_suppressed_or_merged_author_is_in_nobodys_slice(self) -> None:
        Author.objects.filter(pk=self.bob.pk).update(suppressed=True)
        Author.objects.filter(pk=self.cyd.pk).update(merged_into=make_author("Cydney Lee"))
        for kind, object_id in (
            ("author", self.ada.pk),
            ("work", self.work.pk),
            ("topic", self.topic.pk),
            ("institution", self.institution.pk),
        ):
            with self.subTest(kind):
                self.assertFalse({"Bob Stone", "Cyd Lee"} & self.names(self.built(kind, object_id)))

    def test_the_slice_of_a_suppressed_author_is_deleted(self) -> None:
        found = self.built("author", self.bob.pk)
        Author.objects.filter(pk=self.bob.pk).update(suppressed=True)
        build_slices([found.pk])
        self.assertFalse(GraphSlice.objects.filter(pk=found.pk).exists())

    def test_a_work_of_over_100_authors_is_said_to_add_no_lines(self) -> None:
        make_work(authors=[self.ada, *(make_author() for _ in range(100))])
        found = self.built("author", self.ada.pk)
        assert found.payload
        self.assertEqual(
            found.payload["notes"], ["1 work with more than 100 authors adds no lines between people."]
        )

    def test_building_twice_gives_the_same_slice(self) -> None:
        first = self.built("author", self.ada.pk, "explorer").payload
        self.assertEqual(self.built("author", self.ada.pk, "explorer").payload, first)


class RequestTests(SliceTestCase):
    def test_asking_leaves_a_row_and_one_mark_however_often(self) -> None:
        for _ in range(3):
            found = request_slice("author", self.ada.pk, "panel")
        self.assertIsNone(found.payload)
        self.assertEqual(
            list(Mark.objects.filter(what="slice").values_list("object_id", flat=True)), [found.pk]
        )

    def test_a_ring_after_commit_builds_it(self) -> None:
        with self.captureOnCommitCallbacks(execute=False) as rings:
            found = request_slice("author", self.ada.pk, "panel")
        self.assertEqual(len(rings), 1)
        drain(Mark.What.SLICE, build_slices)
        found.refresh_from_db()
        self.assertIsNotNone(found.payload)
        self.assertEqual(Mark.objects.filter(what="slice").count(), 0)

    def test_a_built_slice_is_asked_for_again_only_when_it_is_old(self) -> None:
        found = self.built("author", self.ada.pk)
        request_slice("author", self.ada.pk, "panel")
        self.assertEqual(Mark.objects.filter(what="slice").count(), 0)
        long_ago = timezone.now() - timedelta(days=8)
        GraphSlice.objects.filter(pk=found.pk).update(built_at=long_ago, requested_at=long_ago)
        again = request_slice("author", self.ada.pk, "panel")
        self.assertIsNotNone(again.payload)
        self.assertEqual(Mark.objects.filter(what="slice").count(), 1)

    def test_the_slices_of_the_busiest_authors_are_asked_for_ahead_once(self) -> None:
        Author.objects.filter(pk=self.ada.pk).update(works_count=2)
        Author.objects.filter(pk=self.bob.pk).update(works_count=1)
        self.assertEqual(request_popular_slices(1), 1)
        self.assertEqual(GraphSlice.objects.get().object_id, self.ada.pk)
        drain(Mark.What.SLICE, build_slices)
        self.assertEqual(request_popular_slices(1), 0)

    def test_somebody_who_waits_goes_before_slices_built_ahead(self) -> None:
        Author.objects.update(works_count=1)
        request_popular_slices(2)
        found = request_slice("work", self.work.pk, "panel")
        first = Mark.objects.filter(what="slice").order_by("run_at", "id").first()
        assert first
        self.assertEqual(first.object_id, found.pk)
