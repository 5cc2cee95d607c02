"""Find the records in JSON of any size: in an array, in JSON Lines, in an answer that holds them, or one alone.

Only the end of each value is sought here; msgspec reads it. So a broken record costs itself and no other, and
a file of any size takes no more memory than its longest record.
"""

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

import msgspec

from works.ingest.files import MAX_LINE, UnreadableFile
from works.ingest.records import Reject

Route = tuple[str, ...]  # names of members from the document down to an array: ("message", "items")

CHUNK = 1 << 18
MOST_AT_ONCE = 1 << 23
TOO_LONG = Reject("longer than a record may be")
_BOM = b"\xef\xbb\xbf"

_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb'[^\s,:"{}\[\]]++')
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
# Up to the next bracket outside strings. Possessive, so that nothing is tried twice.
_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+[{}\[\]]', re.S)
_MARK = re.compile(rb'\\.|["{}\[\]]', re.S)

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(Any)


def stream_records(
    stream: IO[bytes], name: str, routes: Sequence[Route] = (), *, most: int = MAX_LINE
) -> Iterator[bytes | Reject]:
    """Yield the bytes of each record in the order of the file; a Reject for one of more than `most` bytes.

    Reads an array, JSON Lines, documents one after another, and answers that hold an array at the end of one
    of the routes. Each ends where it should but need not be JSON within: `parse` finds out. Raises
    UnreadableFile for an empty file, and after what came before its damage for a damaged one.
    """
    text = _Text(stream, name, most)
    first = text.next()
    if not first:
        raise UnreadableFile(f"{name}: the file is empty.")
    if first == b"{" and text.is_lines():
        for line in text.lines():
            if line is None:
                yield TOO_LONG
            elif stripped := line.strip():
                yield from _unwrapped(stripped, routes)
        return
    while first:
        if first == b"[":
            yield from _array(text)
        elif first == b"{":
            yield from _document(text, routes)
        else:
            raise text.damage("no JSON record")
        first = text.next()


def parse(data: bytes) -> Any | Reject:
    """Return what JSON says, or why it says nothing."""
    try:
        return _ANY.decode(data)
    except (ValueError, RecursionError) as error:
        return Reject(f"not JSON: {error}"[:300], snippet(data))


def snippet(data: bytes | str) -> str:
    """Return the start of a record, to know it again."""
    if isinstance(data, bytes):
        return data[:200].decode("utf-8", "replace")
    return data[:200].encode("utf-8", "replace").decode("utf-8")


def _document(text: "_Text", routes: Sequence[Route]) -> Iterator[bytes | Reject]:
    if text.holds_value() and (value := text.value()) is not None:
        yield from _unwrapped(value, routes)
        return
    found = False
    for item in _members(text, set(routes)):
        found = True
        yield item
    if not found:
        yield TOO_LONG


def _unwrapped(value: bytes, routes: Sequence[Route]) -> Iterator[bytes | Reject]:
    """Yield the elements of the array that a document wraps, or else the document."""
    for route in routes:
        try:
            array: Any = value
            for member in route:
                array = _MEMBERS.decode(array)[member]
            elements = _ELEMENTS.decode(array)
        except (ValueError, KeyError, RecursionError):
            continue
        yield from map(bytes, elements)
        return
    yield value


def _array(text: "_Text") -> Iterator[bytes | Reject]:
    text.place += 1
    while (first := text.next()) != b"]":
        if first == b",":
            text.place += 1
            continue
        value = text.value()
        yield TOO_LONG if value is None else value
    text.place += 1


def _members(text: "_Text", routes: set[Route]) -> Iterator[bytes | Reject]:
    """Yield the elements of the arrays that the routes lead to from an object; pass over all else."""
    text.place += 1
    while (first := text.next()) != b"}":
        if first == b",":
            text.place += 1
            continue
        key = parse(text.value() or b"")
        if text.next() != b":":
            raise text.damage("no colon")
        text.place += 1
        below = {route[1:] for route in routes if route and route[0] == key}
        first = text.next()
        if first == b"[" and () in below:
            yield from _array(text)
        elif first == b"{" and any(below):
            yield from _members(text, below)
        else:
            text.value()
    text.place += 1


