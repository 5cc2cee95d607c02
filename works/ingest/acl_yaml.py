"""Read the YAML of the ACL Anthology: people (name_variants.yaml, people.yaml) and venues (venues/*.yaml).

The files are read as events, one entry in memory at a time: every scalar stays text ("No" is a family name
and no truth value), and neither aliases nor depth can be used against us. "similar" names others whom one
might take for the person; it never makes them one.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePath
from typing import Any

import yaml

from bzpeer.lib.names import clean, fold
from works.identifiers import normalise_orcid
from works.ingest.acl_venues import REST
from works.ingest.files import UnreadableFile
from works.ingest.records import AffiliationRecord, AuthorRecord, Identifier, Reject, VenueRecord

MAX_BYTES = 16_000_000  # of a file; the list of all people has 2 MB
MAX_DEPTH = 20
MAX_FIELDS = 100  # of a venue
MAX_EVENTS = 100_000  # of one entry; the longest real one has under 200
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_EAST_ASIAN = re.compile(
    r"[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it was built in
_VENUE = re.compile(r"[a-z0-9]{1,40}")


def printed_name(first: str, last: str) -> str:
    """Return a name in reading order; in Chinese, Japanese and Korean characters the family comes first.

    >>> printed_name("Maosong", "Sun"), printed_name("茂松", "孙"), printed_name("", "Mausam")
    ('Maosong Sun', '孙茂松', 'Mausam')
    """
    first, last = clean(first), clean(last)
    if _EAST_ASIAN.fullmatch(first) and _EAST_ASIAN.fullmatch(last):
        return f"{last}{first}"[:255]
    return f"{first} {last}".strip()[:255]


class _Chunks:
    """Pieces of a file as the stream that a YAML parser asks for; it would hold a scalar of any length."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        chunk = next(self._chunks, b"")
        self._left -= len(chunk)
        if self._left < 0:
            raise yaml.YAMLError(f"more than {MAX_BYTES // 10**6} MB of YAML")
        return chunk


def read_yaml(chunks: Iterable[bytes], name: str) -> Iterator[AuthorRecord | VenueRecord | Reject]:
    """Yield each person or venue of a YAML file, or why it could not be read."""
    own: dict[str, Any] = {}
    ids: set[str] = set()
    begun = False
    try:
        for key, value in _entries(yaml.parse(_Chunks(chunks), Loader=_LOADER)):
            begun = True
            if isinstance(value, dict) or not key or len(own) >= MAX_FIELDS:
                yield _entry(key, value, ids)
            else:
                own[key] = value
    except yaml.YAMLError as error:
        if begun:
            why = f"{name}: damaged YAML ({_words(error)}); what stands before that was read."
        else:
            why = f"{name}: neither XML nor YAML of the ACL Anthology ({_words(error)})."
        raise UnreadableFile(why) from error
    if own:
        # A venue has a file of its own, named like its id.
        yield _entry(PurePath(name).name.partition(".")[0], own, ids)


# --- YAML -------------------------------------------------------------------------------------------------


def _entries(events: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the entries of each document: of a mapping by their keys, of a list with "" as key."""
    empty = True
    for outermost in events:
        if not isinstance(outermost, yaml.NodeEvent):
            continue  # where the stream and its documents begin and end
        # JSON is YAML, too, but in flow style.
        if not isinstance(outermost, yaml.CollectionStartEvent) or outermost.flow_style:
            raise yaml.YAMLError("neither a list nor a mapping in block style")
        empty = False
        for event in events:
            if isinstance(event, yaml.CollectionEndEvent):
                break
            key = ""
            if isinstance(outermost, yaml.MappingStartEvent):
                key = str(_value(event, islice(events, MAX_EVENTS)))
                event = next(events)
            yield key, _value(event, islice(events, MAX_EVENTS))
    if empty:
        raise yaml.YAMLError("nothing but comments")


def _value(event: Any, events: Iterator[Any], depth: int = 0) -> Any:
    """Return what begins with event: text, a list or a dict."""
    if isinstance(event, yaml.ScalarEvent):
        return "" if event.implicit[0] and event.value in ("null", "~") else event.value
    if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
        raise yaml.YAMLError("aliases or too many levels")
    values: list[Any] = []
    for following in events:
        if isinstance(following, yaml.CollectionEndEvent):
            if isinstance(event, yaml.SequenceStartEvent):
                return values
            return {str(key): value for key, value in zip(values[::2], values[1::2], strict=False)}
        values.append(_value(following, events, depth + 1))
    raise yaml.YAMLError("an entry without an end")


def _words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"{problem}, line {mark.line + 1}" if mark else str(problem)[:200]


# --- People and venues --------------------------------------------------------------------------------------


def _entry(key: str, value: Any, ids: set[str]) -> AuthorRecord | VenueRecord | Reject:
    entry = value if isinstance(value, dict) else {}
    if "canonical" in entry:
        return _person(
            _text(entry.get("id")), [entry["canonical"], *_list(entry.get("variants"))], entry, ids
        )
    if "names" in entry:
        return _person(key, _list(entry["names"]), entry, ids)
    if "name" in entry:
        return _venue(key.lower(), entry)
    return Reject("neither a person nor a venue of the Anthology", (key or str(value))[:200])


def _person(
    person_id: str, spellings: list[Any], entry: dict[str, Any], ids: set[str]
) -> AuthorRecord | Reject:
    parts = [spelling for spelling in spellings if isinstance(spelling, dict)]
    names = dict.fromkeys(printed_name(_text(part.get("first")), _text(part.get("last"))) for part in parts)
    display_name, *others = [name for name in names if name] or [""]
    if not display_name:
        return Reject("a person without a name", person_id[:200])
    record_id = person_id or slug(display_name)
    if not PERSON.fullmatch(record_id):
        return Reject("a person without an id", f"{person_id} {display_name}"[:200])
    if record_id in ids:
        return Reject("a second person of one id", f"{record_id} {display_name}"[:200])
    ids.add(record_id)
    identifiers: tuple[Identifier, ...] = (("acl", record_id),)
    if orcid := normalise_orcid(_text(entry.get("orcid"))):
        identifiers += (("orcid", orcid),)
    places = dict.fromkeys(clean(_text(entry.get(key)))[:1000] for key in ("institution", "degree"))
    return AuthorRecord(
        provider="acl",
        record_id=record_id,
        identifiers=identifiers,
        display_name=display_name,
        names=tuple(others),
        affiliations=tuple(AffiliationRecord(raw=place) for place in places if place),
    )


def slug(name: str) -> str:
    """Return the id that the Anthology makes of a name where it has given none.

    >>> slug("Séamus O’Néill, Jr.")
    'seamus-oneill-jr'
    """
    return re.sub("[^a-z0-9]+", "-", fold(name)).strip("-")


def _venue(venue: str, entry: dict[str, Any]) -> VenueRecord | Reject:
    display_name, acronym = clean(_text(entry.get("name")))[:512], clean(_text(entry.get("acronym")))[:512]
    if not _VENUE.fullmatch(venue) or not display_name:
        return Reject("a venue without id or name", f"{venue} {display_name}"[:200])
    if venue == REST:
        return Reject("the Anthology's shelf for workshops without a venue, no venue itself", venue)
    return VenueRecord(
        provider="acl",
        record_id=venue,
        identifiers=(("acl", venue),),
        display_name=display_name,
        names=(acronym,) if acronym and acronym != display_name else (),
        type="journal" if entry.get("type") == "journal" else "conference",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
