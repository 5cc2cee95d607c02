"""From providers' records to the catalogue: find the work of each record and write what its records say."""

from collections.abc import Mapping

from works.ingest.merging import Merged, is_live, merge
from works.ingest.records import WorkRecord
from works.services.catalogue.authorships import name_block
from works.services.catalogue.finding import find_works, links_of, lock_catalogue
from works.services.catalogue.texts import Texts
from works.services.catalogue.writing import recount_lost, write_works

__all__ = ["Texts", "lock_catalogue", "name_block", "place_records"]


def place_records(
    changed: dict[int, WorkRecord], standing: dict[int, int], texts: Texts, alone: Mapping[int, Merged]
) -> dict[int, int]:
    """Write what new and changed records say; return the work of each (key: SourceRecord id).

    standing: the work of those that had one. texts: with its documents staged. alone: what new records say by
    themselves. The rows of the records themselves may still be unwritten. A record that its source took back
    before we ever had it gets no work. Call it in the transaction of the records: one caller writes at a time,
    or two importers that bring the same new work would both make it.
    """
    if not changed:
        return {}
    lock_catalogue()
    found = find_works(changed, standing, texts)
    before = links_of(found.existing)
    merged = {
        work_id: _merge(records, alone)
        for work_id, records in found.records.items()
        if work_id in found.existing or any(is_live(record) for record in records.values())
    }
    write_works(merged, found.existing, texts)
    recount_lost(before | found.lost, links_of(found.existing))
    return {key: work_id for work_id in merged for key in found.records[work_id] if key in changed}


def _merge(records: dict[int, WorkRecord], alone: Mapping[int, Merged]) -> Merged:
    key = next(iter(records))
    return alone[key] if len(records) == 1 and key in alone else merge(records)
