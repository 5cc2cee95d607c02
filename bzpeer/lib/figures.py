"""Figures that were measured: a line for machines each, and all of them in var/figures/NAME.json."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings

_OPERATORS = {">=": lambda value, bar: value >= bar, "<=": lambda value, bar: value <= bar}


class Figures:
    """The figures of one measurement; name is the file's, as "bench-ingest"."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows: list[dict[str, Any]] = []

    def add(self, name: str, value: float, unit: str, target: str = "") -> bool:
        """Print a figure and keep it; return whether it meets its target, as ">=0.35" (none: always)."""
        met = not target or _OPERATORS[target[:2]](value, float(target[2:]))
        shown = f"{value:.3f}" if value < 100 else f"{value:.0f}"
        print(
            f"FIGURE {name} {shown} {unit}"
            + (f" target {target} {'met' if met else 'short'}" if target else ""),
            flush=True,
        )
        self._rows.append({"name": name, "value": value, "unit": unit, "target": target, "met": met})
        return met

    def write(self) -> None:
        """Write var/figures/NAME.json with what tells one machine and one day from another."""
        folder = settings.BASE_DIR / "var" / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607
            cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
        )  # fmt: skip
        about = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit.stdout.strip(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "django": django.get_version(),
            "psycopg": version("psycopg"),
        }
        text = json.dumps(about | {"figures": self._rows}, indent=2) + "\n"
        (folder / f"{self._name}.json").write_text(text, encoding="utf-8")
