"""Read what was regrouped: the events that hang together, as replay wants them."""

from collections import defaultdict
from collections.abc import Iterable

from bzpeer.lib.sql import query
from works.models import Regrouping
from works.services.regrouping.replay import Event, Thing

Kind = Regrouping.Kind
OF_AUTHORS = (Kind.MERGE_AUTHORS, Kind.SPLIT_AUTHOR)
OF_WORKS = (Kind.MERGE_WORKS, Kind.SPLIT_WORK)
_JOINS = (Kind.MERGE_AUTHORS, Kind.MERGE_WORKS)

# An author's records of themselves stand among an author's things by what they are; authorships by their work.
RECORD = "record"


def author_events(authors: Iterable[int]) -> list[Event]:
    """Return every regrouping that hangs together with these authors, taken back or not, in its order."""
    found = _connected("author_id", "other_author_id", OF_AUTHORS, authors)
    things: dict[int, set[tuple[Thing, int]]] = defaultdict(set)
    numbers = [row[0] for row in found]
    for number, work, base in query(
        "select regrouping_id, work_id, base_author_id from works_regroupedline where regrouping_id = any(%s)", [numbers]
    ):  # fmt: skip
        things[number].add((work, base))
    for number, record, base in query(_RECORDS, [numbers]):
        things[number].add(((RECORD, record), base))
    return _events(found, things)


def work_events(works: Iterable[int]) -> list[Event]:
    """Return every regrouping that hangs together with these works, by number; their things are records."""
    found = _connected("work_number", "other_work_number", OF_WORKS, works)
    things: dict[int, set[tuple[Thing, int]]] = defaultdict(set)
    for number, record, base in query(_RECORDS, [[row[0] for row in found]]):
        things[number].add((record, base))
    return _events(found, things)


_RECORDS = "select regrouping_id, record_id, base_work_number from works_recorddecision where regrouping_id = any(%s)"
_Row = tuple[int, str, int, int, bool]


def _connected(kept: str, other: str, kinds: tuple[Kind, ...], numbers: Iterable[int]) -> list[_Row]:
    """Return regroupings (id, kind, kept, other, is_undone) that share a record, directly or through others."""
    return query(
        f"with recursive known as ("  # noqa: S608
        f" select unnest(%s::bigint[]) as number union"
        f" select case when r.{kept} = k.number then r.{other} else r.{kept} end from known k"
        f"  join works_regrouping r on r.kind = any(%s) and (r.{kept} = k.number or r.{other} = k.number))"
        f" select id, kind, {kept}, {other}, is_undone from works_regrouping where kind = any(%s)"
        f" and {kept} in (select number from known) order by id",
        [list(numbers), list(kinds), list(kinds)],
    )


def _events(rows: list[_Row], things: dict[int, set[tuple[Thing, int]]]) -> list[Event]:
    return [
        Event(number, kind in _JOINS, kept, other, frozenset(things[number]), not undone)
        for number, kind, kept, other, undone in rows
    ]
