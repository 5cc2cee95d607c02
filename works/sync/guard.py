"""Where requests may go: to the sources' own addresses and to nobody inside our network.

A name is resolved once; the addresses it has are checked, and the connection is made to a checked one, so that
a name that changes its answer in between (DNS rebinding) leads nowhere. Every redirect comes through here too.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
UNICAST = ipaddress.IPv6Network(
    "2000::/3"
)  # all that is given out of IPv6; site-local and the like lie outside
MOST_ADDRESSES = 4  # of one name that are tried


class Forbidden(Exception):
    """The address is none that we ask; the message says why."""


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int


def origin_of(url: httpx.URL | str) -> Origin:
    """Return scheme, host and port of an address. Raises Forbidden for what is no web address."""
    try:
        url = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Forbidden(f"not an address: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise Forbidden("not a web address")
    return Origin(
        url.scheme, url.host.lower().rstrip("."), url.port or (443 if url.scheme == "https" else 80)
    )


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the public internet, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo or address not in UNICAST:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name as the system tells them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(
    host: str, port: int, *, allow_loopback: bool = False, resolver: Resolver = resolve
) -> list[str]:
    """Return the addresses of a host. Raises Forbidden when any of them is not public.

    A host that has a public and a private address is refused whole: nobody honest has both.
    """
    addresses = [ipaddress.ip_address(text) for text in resolver(host, port)]
    for address in addresses:
        if not is_public(address) and not (allow_loopback and address.is_loopback):
            raise Forbidden(f"{host} leads to {address}, which is not on the public internet")
    if not addresses:
        raise Forbidden(f"{host} has no address")
    return [str(address) for address in addresses[:MOST_ADDRESSES]]


class GuardedTransport(httpx.BaseTransport):
    """Sends requests to allowed origins only, and to the address that was checked."""

    def __init__(
        self,
        origins: Iterable[Origin],
        inner: httpx.BaseTransport,
        *,
        allow_loopback: bool = False,
        resolver: Resolver = resolve,
    ) -> None:
        self._origins = frozenset(origins)
        self._inner = inner
        self._allow_loopback = allow_loopback
        self._resolver = resolver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        origin = origin_of(request.url)
        if origin not in self._origins:
            raise Forbidden(
                f"{origin.scheme}://{origin.host}:{origin.port} is none of the sources' addresses"
            )
        if origin.scheme != "https" and not self._allow_loopback:
            raise Forbidden(f"{origin.host} is asked without encryption")
        try:
            addresses = checked_addresses(
                origin.host, origin.port, allow_loopback=self._allow_loopback, resolver=self._resolver
            )
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{origin.host} has no address: {error}", request=request) from error
        for address in addresses[:-1]:
            try:
                return self._inner.handle_request(_sent_to(request, address, origin.host))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # IPv6 without a route, often: the next one may answer
        return self._inner.handle_request(_sent_to(request, addresses[-1], origin.host))

    def close(self) -> None:
        self._inner.close()


def _sent_to(request: httpx.Request, address: str, host: str) -> httpx.Request:
    """Return the same request for one address; Host header and certificate stay those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
