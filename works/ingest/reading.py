"""What a file begins with, and what is in JSON whose values may be of any type."""

import codecs
import re
from typing import IO, Any

from works.ingest.archives import Stream
from works.ingest.files import UnreadableFile, peekable
from works.ingest.json_stream import snippet

HEAD = 4096  # bytes
_BOM = b"\xef\xbb\xbf"
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.I)


def start_of(stream: IO[bytes], name: str) -> tuple[Stream, bytes]:
    """Return the stream and, not taken from it, what it begins with, without mark and white space.

    Raises UnreadableFile for what no provider of metadata writes: nothing at all, a web page, UTF-16.
    """
    stream = peekable(stream)
    head = stream.peek(HEAD)[:HEAD]
    if not head:
        raise UnreadableFile(f"{name}: the file is empty.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(f"{name}: written in UTF-16; save it as UTF-8.")
    start = head.removeprefix(_BOM).lstrip()
    if _WEB_PAGE.match(start):
        raise UnreadableFile(f"{name}: a web page, perhaps one that says what went wrong; no metadata.")
    return stream, start


def shown_start(start: bytes) -> str:
    """Return the first words of a file that is not what it should be."""
    return repr(" ".join(start[:60].decode("utf-8", "replace").split()))


def snippet_of(value: Any) -> str:
    """Return the start of a value that was read, to know it again."""
    try:
        return snippet(str(value))
    except RecursionError:  # it was just not too deep to be read
        return ""


def text_of(value: Any) -> str:
    """Return a string without what no column can hold; "" for anything else."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""


def texts_of(value: Any) -> list[str]:
    """Return the strings of a list, or the one that stands where a list should."""
    values = value if isinstance(value, list) else [value]
    return [text for item in values if (text := text_of(item))]


def dict_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dicts_of(value: Any) -> list[dict[str, Any]]:
    return [item for item in list_of(value) if isinstance(item, dict)]


def integer_of(value: Any, least: int, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= most else None
