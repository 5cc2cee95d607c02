"""A site as a host runs it: the live server, and a real Celery worker and beat on the same database."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.management import call_command

from bzpeer.run.addresses import with_database
from tests.works.files import DEMO, ROOT
from works.ingest.load import ingest

SCREENSHOTS = ROOT / "var" / "screenshots"


def database_address(name: str) -> str:
    """Return DATABASE_URL for another database of the same server."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


@pytest.fixture
def site(transactional_db: None, live_server, settings: Any, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a site that holds the seed pair; mails land in tmp_path/mail."""
    from django.db import connection

    settings.EMAIL_BACKEND = "profiles.mail.OutboxBackend"
    settings.PUBLIC_URL = live_server.url
    ingest("arxiv", [str(DEMO / "arxiv-seed.atom.xml")])
    call_command("rebuild", verbosity=0)
    environment = os.environ | {
        "DATABASE_URL": database_address(connection.settings_dict["NAME"]),
        # A broker of its own: another test's worker must not take this site's rings, nor this one theirs.
        "REDIS_URL": with_database(os.environ["REDIS_URL"], 9),
        "BZPEER_VAR": str(tmp_path),
        "PUBLIC_URL": live_server.url,
        "BZPEER_LOCAL": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "bzpeer", "worker", "--beat", "--concurrency", "1"]
    options = ["-Q", "default,bulk,sync,mail", "-s", str(tmp_path / "beat"), "--loglevel", "WARNING"]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([*command, *options], env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield live_server.url
    finally:
        worker.terminate()
        try:
            worker.wait(30)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def wait_for(self, address: str, words: str, seconds: float = 40) -> str:
        """Return the newest mail to an address that holds some words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path in sorted(self.folder.glob("*.log"), reverse=True):
                text = path.read_text(encoding="utf-8").replace("=\n", "").replace("=3D", "=")
                if f"To: {address}" in text and words in text:
                    return text
            time.sleep(0.2)
        raise AssertionError(f"No mail to {address} with {words!r} came within {seconds:.0f} s.")


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail")
