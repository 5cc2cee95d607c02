"""Import files: each batch is one transaction with its checkpoint, so that a killed import goes on where it was.

A run's files are rows. Whoever works on a run takes one file after another under the file's advisory lock: the
command itself, or any number of Celery tasks on any number of hosts.
"""

import gc
import logging
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import cast

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from bzpeer.lib.memory import rare_collection
from bzpeer.lib.sql import execute, query
from works.ingest.files import (
    Meter,
    Reader,
    UnreadableFile,
    discard_copies,
    file_digest,
    find_files,
    read_records,
)
from works.ingest.records import Record, Reject
from works.models import ImportFile, ImportReject, ImportRun, Institution
from works.services.affiliations import mark_unmatched
from works.services.counts import refresh_statistics
from works.services.storing import Prepared, prepare, store_records
from works.services.unlisted import unlisted_works

log = logging.getLogger(__name__)

BATCH = 2000  # records in one transaction
PROVIDERS = ("openalex", "arxiv", "crossref", "orcid", "ror", "dblp", "acl", "bibtex", "ris", "csl")
_FILE_LOCKS = 0x425B  # the second space of advisory locks: one for each file's content
_RUN_LOCKS = 0x425C  # one for each run whose command reads the files itself
_DATABASE_AWAY = (OperationalError, InterfaceError)
_PATIENCE = 60.0  # seconds to wait for a database that went away


class AlreadyRunning(Exception):
    """Another importer reads the same file."""


@dataclass
class Progress:
    """How far an import is; read = added + updated + unchanged + rejected."""

    file: str = ""
    files: int = 0
    files_done: int = 0
    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    bytes: int = 0
    size: int = 0


OnProgress = Callable[[Progress], None]
_FileKey = int


def reader_of(provider: str) -> Reader:
    return cast(Reader, import_module(f"works.ingest.{provider}"))


def ingest(
    provider: str,
    paths: list[str],
    on_progress: OnProgress = lambda _: None,
    *,
    again: bool = False,
) -> ImportRun:
    """Import files of one provider in this process; return the run with its counts.

    Files that were read to their end before are passed over (again=True reads them once more); one that was
    interrupted goes on where its last transaction ended. A file that is damaged is read up to there and says
    so in its row. Raises UnreadableFile when no file can be read to its end, AlreadyRunning when another
    importer has one of the files in hand.
    """
    settle_runs()
    run = open_run(provider, paths, again=again)
    try:
        work_off(run, on_progress)
    except BaseException as error:
        stop_run(
            run, ImportRun.State.STOPPED if isinstance(error, KeyboardInterrupt) else ImportRun.State.FAILED
        )
        raise
    finally:
        discard_copies(run_paths(run))
    run.refresh_from_db()
    damaged = list(run.files.filter(state=ImportFile.State.DAMAGED).values_list("error", flat=True))
    if len(damaged) == run.files.count():
        stop_run(run, ImportRun.State.FAILED)
        raise UnreadableFile(damaged[0])
    return run


def open_run(provider: str, paths: list[str], *, again: bool = False, jobs: int = 0) -> ImportRun:
    """Make a run with a row for each file behind paths. Raises UnreadableFile where there is none."""
    files = find_files(paths, reader_of(provider).SUFFIXES)
    with transaction.atomic():
        run = ImportRun.objects.create(
            provider=provider, paths=[file.name for file in files[:1000]], jobs=jobs, again=again
        )
        ImportFile.objects.bulk_create(
            ImportFile(
                run=run,
                provider=provider,
                name=file.name[:255],
                path=str(file.resolve()),
                size=file.stat().st_size,
            )
            for file in files
        )
    return run


def run_paths(run: ImportRun) -> list[Path]:
    return [Path(path) for path in run.files.values_list("path", flat=True)]


