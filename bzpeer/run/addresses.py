"""Translate one server address into the form that each library wants. Pure: no files, no network."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

# libpq options that Django passes on to psycopg must be numbers, not text.
NUMERIC_OPTIONS = {
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
}


class RedisSocket(NamedTuple):
    """A Redis server behind a Unix socket."""

    path: str
    db: int
    username: str | None
    password: str | None


def database_config(url: str) -> dict[str, Any]:
    """Return Django's settings for one PostgreSQL address.

    url: postgresql://user:password@host:port/name?host=/socket/folder&sslmode=…; the query's host,
    port, user, password and dbname win, as in libpq; pgbouncer=true says that a pooler hands out
    connections per transaction; what else it holds goes to OPTIONS.
    Raises ValueError for another scheme, a missing name or a port that is no number.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme or 'nothing'}://.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    userinfo, _, hosts = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _host_and_port(hosts)
    name = options.pop("dbname", "") or unquote(parts.path.removeprefix("/"))
    if not name:
        raise ValueError("DATABASE_URL names no database: end it with /NAME.")
    port = options.pop("port", "") or port
    if port and not all(one.isdigit() for one in port.split(",")):
        raise ValueError(f"DATABASE_URL has the port {port!r}, which is no number.")
    config: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": options.pop("user", "") or unquote(user),
        "PASSWORD": options.pop("password", "") or unquote(password),
        "HOST": options.pop("host", "") or unquote(host),
        "PORT": port,
    }
    if options.pop("pgbouncer", "") in {"true", "1"}:
        config["DISABLE_SERVER_SIDE_CURSORS"] = True  # they outlive a transaction
    for key in NUMERIC_OPTIONS & options.keys():
        options[key] = int(options[key])
    if options:
        config["OPTIONS"] = options
    return config


def _host_and_port(hosts: str) -> tuple[str, str]:
    """Split 'a:1,b:2' into 'a,b' and '1,2', as Django wants several hosts; '[::1]:5432' too."""
    found: list[tuple[str, str]] = []
    for one in hosts.split(",") if hosts else []:
        if one.startswith("["):
            host, _, rest = one[1:].partition("]")
            found.append((host, rest.removeprefix(":")))
        else:
            host, _, port = one.partition(":")
            found.append((host, port))
    ports = [port for _, port in found]
    if len(found) > 1 and any(ports):
        ports = [port or "5432" for port in ports]
    return ",".join(host for host, _ in found), ",".join(port for port in ports if port)


def redis_socket(url: str) -> RedisSocket | None:
    """Return the socket that an address names, or None for a network address.

    Understands both spellings: unix:///path?db=1 and redis+socket:///path?virtual_host=1.
    Raises ValueError for a scheme that is no Redis address, or a database that is no number.
    """
    parts = urlsplit(url)
    if parts.scheme in {"redis", "rediss"}:
        return None
    if parts.scheme not in {"unix", "redis+socket"}:
        raise ValueError(
            f"A Redis address begins with redis://, rediss:// or unix://, not {url.split(':')[0]}:."
        )
    query = dict(parse_qsl(parts.query))
    db = query.get("db") or query.get("virtual_host") or "0"
    if not db.strip("/").isdigit():
        raise ValueError(f"The Redis database {db!r} is no number.")
    if not parts.path.startswith("/") or parts.path == "/":
        raise ValueError("A Redis socket address needs a full path: unix:///path/to/redis.sock.")
    return RedisSocket(
        path=unquote(parts.path),
        db=int(db.strip("/")),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _login(socket: RedisSocket) -> str:
    if socket.username is None and socket.password is None:
        return ""
    return f"{quote(socket.username or '', safe='')}:{quote(socket.password or '', safe='')}@"


def kombu_address(url: str) -> str:
    """Return a Redis address as Celery's transport wants it.

    kombu reads a network database from the path alone, and a socket's from virtual_host.
    """
    socket = redis_socket(url)
    if socket is not None:
        return f"redis+socket://{_login(socket)}{quote(socket.path)}?virtual_host={socket.db}"
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if "db" not in query:
        return url
    db = query.pop("db")
    return parts._replace(path=f"/{db}", query=urlencode(query)).geturl()


def redis_py_address(url: str) -> str:
    """Return a Redis address as redis-py, and so Django's cache, wants it."""
    socket = redis_socket(url)
    if socket is None:
        return url
    return f"unix://{_login(socket)}{quote(socket.path)}?db={socket.db}"


def with_database(url: str, db: int) -> str:
    """Return the same Redis server's address with another database number, for redis-py."""
    socket = redis_socket(url)
    if socket is not None:
        return redis_py_address(f"unix://{_login(socket)}{quote(socket.path)}?db={db}")
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.pop("db", None)
    return parts._replace(path=f"/{db}", query=urlencode(query)).geturl()


def postgres_address(folder: str, *, user: str, name: str) -> str:
    """Return the DATABASE_URL of a PostgreSQL server behind a Unix socket in a folder."""
    return f"postgresql://{quote(user, safe='')}@/{quote(name, safe='')}?{urlencode({'host': folder})}"


def redis_address(path: str, db: int) -> str:
    """Return the REDIS_URL of a Redis server behind a Unix socket."""
    return f"unix://{quote(path)}?db={db}"
