"""What recognised sources themselves say of an author's place on works, beneath what the catalogue made of it.

The catalogue joins what several records say of a work, and what people typed is among that: an ORCID record
claims whatever its owner likes, and so can lend an iD, an affiliation or a whole work to somebody else's page. Who
decides on a claim therefore asks the records, one by one, and those alone that are of the authorship shown.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bzpeer.lib.sql import query
from profiles.claims.names import compatible
from trust.services import RECOGNISED_PROVIDERS
from works.ingest.merging import title_key
from works.models import Provider

RECOGNISED = [str(provider) for provider in RECOGNISED_PROVIDERS]
# What people type, of themselves or into lists that a host or an owner brings.
TYPED = [
    str(provider)
    for provider in Provider
    if provider not in RECOGNISED_PROVIDERS and provider != Provider.ROR
]
MOST_RECORDS = 200  # looked at of one author
MOST_OF_ONE = 40  # works on which the same identifiers stand
MOST_IDENTIFIERS = 5000  # asked for of one ORCID record

Identifier = tuple[str, str]


class Line(NamedTuple):
    """An author's line on a work, as one record of a recognised source has it.

    identifiers: of the person. work_identifiers: of the work. others, other_orcids: the names and iDs on the
    record's other lines.
    """

    provider: str
    work_id: int
    title: str
    name: str
    identifiers: frozenset[Identifier]
    work_identifiers: frozenset[Identifier]
    others: tuple[str, ...]
    other_orcids: frozenset[str]

    @property
    def orcid(self) -> str:
        return next((value for scheme, value in self.identifiers if scheme == "orcid"), "")


class About(NamedTuple):
    """What a recognised source says of the person itself. observed_at: when the source last changed it."""

    provider: str
    identifiers: frozenset[Identifier]
    links: tuple[str, ...]
    observed_at: datetime


class Known(NamedTuple):
    """What recognised sources say of an author; about: only what belongs to an identifier on one of the lines."""

    lines: list[Line]
    about: list[About]

    @property
    def orcids(self) -> dict[str, set[str]]:
        """The iDs that sources other than ORCID give the author, with the providers that do."""
        found: dict[str, set[str]] = defaultdict(set)
        facts: list[Line | About] = [*self.lines, *self.about]
        for fact in facts:
            for scheme, value in fact.identifiers:
                if scheme == "orcid":
                    found[value].add(fact.provider)
        return dict(found)


# The identifiers of a person that the catalogue has on an author's lines, rightly or not.
_OWN = """
select i.scheme, i.value from works_authoridentifier i
where i.author_id = any(%(ids)s) and i.scheme in ('orcid', 'openalex', 'dblp', 'acl')
union select 'orcid', s.orcid from works_authorship s where s.author_id = any(%(ids)s) and s.orcid <> ''
"""

_ABOUT = """
select r.provider, r.payload -> 'identifiers', r.payload -> 'links', r.observed_at from works_sourcerecord r
join unnest(%(schemes)s::text[], %(values)s::text[]) own (scheme, value) on own.scheme = r.provider and own.value = r.record_id
where r.entity = 'author' and r.provider = any(%(recognised)s) and not r.payload ?| array['withdrawn', 'merged_into']
order by r.id limit 100
"""

# Works on whose line one of these identifiers stands: a few for each, the wanted one first.
_BY_PERSON = """
select id from (
  select s.id, s.orcid = %(first)s as hers,
         row_number() over (partition by s.orcid, s.openalex_id, s.dblp_id, s.acl_id order by s.work_id desc) as place
  from works_authorship s
  where s.author_id = any(%(ids)s) and (s.orcid = any(%(wanted)s) or s.openalex_id = any(%(wanted)s)
    or s.dblp_id = any(%(wanted)s) or s.acl_id = any(%(wanted)s))
) line where place <= %(most_of_one)s order by hers desc, place, id limit %(most)s
"""

_BY_WORK = """
select distinct s.id from works_authorship s join works_workidentifier i on i.work_id = s.work_id
join unnest(%(schemes)s::text[], %(values)s::text[]) wanted (scheme, value) on wanted.scheme = i.scheme and wanted.value = i.value
where s.author_id = any(%(ids)s) order by s.id limit %(most)s
"""

# Every record of these works, beside the record that the authorship shown comes from.
_RECORDS = """
select r.id, r.provider, r.work_id, r.payload ->> 'title', r.payload -> 'identifiers', r.payload -> 'authorships',
       o.id, o.payload ->> 'title', o.payload -> 'identifiers', s.raw_author_name