def store(provider: str, records: Iterable[Record | Reject], paths: list[str]) -> ImportRun:
    """Write records that came without a file; paths say where from. Return the run with its counts."""
    run = ImportRun.objects.create(provider=provider, paths=paths)
    row = ImportFile.objects.create(run=run, provider=provider, name=(paths or [""])[0][:255])
    opened, batch = _Opened(row), _Batch()
    for item in records:
        batch.add(opened, item)
        if len(batch.items) == BATCH:
            _write(run, batch)
            batch = _Batch()
    batch.ended.append(opened)
    _write(run, batch)
    _close_if_done(run)
    run.refresh_from_db()
    return run


def stop_run(run: ImportRun, state: ImportRun.State) -> None:
    """Say that a run ended before its end; the same command goes on from there."""
    run.files.filter(state__in=OPEN).update(state=ImportFile.State.STOPPED)
    ImportRun.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now())


def settle_runs() -> None:
    """Say of runs whose command was killed that they stopped."""
    for run in ImportRun.objects.filter(state=ImportRun.State.RUNNING, jobs=0):
        with transaction.atomic():  # the lock ends with the transaction
            if query("select pg_try_advisory_xact_lock(%s, %s)", [_RUN_LOCKS, run.pk])[0][0]:
                stop_run(run, ImportRun.State.STOPPED)


# --- Files of a run ---------------------------------------------------------------------------------------

OPEN = (ImportFile.State.QUEUED, ImportFile.State.RUNNING)


@dataclass
class _Opened:
    """A file in hand. position: records read of it, those of the batch under way counted."""

    row: ImportFile
    position: int = 0
    lock: int = 0
    meter: Meter = field(default_factory=Meter)
    error: str = ""


@dataclass
class _Batch:
    """Records of one or more files, with the files that ended among them."""

    items: list[tuple[_Opened, int, Record | Reject]] = field(default_factory=list)
    ended: list[_Opened] = field(default_factory=list)

    def add(self, opened: _Opened, item: Record | Reject) -> None:
        opened.position += 1
        self.items.append((opened, opened.position, item))


def work_off(run: ImportRun, on_progress: OnProgress = lambda _: None, *, until: float = math.inf) -> bool:
    """Read files of a run, one after another, until none is left or the clock (time.monotonic) says until.

    Return whether the run is finished. A database that goes away for less than a minute only delays. Raises
    AlreadyRunning where another run's importer has a file in hand.
    """
    lost_at = math.inf
    while True:
        try:
            with rare_collection():
                return _Importer(run, on_progress, until).work()
        except _DATABASE_AWAY as error:
            now = time.monotonic()
            lost_at = min(lost_at, now)
            if now - lost_at > _PATIENCE:
                raise
            log.warning("The database went away (%s); trying again.", str(error).strip())
            connection.close()
            time.sleep(1)


