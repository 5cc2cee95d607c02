"""Ask the sources about one record now: manage.py sync work 10.7717/peerj.4375"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from bzpeer.lib.doorbell import ring_sweeper
from works.models import SyncRequest, SyncStep
from works.services.marks import pending
from works.sync.addresses import shown_address
from works.sync.errors import BadIdentifier, Refused
from works.sync.plan import plan
from works.sync.service import ask, run_request
from works.sync.words import Line, lines_of, summary_of
from works.tasks import rebuild_works

NOT_FOUND, BAD, UNAVAILABLE = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Ask OpenAlex, arXiv, Crossref, ORCID and ROR about one record and load what they say. Exit codes: 0 done,"
        " 1 known to no source, 2 not an identifier, 3 a source is unavailable: try later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=SyncRequest.Kind.values)
        parser.add_argument(
            "id", help="a DOI, arXiv, OpenAlex, ORCID or ROR id, or the id in a page's address"
        )
        parser.add_argument(
            "--fresh", action="store_true", help="read answers again that are as they were last time"
        )
        parser.add_argument(
            "--no-rebuild", action="store_true", help="leave authors and counts to the workers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wish = plan(options["kind"], options["id"])
            request = ask(wish, mine=True, whenever=True)
        except BadIdentifier as error:
            raise CommandError(str(error), returncode=BAD) from error
        except Refused as error:
            raise CommandError(str(error), returncode=NOT_FOUND) from error
        try:
            request = run_request(request, fresh=options["fresh"])
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What came so far is kept; the same command, or a worker, goes on from there.", returncode=130
            ) from None  # fmt: skip
        lines = lines_of(request)
        for line in lines:
            self.stdout.write(line.text)
        if options["verbosity"] > 1:
            for step in request.steps.all():
                self.stdout.write(f"  {step.state}: {shown_address(step.provider, step.address)}")
        self._rebuild(options["no_rebuild"])
        if record := plan(options["kind"], options["id"]).record:
            self.stdout.write(settings.PUBLIC_URL + record.get_absolute_url())
        self._end(request, lines)

    def _rebuild(self, left_to_workers: bool) -> None:
        if pending() and not left_to_workers:
            rebuild_works()
        if pending():
            ring_sweeper()

    def _end(self, request: SyncRequest, lines: list[Line]) -> None:
        summary = summary_of(request, lines)
        if request.state == SyncRequest.State.NOT_FOUND:
            raise CommandError(summary, returncode=NOT_FOUND)
        unanswered = {SyncStep.State.WAITING, SyncStep.State.FAILED}
        left = list(dict.fromkeys(line.source for line in lines if line.state in unanswered))
        if left:
            raise CommandError(f"{', '.join(left)} did not answer; try later.", returncode=UNAVAILABLE)
        self.stdout.write(summary)
