"""How much memory an import takes whatever the size of its file: make bench-memory SIZE=2000

A JSON Lines file of SIZE megabytes is made from the tests' real works under new ids and titles, and imported
by one process, whose greatest resident size the kernel tells.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import count, cycle
from pathlib import Path
from typing import Any

from tests.bench.servers import own_servers

DATA = Path(__file__).parent.parent / "data" / "openalex"
MEMORY = 300  # MB


def main() -> None:
    size = int(os.environ.get("SIZE") or 2000)
    from bzpeer.lib.figures import Figures

    with own_servers(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "works.jsonl")
        works = generate(path, size * 1_000_000)
        print(f"{path.stat().st_size / 1e6:,.0f} MB, {works:,} works", flush=True)
        started = time.monotonic()
        run = [sys.executable, "manage.py", "ingest", "openalex", str(path), "--no-rebuild"]
        subprocess.run(run, check=True)
        seconds = time.monotonic() - started
        figures = Figures("bench-memory")
        figures.add("ingest.memory.file", path.stat().st_size / 1e6, "MB")
        figures.add("ingest.memory.works", works / seconds, "works/s")
        figures.add(
            "ingest.memory.rss",
            resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
            "MB",
            f"<={MEMORY}",
        )
        figures.write()


def generate(path: Path, size: int) -> int:
    """Write works until the file has that many bytes; return how many."""
    written = works = 0
    with path.open("wb") as file:
        numbers = count(1)
        for work in cycle(templates()):
            if written >= size:
                return works
            number = next(numbers)
            work |= {
                "id": f"https://openalex.org/W{9_000_000_000 + number}",
                "doi": f"https://doi.org/10.5555/made.{number}",
                "ids": {},
                "locations": [],
                "display_name": f"{work['display_name']} {number:x}",
            }
            written += file.write(json.dumps(work).encode() + b"\n")
            work["display_name"] = work["display_name"].rpartition(" ")[0]
            works += 1
    return works


def templates() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(DATA.glob("*.json.gz")):
        document = json.loads(gzip.decompress(path.read_bytes()))
        found += document["results"] if isinstance(document, dict) else document
    return [work for work in found if work.get("display_name") and len(work.get("authorships") or []) < 20]


if __name__ == "__main__":
    main()
