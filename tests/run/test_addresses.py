"""Addresses: what settings hand to Django, kombu and redis-py."""

import pytest
from redis.connection import parse_url

from bzpeer.run import addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ada:s%40cret@db.example.org:5433/papers?sslmode=require&connect_timeout=3",
            {
                "NAME": "papers",
                "USER": "ada",
                "PASSWORD": "s@cret",
                "HOST": "db.example.org",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require", "connect_timeout": 3},
            },
        ),
        (
            "postgresql://bzpeer@/bzpeer?host=%2Fsrv%2Fa+b",
            {"NAME": "bzpeer", "USER": "bzpeer", "PASSWORD": "", "HOST": "/srv/a b", "PORT": ""},
        ),
        ("postgres:///x", {"NAME": "x", "USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}),
        (
            "postgresql://u@[::1]:6000/x",
            {"NAME": "x", "USER": "u", "PASSWORD": "", "HOST": "::1", "PORT": "6000"},
        ),
        (
            "postgresql://u@one:1,two/x",
            {"NAME": "x", "USER": "u", "PASSWORD": "", "HOST": "one,two", "PORT": "1,5432"},
        ),
    ],
)
def test_database_config_reads_what_libpq_reads(url: str, expected: dict) -> None:
    assert addresses.database_config(url) == {"ENGINE": "django.db.backends.postgresql", **expected}


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://host/", "postgresql://h:port/x", ""])
def test_database_config_refuses_what_it_cannot_use(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        addresses.database_config(url)


def test_pooler_turns_server_side_cursors_off() -> None:
    config = addresses.database_config("postgresql://u@pool/x?pgbouncer=true")
    assert config["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert "OPTIONS" not in config


def test_socket_address_survives_its_own_round_trip() -> None:
    url = addresses.postgres_address("/srv/a b&c", user="bz peer", name="x/y")
    config = addresses.database_config(url)
    assert (config["HOST"], config["USER"], config["NAME"]) == ("/srv/a b&c", "bz peer", "x/y")


@pytest.mark.parametrize(
    "url", ["unix:///srv/a%20b/r.sock?db=3", "redis+socket:///srv/a%20b/r.sock?virtual_host=3"]
)
def test_both_socket_spellings_reach_both_libraries(url: str) -> None:
    read = parse_url(addresses.redis_py_address(url))
    assert (read["path"], read["db"]) == ("/srv/a b/r.sock", 3)
    assert addresses.kombu_address(url) == "redis+socket:///srv/a%20b/r.sock?virtual_host=3"


def test_socket_login_reaches_both_libraries() -> None:
    url = "unix://ada:p%3Aw@/tmp/r.sock?db=1"
    read = parse_url(addresses.redis_py_address(url))
    assert (read["username"], read["password"]) == ("ada", "p:w")
    assert addresses.kombu_address(url) == "redis+socket://ada:p%3Aw@/tmp/r.sock?virtual_host=1"


def test_network_address_keeps_its_database_for_kombu() -> None:
    assert addresses.kombu_address("redis://:pw@cache:6379/2") == "redis://:pw@cache:6379/2"
    assert addresses.kombu_address("redis://cache:6379?db=2") == "redis://cache:6379/2"
    assert addresses.redis_py_address("rediss://cache/1") == "rediss://cache/1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:pw@cache:6379/0", "redis://:pw@cache:6379/1"),
        ("redis://cache?db=4", "redis://cache/1"),
        ("unix:///tmp/r.sock?db=0", "unix:///tmp/r.sock?db=1"),
    ],
)
def test_with_database_changes_only_the_number(url: str, expected: str) -> None:
    assert addresses.with_database(url, 1) == expected


@pytest.mark.parametrize("url", ["http://x", "unix:///", "unix:///a?db=x"])
def test_redis_addresses_that_mean_nothing_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Redis"):
        addresses.redis_py_address(url)
