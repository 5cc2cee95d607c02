"""The environment through which settings, workers and commands find their servers."""

import os
from collections.abc import Mapping
from pathlib import Path

from bzpeer.run import programs
from bzpeer.run.addresses import postgres_address, redis_address, with_database
from bzpeer.run.place import var_folder

SETTINGS = "bzpeer.settings"


def missing(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return which embedded servers must run: those for which the environment names no other."""
    needed = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return tuple(server for server, variable in needed.items() if not env.get(variable))


def set_addresses(found: Mapping[str, str]) -> None:
    """Put addresses into this process's environment, before Django reads it."""
    os.environ.update(found)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if os.environ.get("REDIS_URL") and not os.environ.get("CACHE_URL"):
        os.environ["CACHE_URL"] = with_database(os.environ["REDIS_URL"], 1)


def set_placeholders() -> None:
    """Name servers that do not run, for commands that load settings and connect to nothing."""
    sockets: Path = var_folder() / "run"
    wanted = missing(os.environ)
    found: dict[str, str] = {}
    if "postgres" in wanted:
        found["DATABASE_URL"] = postgres_address(str(sockets), user=programs.ROLE, name=programs.DATABASE)
    if "redis" in wanted:
        found["REDIS_URL"] = redis_address(str(sockets / "redis.sock"), 0)
    set_addresses(found)
