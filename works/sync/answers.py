"""From a source's answer to records, by the same readers as files; whatever is doubtful stops here, whole."""

import io
from importlib import import_module
from typing import Any, NamedTuple

import msgspec
from lxml import etree

from works.identifiers import normalise_arxiv
from works.ingest.files import UnreadableFile
from works.ingest.records import AuthorRecord, Identifier, Record, Reject, WorkRecord
from works.models import Provider
from works.sync.addresses import Question, has_pages, host_of
from works.sync.client import Answer
from works.sync.errors import BadAnswer, NotFound, TryLater

_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


class Read(NamedTuple):
    """What an answer holds. next_cursor: where the list goes on, "" at its end."""

    items: list[Record | Reject]
    next_cursor: str = ""

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if not isinstance(item, Reject)]


def read(question: Question, answer: Answer) -> Read:
    """Return the records of an answer.

    Raises BadAnswer or TryLater for what is no answer to this question, NotFound for an empty one.
    """
    name = f"{Provider(question.provider).label} ({host_of(question.provider)})"
    whole = _checked(question.provider, answer.body, name)
    reader = import_module(f"works.ingest.{question.provider}")
    try:
        items = list(reader.read_stream(io.BytesIO(answer.body), name))
    except UnreadableFile as error:
        reason = str(error).removeprefix(f"{name}: ").rstrip(".")
        raise BadAnswer(f"{name} sent what cannot be read: {reason}.") from error
    found = Read(items, _next_cursor(question, whole))
    if question.expects is None:
        return found
    if not found.records:
        if _says_unknown(question, items):
            raise NotFound(f"{name} does not know this record.")
        reason = next((item.reason for item in items if isinstance(item, Reject)), "nothing in it")
        raise BadAnswer(f"{name} sent no usable record: {reason.rstrip('.')}.")
    if not answer.moved and not any(_is_about(record, question.expects) for record in found.records):
        raise BadAnswer(f"{name} answered about another record; nothing was taken from it.")
    return found._replace(items=[*items, *_led_on(question, found.records)])


def _checked(provider: str, body: bytes, name: str) -> Any:
    """Return the answer parsed as a whole. A page instead of data, or half of it, is refused."""
    start = body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise TryLater(f"{name} sent an empty answer.")
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise BadAnswer(f"{name} sent a web page instead of data; it may be under maintenance.")
    if provider == Provider.ARXIV:
        try:
            root = etree.fromstring(body, etree.XMLParser(**_PARSER_OPTIONS))
        except (etree.XMLSyntaxError, ValueError) as error:
            raise TryLater(f"{name} sent broken XML: its answer was cut off or garbled.") from error
        if etree.QName(root).localname != "feed":
            raise BadAnswer(f"{name} sent XML that is no list of works.")
        return root
    try:
        whole = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TryLater(f"{name} sent broken JSON: its answer was cut off or garbled.") from error
    if not isinstance(whole, dict):
        raise BadAnswer(f"{name} sent JSON that describes no record.")
    return whole


def _next_cursor(question: Question, whole: Any) -> str:
    if not has_pages(question.address) or not isinstance(whole, dict):
        return ""
    meta = whole.get("meta")
    cursor = meta.get("next_cursor") if isinstance(meta, dict) else None
    return cursor if isinstance(cursor, str) and whole.get("results") and len(cursor) <= 2000 else ""


def _says_unknown(question: Question, items: list[Record | Reject]) -> bool:
    """arXiv has no 404: it answers with an empty list, or with an entry about the id."""
    return question.provider == Provider.ARXIV and (
        not items or all(isinstance(item, Reject) and "no arXiv work" in item.reason for item in items)
    )


def _is_about(record: Record, expected: Identifier) -> bool:
    known = {*record.identifiers, (record.provider, record.record_id)}
    return bool(_spellings(*expected) & {name for one in known for name in _spellings(*one)})


def _spellings(scheme: str, value: str) -> set[Identifier]:
    """Return an identifier and, for arXiv's own DOIs, the arXiv id that they are."""
    names = {(scheme, value.lower())}
    if scheme in {"doi", "crossref"}:
        names.add(("doi", value.lower()))
        if arxiv := normalise_arxiv(value):
            names.add(("arxiv", arxiv.lower()))
    return names


def _led_on(question: Question, records: list[Record]) -> list[Record]:
    """Return what says that an OpenAlex id was merged into another: the source led on from one to the other."""
    if (
        question.provider != Provider.OPENALEX
        or question.expects is None
        or question.expects[0] != "openalex"
    ):
        return []
    old, record = question.expects[1], records[0]
    if len(records) != 1 or record.record_id == old or record.record_id[:1] != old[:1]:
        return []
    replaced: dict[str, Any] = {
        "provider": record.provider,
        "record_id": old,
        "merged_into": record.record_id,
        "observed_at": record.observed_at,
    }
    if isinstance(record, WorkRecord):
        return [WorkRecord(type=record.type, **replaced)]
    if isinstance(record, AuthorRecord):
        return [AuthorRecord(display_name="", **replaced)]
    return []
