"""Say that two works are one, or that one is two, by the records of which they are made."""

from collections.abc import Iterable

from django.db import transaction

from bzpeer.lib.sql import execute, new_ids, query
from works.ingest.merging import Merged, is_live, merge
from works.ingest.records import WorkRecord
from works.models import Mark, RecordDecision, Regrouping, SourceRecord, Work
from works.services.catalogue import Texts, lock_catalogue
from works.services.catalogue.finding import authors_of, join_works, known_works, links_of, records_of
from works.services.catalogue.writing import recount_lost, write_works
from works.services.full_pass import settle_identifiers
from works.services.marks import mark
from works.services.regrouping.journal import author_events, work_events
from works.services.regrouping.replay import Event, flipped, owners, roots
from works.services.regrouping.seating import Seats
from works.services.regrouping.settling import settle
from works.services.regrouping.terms import Moved, Refused


@transaction.atomic
def merge_works(*, work: Work, other: Work) -> Moved:
    """Give all records of other to work; other's address leads there for ever. Raises Refused."""
    lock_catalogue()
    _check_standing(work, other)
    records = records_of([other.pk])[other.pk]
    if not records:
        raise Refused(f"No record is kept behind “{other}”, so there is nothing to join.")
    event = Regrouping.objects.create(
        kind=Regrouping.Kind.MERGE_WORKS, work_number=work.pk, other_work_number=other.pk
    )
    _write_records(event, records)
    return _settled(event)


@transaction.atomic
def split_work(*, work: Work, records: Iterable[int]) -> Moved:
    """Give some of the records of a work to a new one; imports keep them apart for ever. Raises Refused."""
    lock_catalogue()
    _check_standing(work)
    having = records_of([work.pk])[work.pk]
    chosen = {key: having[key] for key in set(records) & having.keys()}
    rest = {key: record for key, record in having.items() if key not in chosen}
    if len(chosen) != len(set(records)) or not chosen:
        raise Refused("Choose the records that go to the new work, of those behind this one.")
    if not any(map(is_live, rest.values())) or not any(map(is_live, chosen.values())):
        raise Refused("Each of the two works needs a record that its source has not taken back.")
    event = Regrouping.objects.create(
        kind=Regrouping.Kind.SPLIT_WORK, work_number=work.pk, other_work_number=new_ids("works_work", 1)[0]
    )
    _write_records(event, chosen)
    return _settled(event)


def undo_works(event: Regrouping) -> Moved:
    """Take a merge or split of works back. A work that ended gets its number, and so its address, again."""
    return _settled(event, stands=False)


def redo_works(event: Regrouping) -> Moved:
    """Let a merge or split of works stand again that was taken back. Raises Refused."""
    if event.kind == Regrouping.Kind.MERGE_WORKS:
        kept, other = event.work_number or 0, event.other_work_number or 0
        found = Work.objects.in_bulk([_standing([kept]).get(kept, kept), other])
        if len(found) < 2:
            raise Refused("One of the two works stands no longer, or they became one by another way.")
        _write_records(event, records_of([other])[other])
    return _settled(event, stands=True)


def _check_standing(*works: Work) -> None:
    if len({work.pk for work in works}) < len(works):
        raise Refused("These are one work already.")
    if Work.objects.filter(pk__in=[work.pk for work in works]).count() < len(works):
        raise Refused("One of the works was joined with another since. Look again.")


def _write_records(event: Regrouping, records: Iterable[int]) -> None:
    """Write down the records that an event moves, each with the work it was of before any regrouping."""
    owner = (event.other_work_number if event.kind == Regrouping.Kind.MERGE_WORKS else event.work_number) or 0
    known: dict[object, int] = {}
    for (record, base), now in owners(flipped(work_events([owner]), event.pk, stands=False)).items():
        if now == owner:
            known[record] = base
    decisions = (
        RecordDecision(
            record_id=record, regrouping=event, work_number=event.work_number or 0, base_work_number=known.get(record, owner)
        )
        for record in records
    )  # fmt: skip
    RecordDecision.objects.bulk_create(decisions, ignore_conflicts=True)


# --- Carrying it out ------------------------------------------------------------------------------------------


