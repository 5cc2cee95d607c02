"""The demo: servers, data, web server, workers and beat, kept running until somebody stops it."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from types import FrameType
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener
from xmlrpc.client import Fault

from bzpeer.run.application import application
from bzpeer.run.child import die_with_parent
from bzpeer.run.environment import missing, set_addresses
from bzpeer.run.place import CHECKOUT, Place, RunError, default_place
from bzpeer.run.prepare import LOGINS
from bzpeer.run.programs import explain
from bzpeer.run.servers import Servers, open_private
from bzpeer.run.watch import APP, stop_group

OPENER = build_opener(ProxyHandler({}))  # a proxy in the environment must not get loopback addresses


class Stopped(BaseException):
    """Somebody asked for an end: Ctrl-C, SIGTERM or a closed terminal."""


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run the demo; return 0 after an orderly stop, 1 with one sentence when it cannot run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _stop)
    if os.environ.get("MAKELEVEL"):
        die_with_parent(signal.SIGTERM)  # nobody can press Ctrl-C on a demo whose make was killed
    try:
        Demo().run()
    except RunError as error:
        say(str(error))
        return 1
    except Stopped:
        pass
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)  # one end is enough
    raise Stopped


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches the host."""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def machine_names(host: str) -> list[str]:
    """Return the names and addresses under which others may reach this machine, as ALLOWED_HOSTS has them."""
    name = socket.gethostname().lower()
    found = [] if host in {"0.0.0.0", "::"} else [host.lower()]  # noqa: S104
    found += [name, *([] if "." in name else [f"{name}.local"])]
    for family, outside in (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"):
        # Sends nothing: the kernel only chooses the address from which it would.
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))
            found.append(probe.getsockname()[0])
    return list(dict.fromkeys(f"[{one}]" if ":" in one else one for one in found))


