"""manage.py ingest: what it says, and with which code it ends."""

import io
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.test import TestCase, TransactionTestCase

from tests.works.files import DATA, DEMO
from works.ingest import load
from works.models import ImportFile, ImportRun, Work

SEED = str(DEMO / "arxiv-seed.atom.xml")
REJECTED = str(DATA / "arxiv" / "atom")


def say(*args: Any) -> str:
    """Return what the command prints."""
    out = io.StringIO()
    call_command("ingest", *args, stdout=out)
    return out.getvalue()


class ImportTests(TestCase):
    def test_it_says_what_it_read(self) -> None:
        self.assertRegex(
            say("arxiv", SEED), r"2 records read in .* s: 2 new, 0 updated, 0 unchanged, 0 rejected\."
        )

    def test_a_file_read_before_is_passed_over_unless_asked_for_again(self) -> None:
        say("arxiv", SEED)
        self.assertIn("Nothing new", say("arxiv", SEED))
        self.assertIn("2 records read", say("arxiv", SEED, "--again"))
        self.assertEqual(Work.objects.count(), 2)

    def test_a_path_that_is_not_there_ends_with_2_and_a_sentence(self) -> None:
        with self.assertRaisesRegex(CommandError, "no such file or folder") as caught:
            say("arxiv", "/nowhere/at/all")
        self.assertEqual(caught.exception.returncode, 2)

    def test_more_rejects_than_allowed_end_with_3_and_the_rest_is_there(self) -> None:
        with self.assertRaisesRegex(CommandError, "1 records were rejected, more than 0") as caught:
            say("arxiv", REJECTED, SEED, "--max-rejects", "0")
        self.assertEqual(caught.exception.returncode, 3)
        self.assertTrue(Work.objects.filter(identifiers__value="1912.12953").exists())

    def test_as_many_rejects_as_allowed_end_well(self) -> None:
        self.assertIn("1 rejected", say("arxiv", REJECTED, "--max-rejects", "1"))

    def test_a_file_of_another_import_ends_with_4(self) -> None:
        other = connections.create_connection("default")
        self.addCleanup(other.close)
        lock = int.from_bytes(bytes.fromhex(load.file_digest(Path(SEED)))[:4], "big", signed=True)
        with other.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s, %s)", [load._FILE_LOCKS, lock])
            with self.assertRaisesRegex(CommandError, "imported by somebody else") as caught:
                say("arxiv", SEED)
        self.assertEqual(caught.exception.returncode, 4)

    def test_a_dry_run_counts_and_writes_nothing(self) -> None:
        self.assertIn("2  WorkRecord", say("arxiv", SEED, "--dry-run"))
        self.assertEqual((Work.objects.count(), ImportRun.objects.count()), (0, 0))

    def test_standard_input_is_read_like_a_file(self) -> None:
        with Path(SEED).open("rb") as stream, mock.patch.object(sys, "stdin", io.TextIOWrapper(stream)):
            self.assertIn("2 records read", say("arxiv", "-"))
        self.assertFalse(Path(ImportFile.objects.get().path).exists())


class StandTests(TestCase):
    def test_status_names_each_run_with_its_counts(self) -> None:
        self.assertIn("Nothing was imported yet", say("status"))
        say("arxiv", SEED, REJECTED)
        [line] = [line for line in say("status").splitlines() if "arXiv" in line]
        run = ImportRun.objects.get()
        self.assertIn("Finished", line)
        self.assertIn(f"{run.read:,}", line.split())

    def test_the_table_of_providers_accounts_for_every_record(self) -> None:
        say("arxiv", SEED, REJECTED)
        row = say("status", "--markdown").splitlines()[-1]
        provider, _, *counts, why = [cell.strip() for cell in row.strip("|").split("|")]
        read, new, updated, unchanged, rejected = (int(count) for count in counts)
        self.assertEqual((provider, read, rejected), ("arXiv", new + updated + unchanged + rejected, 1))
        self.assertIn("incorrect id format", why)

    def test_rejects_are_listed_with_file_position_and_reason(self) -> None:
        say("arxiv", REJECTED)
        header, row = (line.split("\t") for line in say("rejects").splitlines())
        self.assertEqual(header, ["file", "position", "reason", "snippet"])
        self.assertEqual(row[1], "1")
        self.assertIn("incorrect id format", row[2])

    def test_a_run_whose_command_was_killed_is_shown_as_stopped(self) -> None:
        run = ImportRun.objects.create(provider="arxiv")
        ImportFile.objects.create(run=run, provider="arxiv", name="half", state="running")
        say("status")
        run.refresh_from_db()
        self.assertEqual((run.state, run.files.get().state), ("stopped", "stopped"))


class CheckTests(TestCase):
    def test_verify_prints_a_hash_alone_on_its_last_line(self) -> None:
        say("arxiv", SEED)
        lines = say("verify").splitlines()
        self.assertRegex(lines[-1], r"^[0-9a-f]{32}$")
        self.assertEqual(say("verify").splitlines()[-1], lines[-1])

    def test_verify_finds_a_count_that_is_wrong(self) -> None:
        say("arxiv", SEED)
        Work.objects.filter(identifiers__value="1912.12953").update(authors_count=99)
        with self.assertRaisesRegex(CommandError, "does not agree with itself") as caught:
            say("verify")
        self.assertEqual(caught.exception.returncode, 1)

    def test_the_hash_changes_with_what_the_catalogue_says(self) -> None:
        say("arxiv", SEED)
        before = say("verify").splitlines()[-1]
        Work.objects.filter(identifiers__value="1912.12953").update(title_html="Another")
        self.assertNotEqual(say("verify").splitlines()[-1], before)


class SharedImportTests(TransactionTestCase):
    def test_without_a_worker_the_command_reads_the_files_itself(self) -> None:
        from works.management.commands import ingest as command

        with mock.patch.object(command, "_ALONE_AFTER", 0.0):
            self.assertIn("2 records read", say("arxiv", SEED, "--jobs", "2"))
        self.assertEqual(ImportRun.objects.get().state, "finished")

    def test_two_tasks_share_the_files_and_each_record_is_stored_once(self) -> None:
        from works.tasks import import_files

        with TemporaryDirectory() as folder:
            for n in range(4):
                items = [
                    {"id": f"https://openalex.org/W{100 * n + k}", "type": "article", "display_name": f"Title number {100 * n + k}",
                     "authorships": [{"author": {"display_name": "Ann Smith"}, "raw_author_name": "Ann Smith"}]}
                    for k in range(1, 6)
                ]  # fmt: skip
                Path(folder, f"{n}.json").write_text(json.dumps(items), encoding="utf-8")
            run = load.open_run("openalex", [folder], jobs=2)
            import_files(run.pk)
            import_files(run.pk)
        run.refresh_from_db()
        self.assertEqual((run.state, run.read, run.stored), ("finished", 20, 20))
        self.assertEqual(Work.objects.count(), 20)
