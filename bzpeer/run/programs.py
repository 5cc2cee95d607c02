"""The embedded PostgreSQL and Redis: their data folders, settings and command lines."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bzpeer.run.place import (
    DATABASE_ROOM,
    POSTGRES_MAJOR,
    ROOM_NEEDED,
    Place,
    RunError,
    give,
    postgres_programs,
    redis_program,
    room_or_error,
)

DATABASE = ROLE = "bzpeer"
MB = 2**20
PLAIN_ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Program:
    """One program under the supervisor.

    stop: signal for an orderly end, followed by SIGKILL after `patience` seconds; orphaned: signal that
    Linux sends when the supervisor itself is killed; priority: started in rising, stopped in falling order;
    autostart: begins with its group, else when asked to.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=lambda: dict(PLAIN_ENV))
    stop: str = "TERM"
    orphaned: str = "SIGTERM"
    patience: int = 10
    priority: int = 20
    server: bool = False
    autostart: bool = True


def postgres(place: Place, sockets: Path) -> Program:
    """Return PostgreSQL as a program, its data folder made if need be."""
    programs = postgres_programs(place)
    make_database(place, programs)
    return Program(
        "postgres",
        [str(programs / "postgres"), "-D", str(place.postgres), *_flags(postgres_settings(place, sockets))],
        place.postgres,
        stop="INT",  # "fast": ends sessions, writes a checkpoint
        orphaned="SIGINT",
        patience=30,
        priority=10,
        server=True,
    )


def redis(place: Place, sockets: Path) -> Program:
    """Return Redis as a program: broker in database 0, cache in database 1."""
    give(place.redis, place.account)
    settings = {
        "port": "0",
        "unixsocket": str(sockets / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(place.redis),
        "daemonize": "no",
        "databases": "16",
        "save": "",
        "appendonly": "yes" if place.durable else "no",
        "appendfsync": "everysec",
        # A broker must refuse rather than forget; the cache beside it only holds what expires.
        "maxmemory-policy": "noeviction",
    }
    options = [part for key, value in settings.items() for part in (f"--{key}", value)]
    return Program("redis", [str(redis_program(place)), *options], place.redis, priority=10, server=True)


def postgres_settings(place: Place, sockets: Path) -> dict[str, str]:
    """Return settings for a small machine that is used for other things too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{min(max(memory // 16 // MB, 64), 512)}MB",
        "effective_cache_size": f"{max(memory // 2 // MB, 128)}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "1GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_parallel_workers_per_gather": "1",
        "log_min_duration_statement": "2s",
        "log_checkpoints": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if sys.platform == "linux":
        # After a crash, one call for the whole disk instead of one for each of 1,700 files.
        settings["recovery_init_sync_method"] = "syncfs"
    if shared_memory_room() < 256 * MB:
        # A container's 64 MB /dev/shm ends parallel queries with "no space left on device".
        settings["dynamic_shared_memory_type"] = "mmap"
    if not place.durable:
        settings |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "128MB",
            "max_connections": "60",
            "max_wal_size": "512MB",
            # It would count the rows of a test's open transaction as none, and plan for empty tables.
            "autovacuum": "off",
        }
    return settings


def shared_memory_room() -> int:
    """Return the bytes that /dev/shm offers; 0 where there is none."""
    try:
        return shutil.disk_usage("/dev/shm").total
    except OSError:
        return 0


def _flags(settings: dict[str, str]) -> list[str]:
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def make_database(place: Place, programs: Path) -> None:
    """Make the data folder, complete or not at all: under another name first, then renamed."""
    data = place.postgres
    for half in place.store.glob("postgres.new-*"):
        shutil.rmtree(half, ignore_errors=True)
    try:
        if data.is_dir() and not any(data.iterdir()):
            data.rmdir()
        made = data.exists()
    except OSError as error:
        raise RunError(
            f"The data folder {data} cannot be read ({error.strerror}): make it yours, or set BZPEER_VAR."
        ) from error
    if made:
        _check_version(data)
        return
    room_or_error(place.store, DATABASE_ROOM if place.durable else ROOM_NEEDED)
    half = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=place.store))
    give(half, place.account)
    try:
        # Sorting and case by Unicode code points, the same on every machine and in every PostgreSQL from 17.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        sync = [] if place.durable else ["--no-sync"]
        _as_account(
            place,
            [str(programs / "initdb"), "-D", str(half), "-U", "postgres", "--auth=trust", "--no-instructions",
             *locale, *sync],
        )  # fmt: skip
        # The application's role owns its database and may make test databases, but is no superuser.
        _as_account(
            place,
            [str(programs / "postgres"), "--single", "-D", str(half), "postgres"],
            f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n",
        )
        half.rename(data)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise


def _check_version(data: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise RunError(
            f"{data} holds no PostgreSQL database that can be read: move it away to begin anew."
        ) from error
    if version != POSTGRES_MAJOR:
        raise RunError(
            f"{data} was made by PostgreSQL {version} and this is {POSTGRES_MAJOR}: dump it there first."
        )


def _as_account(place: Place, command: list[str], text: str = "") -> None:
    """Run one program to its end as the servers' account. Raises RunError with its reason."""
    account = place.account
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        env=PLAIN_ENV,
        cwd="/",
        umask=0o077,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        check=False,
    )
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise RunError(explain(done.stderr + done.stdout, "PostgreSQL's data folder cannot be made"))


KNOWN = {
    "No space left on device": "the disk is full",
    "Disk quota exceeded": "the disk quota is used up",
    "Read-only file system": "the file system is read-only",
    "Permission denied": "a file belongs to somebody else",
    "could not create shared memory": "the machine grants too little shared memory",
    "Cannot allocate memory": "the machine is out of memory",
    "Too many open files": "the limit of open files is too low",
    "could not locate a valid checkpoint record": "its data are damaged; restore a backup or move them away",
}


def explain(log: str, what: str) -> str:
    """Return one sentence for people from what a server wrote before it gave up."""
    for sign, meaning in KNOWN.items():
        if sign in log:
            line = next(line for line in log.splitlines() if sign in line)
            return f"{what}: {meaning} ({line.strip()})."
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [
        line for line in lines if any(sign in line for sign in ("FATAL", "PANIC", "ERROR", "error", "rror:"))
    ]
    reason = (telling or lines or ["it gave no reason"])[-1]
    return f"{what}: {reason.rstrip('.')}."
