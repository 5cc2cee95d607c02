"""Read BibTeX and BibLaTeX files: bibtexparser finds the entries and their fields, pylatexenc reads LaTeX.

The file is cut where the library itself begins anew after an error, at an "@" that begins a line, so that one
entry is in memory at a time.
Source: https://tug.ctan.org/info/bibtex/tamethebeast/ttb_en.pdf
"""

import logging
import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from bibtexparser.exceptions import ParserStateException
from bibtexparser.middlewares.names import (
    InvalidNameError,
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    ParsingFailedBlock,
    String,
)
from bibtexparser.model import Entry as Parsed
from bibtexparser.splitter import Splitter

from works.ingest.bibtex_text import resolve, to_plain, to_title
from works.ingest.crossref_terms import full_title
from works.ingest.dates import PartialDate, partial_date, read_date
from works.ingest.files import MAX_LINE, UnreadableFile, read_lines
from works.ingest.json_stream import snippet
from works.ingest.library_files import (
    MAX_ABSTRACT,
    MAX_FIELD,
    MAX_TITLE,
    Entry,
    decode_text,
    without_others,
    work_of,
)
from works.ingest.people import MAX_AUTHORS, is_organisation, is_whole_person, person
from works.ingest.reading import shown_start, start_of
from works.ingest.records import AuthorshipRecord, Record, Reject

SUFFIXES = (".bib", ".bibtex", ".biblatex")
MAX_MACROS = 10_000
MAX_PARENTS = 10_000
MAX_WAITING = 20_000_000  # characters of entries that wait for the volume they refer to
ENTRY_SIZE = 500  # of one without fields
MAX_NAME = 1000
MAX_SHORT = 2000  # of what is no title, abstract or list of authors

# What the library logs of a broken entry is in its Reject.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_START = re.compile(rb"\s*@\w*[ \t]*[{(]")
_NO_ENTRY = re.compile(r"\s*@(?:comment|preamble)\b", re.I)
_TYPE_ALONE = re.compile(rb"\s*@\w+\s*")
_TYPES = {
    "article": "article", "suppperiodical": "article", "inproceedings": "article", "conference": "article",
    "incollection": "book-chapter", "inbook": "book-chapter", "suppbook": "book-chapter", "bookinbook": "book-chapter",
    "suppcollection": "book-chapter", "inreference": "reference-entry", "book": "book", "mvbook": "book",
    "booklet": "book", "collection": "book", "mvcollection": "book", "reference": "book", "mvreference": "book",
    "proceedings": "book", "mvproceedings": "book", "thesis": "dissertation", "phdthesis": "dissertation",
    "mastersthesis": "dissertation", "masterthesis": "dissertation", "bachelorsthesis": "dissertation",
    "bathesis": "dissertation", "techreport": "report", "report": "report", "manual": "report", "dataset": "dataset",
    "data": "dataset", "standard": "standard", "preprint": "preprint", "letter": "letter", "review": "review",
}  # fmt: skip
_CONTAINERS = ("journal", "journaltitle", "fjournal", "booktitle")
_CONTAINER_TYPES = {
    "article": "journal",
    "suppperiodical": "journal",
    "inproceedings": "conference",
    "conference": "conference",
}
# Entries that stand for what others take from them, and in what.
_NO_WORKS = {"xdata", "set", "periodical", "control"}
_INHERITED = (
    "booktitle", "series", "journal", "journaltitle", "publisher", "organization", "institution", "school", "year", "month", "date",
    "issn", "language", "langid",
)  # fmt: skip
_FIELDS = {
    *_INHERITED, "title", "subtitle", "abstract", "author", "day", "doi", "eprint", "eprinttype", "archiveprefix", "url", "link",
    "howpublished", "note", "volume", "number", "pmid", "crossref", "xdata", "fjournal",
}  # fmt: skip


_FULL_NAME = re.compile(r"(?:[^\W\d_]\.[ -]?)+[^\W\d_]{2,}.*")
# Where an id may stand besides a field of its own; dblp writes "abs/1912.12953" as the volume.
_LINKS = ("eprint", "url", "link", "howpublished", "journal", "volume", "number")


