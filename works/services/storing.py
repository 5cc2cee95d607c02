"""Store what readers yield as SourceRecords, the newest version of each, and write the catalogue from them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

from bzpeer.lib.sql import copy_rows, encoded_json, execute, new_ids, query
from works.ingest.merging import merge
from works.ingest.records import ENTITIES, Record, WorkRecord, decode, digest, encode
from works.models import ImportRun
from works.services.catalogue import Texts, lock_catalogue, name_block, place_records
from works.services.entity_records import place_entities

Outcome = Literal["added", "updated", "unchanged"]
_ENTITY_OF = {kind: entity for entity, kind in ENTITIES.items()}
_COLUMNS = (
    "id",
    "provider",
    "entity",
    "record_id",
    "run_id",
    "work_id",
    "digest",
    "payload",
    "observed_at",
    "imported_at",
)


class Prepared(NamedTuple):
    """A batch with everything done that needs no database."""

    records: list[Record]
    payloads: list[bytes]
    digests: list[bytes]
    texts: Texts


def prepare(records: Iterable[Record]) -> Prepared:
    records = list(records)
    payloads = [encode(record) for record in records]
    texts = Texts()
    for record in records:
        if isinstance(record, WorkRecord):
            texts.read(
                record.title, record.abstract, [authorship.raw_name for authorship in record.authorships]
            )
            for authorship in record.authorships:
                name_block(authorship.name)  # remembered there
    return Prepared(records, payloads, [digest(payload) for payload in payloads], texts)


class _Known(NamedTuple):
    key: int
    digest: bytes
    work_id: int | None
    payload: str


def store_records(run: ImportRun, batch: Prepared, *, whatever_rank: bool = False) -> list[Outcome]:
    """Write a batch; return what became of each record. Call it in a transaction.

    Of two versions of one record the one of greater rank stands, whichever comes first; whatever_rank: the one given.
    """
    if not batch.records:
        return []
    batch.texts.stage_documents()
    numbers = new_ids("works_sourcerecord", len(batch.records))
    alone = {
        number: merge({number: record})
        for number, record in zip(numbers, batch.records, strict=True)
        if isinstance(record, WorkRecord)
    }
    # Before the records are compared: whoever waits must see what the other importer wrote.
    lock_catalogue()
    outcomes: list[Outcome] = ["unchanged"] * len(batch.records)
    best: dict[str, int] = {}
    for place, record in enumerate(batch.records):
        standing = best.get(record.record_id)
        if standing is None or (
            batch.digests[place] != batch.digests[standing] and record.rank > batch.records[standing].rank
        ):
            best[record.record_id] = place
    known = {
        record_id: _Known(key, bytes(standing), work_id, payload)
        for record_id, key, standing, work_id, payload in query(
            "select record_id, id, digest, work_id, payload::text from works_sourcerecord"
            " where provider = %s and record_id = any(%s)",
            [run.provider, list(best)],
        )
    }
    fresh, newer = [], []
    for record_id, place in best.items():
        record = batch.records[place]
        if record_id not in known:
            outcomes[place] = "added"
            fresh.append(place)
        elif known[record_id].digest != batch.digests[place] and (
            whatever_rank or record.rank > decode(known[record_id].payload, _ENTITY_OF[type(record)]).rank
        ):
            outcomes[place] = "updated"
            newer.append(place)
    keys = {place: numbers[place] for place in fresh}
    keys |= {place: known[batch.records[place].record_id].key for place in newer}
    changed: dict[str, dict[int, Record]] = defaultdict(dict)
    for place, key in keys.items():
        record = batch.records[place]
        changed[_ENTITY_OF[type(record)]][key] = record
    standing_works = {entry.key: entry.work_id for entry in known.values() if entry.work_id}
    works = place_records(
        {key: record for key, record in changed.pop("work", {}).items() if isinstance(record, WorkRecord)},
        standing_works,
        batch.texts,
        alone,
    )
    _write_rows(run, batch, keys, set(fresh), works)
    for entity, records in changed.items():
        place_entities(entity, records)
    return outcomes


def _write_rows(
    run: ImportRun, batch: Prepared, keys: dict[int, int], fresh: set[int], works: dict[int, int]
) -> None:
    moment = query("select now()")[0][0]
    rows = {
        place: (
            key, run.provider, _ENTITY_OF[type(batch.records[place])], batch.records[place].record_id, run.pk, works.get(key),
            batch.digests[place], encoded_json(batch.payloads[place]), batch.records[place].observed_at, moment,
        )
        for place, key in keys.items()
    }  # fmt: skip
    copy_rows("works_sourcerecord", _COLUMNS, (rows[place] for place in rows if place in fresh))
    newer = [row for place, row in rows.items() if place not in fresh]
    if newer:
        execute(
            "create temporary table if not exists staged_record (like works_sourcerecord) on commit delete rows"
        )
        execute("truncate staged_record")
        copy_rows("staged_record", _COLUMNS, newer)
        execute(
            "update works_sourcerecord r set run_id = s.run_id, work_id = s.work_id, digest = s.digest, payload = s.payload,"
            " observed_at = s.observed_at, imported_at = s.imported_at, entity = s.entity from staged_record s where r.id = s.id"
        )
