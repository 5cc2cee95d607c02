"""Read tables of one arXiv category, whose ids were once floats. The columns are named in the first row."""

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from works.identifiers import arxiv_from_float
from works.ingest.arxiv_people import Author, people
from works.ingest.arxiv_record import make_record, moment
from works.ingest.files import UnreadableFile, read_lines
from works.ingest.records import Reject, WorkRecord

MAX_FIELD = 2_000_000  # characters in one cell
MAX_ROW_LINES = 200  # the longest real comment has four
_COLUMNS = {"arxiv_id", "title", "author_text", "categories"}


def read_table(stream: IO[bytes], name: str) -> Iterator[WorkRecord | Reject]:
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
    return make_record(
        arxiv,
        title=row["title"],
        abstract=row.get("abstract", ""),
        people=people(Author(name) for name in row["author_text"].split(",") if name.strip()),
        codes=row["categories"].split(","),
        primary=row.get("primary_cat", ""),
        created=moment(row.get("created", "")),
        updated=moment(row.get("updated", "")),
        doi=row.get("doi", ""),
    )
