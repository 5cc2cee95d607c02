"""manage.py and the demo at their edges."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from bzpeer.run.application import application
from bzpeer.run.command import needs_servers
from bzpeer.run.demo import Demo, is_loopback, machine_names
from bzpeer.run.environment import missing
from bzpeer.run.place import CHECKOUT, Place, RunError
from bzpeer.run.servers import Servers
from tests.run.conftest import gone, postmaster

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(place: Place) -> Run:
    """Run Python in the checkout as if nobody had named any servers."""

    def start(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        clean = {
            key: value for key, value in os.environ.items() if not key.endswith("_URL") and key != "MAKELEVEL"
        }
        env = {**clean, "BZPEER_VAR": str(place.var), **env}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    return start


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("migrate", True),
        ("dbshell", True),
        ("", False),
        ("help migrate", False),
        ("migrate --help", False),
        ("makemigrations --check", False),
        ("check --deploy", False),
        ("check --database default", True),
    ],
)
def test_only_commands_that_connect_start_servers(line: str, needed: bool) -> None:
    assert needs_servers(line.split()) is needed


def test_servers_named_by_the_environment_are_not_started() -> None:
    assert missing({}) == ("postgres", "redis")
    assert missing({"DATABASE_URL": "postgresql:///x"}) == ("redis",)
    assert missing({"DATABASE_URL": "postgresql:///x", "REDIS_URL": "redis://x"}) == ()
    assert missing({"DATABASE_URL": ""}) == ("postgres", "redis"), "an empty value names nothing"


def test_command_brings_its_own_servers_and_takes_them_along(run: Run, place: Place) -> None:
    done = run("manage.py", "dbshell", "--", "-At", "-c", "select 6 * 7")
    assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr
    assert not (place.postgres / "postmaster.pid").exists()


def test_command_beside_running_servers_uses_and_leaves_them(run: Run, place: Place) -> None:
    with Servers(place):
        server = postmaster(place)
        done = run("manage.py", "dbshell", "--", "-At", "-c", "select pg_backend_pid() > 0")
        assert (done.returncode, done.stdout.strip()) == (0, "t"), done.stderr
        assert postmaster(place) == server
        assert not gone(server)


def test_demo_says_which_port_is_taken(run: Run, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-m", "bzpeer.run", PORT=str(port))
    assert done.returncode == 1
    assert (
        done.stdout
        == f"Port {port} is in use by another program: choose another, as in `make demo PORT={port + 1}`.\n"
    )
    assert not place.postgres.exists()


def test_second_demo_says_where_the_first_one_is(run: Run, place: Place) -> None:
    control = Servers(place).demo
    with Path(control).open("w") as lock:
        flock(lock, LOCK_EX)
        json.dump({"pid": os.getpid(), "address": "http://127.0.0.1:8123/"}, lock)
        lock.flush()
        done = run("-m", "bzpeer.run")
    assert done.returncode == 1
    assert (
        done.stdout
        == "The demo of this checkout already runs at http://127.0.0.1:8123/; stop that one first.\n"
    )


def test_host_names_of_an_open_demo() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    everywhere = "0.0.0.0"  # noqa: S104
    assert [is_loopback(host) for host in (everywhere, "192.0.2.7", "example.org")] == [False] * 3
    assert socket.gethostname().lower() in machine_names(everywhere)
    assert everywhere not in machine_names(everywhere)
    assert machine_names("2001:db8::7")[0] == "[2001:db8::7]"


def test_only_the_web_server_starts_at_once(place: Place) -> None:
    programs = application(place, "127.0.0.1", 8000)
    assert {one.name: one.autostart for one in programs} == {
        "web": True,
        "worker": False,
        "bulk": False,
        "sync": False,
        "beat": False,
    }


@pytest.mark.parametrize("port", ["x", "0", "70000"])
def test_demo_refuses_what_is_no_port(run: Run, port: str) -> None:
    done = run("-m", "bzpeer.run", PORT=port)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == f"PORT is {port!r}, and must be a number from 1 to 65535.\n"


def test_a_failed_preparation_is_one_sentence_and_its_traceback_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BZPEER_VAR", str(place.var))
    monkeypatch.delenv("HOST", raising=False)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "missing_settings")
    demo = Demo()
    demo.place.logs.mkdir()
    with pytest.raises(
        RunError, match=r"failed: .*No module named 'missing_settings'\. The whole of it"
    ) as said:
        demo._prepare()
    assert "\n" not in str(said.value)
    assert "Traceback" in demo.place.log("prepare").read_text()
    assert capfd.readouterr() == ("", "")
