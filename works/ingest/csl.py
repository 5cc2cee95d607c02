"""Read CSL-JSON: what reference managers export and what DOI resolvers answer when asked for it.

Source: https://github.com/citation-style-language/schema/blob/master/schemas/input/csl-data.json
"""

import re
from collections.abc import Iterator
from typing import IO, Any

from works.identifiers import normalise_orcid
from works.ingest.crossref_terms import TYPES as CROSSREF_TYPES
from works.ingest.dates import PartialDate, partial_date, read_date
from works.ingest.files import UnreadableFile
from works.ingest.json_stream import parse, snippet, stream_records
from works.ingest.library_files import Entry, work_of
from works.ingest.people import MAX_AUTHORS, is_whole_person, person
from works.ingest.reading import (
    dict_of,
    dicts_of,
    list_of,
    shown_start,
    snippet_of,
    start_of,
    text_of,
    texts_of,
)
from works.ingest.records import AuthorshipRecord, Record, Reject

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csl", ".csljson")
_LISTS = (("items",), ("references",))
_TYPES = CROSSREF_TYPES | {
    "article": "preprint",  # "a preprint or working paper", says the specification
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "chapter": "book-chapter",
    "classic": "book",
    "collection": "book",
    "entry": "reference-entry",
    "entry-dictionary": "reference-entry",
    "entry-encyclopedia": "reference-entry",
    "paper-conference": "article",
    "review": "review",
    "review-book": "review",
    "thesis": "dissertation",
}
_CONTAINER_TYPES = {"paper-conference": "conference", "proceedings-article": "conference", "article": "repository", "posted-content": "repository", "dataset": "repository"}  # fmt: skip
_JOURNALS = {"article-journal", "article-magazine", "article-newspaper", "journal-article"}
_RECORD = {"title", "author", "type", "DOI"}
_MARK_OF_AN_ID = re.compile(r"(?:PMID|PubMed ID):\s*(\d{1,9})", re.I)


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each item of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    if start and not start.startswith((b"{", b"[")):
        raise UnreadableFile(f"{name}: no CSL-JSON; it begins with {shown_start(start)}.")
    for data in stream_records(stream, name, _LISTS):
        value = data if isinstance(data, Reject) else parse(data)
        # JSON Lines may hold an array on each line.
        for item in value if isinstance(value, list) else [value]:
            yield item if isinstance(item, Reject) else _read(item)


def _read(item: Any) -> Record | Reject:
    if not isinstance(item, dict):
        return Reject("not an object", snippet_of(item))
    if not _RECORD & item.keys():
        return Reject("not as CSL describes an item", snippet(", ".join(item)))
    record = _record(item)
    return record._replace(snippet=text_of(item.get("id"))[:200]) if isinstance(record, Reject) else record


def _record(item: dict[str, Any]) -> Record | Reject:
    kind = text_of(item.get("type"))
    note = " ".join(texts_of(item.get("note")))
    pmid = _MARK_OF_AN_ID.search(note)
    return work_of(
        "csl",
        Entry(
            kind=_TYPES.get(kind, "other"),
            title=_first(item, "title"),
            abstract=_first(item, "abstract"),
            authorships=tuple(_authorships(item.get("author"))),
            published=_date(item.get("issued")),
            doi=_first(item, "DOI"),
            pmid=_word(item.get("PMID")) or (pmid.group(1) if pmid else ""),
            links=tuple(text for name in ("URL", "number", "container-title") for text in texts_of(item.get(name))),
            notes=(note,),
            container=_first(item, "container-title"),
            container_type="journal" if kind in _JOURNALS else _CONTAINER_TYPES.get(kind, "other"),
            issn=" ".join(texts_of(item.get("ISSN"))),
            publisher=_first(item, "publisher"),
            language=_first(item, "language"),
        ),
    )  # fmt: skip


def _first(item: dict[str, Any], name: str) -> str:
    return next(iter(texts_of(item.get(name))), "")


def _word(value: Any) -> str:
    """Return an id that may be written as a number."""
    return str(value) if isinstance(value, int) and abs(value) < 10**12 else text_of(value)


def _authorships(value: Any) -> Iterator[AuthorshipRecord]:
    for name in dicts_of(value)[:MAX_AUTHORS]:
        literal = text_of(name.get("literal"))
        # A name in one piece is an organisation's, but for a few that have no parts.
        parts = [text_of(name.get(part)) for part in ("dropping-particle", "non-dropping-particle", "family")]
        authorship = person(
            text_of(name.get("given")),
            " ".join(part for part in parts if part) or (literal if is_whole_person(literal) else ""),
            text_of(name.get("suffix")),
            orcid=normalise_orcid(text_of(name.get("ORCID"))) or "",
            affiliations=[
                text for place in dicts_of(name.get("affiliation")) for text in texts_of(place.get("name"))
            ],
        )
        if authorship:
            yield authorship


def _date(value: Any) -> PartialDate | None:
    """Return the date, or the first day of several: in parts, in parts written as texts, or as people write it."""
    date = dict_of(value)
    parts = list_of(date.get("date-parts"))
    first = list_of(parts[0]) if parts else []
    if first and (found := partial_date(*first[:3])):
        return found
    if found := partial_date(date.get("year"), date.get("month"), date.get("day")):
        return found
    texts = (_word(date.get("raw")), _word(date.get("literal")), _word(value))
    return next((found for text in texts if (found := read_date(text))), None)
