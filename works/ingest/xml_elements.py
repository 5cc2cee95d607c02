"""Read XML from strangers: streamed in constant memory, nothing fetched, nothing expanded."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import IO, Any

from lxml import etree

from works.ingest.files import UnreadableFile

CHUNK = 1 << 16  # bytes
MAX_GAP = 4_000_000  # bytes without the end of a record; the longest one seen has under 1 MB
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def read_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what is left of a stream in pieces."""
    return iter(partial(stream.read, CHUNK), b"")


def check_root(head: bytes, name: str, tags: Collection[str], kind: str) -> None:
    """Raise UnreadableFile unless the outermost element is one of tags and no document type is declared.

    head: the first piece of the document. kind: what the file should be, for the sentence. A document type is
    where entities would be declared: bombs and files of ours.
    """
    parser = etree.XMLPullParser(events=("start",), **_SAFE)
    damage = _feed(parser, head)
    root = next((element for _, element in parser.read_events()), None)
    if root is None:
        raise UnreadableFile(
            f"{name}: not {kind}, nor XML at all ({damage or 'no element at its beginning'})."
        )
    if root.tag not in tags:
        raise UnreadableFile(f"{name}: not {kind}; its outermost element is <{root.tag[:60]}>.")
    if root.getroottree().docinfo.doctype:
        raise UnreadableFile(f"{name}: declares a document type, which {kind} never does; refused.")


def elements(chunks: Iterable[bytes], name: str, tags: Collection[str]) -> Iterator[etree._Element]:
    """Yield each element of the tags when it is complete; then it and what stands before it are let go.

    Raises UnreadableFile where the document is damaged or cut off, after the elements before that.
    """
    parser = etree.XMLPullParser(events=("end",), tag=tags, **_SAFE)
    gap = 0
    for chunk in chunks:
        damage = _feed(parser, chunk)
        gap += len(chunk)
        for _, element in parser.read_events():
            gap = 0
            yield element
            _let_go(element)
        if damage:
            raise UnreadableFile(_sentence(name, damage))
        if gap > MAX_GAP:
            raise UnreadableFile(f"{name}: {MAX_GAP // 10**6} MB of XML without a record; refused.")
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        raise UnreadableFile(_sentence(name, _words(error.msg))) from error


def _sentence(name: str, damage: str) -> str:
    return f"{name}: damaged or cut off ({damage}); what stands before that was read."


def _feed(parser: "etree.XMLPullParser[Any]", chunk: bytes) -> str:
    """Feed a parser; return what is wrong. The events before the damage can still be read."""
    try:
        parser.feed(chunk)
    except etree.XMLSyntaxError as error:
        return _words(error.msg)
    # An entity that nobody declares stops the parser without a word.
    log = parser.feed_error_log.filter_from_fatals()
    return _words(f"{log[0].message}, line {log[0].line}") if len(log) else ""


def _words(message: str | None) -> str:
    return " ".join((message or "no XML").split())[:200]


def _let_go(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
