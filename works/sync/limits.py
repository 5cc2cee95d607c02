"""Whose turn it is at a source: one clock for all workers on all hosts, kept in Redis.

Turns are evenly spaced. Losing Redis costs at most one turn; while it is away every process keeps to a
multiple of the spacing by itself.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError
from redis.retry import Retry

from bzpeer.run.addresses import redis_py_address
from works.models import Provider
from works.sync.errors import NoTurn

# arXiv asks for one connection at a time from all machines together, beside one request per three seconds.
ONE_AT_A_TIME = {Provider.ARXIV}
# How many processes may be at work, each keeping its own time, while Redis is away.
PROCESSES = 8
LONGEST_REQUEST = 120  # seconds after which a lock of somebody who died is let go

# Milliseconds by the server's clock: hosts' clocks differ. KEYS: the time from which the next turn may be.
# ARGV: spacing, longest wait. Returns whether the turn was given, and in how many milliseconds it is.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
if turn - now > tonumber(ARGV[2]) then return {0, turn - now} end
local after = turn + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', after - now + 1000))
return {1, turn - now}
"""
# Moves the next turn away by ARGV[1], never nearer.
_HOLD = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local after = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', string.format('%.0f', after - now + 1000))
return after
"""


@cache
def redis_client(address: str) -> redis.Redis:
    return redis.Redis.from_url(
        redis_py_address(address), socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )


class _OwnTurns:
    """Turns of this process alone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, provider: str, spacing: float, longest: float) -> tuple[bool, float]:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(provider, now))
            if turn - now > longest:
                return False, turn - now
            self._next[provider] = turn + spacing * PROCESSES
            return True, turn - now

    def hold(self, provider: str, seconds: float) -> None:
        with self._lock:
            self._next[provider] = max(self._clock() + seconds, self._next.get(provider, 0.0))


class Turns:
    """Gives out turns at the sources. sleep and clock are the world's, but in tests."""

    def __init__(
        self,
        redis_url: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis_client(redis_url or settings.REDIS_URL)
        self._sleep = sleep
        self._own = _OwnTurns(clock)

    @contextmanager
    def turn(self, provider: str, longest: float) -> Iterator[None]:
        """Wait for a turn, at most `longest` seconds, and hold it. Raises NoTurn when it comes only later."""
        with self._alone(provider, longest):
            given, wait = self._take(provider, longest)
            if not given:
                raise NoTurn(_patience(provider), wait)
            if wait > 0:
                self._sleep(wait)
            yield

    def hold(self, provider: str, seconds: float) -> None:
        """Leave a source alone for so long, all workers together: it asked for that."""
        try:
            self._redis.eval(_HOLD, 1, _key(provider), int(seconds * 1000))
        except RedisError:
            self._own.hold(provider, seconds)

    def _take(self, provider: str, longest: float) -> tuple[bool, float]:
        spacing = settings.SYNC_SPACING[provider]
        try:
            given, wait = self._redis.eval(_TAKE, 1, _key(provider), int(spacing * 1000), int(longest * 1000))
        except RedisError:
            return self._own.take(provider, spacing, longest)
        return bool(given), wait / 1000

    @contextmanager
    def _alone(self, provider: str, longest: float) -> Iterator[None]:
        """Hold the only connection that a source wants from us; without Redis, spacing must do."""
        if provider not in ONE_AT_A_TIME:
            yield
            return
        lock = self._redis.lock(f"{_key(provider)}:connection", timeout=LONGEST_REQUEST)
        try:
            if not lock.acquire(blocking_timeout=longest):
                raise NoTurn(_patience(provider), longest)
        except RedisError:
            yield
            return
        try:
            yield
        finally:
            with suppress(LockError, RedisError):  # it ran out meanwhile, or Redis went away
                lock.release()


def _key(provider: str) -> str:
    return f"bzpeer:sync:{provider}"


def _patience(provider: str) -> str:
    return f"{Provider(provider).label} takes only so many questions at a time."
