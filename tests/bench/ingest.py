"""How quickly files become a catalogue: make bench-ingest DATA=folder

Works per second from files to resolved authors, beside (a) a raw binary COPY of the rows that came out of it
into the same tables with the same indexes, and (b) Django's bulk_create(update_conflicts=True) of them.
DATA holds acl/ and openalex/; without it the small files of the tests are read.
"""

import io
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.servers import own_servers

ROOT = Path(__file__).parent.parent.parent
JOBS = os.cpu_count() or 2
MEMORY = 300  # MB


def main() -> None:
    data = os.environ.get("DATA", "")
    paths = {
        "openalex": [Path(data, "openalex", name) for name in ("works-2023-synergy", "works-api-pages")],
        "acl": [Path(data, "acl", "xml")],
    }
    if not data:
        tests = ROOT / "tests" / "data"
        paths = {"openalex": [tests / "openalex"], "acl": [tests / "acl"]}
    rounds = int(os.environ.get("ROUNDS", "1"))
    from bzpeer.lib.figures import Figures

    with own_servers():
        figures = Figures("bench-ingest")
        for provider, files in paths.items():
            measured = [measure(provider, [str(file) for file in files]) for _ in range(rounds)]
            found = {name: statistics.median(row[name] for row in measured) for name in measured[0]}
            print(
                f"{provider}: {found['works']:,.0f} works, {found['rows']:,.0f} rows; import {found['import']:.1f} s,"
                f" resolution {found['resolution']:.1f} s; COPY {found['copy']:.1f} s; bulk_create {found['bulk']:.1f} s"
            )
            whole = found["import"] + found["resolution"]
            figures.add(f"ingest.{provider}.works", found["works"] / whole, "works/s")
            figures.add(f"ingest.{provider}.vs_copy", found["copy"] / whole, "ratio", ">=0.35")
            figures.add(f"ingest.{provider}.vs_bulk_create", found["bulk"] / whole, "ratio", ">=2")
            figures.add(f"ingest.{provider}.memory", found["memory"], "MB", f"<={MEMORY}")
        figures.write()


def measure(provider: str, paths: list[str]) -> dict[str, float]:
    """Return seconds of each way, how much there was, and the most memory that one importing process took."""
    empty()
    with workers():
        started = time.monotonic()
        run = [sys.executable, "manage.py", "ingest", provider, *paths, "--jobs", str(JOBS), "--no-rebuild"]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        imported = time.monotonic()
    resolving = time.monotonic()
    drain = "import django; django.setup(); from works.tasks import *; drain_affiliations(); drain_resolve()"
    subprocess.run([sys.executable, "-c", drain], check=True)
    resolved = time.monotonic()
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "import": imported - started,
        "resolution": resolved - resolving,
        "memory": memory,
        **copy_back(),
        **create_again(),
    }


@contextmanager
def workers() -> Iterator[None]:
    """Run Celery workers, as on any host, for as long as this lasts."""
    words = [
        "-m",
        "celery",
        "-A",
        "bzpeer",
        "worker",
        "--concurrency",
        str(JOBS),
        "--loglevel",
        "warning",
        "--without-gossip",
    ]
    environment = {**os.environ, "BZPEER_ROLE": "worker"}
    worker = subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        from bzpeer.celery import app

        while not app.control.ping(timeout=0.5):
            if worker.poll() is not None:
                raise SystemExit("The worker did not start.")
        yield
    finally:
        worker.terminate()
        worker.wait(60)


def tables() -> list[Any]:
    """Return the models whose rows an import writes, those referred to first."""
    from works import models

    return [
        models.Source, models.SourceIdentifier, models.Topic, models.TopicIdentifier, models.Institution,
        models.InstitutionIdentifier, models.Author, models.AuthorIdentifier, models.Work, models.SourceRecord,
        models.WorkIdentifier, models.WorkTopic, models.Citation, models.Authorship, models.AuthorshipInstitution,
    ]  # fmt: skip


def empty(*, runs: bool = True) -> None:
    """Empty the catalogue. runs=False: the rows of import runs stay, to which the rows taken out refer."""
    from django.db import connection

    names = [model._meta.db_table for model in tables()] + (["works_importrun", "works_mark"] if runs else [])
    with connection.cursor() as cursor:
        cursor.execute(f"truncate {', '.join(names)} cascade")


def copy_back() -> dict[str, float]:
    """Take the rows out, empty the tables, and COPY the same bytes in again in one transaction."""
    from django.db import connection, transaction

    packed: list[tuple[str, str, bytes]] = []
    rows = 0
    for model in tables():
        table = model._meta.db_table
        columns = ", ".join(f'"{field.column}"' for field in written(model))
        buffer = io.BytesIO()
        with connection.cursor() as cursor:
            query = f"copy (select {columns} from {table} order by id) to stdout (format binary)"  # noqa: S608
            with cursor.copy(query) as copy:
                for chunk in copy:
                    buffer.write(chunk)
            cursor.execute(f"select count(*) from {table}")  # noqa: S608
            count = cursor.fetchone()[0]
        rows += count
        works = count if table == "works_work" else locals().get("works", 0)
        packed.append((table, columns, buffer.getvalue()))
    empty(runs=False)
    started = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, data in packed:
            with cursor.copy(f"copy {table} ({columns}) from stdin (format binary)") as copy:
                for place in range(0, len(data), 1 << 20):
                    copy.write(data[place : place + (1 << 20)])
    return {"copy": time.monotonic() - started, "rows": rows, "works": works}


def create_again() -> dict[str, float]:
    """Take the rows out as objects, empty the tables, and bulk_create them with update_conflicts in one transaction."""
    from django.db import transaction

    objects = [(model, list(model._default_manager.order_by("pk"))) for model in tables()]
    empty(runs=False)
    started = time.monotonic()
    with transaction.atomic():
        for model, items in objects:
            fields = [field.name for field in written(model) if not field.primary_key]
            if items:
                model._default_manager.bulk_create(
                    items, batch_size=2000, update_conflicts=True, unique_fields=["id"], update_fields=fields
                )
    return {"bulk": time.monotonic() - started}


def written(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]


if __name__ == "__main__":
    main()
