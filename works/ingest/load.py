"""Write what readers yield: each batch is one transaction with its checkpoint, so that a killed import goes on."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from bzpeer.lib.sql import copy_rows, execute, query
from works.ingest import arxiv, openalex
from works.ingest.files import UnreadableFile, file_digest, find_files
from works.ingest.records import Reject, WorkRecord, decode, digest, encode
from works.models import ImportFile, ImportReject, ImportRun
from works.services.catalogue import lock_catalogue, place_records

log = logging.getLogger(__name__)

BATCH = 500  # records in one transaction
READERS: dict[str, ModuleType] = {"openalex": openalex, "arxiv": arxiv}
_IMPORT_LOCKS = 0x425B  # the second space of advisory locks: one for each file


class AlreadyRunning(Exception):
    """Another importer reads the same file."""


@dataclass
class Progress:
    """How far an import is; read = stored + unchanged + rejected."""

    file: str = ""
    files: int = 0
    read: int = 0
    stored: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped_files: int = 0


class Batch(NamedTuple):
    records: list[WorkRecord]
    rejects: list[tuple[int, Reject]]
    end: int  # position of its last record in the file, from 1


def ingest(
    provider: str, paths: list[str], on_progress: Callable[[Progress], None] = lambda _: None
) -> ImportRun:
    """Import files of one provider; return the run with its counts.

    Files that were read to their end before are passed over; one that was interrupted goes on where its
    last transaction ended. A file that is damaged is read up to there and named in run.unreadable, which is
    not stored. Raises UnreadableFile when no file can be read to its end, AlreadyRunning when another
    importer has one of the files in hand.
    """
    reader = READERS[provider]
    files = find_files(paths, reader.SUFFIXES)
    run = ImportRun.objects.create(provider=provider, paths=[file.name for file in files])
    progress = Progress()
    failures: list[UnreadableFile] = []
    try:
        for file in files:
            progress.file = file.name
            progress.files += 1
            try:
                _ingest_file(run, reader, file, progress, on_progress)
            except UnreadableFile as error:
                failures.append(error)  # the other files are read all the same
        if len(failures) == len(files):
            raise failures[0]
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt)
        _finish(run, ImportRun.State.STOPPED if stopped else ImportRun.State.FAILED)
        raise
    _finish(run, ImportRun.State.FINISHED)
    run.refresh_from_db()
    run.unreadable = [str(error) for error in failures]
    return run


def _finish(run: ImportRun, state: ImportRun.State) -> None:
    ImportRun.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now())


def _ingest_file(
    run: ImportRun,
    reader: ModuleType,
    path: Path,
    progress: Progress,
    on_progress: Callable[[Progress], None],
) -> None:
    hashed = file_digest(path)
    with _only_importer_of(hashed, path.name):
        file, _ = ImportFile.objects.get_or_create(
            provider=run.provider, digest=hashed, defaults={"name": path.name[:255], "run": run}
        )
        if file.finished:
            progress.skipped_files += 1
            on_progress(progress)
            return
        for batch in _batches(reader.read(path), file.position):
            stored = _write(run, file, batch)
            progress.stored += stored
            progress.rejected += len(batch.rejects)
            progress.unchanged += len(batch.records) - stored
            progress.read += len(batch.records) + len(batch.rejects)
            on_progress(progress)
        ImportFile.objects.filter(pk=file.pk).update(finished=True, updated_at=timezone.now())


@contextmanager
def _only_importer_of(hashed: str, name: str) -> Iterator[None]:
    """Hold the file's advisory lock for the session; the database lets go of it when we die."""
    number = int.from_bytes(bytes.fromhex(hashed)[:4], "big", signed=True)
    if not query("select pg_try_advisory_lock(%s, %s)", [_IMPORT_LOCKS, number])[0][0]:
        raise AlreadyRunning(f"{name} is being imported by somebody else just now.")
    try:
        yield
    finally:
        if connection.connection and not connection.connection.closed:
            query("select pg_advisory_unlock(%s, %s)", [_IMPORT_LOCKS, number])


