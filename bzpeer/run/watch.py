"""Stop servers that nobody uses any more, however their users ended. Supervised; standard library only.

Users hold a shared lock on one file and the kernel releases it even after kill -9: whoever gets that lock
exclusively knows that nobody is left. A demo holds a second lock, so that its web server ends with it.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import IO
from xmlrpc.client import Fault, ServerProxy, Transport

APP = "app"


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class _UnixTransport(Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: object) -> HTTPConnection:
        return _UnixConnection(self.path)


def supervisor(socket_path: str) -> ServerProxy:
    """Return supervisord's control interface. Its calls raise OSError when nobody listens."""
    return ServerProxy("http://localhost", transport=_UnixTransport(socket_path), allow_none=True)


def stop_group(control: ServerProxy, name: str) -> None:
    """Stop a group's programs and forget the group; a group that is not there is fine."""
    try:
        control.supervisor.stopProcessGroup(name)
        control.supervisor.removeProcessGroup(name)
    except Fault:
        pass


def watch_demo(lock: str, control: str) -> None:
    """Stop the web server and workers whenever the demo that wanted them is gone."""
    with Path(lock).open("a") as held:
        while True:
            fcntl.flock(held, fcntl.LOCK_SH)
            with contextlib.suppress(OSError):
                stop_group(supervisor(control), APP)
            fcntl.flock(held, fcntl.LOCK_UN)
            _wait_for_holder(held)


def _wait_for_holder(held: IO[str]) -> None:
    """Return once a demo holds the lock again; half a second late at most."""
    while True:
        threading.Event().wait(0.5)
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        fcntl.flock(held, fcntl.LOCK_UN)


def main(users: str, demo: str, control: str) -> None:
    """Wait for the last user to go, then end the supervisor and with it everything."""
    threading.Thread(target=watch_demo, args=(demo, control), daemon=True).start()
    with Path(users).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        os.kill(os.getppid(), signal.SIGTERM)
        # Keep the lock until the supervisor ends this program, last of all: who comes now waits.
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:4])
