"""Fetch one page that a member names: from the public internet alone, bounded in size and time, and nobody's errand.

The guard of works/sync resolves a name once and refuses whatever is not public; the connection goes to an address
that it checked, so that a name which changes its answer in between leads nowhere. Redirects stay on the page's host.
"""

import ssl
import time
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
from django.conf import settings
from lxml import etree, html

from works.sync.guard import Forbidden, Origin, Resolver, checked_addresses, origin_of, resolve

MAX_BYTES = 1_000_000
SECONDS = 5.0  # of everything together, redirects as well
MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {443}


class FetchError(Exception):
    """The page could not be had; the message says why, to whoever named it."""


def fetch_page(url: str, resolver: Resolver = resolve, seconds: float = SECONDS) -> bytes:
    """Return the page at an address, as it is sent. Raises FetchError.

    https alone; SYNC_ALLOW_LOOPBACK also lets http pages of this very machine in, for tests.
    """
    ends = time.monotonic() + seconds
    origin = _origin(url)
    network = _Network(origin, ends, resolver)
    headers = {
        "User-Agent": f"BZPEER (+{settings.PUBLIC_URL})".encode("ascii", "ignore").decode(),
        "Accept": "text/html,application/xhtml+xml",
        "Accept-Encoding": "identity",
    }
    try:
        with httpcore.ConnectionPool(ssl_context=_certificates(), network_backend=network, retries=0) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                with pool.stream("GET", _written(url), headers=_headers(headers, url)) as response:
                    if response.status not in _REDIRECTS:
                        return _body(response, ends)
                    url = _redirected(url, response)
                    if not _is_at(url, origin):
                        raise FetchError("The page leads on elsewhere. Give the address at which it is.")
    except Forbidden as error:
        raise FetchError(f"The page was not asked for: {error}.") from error
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise FetchError(f"The page did not come within {seconds:g} seconds.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
        raise FetchError("The page could not be reached.") from error
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError("The page's address cannot be read.") from error
    raise FetchError("The page leads from address to address.")


def my_links(page: bytes) -> list[str]:
    """Return the addresses that a page says are of the same person: of links with rel="me"."""
    if not page.strip():
        return []
    try:
        tree = html.document_fromstring(page)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    links: Iterable[Any] = tree.iter("a", "link", "area")
    return [link.get("href", "").strip() for link in links if "me" in link.get("rel", "").lower().split()]


class _Network(httpcore.SyncBackend):
    """Connects to checked addresses of one host alone, whatever is asked for; all waiting ends at one moment."""

    def __init__(self, origin: Origin, ends: float, resolver: Resolver) -> None:
        self._origin, self._ends, self._resolver = origin, ends, resolver

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        inside = bool(settings.SYNC_ALLOW_LOOPBACK)
        try:
            addresses = checked_addresses(
                self._origin.host, self._origin.port, allow_loopback=inside, resolver=self._resolver
            )
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = super().connect_tcp(address, self._origin.port, timeout=_left(self._ends))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                last = failure  # IPv6 without a route, often
                continue
            return _Stream(stream, self._ends)
        raise last

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise Forbidden("a socket of this machine")


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends when the time for all is over: one byte at a time gains nothing."""

    def __init__(self, inner: httpcore.NetworkStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._ends))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left


def _origin(url: str) -> Origin:
    """Return where an address leads, in the network's letters, if it is one that we ask. Raises FetchError."""
    try:
        parts = urlsplit(url)
        origin = origin_of(url)._replace(host=httpx.URL(url).raw_host.decode("ascii").lower().rstrip("."))
    except (Forbidden, ValueError, UnicodeError) as error:
        raise FetchError("That is no web address.") from error
    if parts.username is not None or parts.password is not None:
        raise FetchError("An address with a name and password in it is not asked for.")
    local = bool(settings.SYNC_ALLOW_LOOPBACK) and _is_loopback(origin)
    if origin.scheme != "https" and not local:
        raise FetchError("The address must begin with https://.")
    if origin.port not in _PORTS and not local:
        raise FetchError("The address names an unusual port.")
    return origin


def _is_at(url: str, origin: Origin) -> bool:
    try:
        return _origin(url) == origin
    except FetchError:
        return False


def _is_loopback(origin: Origin) -> bool:
    return origin.host in {"127.0.0.1", "::1", "localhost"}


def _written(url: str) -> str:
    """Return an address in the letters that the network uses."""
    return str(httpx.URL(url))


def _headers(headers: dict[str, str], url: str) -> list[tuple[str, str]]:
    return [("Host", httpx.URL(url).netloc.decode("ascii")), *headers.items()]


def _redirected(url: str, response: httpcore.Response) -> str:
    location = next((value for name, value in response.headers if name.lower() == b"location"), b"")
    try:
        target = location.decode("ascii")
    except UnicodeDecodeError:
        target = ""
    if not target:
        raise FetchError("The page leads on, and does not say where.")
    return urljoin(url, target)


def _body(response: httpcore.Response, ends: float) -> bytes:
    if response.status != 200:
        raise FetchError(f"The page's server answers {response.status} instead of the page.")
    encodings = [value for name, value in response.headers if name.lower() == b"content-encoding"]
    if any(value.strip().lower() not in {b"", b"identity"} for value in encodings):
        raise FetchError("The page's server sends it packed, which it was asked not to do.")
    parts, size = [], 0
    for chunk in response.iter_stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise FetchError(f"The page is larger than {MAX_BYTES // 1_000_000} MB.")
        if time.monotonic() > ends:
            raise httpcore.ReadTimeout("the time is over")
        parts.append(chunk)
    return b"".join(parts)
