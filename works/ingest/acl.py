"""Read the ACL Anthology: its XML, one WorkRecord a <paper>, and its YAML of people and venues.

Sources: https://aclanthology.org/info/ids/ and data/xml/schema.rnc of github.com/acl-org/acl-anthology.
Front matter, events and talks are no papers: they are neither counted nor rejected. Back matter is a paper
of type paratext. Editors are not authors.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import chain
from typing import IO, NamedTuple

from lxml import etree

from bzpeer.lib.markup import MAX_TEXT
from bzpeer.lib.names import clean
from works.identifiers import normalise_doi, normalise_orcid
from works.ingest.acl_venues import REST, implied_venue, source_of, topics_of
from works.ingest.acl_yaml import PERSON, printed_name, read_yaml
from works.ingest.files import UnreadableFile
from works.ingest.languages import TWO_LETTERS
from works.ingest.records import (
    NEVER,
    AuthorshipRecord,
    Identifier,
    Record,
    Reject,
    SourceRef,
    TopicRef,
    WorkRecord,
)
from works.ingest.xml_elements import check_root, elements, read_chunks

SUFFIXES = (".xml", ".yaml", ".yml")
MAX_AUTHORS = 20_000
_OLD = re.compile(r"[A-Z]\d\d", re.A)
_NEW = re.compile(r"\d{4}\.[a-z0-9]{1,40}", re.A)
_NUMBER = re.compile(r"\d{1,5}", re.A)
_VOLUME = re.compile(r"[a-z0-9]{1,40}", re.A)
# A volume written in a newer form is at least as new as the form: the ingest date never changes, and else
# the state of 2022 could stand above the corrected one of 2025. The earliest day on which each could be.
_VENUES_SINCE = date(2022, 11, 11)  # <venue>: pull request 1896 of the Anthology
_TYPES_SINCE = date(2023, 7, 1)  # type= of volumes: pull request 2603
_ORCIDS_SINCE = date(2025, 7, 18)  # orcid= of authors: pull request 5471
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})")


class _Volume(NamedTuple):
    """What the papers of a volume share. changed: the latest day that the volume itself tells of."""

    element: etree._Element
    collection: str
    number: str
    year: int | None
    month: int | None
    source: SourceRef | None
    topics: tuple[TopicRef, ...]
    changed: date | None


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each paper, person or venue of a file, or why it could not be read."""
    chunks = read_chunks(stream)
    head = next(chunks, b"")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise UnreadableFile(f"{name}: the file is empty.")
    if start.startswith(b"<"):
        check_root(head, name, ("collection",), "a collection of the ACL Anthology")
        yield from _read_collection(chain([head], chunks), name)
    else:
        yield from read_yaml(chain([head], chunks), name)


def _read_collection(chunks: Iterable[bytes], name: str) -> Iterator[WorkRecord | Reject]:
    volume: _Volume | None = None
    for element in elements(chunks, name, ("meta", "paper")):
        parent = element.getparent()
        inside = parent is not None and parent.tag == "volume"
        if element.tag == "meta":
            if inside:
                volume = _volume(parent, element)
        elif not inside:
            yield Reject("a paper outside of a volume", _snippet(element))
        else:
            if volume is None or volume.element is not parent:
                volume = _volume(parent, etree.Element("meta"))
            yield _paper(element, volume)


def anthology_id(collection: str, volume: str, paper: str) -> str:
    """Return the Anthology's id of a paper, "P19-1001" or "2020.acl-main.12"; "" where there is none."""
    if not _NUMBER.fullmatch(paper):
        return ""
    if _OLD.fullmatch(collection) and _NUMBER.fullmatch(volume):
        number = int(volume)
        if collection[0] == "W" or collection == "C69" or (collection == "D19" and number >= 5):
            return f"{collection}-{number:02d}{int(paper):02d}"
        return f"{collection}-{number}{int(paper):03d}"
    if _NEW.fullmatch(collection) and _VOLUME.fullmatch(volume):
        return f"{collection}-{volume}.{int(paper)}"
    return ""


def _volume(volume: etree._Element, meta: etree._Element) -> _Volume:
    parent = volume.getparent()
    collection = parent.get("id", "") if parent is not None else ""
    number = volume.get("id", "")
    named = [_text(node)[:100] for node in meta.findall("venue")]
    venues = [venue for venue in named if venue and venue != REST][:10]
    if not named and (venue := implied_venue(collection, number)):
        venues = [venue]
    kind = volume.get("type")
    changed = (
        _day(volume.get("ingest-date")),
        _VENUES_SINCE if named else None,
        _TYPES_SINCE if kind else None,
    )
    return _Volume(
        element=volume,
        collection=collection,
        number=number,
        year=_year(_text(meta.find("year"))),
        month=_month(_text(meta.find("month"))),
        source=source_of(
            venues[0] if venues else "",
            clean(_text(meta.find("booktitle")))[:512],
            "journal" if kind == "journal" else "conference",
        ),
        topics=topics_of(venues),
        changed=max(filter(None, changed), default=None),
    )


