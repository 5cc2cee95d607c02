"""Read OpenAlex: its snapshot's JSON Lines and lists of merged or deleted ids, API answers, arrays, single objects.

Every schema since 2023 is read. What an object is its id tells: W2741809807 is a work, A5023888391 an author.
Source: https://docs.openalex.org
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, NamedTuple, cast

import msgspec

from works.ingest.files import UnreadableFile, read_lines
from works.ingest.json_stream import snippet, stream_records
from works.ingest.openalex_entities import read_author, read_gone, read_institution, read_source, read_topic
from works.ingest.openalex_shapes import (
    STAND_INS,
    AuthorShape,
    FullInstitutionShape,
    FullSourceShape,
    FullTopicShape,
    Shape,
    WorkShape,
    key,
    moment,
)
from works.ingest.openalex_works import read_work
from works.ingest.reading import start_of
from works.ingest.records import Record, Reject
from works.ingest.shapes import NOT_JSON, decode_shape

SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".gz")  # a snapshot's files are called part_000.gz
QUICK = 32_000_000  # bytes of a document that msgspec takes apart at once; a longer one is streamed

_DOCUMENT = re.compile(rb'\[|\{\s*"(?:meta|results|group_by)"\s*:')
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_PATH = re.compile(r"openalex\.org/([a-z-]{1,40})/")
_FATES = (("id", "merge_into_id", "merge_date"), ("work_id", "", "deleted_date"))  # columns of its lists


class Answer(msgspec.Struct):
    results: list[msgspec.Raw] | None = None


_ANSWER = msgspec.json.Decoder(Answer)


class Kind(NamedTuple):
    shape: type[Any]
    read: Callable[[Any, str], Record | Reject]


_KINDS = {
    "W": Kind(WorkShape, read_work),
    "A": Kind(AuthorShape, read_author),
    "I": Kind(FullInstitutionShape, read_institution),
    "S": Kind(FullSourceShape, read_source),
    "T": Kind(FullTopicShape, read_topic),
}
_OTHERS = {"C": "concept", "P": "publisher", "F": "funder", "K": "keyword", "G": "award"}

_Json = bytes | msgspec.Raw


def read_stream(stream: IO[bytes], name: str) -> Iterator[Record | Reject]:
    """Yield each record of a file, or why it could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    first = start.partition(b"\n")[0].decode("utf-8", "replace").strip().split(",")
    for fate in _FATES:
        if set(fate) - {""} <= set(first):
            yield from _read_fates(stream, fate)
            return
    if start and not start.startswith((b"{", b"[")):
        if not re.search(rb"^\s*\{", start, re.M):
            raise UnreadableFile(
                f"{name}: neither JSON nor a list of ids; it begins with {snippet(start[:40])!r}."
            )
        # JSON Lines whose first lines are broken.
        while not (line := stream.peek(1 << 12).lstrip()).startswith(b"{"):
            yield Reject("not JSON", snippet(stream.readline().strip() or line))
    values = _document(stream, name) if _DOCUMENT.match(start) else stream_records(stream, name)
    yield from _read_values(values)


def _document(stream: IO[bytes], name: str) -> Iterator[_Json | Reject]:
    """Yield what an array or an answer holds: at once where it is short and sound, else one after another."""
    data = stream.read(QUICK + 1)
    if len(data) <= QUICK:
        try:
            yield from _elements(data)
            return
        except NOT_JSON:
            pass
    yield from stream_records(cast(IO[bytes], _Again(data, stream)), name, [("results",)])