from works_authorship s
join works_sourcerecord o on o.id = s.record_id and o.provider = any(%(recognised)s)
join works_sourcerecord r on r.work_id = s.work_id and r.entity = 'work' and r.provider = any(%(recognised)s)
  and not r.payload ?| array['withdrawn', 'merged_into']
where s.id = any(%(lines)s) order by r.id limit %(most)s
"""


def read_known(author_ids: list[int], first: str = "") -> Known:
    """Return what recognised sources say of an author by identifiers; first: an iD to look for before all others."""
    own = query(_OWN, {"ids": author_ids})  # type: ignore[arg-type]
    pairs = sorted(pair for pair in own if pair[0] != "orcid")
    about: list[About] = []
    if pairs:
        rows = query(
            _ABOUT,
            {"schemes": [s for s, _ in pairs], "values": [v for _, v in pairs], "recognised": RECOGNISED},  # type: ignore[arg-type]
        )
        about = [
            About(provider, _pairs(identifiers), tuple(address for _, address in _list(links)), observed_at)
            for provider, identifiers, links, observed_at in rows
        ]
    wanted = sorted({value for _, value in own} | {value for fact in about for _, value in fact.identifiers})
    if not wanted:
        return Known([], [])
    params = {
        "ids": author_ids,
        "wanted": wanted,
        "first": first,
        "most_of_one": MOST_OF_ONE,
        "most": MOST_RECORDS,
    }
    lines = _lines([row[0] for row in query(_BY_PERSON, params)])  # type: ignore[arg-type]
    borne = {identifier for line in lines for identifier in line.identifiers}
    return Known(lines, [fact for fact in about if fact.identifiers & borne])


def read_lines_on(author_ids: list[int], works: Sequence[Identifier]) -> list[Line]:
    """Return the author's lines on works that the catalogue knows by one of these identifiers."""
    works = works[:MOST_IDENTIFIERS]
    if not works:
        return []
    schemes, values = [scheme for scheme, _ in works], [value for _, value in works]
    params = {"ids": author_ids, "schemes": schemes, "values": values, "most": MOST_RECORDS}
    return _lines([row[0] for row in query(_BY_WORK, params)])  # type: ignore[arg-type]


def _lines(authorships: list[int]) -> list[Line]:
    if not authorships:
        return []
    params = {"lines": authorships, "recognised": RECOGNISED, "most": 5 * MOST_RECORDS}
    found = (_line(*row) for row in query(_RECORDS, params))  # type: ignore[arg-type]
    return [line for line in found if line]


def _line(
    record: int, provider: str, work_id: int, title: str | None, identifiers: str | None, authorships: str | None,
    shown: int, shown_title: str | None, shown_identifiers: str | None, name: str,
) -> Line | None:  # fmt: skip
    """Return the author's line in a record; None where it is not certain which, or whether the record is of this work.

    A record of another work lands here when something typed joined the two.
    """
    ids = _pairs(identifiers)
    if record != shown and not ids & _pairs(shown_identifiers):
        key = title_key(title or "")
        if not key or key != title_key(shown_title or ""):
            return None
    lines = _list(authorships)
    names = [str(line.get("raw_name") or line.get("display_name") or "") for line in lines]
    fitting = [place for place, other in enumerate(names) if other == name or compatible(other, name)]
    if len(fitting) != 1:
        return None
    place = fitting[0]
    person = {(scheme, lines[place].get(scheme, "")) for scheme in ("orcid", "openalex", "dblp", "acl")}
    return Line(
        provider=provider,
        work_id=work_id,
        title=title or "",
        name=names[place],
        identifiers=frozenset(i for i in person if i[1] and not _is_old(i)),
        work_identifiers=ids,
        others=tuple(names[:place] + names[place + 1 :]),
        other_orcids=frozenset(line.get("orcid", "") for line in lines if line is not lines[place]) - {""},
    )


def _list(found: str | None) -> list[Any]:
    """Return what a column of JSON holds; a raw query gives its text."""
    return json.loads(found) or [] if found else []


def _pairs(identifiers: str | None) -> frozenset[Identifier]:
    return frozenset((scheme, value) for scheme, value in _list(identifiers))


def _is_old(identifier: Identifier) -> bool:
    """Return whether OpenAlex gave this id before mid-2023, when everybody got a new one: it may be anybody's."""
    return identifier[0] == "openalex" and not identifier[1].startswith("A5")
