"""Find and open what a host brings: files, folders, patterns and standard input, packed or not."""

import errno
import glob
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from works.ingest.archives import (
    Meter,
    Stream,
    UnreadableFile,
    fits,
    is_archive,
    is_hidden,
    members,
    reason,
    shown,
)
from works.ingest.records import Record, Reject

__all__ = [
    "MAX_LINE",
    "MAX_WHOLE",
    "Meter",
    "Reader",
    "UnreadableFile",
    "discard_copies",
    "file_digest",
    "find_files",
    "open_members",
    "peekable",
    "read_lines",
    "read_records",
    "shown",
]

MAX_LINE = 16_000_000  # bytes; the longest real record seen is under 1 MB
MAX_WHOLE = 64_000_000  # bytes of a document that must be read whole
STANDARD_INPUT = "-"
CHUNK = 1 << 20
LEAST_ROOM = 500 << 20  # bytes left on the disk, on which the database may stand too
KEEP_COPIES = 2 * 24 * 3600  # seconds; a copy of that age was left behind by an import that was killed


class Reader(Protocol):
    """What each module that reads a provider holds."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]: ...

    def read_stream(self, stream: IO[bytes], name: str, /) -> Iterator[Record | Reject]: ...


def find_files(paths: list[str], suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files behind paths, folders, patterns ("data/*.xml.gz") and "-", each once, in a steady order.

    In folders, and those below, names with one of the suffixes and archives count; hidden ones do not. What is
    named itself counts whatever its name. Standard input is copied into var/ first: whoever asked for it calls
    discard_copies when done. Raises UnreadableFile for what is not there or cannot be a file of data.
    """
    found: dict[tuple[int, int], Path] = {}
    folders: set[tuple[int, int]] = set()
    # Standard input comes last, so that nothing is copied where another path is wrong.
    for text in sorted(dict.fromkeys(paths), key=STANDARD_INPUT.__eq__):
        if text == STANDARD_INPUT:
            _add(found, _copy_of_standard_input())
            continue
        for path in _matches(text):
            status = _status(path)
            if stat.S_ISDIR(status.st_mode):
                for file in _inside(path, suffixes, folders):
                    _add(found, file)
            elif stat.S_ISREG(status.st_mode):
                _add(found, path)
            else:
                raise UnreadableFile(
                    f"{shown(str(path))}: a device, pipe or socket, not a file; standard input is read as -."
                )
    if not found:
        raise UnreadableFile(f"No file ending in {', '.join(suffixes)} in {shown(', '.join(paths))}.")
    return list(found.values())


def _add(found: dict[tuple[int, int], Path], path: Path) -> None:
    """Add a file, unless it was found under another name."""
    status = _status(path)
    if shown(str(path)) != str(path):
        raise UnreadableFile(
            f"{shown(str(path))}: its name is not UTF-8, so that no record could name it; rename it."
        )
    found.setdefault((status.st_dev, status.st_ino), path)


def _matches(text: str) -> list[Path]:
    path = Path(text)
    if glob.has_magic(text) and not os.path.lexists(text):
        found = [Path(match) for match in sorted(glob.glob(text, recursive=True))]  # noqa: PTH207 (absolute ones too)
        if not found:
            raise UnreadableFile(f"{shown(text)}: no file or folder has such a name.")
        return found
    return [path]


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        if getattr(error, "errno", 0) == errno.ELOOP:
            raise UnreadableFile(f"{shown(str(path))}: a link that leads back to itself.") from error
        if isinstance(error, FileNotFoundError) and path.is_symlink():
            raise UnreadableFile(f"{shown(str(path))}: a link that leads nowhere; remove it.") from error
        raise UnreadableFile(f"{shown(str(path))}: {reason(error)}.") from error


def _inside(folder: Path, suffixes: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files of a folder and of those below; links are followed, each real folder is walked once."""
    open_folders = [_entries(folder, seen)]
    while open_folders:
        for path in open_folders[-1]:
            mode = _mode(path)
            if stat.S_ISDIR(mode):
                open_folders.append(_entries(path, seen))
                break
            # What nobody can look at is yielded as well, so that it is told and not passed over.
            if (stat.S_ISREG(mode) or not mode) and (fits(path.name, suffixes) or is_archive(path.name)):
                yield path
        else:
            open_folders.pop()


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _entries(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Return what stands in a folder, sorted; nothing the second time."""
    status = _status(folder)
    if (status.st_dev, status.st_ino) in seen:
        return iter(())
    seen.add((status.st_dev, status.st_ino))
    try:
        return iter(sorted(path for path in folder.iterdir() if not is_hidden(path.name)))
    except OSError as error:
        raise UnreadableFile(f"{shown(str(folder))}: {reason(error)}.") from error


def _copy_of_standard_input() -> Path:
    """Copy standard input to a file of its own in var/, as an import must know and be able to reread its bytes."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise UnreadableFile("-: nothing is piped into standard input.")
    folder = _copies()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in folder.iterdir():
            if time.time() - old.stat().st_mtime > KEEP_COPIES:
                old.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="standard-input-", delete=False) as copy:
            try:
                while data := sys.stdin.buffer.read(CHUNK):
                    if shutil.disk_usage(folder).free < LEAST_ROOM:
                        raise UnreadableFile(
                            "-: standard input does not fit on the disk; bring it as a file."
                        )
                    copy.write(data)
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UnreadableFile(
            f"-: standard input cannot be kept in {shown(str(folder))}: {reason(error)}."
        ) from error
    return Path(copy.name)


def _copies() -> Path:
    return Path(settings.VAR_DIR) / "incoming"


def discard_copies(files: list[Path]) -> None:
    """Delete those files that find_files copied from standard input."""
    for file in files:
        if file.resolve().parent == _copies().resolve():
            file.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{shown(path.name)}: {reason(error)}.") from error


def open_members(
    path: Path, suffixes: tuple[str, ...], meter: Meter | None = None
) -> Iterator[tuple[str, Stream]]:
    """Yield (name, stream) of a file, unpacked, or of each fitting member of an archive.

    A stream is good until the next is asked for. Raises UnreadableFile for what cannot be opened, and after
    what was sound of a damaged archive; a member that is damaged alone raises it when it is read.
    """
    for member in members(path, suffixes, meter):
        yield member.name, member.stream


def read_records(reader: Reader, path: Path, meter: Meter | None = None) -> Iterator[Record | Reject]:
    """Yield what a reader makes of a file; of an archive's members one that cannot be read costs only itself."""
    for member in members(path, reader.SUFFIXES, meter):
        try:
            yield from reader.read_stream(member.stream, member.name)
        except UnreadableFile as error:
            if member.alone:
                raise
            yield Reject(str(error)[:300])


class _Borrowed(io.RawIOBase):
    """A stream that stays open when what wraps it goes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def peekable(stream: IO[bytes]) -> Stream:
    """Return the stream such that its start can be looked at with peek."""
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(_Borrowed(stream), 1 << 16)


def read_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Yield lines without their ends; None for one longer than MAX_LINE, which is skipped in constant memory."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            yield None
        else:
            yield line.rstrip(b"\r\n")
