"""Read Crossref's XML: what its queries answer (unixref, unixsd) and what publishers deposit, of any schema version.

Source: https://www.crossref.org/documentation/schema-library/markup-guide-record-types/
"""

import html
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import IO, Any, NamedTuple, TypeAlias

from lxml import etree

from works.identifiers import normalise_arxiv, normalise_orcid, normalise_ror
from works.ingest import crossref_terms as terms
from works.ingest.archives import Stream
from works.ingest.dates import PartialDate, earliest, partial_date
from works.ingest.files import MAX_LINE, UnreadableFile, peekable
from works.ingest.people import MAX_AUTHORS, person
from works.ingest.records import (
    NEVER,
    AuthorshipRecord,
    Identifier,
    InstitutionRef,
    Record,
    Reject,
    SourceRef,
    WorkRecord,
)

Element: TypeAlias = etree._Element
PIECE = 4096  # bytes
# Crossref's word for an element that is a work, as its JSON has it.
_WORKS = {
    "journal_article": "journal-article",
    "conference_paper": "proceedings-article",
    "content_item": "book-chapter",
    "posted_content": "posted-content",
    "dissertation": "dissertation",
    "dataset": "dataset",
    "peer_review": "peer-review",
}
# Elements that hold works and have a DOI of their own; those of the second kind are works where nothing is in them.
_HOLDERS = {"journal": "journal", "database": "database", "sa_component": "component", "grant": "grant"}
_VOLUMES = {"book": "book", "conference": "proceedings", "report-paper": "report", "standard": "standard"}
# What an answer or a batch is made of, from the outside to the inside.
_RECORDS = ("query", "record", "doi_record")
_METADATA = (
    "journal_metadata", "journal_issue", "book_metadata", "book_series_metadata", "book_set_metadata", "event_metadata",
    "proceedings_metadata", "proceedings_series_metadata", "report-paper_metadata", "report-paper_series_metadata",
    "standard_metadata", "database_metadata",
)  # fmt: skip
_EVENTS = [f"{{*}}{tag}" for tag in (*_WORKS, *_HOLDERS, *_VOLUMES, *_RECORDS, "doi_batch")]
_DATES = ("publication_date", "posted_date", "approval_date", "review_date", "creation_date", "database_date")
_SAME = {"isIdenticalTo", "isSameAs"}
_FACES = {"ovl", "tt", "font", "scp", "u", "strong_italic"}  # drawn otherwise, not said otherwise


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each work of a file, or why it could not be read. Raises UnreadableFile for the file itself.

    A prefix that nobody declared ("xsi" in a record cut out of a larger answer) does no harm; whatever else
    is not well-formed ends the file.
    """
    source = _Source(peekable(stream), name)
    if b"<!DOCTYPE" in source.peek(4096)[:4096]:
        raise UnreadableFile(f"{name}: holds a document type, which Crossref's XML never does; refused.")
    events = etree.iterparse(
        source, events=("start", "end"), tag=_EVENTS, recover=True, remove_comments=True, remove_pis=True,
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
    )  # fmt: skip
    found = 0
    open_elements: list[int] = []  # how many records had been found when each of them began
    is_deposit = False
    try:
        for event, element in events:
            tag = _local(element)
            if event == "start":
                open_elements.append(found)
                is_deposit = is_deposit or tag == "doi_batch"
                continue
            _stop_at_damage(events, name)
            nothing_inside = open_elements.pop() == found
            for item in _items(element, tag, nothing_inside, is_deposit):
                found += 1
                yield item
            element.clear()
            _forget_before(element)
            source.taken = 0
    except etree.XMLSyntaxError as error:
        raise UnreadableFile(f"{name}: not well-formed XML ({error}).") from error
    _stop_at_damage(events, name)
    if not found and not is_deposit:
        raise UnreadableFile(f"{name}: XML, but no records of Crossref.")


class _Source:
    """A stream that ends where a record is longer than it may be: what is not finished is held in memory."""

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream, self._name = stream, name
        self.taken = 0

    def peek(self, size: int) -> bytes:
        return self._stream.peek(size)

    def read(self, size: int = -1) -> bytes:
        # In small pieces, as damage hides the records that ended in the same one.
        data = self._stream.read(PIECE if size < 0 else min(size, PIECE))
        self.taken += len(data)
        if self.taken > MAX_LINE:
            raise UnreadableFile(
                f"{self._name}: {MAX_LINE // 10**6} MB without the end of a record of Crossref."
            )
        return data


def _stop_at_damage(events: "etree.iterparse[Any]", name: str) -> None:
    damage = events.error_log.filter_from_fatals()
    if damage:
        raise UnreadableFile(f"{name}: not well-formed XML (line {damage[0].line}: {damage[0].message}).")


def _forget_before(element: Element) -> None:
    """Let go of the records before an element; what its journal, book or volume says of itself stays."""
    parent = element.getparent()
    while (
        parent is not None
        and (before := element.getprevious()) is not None
        and _local(before) not in _METADATA
    ):
        parent.remove(before)


def _items(
    element: Element, tag: str, nothing_inside: bool, is_deposit: bool
) -> Iterator[WorkRecord | Reject]:
    """Yield what an element that has ended is: a work, or what stands where one is expected."""
    if tag in _WORKS:
        yield _record(element, element, _kind(element, tag))
    elif tag in _VOLUMES and (nothing_inside or (is_deposit and tag == "book")):
        # A query for a chapter brings its book along, which is no record of its own then.
        metadata = _child(element, *(name for name in _METADATA if name not in {"event_metadata"}))
        if metadata is not None and (nothing_inside or _doi(metadata)):
            yield _record(element, metadata, _VOLUMES[tag])
    elif tag in _HOLDERS and nothing_inside:
        kind = "journal-issue" if _doi(_child(element, "journal_issue")) else _HOLDERS[tag]
        reject = terms.not_a_work(kind) or Reject(f"a {kind} without anything in it")
        yield reject._replace(snippet=next((_text(node) for node in element.iter("{*}doi")), "")[:200])
    elif tag in _RECORDS and nothing_inside:
        error = next((_text(node) for node in element.iter("{*}error", "{*}msg") if _text(node)), "")
        doi = next((_text(node) for node in element.iter("{*}doi")), "")
        yield Reject(f"a record without a work{f': {error}' if error else ''}"[:300], doi[:200])


def _kind(element: Element, tag: str) -> str:
    if tag == "content_item" and element.get("component_type") == "reference_entry":
        return "reference-entry"
    return _WORKS[tag]


def _record(element: Element, metadata: Element, kind: str) -> WorkRecord | Reject:
    doi = _doi(metadata)
    try:
        return _work(element, metadata, kind, doi) if doi else Reject("no DOI", _text(metadata)[:200])
    except (TypeError, ValueError, AttributeError) as error:
        return Reject(f"not as Crossref describes a work: {error}"[:300], doi or "")


def _work(element: Element, metadata: Element, kind: str, doi: str) -> WorkRecord | Reject:
    title = _title(metadata)
    authorships = tuple(_authorships(metadata))
    if not title and not authorships:
        return Reject("neither title nor authors", doi)
    holder = _Holder.of(element, metadata)
    updates = [(terms.doi_of(_text(node)), node.get("type", "")) for node in _inside(element, "update")]
    notices = {kind for other, kind in updates if other != doi}
    changed = {kind for other, kind in updates if other == doi}
    published = _published(metadata) or holder.published
    abstracts = _children(metadata, "abstract")
    return WorkRecord(
        provider="crossref",
        record_id=doi,
        type=terms.type_of(kind, element.get("type", ""), notices),
        title=title,
        abstract=_markup(abstracts[0])[: terms.MAX_ABSTRACT] if abstracts else "",
        publication_date=published.date if published else None,
        publication_year=published.year if published else None,
        language=(element.get("language") or metadata.get("language") or holder.language)[:8],
        license=terms.license_of(
            [(node.get("applies_to", ""), _text(node)) for node in _inside(element, "license_ref")]
        ),
        retracts=terms.retracted_by(doi, updates),
        is_retracted=bool(changed & terms.TAKEN_BACK)
        or (not notices & terms.TAKEN_BACK and terms.says_retracted(title)),
        cited_by_count=_cited_by(element),
        identifiers=_identifiers(element, doi),
        source=_source(element, metadata, kind, holder),
        authorships=authorships,
        references=_references(metadata if element is metadata else element, doi),
        observed_at=_changed_at(element, metadata) or NEVER,
    )


class _Holder(NamedTuple):
    """What the journal, the book or the volume around a work says. names: of series and volume."""

    names: list[str]
    issns: list[str]
    publisher: str
    language: str
    published: PartialDate | None

    @classmethod
    def of(cls, element: Element, metadata: Element) -> "_Holder":
        own = element if element is not metadata else element.getparent()
        parts = [child for child in ([] if own is None else own) if _local(child) in _METADATA]
        series = [child for part in parts for child in _children(part, "series_metadata")]
        names, issns, publisher = [], [], ""
        for part in (*series, *parts):
            if part is not metadata:
                names += [_markup(node) for node in _children(part, "full_title", "proceedings_title")]
                names += [_title(part)]
            issns += [_text(node) for node in _children(part, "issn")]
            publisher = publisher or _text(_child(_child(part, "publisher"), "publisher_name"))
        if not any(names):
            names = [_text(node) for part in parts for node in _children(part, "conference_name")]
        return cls(
            [name for name in names if name], issns, publisher,
            next((language for part in parts if (language := part.get("language"))), ""),
            earliest(_published(part) for part in parts),
        )  # fmt: skip


def _source(element: Element, metadata: Element, kind: str, holder: _Holder) -> SourceRef | None:
    names = holder.names
    if kind in {"posted-content", "dataset"} and not names:
        names = [_text(_child(node, "institution_name")) for node in _children(metadata, "institution")]
    # The series stands first; an ISSN is the series'.
    return terms.source_of(kind, names[:1] if holder.issns else names[-1:], holder.issns, holder.publisher)


def _title(metadata: Element) -> str:
    titles = _child(metadata, "titles")
    for name, added in (("title", "subtitle"), ("original_language_title", "")):
        title = terms.full_title(
            _markup(_child(titles, name)), _markup(_child(titles, added)) if added else ""
        )
        if title:
            return title
    return ""


def _authorships(metadata: Element) -> Iterator[AuthorshipRecord]:
    # Beside people there are organization and anonymous, who are none. A dissertation has one person alone.
    people = _children(_child(metadata, "contributors"), "person_name") or _children(metadata, "person_name")
    for node in [node for node in people if node.get("contributor_role") == "author"][:MAX_AUTHORS]:
        affiliations, institutions = _affiliations(node)
        authorship = person(
            _text(_child(node, "given_name")), _text(_child(node, "surname")), _text(_child(node, "suffix")),
            orcid=normalise_orcid(_text(_child(node, "ORCID"))) or "", affiliations=affiliations, institutions=institutions,
        )  # fmt: skip
        if authorship:
            yield authorship


def _affiliations(node: Element) -> tuple[list[str], list[InstitutionRef]]:
    texts = [_text(place) for place in _children(node, "affiliation")]
    institutions = []
    for place in _children(_child(node, "affiliations"), "institution"):
        name = _text(_child(place, "institution_name"))
        parts = [
            _text(_child(place, "institution_department")),
            name,
            _text(_child(place, "institution_place")),
        ]
        texts.append(", ".join(part for part in parts if part))
        for identifier in _children(place, "institution_id"):
            if ror := normalise_ror(_text(identifier)):
                institutions.append(terms.institution(name, ror))
    return texts, institutions


def _identifiers(element: Element, doi: str) -> tuple[Identifier, ...]:
    found: set[Identifier] = {("doi", doi)}
    for relation in _inside(element, "intra_work_relation", "inter_work_relation"):
        if relation.get("relationship-type") in _SAME:
            identifier = terms.identifier_of(relation.get("identifier-type", ""), _text(relation))
            found |= {identifier} if identifier else set()
    found |= {
        ("arxiv", arxiv) for scheme, value in found if scheme == "doi" and (arxiv := normalise_arxiv(value))
    }
    return tuple(sorted(found))


def _references(element: Element, own: str) -> tuple[Identifier, ...]:
    cited = {
        terms.doi_of(_text(_child(citation, "doi")))
        for holder in (element, *(child for child in element if _local(child) in _METADATA))
        for citation in _children(_child(holder, "citation_list"), "citation")
    }
    return tuple(sorted(("doi", doi) for doi in cited if doi and doi != own))


def _published(metadata: Element) -> PartialDate | None:
    return earliest(
        partial_date(*(_text(_child(node, part)) for part in ("year", "month", "day")))
        for node in _children(metadata, *_DATES)
    )


def _cited_by(element: Element) -> int:
    query = next(element.iterancestors("{*}query"), None)
    counts = [_text(node) for node in _children(query, "crm-item") if node.get("name") == "citedby-count"]
    return (
        int(counts[0]) if counts and counts[0].isascii() and counts[0].isdigit() and len(counts[0]) < 9 else 0
    )


def _changed_at(element: Element, metadata: Element) -> datetime | None:
    """Return when the publisher last deposited a record, or else when Crossref last changed it."""
    return next(
        (moment for text in _timestamps(element, metadata) if (moment := terms.moment_of(text))), None
    )


def _timestamps(element: Element, metadata: Element) -> Iterator[str]:
    yield _text(_child(_child(metadata, "doi_data"), "timestamp"))
    for ancestor in element.iterancestors(*_tags(("doi_record", "query", "record", "doi_batch"))):
        yield ancestor.get("timestamp", "")
        yield from (
            _text(node) for node in _children(ancestor, "crm-item") if node.get("name") == "last-update"
        )
        yield _text(_child(_child(ancestor, "header"), "datestamp"))
        yield _text(_child(_child(ancestor, "head"), "timestamp"))


def _doi(metadata: Element | None) -> str | None:
    return terms.doi_of(_text(_child(_child(metadata, "doi_data"), "doi")))


# --- Elements by their name in any namespace ------------------------------------------------------------------


def _local(element: Element) -> str:
    return element.tag[element.tag.rfind("}") + 1 :] if isinstance(element.tag, str) else ""


@cache
def _tags(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{{*}}{name}" for name in names)


def _children(element: Element | None, *names: str) -> list[Element]:
    return [] if element is None else list(element.iterchildren(*_tags(names)))


def _child(element: Element | None, *names: str) -> Element | None:
    return None if element is None else next(element.iterchildren(*_tags(names)), None)


def _inside(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements of those names at any depth; of a book's chapters nothing is left when it ends."""
    return element.iter(*_tags(names))


def _text(element: Element | None) -> str:
    if element is None:
        return ""
    text = "".join(element.itertext()) if len(element) else element.text or ""
    return " ".join(text.split())


def _markup(element: Element | None) -> str:
    """Return what is in an element as HTML, JATS and MathML without prefixes."""
    if element is None:
        return ""
    text = "".join(_pieces(element)) if len(element) else html.escape(element.text or "", quote=False)
    return " ".join(text.split())


def _pieces(element: Element) -> Iterator[str]:
    yield html.escape(element.text or "", quote=False)
    for child in element:
        tag = _local(child).rpartition(":")[2]
        tag = "" if tag in _FACES else tag
        attributes = "".join(
            f' {name}="{html.escape(value)}"'
            for name, value in child.attrib.items()
            if "}" not in name and ":" not in name
        )
        yield f"<{tag}{attributes}>" if tag else ""
        yield from _pieces(child)
        yield f"</{tag}>" if tag else ""
        yield html.escape(child.tail or "", quote=False)
