"""A stand-in for the sources: a real HTTP server on loopback that gives recorded answers and misbehaves on order."""

import gzip
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import TestCase
from urllib.parse import unquote

import stamina
from django.conf import settings
from django.test import TestCase as DatabaseTestCase
from django.test import override_settings

from bzpeer.run.addresses import with_database
from tests.works.files import DATA
from works.models import Author, ImportRun, SourceRecord, SyncRequest, Work
from works.sync.client import Client
from works.sync.limits import Turns, redis_client
from works.sync.plan import plan
from works.sync.service import ask, run_request

PROVIDERS = ("openalex", "arxiv", "crossref", "orcid", "ror")


@dataclass
class Reply:
    """length: what Content-Length says where it is not the truth. hang: says nothing until the test is over."""

    body: bytes = b""
    status: int = 200
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    hang: bool = False
    endless: bool = False


def recorded(path: str, **more: Any) -> Reply:
    """Return an answer that was recorded from a source."""
    file = DATA / path
    body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    is_xml = ".xml" in file.suffixes
    return Reply(body, type="application/atom+xml; charset=utf-8" if is_xml else "application/json", **more)


NOT_FOUND = Reply(b"Resource not found.", 404, "text/plain")


class Sources:
    """replies: path without query to the answers given one after another, the last again and again."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self._lock = threading.Lock()
        sources = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sources._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def give(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    def address(self, provider: str) -> str:
        return f"http://127.0.0.1:{self.port}/{provider}"

    def paths(self, provider: str = "") -> list[str]:
        return [path for path, _ in self.requests if path.startswith(f"/{provider}")]

    def headers(self, number: int = -1) -> dict[str, str]:
        return self.requests[number][1]

    def counts(self) -> dict[str, int]:
        """Return how many requests each provider got."""
        counts: dict[str, int] = defaultdict(int)
        for path, _ in self.requests:
            counts[path.split("/")[1].partition("?")[0]] += 1
        return dict(counts)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self.requests.append(
                (handler.path, {key.lower(): value for key, value in handler.headers.items()})
            )
            waiting = self.replies.get(unquote(handler.path.partition("?")[0]), [NOT_FOUND])
            reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if reply.hang:
            self.over.wait(30)
            return
        etag = reply.headers.get("ETag")
        if etag and handler.headers.get("If-None-Match") == etag:
            reply = Reply(status=304, headers=reply.headers)
        with suppress(OSError):  # who asked hung up, which some tests are about
            self._send(handler, reply)

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.type)
        for key, value in reply.headers.items():
            handler.send_header(key, value)
        if not reply.endless:
            handler.send_header(
                "Content-Length", str(len(reply.body) if reply.length is None else reply.length)
            )
        handler.end_headers()
        handler.wfile.write(reply.body)
        while reply.endless and not self.over.is_set():
            handler.wfile.write(b" " * 65536)


class SourcesTestCase(TestCase):
    """Mixin: the sources are on this machine, tries follow each other at once, turns are noted and not waited for."""

    sources: Sources
    waits: list[float]

    def setUp(self) -> None:
        super().setUp()
        self.sources = Sources()
        self.addCleanup(self.sources.close)
        settings_here = override_settings(
            SYNC_ADDRESSES={name: self.sources.address(name) for name in PROVIDERS},
            SYNC_ALLOW_LOOPBACK=True,
            SYNC_CONTACT="host@example.org",
            SYNC_TIMEOUTS=(2.0, 0.4, 15.0),
            REDIS_URL=with_database(settings.REDIS_URL, _REDIS),
        )
        settings_here.enable()
        self.addCleanup(settings_here.disable)
        self.waits = []
        self.turns = Turns(sleep=self.waits.append)
        self.client_of_sources = Client(turns=self.turns)
        self.forget_turns()
        self.enterContext(stamina.set_testing(True, attempts=4, cap=True))

    def forget_turns(self) -> None:
        redis = redis_client(settings.REDIS_URL)
        for key in redis.scan_iter("bzpeer:sync:*"):
            redis.delete(key)


# Processes of one test run share a Redis server: each has turns of its own.
_REDIS = 8 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8


@contextmanager
def no_redis() -> Iterator[None]:
    """Redis is away: nobody listens where it should be."""
    with override_settings(REDIS_URL="unix:///nowhere/redis.sock"):
        yield


# A work that OpenAlex and Crossref know.
DOI = "10.1016/j.xgen.2025.100814"
OPENALEX = "/openalex/works/doi:10.1016/j.xgen.2025.100814"
CROSSREF = "/crossref/works/10.1016/j.xgen.2025.100814"
FROM_OPENALEX = recorded("openalex/single/W4408732759.json.gz")
FROM_CROSSREF = recorded("crossref/10.1016-j.xgen.2025.100814.json.gz")


class SyncTestCase(SourcesTestCase, DatabaseTestCase):
    """Asks the stand-in and looks at what is written."""

    def sync(self, kind: str, text: str, fresh: bool = False) -> SyncRequest:
        request = ask(plan(kind, text), mine=True, whenever=True)
        return run_request(request, self.client_of_sources, fresh=fresh)

    def states(self, request: SyncRequest) -> list[tuple[str, str]]:
        return list(request.steps.values_list("provider", "state"))

    def errors(self, request: SyncRequest) -> list[str]:
        return [step.error for step in request.steps.all() if step.error]

    def assert_nothing_written(self) -> None:
        counts = [model.objects.count() for model in (ImportRun, SourceRecord, Work, Author)]
        self.assertEqual(counts, [0, 0, 0, 0])
