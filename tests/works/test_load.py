"""Importing real records: whole, once, whatever interrupts it."""

import gzip
import random
import shutil
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection
from django.test import TestCase, TransactionTestCase

from graph.tasks import drain_collaborations
from tests.works.files import DATA, DEMO
from trust.tasks import drain_trust
from works.ingest.load import AlreadyRunning, Progress, ingest, store
from works.ingest.records import WorkRecord
from works.models import Author, Authorship, ImportFile, ImportReject, ImportRun, Mark, SourceRecord, Work
from works.services.marks import pending
from works.services.verification import checks, state_hash
from works.tasks import drain_affiliations, drain_catalogue, drain_counts, drain_resolve

SEED = str(DEMO / "arxiv-seed.atom.xml")
LEFT_OUT = str(DATA / "arxiv" / "left-out.tsv")
AR, DC = (str(DATA / "arxiv" / f"sample-cs.{name}.tsv.xz") for name in ("AR", "DC"))
FINANCE = [
    str(DATA / "openalex" / f"{day}_search_biodiversity_finance.json.gz")
    for day in ("2025-06-05", "2026-01-16", "2026-05-29")
]


def rebuild() -> None:
    for task in (
        drain_affiliations,
        drain_resolve,
        drain_counts,
        drain_catalogue,
        drain_collaborations,
        drain_trust,
    ):
        task()


def catalogue_hash() -> str:
    return state_hash()["state"]


def empty_catalogue() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "truncate works_importrun, works_work, works_author, works_institution, works_topic, works_source, works_mark cascade"
        )


class SeedTests(TestCase):
    """The page that BZPEER started from."""

    SIX = ("Liu Ke", "Udit Gupta", "Mark Hempstead", "Carole-Jean Wu", "Hsien-Hsin S. Lee", "Xuan Zhang")

    def test_the_six_people_of_both_works_are_one_author_each(self) -> None:
        ingest("arxiv", [SEED])
        rebuild()
        both = {
            author.display_name: author.works_count
            for author in Author.objects.public().filter(works_count=2)
        }
        self.assertEqual(both, dict.fromkeys(self.SIX, 2))
        self.assertEqual(Author.objects.public().count(), 21)
        liu_ke = Author.objects.get(display_name="Liu Ke")
        self.assertEqual(
            (liu_ke.topics_count, liu_ke.close_collaborators_count, liu_ke.trust.value), (2, 5, 13)
        )
        self.assertEqual(liu_ke.trust.level, 1)

    def test_the_works_left_out_of_the_demo_make_four_works_and_trust_17(self) -> None:
        ingest("arxiv", [SEED])
        rebuild()
        ingest("arxiv", [LEFT_OUT])
        rebuild()
        [liu_ke] = Author.objects.public().filter(display_name="Liu Ke")
        self.assertEqual((liu_ke.works_count, liu_ke.trust.value), (4, 17))

    def test_every_fact_knows_where_it_came_from(self) -> None:
        ingest("arxiv", [SEED])
        work = Work.objects.get(identifiers__scheme="arxiv", identifiers__value="1912.12953")
        [record] = work.records.all()
        self.assertEqual(
            (record.provider, record.record_id, record.run.state), ("arxiv", "1912.12953", "finished")
        )
        self.assertEqual(set(work.provenance.values()), {record.pk})
        self.assertEqual(set(work.authorships.values_list("record", flat=True)), {record.pk})


class IdempotenceTests(TestCase):
    def test_a_file_imported_twice_changes_nothing(self) -> None:
        ingest("arxiv", [AR])
        rebuild()
        before = catalogue_hash()
        run = ingest("arxiv", [AR])
        self.assertEqual((run.read, run.stored), (0, 0))
        self.assertEqual((pending(), catalogue_hash()), (0, before))

    def test_the_same_records_in_another_file_are_unchanged(self) -> None:
        ingest("arxiv", [SEED])
        run = ingest("arxiv", [str(DATA / "arxiv" / "recnmp.tsv")])
        self.assertEqual((run.read, run.stored, run.unchanged), (1, 0, 1))
        self.assertEqual(SourceRecord.objects.count(), 2)

    def test_works_listed_in_two_categories_are_one(self) -> None:
        ingest("arxiv", [AR, DC])
        self.assertEqual(Work.objects.count(), SourceRecord.objects.count())
        run = ImportRun.objects.get()
        self.assertGreater(run.unchanged, 0)
        self.assertEqual(run.read, run.stored + run.unchanged + run.rejected)


