"""The application's own programs: web server, three Celery workers, Celery beat."""

import os
import sys

from bzpeer.run.place import CHECKOUT, Place, make_folder
from bzpeer.run.programs import Program

WEB_WORKERS = 2


def application(place: Place, host: str, port: int) -> list[Program]:
    """Return the programs of a demo. They inherit this process's environment, addresses included.

    The web server begins alone and the others when it answers: on two cores, four starts of Django at once
    make whoever waits for the first page wait for all of them.
    """
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
    worker = [*celery, "worker", "-c", "1", "-l", "INFO", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "-l", "INFO", "--pidfile=", "-s", str(place.var / "beat" / "schedule")]
    return [
        Program("web", web, CHECKOUT, {**env, "BZPEER_ROLE": "web"}, patience=6),
        # What a worker leaves undone is done again: it may be killed when it takes its time.
        # What an import leaves, and what asks the sources, have workers of their own: neither holds up a page or mail.
        *(
            Program(
                name,
                [*worker, "-Q", queues],
                CHECKOUT,
                {**env, "BZPEER_ROLE": "worker"},
                patience=6,
                orphaned="SIGKILL",
                autostart=False,
            )
            for name, queues in (("worker", "default,mail"), ("bulk", "bulk"), ("sync", "sync"))
        ),
        Program(
            "beat",
            beat,
            CHECKOUT,
            {**env, "BZPEER_ROLE": "beat"},
            patience=4,
            orphaned="SIGKILL",
            autostart=False,
        ),
    ]