def _paper(paper: etree._Element, volume: _Volume) -> WorkRecord | Reject:
    record_id = anthology_id(volume.collection, volume.number, paper.get("id", ""))
    if not record_id:
        return Reject("no Anthology id can be made of its collection, volume and number", _snippet(paper))
    parts: dict[str, etree._Element] = {}
    dates = [volume.changed]
    for part in paper:
        parts.setdefault(str(part.tag), part)
        dates.append(_day(part.get("date")))  # of a revision, an erratum, a retraction or a removal
    authorships = [found for node in paper.findall("author") if (found := _authorship(node))]
    if any(authorship.orcid for authorship in authorships):
        dates.append(_ORCIDS_SINCE)
    changed = max(filter(None, dates), default=None)
    observed_at = datetime(changed.year, changed.month, changed.day, tzinfo=UTC) if changed else NEVER
    identifiers: tuple[Identifier, ...] = (("acl", record_id),)
    if doi := normalise_doi(_text(parts.get("doi"))):
        identifiers += (("doi", doi),)
    kind = "paratext" if paper.get("type") else "article"
    if "removed" in parts:
        return WorkRecord(
            provider="acl", record_id=record_id, type=kind, identifiers=identifiers, observed_at=observed_at,
            withdrawn=True,
        )  # fmt: skip
    title = _marked(parts.get("title"))
    if not title and not authorships:
        return Reject("neither title nor authors", record_id)
    return WorkRecord(
        provider="acl",
        record_id=record_id,
        type=kind,
        title=title,
        abstract=_marked(parts.get("abstract")),
        publication_date=date(volume.year, volume.month, 1) if volume.year and volume.month else None,
        publication_year=volume.year,
        language=_language(_text(parts.get("language"))),
        is_oa=True if _text(parts.get("url")) else None,
        is_retracted="retracted" in parts,
        identifiers=identifiers,
        source=volume.source,
        authorships=tuple(authorships[:MAX_AUTHORS]),
        topics=volume.topics,
        observed_at=observed_at,
    )


def _authorship(author: etree._Element) -> AuthorshipRecord | None:
    """Return an author as the paper prints them; None for one without a name."""
    name = _name(author)
    if not name:
        return None
    person = author.get("id", "")
    places = (clean(_text(node))[:1000] for node in author.findall("affiliation"))
    variants = (_name(node) for node in author.findall("variant"))
    return AuthorshipRecord(
        raw_name=name,
        orcid=normalise_orcid(author.get("orcid")) or "",
        raw_affiliations=tuple(place for place in places if place),
        acl=person if PERSON.fullmatch(person) else "",
        variants=tuple(variant for variant in variants if variant and variant != name),
    )


def _name(node: etree._Element) -> str:
    return printed_name(_text(node.find("first")), _text(node.find("last")))


# --- Texts and dates ------------------------------------------------------------------------------------


def _text(node: etree._Element | None) -> str:
    if node is None:
        return ""
    return ("".join(node.itertext()) if len(node) else node.text or "").strip()


def _marked(node: etree._Element | None) -> str:
    """Return a title or abstract with the Anthology's tags written as HTML and TeX."""
    return " ".join(_markup(node).split())[:MAX_TEXT] if node is not None else ""


def _markup(node: etree._Element) -> str:
    if not len(node):
        return node.text or ""
    parts = [node.text or ""]
    for child in node:
        inner = _markup(child)
        if child.tag == "tex-math" and inner.strip():
            # Dollar signs would have to be told from prices; they serve where the other mark is inside.
            inner = f"${inner.strip()}$" if "\\)" in inner else f"\\({inner.strip()}\\)"
        elif child.tag in ("i", "b"):
            inner = f"<{child.tag}>{inner}</{child.tag}>"
        parts += (inner, child.tail or "")
    return "".join(parts)


def _snippet(node: etree._Element) -> str:
    return " ".join(etree.tostring(node, encoding="unicode", with_tail=False).split())[:500]


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if 1950 <= day.year <= 2100 else None


def _year(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{4}", text, re.A) and 1400 <= int(text) <= 2200 else None


def _month(text: str) -> int | None:
    """Return the month of "August 26-30" or "6": where two are named, the first."""
    if re.fullmatch(r"\d{1,2}", text, re.A):
        return int(text) if 1 <= int(text) <= 12 else None
    match = _MONTH.search(text.lower())
    return _MONTHS.index(match.group()) + 1 if match else None


def _language(text: str) -> str:
    """Return ISO 639-1 for "fra" or "pt-BR"; "" where there is none."""
    code = text.lower().partition("-")[0]
    return code if re.fullmatch("[a-z]{2}", code) else TWO_LETTERS.get(code, "")
