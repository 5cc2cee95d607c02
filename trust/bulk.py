"""All scores at once, in SQL: what algorithms.score does for one record, for ranges of the whole table.

tests/trust/test_bulk.py holds the two equal. A formula that differs in its rules and caps alone needs nothing here;
one with levels of its own needs its entry in LEVEL_SQL.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from bzpeer.lib.sql import LOCK_SPACE, execute, query
from trust.algorithms import COUNTED, Formula, formula_of
from trust.facts import statements
from trust.scores import database_now, write_scores
from works.models import Mark

BATCH = 250_000  # authors of one transaction: each reads the large tables once

_READS = statements(
    who="select id, as_id from bulk_who",
    doubtful="who.as_id in (select as_id from bulk_works where works < all_works)",
)

_WHO = """
select id, coalesce(merged_into_id, id) as as_id from works_author
where (merged_into_id is null and id between %(low)s and %(high)s) or merged_into_id between %(low)s and %(high)s
"""

_FACTS = """
select w.id as author_id, coalesce(works.works, 0) as works, coalesce(works.source, '') as works_source, works.seen_at,
       coalesce(case when works.works < works.all_works then coalesce(c.close, 0) end, w.close_collaborators_count)
         as close,
       coalesce(f.words, '') as ror, f.seen_at as ror_seen_at
from works_author w
left join bulk_works works on works.as_id = w.id
left join bulk_close c on c.as_id = w.id
left join bulk_affiliations f on f.as_id = w.id
where w.merged_into_id is null and w.id between %(low)s and %(high)s
"""

# The level of every author who has lines, from bulk_lines (lines that have not run out) and bulk_facts.
LEVEL_SQL = {
    "v1": """
select author_id, case
    when not (email and claim) then (works > 0)::int
    when own + others >= 2 and (others > 0 or marker) then case when dated then 5 else 4 end
    when linked then 3 else 2 end as level
from (
  select l.author_id, f.works,
    bool_or(kind = 'email_confirmed') as email, bool_or(kind = 'claim_accepted') as claim,
    count(distinct kind) filter (where meets_route and kind in ('orcid_oauth', 'domain_confirmed', 'back_link')) as own,
    (count(distinct asserted_by) filter (where kind = 'coauthor_confirmed' and asserted_by <> '') >= 2)::int
      + bool_or(kind = 'affiliation_asserted')::int as others,
    bool_or(kind = 'orcid_oauth') and bool_or(kind in ('work_asserted', 'funding_asserted')) as marker,
    bool_or(kind = 'affiliation_asserted' and expires_at is not null) as dated,
    coalesce(bool_or(meets_route and kind in ('orcid_oauth', 'domain_confirmed')), false) as linked
  from bulk_lines l join bulk_facts f using (author_id) group by l.author_id, f.works
) kinds
"""
}

# Lines that have not run out; back counts from the newest of their kind.
_LINES = """
select *, row_number() over (partition by author_id, kind order by observed_at desc, source desc, asserted_by desc,
    expires_at desc nulls first, meets_route desc) as back
