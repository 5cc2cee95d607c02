"""Read dblp: publications as works, and home pages as the people who have them.

Sources: https://dblp.org/faq/16154937 (the dump), /faq/17334559 (annotations), dblp.dtd. A dump names that
DTD, which is never loaded: its named entities are known here. Files of one person (<dblpperson>) are read too.
Editors are not authors: a volume of proceedings is a book without authors.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html.entities import name2codepoint
from itertools import chain
from typing import IO
from urllib.parse import unquote, urlsplit

import msgspec
from lxml import etree

from bzpeer.lib.markup import MAX_TEXT
from bzpeer.lib.names import clean
from works.identifiers import normalise_arxiv, normalise_doi, normalise_orcid
from works.ingest.arxiv_source import ARXIV
from works.ingest.files import UnreadableFile
from works.ingest.records import (
    NEVER,
    AffiliationRecord,
    AuthorRecord,
    AuthorshipRecord,
    Identifier,
    Record,
    Reject,
    SourceRef,
    WorkRecord,
)
from works.ingest.xml_elements import check_root, elements, read_chunks

SUFFIXES = (".xml",)
MAX_AUTHORS = 20_000
MAX_LINKS = 50
_ROOTS = ("dblp", "dblpperson")
_PEOPLE = ("www", "person")
_TYPES = {
    "article": "article",
    "inproceedings": "article",
    "proceedings": "book",
    "book": "book",
    "incollection": "book-chapter",
    "phdthesis": "dissertation",
    "mastersthesis": "dissertation",
    "data": "dataset",
    "www": "other",
}
_TYPES_OF_PUBLTYPE = {
    "survey": "review",
    "encyclopedia": "reference-entry",
    "data": "dataset",
    "software": "other",
    "edited": "editorial",
}
_RECORDS = frozenset((*_TYPES, "person"))
_WRAPPERS = ("r", "h")  # around the records of a dblpperson file
_TAGS = {"i": "i", "sub": "sub", "sup": "sup", "tt": "code"}
_CORR = msgspec.structs.replace(ARXIV, dblp="journals/corr")

_DOCTYPE = re.compile(
    rb"""<!DOCTYPE\s+dblp\s+SYSTEM\s+(["'])[^"'<>\[\]]{0,200}?dblp[\w.-]{0,40}\.dtd\1\s*>"""
)
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{0,31});")
_LONGEST_ENTITY = 34
_WRONG_END = re.compile(rb"<dblp>\s*\Z")
_XML_ENTITIES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))

_KEY = re.compile(r"[^\s/]{1,60}(?:/[^\s/]{1,120}){1,4}")
_STREAM = re.compile(r"(?:conf|journals|series|reference)/[^\s/]+")
_NUMBERED = re.compile(r"(.+?) +(\d{4})", re.A)
_VOLUME = re.compile(r" *\(\d+\)$", re.A)
_DOI_LINK = re.compile(r"https?://(?:dx\.)?doi\.(?:org|acm\.org|ieeecomputersociety\.org)/", re.I)
_ACL_LINK = re.compile(
    r"https?://(?:www\.)?(?:aclanthology\.(?:org|info)|aclweb\.org/anthology)/(?:papers/)?"
    r"([A-Z]\d\d-\d{4}|\d{4}\.[a-z0-9]+-[a-z0-9]+\.\d+)(?:\.pdf|/.*)?",
    re.A,
)
_WIKIDATA_LINK = re.compile(r"https?://(?:www\.)?wikidata\.org/(?:entity|wiki)/(Q\d{1,12})", re.A)
_SINCE = re.compile(r"since (\d{4})|(\d{4}) ?[-–] ?(\d{4})|until (\d{4})", re.A)


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each publication or person of a file, or why it could not be read."""
    chunks = read_chunks(stream)
    head = next(chunks, b"")
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise UnreadableFile(f"{name}: the file is empty.")
    head = _DOCTYPE.sub(b"", head, count=1)
    check_root(b"".join(without_entities([head])), name, _ROOTS, "a file of dblp")
    for element in elements(without_entities(chain([head], chunks)), name, (*_RECORDS, "dblp")):
        parent = element.getparent()
        if parent is None:
            yield from map(_unknown, (child for child in element if child.tag not in _RECORDS))
        elif parent.tag in _ROOTS or parent.tag in _WRAPPERS:
            if parent.tag == "dblp":
                yield from map(_unknown, reversed(_strangers_before(element)))
            yield _read(element)


def without_entities(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same document with numbers for dblp's named entities, also where two chunks share one.

    An entity that nobody declares becomes the text that it is, so that it costs a letter and not the file. A
    cut that goes around ends with <dblp> for </dblp>; nothing else can be meant.
    """
    rest = b""
    for chunk in chunks:
        chunk = rest + chunk
        # What may go on in the next chunk waits for it.
        start = max(chunk.rfind(mark, -_LONGEST_ENTITY) for mark in (b"&", b"<"))
        cut = start if start >= 0 else len(chunk)
        chunk, rest = chunk[:cut], chunk[cut:]
        yield _ENTITY.sub(_numbered_entity, chunk)
    yield _ENTITY.sub(_numbered_entity, _WRONG_END.sub(b"</dblp>", rest))


