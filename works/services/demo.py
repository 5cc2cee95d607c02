"""The real records shipped with the project (works/demo/SOURCES.md)."""

from collections.abc import Callable
from pathlib import Path

from works.ingest.load import Progress, ingest
from works.models import ImportFile

FOLDER = Path(__file__).parent.parent / "demo"
FILES = (
    ("arxiv", "arxiv-seed.atom.xml"),
    ("arxiv", "arxiv.tsv.xz"),
    ("openalex", "openalex-works.jsonl.xz"),
)


def demo_records_imported() -> bool:
    """Return whether every demo file was read to its end."""
    names = [name for _, name in FILES]
    return ImportFile.objects.filter(name__in=names, state=ImportFile.State.FINISHED).count() >= len(names)


def import_demo_records(on_progress: Callable[[Progress], None] = lambda _: None) -> None:
    """Import the demo records; goes on where it was interrupted, and does nothing the second time."""
    for provider, name in FILES:
        ingest(provider, [str(FOLDER / name)], on_progress)
