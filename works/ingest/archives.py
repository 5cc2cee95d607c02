"""Unpack what a host brings: gzip, xz, bzip2, zip and tar, with bounds that bombs cannot pass.

Nothing is written to disk and nothing is held whole: a member is read while its archive is.
"""

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, Protocol, TypeAlias, cast

MAX_RATIO = 300  # bytes out for each byte read from disk; real metadata stays under 30
LEAST_READ = 1 << 16  # so that a small file may be well packed
MAX_DIRECTORY = 8 << 20  # bytes of a zip's list of members, which zipfile holds whole: about 100,000 members
MAX_HEADER = 1 << 20  # bytes of a long name or of attributes in a tar, which tarfile holds whole
MAX_XZ_MEMORY = 100 << 20  # bytes; xz -9 needs 65 MB
MAX_DEPTH = 2  # an archive in an archive, such as a download of several tars in one zip
BUFFER = 1 << 16

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
    b"PAR1": "Parquet",
}
_PACKED = re.compile(r"\.(?:gz|xz|bz2)$", re.I)
_ARCHIVE = re.compile(r"\.(?:zip|tar(?:\.(?:gz|xz|bz2))?|tgz|txz|tbz2?)$", re.I)
_TAR = re.compile(r"\.(?:tar(?:\.(?:gz|xz|bz2))?|tgz|txz|tbz2?)$", re.I)
_HELD_WHOLE = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_DAMAGE = (
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)


class UnreadableFile(Exception):
    """A file cannot be read at all, or not to its end; the message says why and what would help."""


@dataclass
class Meter:
    """How many bytes of the files on disk were read so far; in the end the sum of their sizes."""

    bytes: int = 0


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


Stream: TypeAlias = "io.BufferedReader[Any]"
_Opener = Callable[[], _Readable]
_Spend = Callable[[int], None]


class Member(NamedTuple):
    """alone: the stream is the file itself, not one of many in an archive."""

    name: str
    stream: Stream
    alone: bool = False


def shown(name: str) -> str:
    """Return a file's name as text that can be printed and stored, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\x00", "")


def fits(name: str, suffixes: tuple[str, ...]) -> bool:
    """Return whether a file's name has one of the endings, plain or packed (".xml.gz" for ".xml")."""
    name = name.lower()
    return name.endswith(suffixes) or _PACKED.sub("", name).endswith(suffixes)


def is_archive(name: str) -> bool:
    return bool(_ARCHIVE.search(name))


def is_hidden(name: str) -> bool:
    """Return whether part of a path begins with a dot, as what systems and tools leave beside data does."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def members(path: Path, suffixes: tuple[str, ...], meter: Meter | None = None) -> Iterator[Member]:
    """Yield the file itself, unpacked, or each member of an archive whose name fits.

    Raises UnreadableFile where there is nothing to read, and after what was sound of a damaged file.
    """
    meter = meter or Meter()
    name, start = shown(path.name), meter.bytes
    try:
        disk = _Disk(path, meter)
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{name}: {reason(error)}.") from error
    with io.BufferedReader(disk, BUFFER) as stream:
        budget = _Budget(disk)
        head = stream.peek(8)[:8]
        if not head:
            raise UnreadableFile(f"{name}: the file is empty.")
        if head.startswith(_ZIP):
            yield from _zip_members(stream, name, suffixes, budget)
        else:
            yield from _members(stream, name, suffixes, budget, 1)
        meter.bytes = start + disk.size  # what an archive holds besides its members counts as read


def reason(error: OSError | ValueError) -> str:
    """Return why a path cannot be opened, in words."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "no such file or folder"
    if isinstance(error, PermissionError):
        return "may not be read by the account that imports; give it the right to read"
    return getattr(error, "strerror", None) or str(error)