from (
  select as_id as author_id, kind, source::text collate "C" as source, observed_at, expires_at,
    asserted_by::text collate "C" as asserted_by, meets_route
  from bulk_ledger where expires_at is null or expires_at > %(at)s
) standing
"""


def _iso(moment: str) -> str:
    """Return SQL that writes a moment as datetime.isoformat() does, in UTC."""
    return (
        f"to_char({moment} at time zone 'UTC', case when {moment} = date_trunc('second', {moment})"
        ' then \'YYYY-MM-DD"T"HH24:MI:SS"+00:00"\' else \'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"\' end)'
    )


_SCORES = f"""
with rules as materialized (
  select * from jsonb_to_recordset(%(rules)s::jsonb) as r(place int, key text, part int, label text, each int, most int,
    from_works bool, per_asserter bool, halved_after float8, yields_to text)
),
counted as (
  select f.author_id, c.* from bulk_facts f cross join lateral (values
    ('first_work', least(f.works, 1), f.works_source, f.seen_at),
    ('each_work', f.works, f.works_source, f.seen_at),
    ('close_collaborator', f.close, '{COUNTED}', f.seen_at),
    ('ror_affiliation', (f.ror <> '')::int, f.ror, f.ror_seen_at)
  ) c(kind, n, source, date) where c.n > 0
),
told as (
  select l.author_id, l.kind, count(*) as n, count(distinct coalesce(nullif(l.asserted_by, ''), l.source)) as asserters,
    string_agg(distinct l.source, ', ' order by l.source) as sources,
    max(l.source) filter (where back = 1) as newest, max(l.observed_at) as date,
    max(l.expires_at) filter (where back = 1) as expires
  from bulk_lines l group by l.author_id, l.kind
),
all_lines as (
  select c.author_id, r.place, r.part, r.key, r.label, least(r.each::bigint * c.n, r.most) as points,
    c.n::bigint as n, c.source, c.date, null::timestamptz as expires
  from counted c join rules r on r.key = c.kind and r.from_works
  union all
  select t.author_id, r.place, r.part, r.key, r.label,
    case when r.halved_after is null then least(r.each * counted.n, r.most)
      when t.date + make_interval(secs => r.halved_after) > %(at)s then r.each else r.each / 2 end,
    counted.n, case when r.halved_after is null then t.sources else t.newest end, t.date, t.expires
  from told t join rules r on r.key = t.kind and not r.from_works
  cross join lateral (select case when r.halved_after is not null or r.most = r.each then 1
    when r.per_asserter then t.asserters else t.n end as n) counted
  left join told stronger on stronger.author_id = t.author_id and stronger.kind = r.yields_to
  where stronger.author_id is null
),
lines as (
  select a.author_id, a.place, a.part, a.points, jsonb_build_object('rule', a.key, 'label', a.label,
    'points', a.points, 'count', a.n, 'source', a.source, 'date', {_iso("a.date")}, 'expires', {_iso("a.expires")}) as line
  from all_lines a
),
summed as (
  select author_id, {{sums}} from lines group by author_id
),
moments as (
  select l.author_id, min(moment) as next_change_at from bulk_lines l left join rules r on r.key = l.kind
  cross join lateral (values (l.expires_at), (l.observed_at + make_interval(secs => r.halved_after))) m(moment)
  where moment > %(at)s group by l.author_id
),
levels as ({{levels}})
select f.author_id, ({{value}})::smallint as value, coalesce(v.level, (f.works > 0)::int)::smallint as level,
  jsonb_build_array({{parts}}) as parts, m.next_change_at
from bulk_facts f left join summed s using (author_id) left join levels v using (author_id)
left join moments m using (author_id)
"""  # noqa: S608


def recompute_scores(
    *, batch: int = BATCH, at: datetime | None = None, told: Callable[[int], None] | None = None
) -> tuple[int, int]:
    """Work out every score anew; return how many authors there are and how many values or levels changed.

    One transaction per batch of authors, each beside no drain of trust marks, so that neither overwrites what the
    other read later. told: called with the number done so far.
    """
    done = changed = 0
    for low, high, count in _ranges(batch):
        with transaction.atomic():
            query("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, Mark.What.TRUST])
            moment = at or database_now()
            work_out(low, high, moment, formula_of())
            changed += write_scores("select * from bulk_score", at=moment)
        done += count
        if told:
            told(done)
    return done, changed


_MOVED = """
select a.pid, case when a.suppressed then '' else a.display_name end as name, t.level as old_level, b.level,
  t.value as old_value, b.value
from bulk_score b join trust_trustscore t using (author_id) join works_author a on a.id = b.author_id
where t.frozen_at is null and t.level <> b.level
"""


_DIFFERENT = """
select b.author_id, t.value, t.level, b.value, b.level
from bulk_score b left join trust_trustscore t using (author_id)
where t.frozen_at is null
  and (t.value, t.level, t.parts, t.next_change_at) is distinct from (b.value, b.level, b.parts, b.next_change_at)
  and not exists (select from works_mark m where m.what in ('counts', 'collaborations', 'trust') and m.object_id = b.author_id)
  and not coalesce(t.next_change_at <= now(), false)