class _Text:
    """JSON as it comes in, and a place in it. What lies before the place is let go of."""

    def __init__(self, stream: IO[bytes], name: str, most: int) -> None:
        self.name, self.most = name, most
        self.place = 0
        self._stream = stream
        self._held = b""
        self._gone = 0
        self._read_on()
        if self._held.startswith(_BOM):
            self.place = len(_BOM)

    def next(self) -> bytes:
        """Pass over white space and return the byte behind it; b"" at the end."""
        while True:
            if match := _SPACE.match(self._held, self.place):
                self.place = match.end()
            if self.place < len(self._held):
                return self._held[self.place : self.place + 1]
            if not self._read_on():
                return b""

    def value(self) -> bytes | None:
        """Return the value at the place and go behind it; None for one that is too long."""
        end = self._find_end()
        if end is None:
            self._pass_over()
            return None
        return self._take(end)

    def holds_value(self) -> bool:
        """Return whether the value at the place is there to its end and not too long; stay before it."""
        try:
            return self._find_end() is not None
        except UnreadableFile:
            return False

    def is_lines(self) -> bool:
        """Return whether a record stands on each line: the first line is one, or the second begins with one."""
        end = self._find_line_end()
        if end is None:
            return False
        try:
            _MEMBERS.decode(self._held[self.place : end])
        except (ValueError, RecursionError):
            length = end - self.place
            while len(self._held) - self.place == length and self._read_on():
                pass
            return self._held.startswith(b"{", self.place + length)
        return True

    def lines(self) -> Iterator[bytes | None]:
        """Yield the lines that are left; None for one that is too long."""
        while self.place < len(self._held) or self._read_on():
            end = self._find_line_end()
            if end is None:
                self._pass_over_line()
            yield None if end is None else self._take(end)

    def damage(self, found: str) -> UnreadableFile:
        return UnreadableFile(f"{self.name}: damaged or cut off, {found} at byte {self._gone + self.place}.")

    def _take(self, end: int) -> bytes:
        taken = self._held[self.place : end]
        self.place = end
        return taken

    def _read_on(self) -> bool:
        """Read as much as is held already, so that a long value is not sought in many small steps."""
        kept = self._held[self.place :]
        self._gone += self.place
        self.place = 0
        data = self._stream.read(min(max(CHUNK, len(kept)), MOST_AT_ONCE))
        self._held = kept + data
        return bool(data)

    def _find_line_end(self) -> int | None:
        seen = 0
        while (end := self._held.find(b"\n", self.place + seen)) < 0:
            seen = len(self._held) - self.place
            if seen > self.most:
                return None
            if not self._read_on():
                return len(self._held)
        return end + 1 if end - self.place <= self.most else None

    def _pass_over_line(self) -> None:
        while (end := self._held.find(b"\n", self.place)) < 0:
            self.place = len(self._held)
            if not self._read_on():
                return
        self.place = end + 1

    def _find_end(self) -> int | None:
        """Return the place behind the value; None for one that is too long."""
        first = self._held[self.place : self.place + 1]
        if first and first in b"{[":
            return self._find_closing()
        pattern = _STRING if first == b'"' else _SCALAR
        while True:
            match = pattern.match(self._held, self.place)
            if not match and pattern is _SCALAR:
                raise self.damage("no value")
            # A number may go on in what was not read yet.
            if match and (pattern is _STRING or match.end() < len(self._held)):
                return match.end() if match.end() - self.place <= self.most else None
            if len(self._held) - self.place > self.most:
                return None
            if not self._read_on():
                if match:
                    return len(self._held)
                raise self.damage("a text without end")

    def _find_closing(self) -> int | None:
        depth = seen = 0
        while True:
            held, place = self._held, self.place + seen
            while match := _BRACKET.match(held, place):
                place = match.end()
                depth += 1 if held[place - 1] in b"{[" else -1
                if depth == 0:
                    return place if place - self.place <= self.most else None
            seen = place - self.place
            if len(held) - self.place > self.most:
                return None
            if not self._read_on():
                raise self.damage("a record without end")

    def _pass_over(self) -> None:
        """Go behind a value that is too long, in constant memory."""
        if self._held[self.place] not in b'"{[':
            raise self.damage("a word without end")
        depth, is_text = 0, False
        while True:
            for match in _MARK.finditer(self._held, self.place):
                self.place = match.end()
                mark = match.group()
                if mark == b'"':
                    is_text = not is_text
                elif mark[:1] != b"\\" and not is_text:
                    depth += 1 if mark in b"{[" else -1
                if depth == 0 and not is_text:
                    return
            # What follows the last mark is no mark, but for a backslash whose other half was not read yet.
            self.place = max(self.place, len(self._held) - self._held.endswith(b"\\"))
            if not self._read_on():
                raise self.damage("a record without end")
