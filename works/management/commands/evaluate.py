"""Measure against real answers hidden from the machinery: manage.py evaluate resolution, or recommendations"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from bzpeer.lib.figures import Figures
from works.evaluation import affiliations
from works.evaluation.authors import Measure, measure_acl, measure_openalex
from works.evaluation.scores import Agreement
from works.ingest.files import UnreadableFile

# B-cubed precision and recall to reach, of all lines and of those whose names several people bear. The other
# measures of the Anthology (the half held out, ids as printed) stand beside it without a bar of their own.
_NAMES_OF_SEVERAL = {"acl", "acl_held_out", "acl_as_printed"}
_TARGETS = {
    "acl": ((0.98, 0.96), (0.90, 0.80)),
    "openalex_old": ((0.97, 0.90), None),
    "openalex_new": ((0.97, 0.90), None),
}


class Command(BaseCommand):
    help = (
        "Measure how well people are told apart and affiliations matched, or who writes together foreseen, "
        "against answers that are hidden meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["resolution", *settings.EVALUATIONS])
        parser.add_argument(
            "--acl",
            nargs="+",
            metavar="PATH",
            help="files of the ACL Anthology; its name_variants.yaml helps",
        )
        parser.add_argument("--openalex", nargs="+", metavar="PATH", help="works of OpenAlex")
        parser.add_argument(
            "--ror", nargs="+", metavar="PATH", help="ROR's affiliation strings with answers, and ROR records"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] in settings.EVALUATIONS:
            import_string(settings.EVALUATIONS[options["what"]])(self.stdout.write)
            return
        if not (options["acl"] or options["openalex"] or options["ror"]):
            raise CommandError("Say what to measure on: --acl, --openalex or --ror with files.")
        measures: list[Measure] = []
        found: list[affiliations.Figure] = []
        try:
            if options["acl"]:
                measures += measure_acl(options["acl"], self.stderr.write)
            if options["openalex"]:
                measures += measure_openalex(options["openalex"], self.stderr.write)
            if options["ror"]:
                found = affiliations.measure([Path(path) for path in options["ror"]], _gold(options["ror"]))
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        for measure in measures:
            self._show(measure)
        figures = Figures("evaluate-resolution")
        for measure in measures:
            _add(figures, measure)
        for figure in found:
            figures.add(*figure)
        figures.write()

    def _show(self, measure: Measure) -> None:
        self.stdout.write(f"\n{measure.title}: {measure.lines:,} lines of {measure.people:,} people")
        self._table(measure.methods)
        if measure.shared_lines:
            self.stdout.write(
                f"Names that several people bear: {measure.shared_lines:,} lines of {measure.shared_people:,} people"
            )
            self._table(measure.shared)

    def _table(self, methods: dict[str, Agreement]) -> None:
        self.stdout.write(f"  {'':16} {'B-cubed':^23}   {'pairwise':^23}")
        self.stdout.write(f"  {'':16} {'precision  recall  F1':23}   {'precision  recall  F1':23}")
        for name, agreement in methods.items():
            shown = "   ".join(
                f"{score.precision:9.4f} {score.recall:7.4f} {score.f1:.4f}" for score in agreement
            )
            self.stdout.write(f"  {name:16} {shown}")


def _gold(paths: list[str]) -> Path:
    """Return the file of affiliation strings with answers. Raises CommandError."""
    given = [Path(path) for path in paths]
    found = [path for path in given if path.name.startswith(affiliations.GOLD_NAMES)]
    found += [path for folder in given if folder.is_dir() for path in affiliations.gold_files(folder)]
    if not found:
        raise CommandError(f"None of the files of --ror is named {affiliations.GOLD_NAMES}….")
    return found[0]


def _add(figures: Figures, measure: Measure) -> None:
    whole, shared = _TARGETS.get(measure.name, (None, None))
    parts = [("", measure.methods, whole)]
    if measure.name in _NAMES_OF_SEVERAL:
        parts.append((".shared_names", measure.shared, shared))
    for part, methods, bars in parts:
        score = methods["resolver"].b_cubed
        for place, what in enumerate(("precision", "recall")):
            target = f">={bars[place]}" if bars else ""
            figures.add(f"resolution.{measure.name}{part}.b_cubed_{what}", score[place], "share", target)
