"""A pytest plugin: one set of servers for a test run, started before Django reads its settings.

Loaded by `-p bzpeer.run.testing`, since pytest-django loads the settings before any conftest.py.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bzpeer.run.environment import missing, set_addresses
from bzpeer.run.place import RunError, temporary_place
from bzpeer.run.servers import Servers

GIVEN = "BZPEER_TEST_SERVERS"  # set for xdist's workers, which share the controller's servers
_running: list[Servers] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the servers. A wrapper runs before pytest-django's own hook of this name."""
    options = early_config.known_args_namespace
    idle = getattr(options, "version", False) or getattr(options, "help", False)
    if not idle and GIVEN not in os.environ:
        os.environ["BZPEER_TESTING"] = "1"
        remove_abandoned()
        # Never the demo's: an address in the environment is used only when it is meant for tests.
        for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
            os.environ.pop(name, None)
            if value := os.environ.get(f"TEST_{name}"):
                os.environ[name] = value
        try:
            start()
        except RunError as error:
            stop()
            raise pytest.UsageError(str(error)) from error
        os.environ[GIVEN] = "1"
    return (yield)


def start() -> None:
    """Start what the environment does not name, in a temporary place."""
    place = temporary_place()
    os.environ["BZPEER_VAR"] = str(place.var)  # logs, static files, mail: nothing of a test reaches var/
    servers = Servers(place, missing(os.environ))
    _running.append(servers)
    if servers.wanted:
        servers.hold()
        set_addresses(servers.addresses())
    else:
        set_addresses({})


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers with the run, whatever its result; the watcher does it if the run is killed."""
    stop()


def stop() -> None:
    """Stop what this process started, and remove it."""
    while _running:
        servers = _running.pop()
        servers.release()
        shutil.rmtree(servers.place.var, ignore_errors=True)
        os.environ.pop(GIVEN, None)


def remove_abandoned() -> None:
    """Remove the folders of test runs that were killed: those whose users' lock nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"bzpeer-test-{os.geteuid()}-*"):
        with contextlib.suppress(OSError), (folder / "supervisor" / "users.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
