"""Read RIS files, the tagged lines that reference managers and publishers export: rispy reads a record's lines.

Source: https://en.wikipedia.org/wiki/RIS_(file_format)
"""

import re
from collections.abc import Iterator
from typing import IO, Any, ClassVar

from rispy.config import LIST_TYPE_TAGS, TAG_KEY_MAPPING
from rispy.parser import RisParser

from works.ingest.dates import earliest, read_date
from works.ingest.files import MAX_LINE, UnreadableFile, read_lines
from works.ingest.json_stream import snippet
from works.ingest.library_files import Entry, decode_text, without_others, work_of
from works.ingest.people import MAX_AUTHORS, is_organisation, is_whole_person, person
from works.ingest.reading import shown_start, start_of
from works.ingest.records import AuthorshipRecord, Record, Reject

SUFFIXES = (".ris",)
_LINE = re.compile(r"([A-Z][A-Z0-9])\s{1,2}-(?:\s|$)(.*)", re.S)
_TAGS = {*TAG_KEY_MAPPING, "BT", "CT", "ED", "ID", "JA", "JF", "JO", "J1", "N2", "T1", "TI", "U1"} - {
    "TY",
    "ER",
}
_TYPES = {
    **dict.fromkeys(
        ["ABST", "EJOUR", "INPR", "JFULL", "JOUR", "MGZN", "NEWS", "CONF", "CPAPER", "ABSTRACT"], "article"
    ),
    **dict.fromkeys(["CHAP", "ECHAP", "SECTION"], "book-chapter"),
    **dict.fromkeys(["BOOK", "CLSWK", "EBOOK", "EDBOOK", "WHOLE"], "book"),
    **dict.fromkeys(["AGGR", "DATA", "DBASE"], "dataset"),
    **dict.fromkeys(["DICT", "ENCYC"], "reference-entry"),
    **dict.fromkeys(["GOVDOC", "RPRT"], "report"),
    "PREP": "preprint",
    "STAND": "standard",
    "STD": "standard",
    "THES": "dissertation",
}
_CONTAINER_TYPES = {
    "CONF": "conference",
    "CPAPER": "conference",
    **dict.fromkeys(["CHAP", "ECHAP", "DICT", "ENCYC"], "other"),
}
# Whose T2 is a series or a department, not what they appeared in.
_ALONE = {"BOOK", "EBOOK", "EDBOOK", "WHOLE", "THES", "CLSWK", "GOVDOC", "RPRT"}


class _Parser(RisParser):
    """Tags stay tags, and lines may be set as real files set them: "TY - JOUR" besides "TY  - JOUR"."""

    DEFAULT_MAPPING: ClassVar[dict[str, str]] = {tag: tag for tag in (*_TAGS, "TY", "ER")}
    DEFAULT_LIST_TAGS: ClassVar[list[str]] = sorted({*LIST_TYPE_TAGS, "AU", "A1", "DO", "SN", "UR"})
    DEFAULT_DELIMITER_MAPPING: ClassVar[dict[str, str]] = {}

    def parse_line(self, line: str) -> tuple[str, str] | tuple[None, str]:
        match = _LINE.match(line)
        return (match.group(1), match.group(2).strip()) if match else (None, line.strip())


_PARSER = _Parser(skip_unknown_tags=True)


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each reference of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    found = False
    for lines in _references(stream):
        found = True
        yield lines if isinstance(lines, Reject) else _read(lines)
    if not found:
        raise UnreadableFile(f"{name}: no RIS reference in it; it begins with {shown_start(start)}.")


def _references(stream: IO[bytes]) -> Iterator[list[str] | Reject]:
    """Yield the lines of each reference, to its ER or to the next TY where that was forgotten."""
    lines: list[str] = []
    size, too_long = 0, False
    for data in read_lines(stream):
        line = "" if data is None else decode_text(data)
        match = _LINE.match(line)
        tag = match.group(1) if match else ""
        if tag in {"TY", "ER"} and (lines or too_long):
            yield Reject("longer than a record may be", snippet("\n".join(lines[:5]))) if too_long else lines
            lines, size, too_long = [], 0, False
        if data is None:
            too_long = True
        elif tag != "ER" and (tag in _TAGS or tag == "TY" or lines):
            # What comes before a reference ("Record 1 of 2", "1.") has no tag.
            size += len(line) + 1
            too_long = too_long or size > MAX_LINE
            if not too_long:
                lines.append(line)
    if lines or too_long:
        yield Reject("longer than a record may be", snippet("\n".join(lines[:5]))) if too_long else lines


def _read(lines: list[str]) -> Record | Reject:
    found = _PARSER.parse_lines(iter([*lines, "ER  - "]))
    if not found:
        return Reject("a reference without its type (TY)", snippet("\n".join(lines[:5])))
    item = _record(found[0])
    return item._replace(snippet=snippet("\n".join(lines[:5]))) if isinstance(item, Reject) else item


def _record(fields: dict[str, Any]) -> Record | Reject:
    kind = fields["TY"].upper()[:20]
    # Some write everybody under both tags.
    listed = fields.get("AU", [])
    known = set(listed)
    names, others = without_others([*listed, *(name for name in fields.get("A1", []) if name not in known)])
    return work_of(
        "ris",
        Entry(
            kind=_TYPES.get(kind, "other"),
            title=_first(fields, "T1", "TI", "CT", *(["BT", "T2"] if kind in _ALONE else [])),
            abstract=_first(fields, "AB", "N2"),
            authorships=tuple(_authorships(names)),
            partial_authors=others,
            published=earliest(read_date(fields.get(tag, "")) for tag in ("PY", "Y1", "DA")),
            doi=_first(fields, "DO"),
            links=tuple(text for tag in ("UR", "L1", "L2", "M3", "T2", "JO") for text in _texts(fields, tag)),
            notes=tuple(_texts(fields, "N1")),
            container="" if kind in _ALONE else _first(fields, "JF", "T2", "BT", "JO", "JA", "J2"),
            container_type=_CONTAINER_TYPES.get(kind, "journal"),
            issn=" ".join(_texts(fields, "SN")) if kind not in _ALONE else "",
            publisher=_first(fields, "PB"),
            language=_first(fields, "LA"),
        ),
    )  # fmt: skip


def _texts(fields: dict[str, Any], tag: str) -> list[str]:
    value = fields.get(tag, [])
    return value if isinstance(value, list) else [value]


def _first(fields: dict[str, Any], *tags: str) -> str:
    return next((text for tag in tags for text in _texts(fields, tag) if text.strip()), "")


def _authorships(names: list[str]) -> Iterator[AuthorshipRecord]:
    for name in names[:MAX_AUTHORS]:
        family, comma, rest = name.partition(",")
        given, _, suffix = rest.partition(",")
        # People are written "Family, Given, Suffix"; who has no comma may be an organisation.
        if comma or is_whole_person(name) or not is_organisation(name):
            authorship = person(given.strip(), family.strip(), suffix.strip())
            if authorship:
                yield authorship