class _Disk(io.RawIOBase):
    """A file as it lies on disk; counts what is read of it."""

    def __init__(self, path: Path, meter: Meter) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        self._name, self._meter, self._start = shown(path.name), meter, meter.bytes
        self.read_bytes = 0
        self.most = 0  # bytes that may be asked for in one piece, if that matters

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.most and len(buffer) > self.most:
            raise UnreadableFile(f"{self._name}: a zip of too many members; unpack it into a folder first.")
        try:
            count = self._file.readinto(buffer)
        except OSError as error:
            raise UnreadableFile(f"{self._name}: cannot be read on ({reason(error)}).") from error
        self.read_bytes += count
        self._meter.bytes = self._start + min(self.read_bytes, self.size)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass
class _Budget:
    """How much may come out of a file for what was read of it, at each depth of packing."""

    disk: _Disk
    produced: dict[int, int] = field(default_factory=dict)

    def spend(self, depth: int, name: str, count: int) -> None:
        self.produced[depth] = produced = self.produced.get(depth, 0) + count
        # A zip may point at the same bytes many times over: they are on disk once.
        if produced > max(min(self.disk.read_bytes, self.disk.size), LEAST_READ) * MAX_RATIO:
            raise UnreadableFile(f"{name}: unpacks to more than {MAX_RATIO} times its size; refused.")


class _Guarded(io.RawIOBase):
    """A stream within another: opened when it is first read, counted, its damage told in a sentence."""

    def __init__(self, open_inner: _Opener, name: str, spend: _Spend) -> None:
        self._open, self._name, self._spend = open_inner, name, spend
        self._inner: _Readable | None = None
        self._failure: UnreadableFile | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        filled = 0
        while filled < len(buffer) and self._failure is None:
            try:
                if self._inner is None:
                    self._inner = self._open()
                data = self._inner.read1(len(buffer) - filled)
                self._spend(len(data))
            except UnreadableFile as error:
                self._failure = error
            except _DAMAGE as error:
                self._failure = UnreadableFile(f"{self._name}: damaged or cut off ({error}).")
                self._failure.__cause__ = error
            else:
                if not data:
                    break
                buffer[filled : filled + len(data)] = data
                filled += len(data)
        if self._failure and not filled:  # what came before the damage is given first
            raise self._failure
        return filled


def _guarded(open_inner: _Opener, name: str, spend: _Spend = lambda _: None) -> Stream:
    return io.BufferedReader(_Guarded(open_inner, name, spend), BUFFER)


