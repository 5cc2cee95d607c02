"""Make .venv as requirements.lock says, once per lock: `python3 bzpeer/run/venv.py`.

Any python3 may run it, so it uses the standard library alone and nothing newer than Python 3.7.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = CHECKOUT / "requirements.lock"
STAMP = VENV / "installed"
OLDEST, NEWEST = (3, 11), (3, 13)
NAMES = ["python3", "python3.12", "python3.11", "python3.13"]


def main() -> None:
    """Make or mend the environment; exit with one sentence when that is impossible."""
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make demo` and `make test` started together share one
        wanted = f"{hashlib.sha256(lock.read().encode()).hexdigest()} {CHECKOUT}"
        done = read(STAMP)
        if done == wanted and works():
            return
        if done.partition(" ")[2] != str(CHECKOUT) or not works():
            # Half made, moved, or of a Python that is gone: cheaper to make anew than to mend.
            shutil.rmtree(VENV, ignore_errors=True)
            python = find_python()
            print(f"Making .venv with {python}", flush=True)
            make(python)
        if advice := redis_advice(version_of(PYTHON) or "3.11", os.environ):
            print(advice, flush=True)
        print("Installing what requirements.lock lists; only the first time takes this long", flush=True)
        pip = [
            str(PYTHON),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--quiet",
            "--require-hashes",
        ]
        run([*pip, "-r", str(LOCK)], "Installing failed; what pip wrote is above")
        for packages in VENV.glob("lib/*/site-packages"):
            # The environment's programs (pytest, celery) find the project from any folder.
            (packages / "bzpeer-checkout.pth").write_text(f"{CHECKOUT}\n")
        STAMP.write_text(wanted)


def make(python: str, folder: Path = VENV) -> None:
    """Make an environment with pip in it; exit with one sentence when neither ensurepip nor pip can."""
    if quiet([python, "-m", "venv", str(folder)]):
        return
    # Debian keeps ensurepip in a package of its own: the machine's pip, if there is one, does as well.
    shutil.rmtree(folder, ignore_errors=True)
    bare = [python, "-m", "venv", "--without-pip", str(folder)]
    inside = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--python", inside, "install", "pip"]
    if not (quiet(bare) and quiet(pip)):
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit("Python cannot make .venv (Debian, Ubuntu: apt-get install python3-venv).")


def redis_advice(version: str, environment: Mapping[str, str]) -> str:
    """Return what to say, before minutes of installing, where a Python ("3.13") gets no Redis server; else ""."""
    path = environment.get("PATH", "")
    there = environment.get("REDIS_URL") or any(
        shutil.which(name, path=path) for name in ("redis-server", "valkey-server")
    )
    if there or tuple(map(int, version.split("."))) < (3, 13):
        return ""
    return (
        "No Redis server for this Python: install one (Debian, Ubuntu: apt-get install redis-server), "
        "take Python 3.11 or 3.12, which bring their own (PYTHON=python3.12, PYTHON=python3.11), "
        "or set REDIS_URL. All else is installed and works."
    )


def version_of(python: Path) -> str:
    """Return "3.12" for a Python."""
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    return subprocess.run(
        [python, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout.strip()


def works() -> bool:
    """Tell whether the environment's Python starts and has pip."""
    code = "import sys, importlib.util as u; sys.exit(u.find_spec('pip') is None)"
    if not os.access(PYTHON, os.X_OK):
        return False
    return subprocess.run([str(PYTHON), "-I", "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def find_python() -> str:
    """Return a Python from 3.11 to 3.13; one below 3.13 first where the wheel's Redis is needed."""
    found = []
    for name in [os.environ.get("PYTHON", ""), *NAMES]:
        path = shutil.which(name) if name else None
        if path:
            code = "import sys; print(*sys.version_info[:2])"
            done = subprocess.run([path, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            version = tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else (0, 0)
            if OLDEST <= version <= NEWEST:
                found.append((path, version))
    if not found:
        sys.exit(
            "BZPEER needs Python 3.11, 3.12 or 3.13: install one, or name it with PYTHON=/path/to/python3.12."
        )
    if os.environ.get("PYTHON") or shutil.which("redis-server") or shutil.which("valkey-server"):
        return found[0][0]
    return next((path for path, version in found if version < (3, 13)), found[0][0])


def read(path: Path) -> str:
    """Return a file's text, or "" when there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""


def quiet(command: list[str]) -> bool:
    """Run a command, keep what it writes to itself, and tell whether it succeeded."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    except KeyboardInterrupt:
        sys.exit(130)


def run(command: list[str], failure: str) -> None:
    """Run a command; exit with one sentence when it fails."""
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    except KeyboardInterrupt:
        sys.exit(130)
    if code != 0:
        sys.exit(f"{failure}.")


if __name__ == "__main__":
    main()
