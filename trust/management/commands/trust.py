"""Work trust out anew, or see how it came about: manage.py trust recompute | show"""

import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bzpeer.lib.sheets import csv_lines
from trust.algorithms import FORMULA_VERSION, FORMULAS
from trust.bulk import BATCH, preview_scores, recompute_scores
from trust.queries import Snapshot, first_day, snapshot_on, trust_snapshot
from trust.scores import database_now
from trust.timeline import stood_on
from works.models import Author
from works.queries import record_by_pid

COLUMNS = ("pid", "name", "level", "new_level", "value", "new_value")
ROWS = 20


class Command(BaseCommand):
    help = (
        "Work all scores out anew, see what a formula would change, or show one record's score as of a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="recompute|show")
        again = commands.add_parser(
            "recompute", help="work every score out anew, in sets; only what changed is written"
        )
        again.add_argument(
            "--dry-run", action="store_true", help="write nothing; list whose level would change"
        )
        again.add_argument(
            "--version", type=int, dest="formula", help="another version of the formula (with --dry-run)"
        )
        again.add_argument(
            "--csv", metavar="FILE", help="with --dry-run: all rows as CSV; - for standard output"
        )
        again.add_argument(
            "--batch", type=int, default=BATCH, help="authors of one transaction (default %(default)s)"
        )
        show = commands.add_parser("show", help="one record's score, part by part")
        show.add_argument("pid", help="the public id of an author")
        show.add_argument(
            "--as-of", type=_day, metavar="DATE", help="as it was recorded at the end of a day (UTC)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        {"recompute": self.recompute, "show": self.show}[options["command"]](options)

    def recompute(self, options: dict[str, Any]) -> None:
        version = FORMULA_VERSION if options["formula"] is None else options["formula"]
        if version not in FORMULAS:
            raise CommandError(f"There is no formula {version}. There are: {', '.join(map(str, FORMULAS))}.")
        if options["batch"] < 1:
            raise CommandError("A batch has at least one author.")
        if options["dry_run"]:
            self.preview(version, options["csv"], options["batch"])
            return
        if version != FORMULA_VERSION:
            raise CommandError(
                f"Formula {FORMULA_VERSION} is in force. What {version} would change is told by --dry-run."
            )
        if options["csv"]:
            raise CommandError("--csv goes with --dry-run.")
        loud = sys.stderr.isatty() or options["verbosity"] > 1
        authors, changed = recompute_scores(
            batch=options["batch"],
            told=(lambda done: self.stderr.write(f"{done:,} authors")) if loud else None,
        )
        self.stdout.write(f"{authors:,} authors by formula {version}: {changed:,} changed in value or level.")

    def preview(self, version: int, file: str | None, batch: int) -> None:
        found = preview_scores(formula=FORMULAS[version], batch=batch, most=None if file else ROWS)
        lines = csv_lines([COLUMNS, *found.rows])
        if file == "-":
            self.stdout.write("".join(lines), ending="")
            return
        if file:
            try:
                Path(file).write_text("".join(lines), encoding="utf-8", newline="")
            except OSError as error:
                raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(
            f"Formula {version} beside what stands, for {found.authors:,} authors. Nothing was written.\n"
            f"{found.values:,} values and {found.levels.total():,} levels would change;"
            f" {found.first:,} have no score yet, {found.frozen:,} are frozen by a dispute and stay."
        )
        for (before, after), authors in sorted(found.levels.items()):
            self.stdout.write(f"  L{before} to L{after}: {authors:,}")
        for pid, name, before, after, value, new in found.rows[:ROWS]:
            self.stdout.write(f"  {pid}  L{before} to L{after}  {value} to {new}  {name}")
        if found.levels.total() > ROWS:
            self.stdout.write(f"  and {found.levels.total() - ROWS:,} more; --csv FILE lists them all")

    def show(self, options: dict[str, Any]) -> None:
        author = record_by_pid(Author.objects.select_related("trust").defer("search"), options["pid"])
        if author is None:
            raise CommandError(f"There is no author {options['pid']}.")
        day = options["as_of"]
        if day is None:
            self._write(trust_snapshot(author))
            return
        if not first_day(author) <= day <= database_now().date():
            raise CommandError(f"The record is known from {first_day(author)} until today.")
        self._write(snapshot_on(author, day))
        stood = stood_on(author, day)
        self.stdout.write(
            f"The page showed {stood.value}, L{stood.level}, at the time."
            if stood
            else "The timeline does not reach back so far."
        )
        self.stdout.write(
            "Records that their source has changed since count from that change on; merges are today's."
        )

    def _write(self, snapshot: Snapshot) -> None:
        if snapshot.pending:
            self.stdout.write("Nobody has worked it out yet.")
            return
        day = f" on {snapshot.on}" if snapshot.on else ""
        self.stdout.write(
            f"{snapshot.author.pid} {snapshot.author.display_name}{day}: {snapshot.value} of 100,"
            f" L{snapshot.level} {snapshot.level_name.lower()}, formula {snapshot.formula_version}"
        )
        for part in snapshot.parts:
            self.stdout.write(f"  {part.name}: {part.points} of {part.cap}")
            for line in part.lines:
                seen = f", {line.date:%Y-%m-%d}" if line.date else ""
                until = f", until {line.expires:%Y-%m-%d}" if line.expires else ""
                self.stdout.write(
                    f"    {line.points:>3}  {line.label} ({line.count}; {line.source}{seen}{until})"
                )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-10-01") from None