def _batches(items: Iterator[WorkRecord | Reject], position: int) -> Iterator[Batch]:
    """Yield what comes after position, BATCH items at a time."""
    for _ in islice(items, position):
        pass
    failure: UnreadableFile | None = None
    while failure is None:
        chunk: list[WorkRecord | Reject] = []
        try:
            chunk.extend(islice(items, BATCH))
        except UnreadableFile as error:  # what came before the damage is kept
            failure = error
        if not chunk:
            break
        records = [item for item in chunk if isinstance(item, WorkRecord)]
        rejects = [(position + n, item) for n, item in enumerate(chunk, 1) if isinstance(item, Reject)]
        position += len(chunk)
        yield Batch(records, rejects, position)
    if failure:
        raise failure


def _write(run: ImportRun, file: ImportFile, batch: Batch) -> int:
    """Write one batch; return how many records were new or changed."""
    with transaction.atomic():
        # Before the records are compared: whoever waits must see what the other importer wrote.
        lock_catalogue()
        changed = _write_records(run, batch.records)
        place_records(changed)
        ImportReject.objects.bulk_create(
            [
                ImportReject(
                    run=run,
                    file=file,
                    position=position,
                    reason=reject.reason[:300],
                    snippet=_plain(reject.snippet)[:500],
                )
                for position, reject in batch.rejects
            ],
            ignore_conflicts=True,
        )
        ImportFile.objects.filter(pk=file.pk).update(position=batch.end, updated_at=timezone.now())
        ImportRun.objects.filter(pk=run.pk).update(
            read=F("read") + len(batch.records) + len(batch.rejects),
            stored=F("stored") + len(changed),
            unchanged=F("unchanged") + len(batch.records) - len(changed),
            rejected=F("rejected") + len(batch.rejects),
        )
    return len(changed)


def _plain(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _write_records(run: ImportRun, records: list[WorkRecord]) -> dict[int, WorkRecord]:
    """Store new and newer versions of records; return them by SourceRecord id."""
    best: dict[str, WorkRecord] = {}
    for record in records:
        standing = best.get(record.record_id)
        if standing is None or record.rank > standing.rank:
            best[record.record_id] = record
    known = {
        record_id: (bytes(old_digest), payload)
        for record_id, old_digest, payload in query(
            "select record_id, digest, payload::text from works_sourcerecord where provider = %s and record_id = any(%s)",
            [run.provider, list(best)],
        )
    }
    fresh = [
        record
        for record_id, record in best.items()
        if record_id not in known
        or (known[record_id][0] != digest(record) and record.rank > decode(known[record_id][1]).rank)
    ]
    if not fresh:
        return {}
    execute(
        "create temporary table if not exists staged_record"
        " (record_id text, digest bytea, payload jsonb, observed_at timestamptz) on commit delete rows"
    )
    execute("truncate staged_record")
    copy_rows(
        "staged_record", ("record_id", "digest", "payload", "observed_at"),
        ((r.record_id, digest(r), encode(r).decode(), r.observed_at) for r in fresh),
    )  # fmt: skip
    rows = query(
        "insert into works_sourcerecord (provider, record_id, run_id, digest, payload, observed_at, imported_at)"
        " select %s, record_id, %s, digest, payload, observed_at, now() from staged_record order by record_id"
        " on conflict (provider, record_id) do update set run_id = excluded.run_id, digest = excluded.digest,"
        "  payload = excluded.payload, observed_at = excluded.observed_at, imported_at = excluded.imported_at"
        " returning id, record_id",
        [run.provider, run.pk],
    )
    return {number: best[record_id] for number, record_id in rows}


__all__ = ["AlreadyRunning", "Progress", "UnreadableFile", "ingest"]
