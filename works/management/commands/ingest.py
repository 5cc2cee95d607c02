"""Import files: manage.py ingest openalex PATH... / ingest arxiv PATH..."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bzpeer.lib.doorbell import ring_sweeper
from works.ingest.load import READERS, AlreadyRunning, UnreadableFile, ingest
from works.ingest.report import Reporter
from works.models import ImportReject
from works.services.marks import pending
from works.tasks import rebuild_works


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
            with Reporter() as reporter:
                run = ingest(options["provider"], options["paths"], reporter.show)
                if not options["no_rebuild"] and pending():
                    rebuild_works(reporter.say)
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
        for sentence in run.unreadable:
            self.stdout.write(f"  {sentence} What came before is kept.")
        if run.read == 0 and not run.unreadable:
            self.stdout.write("Nothing new: these files were imported before.")
        for reject in ImportReject.objects.filter(run=run).select_related("file").order_by("pk")[:5]:
            self.stdout.write(f"  {reject}")
        if left := pending():
            ring_sweeper()
            self.stdout.write(
                f"{left} marks of collaborations, trust and graphs wait for the workers;"
                " without any, run manage.py rebuild."
            )
        if run.rejected > 5:
            self.stdout.write(f"  and {run.rejected - 5} more, in the admin under Import rejects.")