def _numbered_entity(match: re.Match[bytes]) -> bytes:
    name = match.group(1)
    if name in _XML_ENTITIES:
        return match.group()
    code = name2codepoint.get(name.decode())
    return b"&#%d;" % code if code else b"&amp;%s;" % name


def _strangers_before(element: etree._Element) -> list[etree._Element]:
    """Return what stands between the record before and this one, nearest first."""
    found = []
    for sibling in element.itersiblings(preceding=True):
        if sibling.tag in _RECORDS:
            break
        found.append(sibling)
    return found


def _unknown(element: etree._Element) -> Reject:
    return Reject(f"<{str(element.tag)[:60]}> is no record of dblp", _snippet(element))


def _read(element: etree._Element) -> Record | Reject:
    key = element.get("key", "")
    if not _KEY.fullmatch(key) or clean(key) != key:
        return Reject("no key of dblp", _snippet(element))
    if element.tag in _PEOPLE and key.startswith("homepages/"):
        return _person(element, key.removeprefix("homepages/"))
    if element.tag == "person" or key.startswith("dblpnote/"):
        return Reject("a note of dblp's own, no publication", key)
    return _work(element, key)


# --- Publications -----------------------------------------------------------------------------------------


def _work(element: etree._Element, key: str) -> WorkRecord | Reject:
    publtype = element.get("publtype", "").split()
    kind = _type(str(element.tag), publtype, key)
    identifiers, is_open = _identifiers(element, key)
    observed_at = _moment(element.get("mdate"))
    if "withdrawn" in publtype:
        return WorkRecord(
            provider="dblp", record_id=key, type=kind, identifiers=identifiers, observed_at=observed_at,
            withdrawn=True,
        )  # fmt: skip
    title = _title(element.find("title"))
    schools = tuple(_texts(element, "school", 1000))
    authorships = [found for node in element.findall("author") if (found := _authorship(node, schools))]
    if not title and not authorships:
        return Reject("neither title nor authors", key)
    cited = (_joined(node) for node in element.findall("cite"))
    return WorkRecord(
        provider="dblp",
        record_id=key,
        type=kind,
        title=title,
        publication_year=_year(_first(element, "year")),
        is_oa=True if is_open else None,
        identifiers=identifiers,
        source=_source(element, key),
        authorships=tuple(authorships[:MAX_AUTHORS]),
        references=tuple(dict.fromkeys(("dblp", cite) for cite in cited if _KEY.fullmatch(cite))),
        observed_at=observed_at,
    )


def _type(tag: str, publtype: list[str], key: str) -> str:
    if "informal" in publtype and not key.startswith("journals/"):
        return "report" if key.startswith("tr/") else "other"
    if "informal" in publtype or key.startswith("journals/corr/"):
        return "preprint"
    if tag in ("article", "inproceedings", "incollection"):
        return next(
            (_TYPES_OF_PUBLTYPE[word] for word in publtype if word in _TYPES_OF_PUBLTYPE), _TYPES[tag]
        )
    return _TYPES[tag]


def _identifiers(element: etree._Element, key: str) -> tuple[tuple[Identifier, ...], bool]:
    """Return a publication's identifiers, and whether one of its links is to an open text."""
    found: dict[Identifier, None] = {("dblp", key): None}
    is_open = False
    volume = _first(element, "volume")
    if key.startswith("journals/corr/") and (arxiv := normalise_arxiv(volume.removeprefix("abs/"))):
        found["arxiv", arxiv] = None
        is_open = True
    for node in element.findall("ee"):
        # Escaped characters may hide a NUL.
        address = clean(unquote(_joined(node)))
        is_open = is_open or "oa" in node.get("type", "").split()
        if arxiv := normalise_arxiv(address):
            found["arxiv", arxiv] = None
        if _DOI_LINK.match(address) and (doi := normalise_doi(address)):
            found["doi", doi] = None
        if match := _ACL_LINK.fullmatch(address):
            found["acl", match.group(1)] = None
    return tuple(found), is_open


def _source(element: etree._Element, key: str) -> SourceRef | None:
    stream = _stream(element, key)
    if stream == "journals/corr":
        return _CORR
    if name := _first(element, "journal"):
        return SourceRef(display_name=name[:512], type="journal", dblp=stream)
    series = element.find("series")
    if element.tag in ("book", "proceedings") and series is not None and (name := _joined(series)):
        match = _STREAM.search(series.get("href", ""))
        address = match.group().removesuffix(".html") if match else ""
        return SourceRef(display_name=name[:512], type="book series", dblp=address)
    # "ACL (1)" is the first volume of ACL; what a volume of proceedings calls itself is not its source.
    name = _VOLUME.sub("", _first(element, "booktitle"))
    if not name:
        return None
    return SourceRef(
        display_name=name[:512], type="conference" if stream.startswith("conf/") else "", dblp=stream
    )


def _stream(element: etree._Element, key: str) -> str:
    """Return the key of the journal or series: dblp names it since 2023, and the work's key begins with it."""
    for text in (_first(element, "stream").removeprefix("streams/"), key):
        if match := _STREAM.match(text):
            return match.group()
    return ""


