"""Read arXiv works: Atom answers of its API, and tables of one category whose ids were once floats.

Sources: https://info.arxiv.org/help/api/user-manual.html; the table's columns are named in its first row.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import IO, NamedTuple

from lxml import etree

from bzpeer.lib.markup import render
from bzpeer.lib.names import clean
from works.identifiers import arxiv_from_float, normalise_arxiv, normalise_doi
from works.ingest.files import UnreadableFile, open_stream, read_lines
from works.ingest.records import NEVER, AuthorshipRecord, Reject, SourceRef, TopicRecord, WorkRecord

SUFFIXES = (".xml", ".atom", ".tsv", ".gz", ".xz")
ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
MAX_FIELD = 2_000_000  # characters in one cell of a table
MAX_ROW_LINES = 200  # the longest real comment has four
MAX_AUTHORS = 20_000
_COLUMNS = {"arxiv_id", "title", "author_text", "categories"}
_SOURCE = SourceRef(
    display_name="arXiv",
    openalex="S4306400194",
    type="repository",
    host_organization_name="Cornell University",
)
_TEX_BRACES = re.compile(r"[{}]")


class Category(NamedTuple):
    """An arXiv category by its official name and the OpenAlex field or subfield it belongs to."""

    code: str
    name: str
    parent: str  # "subfields/1708" or "fields/17"
    lineage: tuple[tuple[str, str], ...]


@cache
def categories() -> dict[str, Category]:
    """Return every category by its code; retired ones lead to the one that took them over."""
    text = resources.files("works.ingest").joinpath("arxiv_categories.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    found = {row["code"]: _category(row) for row in rows if row["status"] != "retired"}
    for row in rows:
        if row["status"] == "retired" and row["current"] in found:
            found[row["code"]] = found[row["current"]]
    return found


_DOMAINS = {
    "1": "Life Sciences", "2": "Social Sciences", "3": "Physical Sciences", "4": "Health Sciences",
}  # fmt: skip
# OpenAlex's four domains hold Scopus' 26 fields.
_DOMAIN_OF_FIELD = {
    **dict.fromkeys(["11", "13", "24", "28", "30"], "1"),
    **dict.fromkeys(["12", "14", "18", "20", "32", "33"], "2"),
    **dict.fromkeys(["15", "16", "17", "19", "21", "22", "23", "25", "26", "31"], "3"),
    **dict.fromkeys(["27", "29", "34", "35", "36"], "4"),
}


def _category(row: dict[str, str]) -> Category:
    domain = _DOMAIN_OF_FIELD[row["field_id"]]
    lineage = [(f"fields/{row['field_id']}", row["field"]), (f"domains/{domain}", _DOMAINS[domain])]
    if row["subfield_id"]:
        lineage.insert(0, (f"subfields/{row['subfield_id']}", row["subfield"]))
    return Category(row["code"], row["name"], lineage[0][0], tuple(lineage))


def read(path: Path) -> Iterator[WorkRecord | Reject]:
    """Yield each work of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    with open_stream(path) as stream:
        head = stream.peek(1024)[:1024] if hasattr(stream, "peek") else stream.read(1024)
        if not hasattr(stream, "peek"):
            stream.seek(0)
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start:
            raise UnreadableFile(f"{path.name}: the file is empty.")
        if start.startswith(b"<"):
            yield from _read_atom(stream, path.name)
        elif b"\t" in start.partition(b"\n")[0]:
            yield from _read_table(stream, path.name)
        else:
            raise UnreadableFile(f"{path.name}: neither an Atom answer nor a tab-separated table of arXiv.")


# --- Atom ---------------------------------------------------------------------------------------------


def _read_atom(stream: IO[bytes], name: str) -> Iterator[WorkRecord | Reject]:
    events = etree.iterparse(
        stream, events=("end",),
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
    )  # fmt: skip
    try:
        for _, entry in events:
            parent = entry.getparent()
            if parent is None or parent.getparent() is not None:
                continue  # only what stands right below the feed is read, and let go of
            if entry.getroottree().docinfo.doctype:
                raise UnreadableFile(
                    f"{name}: holds a document type, which arXiv's answers never do; refused."
                )
            try:
                if entry.tag == f"{ATOM}entry":
                    yield _entry(entry)
            except (ValueError, TypeError, AttributeError) as error:
                yield Reject(f"not as arXiv describes a work: {error}"[:300], _text(entry, f"{ATOM}id")[:200])
            entry.clear()
            while entry.getprevious() is not None:
                del parent[0]
    except etree.XMLSyntaxError as error:
        yield Reject(f"not well-formed XML: {error}"[:300])


def _entry(entry: etree._Element) -> WorkRecord | Reject:
    address = _text(entry, f"{ATOM}id")
    arxiv = normalise_arxiv(address)
    if not arxiv:
        # The API reports an error as an entry by "arXiv api core".
        return Reject(
            f"no arXiv work: {_text(entry, f'{ATOM}summary') or _text(entry, f'{ATOM}title')}"[:300],
            address[:200],
        )
    authorships = []
    for author in entry.findall(f"{ATOM}author"):
        if raw_name := _name(_text(author, f"{ATOM}name")):
            places = tuple(
                text[:1000] for node in author.findall(f"{ARXIV}affiliation") if (text := _joined(node))
            )
            authorships.append(AuthorshipRecord(raw_name=raw_name, raw_affiliations=places))
    primary = entry.find(f"{ARXIV}primary_category")
    codes = [node.get("term", "") for node in entry.findall(f"{ATOM}category")]
    return _record(
        arxiv,
        title=_text(entry, f"{ATOM}title"),
        abstract=_text(entry, f"{ATOM}summary"),
        authorships=authorships,
        codes=codes,
        primary=primary.get("term", "") if primary is not None else "",
        created=_moment(_text(entry, f"{ATOM}published")),
        updated=_moment(_text(entry, f"{ATOM}updated")),
        doi=_text(entry, f"{ARXIV}doi"),
    )