def _elements(data: bytes) -> list[_Json]:
    """Return what stands in an array, or in an answer's results; the answer itself where they are none."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:64].lstrip().startswith(b"["):
        return list(_ELEMENTS.decode(data))
    return list(_ANSWER.decode(data).results or ()) or [data]


class _Again(io.RawIOBase):
    """A stream that gives once more what was already taken from it."""

    def __init__(self, taken: bytes, rest: IO[bytes]) -> None:
        self._taken, self._rest = io.BytesIO(taken), rest

    def read(self, size: int = -1) -> bytes:
        return self._taken.read(size) or self._rest.read(size)


def _read_values(values: Iterable[_Json | Reject]) -> Iterator[Record | Reject]:
    letter = "W"
    for value in values:
        if isinstance(value, Reject):
            yield value
            continue
        try:
            # Files hold one kind of object: what the last one was, this one is likely to be.
            shape = decode_shape(value, _KINDS[letter].shape)
            record_id = key(shape.id)
            if (found := _letter(record_id)) != letter and found in _KINDS:
                letter = found
                shape = decode_shape(value, _KINDS[letter].shape)
            if found not in _KINDS:
                yield from _read_other(value, shape)
            else:
                yield _read_one(shape, record_id, letter)
        except NOT_JSON as error:
            yield Reject(f"not JSON: {error}"[:300], snippet(bytes(value)))
        except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError) as error:
            yield Reject(f"not as OpenAlex describes it: {error}"[:300], snippet(bytes(value)))


def _letter(record_id: str) -> str:
    """Return what kind of object an id is of: "W", "A", …; subfields/17 and the like are topics, V was S."""
    letter = record_id[:1]
    return "T" if letter.islower() else letter.replace("V", "S")


def _read_one(shape: Shape, record_id: str, letter: str) -> Record | Reject:
    if shape.entity_type:
        return Reject("a suggestion for typing, which is no record", record_id)
    if record_id in STAND_INS:
        return Reject("stands for what was deleted or has no record", record_id)
    return _KINDS[letter].read(shape, record_id.replace("V", "S"))


def _read_other(value: _Json, shape: Shape) -> Iterator[Record | Reject]:
    """Yield why an object is no record of ours, or what it wraps."""
    if shape.id:
        path = _PATH.search(shape.id)
        kind = _OTHERS.get(key(shape.id)[:1]) or (path and path.group(1))
        if kind:
            yield Reject(f"{kind}: not part of the catalogue", shape.id[:200])
        else:
            yield Reject("no id of OpenAlex", snippet(bytes(value)))
        return
    members = _MEMBERS.decode(value)
    if "results" in members:
        results = _ELEMENTS.decode(members["results"])
        yield from _read_values(results)
        if not results and bytes(members.get("group_by", b"[]")).strip() != b"[]":
            yield Reject("counts by group, which are no records", snippet(bytes(value)))
    elif "error" in members:
        yield Reject(
            f"an error instead of an answer: {snippet(bytes(members['error']))}", snippet(bytes(value))
        )
    elif not {"entries", "entities", "files"} & set(members):  # a manifest lists the files of a snapshot
        yield Reject("no id of OpenAlex", snippet(bytes(value)))


def _read_fates(stream: IO[bytes], fate: tuple[str, str, str]) -> Iterator[Record | Reject]:
    """Read a list of what was merged or deleted. fate: its columns, for the old id, the new one and the date."""
    lines = read_lines(stream)
    header = (next(lines) or b"").removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip().split(",")
    for line in lines:
        if line is None:
            yield Reject("longer than a row may be")
        elif line.strip():
            cells = next(csv.reader([line.decode("utf-8", "replace").replace("\x00", "")]))
            old, new, date = (dict(zip(header, cells, strict=False)).get(column, "") for column in fate)
            yield _read_fate(key(old), key(new), date, snippet(line), must_lead=bool(fate[1]))


def _read_fate(old: str, new: str, date: str, line: str, *, must_lead: bool) -> Record | Reject:
    letter = _letter(old)
    if letter not in _KINDS:
        kind = _OTHERS.get(letter)
        return Reject(f"{kind}: not part of the catalogue" if kind else "no id of OpenAlex", line)
    if must_lead and (_letter(new) != letter or new == old):
        return Reject("merged into nothing of its kind", line)
    old, new = old.replace("V", "S"), new.replace("V", "S")
    return read_gone(old, letter, merged_into="" if new in STAND_INS else new, when=moment(date))
