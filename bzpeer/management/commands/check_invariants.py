"""What must be true whatever happens: manage.py check_invariants

The queries stand beside this file; each returns the rows that break it. Two more ask whether what is derived is what
would be derived anew. Exit code 1 where anything is broken.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from graph.services.collaborations import check_collaborations
from trust.bulk import compare_scores

FILE = Path(__file__).with_suffix(".sql")
SHOWN = 5  # rows of each that are shown
WAITING = 600  # seconds


class Invariant(NamedTuple):
    number: str
    name: str
    says: str
    sql: str


class Found(NamedTuple):
    """What breaks an invariant: how many rows, and the first of them."""

    number: str
    name: str
    says: str
    broken: int
    rows: list[Any]


def invariants() -> list[Invariant]:
    """Return the queries of the file, in its order."""
    pieces = re.split(r"^-- (I\d+) (\w+): (.+)$", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [Invariant(*(piece.strip() for piece in pieces[at : at + 4])) for at in range(0, len(pieces), 4)]


def check(*, waiting: int = WAITING, derived: bool = True) -> Iterator[Found]:
    """Yield every invariant with what breaks it, one transaction for each, so that none sees half of another's work.

    waiting: seconds after which marked work counts as forgotten. derived: compare with a recomputation, too.
    """
    for number, name, says, sql in invariants():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"select count(*), (array_agg(to_json(broken)))[1:{SHOWN}] from ({sql.rstrip(';')}) broken",  # noqa: S608
                {"waiting": waiting},
            )
            broken, rows = cursor.fetchone()
        yield Found(number, name, says, broken, rows or [])
    if derived:
        wrong = compare_scores()
        yield Found(
            "I10", "trust_is_recomputed", "trust is what the formula gives today", len(wrong), wrong[:SHOWN]
        )
        pairs = check_collaborations()
        broken = pairs.missing + pairs.surplus + pairs.different + pairs.wrong_close_counts
        yield Found(
            "I10", "collaborations_are_recomputed", "collaborations are what the works give", broken, []
        )


class Command(BaseCommand):
    help = "Check what must be true of the data; list what is not, and exit with 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--waiting", type=int, default=WAITING, help="seconds that work may wait (default %(default)s)"
        )
        parser.add_argument("--no-derived", action="store_true", help="leave out what reads every authorship")
        parser.add_argument("--json", action="store_true", help="a line of JSON for each")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for found in check(waiting=options["waiting"], derived=not options["no_derived"]):
            broken += bool(found.broken)
            if options["json"]:
                self.stdout.write(json.dumps(found._asdict(), default=str))
                continue
            state = f"BROKEN by {found.broken}" if found.broken else "holds"
            self.stdout.write(f"{found.number:<4} {found.name:<32} {state}")
            for row in found.rows:
                self.stdout.write(f"       {json.dumps(row, default=str)}")
            if found.broken:
                self.stdout.write(f"       should be: {found.says}")
        if broken:
            sys.exit(1)
