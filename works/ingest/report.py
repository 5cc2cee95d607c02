"""Show how far an import is, and how imports stand."""

import io
import sys
import time

from django.db.models import Count, Min, Sum
from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from works.ingest.load import Progress as Counts
from works.models import ImportFile, ImportReject, ImportRun

_SAID_EVERY = 5.0  # seconds between lines where no terminal shows a bar


class Reporter:
    """A live bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, live: bool | None = None) -> None:
        live = sys.stderr.isatty() if live is None else live
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20, pulse_style="cyan"),
            TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.fields[counts]}"), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True),
        ) if live else None  # fmt: skip
        self._started = time.monotonic()
        self._said = self._started

    def __enter__(self) -> "Reporter":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task("Starting", total=None, counts="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, counts: Counts) -> None:
        now = time.monotonic()
        rate = counts.read / max(now - self._started, 0.001)
        line = f"{counts.read:,} records, {rate:,.0f}/s, {decimal(counts.bytes)} of {decimal(counts.size)}"
        line += (
            f", file {min(counts.files_done + 1, counts.files)} of {counts.files}" if counts.files > 1 else ""
        )
        line += f", {counts.rejected:,} rejected" if counts.rejected else ""
        if self._bar:
            self._bar.update(
                self._task,
                description=counts.file[-40:],
                completed=counts.bytes,
                total=counts.size or None,
                counts=line,
            )
        elif now - self._said >= _SAID_EVERY:
            self._said = now
            left = (counts.size - counts.bytes) * (now - self._started) / max(counts.bytes, 1)
            print(f"{counts.file}: {line}, {left:,.0f} s left", file=sys.stderr, flush=True)

    def say(self, words: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=words, total=None, counts="")
        else:
            print(f"{words} ...", file=sys.stderr, flush=True)


def run_table(runs: int = 30) -> str:
    """Return the newest runs, one a line."""
    table = Table(box=None, pad_edge=False)
    for name in (
        "run",
        "provider",
        "state",
        "files",
        "read",
        "new",
        "updated",
        "unchanged",
        "rejected",
        "started",
        "took",
    ):
        table.add_column(name, justify="left" if name in {"provider", "state", "started"} else "right")
    newest = ImportRun.objects.annotate(total=Count("files")).order_by("-pk")[:runs]
    ids = [run.pk for run in newest]
    done = dict(
        ImportFile.objects.filter(run__in=ids)
        .exclude(state__in=[ImportFile.State.QUEUED, ImportFile.State.RUNNING])
        .values_list("run")
        .annotate(Count("pk"))
    )
    for run in newest:
        took = f"{(run.finished_at - run.started_at).total_seconds():,.1f} s" if run.finished_at else ""
        table.add_row(
            str(run.pk), run.get_provider_display(), run.get_state_display(), f"{done.get(run.pk, 0)}/{run.total}",
            f"{run.read:,}", f"{run.stored - run.updated:,}", f"{run.updated:,}", f"{run.unchanged:,}", f"{run.rejected:,}",
            f"{run.started_at:%Y-%m-%d %H:%M}", took,
        )  # fmt: skip
    console = Console(file=io.StringIO(), width=150)
    console.print(table if ids else "Nothing was imported yet: manage.py ingest PROVIDER PATH...")
    return console.file.getvalue().rstrip()  # type: ignore[attr-defined]


def provider_table() -> str:
    """Return what was read of each provider, with the reasons of rejects, as a Markdown table."""
    files = (
        ImportFile.objects.values("provider")
        .annotate(
            files=Count("pk"), added=Sum("added"), updated=Sum("updated"), unchanged=Sum("unchanged"), rejected=Sum("rejected")
        )
        .order_by("provider")
    )  # fmt: skip
    labels = dict(ImportRun._meta.get_field("provider").flatchoices)
    lines = [
        "| Provider | Files | Records read | New | Updated | Unchanged | Rejected | Why |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in files:
        counts = [row[name] for name in ("added", "updated", "unchanged", "rejected")]
        reasons = (
            ImportReject.objects.filter(file__provider=row["provider"])
            .values("reason")
            .annotate(count=Count("pk"), first=Min("pk"))
            .order_by("-count", "reason")
        )
        why = "; ".join(f"{reason['count']} {reason['reason']}" for reason in reasons[:6])
        if len(reasons) > 6:
            why += f"; {sum(reason['count'] for reason in reasons[6:])} others"
        lines.append(
            f"| {labels[row['provider']]} | {row['files']:,} | {sum(counts):,} | "
            + " | ".join(f"{count:,}" for count in counts)
            + f" | {why.replace('|', '/')} |"
        )
    return "\n".join(lines)
