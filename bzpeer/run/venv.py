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
            advice = "Python cannot make .venv (Debian, Ubuntu: apt-get install python3-venv)"
            run([python, "-m", "venv", str(VENV)], advice)
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