order by b.author_id
"""


@dataclass
class Preview:
    """What a recompute would change. levels: authors by (level now, level then); rows: whose level would change."""

    authors: int = 0
    values: int = 0
    first: int = 0
    frozen: int = 0
    levels: Counter[tuple[int, int]] = field(default_factory=Counter)
    rows: list[tuple[str, str, int, int, int, int]] = field(default_factory=list)


def preview_scores(
    *, formula: Formula, batch: int = BATCH, at: datetime | None = None, most: int | None = 20
) -> Preview:
    """Work out every score by a formula, write nothing, and return what would change.

    most: rows to return, (pid, name, level now, then, value now, then); None for all. Names of hidden people are
    left out. Scores that a dispute freezes stay, and those not worked out yet are only counted.
    """
    found = Preview()
    for low, high, count in _ranges(batch):
        with transaction.atomic():
            work_out(low, high, at or database_now(), formula)
            found.authors += count
            first, frozen, values = query(
                "select count(*) filter (where t.author_id is null), count(*) filter (where t.frozen_at is not null),"
                " count(*) filter (where t.frozen_at is null and t.value <> b.value)"
                " from bulk_score b left join trust_trustscore t using (author_id)"
            )[0]
            found.first += first
            found.frozen += frozen
            found.values += values
            levels = f"select old_level, level, count(*) from ({_MOVED}) m group by 1, 2"  # noqa: S608
            for before, after, authors in query(levels):
                found.levels[before, after] += authors
            left = None if most is None else most - len(found.rows)
            found.rows += query(f"{_MOVED} order by b.author_id limit %s", [left])
    return found


def compare_scores(*, batch: int = BATCH, at: datetime | None = None) -> list[tuple[Any, ...]]:
    """Return what stands where the formula gives something else: (author, value, level, value given, level given).

    Frozen scores and those that wait for a worker are left out. What one look finds wrong is looked at once more, so
    that a worker who writes at this moment is no mistake.
    """
    wrong: list[tuple[Any, ...]] = []
    for low, high, _ in _ranges(batch):
        found: set[int] = set()
        for _ in range(2):
            with transaction.atomic():
                work_out(low, high, at or database_now(), formula_of())
                rows = query(_DIFFERENT)
            found = {row[0] for row in rows} & (found or {row[0] for row in rows})
            if not found:
                break
        wrong += [row for row in rows if row[0] in found]
    return wrong


def work_out(low: int, high: int, at: datetime, formula: Formula) -> None:
    """Fill bulk_score with what the formula gives the standing authors of a range of ids. Call it in a transaction."""
    execute("set local jit = off")
    execute("set local work_mem = '256MB'")
    values = {"low": low, "high": high}
    _table("bulk_who", _WHO, values, "as_id")
    _table("bulk_works", _READS.works, {}, "as_id")
    _table("bulk_close", _READS.close, {}, "as_id")
    _table("bulk_affiliations", _READS.affiliations, {}, "as_id")
    _table("bulk_ledger", _READS.ledger, {}, "as_id")
    _table("bulk_facts", _FACTS, values, "author_id")
    score_facts(at, formula)


def score_facts(at: datetime, formula: Formula) -> None:
    """Fill bulk_score from bulk_facts and bulk_ledger. Call it in a transaction."""
    _table("bulk_lines", _LINES, {"at": at}, "author_id")
    parts = list(formula.caps)
    rules = [
        {
            "place": place, "key": rule.key, "part": parts.index(rule.part), "label": rule.label, "each": rule.each,
            "most": rule.most, "from_works": rule.from_works, "per_asserter": rule.per_asserter,
            "halved_after": rule.halved_after.total_seconds() if rule.halved_after else None,
            "yields_to": rule.yields_to,
        }
        for place, rule in enumerate(formula.rules)
    ]  # fmt: skip
    values = {"at": at, "rules": json.dumps(rules)}
    names = {f"part_{number}": name for number, name in enumerate(parts)}
    caps = {f"cap_{number}": cap for number, cap in enumerate(formula.caps.values())}
    points = [f"coalesce(s.points_{number}, 0)" for number in range(len(parts))]
    sql = _SCORES.format(
        levels=LEVEL_SQL[formula.levels],
        sums=", ".join(
            f"least(coalesce(sum(points) filter (where part = {number}), 0), %(cap_{number})s::int) as points_{number},"
            f" jsonb_agg(line order by place) filter (where part = {number}) as lines_{number}"
            for number in range(len(parts))
        ),
        value=" + ".join(points),
        parts=", ".join(
            f"jsonb_build_object('name', %(part_{number})s::text, 'cap', %(cap_{number})s::int, 'points', {points[number]},"
            f" 'lines', coalesce(s.lines_{number}, '[]'))"
            for number in range(len(parts))
        ),
    )
    _table("bulk_score", sql, {**values, **names, **caps}, "author_id")


def _table(name: str, sql: str, values: Mapping[str, object], key: str) -> None:
    """Make a table of this transaction from a query, and have the database look at it. name and key are ours."""
    execute(f"drop table if exists pg_temp.{name}")
    execute(f"create temporary table {name} on commit drop as {sql}", values)  # type: ignore[arg-type]
    execute(f"analyze {name} ({key})")


def _ranges(batch: int) -> Iterator[tuple[int, int, int]]:
    """Yield ranges of ids with about so many standing authors in each: the first id, the last, and how many."""
    last = 0
    while True:
        ((low, high, count),) = query(
            "select min(id), max(id), count(*) from ("
            "  select id from works_author where merged_into_id is null and id > %s order by id limit %s) batch",
            [last, batch],
        )
        if not count:
            return
        yield low, high, count
        last = high
