"""Real servers in folders of their own, stopped and removed after each test."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bzpeer.run.child import is_alive
from bzpeer.run.place import CHECKOUT, Place, temporary_place
from bzpeer.run.servers import Servers

USER = """
import sys
from bzpeer.run.place import default_place
from bzpeer.run.servers import Servers
servers = Servers(default_place())
servers.hold()
print((servers.place.postgres / "postmaster.pid").read_text().splitlines()[0], flush=True)
sys.stdin.read()
servers.release()
"""


def wait_until(true: Callable[[], object], seconds: float = 15) -> None:
    """Return once a condition holds; fail when it does not within the time."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


def postmaster(place: Place) -> int:
    """Return the running PostgreSQL's process number."""
    return int((place.postgres / "postmaster.pid").read_text().splitlines()[0])


def query(servers: Servers, sql: str) -> object:
    """Return the first value of a query through the address that the application uses."""
    with psycopg.connect(servers.addresses()["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(sql)  # type: ignore[arg-type]
        return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]


def answers(servers: Servers) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        return query(servers, "select 1") == 1
    return False


@pytest.fixture
def place() -> Iterator[Place]:
    made = temporary_place()
    yield made
    kill_everything(made)
    shutil.rmtree(made.var, ignore_errors=True)


@pytest.fixture
def servers(place: Place) -> Iterator[Servers]:
    with Servers(place) as held:
        yield held


@pytest.fixture
def start_user(place: Place) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start another process that uses the same place's servers until its input ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        env = {**os.environ, "BZPEER_VAR": str(place.var)}
        command = [sys.executable, "-c", USER]
        new = subprocess.PIPE
        started.append(subprocess.Popen(command, env=env, cwd=CHECKOUT, stdin=new, stdout=new, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def kill_everything(place: Place) -> None:
    """End a supervisor that a failed test left; its programs end with it."""
    pid_file = Path(place.control, "supervisord.pid")
    supervisor = Servers(place).supervisor
    if supervisor.is_alive() and pid_file.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 15)
        wait_until(lambda: not supervisor.is_alive())


def gone(pid: int) -> bool:
    return not is_alive(pid)