class _Importer:
    def __init__(self, run: ImportRun, on_progress: OnProgress, until: float) -> None:
        self._run, self._on_progress, self._until = run, on_progress, until
        self._batch = _Batch()
        self._locks: list[int] = []
        self._progress = progress_of(run)

    def work(self) -> bool:
        try:
            if not self._run.jobs:
                query("select pg_advisory_lock(%s, %s)", [_RUN_LOCKS, self._run.pk])
            for opened in self._files():
                if not self._read(opened):
                    return False
            self._flush()
        finally:
            if not self._run.jobs:
                with suppress(*_DATABASE_AWAY):
                    query("select pg_advisory_unlock(%s, %s)", [_RUN_LOCKS, self._run.pk])
            self._release(list(self._locks))
        return _close_if_done(self._run)

    def _read(self, opened: _Opened) -> bool:
        """Read a file to its end; return False where time ran out before."""
        self._progress.file = opened.row.name
        before = opened.meter.bytes
        records = read_records(reader_of(self._run.provider), Path(opened.row.path), opened.meter)
        try:
            for item in islice(records, opened.position, None):
                self._batch.add(opened, item)
                if len(self._batch.items) >= BATCH:
                    self._progress.bytes += opened.meter.bytes - before
                    before = opened.meter.bytes
                    self._flush()
                    if time.monotonic() > self._until:
                        return False
        except UnreadableFile as error:  # what came before the damage is kept
            opened.error = str(error)
        except _DATABASE_AWAY:
            raise
        except Exception as error:  # a fault of the reader must not cost the other files
            log.exception("The reader of %s failed on %s.", self._run.provider, opened.row.name)
            opened.error = (
                f"Our reader failed after record {opened.position}: {type(error).__name__}: {error}"[:300]
            )
        self._progress.bytes += opened.meter.bytes - before
        self._batch.ended.append(opened)
        return True

    def _flush(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if not batch.items and not batch.ended:
            return
        written = _write(self._run, batch)
        for name in ("read", "added", "updated", "unchanged", "rejected"):
            setattr(self._progress, name, getattr(self._progress, name) + written[name])
        self._progress.files_done += len(batch.ended)
        self._on_progress(self._progress)
        self._release([opened.lock for opened in batch.ended])
        gc.collect(1)

    def _files(self) -> Iterator[_Opened]:
        """Take the run's open files one by one; pass over those that somebody else has in hand."""
        tried = 0
        busy: list[str] = []
        while row := self._run.files.filter(state__in=OPEN, pk__gt=tried).order_by("pk").first():
            tried = row.pk
            if self._run.jobs and not Path(row.path).exists():
                continue  # on another host, whose workers will take it
            try:
                row.digest = row.digest or file_digest(Path(row.path))
            except UnreadableFile as error:
                self._batch.ended.append(_Opened(row, error=str(error)))
                continue
            lock = int.from_bytes(bytes.fromhex(row.digest)[:4], "big", signed=True)
            if not query("select pg_try_advisory_lock(%s, %s)", [_FILE_LOCKS, lock])[0][0]:
                busy.append(row.name)
                continue
            self._locks.append(lock)
            opened = self._take(row, lock)
            if opened:
                yield opened
            else:
                self._release([lock])
        if busy and not self._run.jobs:
            self._flush()
            raise AlreadyRunning(f"{busy[0]} is being imported by somebody else just now.")

    def _take(self, row: ImportFile, lock: int) -> _Opened | None:
        """Mark a file as ours and find how far it was read before; None where nothing is left to read."""
        row.refresh_from_db(fields=["state", "position"])
        if row.state not in OPEN:
            return None
        before = ImportFile.objects.filter(provider=row.provider, digest=row.digest).exclude(pk=row.pk)
        state = ImportFile.State.RUNNING
        if not self._run.again:
            if before.filter(state=ImportFile.State.FINISHED).exists():
                state = ImportFile.State.KNOWN
                self._progress.files_done += 1
                self._progress.bytes += row.size
                self._on_progress(self._progress)
            row.position = max(row.position, *before.values_list("position", flat=True), 0)
        row.state = state
        row.save(update_fields=["state", "position", "digest", "updated_at"])
        return _Opened(row, row.position, lock) if state == ImportFile.State.RUNNING else None

    def _release(self, locks: list[int]) -> None:
        for lock in locks:
            if lock in self._locks:
                self._locks.remove(lock)
                with suppress(*_DATABASE_AWAY):  # the database let go of it when we lost it
                    query("select pg_advisory_unlock(%s, %s)", [_FILE_LOCKS, lock])


def progress_of(run: ImportRun) -> Progress:
    """Return how far a run is, from its rows."""
    sums = run.files.aggregate(
        files=Count("pk"), files_done=Count("pk", filter=~Q(state__in=OPEN)), added=Sum("added"), updated=Sum("updated"),
        unchanged=Sum("unchanged"), rejected=Sum("rejected"), size=Sum("size"), bytes=Sum("bytes_read"),
    )  # fmt: skip
    progress = Progress(**{name: value or 0 for name, value in sums.items()})  # type: ignore[arg-type]
    progress.read = progress.added + progress.updated + progress.unchanged + progress.rejected
    running = run.files.filter(state=ImportFile.State.RUNNING).order_by("-updated_at").first()
    progress.file = running.name if running else ""
    return progress


# --- Writing ----------------------------------------------------------------------------------------------


def _write(run: ImportRun, batch: _Batch) -> Counter[str]:
    """Write a batch in one transaction with its checkpoint; return how many records were what.

    A record that the database refuses is found by halving the batch, and kept as a reject.
    """
    records = [item for _, _, item in batch.items if not isinstance(item, Reject)]
    prepared = prepare(records)  # outside the transaction: others write meanwhile
    try:
        with transaction.atomic():
            return _write_batch(run, batch, prepared)
    except _DATABASE_AWAY:
        raise
    except DatabaseError as error:
        if len(batch.items) <= 1:
            if not records:
                raise
            log.warning("The database refused a record: %s", error)
            opened, position, item = batch.items[0]
            reject = Reject(f"the database refused it: {error}"[:300], cast(Record, item).record_id)
            return _write(run, _Batch([(opened, position, reject)], batch.ended))
        middle = len(batch.items) // 2
        first = _write(run, _Batch(batch.items[:middle]))
        return first + _write(run, _Batch(batch.items[middle:], batch.ended))


def _write_batch(run: ImportRun, batch: _Batch, prepared: Prepared) -> Counter[str]:
    outcomes = iter(store_records(run, prepared))
    if notices := unlisted_works(run.provider, prepared.records):
        store_records(run, prepare(notices), whatever_rank=True)
    counts: dict[_FileKey, Counter[str]] = defaultdict(Counter)
    files: dict[_FileKey, tuple[_Opened, int]] = {}
    rejects = []
    for opened, position, item in batch.items:
        key = opened.row.pk
        files[key] = (opened, position)
        if isinstance(item, Reject):
            counts[key]["rejected"] += 1
            rejects.append(
                ImportReject(
                    run=run, file=opened.row, position=position, reason=_plain(item.reason)[:300],
                    snippet=_plain(item.snippet)[:500],
                )
            )  # fmt: skip
        else:
            counts[key][next(outcomes)] += 1
    ImportReject.objects.bulk_create(rejects, ignore_conflicts=True)
    ended = {opened.row.pk: opened for opened in batch.ended}
    for key, opened in ended.items():
        files.setdefault(key, (opened, opened.position))
    rows = []
    for key, (opened, position) in files.items():
        state = ImportFile.State.RUNNING
        if key in ended:
            state = ImportFile.State.DAMAGED if opened.error else ImportFile.State.FINISHED
        count = counts[key]
        rows.append(
            (
                key, position, opened.row.size if key in ended else opened.meter.bytes, state, _plain(opened.error)[:300],
                opened.row.digest, count["added"], count["updated"], count["unchanged"], count["rejected"],
            )
        )  # fmt: skip
    execute(
        "update works_importfile f set position = v.position, bytes_read = v.bytes, state = v.state, error = v.error,"
        " digest = v.digest, added = f.added + v.added, updated = f.updated + v.updated, unchanged = f.unchanged + v.unchanged,"
        " rejected = f.rejected + v.rejected, updated_at = now()"
        " from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],"
        "  %s::bigint[], %s::bigint[]) v (id, position, bytes, state, error, digest, added, updated, unchanged, rejected)"
        " where f.id = v.id",
        [list(column) for column in zip(*rows, strict=True)],
    )
    total = sum(counts.values(), Counter[str]())
    total["read"] = total.total()
    ImportRun.objects.filter(pk=run.pk).update(
        read=F("read") + total["read"],
        stored=F("stored") + total["added"] + total["updated"],
        updated=F("updated") + total["updated"],
        unchanged=F("unchanged") + total["unchanged"],
        rejected=F("rejected") + total["rejected"],
    )
    return total


def _plain(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _close_if_done(run: ImportRun) -> bool:
    """Say that a run is finished once none of its files is open; return whether it is."""
    if run.files.filter(state__in=OPEN).exists():
        return False
    ended = ImportRun.objects.filter(pk=run.pk, finished_at__isnull=True).update(
        state=ImportRun.State.FINISHED, finished_at=timezone.now()
    )
    run.refresh_from_db(fields=["stored"])
    if ended and run.stored >= BATCH:
        refresh_statistics()
    if ended and Institution.objects.filter(updated_at__gte=run.started_at).exists():
        mark_unmatched("new institutions")
    return True


__all__ = ["PROVIDERS", "AlreadyRunning", "Progress", "UnreadableFile", "ingest", "store"]
