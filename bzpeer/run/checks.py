"""Checks that need an environment of their own: types, migrations, production settings, the lock file."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bzpeer.run.environment import set_placeholders
from bzpeer.run.place import CHECKOUT, SHARED, RunError, default_place, left_elsewhere
from bzpeer.run.servers import Servers

# An invented production machine: what `check --deploy` says must come from our settings, not from gaps here.
PRODUCTION = {
    "PUBLIC_URL": "https://bzpeer.example.org",
    "ALLOWED_HOSTS": "bzpeer.example.org",
    "SECRET_KEY": "check-only-" + "n0t.a.s3cret!" * 5,
    "CONTACT_EMAIL": "privacy@bzpeer.example.org",
    "DEBUG": "0",
}


def run(*command: str, **env: str) -> None:
    """Run one command; leave with its exit code when it fails."""
    done = subprocess.run(
        command, cwd=CHECKOUT, env={**os.environ, **env}, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        sys.exit(done.returncode)


def types() -> None:
    set_placeholders()  # mypy's Django plugin loads the settings
    run(sys.executable, "-m", "mypy")


def django() -> None:
    run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")
    run(sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)


def lock() -> None:
    """Write requirements.lock: one file with hashes for Python 3.11 to 3.13."""
    run(
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "dev", "--universal",
        "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
        "--no-emit-index-url", "--no-emit-find-links", "--no-config", "--quiet", "--upgrade",
        "-o", "requirements.lock",
    )  # fmt: skip


def clean_data() -> None:
    """Delete the demo's data once somebody has said yes."""
    place = default_place()
    servers = Servers(place, ())
    if servers.supervisor.is_alive():
        raise RunError("The servers run: stop the demo first.")
    elsewhere = left_elsewhere(place.var)
    folders = sorted({place.var, place.store, *elsewhere})
    size = sum(file.lstat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    named = ", ".join(map(str, folders))
    print(f"This deletes every record and account of the demo: {named} ({size >> 20} MB).")
    if input("Type yes to delete: ").strip() != "yes":
        raise RunError("Nothing was deleted.")
    for folder in folders:
        for path in Path(folder).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for empty in [*elsewhere, *SHARED]:
        with contextlib.suppress(OSError):  # the shared folders hold other checkouts' data too
            empty.rmdir()


if __name__ == "__main__":
    actions = {"types": types, "django": django, "lock": lock, "clean-data": clean_data}
    try:
        actions[sys.argv[1]]()
    except RunError as error:
        sys.exit(str(error))
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nNothing was deleted.")
