"""A real web server on loopback with pages of people, some of which misbehave."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class PageServer:
    """pages: path to (status, headers, body). slow: paths that send one byte after another until the end of the test."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.slow: dict[str, str] = {}  # path to "head" or "body"
        self.asked: list[str] = []
        self._over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(f"{self.headers.get('Host')} {self.path}")
                with suppress(OSError):  # who asked hung up, which some tests are about
                    if self.path in server.slow:
                        server._drip(self, server.slow[self.path])
                    else:
                        server._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()

    def put(self, path: str, body: str | bytes = b"", status: int = 200, **headers: str) -> str:
        """Put a page at a path and return its address."""
        content = body.encode() if isinstance(body, str) else body
        self.pages[path] = (
            status,
            {name.replace("_", "-"): value for name, value in headers.items()},
            content,
        )
        return self.url + path

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        status, headers, body = self.pages.get(handler.path, (404, {}, b"not here"))
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    def _drip(self, handler: BaseHTTPRequestHandler, where: str) -> None:
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + (b"" if where == "head" else b"\r\n")
        )
        while not self._over.is_set():
            handler.wfile.write(b"X" if where == "body" else b"X: y\r\n")
            time.sleep(0.02)