def _joined(node: etree._Element) -> str:
    return " ".join("".join(node.itertext()).split())


def _text(parent: etree._Element, tag: str) -> str:
    node = parent.find(tag)
    return _joined(node) if node is not None else ""


# --- The table of a category ------------------------------------------------------------------------------


def _read_table(stream: IO[bytes], name: str) -> Iterator[WorkRecord | Reject]:
    csv.field_size_limit(MAX_FIELD)
    rows = _rows(stream)
    header = next(rows, [])
    if isinstance(header, Reject) or not set(header) >= _COLUMNS:
        raise UnreadableFile(f"{name}: a table needs the columns {', '.join(sorted(_COLUMNS))}.")
    for values in rows:
        if isinstance(values, Reject):
            yield values
            continue
        if len(values) != len(header):
            yield Reject(f"{len(values)} columns instead of {len(header)}", "\t".join(values)[:200])
            continue
        row = dict(zip(header, values, strict=True))
        try:
            yield _row(row)
        except (ValueError, TypeError) as error:
            yield Reject(f"not as the table describes a work: {error}"[:300], row["arxiv_id"][:200])


def _rows(stream: IO[bytes]) -> Iterator[list[str] | Reject]:
    """Yield the rows of a table; a quote that nobody closes costs its own line and not the rest of the file."""
    lines = read_lines(stream)
    ahead: deque[bytes | None] = deque()

    def next_line() -> bytes | None:
        return ahead.popleft() if ahead else next(lines)

    with suppress(StopIteration):
        while True:
            first = next_line()
            if first is None:
                yield Reject("longer than a row may be")
                continue
            taken: list[bytes | None] = [first]
            quotes = first.count(b'"')
            with suppress(StopIteration):
                while quotes % 2 and len(taken) < MAX_ROW_LINES and (line := next_line()) is not None:
                    taken.append(line)
                    quotes += line.count(b'"')
            if quotes % 2:
                ahead.extendleft(reversed(taken[1:]))
                taken = [first]
            text = b"\n".join(line for line in taken if line is not None).decode("utf-8", "replace")
            try:
                # NUL ends csv's patience; no field of ours may hold one anyway.
                yield from csv.reader([text.removeprefix("\ufeff").replace("\x00", "")], delimiter="\t")
            except csv.Error as error:
                yield Reject(f"not a row of the table: {error}"[:300], text[:200])


def _row(row: dict[str, str]) -> WorkRecord | Reject:
    arxiv = arxiv_from_float(row["arxiv_id"])
    if not arxiv:
        return Reject("no arXiv id", row["arxiv_id"][:200])
    names = (_name(part) for part in row["author_text"].split(","))
    return _record(
        arxiv,
        title=" ".join(row["title"].split()),
        abstract=" ".join(row.get("abstract", "").split()),
        authorships=[AuthorshipRecord(raw_name=name) for name in names if name],
        codes=row["categories"].split(","),
        primary=row.get("primary_cat", ""),
        created=_moment(row.get("created", "")),
        updated=_moment(row.get("updated", "")),
        doi=row.get("doi", ""),
    )


# --- Both ---------------------------------------------------------------------------------------------------


def _record(
    arxiv: str, *, title: str, abstract: str, authorships: list[AuthorshipRecord], codes: list[str], primary: str,
    created: datetime | None, updated: datetime | None, doi: str,
) -> WorkRecord | Reject:  # fmt: skip
    if not title and not authorships:
        return Reject("neither title nor authors", arxiv)
    known = categories()
    topics = {}
    for code in [primary, *codes]:
        # Terms that are not arXiv's (MSC "68T05", ACM "D.4.7") are no categories.
        category = known.get(code.strip())
        if category and category.code not in topics:
            topics[category.code] = TopicRecord(
                scheme="arxiv",
                value=category.code,
                display_name=category.name,
                is_primary=code.strip() == primary,
                lineage=category.lineage,
            )
    identifiers = {("arxiv", arxiv)}
    if published := normalise_doi(doi):
        identifiers.add(("doi", published))
    first = created or updated
    return WorkRecord(
        provider="arxiv",
        record_id=arxiv,
        type="preprint",
        title=title,
        abstract=abstract,
        publication_date=first.date() if first else None,
        publication_year=first.year if first else None,
        is_oa=True,
        identifiers=tuple(sorted(identifiers)),
        source=_SOURCE,
        authorships=tuple(authorships[:MAX_AUTHORS]),
        topics=tuple(topics.values()),
        observed_at=updated or created or NEVER,
    )


def _name(text: str) -> str:
    """Return one author's name without TeX's braces and ties."""
    text = clean(text)
    if "\\" in text or "$" in text or "{" in text:
        text = _TEX_BRACES.sub("", render(text, blocks=False).plain)
    return text.replace("~", " ").strip(" ,;")[:255]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    if not date(1980, 1, 1) <= moment.date() <= date(2200, 1, 1):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
