"""Bring database, static files and demonstration data up to date, in one process for one start of Django."""

import contextlib
import hashlib
import io
import os
import signal
import sys
import traceback
from pathlib import Path

from bzpeer.run.child import die_with_parent
from bzpeer.run.place import var_folder

LOGINS = "logins.txt"


def main() -> None:
    """Do what is needed and nothing else: on a second start that is next to nothing."""
    die_with_parent(signal.SIGTERM)
    import django

    django.setup()
    migrate()
    collect_static()
    demo_data()


def migrate() -> None:
    """Apply the migrations that are missing."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print(f"Database: applying {len(plan)} migrations", flush=True)
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()


def collect_static() -> None:
    """Collect static files when one of them, or how they are stored, has changed."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    seen = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list(None):
            state = Path(storage.path(name)).stat()
            seen.update(f"{name}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.stamp")
    if root.is_dir() and stamp.exists() and stamp.read_text() == seen.hexdigest():
        return
    print("Static files: collecting", flush=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(seen.hexdigest())


def demo_data() -> None:
    """Import the demonstration data unless they are there, and note the log-ins for the demo to show."""
    from django.core.management import call_command, get_commands

    logins = var_folder() / LOGINS
    if "demo_data" not in get_commands():
        logins.unlink(missing_ok=True)
        return
    call_command("demo_data")
    text = io.StringIO()
    call_command("demo_data", "--logins", stdout=text)
    logins.write_text(text.getvalue(), encoding="utf-8")


def report(failure: str) -> None:
    """Leave a traceback in the log, and give its end to the demo that waits for it; else show it."""
    with contextlib.suppress(OSError):
        (var_folder() / "log" / "prepare.log").write_text(failure, encoding="utf-8")
    if len(sys.argv) > 1:
        os.write(int(sys.argv[1]), failure[-8000:].encode())
    else:
        sys.stderr.write(failure)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        report(traceback.format_exc())
        sys.exit(1)
