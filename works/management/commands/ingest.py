"""Import files: manage.py ingest openalex PATH... / ingest arxiv PATH..."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from works.ingest.load import READERS, AlreadyRunning, UnreadableFile, ingest
from works.ingest.load import Progress as Counts
from works.models import ImportReject
from works.tasks import drain_catalogue, drain_counts, drain_resolve


class Command(BaseCommand):
    help = "Import works from files of a provider; safe to stop and to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=sorted(READERS))
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="files, folders; plain, gz, xz, bz2 or zip"
        )
        parser.add_argument(
            "--no-rebuild", action="store_true", help="leave authors and counts to the workers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            with Reporter(sys.stderr.isatty()) as reporter:
                run = ingest(options["provider"], options["paths"], reporter.show)
                if not options["no_rebuild"]:
                    for words, drain in (
                        ("Finding who is who", drain_resolve),
                        ("Counting", drain_counts),
                        ("Indexing", drain_catalogue),
                    ):
                        reporter.say(words)
                        drain()
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=2) from error
        except AlreadyRunning as error:
            raise CommandError(str(error), returncode=4) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was read is kept; the same command goes on from there.", returncode=130
            ) from None
        seconds = time.monotonic() - started
        self.stdout.write(
            f"{run.read} records read in {seconds:.1f} s: {run.stored} new or changed, {run.unchanged} unchanged,"
            f" {run.rejected} rejected."
        )
        if run.read == 0:
            self.stdout.write("Nothing new: these files were imported before.")
        for reject in ImportReject.objects.filter(run=run).select_related("file").order_by("pk")[:5]:
            self.stdout.write(f"  {reject}")
        if run.rejected > 5:
            self.stdout.write(f"  and {run.rejected - 5} more, in the admin under Import rejects.")


class Reporter:
    """A live bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, live: bool) -> None:
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20, pulse_style="cyan"),
            TextColumn("{task.completed:,.0f} records"), TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[rejected]}"), TimeElapsedColumn(), console=Console(stderr=True),
        ) if live else None  # fmt: skip
        self._started = time.monotonic()
        self._last = self._started

    def __enter__(self) -> "Reporter":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task("Starting", total=None, rate="", rejected="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, counts: Counts) -> None:
        now = time.monotonic()
        rate = counts.read / max(now - self._started, 0.001)
        if self._bar:
            self._bar.update(
                self._task, description=counts.file, completed=counts.read, rate=f"{rate:,.0f}/s",
                rejected=f"{counts.rejected} rejected" if counts.rejected else "",
            )  # fmt: skip
        elif now - self._last >= 5:
            self._last = now
            print(
                f"{counts.file}: {counts.read} records, {rate:.0f}/s, {counts.rejected} rejected",
                file=sys.stderr,
                flush=True,
            )

    def say(self, words: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=words, rate="", rejected="")
        else:
            print(f"{words} ...", file=sys.stderr, flush=True)
