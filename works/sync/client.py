"""Ask one source one question: bounded in time, size and tries, never off the sources' own addresses.

stamina keeps the tries: unlike bare tenacity it has jitter, a bound and no retrying of everything by default,
a hook may say how long to wait (Retry-After), and tests can switch the waiting off.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext
from typing import NamedTuple

import httpx
import stamina
from django.conf import settings

from works.models import Provider
from works.sync.addresses import Question, full_address, headers_for, host_of
from works.sync.errors import BadAnswer, NotFound, SyncError, TryLater
from works.sync.guard import Forbidden, GuardedTransport, Resolver, origin_of, resolve
from works.sync.limits import Turns

ATTEMPTS = 4
LONGEST_WISH = 24 * 3600.0
MAX_REDIRECTS = 3
_RETRY = {408, 425, 429, 500, 502, 503, 504}


class Answer(NamedTuple):
    """status: 200 with a body, or 304: nothing new. moved: the source led on to another of its addresses."""

    status: int
    body: bytes = b""
    etag: str = ""
    last_modified: str = ""
    moved: bool = False


class Client:
    """Asks the sources. One for each piece of work: nothing is kept open between two."""

    def __init__(
        self,
        turns: Turns | None = None,
        resolver: Resolver = resolve,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._turns = turns or Turns()
        self._resolver = resolver
        self._transport = transport

    def ask(self, question: Question, etag: str = "", last_modified: str = "") -> Answer:
        """Return what a source answers; with etag or last_modified only if it is new.

        Raises NotFound, BadAnswer, TryLater or NoTurn, each with a sentence for people.
        """
        for attempt in stamina.retry_context(
            on=_wait_before_next, attempts=ATTEMPTS, timeout=60.0, wait_initial=1.0, wait_max=10.0
        ):
            with attempt, self._turns.turn(question.provider, settings.SYNC_LONGEST_TURN):
                try:
                    return self._send(question, etag, last_modified)
                except TryLater as failure:
                    if failure.seconds:
                        self._turns.hold(question.provider, min(failure.seconds, LONGEST_WISH))
                    raise
        raise AssertionError("stamina returns or raises")

    def _send(self, question: Question, etag: str, last_modified: str) -> Answer:
        name = _name(question.provider)
        headers = headers_for(question.provider)
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            with (
                self._open() as client,
                client.stream("GET", full_address(question.provider, question.address), headers=headers) as response,
            ):  # fmt: skip
                return _read(response, name)
        except Forbidden as error:
            raise BadAnswer(f"{name} was not asked: {error}.") from error
        except httpx.TooManyRedirects as error:
            raise BadAnswer(f"{name} leads from address to address without end.") from error
        except httpx.TimeoutException as error:
            raise TryLater(f"{name} did not answer in time.") from error
        except httpx.ConnectError as error:
            raise TryLater(f"{name} could not be reached.") from error
        except (httpx.TransportError, httpx.DecodingError, httpx.StreamError) as error:
            raise TryLater(f"{name} broke off in the middle of its answer.") from error
        except (httpx.InvalidURL, httpx.HTTPError, UnicodeError) as error:
            raise BadAnswer(f"{name} sent an address or header that cannot be read.") from error

    def _open(self) -> httpx.Client:
        origins = [origin_of(address) for address in settings.SYNC_ADDRESSES.values()]
        inner = self._transport or httpx.HTTPTransport(
            verify=_certificates(), limits=httpx.Limits(max_keepalive_connections=0)
        )
        guarded = GuardedTransport(
            origins, inner, allow_loopback=settings.SYNC_ALLOW_LOOPBACK, resolver=self._resolver
        )
        connect, read, _ = settings.SYNC_TIMEOUTS
        # No proxy from the environment: behind one, the address that was checked would not be the one asked.
        return httpx.Client(
            transport=guarded,
            timeout=httpx.Timeout(read, connect=connect),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            trust_env=False,
        )


@cache
def _certificates() -> SSLContext:
    return httpx.create_ssl_context()


def _wait_before_next(error: Exception) -> bool | float:
    """Tell stamina whether to try again, and when where the source says so."""
    if not isinstance(error, TryLater) or not error.at_once:
        return False
    if error.seconds is None:
        return True
    # The next turn waits for it, as every worker's does; a longer wish is a matter for the row.
    return 0.0 if error.seconds <= settings.SYNC_LONGEST_TURN else False


def _read(response: httpx.Response, name: str) -> Answer:
    if response.status_code == 304:
        return Answer(304)
    if response.status_code != 200:
        raise _refusal(response, name)
    body = _bounded(response.iter_bytes(), name)
    return Answer(
        200,
        body,
        _header(response, "ETag", 300),
        _header(response, "Last-Modified", 100),
        moved=bool(response.history),
    )


def _bounded(chunks: Iterable[bytes], name: str) -> bytes:
    """Read a body as it comes, stopping where it is too large or takes too long.

    httpx unpacks at most 64 kB of gzip at a time, so that even a bomb passes the limit by no more than that unpacked.
    """
    ends = time.monotonic() + settings.SYNC_TIMEOUTS[2]
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > settings.SYNC_MAX_BYTES:
            raise BadAnswer(
                f"{name} sent more than {settings.SYNC_MAX_BYTES / 1e6:g} MB, which no record needs."
            )
        if time.monotonic() > ends:
            raise TryLater(f"{name} sends too slowly.")
        parts.append(chunk)
    return b"".join(parts)


def _refusal(response: httpx.Response, name: str) -> SyncError:
    status = response.status_code
    if status in {404, 410}:
        return NotFound(f"{name} does not know this record.")
    if status in _RETRY or status >= 500:
        words = "asks for patience" if status == 429 else "is out of order"
        return TryLater(
            f"{name} {words} (answer {status}).", retry_after(response.headers.get("Retry-After"))
        )
    if status in {401, 403}:
        return TryLater(
            f"{name} refuses us (answer {status}): this site's contact address or key may be missing.",
            at_once=False,
        )
    return BadAnswer(f"{name} does not understand the question (answer {status}).")


def retry_after(text: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, which are a number or a date; None where it is neither.

    >>> retry_after("120")
    120.0
    """
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WISH)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max((when - (now or datetime.now(UTC))).total_seconds(), 0.0), LONGEST_WISH)


def _header(response: httpx.Response, name: str, most: int) -> str:
    value = response.headers.get(name, "")
    return value if len(value) <= most and value.isascii() and value.isprintable() else ""


def _name(provider: str) -> str:
    return f"{Provider(provider).label} ({host_of(provider)})"
