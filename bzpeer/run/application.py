"""The application's own programs: web server, Celery worker, Celery beat."""

import os
import sys

from bzpeer.run.place import CHECKOUT, Place, make_folder
from bzpeer.run.programs import Program

WEB_WORKERS = 2
CELERY_PROCESSES = 2


def application(place: Place, host: str, port: int) -> list[Program]:
    """Return the programs of a demo. They inherit this process's environment, addresses included."""
    make_folder(place.var / "beat")
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "PORT": str(port)}
    for inherited in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(inherited, None)
    celery = [sys.executable, "-m", "celery", "-A", "bzpeer.celery"]
    web = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(WEB_WORKERS), "--no-ws", "--respawn-failed-workers", "--respawn-interval", "0.5",
        "--workers-kill-timeout", "4", "bzpeer.wsgi:application",
    ]  # fmt: skip
    worker = [
        *celery, "worker", "-Q", "default,bulk,mail", "-c", str(CELERY_PROCESSES), "-l", "INFO",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    beat = [*celery, "beat", "-l", "INFO", "--pidfile=", "-s", str(place.var / "beat" / "schedule")]
    return [
        Program("web", web, CHECKOUT, {**env, "BZPEER_ROLE": "web"}, patience=6),
        # What a worker leaves undone is done again: it may be killed when it takes its time.
        Program("worker", worker, CHECKOUT, {**env, "BZPEER_ROLE": "worker"}, patience=6, orphaned="SIGKILL"),
        Program("beat", beat, CHECKOUT, {**env, "BZPEER_ROLE": "beat"}, patience=4, orphaned="SIGKILL"),
    ]