def _settled(event: Regrouping, *, stands: bool | None = None) -> Moved:
    if stands is not None:
        event.is_undone = not stands
        event.save(update_fields=["is_undone"])
    events = work_events([event.work_number or 0])
    earlier = flipped(events, event.pk, stands=bool(stands is False))
    moves = _moves(earlier, events)
    works = sorted({work for pair in moves.values() for work in pair})
    seats = Seats(works, event, [other.id for other in events if other.id != event.pk])
    before = links_of(works)
    authors = set(authors_of(works))
    _readdress(moves)
    _move_records(moves)
    _write(works)
    _lead_on(events)
    execute(
        "update works_recorddecision d set work_number = m.work from unnest(%s::bigint[], %s::bigint[]) as m (record, work), works_regrouping g"
        " where d.record_id = m.record and g.id = d.regrouping_id and g.kind = any(%s)",
        [*_owned(events), [Regrouping.Kind.MERGE_WORKS, Regrouping.Kind.SPLIT_WORK]],
    )
    standing = list(Work.objects.filter(pk__in=works).values_list("pk", flat=True))
    led = seats.fill(standing)
    recount_lost(before, links_of(standing))
    authors |= set(authors_of(standing)) | set(led.before.values()) | set(led.after.values())
    for what in (Mark.What.COUNTS, Mark.What.COLLABORATIONS, Mark.What.TRUST):
        mark(what, authors, "works regrouped")
    _settle_authors(sorted(authors))
    return Moved(event, [], [], led.before, led.after, sorted(moves))


def _owned(events: list[Event]) -> list[list[int]]:
    found = owners(events)
    return [[record for record, _ in found], list(found.values())]  # type: ignore[misc]


def _moves(earlier: list[Event], events: list[Event]) -> dict[int, tuple[int, int]]:
    """Return where each record that changes its work goes: from which work, to which."""
    was, now = owners(earlier), owners(events)
    differs = {key[0]: owner for key, owner in now.items() if was[key] != owner}
    standing = _standing(list(differs.values()))
    at = dict(
        query(
            "select id, work_id from works_sourcerecord where id = any(%s) and work_id is not null",
            [list(differs)],
        )
    )
    regrouped = {number for event in events for number in (event.kept, event.other)}
    goals = {
        # A work that regrouping ended or emptied comes back; one that an import joined with another leads on.
        record: heir if (heir := standing.get(number, number)) not in regrouped else number
        for record, number in differs.items()
        if isinstance(record, int)
    }
    return {
        record: (at[record], goal) for record, goal in goals.items() if record in at and at[record] != goal
    }


def _standing(numbers: list[int]) -> dict[int, int]:
    """Return the works that stand for numbers which an import joined into others."""
    rows = query(
        "select n, w.id from unnest(%s::bigint[]) n join works_redirect r on r.kind = 'work' and r.old_pid = works_pid(n)"
        " join works_work w on w.pid = r.new_pid where not exists (select 1 from works_work x where x.id = n)",
        [numbers],
    )
    return dict(rows)


def _move_records(moves: dict[int, tuple[int, int]]) -> None:
    """Give records to their works; a work that has none left is joined into who got them."""
    execute(
        "update works_sourcerecord r set work_id = m.work from unnest(%s::bigint[], %s::bigint[]) as m (id, work) where r.id = m.id",
        [list(moves), [goal for _, goal in moves.values()]],
    )
    sources: dict[int, int] = {}
    for old, goal in moves.values():
        sources.setdefault(old, goal)
    left = set(SourceRecord.objects.filter(work__in=sources).values_list("work", flat=True))
    for number in sorted(sources.keys() - left):
        join_works(sources[number], [number])


def _readdress(moves: dict[int, tuple[int, int]]) -> None:
    """Give works that stand again their address back."""
    execute(
        "delete from works_redirect where kind = 'work' and old_pid = any(select works_pid(n) from unnest(%s::bigint[]) n)",
        [sorted({goal for _, goal in moves.values()})],
    )


def _lead_on(events: list[Event]) -> None:
    """Lead works that merges ended where they belong now: to who stands, if that one does."""
    into = roots(events)
    execute(
        "update works_redirect r set new_pid = w.pid from unnest(%s::bigint[], %s::bigint[]) as m (old, heir), works_work w"
        " where r.kind = 'work' and r.old_pid = works_pid(m.old) and w.id = m.heir and r.new_pid <> w.pid",
        [list(into), list(into.values())],
    )


def _write(works: list[int]) -> None:
    """Write works anew from their records; a new one, or one that came back, gets its row."""
    records = records_of(works)
    existing = set(Work.objects.filter(pk__in=works).values_list("pk", flat=True))
    merged: dict[int, Merged] = {work: merge(found) for work, found in records.items()}
    everything: dict[int, WorkRecord] = {
        key: record for found in records.values() for key, record in found.items()
    }
    settle_identifiers(merged, everything)
    holders = known_works({identifier for work in merged.values() for identifier in work.identifiers})
    for work in merged.values():
        for identifier in [i for i in work.identifiers if holders.get(i, works[0]) not in works]:
            del work.identifiers[identifier]  # a third work's: regrouping these two takes nothing from it
    texts = Texts()
    texts.stage_documents()
    write_works(merged, existing, texts, settled=True)


def _settle_authors(authors: list[int]) -> None:
    """Have what people decided of authors hold for the lists as they are now."""
    seen: set[int] = set()
    for author in authors:
        if author not in seen:
            events = author_events([author])
            seen |= {author, *(e.kept for e in events), *(e.other for e in events)}
            if events:
                settle(events, events)
