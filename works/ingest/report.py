"""Show how far an import is."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from works.ingest.load import Progress as Counts


class Reporter:
    """A live bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, live: bool | None = None) -> None:
        live = sys.stderr.isatty() if live is None else live
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20, pulse_style="cyan"),
            TextColumn("{task.completed:,.0f} records"), TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[rejected]}"), TimeElapsedColumn(), console=Console(stderr=True),
        ) if live else None  # fmt: skip
        self._started = time.monotonic()
        self._last = self._started
        self._said = self._started
        self._seen = 0

    def __enter__(self) -> "Reporter":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task("Starting", total=None, rate="", rejected="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, counts: Counts) -> None:
        now = time.monotonic()
        if counts.read < self._seen:  # another file's import counts from the beginning
            self._started = self._last
        self._seen = counts.read
        self._last = now
        rate = counts.read / max(now - self._started, 0.001)
        if self._bar:
            self._bar.update(
                self._task, description=counts.file, completed=counts.read, rate=f"{rate:,.0f}/s",
                rejected=f"{counts.rejected} rejected" if counts.rejected else "",
            )  # fmt: skip
        elif now - self._said >= 5:
            self._said = now
            print(
                f"{counts.file}: {counts.read} records, {rate:.0f}/s, {counts.rejected} rejected",
                file=sys.stderr,
                flush=True,
            )

    def say(self, words: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=words, rate="", rejected="")
        else:
            print(f"{words} ...", file=sys.stderr, flush=True)
