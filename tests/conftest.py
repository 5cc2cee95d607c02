"""What all tests share. Servers come from the plugin bzpeer.run.testing."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from bzpeer.run import browser as chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests with the reason where there is no browser; under CI they fail instead."""
    if chromium.find() or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="no Chromium: install it or set CHROMIUM=/path"))


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium, headless, for tests marked `browser`; pages come from pytest-django's live_server."""
    from playwright.sync_api import sync_playwright

    path = chromium.find()
    assert path, "no Chromium: install it or set CHROMIUM=/path"
    # Playwright's own loop runs in this thread, and Django would refuse the ORM beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield launched
        launched.close()