class JoiningTests(TestCase):
    def test_an_arxiv_and_an_openalex_record_of_one_work_are_joined_and_both_kept(self) -> None:
        [path] = (DATA / "openalex" / "single").glob("*title_search*")
        ingest("openalex", [str(path)])
        work = Work.objects.get()
        with TemporaryDirectory() as folder:
            copy = Path(folder, "same.tsv")
            header, row = (DATA / "arxiv" / "recnmp.tsv").read_text(encoding="utf-8").splitlines()[:2]
            cells = dict(zip(header.split("\t"), row.split("\t"), strict=True))
            cells |= {
                "title": work.title, "created": str(work.publication_date), "arxiv_id": "2001.00001",
                "author_text": ", ".join(work.authorships.values_list("raw_author_name", flat=True)),
            }  # fmt: skip
            copy.write_text(header + "\n" + "\t".join(cells.values()) + "\n", encoding="utf-8")
            ingest("arxiv", [str(copy)])
        self.assertEqual(Work.objects.count(), 1)
        work.refresh_from_db()
        self.assertEqual(set(work.records.values_list("provider", flat=True)), {"openalex", "arxiv"})
        self.assertTrue(work.identifiers.filter(scheme="arxiv", value="2001.00001").exists())
        # The abstract shown is arXiv's, the type OpenAlex's; both records still say their own.
        providers = {record.pk: record.provider for record in work.records.all()}
        self.assertEqual(
            (providers[work.provenance["abstract"]], providers[work.provenance["type"]]),
            ("arxiv", "openalex"),
        )


