"""Where the real records of tests stand."""

from pathlib import Path
from types import ModuleType

from works.ingest.records import WorkRecord

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
DEMO = ROOT / "works" / "demo"


def records_of(reader: ModuleType, path: Path) -> list[WorkRecord]:
    return [item for item in reader.read(path) if isinstance(item, WorkRecord)]
