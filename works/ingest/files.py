"""Open what a host brings: plain or compressed files, folders and globs, with bounds that bombs cannot pass."""

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MAX_LINE = 8_000_000  # bytes; the longest real record seen is under 1 MB
MAX_RATIO = 300  # bytes out for each byte in; real metadata stays under 30
MAX_WHOLE = 64_000_000  # bytes of a document that must be read whole (a JSON array)


class UnreadableFile(Exception):
    """A file cannot be read at all; the message says why and what would help."""


def find_files(paths: list[str], suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files behind paths and folders, each once, in a steady order.

    In folders only names with one of the suffixes count. Raises UnreadableFile for a path that is not there.
    """
    found: dict[Path, None] = {}
    for text in paths:
        path = Path(text)
        if path.is_dir():
            # rglob does not follow links to folders, so that no loop holds us.
            inside = sorted(file for file in path.rglob("*") if file.is_file())
            for file in inside:
                if any(suffix in file.suffixes for suffix in suffixes):
                    found[file] = None
        elif path.is_file():
            found[path] = None
        else:
            raise UnreadableFile(f"{text}: no such file or folder.")
    if not found:
        raise UnreadableFile(f"No file ending in {', '.join(suffixes)} in {', '.join(paths)}.")
    return list(found)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Bounded(io.RawIOBase):
    """A decompressed stream that stops where the ratio says that it is a bomb."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, compressed_size: int, name: str) -> None:
        self._inner, self._name = inner, name
        self._limit = max(compressed_size, 4096) * MAX_RATIO
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except (EOFError, lzma.LZMAError, zlib.error, OSError, ValueError, zipfile.BadZipFile) as error:
            raise UnreadableFile(f"{self._name}: damaged or cut off ({error}).") from error
        self._read += len(data)
        if self._read > self._limit:
            raise UnreadableFile(f"{self._name}: unpacks to more than {MAX_RATIO} times its size; refused.")
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_stream(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, unpacking gzip, xz, bzip2 by what the file holds, not by its name."""
    with path.open("rb") as raw:
        head = raw.read(6)
        raw.seek(0)
        inner: IO[bytes] | gzip.GzipFile
        if head[:2] == b"\x1f\x8b":
            inner = gzip.GzipFile(fileobj=raw)
        elif head == b"\xfd7zXZ\x00":
            inner = lzma.LZMAFile(raw)  # noqa: SIM115 (raw closes it)
        elif head[:3] == b"BZh":
            inner = bz2.BZ2File(raw)
        else:
            yield raw
            return
        yield io.BufferedReader(_Bounded(inner, path.stat().st_size, path.name), 1 << 16)


def open_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield (name, stream) of a file, or of each JSON file inside a zip."""
    with path.open("rb") as raw:
        is_zip = raw.read(4) == b"PK\x03\x04"
    if not is_zip:
        with open_stream(path) as stream:
            yield path.name, stream
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir() or not info.filename.endswith((".json", ".jsonl")):
                    continue
                with archive.open(info) as member:
                    bounded = _Bounded(member, info.compress_size, info.filename)
                    yield info.filename, io.BufferedReader(bounded, 1 << 16)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise UnreadableFile(f"{path.name}: damaged zip ({error}).") from error


def read_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one longer than MAX_LINE, which is skipped in constant memory."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield None
        else:
            yield line.rstrip(b"\r\n")


def read_whole(stream: IO[bytes], name: str) -> bytes:
    data = stream.read(MAX_WHOLE + 1)
    if len(data) > MAX_WHOLE:
        raise UnreadableFile(
            f"{name}: a single JSON document of more than {MAX_WHOLE // 10**6} MB; bring JSON Lines."
        )
    return data
