"""Use the embedded servers: find them running or start them; the last user's end stops them."""

import contextlib
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bzpeer.run import programs
from bzpeer.run.addresses import postgres_address, redis_address, with_database
from bzpeer.run.place import Place, RunError, make_folder, socket_folder
from bzpeer.run.supervise import Supervisor, watcher

PATIENCE = 120  # seconds that a start may take: recovery after a crash reads the log again


class Servers:
    """A claim on one place's servers: while it is held, or its process lives, they run.

    wanted: which of "postgres" and "redis". Raises RunError with one sentence.
    """

    def __init__(self, place: Place, wanted: tuple[str, ...] = ("postgres", "redis")) -> None:
        self.place = place
        self.wanted = wanted
        self.supervisor = Supervisor(place)
        make_folder(place.control, 0o700)
        self.users = place.control / "users.lock"
        self.demo = place.control / "demo.lock"
        self._held: IO[str] | None = None

    def __enter__(self) -> Self:
        self.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def hold(self) -> None:
        """Become a user and return when all wanted servers answer."""
        with self.starting():
            held = open_private(self.users)
            fcntl.flock(held, fcntl.LOCK_SH)  # waits while the last user's servers are still stopping
            try:
                self._ensure()
            except BaseException:
                held.close()
                raise
            self._held = held

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Hold the lock under which the supervisor is started and changed."""
        with open_private(self.place.control / "start.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def release(self) -> None:
        """Stop being a user; when nobody else is one, return only after everything has stopped."""
        if self._held is None:
            return
        held, self._held = self._held, None
        held.close()
        until = time.monotonic() + 60
        with open_private(self.users) as lock:
            while self.supervisor.is_alive() and time.monotonic() < until:
                # Free: the watcher is about to take it. Not even shared: it has it and stops everything.
                if not _try(lock, fcntl.LOCK_EX) and _try(lock, fcntl.LOCK_SH):
                    return  # somebody else goes on
                time.sleep(0.03)
        if not self.supervisor.is_alive() and self.sockets != self.place.store / "run":
            with contextlib.suppress(OSError):  # somebody uses it again
                self.sockets.rmdir()

    @property
    def sockets(self) -> Path:
        return Path(self.supervisor.state["sockets"])

    def addresses(self) -> dict[str, str]:
        """Return the environment through which everything finds these servers."""
        found: dict[str, str] = {}
        if "postgres" in self.wanted:
            found["DATABASE_URL"] = postgres_address(
                str(self.sockets), user=programs.ROLE, name=programs.DATABASE
            )
        if "redis" in self.wanted:
            found["REDIS_URL"] = redis_address(str(self.sockets / "redis.sock"), 0)
            found["CACHE_URL"] = with_database(found["REDIS_URL"], 1)
        return found

    def are_ready(self) -> bool:
        """Tell whether all wanted servers answer now."""
        if not (state := self.supervisor.state):
            return False
        sockets = Path(state["sockets"])
        checks = {"postgres": lambda: self._postgres_ready(sockets), "redis": lambda: _redis_ready(sockets)}
        return all(checks[name]() for name in self.wanted)

    def ensure(self) -> None:
        """Start again what a held claim needs, after somebody killed the supervisor."""
        with self.starting():
            self._ensure()

    def _ensure(self) -> None:
        alive = self.supervisor.is_alive()
        if alive and self.are_ready():
            return
        until = time.monotonic() + 30
        while alive and not self.supervisor.is_running():
            if time.monotonic() > until:
                raise RunError(f"The supervisor of {self.place.var} does not answer: see {self.place.logs}.")
            time.sleep(0.05)
            alive = self.supervisor.is_alive()
        offsets = self.supervisor.log_sizes(self.wanted)
        if alive:
            running = self.supervisor.processes()
            for name in self.wanted:
                if name not in running:
                    self.supervisor.set_group(name, [self._program(name, self.sockets)])
                elif running[name]["statename"] in {"FATAL", "STOPPED", "EXITED"}:
                    self.supervisor.control.supervisor.startProcess(f"{name}:{name}", False)
        else:
            self._clear_sockets()
            sockets = socket_folder(self.place)
            groups = {name: [self._program(name, sockets)] for name in self.wanted}
            groups["watch"] = [watcher(self.place, self.users, self.demo, sockets)]
            self.supervisor.start(sockets, groups)
        self._wait(offsets)

    def _program(self, name: str, sockets: Path) -> programs.Program:
        return (
            programs.postgres(self.place, sockets)
            if name == "postgres"
            else programs.redis(self.place, sockets)
        )

    def _clear_sockets(self) -> None:
        """Remove the folder that a killed supervisor's servers used, if it was a temporary one."""
        if (old := self.supervisor.state.get("sockets")) and Path(old) != self.place.store / "run":
            shutil.rmtree(old, ignore_errors=True)

    def _wait(self, offsets: dict[str, int]) -> None:
        begun = time.monotonic()
        until = begun + PATIENCE
        look = begun + 0.5
        while not self.are_ready():
            if time.monotonic() > look:
                self.supervisor.raise_if_failed(offsets, patient=time.monotonic() - begun < 5)
                look = time.monotonic() + 0.5
            if time.monotonic() > until:
                raise RunError(f"The servers did not start within {PATIENCE} seconds: see {self.place.logs}.")
            time.sleep(0.01)

    def _postgres_ready(self, sockets: Path) -> bool:
        """Ask as pg_ctl does: the postmaster's own note, and a socket that accepts."""
        try:
            lines = (self.place.postgres / "postmaster.pid").read_text(errors="replace").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready" and _answers(sockets / ".s.PGSQL.5432")


def _redis_ready(sockets: Path) -> bool:
    return _answers(sockets / "redis.sock", b"PING\r\n", b"+PONG")


def _answers(path: Path, question: bytes = b"", answer: bytes = b"") -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            if not question:
                return True
            connection.sendall(question)
            return connection.recv(64).startswith(answer)
        except OSError:
            return False


def _try(lock: IO[str], kind: int) -> bool:
    """Tell whether this lock could be had now; give it back at once."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def open_private(path: Path) -> IO[str]:
    """Open a lock file that only its owner reads, made if need be. Raises RunError."""
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{path} cannot be opened ({error.strerror}): was BZPEER started by another user here?"
        ) from error