class Demo:
    def __init__(self) -> None:
        self.host = os.environ.get("HOST") or "127.0.0.1"
        port = os.environ.get("PORT") or "8000"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise RunError(f"PORT is {port!r}, and must be a number from 1 to 65535.")
        self.port = int(port)
        shown = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        self.address = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}/"
        self.place: Place = default_place()
        self.servers = Servers(self.place, missing(os.environ))
        self.told: dict[str, float] = {}

    def run(self) -> None:
        """Start everything in order, watch over it, and stop everything at the end."""
        begun = time.monotonic()
        with self._only_one(), contextlib.ExitStack() as ending:
            self._check_port()
            self.servers.hold()
            ending.callback(self._end)
            set_addresses(self.servers.addresses() if self.servers.wanted else {})
            if self.place.store != self.place.var:
                say(
                    f"PostgreSQL's account cannot reach {self.place.var}: its data are in {self.place.store}."
                )
            say(f"PostgreSQL and Redis run ({time.monotonic() - begun:.1f} s).")
            os.environ.setdefault("PORT", str(self.port))
            self._allow_hosts()
            self._prepare()
            self._start_application()
            self._wait_until_ready(begun)
            while True:
                time.sleep(0.5)
                self._mend()

    @contextlib.contextmanager
    def _only_one(self) -> Iterator[None]:
        """Hold the demo's lock, or raise RunError with the address of the one that runs."""
        with open_private(self.servers.demo) as lock:
            until = time.monotonic() + 30
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if (address := self._running_at(lock)) or time.monotonic() > until:
                        where = f" at {address}" if address else ""
                        raise RunError(
                            f"The demo of this checkout already runs{where}; stop that one first."
                        ) from None
                    time.sleep(0.1)  # the watcher holds the lock while it stops what a killed demo left
            lock.seek(0)
            lock.truncate()
            json.dump({"pid": os.getpid(), "address": self.address}, lock)
            lock.flush()
            yield
            lock.truncate(0)

    def _running_at(self, lock: IO[str]) -> str:
        lock.seek(0)
        try:
            note = json.load(lock)
            with contextlib.suppress(PermissionError):
                os.kill(note["pid"], 0)
            return str(note["address"])
        except (ValueError, KeyError, ProcessLookupError):
            return ""

    def _check_port(self) -> None:
        """Raise RunError when something else answers on the port, or the address is not ours."""
        try:
            family, kind, _, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
        except OSError as error:
            if isinstance(error, socket.gaierror):
                raise RunError(f"HOST={self.host} is no address of this machine.") from error
            if error.errno in {98, 48}:
                advice = f"choose another, as in `make demo PORT={self.port + 1}`."
                raise RunError(f"Port {self.port} is in use by another program: {advice}") from error
            raise RunError(f"Port {self.port} at {self.host} cannot be used: {error.strerror}.") from error

    def _allow_hosts(self) -> None:
        """Let this machine's names be asked for when HOST opens the demo to other machines."""
        if is_loopback(self.host) or os.environ.get("ALLOWED_HOSTS"):
            return
        names = machine_names(self.host)
        os.environ["ALLOWED_HOSTS"] = ",".join(["127.0.0.1", "localhost", "[::1]", *names])
        say(
            f"Other machines reach it as {', '.join(names) or 'nothing known here'}: for another name set "
            "ALLOWED_HOSTS, and for links in mail PUBLIC_URL with BZPEER_LOCAL=1."
        )

    def _prepare(self) -> None:
        log = self.place.log("prepare")
        log.unlink(missing_ok=True)
        offset = self.servers.supervisor.log_sizes(["postgres"])["postgres"]
        # Its traceback comes through a pipe: a full disk has no room for it.
        reader, writer = os.pipe()
        with os.fdopen(reader, encoding="utf-8", errors="replace") as failure:
            try:
                process = subprocess.Popen(
                    [sys.executable, "-m", "bzpeer.run.prepare", str(writer)],
                    cwd=CHECKOUT,
                    pass_fds=[writer],
                )
            finally:
                os.close(writer)
            try:
                code = process.wait()
            except Stopped:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
                raise
            if code == 0:
                return
            # The server's words first: in doubt, the last line tells, and that is the exception's.
            said = self.servers.supervisor.log_since("postgres", offset)
            said += failure.read() or f"error: it ended with code {code}"
        reason = explain(said, "Preparing the database or the demonstration data failed")
        raise RunError(f"{reason} The whole of it is in {log}." if log.exists() else reason)

    def _start_application(self) -> None:
        with self.servers.starting():
            self.servers.supervisor.set_group(APP, application(self.place, self.host, self.port))

    def _wait_until_ready(self, begun: float) -> None:
        offsets = self.servers.supervisor.log_sizes(["web", "worker", "bulk", "sync", "beat"])
        tell = time.monotonic() + 60
        while (state := self._readiness()) != "":
            self._mend(offsets)
            if time.monotonic() > tell:
                say(f"Still waiting for {self.address}readyz: {state}")
                tell = time.monotonic() + 60
            time.sleep(0.1)
        seconds = time.monotonic() - begun
        say(f"\nBZPEER runs at {self.address} (ready after {seconds:.1f} s). Ctrl-C stops it.")
        logins = self.place.var / LOGINS
        if logins.exists():
            say(logins.read_text(encoding="utf-8").rstrip())
        say(f"Logs: {self.place.logs}")
        if "DELIVERY_BACKEND" not in os.environ and "PUBLIC_URL" not in os.environ:
            say(f"Mail: {self.place.var / 'mail'}")
        say("")

    def _readiness(self) -> str:
        """Return "" when /readyz answers 200, else what it says."""
        try:
            with OPENER.open(f"{self.address}readyz", timeout=5):
                return ""
        except HTTPError as error:
            with error:
                return f"{error.code} {error.read(300).decode(errors='replace').strip()}"
        except (URLError, OSError) as error:
            return str(getattr(error, "reason", error))

    def _mend(self, offsets: dict[str, int] | None = None) -> None:
        """Start the supervisor again if it was killed, and what it gave up; say so."""
        supervisor = self.servers.supervisor
        if not supervisor.is_alive():
            say("The supervisor was killed: starting everything again.")
            self.servers.ensure()
            self._start_application()
            return
        try:
            processes = supervisor.processes()
            # Workers and beat wait for the web server.
            waiting = [
                n for n, one in processes.items() if one["statename"] == "STOPPED" and one["group"] == APP
            ]
            if waiting and self._readiness() == "":
                for name in waiting:
                    supervisor.control.supervisor.startProcess(f"{APP}:{name}", False)
            for name, one in processes.items():
                if one["statename"] != "FATAL":
                    continue
                log = supervisor.log_since(name, (offsets or {}).get(name, 0))
                if time.monotonic() - self.told.get(name, -60) > 30:
                    say(explain(log, f"{name.capitalize()} does not start; trying again"))
                    self.told[name] = time.monotonic()
                supervisor.control.supervisor.startProcess(f"{one['group']}:{name}", False)
        except (OSError, KeyError, Fault):
            return  # on its way down or up: the next look tells

    def _end(self) -> None:
        say("Stopping.")
        with contextlib.suppress(OSError, KeyError, RunError), self.servers.starting():
            stop_group(self.servers.supervisor.control, APP)
        self.servers.release()
