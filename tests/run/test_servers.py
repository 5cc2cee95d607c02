"""The embedded servers: found or started, kept, mended, and stopped with their last user."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from kombu import Connection

from bzpeer.run import addresses
from bzpeer.run.place import Place, RunError, give
from bzpeer.run.servers import Servers
from tests.run.conftest import answers, gone, postmaster, query, wait_until

StartUser = Callable[[], subprocess.Popen[str]]


def test_both_servers_answer_at_their_addresses(servers: Servers) -> None:
    assert query(servers, "select current_user || ' ' || current_setting('listen_addresses')") == "bzpeer "
    assert query(servers, "select rolsuper from pg_roles where rolname = current_user") is False
    found = servers.addresses()
    with redis.from_url(addresses.redis_py_address(found["REDIS_URL"])) as client:
        assert client.config_get("port") == {"port": "0"}
        with Connection(addresses.kombu_address(found["REDIS_URL"])) as connection:
            connection.SimpleQueue("greetings").put("hello")
        assert client.llen("greetings") == 1
    with redis.from_url(addresses.redis_py_address(found["CACHE_URL"])) as cache:
        assert cache.dbsize() == 0


def test_killed_postgres_comes_back_with_what_was_committed(place: Place) -> None:
    with Servers(replace(place, durable=True)) as servers:
        query(servers, "create table kept as select 42 as answer")
        old = postmaster(place)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: gone(old) and answers(servers))
        assert postmaster(place) != old
        assert query(servers, "select answer from kept") == 42


def test_killed_redis_comes_back_with_its_queue(place: Place) -> None:
    with Servers(replace(place, durable=True)) as servers:
        client = redis.from_url(addresses.redis_py_address(servers.addresses()["REDIS_URL"]))
        client.rpush("queue", "job")
        time.sleep(1.2)  # the log is written once a second
        old = client.info("server")["process_id"]
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: gone(old) and servers.are_ready())
        assert client.lrange("queue", 0, -1) == [b"job"]
        client.close()


def test_killed_supervisor_takes_its_servers_along_and_the_next_user_starts_anew(servers: Servers) -> None:
    query(servers, "create table kept as select 1 as one")
    time.sleep(0.5)  # test servers write what was committed a moment later
    old = postmaster(servers.place)
    os.kill(int((servers.place.control / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: gone(old))
    servers.ensure()
    assert query(servers, "select one from kept") == 1


def test_killed_watcher_still_stops_everything_in_the_end(place: Place) -> None:
    servers = Servers(place)
    servers.hold()
    old = servers.supervisor.processes()["watch"]["pid"]
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: servers.supervisor.processes()["watch"]["pid"] not in {0, old})
    servers.release()
    assert not servers.supervisor.is_alive()


def test_pid_file_that_names_a_stranger_does_not_stop_a_start(place: Place) -> None:
    with Servers(place):
        note = (place.postgres / "postmaster.pid").read_text()
    # After a crash and a reboot the number belongs to some other living process: here, to this one.
    lines = note.splitlines()
    (place.postgres / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    (place.store / "run" / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n{place.postgres}\n0\n5432\n\n")
    for path in (place.postgres / "postmaster.pid", place.store / "run" / ".s.PGSQL.5432.lock"):
        if place.account is not None:
            os.chown(path, place.account.pw_uid, place.account.pw_gid)
    with Servers(place) as servers:
        assert answers(servers)


def test_half_made_database_is_thrown_away(place: Place) -> None:
    half = place.store / "postgres.new-killed"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    place.postgres.mkdir(mode=0o700)
    with Servers(place) as servers:
        assert answers(servers)
    assert not half.exists()


def test_database_of_another_version_is_left_alone(place: Place) -> None:
    give(place.postgres, place.account)
    (place.postgres / "PG_VERSION").write_text("16\n")
    with pytest.raises(RunError, match=r"made by PostgreSQL 16 and this is 18"):
        Servers(place).hold()
    assert (place.postgres / "PG_VERSION").read_text() == "16\n"
    assert not Servers(place).supervisor.is_alive()


def test_unreadable_redis_log_is_put_aside(place: Place) -> None:
    give(place.redis, place.account)
    broken = place.redis / "appendonly.aof"
    broken.write_text("this is no log\n")
    modern = place.redis / "appendonlydir"
    modern.mkdir()
    (modern / "appendonly.aof.manifest").write_text("nor is this\n")
    if place.account is not None:
        for path in (broken, modern, *modern.iterdir()):
            os.chown(path, place.account.pw_uid, place.account.pw_gid)
    with Servers(replace(place, durable=True)) as servers:
        assert servers.are_ready()
    assert list(place.redis.glob("appendonly*.unreadable-*"))


def test_deep_folder_gets_short_sockets(place: Place) -> None:
    deep = place.var / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    for folder in (deep, deep.parent):
        folder.chmod(0o711)
    with Servers(replace(place, var=deep, store=deep)) as servers:
        sockets = servers.sockets
        assert len(os.fsencode(sockets / ".s.PGSQL.5432.lock")) <= 107
        assert sockets.stat().st_mode & 0o077 == 0
        assert answers(servers)


def test_servers_stop_with_the_last_of_several_users(place: Place, start_user: StartUser) -> None:
    users = [start_user() for _ in range(3)]
    numbers = {user.stdout.readline() for user in users if user.stdout}
    assert len(numbers) == 1, "all three use the same server"
    server = int(numbers.pop())
    assert users[0].stdin is not None
    users[0].stdin.close()
    users[0].wait(10)
    users[1].kill()
    users[1].wait()
    time.sleep(0.3)
    assert not gone(server)
    users[2].kill()  # nobody is left to say good-bye
    wait_until(lambda: gone(server))
    wait_until(lambda: not Servers(place).supervisor.is_alive())


def test_user_who_comes_while_servers_stop_gets_new_ones(place: Place, start_user: StartUser) -> None:
    first = start_user()
    assert first.stdout is not None
    old = int(first.stdout.readline())
    first.kill()
    with Servers(place) as servers:
        assert answers(servers)
        assert postmaster(place) != old or not gone(old)


def test_release_returns_after_everything_has_stopped(place: Place) -> None:
    servers = Servers(place)
    servers.hold()
    server = postmaster(place)
    servers.release()
    assert gone(server)
    assert not list((place.store / "run").glob("*sock*"))


def test_only_the_missing_server_is_started(place: Place) -> None:
    with Servers(place, ("redis",)) as servers:
        assert set(servers.addresses()) == {"REDIS_URL", "CACHE_URL"}
        assert not place.postgres.exists()
        with Servers(place) as both:  # a second command without DATABASE_URL adds what it needs
            assert answers(both)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be made"):
        Servers(Place(tmp_path / "var", tmp_path / "var", None))
    tmp_path.chmod(0o700)