class _Entry(NamedTuple):
    type: str
    key: str
    fields: dict[str, str]

    @property
    def parent(self) -> str:
        return (self.fields.get("crossref") or self.fields.get("xdata") or "").strip().lower()

    @property
    def size(self) -> int:
        return ENTRY_SIZE + sum(map(len, self.fields.values()))


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each entry of a file, or why it could not be read. Raises UnreadableFile for the file itself.

    An entry that takes fields from a later one (crossref) is yielded right after that.
    """
    stream, start = start_of(stream, name)
    macros: dict[str, str] = {}
    volumes = _Volumes()
    found = False
    for block in _blocks(stream):
        for item in [block] if isinstance(block, Reject) else _parse(block):
            if isinstance(item, ParsingFailedBlock | Parsed | String | Reject):
                found = True
            for entry in _take(item, macros, volumes):
                yield entry if isinstance(entry, Reject) else _record(entry)
    for entry in volumes.left():
        yield _record(entry)
    if not found:
        raise UnreadableFile(f"{name}: no BibTeX entry in it; it begins with {shown_start(start)}.")


def _blocks(stream: IO[bytes]) -> Iterator[str | Reject]:
    """Yield the text from one "@type{" at the start of a line to the next."""
    lines: list[bytes] = []
    size, too_long, carried = 0, False, b""

    def block() -> str | Reject:
        return (
            Reject("longer than a record may be", snippet(b"".join(lines[:1])))
            if too_long
            else decode_text(b"\n".join(lines))
        )

    for line in read_lines(stream):
        if line is None:
            too_long = True
            continue
        if carried:  # "@article" and "{" on two lines
            line, carried = carried + line.lstrip(), b""
        if _TYPE_ALONE.fullmatch(line):
            carried = line.rstrip()
            continue
        if _START.match(line):
            yield block()
            lines, size, too_long = [], 0, False
        size += len(line) + 1
        too_long = too_long or size > MAX_LINE
        if not too_long:
            lines.append(line)
    yield block()


def _parse(block: str) -> list[Block | Reject]:
    if "@" not in block:
        return []
    try:
        return list(Splitter(block).split().blocks)
    except (ParserStateException, IndexError, ValueError, RecursionError) as error:
        return [Reject(f"not as BibTeX writes an entry: {error}"[:300], snippet(block))]


def _take(item: Block | Reject, macros: dict[str, str], volumes: "_Volumes") -> Iterator[_Entry | Reject]:
    """Yield the entries that are complete with this block."""
    if isinstance(item, Reject):
        yield item
        return
    if isinstance(item, ParsingFailedBlock) and isinstance(
        item, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock
    ):
        # Two entries of one key are two entries; of a field that stands twice the first counts.
        item = item.ignore_error_block or item
    try:
        if isinstance(item, String):
            if len(macros) < MAX_MACROS:
                macros[item.key.lower()] = resolve(item.value, macros, MAX_NAME)
        elif isinstance(item, Parsed):
            fields: dict[str, str] = {}
            for field in item.fields:
                if (name := field.key.lower()) in _FIELDS:
                    fields.setdefault(name, resolve(field.value, macros, MAX_FIELD))
            yield from volumes.take(_Entry(item.entry_type.lower(), item.key.lower(), fields))
        elif isinstance(item, ParsingFailedBlock) and not _NO_ENTRY.match(item.raw or ""):
            reason = getattr(item.error, "abort_reason", "") or str(item.error)
            yield Reject(f"not as BibTeX writes an entry: {reason}"[:300], snippet(item.raw or ""))
    except ValueError as error:
        yield Reject(f"not as BibTeX writes an entry: {error}"[:300], snippet(item.raw or ""))


class _Volumes:
    """Entries that others refer to by crossref, and those that wait for one to come."""

    def __init__(self) -> None:
        self._parents: dict[str, _Entry] = {}
        self._waiting: dict[str, list[_Entry]] = {}
        self._held = 0

    def take(self, entry: _Entry) -> Iterator[_Entry]:
        if entry.type not in _NO_WORKS:
            yield from self._complete(entry)
        if entry.key and (
            entry.key in self._waiting or entry.type in _NO_WORKS or _TYPES.get(entry.type) == "book"
        ):
            given = {
                name: text[:MAX_NAME] for name, text in entry.fields.items() if name in {*_INHERITED, "title"}
            }
            if len(self._parents) < MAX_PARENTS:
                self._parents.setdefault(entry.key, entry._replace(fields=given))
            for child in self._waiting.pop(entry.key, ()):
                self._held -= child.size
                yield _inherit(child, entry)

    def _complete(self, entry: _Entry) -> Iterator[_Entry]:
        if not entry.parent:
            yield entry
        elif entry.parent in self._parents:
            yield _inherit(entry, self._parents[entry.parent])
        else:
            self._waiting.setdefault(entry.parent, []).append(entry)
            self._held += entry.size
            if self._held > MAX_WAITING:
                yield from self.left()

    def left(self) -> Iterator[_Entry]:
        """Yield those whose volume did not come."""
        for entries in self._waiting.values():
            yield from entries
        self._waiting, self._held = {}, 0


def _inherit(child: _Entry, parent: _Entry) -> _Entry:
    given = {name: text for name, text in parent.fields.items() if name in _INHERITED}
    if parent.type not in _NO_WORKS and "title" in parent.fields:
        given.setdefault("booktitle", parent.fields["title"])
    if "date" in child.fields or "year" in child.fields:
        given = {name: text for name, text in given.items() if name not in {"date", "year", "month"}}
    return child._replace(fields=given | child.fields)


def _record(entry: _Entry) -> Record | Reject:
    fields = entry.fields
    authorships, others = _authorships(fields.get("author", ""))
    archive = (fields.get("archiveprefix") or fields.get("eprinttype") or "").strip().lower()
    eprint = _short(fields, "eprint")
    item = work_of(
        "bibtex",
        Entry(
            kind=_TYPES.get(entry.type, "other"),
            title=full_title(_text(fields, "title", MAX_TITLE), _text(fields, "subtitle", MAX_TITLE)),
            abstract=_text(fields, "abstract", MAX_ABSTRACT),
            authorships=tuple(authorships),
            partial_authors=others,
            published=_published(fields),
            doi=_short(fields, "doi").replace("$", ""),
            arxiv=eprint if archive in {"", "arxiv"} else "",
            pmid=_short(fields, "pmid") or (eprint if archive == "pubmed" else ""),
            links=tuple(text for name in _LINKS if (text := _short(fields, name))),
            notes=(_short(fields, "note"),),
            container=next((text for name in _CONTAINERS if (text := _text(fields, name, MAX_SHORT))), ""),
            container_type=_CONTAINER_TYPES.get(entry.type, "journal" if "journal" in fields else "other"),
            issn=_short(fields, "issn"),
            publisher=_text(fields, "publisher", MAX_SHORT),
            language=_short(fields, "language") or _short(fields, "langid"),
        ),
    )
    return item._replace(snippet=f"@{entry.type}{{{entry.key}"[:200]) if isinstance(item, Reject) else item


def _text(fields: dict[str, str], name: str, most: int) -> str:
    return to_title(fields.get(name, "")[:most])


def _short(fields: dict[str, str], name: str) -> str:
    return to_plain(fields.get(name, "")[:MAX_SHORT])


def _published(fields: dict[str, str]) -> PartialDate | None:
    if dated := read_date(fields.get("date", "")):
        return dated
    year = read_date(_short(fields, "year"))
    # "10~jan" or "March 5": the month is what is not the day.
    month, day = _short(fields, "month"), _short(fields, "day")
    name = re.search(r"[A-Za-z]{3,}|\d{1,2}", re.sub(r"\d{1,2}(?=\W*[A-Za-z])", "", month))
    return partial_date(year.year, name.group() if name else None, day) if year else None


def _authorships(text: str) -> tuple[list[AuthorshipRecord], bool]:
    names, others = without_others(_names(text))
    people = (_person(name[:MAX_NAME]) for name in names[:MAX_AUTHORS])
    return [authorship for authorship in people if authorship], others


def _names(text: str) -> list[str]:
    names = []
    for name in split_multiple_persons_names(" ".join(text.split())):
        bare = re.sub(r"\{[^{}]*\}", "", name)
        parts = [part.strip() for part in bare.split(",")]
        # What BibTeX cannot read, people write all the same: "Smith, A.; Jones, B.", "A. Smith, B. Jones".
        mark = ";" if ";" in bare and "&" not in bare else ""
        if len(parts) > 3 or (len(parts) > 1 and all(map(_FULL_NAME.fullmatch, parts))):
            mark = mark or ","
        names += name.split(mark) if mark else [name]
    return names


def _person(name: str) -> AuthorshipRecord | None:
    name = name.strip()
    if _is_one_group(name):
        # Braces around a whole name say that it has no parts: an organisation's.
        whole = to_plain(name)
        return person("", whole) if is_whole_person(whole) else None
    if "," not in name and is_organisation(to_plain(name)):
        return None
    try:
        parts = parse_single_name_into_parts(name, strict=False)
    except (InvalidNameError, IndexError, ValueError):
        return person("", to_plain(name))
    return person(
        to_plain(" ".join(parts.first)),
        to_plain(" ".join([*parts.von, *parts.last])),
        to_plain(" ".join(parts.jr)),
    )


def _is_one_group(name: str) -> bool:
    """Return whether one pair of braces encloses a whole name."""
    if not (name.startswith("{") and name.endswith("}")):
        return False
    depth = 0
    for place, char in enumerate(name):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return place == len(name) - 1
    return False