class _Xz:
    """xz with a bound on memory, which lzma.LZMAFile cannot have; several streams may follow each other."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed
        self._decoder = lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY)

    def read1(self, size: int = -1) -> bytes:
        while True:
            if self._decoder.eof:
                rest = (self._decoder.unused_data or self._packed.read(BUFFER)).lstrip(b"\x00")
                if not rest and not (rest := self._packed.read(BUFFER).lstrip(b"\x00")):
                    return b""
                self._decoder = lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY)
            elif self._decoder.needs_input:
                if not (rest := self._packed.read(BUFFER)):
                    raise EOFError("the end is missing")
            else:
                rest = b""
            if data := self._decoder.decompress(rest, size):
                return data


def _unpacked(stream: Stream, name: str, spend: _Spend) -> Stream:
    """Return the stream, unpacked by what it holds and not by its name."""
    head = stream.peek(6)[:6]
    opener: _Opener
    if head.startswith(b"\x1f\x8b"):
        opener = partial(gzip.GzipFile, fileobj=stream)
    elif head == b"\xfd7zXZ\x00":
        opener = partial(_Xz, stream)
    elif head.startswith(b"BZh"):
        opener = partial(bz2.BZ2File, stream)
    else:
        return stream
    return _guarded(opener, name, spend)


def _members(
    stream: Stream, name: str, suffixes: tuple[str, ...], budget: _Budget, depth: int
) -> Iterator[Member]:
    """Yield what a stream holds: the members of a tar, or itself."""
    whole = _unpacked(stream, name, partial(budget.spend, depth, name))
    head = whole.peek(512)[:512]
    for magic, kind in _FOREIGN.items():
        if head.startswith(magic):
            raise UnreadableFile(f"{name}: packed as {kind}; unpack it first.")
    is_tar = head[257:262] == b"ustar" or (bool(_TAR.search(name)) and len(head) == 512)
    if is_tar and depth <= MAX_DEPTH:
        yield from _tar_members(whole, name, suffixes, budget, depth)
    elif is_tar or head.startswith(_ZIP):
        raise UnreadableFile(f"{name}: an archive inside an archive; unpack the outer one first.")
    elif not head and depth == 1:
        raise UnreadableFile(f"{name}: the file is empty.")
    else:
        yield Member(name, whole, alone=depth == 1)


def _zip_members(stream: Stream, name: str, suffixes: tuple[str, ...], budget: _Budget) -> Iterator[Member]:
    budget.disk.most = MAX_DIRECTORY
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE as error:
        raise UnreadableFile(f"{name}: damaged or cut off, a zip without its end ({error}).") from error
    budget.disk.most = 0
    found = False
    for info in archive.infolist():
        inside = shown(info.filename)
        is_file = not inside.endswith("/") and (info.external_attr >> 28) in (0, 8)  # no link, no device
        if not is_file or not _wanted(inside, suffixes):
            continue
        found = True
        if info.flag_bits & 1:
            raise UnreadableFile(f"{name}: locked with a password; unpack it first.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            raise UnreadableFile(f"{name}: packed in a way that is not read here; unpack it first.")
        member = _guarded(partial(_open_in_zip, archive, info), inside, partial(budget.spend, 1, inside))
        yield from _inner_members(member, inside, suffixes, budget, 2)
    _must_have(found, name, suffixes)


def _open_in_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Readable:
    return cast(zipfile.ZipExtFile, archive.open(info))


class _Header(tarfile.TarInfo):
    """A header that is refused where tarfile would take much memory for it or take damage for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the block of zeros that ends an archive
            raise tarfile.ReadError(str(error)) from error
        if header.type in _HELD_WHOLE and header.size > MAX_HEADER:
            raise tarfile.ReadError("a header of more than 1 MB")
        return header


def _tar_members(
    stream: Stream, name: str, suffixes: tuple[str, ...], budget: _Budget, depth: int
) -> Iterator[Member]:
    found = False
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            while (info := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # else tarfile keeps one for each of millions of members
                inside = shown(info.name)
                is_file = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.sparse is None
                if is_file and _wanted(inside, suffixes):
                    found = True
                    member = _guarded(partial(_extract, archive, info), inside)
                    yield from _inner_members(member, inside, suffixes, budget, depth + 1)
    except _DAMAGE as error:
        raise UnreadableFile(f"{name}: damaged or cut off ({error}).") from error
    _must_have(found, name, suffixes)


def _extract(archive: tarfile.TarFile, info: tarfile.TarInfo) -> _Readable:
    if (member := archive.extractfile(info)) is None:
        raise tarfile.ReadError("not a file")
    return cast(io.BufferedReader, member)


def _inner_members(
    stream: Stream, name: str, suffixes: tuple[str, ...], budget: _Budget, depth: int
) -> Iterator[Member]:
    """Yield what a member holds; one that cannot be read is told when it is, and the others go on."""
    try:
        yield from _members(stream, name, suffixes, budget, depth)
    except UnreadableFile as error:
        yield Member(name, _guarded(partial(_fail, error), name))


def _fail(error: UnreadableFile) -> _Readable:
    raise error


def _wanted(inside: str, suffixes: tuple[str, ...]) -> bool:
    if (
        not inside
        or PurePosixPath(inside).is_absolute()
        or ".." in PurePosixPath(inside).parts
        or is_hidden(inside)
    ):
        return False
    return fits(inside, suffixes) or is_archive(inside)


def _must_have(found: bool, name: str, suffixes: tuple[str, ...]) -> None:
    if not found:
        raise UnreadableFile(f"{name}: holds no file ending in {', '.join(suffixes)}.")
