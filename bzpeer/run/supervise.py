"""The one supervisor (supervisord) that keeps servers and application running."""

import contextlib
import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from bzpeer.run.place import Place, RunError, make_folder
from bzpeer.run.programs import Program, explain
from bzpeer.run.watch import APP, stop_group, supervisor

HERE = Path(__file__).resolve().parent
Groups = dict[str, list[Program]]
_started: list[subprocess.Popen[bytes]] = []  # kept, so that a supervisor that ends here is reaped


class Supervisor:
    """One place's supervisor. Every change happens under the place's start lock."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lock = place.control / "supervisor.lock"
        self.state_file = place.control / "state.json"

    @property
    def state(self) -> dict[str, Any]:
        """What the running supervisor was started with: sockets (folder) and groups (names)."""
        try:
            return dict(json.loads(self.state_file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def is_alive(self) -> bool:
        """Tell whether a supervisor runs: it holds its lock open as standard input until it is dead."""
        for process in _started[:]:
            if process.poll() is not None:
                _started.remove(process)
        try:
            with self.lock.open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not see each other
        except BlockingIOError:
            return True
        except FileNotFoundError:  # another test run tidied up after us while we waited for the end
            return False
        return False

    @property
    def control(self) -> ServerProxy:
        return supervisor(str(Path(self.state["sockets"], "control")))

    def is_running(self) -> bool:
        """Tell whether it is alive, answers, and is not on its way out."""
        try:
            state = self.control.supervisor.getState()
        except (OSError, KeyError, Fault):
            return False
        return isinstance(state, dict) and state["statecode"] == 1

    def start(self, sockets: Path, groups: Groups) -> None:
        """Start it with these groups of programs."""
        make_folder(self.place.logs)
        self._write(sockets, groups)
        for log in self.place.logs.glob("*.log"):
            with contextlib.suppress(OSError):
                os.truncate(log, min(log.stat().st_size, 20 * 2**20))
        with self.lock.open("a") as lock, self.place.log("supervisor-start").open("ab") as errors:
            fcntl.flock(lock, fcntl.LOCK_EX)
            errors.truncate(0)
            process = subprocess.Popen(
                [sys.executable, "-P", str(HERE / "supervisord.py"), "-n", "-c", str(self._config)],
                # The open file carries the lock; supervisord gives its programs another standard input.
                stdin=lock,
                stdout=errors,
                stderr=errors,
                cwd=self.place.control,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
                start_new_session=True,  # a Ctrl-C in the terminal is for the demo, which ends this in order
            )
        _started.append(process)
        self._wait(lambda: self.is_running(), process)

    def set_group(self, name: str, programs: list[Program]) -> None:
        """Add a group to the running supervisor, in place of one with the same name."""
        stop_group(self.control, name)
        groups: Groups = dict(self._groups_kept)
        groups[name] = programs
        self._write(Path(self.state["sockets"]), groups)
        self.control.supervisor.reloadConfig()
        self.control.supervisor.addProcessGroup(name)

    def processes(self) -> dict[str, dict[str, Any]]:
        """Return what supervisord knows of each program, by name."""
        found: Any = self.control.supervisor.getAllProcessInfo()
        return {one["name"]: one for one in found}

    def raise_if_failed(self, offsets: dict[str, int], *, patient: bool) -> None:
        """Raise RunError when a server has given up, with the reason from its log since `offsets`.

        patient: a server that failed and is about to be tried again counts as starting.
        """
        try:
            processes = self.processes()
        except (OSError, KeyError):
            if not self.is_alive():
                log = self.place.log("supervisor-start").read_text(errors="replace")
                raise RunError(explain(log, "The supervisor ended")) from None
            return
        for name, one in processes.items():
            failed = {"FATAL"} if patient else {"FATAL", "BACKOFF"}
            if one["statename"] in failed and name in offsets:
                raise RunError(
                    explain(self.log_since(name, offsets[name]), f"{name.capitalize()} cannot start")
                )

    def log_since(self, name: str, offset: int) -> str:
        """Return what a program wrote after a position in its log, at most the last 16 kB."""
        try:
            with self.place.log(name).open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(offset if offset <= size else 0, size - 16384))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def log_sizes(self, names: Iterable[str]) -> dict[str, int]:
        """Return the present length of each program's log."""
        return {
            name: self.place.log(name).stat().st_size if self.place.log(name).exists() else 0
            for name in names
        }

    def _wait(self, ready: Any, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + 30
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                log = self.place.log("supervisor-start").read_text(errors="replace")
                raise RunError(explain(log, "The supervisor cannot start"))
            time.sleep(0.01)

    @property
    def _config(self) -> Path:
        return self.place.control / "supervisord.conf"

    @property
    def _groups_kept(self) -> Groups:
        """The groups as last written, so that the configuration can be written again with one more."""
        return {
            name: [Program(**{**spec, "cwd": Path(spec["cwd"])}) for spec in programs]
            for name, programs in self.state.get("groups", {}).items()
            if name != APP
        }

    def _write(self, sockets: Path, groups: Groups) -> None:
        specs = {
            name: [{**vars(program), "cwd": str(program.cwd)} for program in programs]
            for name, programs in groups.items()
        }
        self._replace(self.state_file, json.dumps({"sockets": str(sockets), "groups": specs}))
        for programs in groups.values():
            for program in programs:
                self._replace(self._spec(program), json.dumps(self._described(program)))
        self._replace(self._config, self._text(sockets, groups))

    def _spec(self, program: Program) -> Path:
        return self.place.control / f"{program.name}.json"

    def _described(self, program: Program) -> dict[str, Any]:
        described: dict[str, Any] = {
            "name": program.name,
            "home": str(self.place.var),
            "command": list(program.command),
            "env": program.env,
            "cwd": str(program.cwd),
            "signal": program.orphaned,
            "log": str(self.place.log(program.name)),
        }
        if program.server and self.place.account is not None:
            described |= {"user": self.place.account.pw_uid, "group": self.place.account.pw_gid}
        return described

    def _replace(self, path: Path, text: str) -> None:
        """Write a private file in one step: its environment may hold passwords."""
        new = path.with_suffix(".new")
        try:
            private = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(private, "w", encoding="utf-8") as out:
                out.write(text)
            new.rename(path)
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}.") from error

    def _text(self, sockets: Path, groups: Groups) -> str:
        sections = [
            _section(
                "supervisord",
                logfile=self.place.log("supervisor"),
                logfile_maxbytes="1MB",
                logfile_backups=1,
                pidfile=self.place.control / "supervisord.pid",
                childlogdir=self.place.logs,
                nodaemon="true",
                silent="true",
                **({"user": "root"} if os.geteuid() == 0 else {}),
            ),
            _section("unix_http_server", file=sockets / "control", chmod="0700"),
            _section(
                "rpcinterface:supervisor",
                **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
            ),
        ]
        for group, programs in groups.items():
            names = ",".join(program.name for program in programs)
            priority = min(program.priority for program in programs)
            sections.append(_section(f"group:{group}", programs=names, priority=priority))
            sections += [self._program_section(program) for program in programs]
        return "\n".join(sections)

    def _program_section(self, program: Program) -> str:
        # -S leaves site-packages out: a child needs the standard library alone and starts in 20 ms.
        command = [sys.executable, "-I", "-S", str(HERE / "child.py"), str(self._spec(program))]
        return _section(
            f"program:{program.name}",
            command=shlex.join(command),
            priority=program.priority,
            autostart=str(program.autostart).lower(),
            autorestart="true",
            startsecs=1,
            startretries=3,
            stopsignal=program.stop,
            stopwaitsecs=program.patience,
            stopasgroup="false",
            killasgroup="true",
            redirect_stderr="true",
            # Relative to its working folder: supervisord reads the percent signs of a log's path twice.
            stdout_logfile=f"../log/{program.name}.log",
            stdout_logfile_maxbytes="5MB",
            stdout_logfile_backups=2,
        )


def _section(title: str, **values: object) -> str:
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])


def watcher(place: Place, users: Path, demo: Path, sockets: Path) -> Program:
    """Return the program that ends everything after the last user, itself last."""
    command = [
        sys.executable,
        "-I",
        "-S",
        str(HERE / "watch.py"),
        str(users),
        str(demo),
        str(sockets / "control"),
    ]
    return Program("watch", command, place.control, stop="KILL", orphaned="SIGKILL", priority=1)
