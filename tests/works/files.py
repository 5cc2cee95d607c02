"""Where the real records of tests stand, how they are read, and files made for a test."""

import io
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

from works.ingest.files import Reader, UnreadableFile, open_members, read_records
from works.ingest.records import WorkRecord

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
DEMO = ROOT / "works" / "demo"


def read_file(reader: Reader, path: Path) -> list[Any]:
    """Return records and rejects; a test knows which of them it expects."""
    return list(read_records(reader, path))


def read_bytes(reader: Reader, content: bytes, name: str = "file") -> list[Any]:
    return list(reader.read_stream(io.BytesIO(content), name))


def records_of(reader: Reader, path: Path) -> list[WorkRecord]:
    return [item for item in read_file(reader, path) if isinstance(item, WorkRecord)]


SUFFIXES = (".jsonl", ".gz")
LINES = b'{"a": 1}\n{"a": 2}\n'


class InFolder(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, content: bytes = LINES) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def members(self, path: Path) -> dict[str, bytes]:
        return {name: stream.read() for name, stream in open_members(path, SUFFIXES)}

    def refusal(self, path: Path) -> str:
        with self.assertRaises(UnreadableFile) as caught:
            self.members(path)
        return str(caught.exception)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_of(members: dict[str, bytes], **kinds: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in kinds.items():
            info = tarfile.TarInfo(f"{name}.jsonl")
            info.type = kind
            info.linkname = "/etc/hostname"
            archive.addfile(info)
    return out.getvalue()
