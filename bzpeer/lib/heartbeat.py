"""The sign of life that workers leave: when one last did what beat asks for every few seconds.

It lives in the cache, which may be emptied: then nobody knows until the next beat.
"""

import time

from django.core.cache import cache

KEY = "worker-heartbeat"
KEPT = 24 * 3600  # seconds, so that a silence of hours can still be told from none ever


def beat() -> None:
    """Say that a worker is at work now."""
    cache.set(KEY, time.time(), KEPT)


def seconds_since() -> float | None:
    """Return how long ago a worker last said so; None where nobody knows."""
    at = cache.get(KEY)
    return max(0.0, time.time() - at) if isinstance(at, int | float) else None
