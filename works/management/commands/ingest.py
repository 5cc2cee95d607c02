"""Import files: manage.py ingest PROVIDER PATH... · status · rejects · resolve · verify"""

import csv
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bzpeer.lib.doorbell import ring_sweeper
from works.ingest.files import discard_copies, find_files, read_records
from works.ingest.load import (
    PROVIDERS,
    AlreadyRunning,
    UnreadableFile,
    ingest,
    open_run,
    progress_of,
    reader_of,
    run_paths,
    settle_runs,
    stop_run,
    work_off,
)
from works.ingest.records import Reject
from works.ingest.report import Reporter, provider_table, run_table
from works.models import ImportReject, ImportRun
from works.services.affiliations import mark_unmatched
from works.services.full_entities import rederive_entities
from works.services.full_pass import rederive_works
from works.services.marks import pending
from works.services.resolve import distance_from_full, resolve_all
from works.services.verification import checks, state_hash
from works.tasks import drain_affiliations, rebuild_works, ring_imports

TOO_MANY_REJECTS, UNREADABLE, RUNNING, STOPPED = 3, 2, 4, 130
_ALONE_AFTER = 10.0  # seconds without any worker, after which the command reads itself


class Command(BaseCommand):
    help = (
        "Import what providers publish; safe to stop and to run again. Also: how imports stand, and checks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = (
            "Exit codes: 0 done, 2 no file can be read, 3 more rejects than --max-rejects, 4 somebody else imports the file,"
            " 130 stopped by Ctrl-C (the same command goes on)."
        )
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for provider in PROVIDERS:
            importer = actions.add_parser(provider, help=f"import files of {provider}")
            importer.add_argument(
                "paths", nargs="+", metavar="PATH",
                help="files, folders, patterns, - for standard input; plain, gz, xz, bz2, zip or tar",
            )  # fmt: skip
            importer.add_argument(
                "--jobs", type=int, default=0, metavar="N",
                help="share the files among N Celery tasks, on any hosts that see the same paths",
            )  # fmt: skip
            importer.add_argument(
                "--max-rejects", type=int, metavar="N", help="exit with 3 when more records were rejected"
            )
            importer.add_argument(
                "--again", action="store_true", help="also read files that were read to their end before"
            )
            importer.add_argument("--dry-run", action="store_true", help="read and count, write nothing")
            importer.add_argument(
                "--no-rebuild", action="store_true", help="leave authors and counts to the workers"
            )
        status = actions.add_parser("status", help="how imports stand")
        status.add_argument(
            "--markdown", action="store_true", help="figures per provider as a table for a README"
        )
        rejects = actions.add_parser(
            "rejects", help="rejected records as TSV: file, position, reason, snippet"
        )
        rejects.add_argument("run", type=int, nargs="?", help="a run's number; all runs without it")
        resolve = actions.add_parser(
            "resolve", help="find who is who in what is marked, and say how far a full pass would go"
        )
        resolve.add_argument(
            "--all",
            action="store_true",
            help="judge everything anew: what came in what order no longer matters",
        )
        actions.add_parser(
            "verify", help="recompute counts, look for orphans, print a hash of the state on the last line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action in PROVIDERS:
            self._import(action, options)
        else:
            getattr(self, f"_{action}")(options)

    # --- Importing ----------------------------------------------------------------------------------------

    def _import(self, provider: str, options: dict[str, Any]) -> None:
        started = time.monotonic()
        try:
            if options["dry_run"]:
                self._only_read(provider, options["paths"])
                return
            with Reporter() as reporter:
                if options["jobs"] > 0:
                    run = self._share(provider, options, reporter)
                else:
                    run = ingest(provider, options["paths"], reporter.show, again=options["again"])
                if not options["no_rebuild"] and pending():
                    rebuild_works(reporter.say)
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        except AlreadyRunning as error:
            raise CommandError(str(error), returncode=RUNNING) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was read is kept; the same command goes on from there.", returncode=STOPPED
            ) from None
        self._summarise(run, time.monotonic() - started)
        most = options["max_rejects"]
        if most is not None and run.rejected > most:
            raise CommandError(
                f"{run.rejected} records were rejected, more than {most}.", returncode=TOO_MANY_REJECTS
            )

    def _share(self, provider: str, options: dict[str, Any], reporter: Reporter) -> ImportRun:
        """Let Celery's workers read the files; read them here where no worker takes one."""
        settle_runs()
        run = open_run(provider, options["paths"], again=options["again"], jobs=options["jobs"])
        try:
            self._ring(reporter)
            begun = time.monotonic()
            alone = False
            while not alone:
                time.sleep(0.5)
                run.refresh_from_db()
                progress = progress_of(run)
                reporter.show(progress)
                if run.finished_at:
                    break
                nobody = not progress.file and not progress.files_done
                alone = nobody and time.monotonic() - begun > _ALONE_AFTER
            if alone:
                reporter.say("No worker takes a file, so this command reads them itself")
                work_off(run, reporter.show)
                run.refresh_from_db()
        except KeyboardInterrupt:
            stop_run(run, ImportRun.State.STOPPED)
            raise
        finally:
            if run.finished_at:
                discard_copies(run_paths(run))
        return run

    def _ring(self, reporter: Reporter) -> None:
        try:
            ring_imports()
        except (
            Exception
        ) as error:  # whatever the broker's client raises: the files are rows, workers find them
            reporter.say(f"The broker is away ({error}); workers find the files when it is back")

    def _only_read(self, provider: str, paths: list[str]) -> None:
        reader = reader_of(provider)
        counts: dict[str, int] = {}
        files = find_files(paths, reader.SUFFIXES)
        try:
            for path in files:
                try:
                    for item in read_records(reader, path):
                        kind = item.reason if isinstance(item, Reject) else type(item).__name__
                        counts[kind] = counts.get(kind, 0) + 1
                except UnreadableFile as error:
                    self.stdout.write(str(error))
        finally:
            discard_copies(files)
        for kind, count in sorted(counts.items(), key=lambda item: -item[1]):
            self.stdout.write(f"{count:>10,}  {kind}")

    def _summarise(self, run: ImportRun, seconds: float) -> None:
        self.stdout.write(
            f"{run.read} records read in {seconds:.1f} s: {run.stored - run.updated} new, {run.updated} updated,"
            f" {run.unchanged} unchanged, {run.rejected} rejected."
        )
        errors = list(run.files.exclude(error="").values_list("error", flat=True)[:20])
        for sentence in errors:
            self.stdout.write(f"  {sentence} What came before is kept.")
        if run.read == 0 and not errors:
            self.stdout.write("Nothing new: these files were imported before (--again reads them once more).")
        rejects = ImportReject.objects.filter(run=run).select_related("file").order_by("pk")
        for reject in rejects[:5]:
            self.stdout.write(f"  {reject}")
        if run.rejected > 5:
            self.stdout.write(f"  and {run.rejected - 5} more: manage.py ingest rejects {run.pk}")
        if left := pending():
            ring_sweeper()
            self.stdout.write(
                f"{left} marks of collaborations, trust and graphs wait for the workers;"
                " without any, run manage.py rebuild."
            )

    # --- How things stand -----------------------------------------------------------------------------------

    def _status(self, options: dict[str, Any]) -> None:
        settle_runs()
        self.stdout.write(provider_table() if options["markdown"] else run_table())

    def _rejects(self, options: dict[str, Any]) -> None:
        rejects = ImportReject.objects.select_related("file").order_by("pk")
        if options["run"]:
            rejects = rejects.filter(run=options["run"])
        writer = csv.writer(self.stdout, delimiter="\t", lineterminator="\n")
        writer.writerow(("file", "position", "reason", "snippet"))
        for reject in rejects.iterator():
            writer.writerow((reject.file.name, reject.position, reject.reason, reject.snippet))

    # --- Judging and checking --------------------------------------------------------------------------------

    def _resolve(self, options: dict[str, Any]) -> None:
        with Reporter() as reporter:
            if options["all"]:
                works = rederive_works(reporter.say)
                self.stdout.write(
                    f"{works.works} works of several records judged anew: {works.joined} joined into others, {works.split} split off."
                )
                rederive_entities(reporter.say)
                mark_unmatched("a full pass")
                drain_affiliations()
                reporter.say("Finding who is who, everybody")
                self.stdout.write(str(resolve_all(reporter.say)))
            rebuild_works(reporter.say)
        if not options["all"]:
            self.stdout.write(str(distance_from_full()))

    def _verify(self, options: dict[str, Any]) -> None:
        found = checks()
        for check in found:
            self.stdout.write(f"{check.wrong:>10,}  {check.name}")
        hashes = state_hash()
        for part, value in hashes.items():
            self.stdout.write(value if part == "state" else f"{value}  {part}")
        if any(check.wrong for check in found):
            raise CommandError("The catalogue does not agree with itself; see above.", returncode=1)
