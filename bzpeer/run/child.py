"""Become one supervised program: clear away what a killed predecessor left, then exec.

Run by path with `python -I -S child.py SPEC.json`, so it uses the standard library alone and costs
about 20 ms. The spec holds: name, home, command, env, cwd, signal and optionally user, group, data.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

MARK = "BZPEER_CHILD"  # in the environment of every supervised program and all that it starts
PR_SET_PDEATHSIG = 1
PROC = Path("/proc")


def die_with_parent(number: int) -> None:
    """Ask Linux for a signal when the parent dies, however it dies. Elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), number)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except (FileNotFoundError, ProcessLookupError):
        if PROC.joinpath("self").exists():
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def marked(mark: str) -> list[int]:
    """Return the processes that carry this mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _others() if wanted in _read(pid, "environ").split(b"\0")]


def at_home_in(folder: str) -> list[int]:
    """Return the PostgreSQL processes whose working folder this is.

    They overwrite their environment with their title, so the mark cannot be read from them.
    """
    found = []
    for pid in _others():
        if _read(pid, "comm").strip() != b"postgres":
            continue
        try:
            if str((PROC / str(pid) / "cwd").readlink()) == folder:
                found.append(pid)
        except OSError:
            continue
    return found


def _others() -> list[int]:
    try:
        names = [path.name for path in PROC.iterdir()]
    except OSError:
        return []
    return [
        int(name) for name in names if name.isdigit() and int(name) != os.getpid() and is_alive(int(name))
    ]


def _read(pid: int, name: str) -> bytes:
    try:
        return (PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def end(pids: list[int], first: int, patience: float) -> None:
    """Send a signal, wait up to `patience` seconds, then kill what is left."""
    for number, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        until = time.monotonic() + seconds
        while (pids := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < until:
            time.sleep(0.02)
        if not pids:
            return


def clear_postgres(data: str) -> None:
    """Leave a data folder as PostgreSQL wants it at start, whatever happened before.

    Safe because the supervisor's lock admits one supervisor per home: a server found here has none.
    """
    pid_file = Path(data, "postmaster.pid")
    try:
        lines = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    running = at_home_in(data)
    if lines and lines[0].isdigit() and int(lines[0]) in running:
        end([int(lines[0])], signal.SIGINT, 10)
    end(at_home_in(data), signal.SIGQUIT, 2)
    if PROC.joinpath("self").exists():
        # Its number may by now belong to a stranger, which makes PostgreSQL refuse to start.
        pid_file.unlink(missing_ok=True)
        if len(lines) > 4 and lines[4]:
            Path(lines[4], ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def clear_redis(folder: str, log: str) -> None:
    """Put an append-only file that Redis could not read aside: what it holds may be lost, a start may not."""
    try:
        with Path(log).open("rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - 8192))
            last = lines.read().rpartition(b"is starting")[2]
    except OSError:
        return
    if (
        b"Bad file format reading the append only" not in last
        and b"Unrecoverable error reading the append" not in last
    ):
        return
    for name in ("appendonly.aof", "appendonlydir"):
        path = Path(folder, name)
        if path.exists():
            path.rename(Path(folder, f"{name}.unreadable-{int(time.time())}"))


def become(spec: dict) -> None:
    """Drop privileges, clear leftovers, exec. Never returns."""
    if "user" in spec:
        os.setgroups([])
        os.setgid(spec["group"])
        os.setuid(spec["user"])
    mark = f"{spec['name']}@{spec['home']}"
    # Without CAP_SYS_PTRACE even root reads only its own user's processes: hence after setuid.
    end(marked(mark), signal.SIGTERM, 5)
    if spec["name"] == "postgres":
        clear_postgres(spec["cwd"])
    if spec["name"] == "redis":
        clear_redis(spec["cwd"], spec["log"])
    os.chdir(spec["cwd"])
    os.umask(0o077 if spec["name"] in {"postgres", "redis"} else 0o022)
    die_with_parent(getattr(signal, spec["signal"]))
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a start from `make demo &` in a script ignores SIGINT
    os.execve(spec["command"][0], spec["command"], {**spec["env"], MARK: mark})  # noqa: S606


if __name__ == "__main__":
    described = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        become(described)
    except OSError as error:
        sys.exit(f"{described['name']} cannot start: {error}")
