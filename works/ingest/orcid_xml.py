"""Take ORCID's XML apart: records, their sections, and works, of 2.x and 3.0."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import IO, Any

from lxml import etree

from works.ingest.orcid_nodes import MESSAGE_FORMAT, SEARCH_RESULTS, SUMMARIES, Part
from works.ingest.xml_elements import elements, read_chunks

_HEAD = ("orcid-identifier", "deprecated", "history", "person")
_TAGS = [f"{{*}}{name}" for name in (*_HEAD, *SUMMARIES, "group", "work", "error", "activities-summary")]
_REFUSED = {
    "search": SEARCH_RESULTS,
    "expanded-search": SEARCH_RESULTS,
    "orcid-message": MESSAGE_FORMAT,
}
_ROOTS = {
    "record", "person", "activities-summary", "bulk", "work", "error", "works", "employments", "educations",
    "qualifications", "fundings", "peer-reviews", "distinctions", "invited-positions", "memberships", "research-resources",
    "services",
}  # fmt: skip


def parts(stream: IO[bytes], name: str) -> Iterator[Part]:
    """Yield the parts of one document in constant memory.

    Raises UnreadableFile where it is damaged or cut off, after what came before that.
    """
    chunks = read_chunks(stream)
    head, second = next(chunks, b""), next(chunks, b"")
    root = _root(head)
    # Without more to come, whoever reads the elements says what is wrong with the little there is.
    refusal = _refusal(root) if root is not None else "no element at its beginning" if second else ""
    if refusal:
        yield Part("refused", refusal)
        return
    if root is not None:
        yield Part("path", root.get("path", ""))
    for element in elements(chain([head, second], chunks), name, _TAGS):
        if kind := _kind(element):
            # Of all activities, that they are there: what they are came before.
            yield Part(kind, "" if kind == "activities-summary" else _node(element))
        _forget_before(element)


def _root(head: bytes) -> etree._Element | None:
    """Return the outermost element of a document that begins so, without what it holds."""
    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    with suppress(etree.XMLSyntaxError):
        parser.feed(head)
    return next((element for _, element in parser.read_events()), None)


def _refusal(root: etree._Element) -> str:
    """Return why a document is not read, "" where it is."""
    kind = _local(root)
    if root.getroottree().docinfo.doctype:
        return "declares a document type, which ORCID's records never do; refused"
    if kind in _ROOTS:
        return ""
    if kind in _REFUSED or not str(root.tag).startswith("{http://www.orcid.org/ns/"):
        return _REFUSED.get(kind, "no record, person or work of ORCID")
    return f"one {kind} alone; the person's record holds it with the others"


def _kind(element: etree._Element) -> str:
    """Return what part of a document an element is by where it stands, "" for none."""
    name, parent = _local(element), element.getparent()
    above = _local(parent) if parent is not None else ""
    if name == "orcid-identifier" and above == "primary-record":
        return above
    wanted_below = {"group": {"works"}, "work": {"", "bulk"}, "error": {"", "bulk"}}
    return name if name in SUMMARIES or above in wanted_below.get(name, {"", "record"}) else ""


def _forget_before(element: etree._Element) -> None:
    """Let go of what stands before the elements around this one; they are read to here."""
    while (parent := element.getparent()) is not None:
        while element.getprevious() is not None:
            del parent[0]
        element = parent


def _node(element: etree._Element) -> Any:
    """Return an element as JSON would have it."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        content = element.text or ""
        return {**element.attrib, "value": content} if element.attrib else content
    node: dict[str, Any] = {str(key): value for key, value in element.attrib.items()}
    for child in children:
        name, value = _local(child), _node(child)
        if name not in node:
            node[name] = value
        elif isinstance(node[name], list):
            node[name].append(value)
        else:
            node[name] = [node[name], value]
    return node


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]
