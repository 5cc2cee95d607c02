"""/healthz says that the process lives, /readyz that it can serve pages and what else is up."""

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu import Connection

from bzpeer.lib import heartbeat

LONGEST_SILENCE = 60.0  # seconds: six beats missed

_migrated = False  # migrations are never taken back under a running process: once seen, no need to look again


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process does; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when pages can be served: the database answers and is migrated.

    Broker and workers are reported but not required: pages need only the database, and what they leave undone
    is marked in the database and done later.
    """
    checks = {
        "database": _database(),
        "migrations": _migrations(),
        "broker": _broker(),
        "worker": _worker(),
    }
    ready = checks["database"]["ok"] and checks["migrations"]["ok"]
    return JsonResponse(
        {"ready": ready, "degraded": not all(check["ok"] for check in checks.values()), "checks": checks},
        status=200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            return {"ok": cursor.fetchone() == (1,)}
    except Error as error:
        return _failed(error)


def _migrations() -> dict[str, Any]:
    global _migrated
    if _migrated:
        return {"ok": True, "pending": 0}
    try:
        executor = MigrationExecutor(connection)
        pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Error as error:
        return _failed(error)
    _migrated = not pending
    return {"ok": not pending, "pending": pending}


def _broker() -> dict[str, Any]:
    options = {"socket_timeout": 1, "socket_connect_timeout": 1}
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=1, transport_options=options) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
        return {"ok": True}
    except Exception as error:  # kombu's transports raise whatever their client raises
        return _failed(error)


def _worker() -> dict[str, Any]:
    """Look for the heartbeat that beat asks of the workers every ten seconds."""
    seconds = heartbeat.seconds_since()
    if seconds is None:
        return {"ok": False, "error": "no heartbeat"}
    return {"ok": seconds < LONGEST_SILENCE, "seconds_since_heartbeat": round(seconds)}


def _failed(error: Exception) -> dict[str, Any]:
    """Name the kind of failure only: the message may hold addresses of the host."""
    return {"ok": False, "error": type(error).__name__}
