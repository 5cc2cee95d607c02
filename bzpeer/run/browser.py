"""Find Chromium for the browser tests, or install Debian's where that is possible."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing that phones home: tests must not depend on, or wait for, anybody else's hosts.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find() -> str | None:
    """Return Chromium's path: CHROMIUM if set, else the first of the usual names."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def installable() -> bool:
    """Tell whether this process may install Debian's chromium: root, apt, and a release that has it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    # Ubuntu's package of that name only fetches a snap.
    release = Path("/etc/os-release")
    return release.exists() and "\nID=debian" in "\n" + release.read_text()


def install() -> None:
    """Install chromium and a font from Debian's packages."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ["chromium", "fonts-liberation"]
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        quiet = subprocess.DEVNULL
        subprocess.run(["apt-get", *command], env=env, stdin=quiet, stdout=quiet, check=False)


def main() -> int:
    """Say what the browser tests will use; under CI a missing browser is a failure."""
    if not find() and installable():
        print("Installing chromium for the browser tests", flush=True)
        install()
    if find():
        return 0
    why = (
        f"CHROMIUM={os.environ['CHROMIUM']} is no program"
        if os.environ.get("CHROMIUM")
        else "no Chromium was found"
    )
    print(
        f"The browser tests will not run: {why}. Install chromium, or name it with CHROMIUM=/path.",
        file=sys.stderr,
    )
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
