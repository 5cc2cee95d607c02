"""Tables that people open in a spreadsheet, and tables that they send from one."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class SheetError(ValueError):
    """Why a table cannot be read, as a sentence for whoever sent it."""


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Write rows as CSV, a line at a time; no cell is taken for a formula by a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([plain_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def plain_cell(value: Any) -> str:
    """Return a cell's text; what a spreadsheet would run as a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def read_csv(data: bytes, *, most_rows: int, most_columns: int = 50) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every row that holds something; the first may be a heading.

    UTF-8 with or without a byte-order mark; commas, semicolons or tabs, as the first line has most of. Reads one
    row more than most_rows, so that the caller sees that there are too many.
    Raises SheetError with a sentence for what is no such table.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SheetError("This file is in UTF-16. Save it again as “CSV UTF-8”.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SheetError(
            "This is a workbook, not a CSV file. In the spreadsheet choose “Save as”, then “CSV UTF-8”."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SheetError(f"Line {line} is not in UTF-8. Save the file again as “CSV UTF-8”.") from error
    if "\x00" in text:
        raise SheetError("This file holds NUL characters, so it is no text. Save it as “CSV UTF-8”.")
    if not text.strip():
        raise SheetError("This file is empty.")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) > most_columns:
                raise SheetError(
                    f"Line {reader.line_num} has {len(cells)} columns; at most {most_columns} are read."
                )
            rows.append((reader.line_num, cells))
            if len(rows) > most_rows:
                break
    except csv.Error as error:
        raise SheetError(
            f"Line {reader.line_num + 1} cannot be read as CSV: a quotation mark that is not closed, or a cell that "
            "is too long."
        ) from error
    if not rows:
        raise SheetError("This file holds no rows.")
    return rows
