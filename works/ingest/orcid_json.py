"""Take ORCID's JSON apart: records, their sections, and works, of 2.x and 3.0."""

from collections.abc import Iterator
from typing import Any

import msgspec

from works.ingest.json_stream import parse
from works.ingest.orcid_nodes import MESSAGE_FORMAT, SEARCH_RESULTS, SUMMARIES, Part, below, find_all, text
from works.ingest.records import Reject

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])

_SECTIONS = ("employments", "educations", "qualifications", "fundings", "peer-reviews", "works")
_LISTS = ("group", "affiliation-group", *SUMMARIES)
_HEAD = ("path", "orcid-identifier", "deprecated", "history", "person")


def parts(data: bytes) -> Iterator[Part]:
    """Yield the parts of one document; what is not needed is not read, and what is broken costs itself.

    Raises ValueError or RecursionError where the document as a whole is no JSON object.
    """
    top = _MEMBERS.decode(data)
    if top.keys() & {"error-code", "response-code", "developer-message", "error"}:
        yield from _part("error", data)
    elif top.keys() & {"result", "expanded-result", "num-found"}:
        yield Part("refused", SEARCH_RESULTS)
    elif top.keys() & {"orcid-profile", "orcid-message", "message-version"}:
        yield Part("refused", MESSAGE_FORMAT)
    elif "bulk" in top:
        for item in _list(top["bulk"]):
            for kind, raw in _dict(item).items():
                if kind in {"work", "error"}:
                    yield from _part(kind, raw)
    else:
        yield from _record(top, data)


def _record(top: dict[str, msgspec.Raw], data: bytes) -> Iterator[Part]:
    for kind in _HEAD:
        if kind in top:
            yield from _part(kind, top[kind])
    if activities := _dict(top.get("activities-summary")):
        yield Part("activities-summary", "")
        yield from _activities(activities)
    elif top.keys() & set(_SECTIONS):
        yield from _activities(top)
    elif top.keys() & set(_LISTS):
        yield from _section(top)
    elif "other-names" in top and "name" in top:
        yield from _part("person", data)
    elif "title" in top and (top.keys() & {"journal-title", "short-description", "citation", "contributors"}):
        yield from _part("work", data)
    elif not top.keys() & {"person", "history", "deprecated"}:
        path = text(parse(bytes(top["path"]))) if "path" in top else ""
        yield Part("refused", _alone(path.strip("/").split("/")))


def _alone(path: list[str]) -> str:
    if len(path) == 3:
        return f"one {path[1]} alone; the person's record holds it with the others"[:300]
    return "no record, person or work of ORCID"


def _activities(sections: dict[str, msgspec.Raw]) -> Iterator[Part]:
    for name in _SECTIONS:
        yield from _section(_dict(sections.get(name)))


def _section(members: dict[str, msgspec.Raw]) -> Iterator[Part]:
    for kind in _LISTS:
        for raw in _list(members.get(kind)):
            for part in _part(kind, raw):
                if kind in SUMMARIES or part.kind == "refused" or below(part.node, "work-summary"):
                    yield part
                else:
                    yield from (Part(key, found) for key in SUMMARIES for found in find_all(part.node, key))


def _part(kind: str, raw: Any) -> Iterator[Part]:
    node = parse(bytes(raw))
    if isinstance(node, Reject):
        yield Part("refused", f"{kind}: {node.reason}"[:300])
    elif node is not None:
        yield Part(kind, node)


def _dict(raw: Any) -> dict[str, msgspec.Raw]:
    try:
        return _MEMBERS.decode(raw) if raw else {}
    except (ValueError, RecursionError):
        return {}


def _list(raw: Any) -> list[msgspec.Raw]:
    try:
        return _ELEMENTS.decode(raw) if raw else []
    except (ValueError, RecursionError):
        return []