def _authorship(node: etree._Element, places: tuple[str, ...]) -> AuthorshipRecord | None:
    """Return an author as dblp prints them; None for one without a name. places: the schools of a thesis."""
    full = _joined(node)
    name = _without_number(full)
    if not name:
        return None
    return AuthorshipRecord(
        raw_name=name,
        orcid=normalise_orcid(node.get("orcid")) or "",
        dblp=full if name != full else "",
        raw_affiliations=places,
    )


def _without_number(name: str) -> str:
    """Return "Manish Singh" for "Manish Singh 0001", as dblp numbers those who share a name."""
    match = _NUMBERED.fullmatch(name)
    return (match.group(1) if match else name)[:255]


# --- People -----------------------------------------------------------------------------------------------


def _person(element: etree._Element, pid: str) -> AuthorRecord | Reject:
    publtype = element.get("publtype", "").split()
    if "disambiguation" in publtype:
        return Reject("the name of several people whom dblp has not told apart, no person", pid)
    if "group" in publtype:
        return Reject("a group, no person", pid)
    observed_at = _moment(element.get("mdate"))
    full_names = [name[:255] for node in element.findall("author") if (name := _joined(node))]
    names = dict.fromkeys(map(_without_number, full_names))
    target = _first(element, "crossref")
    if target.startswith("homepages/") and _KEY.fullmatch(target):
        return AuthorRecord(
            provider="dblp", record_id=pid, identifiers=(("dblp", pid),), observed_at=observed_at,
            merged_into=target.removeprefix("homepages/"), display_name=next(iter(names), ""),
        )  # fmt: skip
    if not names:
        return Reject("a person without a name", pid)
    identifiers: dict[Identifier, None] = {("dblp", pid): None}
    # A numbered name is how works refer to the person.
    identifiers.update({("dblp", full): None for full in full_names if _without_number(full) != full})
    links: dict[tuple[str, str], None] = {}
    for node in element.findall("url"):
        # dblp marks addresses that are no longer the person's.
        address = clean(_joined(node))
        if identifier := _person_identifier(address):
            if not node.get("type"):
                identifiers[identifier] = None
        elif (host := _host(address)) and not node.get("type"):
            links[host, address] = None
    for note in _notes(element, "uname", "unicode"):
        names.setdefault(_joined(note)[:255])
    display_name, *others = [name for name in names if name]
    return AuthorRecord(
        provider="dblp",
        record_id=pid,
        identifiers=tuple(identifiers),
        display_name=display_name,
        names=tuple(others),
        affiliations=tuple(_affiliation(note) for note in _notes(element, "affiliation") if _joined(note)),
        links=tuple(links)[:MAX_LINKS],
        observed_at=observed_at,
    )


def _notes(element: etree._Element, *types: str) -> list[etree._Element]:
    return [note for note in element.findall("note") if set(types) & set(note.get("type", "").split())]


def _person_identifier(address: str) -> Identifier | None:
    if "//orcid.org/" in address and (orcid := normalise_orcid(address)):
        return ("orcid", orcid)
    match = _WIKIDATA_LINK.fullmatch(address)
    return ("wikidata", match.group(1)) if match else None


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        return parts.hostname or "" if parts.scheme in ("http", "https") and len(address) <= 500 else ""
    except ValueError:
        return ""


def _affiliation(note: etree._Element) -> AffiliationRecord:
    """Return an affiliation with the years of its label: "since 2010", "2001-2005"."""
    match = _SINCE.search(note.get("label", ""))
    since, first, last, until = match.groups() if match else (None, None, None, None)
    return AffiliationRecord(
        raw=_joined(note)[:1000],
        first_year=_year(since or first or ""),
        last_year=_year(until or last or ""),
    )


# --- Texts ------------------------------------------------------------------------------------------------


def _joined(node: etree._Element) -> str:
    return clean("".join(node.itertext()) if len(node) else node.text or "")


def _texts(element: etree._Element, tag: str, longest: int) -> Iterator[str]:
    return (text[:longest] for node in element.findall(tag) if (text := _joined(node)))


def _first(element: etree._Element, tag: str) -> str:
    return next(_texts(element, tag, 1000), "")


def _title(node: etree._Element | None) -> str:
    """Return a title with dblp's tags written as HTML and without the full stop that dblp puts after each."""
    text = " ".join(_markup(node).split())[:MAX_TEXT] if node is not None else ""
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _markup(node: etree._Element) -> str:
    parts = [node.text or ""]
    for child in node:
        inner = _markup(child)
        tag = _TAGS.get(str(child.tag))
        parts += (f"<{tag}>{inner}</{tag}>" if tag else inner, child.tail or "")
    return "".join(parts)


def _snippet(element: etree._Element) -> str:
    return " ".join(etree.tostring(element, encoding="unicode", with_tail=False).split())[:500]


def _year(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{4}", text, re.A) and 1400 <= int(text) <= 2200 else None


def _moment(text: str | None) -> datetime:
    try:
        moment = datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return NEVER
    return moment if 1980 <= moment.year <= 2100 else NEVER