class RejectTests(TestCase):
    def test_what_cannot_be_read_is_kept_with_its_place_and_reason(self) -> None:
        [path] = (DATA / "arxiv" / "atom").glob("id_abc*")
        run = ingest("arxiv", [str(path)])
        self.assertEqual((run.read, run.rejected, Work.objects.count(), Author.objects.count()), (1, 1, 0, 0))
        reject = ImportReject.objects.get()
        self.assertEqual((reject.position, reject.file.name), (1, path.name))
        self.assertIn("incorrect id format", reject.reason)

    def test_a_damaged_file_is_read_up_to_there_and_the_others_whole(self) -> None:
        packed = gzip.compress(
            (DATA / "arxiv" / "recnmp.tsv").read_bytes() + random.Random(1).randbytes(200_000)
        )
        with TemporaryDirectory() as folder:
            Path(folder, "a-damaged.tsv.gz").write_bytes(packed[: len(packed) // 2])
            shutil.copy(DATA / "arxiv" / "left-out.tsv", folder)
            run = ingest("arxiv", [folder])
        self.assertEqual(
            Work.objects.filter(identifiers__value__in=["1912.12953", "1911.12815", "1805.08309"]).count(), 3
        )
        states = dict(run.files.values_list("state", "error"))
        self.assertEqual(set(states), {ImportFile.State.DAMAGED, ImportFile.State.FINISHED})
        self.assertIn("a-damaged.tsv.gz: damaged or cut off", states[ImportFile.State.DAMAGED])
        self.assertEqual(run.state, ImportRun.State.FINISHED)

    def test_a_record_that_the_database_refuses_is_kept_as_a_reject_and_the_others_stand(self) -> None:
        good = [
            WorkRecord(provider="arxiv", record_id=f"2001.0000{n}", type="preprint", title=f"Work {n}")
            for n in range(5)
        ]
        bad = WorkRecord(
            provider="arxiv",
            record_id="2001.00009",
            type="preprint",
            title="Bad",
            language="far-too-long-a-language",
        )
        run = store("arxiv", [*good[:3], bad, *good[3:]], ["a test"])
        self.assertEqual((run.read, run.stored, run.rejected), (6, 5, 1))
        reject = ImportReject.objects.get()
        self.assertEqual((reject.position, reject.snippet), (4, "2001.00009"))
        self.assertIn("the database refused it", reject.reason)


class OrderTests(TransactionTestCase):
    def test_the_order_of_files_does_not_matter(self) -> None:
        hashes = set()
        for files in ([AR, DC, SEED], [SEED, DC, AR]):
            empty_catalogue()
            for file in files:
                ingest("arxiv", [file])
            rebuild()
            hashes.add(catalogue_hash())
        self.assertEqual(len(hashes), 1)

    def test_the_newest_of_three_dates_stands_in_any_order(self) -> None:
        hashes = set()
        for files in (FINANCE, FINANCE[::-1], [FINANCE[1], FINANCE[2], FINANCE[0]]):
            empty_catalogue()
            for file in files:
                ingest("openalex", [file])
            hashes.add(state_hash()["records"])
        self.assertEqual(len(hashes), 1)


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


class InterruptionTests(TransactionTestCase):
    def test_an_import_killed_after_any_batch_goes_on_and_ends_the_same(self) -> None:
        with TemporaryDirectory() as folder:
            file = str(shutil.copy(AR, folder))
            ingest("arxiv", [file])
            rebuild()
            whole = catalogue_hash()
            empty_catalogue()
            from works.ingest import load

            batch, load.BATCH = load.BATCH, 40
            try:
                killed = 0
                while True:
                    try:
                        ingest("arxiv", [file], self._kill_after_one_batch())
                        break
                    except Killed:
                        killed += 1
            finally:
                load.BATCH = batch
            rebuild()
        self.assertGreater(killed, 2)
        self.assertEqual(catalogue_hash(), whole)
        files = ImportFile.objects.order_by("pk")
        read = sum(file.added + file.updated + file.unchanged + file.rejected for file in files)
        self.assertEqual(read, files.last().position)
        self.assertEqual([check for check in checks() if check.wrong], [])

    def _kill_after_one_batch(self):
        def on_progress(progress: Progress) -> None:
            if progress.read:
                raise Killed

        return on_progress

    def test_a_second_importer_of_the_same_file_is_refused(self) -> None:
        reading, go_on = threading.Event(), threading.Event()

        def wait(progress: Progress) -> None:
            reading.set()
            go_on.wait(20)

        def first() -> None:
            try:
                ingest("arxiv", [SEED], wait)
            finally:
                connection.close()

        thread = threading.Thread(target=first)
        thread.start()
        try:
            self.assertTrue(reading.wait(20))
            with self.assertRaisesRegex(AlreadyRunning, "being imported by somebody else"):
                ingest("arxiv", [SEED])
        finally:
            go_on.set()
            thread.join()
        self.assertEqual(Work.objects.count(), 2)

    def test_two_importers_of_overlapping_files_make_each_work_once(self) -> None:
        errors: list[BaseException] = []

        def run(file: str) -> None:
            try:
                ingest("arxiv", [file])
            except BaseException as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[file]) for file in (AR, DC)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(Work.objects.count(), SourceRecord.objects.count())
        self.assertEqual(Work.objects.filter(records__isnull=True).count(), 0)


class ConstraintTests(TestCase):
    def test_marks_are_left_in_the_transaction_of_the_import(self) -> None:
        ingest("arxiv", [SEED])
        self.assertEqual(set(Mark.objects.values_list("what", flat=True)), {"resolve", "catalogue"})

    def test_no_authorship_is_left_without_an_author(self) -> None:
        ingest("openalex", FINANCE)
        rebuild()
        self.assertEqual(Authorship.objects.filter(author=None).count(), 0)
        self.assertEqual(Authorship.objects.filter(author__merged_into__isnull=False).count(), 0)
