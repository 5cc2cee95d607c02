"""manage.py trust: recompute, its dry run, and one record's score as of a day."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from tests.factories import make_author
from tests.trust.records import make_known_work
from trust.models import TrustChange, TrustScore
from trust.services import freeze_score, rescore_authors
from works.models import Author, SourceRecord


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("trust", *words, stdout=out)
    return out.getvalue()


class RecomputeTests(TestCase):
    def setUp(self) -> None:
        self.ada, self.bob = make_author("=Ada Smith"), make_author("Bob Stone")
        rescore_authors([self.ada.pk, self.bob.pk])
        freeze_score(self.bob.pk)
        make_known_work(authors=[self.ada, self.bob])

    def test_it_works_everything_out_and_says_how_much_changed(self) -> None:
        self.assertEqual(run("recompute"), "2 authors by formula 1: 1 changed in value or level.\n")
        self.assertEqual(TrustScore.objects.get(author=self.ada).value, 7)
        self.assertEqual(
            run("recompute", "--batch", "1"), "2 authors by formula 1: 0 changed in value or level.\n"
        )

    def test_a_dry_run_lists_whose_level_would_change_and_writes_nothing(self) -> None:
        said = run("recompute", "--dry-run")
        for words in (
            "Nothing was written", "1 values and 1 levels would change", "1 are frozen", "L0 to L1: 1",
            f"{self.ada.pid}  L0 to L1  0 to 7  =Ada Smith",
        ):  # fmt: skip
            self.assertIn(words, said)
        self.assertEqual(TrustScore.objects.get(author=self.ada).value, 0)
        self.assertEqual(TrustChange.objects.count(), 0)

    def test_all_rows_go_into_a_table_that_no_spreadsheet_runs(self) -> None:
        wanted = [
            ["pid", "name", "level", "new_level", "value", "new_value"],
            [self.ada.pid, "'=Ada Smith", "0", "1", "0", "7"],
        ]
        self.assertEqual(list(csv.reader(io.StringIO(run("recompute", "--dry-run", "--csv", "-")))), wanted)
        with TemporaryDirectory() as folder:
            file = Path(folder, "levels.csv")
            run("recompute", "--dry-run", "--csv", str(file))
            with file.open(encoding="utf-8", newline="") as lines:
                self.assertEqual(list(csv.reader(lines)), wanted)
            with self.assertRaisesMessage(CommandError, "cannot be written"):
                run("recompute", "--dry-run", "--csv", folder)

    def test_what_it_cannot_do_is_refused_with_the_way(self) -> None:
        for words, why in (
            (("recompute", "--version", "99"), "There is no formula 99"),
            (("recompute", "--dry-run", "--version", "0"), "There is no formula 0"),
            (("recompute", "--csv", "-"), "goes with --dry-run"),
            (("recompute", "--batch", "0"), "at least one"),
            (("show", "zzzzzzz"), "There is no author"),
            (("show", self.ada.pid, "--as-of", "soon"), "no day"),
            (("show", self.ada.pid, "--as-of", "2999-01-01"), "until today"),
        ):
            with self.subTest(words), self.assertRaisesMessage(CommandError, why):
                run(*words)


class ShowTests(TestCase):
    def test_it_shows_a_record_part_by_part_today_and_on_a_past_day(self) -> None:
        ada = make_author("Ada Smith")
        now = timezone.now()
        make_known_work(authors=[ada])
        self.assertIn("Nobody has worked it out yet", run("show", ada.pid))
        Author.objects.update(created_at=now - timedelta(days=30))
        SourceRecord.objects.update(imported_at=now - timedelta(days=10))
        rescore_authors([ada.pk])
        today = run("show", ada.pid)
        self.assertIn(f"{ada.pid} Ada Smith: 7 of 100, L1 source-attributed, formula 1", today)
        self.assertIn("5  A work with a persistent identifier from a recognised source (1; arXiv", today)
        past = run("show", ada.pid, "--as-of", (now - timedelta(days=20)).date().isoformat())
        self.assertIn("0 of 100, L0 listed, formula 1", past)
        self.assertIn("The timeline does not reach back so far", past)
        self.assertIn("count from that change on", past)
