"""The feed: what is new of what a member follows, gathered when it is read.

Nothing is written when a work arrives, however many follow its authors. Three streams (works, steps of trust,
collaborations), each newest first with a place of its own to go on from, are joined by time. Works stand in the
order in which they came here, which is the order of their ids: so a page reads the ends of a few indexes, and what
a member has not seen yet is on top, whatever year it is of.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from django.core.exceptions import EmptyResultSet
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from bzpeer.lib.sql import query
from bzpeer.lib.text import slug_of
from profiles import access
from profiles.models import User
from trust.queries import LEVELS
from works import search
from works.models import Work
from works.queries import add_bylines, works_for_card

PAGE = 20
NEWEST = 50_000  # records that saved searches look through: what came before is found by searching
_END = 2**63 - 1

KINDS = {"": "Everything", "works": "Works", "searches": "Saved searches", "verified": "Verified", "together": "Collaborations"}  # fmt: skip
_ADDRESSES = {"author": "profiles:author", "topic": "works:topic", "institution": "works:institution"}


class Cursor(NamedTuple):
    """How far each stream was read: the ids of the last work, authorship and step, and a time in microseconds."""

    work: int = _END
    authorship: int = _END
    step: int = _END
    together: int = _END

    def __str__(self) -> str:
        return ".".join("" if place == _END else str(place) for place in self)

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        parts = text.split(".") if len(text) < 100 else []
        if (
            len(parts) != 4
            or not any(parts)
            or not all(not p or (p.isascii() and p.isdigit()) for p in parts)
        ):
            return None
        places = [int(part) if part else _END for part in parts]
        return cls(*places) if max(places) <= _END else None


class Named(NamedTuple):
    """A record that a line of the feed names, with its address."""

    name: str
    url: str

    def __str__(self) -> str:
        return self.name


@dataclass
class Item:
    """One line: a work, a step of trust (level, people of one) or a collaboration (people of two)."""

    kind: str
    key: str
    at: datetime
    unread: bool = False
    work: Work | None = None
    people: list[Named] = field(default_factory=list)
    level: int = 0
    because: list[Named] = field(default_factory=list)

    @property
    def level_name(self) -> str:
        return LEVELS[self.level][0]


@dataclass
class Feed:
    items: list[Item]
    next_cursor: Cursor | None

    @property
    def newest(self) -> datetime | None:
        return max((item.at for item in self.items), default=None)

    @property
    def unread(self) -> int:
        return sum(item.unread for item in self.items)


@dataclass
class _Row:
    """A line as SQL gives it. gone: it is not shown, but the stream was read as far as here."""

    stream: str
    place: int
    at: datetime
    key: str
    work: int
    gone: bool
    told: Any


Part = tuple[str, list[Any]]


def feed(
    *, user: User, state: dict[str, Any], after: Cursor | None = None, kind: str = "", size: int = PAGE
) -> Feed:
    """Return one page, in at most three queries whatever user follows. state: access.feed_state(user)."""
    cursor = after or Cursor()
    rows = _rows(user, state["searches"], cursor, kind, most=2 * size + 2)
    taken, places, full = _join(rows, cursor, size)
    works = {work.pk: work for work in works_for_card(Work.objects.filter(pk__in={row.work for row in taken if row.work}))} if any(row.work for row in taken) else {}  # fmt: skip
    if works:
        add_bylines(works.values())
    items = [_item(row, works, state["seen"]) for row in taken]
    return Feed([item for item in items if item], places if full else None)


def _join(rows: list[_Row], cursor: Cursor, size: int) -> tuple[list[_Row], Cursor, bool]:
    """Join the streams by time, each kept in its own order; return the page, the place after it, and if more follows."""
    streams: dict[str, list[_Row]] = {}
    for row in rows:
        streams.setdefault(row.stream, []).append(row)
    ends = {stream: len(several) for stream, several in streams.items()}
    places = cursor._asdict()
    taken: list[_Row] = []
    while heads := [several[0] for several in streams.values() if several]:
        row = max(heads, key=lambda head: (head.at, head.stream))
        if len(taken) == size and not row.gone:
            return taken, Cursor(**places), True
        streams[row.stream].pop(0)
        places[row.stream] = row.place
        if not row.gone:
            taken.append(row)
        if not streams[row.stream] and ends[row.stream] >= 2 * size + 2:
            return (
                taken,
                Cursor(**places),
                True,
            )  # the rest of this stream was not read: others may not overtake it
    return taken, Cursor(**places), False


def _item(row: _Row, works: dict[int, Work], seen: datetime) -> Item | None:
    item = Item(row.stream, row.key, row.at, unread=row.at > seen)
    if row.work:
        item.kind, item.work = "work", works.get(row.work)
        if item.work is None:  # taken away since
            return None
        item.because = [_named(*told) for told in row.told]
    elif row.stream == "step":
        item.level, *person = row.told
        item.people = [_named("author", *person)]
    else:
        item.people = [_named("author", *person) for person in row.told]
    item.because = item.because or item.people
    return item


def _named(kind: str, pid: str, name: str) -> Named:
    if kind == "search":
        return Named(f"your search “{name}”", f"{reverse('works:search')}?{pid}")
    return Named(name, reverse(_ADDRESSES[kind], args=[pid, slug_of(name)]))


# --- What SQL gathers -----------------------------------------------------------------------------------

_MINE = """
with reader as (select %s::bigint as id), mine as materialized (
  select f.author_id, f.topic_id, f.institution_id
  from reader join profiles_follow f on f.user_id = reader.id left join works_author a on a.id = f.author_id
  where (f.author_id is null or not a.suppressed)
)
"""

# Each part of a stream is read newest first and no further than a page needs.
_BY_AUTHOR = """(
  select distinct work_id as id, null::int as search from works_authorship
  where author_id = any(array(select author_id from mine where author_id is not null)) and work_id < %s
  order by work_id desc limit %s)"""

_BY_TOPIC = """(
  select distinct found.work_id, null::int from mine cross join lateral (
    select work_id from works_worktopic where topic_id = mine.topic_id and work_id < %s
    order by work_id desc limit %s
  ) found where mine.topic_id is not null order by found.work_id desc limit %s)"""

_REASONS = """
  select jsonb_agg(jsonb_build_array(kind, pid, name) order by rank, place) from (
    select 1 as rank, a.index::bigint as place, 'author' as kind, r.pid as pid, r.display_name as name
    from works_authorship a join profiles_follow f on f.user_id = reader.id and f.author_id = a.author_id join works_author r on r.id = a.author_id
    where a.work_id = w.id and not r.suppressed
    union all
    select 2, r.id, 'topic', r.pid, r.display_name
    from works_worktopic t join profiles_follow f on f.user_id = reader.id and f.topic_id = t.topic_id join works_topic r on r.id = t.topic_id
    where t.work_id = w.id
    union all
    select distinct 3, r.id, 'institution', r.pid, r.display_name
    from works_authorship a join works_authorshipinstitution i on i.authorship_id = a.id
    join profiles_follow f on f.user_id = reader.id and f.institution_id = i.institution_id join works_institution r on r.id = i.institution_id
    where a.work_id = w.id
    union all
    select 4, s.place, 'search', s.query, s.name from unnest(c.searches) as chosen
    join unnest(%s::text[], %s::text[]) with ordinality as s (query, name, place) on s.place = chosen
  ) reason"""

_BY_INSTITUTION = f"""(
  select 'authorship', i.id, w.created_at, 'work:' || w.pid, w.id,
    w.is_withdrawn
    or exists (select from works_authorship a join profiles_follow f on f.user_id = reader.id and f.author_id = a.author_id where a.work_id = w.id)
    or exists (select from works_worktopic t join profiles_follow f on f.user_id = reader.id and f.topic_id = t.topic_id where t.work_id = w.id)
    or exists (select from works_authorship a join works_authorshipinstitution o on o.authorship_id = a.id
               join profiles_follow f on f.user_id = reader.id and f.institution_id = o.institution_id where a.work_id = w.id and a.id > i.id),
    ({_REASONS})
  from (
    select distinct i.authorship_id as id from works_authorshipinstitution i
    join mine on mine.institution_id = i.institution_id where i.authorship_id < %s
    order by i.authorship_id desc limit %s
  ) i join works_authorship w_a on w_a.id = i.id join works_work w on w.id = w_a.work_id,
  (select '{{}}'::int[] as searches) c, reader
  order by i.id desc)"""  # noqa: S608 - our own words and %s only

_STEPS = """(
  select 'step', step.id, step.at, 'step:' || step.id, 0, false,
    jsonb_build_array(step.level, author.pid, author.display_name)
  from mine join works_author author on author.id = mine.author_id cross join lateral (
    select id, at, level from trust_trustchange
    where author_id = mine.author_id and id < %s and level >= 2 and level > coalesce(old_level, 0)
    order by id desc limit %s
  ) step
  where author.claimed and mine.author_id not in ({blocked}) order by step.id desc limit %s)"""

_TOGETHER = """(
  select 'together', place, at, 'together:' || id, 0, false,
    jsonb_build_array(jsonb_build_array(pid, name), jsonb_build_array(other_pid, other_name))
  from ({rows}) as t (id, at, pid, name, other_pid, other_name, place) order by place desc limit %s)"""


def _rows(user: User, searches: list[dict[str, Any]], cursor: Cursor, kind: str, most: int) -> list[_Row]:
    parts: list[Part] = []
    if kind in {"", "works", "searches"}:
        parts += _works(searches, cursor, most, only_searches=kind == "searches")
    if kind in {"", "works"}:
        parts.append((_BY_INSTITUTION, [[], [], cursor.authorship, most]))
    if kind in {"", "verified"}:
        blocked, params = _sql(access.authors_across_block(user).values("author"))
        parts.append((_STEPS.format(blocked=blocked), [cursor.step, most, *params, most]))
    if kind in {"", "together"}:
        rows, params = _sql(_together(user, cursor))
        parts.append((_TOGETHER.format(rows=rows), [*params, most]))
    if not parts:
        return []
    text = _MINE + "\nunion all\n".join(part for part, _ in parts)
    values = [value for _, several in parts for value in several]
    return [
        _Row(stream, place, at, key, work, gone, json.loads(told or "[]"))
        for stream, place, at, key, work, gone, told in query(text, [user.pk, *values])
    ]


def _works(searches: list[dict[str, Any]], cursor: Cursor, most: int, only_searches: bool) -> list[Part]:
    found: list[Part] = []
    if not only_searches:
        found = [(_BY_AUTHOR, [cursor.work, most]), (_BY_TOPIC, [cursor.work, most, most])]
    for place, saved in enumerate(searches, start=1):
        try:
            sql, params = _sql(_found_by(saved, cursor)[:most])
        except EmptyResultSet:
            continue
        found.append((f"(select s.id, {place} from ({sql}) as s (id))", params))  # noqa: S608 - Django's own SQL
    if not found:
        return []
    # By searches alone the columns have no name of the first part.
    union = " union all ".join(part for part, _ in found)
    text = f"""(
      select 'work', w.id, w.created_at, 'work:' || w.pid, w.id, w.is_withdrawn, ({_REASONS})
      from (
        select id, array_agg(distinct search) filter (where search is not null) as searches
        from ({union}) as f (id, search) group by id order by id desc limit %s
      ) c join works_work w on w.id = c.id cross join reader order by w.id desc)"""  # noqa: S608 - our own words and %s only
    queries, names = [saved["query"] for saved in searches], [saved["name"] for saved in searches]
    return [(text, [queries, names, *(value for _, several in found for value in several), most])]


_FLOOR = """(select greatest(
  coalesce((select id from works_work where id > (select max(id) from works_work) - %s and created_at <= %s::timestamptz
            order by id desc limit 1), 0),
  (select max(id) from works_work) - %s))"""


def _found_by(saved: dict[str, Any], cursor: Cursor) -> QuerySet[Any]:
    """Return the works that came after a search was saved, of the newest, and that it finds."""
    text = parse_qs(saved["query"]).get("q", [""])[0]
    floor = RawSQL(_FLOOR, [NEWEST, saved["since"], NEWEST], output_field=BigIntegerField())  # noqa: S611
    rows = search.search_works(text, "newest").filter(pk__gt=floor, pk__lt=cursor.work)
    return rows.order_by("-pk").values_list("pk")


def _together(user: User, cursor: Cursor) -> QuerySet[Any]:
    place = RawSQL("(extract(epoch from profiles_invitation.decided_at) * 1000000)::bigint", [], output_field=BigIntegerField())  # fmt: skip
    rows = access.collaborations_followed(user).annotate(place=place).filter(place__lt=cursor.together)
    return rows.order_by().values_list(
        "pk", "decided_at", *(f"{side}__researcher__author__{name}" for side in ("sender", "recipient") for name in ("pid", "display_name")), "place",
    )  # fmt: skip


def _sql(rows: QuerySet[Any]) -> Part:
    sql, params = rows.query.sql_with_params()
    return sql, list(params)
