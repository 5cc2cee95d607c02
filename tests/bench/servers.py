"""Servers of their own for measurements and faults: nothing touches the demo's data."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_servers() -> Iterator[None]:
    """Start PostgreSQL and Redis in a temporary place, migrate, and stop them in the end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bzpeer.settings")
    os.environ["BZPEER_TESTING"] = "1"
    for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    from bzpeer.run import testing

    testing.start()
    try:
        import django

        django.setup()
        manage("migrate", "--verbosity", "0")
        yield
    finally:
        testing.stop()


def manage(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run manage.py with these words in a process of its own; raise where it fails."""
    return subprocess.run([sys.executable, "manage.py", *words], check=True, text=True, **options)  # type: ignore[call-overload, no-any-return]
