"""Read ORCID: records of the public data file and answers of the API, in JSON and XML of 2.x and 3.0.

A record gives the person, and each work on it with the person among its authors. Of a part alone (works,
employments …) is read what it says, where somebody in it gives the person's name.
Source: https://info.orcid.org/documentation/integration-guide/orcid-record/
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from works.identifiers import normalise_orcid
from works.ingest import orcid_json, orcid_xml
from works.ingest.files import MAX_WHOLE, UnreadableFile
from works.ingest.json_stream import snippet, stream_records
from works.ingest.orcid_nodes import (
    AFFILIATIONS,
    SUMMARIES,
    Part,
    below,
    find_all,
    is_public,
    moment,
    orcid_of,
    people_named,
    text,
)
from works.ingest.orcid_person import Person, read_affiliation, read_assertion, read_person
from works.ingest.orcid_works import owned_by, read_group, read_work
from works.ingest.reading import shown_start, start_of
from works.ingest.records import NEVER, AffiliationRecord, AssertionRecord, AuthorRecord, Reject, WorkRecord

SUFFIXES = (".xml", ".json", ".jsonl", ".ndjson")
MAX_WORKS = 20_000  # ORCID lets a record have 10,000
MAX_LISTED = 20_000  # affiliations, and assertions

_HOST = "orcid.org"
_MERGED = re.compile(r"account:\s*(\S+?)\.?\s+ORCID\s+(\S+)")
_GONE = re.compile(r"([\dX-]{19}) is deactivated")
_NOBODY = Person("", (), (), (), "", NEVER)


def read_stream(stream: IO[bytes], name: str) -> Iterator[AuthorRecord | WorkRecord | Reject]:
    """Yield the people and works of a file, or why they could not be read. Raises UnreadableFile for the file itself."""
    stream, start = start_of(stream, name)
    if start.startswith(b"<"):
        yield from _document(orcid_xml.parts(stream, name))
    elif start and not start.startswith((b"{", b"[")):
        raise UnreadableFile(f"{name}: neither JSON nor XML of ORCID; it begins with {shown_start(start)}.")
    else:
        for item in stream_records(stream, name, most=MAX_WHOLE):
            if isinstance(item, Reject):
                yield item
            else:
                yield from _document(orcid_json.parts(item))


def _document(parts: Iterator[Part]) -> Iterator[AuthorRecord | WorkRecord | Reject]:
    """Yield what a document says: a broken one is one reject, and what stood before the damage."""
    draft = _Draft()
    try:
        for part in parts:
            draft.take(part)
    except UnreadableFile as error:
        draft.damage = str(error)
    except (ValueError, RecursionError) as error:
        draft.damage = f"not as ORCID describes a record: {error}"
    yield from draft.records()


class _Draft:
    """What was read of a document so far; whose it is may be known only in the end."""

    def __init__(self) -> None:
        self.damage = ""
        self._identifier: Any = None
        self._path = ""
        self._history: Any = None
        self._primary: Any = None  # what a record given up leads to
        self._ended: Any = None
        self._person = _NOBODY
        self._is_about_person = False
        self._has_activities = False
        self._named: dict[str, str] = {}  # iD to name, of the people who added something
        self._affiliations: list[AffiliationRecord] = []
        self._assertions: list[AssertionRecord] = []
        self._works: list[WorkRecord | Reject] = []
        self._beyond = 0
        self._others: list[AuthorRecord | Reject] = []

    def take(self, part: Part) -> None:
        kind, node = part
        if kind in {"orcid-identifier", "history", "person", "deprecated", *SUMMARIES}:
            self._is_about_person = True
        if kind == "activities-summary":
            self._has_activities = True
        elif kind == "orcid-identifier":
            self._identifier = node
        elif kind == "path":
            self._path = text(node)
        elif kind == "history":
            self._history = node
        elif kind == "primary-record":
            self._primary = node
        elif kind == "deprecated":
            self._primary = self._primary or below(node, "primary-record", "orcid-identifier")
            self._ended = below(node, "deprecated-date") or below(node, "date")
        elif kind == "person":
            self._person = read_person(node)
            self._path = self._path or text(below(node, "name", "path"))
        elif kind in SUMMARIES:
            self._take_summary(kind, node)
        elif len(self._works) + len(self._others) >= MAX_WORKS:
            self._beyond += 1
        elif kind == "error":
            self._others.append(_error(node))
        elif kind == "refused":
            self._others.append(Reject(text(node)[:300]))
        elif kind == "group":
            work, assertions = read_group(node)
            self._works.append(work)
            self._assertions += assertions[: MAX_LISTED - len(self._assertions)]
            for version in find_all(node, "work-summary"):
                self._note_names(version)
        elif kind == "work":
            self._path = self._path or text(below(node, "path"))
            self._works.append(read_work(node))
            self._note_names(node)

    def _note_names(self, node: Any) -> None:
        if len(self._named) < MAX_LISTED:
            self._named.update(people_named(node))

    def _take_summary(self, kind: str, node: Any) -> None:
        if not is_public(node):
            return
        self._note_names(node)
        if kind in AFFILIATIONS and len(self._affiliations) < MAX_LISTED:
            affiliation = read_affiliation(node)
            self._affiliations += [affiliation] if affiliation else []
        if len(self._assertions) < MAX_LISTED:
            assertion = read_assertion(kind, node)
            self._assertions += [assertion] if assertion else []

    def records(self) -> Iterator[AuthorRecord | WorkRecord | Reject]:
        """Yield the person first, then the works, then what else the document held."""
        orcid = orcid_of(self._identifier) or orcid_of(self._path)
        problem = self.damage or self._problem(orcid)
        if problem:
            yield Reject(problem[:300], snippet(orcid or self._path))
        elif self._is_about_person:
            yield self._author(orcid)
        if orcid and not self._foreign_host():
            names = [shown for shown in (self._shown(orcid), *self._person.names) if shown]
            for work in self._works:
                yield work if isinstance(work, Reject) else owned_by(work, orcid, names)
        if self._beyond:
            yield Reject(f"{self._beyond} works beyond the {MAX_WORKS} that one record may have", orcid)
        yield from self._others

    def _problem(self, orcid: str) -> str:
        """Return why nothing can be made of a document that holds something."""
        if not self._is_about_person and not self._works:
            return ""
        if host := self._foreign_host():
            return f"a record of {host}, where people are made up for tests"
        if not orcid:
            given = text(below(self._identifier, "path")) or self._path.strip("/").partition("/")[0]
            return (
                f"{given} is no iD of ORCID: its check digit or its range is wrong"
                if given
                else "no iD of ORCID"
            )
        return ""

    def _foreign_host(self) -> str:
        """Return the host of a record that is not of ORCID's registry: its sandbox gives iDs of its own."""
        host = text(below(self._identifier, "host")).lower()
        return "" if host in {"", _HOST} else host[:100]

    def _shown(self, orcid: str) -> str:
        return self._person.shown or self._named.get(orcid, "")

    def _author(self, orcid: str) -> AuthorRecord | Reject:
        shown = self._shown(orcid)
        merged_into = orcid_of(self._primary) if orcid_of(self._primary) != orcid else ""
        # A closed record keeps its iD, with these words for a name.
        withdrawn = bool(text(below(self._history, "deactivation-date"))) or shown.lower().startswith(
            "given names deactivated"
        )
        if merged_into or withdrawn:
            return AuthorRecord(
                provider="orcid", record_id=orcid, identifiers=(("orcid", orcid),), observed_at=self._observed_at(),
                merged_into=merged_into, withdrawn=withdrawn and not merged_into, display_name="",
            )  # fmt: skip
        if not shown:
            return Reject("a record that shows no name to everybody", orcid)
        return AuthorRecord(
            provider="orcid",
            record_id=orcid,
            identifiers=(("orcid", orcid), *self._person.identifiers),
            observed_at=self._observed_at(),
            display_name=shown,
            names=self._person.names,
            affiliations=tuple(dict.fromkeys(self._affiliations)),
            assertions=tuple(dict.fromkeys(self._assertions)),
            links=self._person.links,
            biography=self._person.biography,
            works=self._listed(),
        )

    def _listed(self) -> tuple[str, ...] | None:
        """Return the put-codes of all works that a whole record lists; None where it may be a part of one."""
        if self._history is None or not self._has_activities or self.damage or self._beyond:
            return None
        return tuple(sorted({work.record_id for work in self._works if isinstance(work, WorkRecord)}))

    def _observed_at(self) -> datetime:
        """Return when the record changed; a part other than the person tells only when that part did."""
        changed = moment(below(self._history, "last-modified-date"))
        if changed != NEVER:
            return changed
        ended = moment(self._ended)
        return ended if ended != NEVER else self._person.changed_at


def _error(node: Any) -> AuthorRecord | Reject:
    """Return what ORCID answered instead of a record: some answers tell what became of it."""
    code = text(below(node, "error-code"))
    details = text(below(node, "developer-message"))
    if code == "9007" and (match := _MERGED.search(details)):
        primary, own = (normalise_orcid(found) for found in match.groups())
        if primary and own and primary != own:
            return AuthorRecord(
                provider="orcid", record_id=own, identifiers=(("orcid", own),), merged_into=primary, display_name=""
            )  # fmt: skip
    if code == "9044" and (match := _GONE.search(details)) and (own := normalise_orcid(match.group(1))):
        return AuthorRecord(
            provider="orcid", record_id=own, identifiers=(("orcid", own),), withdrawn=True, display_name=""
        )
    said = (
        text(below(node, "user-message"))
        or text(below(node, "error_description"))
        or text(below(node, "error"))
    )
    return Reject(f"ORCID answered: {said or details or 'an error'}"[:300], snippet(details))
