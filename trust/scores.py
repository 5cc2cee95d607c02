"""How scores are written: only what changed, with a line of the timeline for each change, in one statement."""

from datetime import datetime
from typing import Any

from django.db import connection

from trust.algorithms import FORMULA_VERSION

# What the rules give more or less than before, as TrustChange.differences; 'lines' of the stored parts.
_DIFFERENCES = """
coalesce((
  select jsonb_agg(jsonb_build_object('rule', rule, 'label', label, 'points', points) order by points desc, rule)
  from (
    select rule, max(label) as label, sum(points) as points from (
      select line ->> 'rule' as rule, line ->> 'label' as label, (line ->> 'points')::int as points
      from jsonb_path_query(moved.parts, '$[*].lines[*]') line
      union all
      select line ->> 'rule', line ->> 'label', - (line ->> 'points')::int
      from jsonb_path_query(moved.old_parts, '$[*].lines[*]') line
    ) both_sides group by rule having sum(points) <> 0
  ) differing
), '[]')
"""

# Rows are locked in the order of their ids, scores before authors: whoever writes both does it in this order.
_WRITE = """
with given as ({given}),
differing as materialized (
  select g.* from given g left join trust_trustscore t on t.author_id = g.author_id
  where t.author_id is null or t.frozen_at is null
    and (t.value, t.level, t.parts, t.formula_version, t.next_change_at) is distinct from
        (g.value, g.level, g.parts, %(version)s, g.next_change_at)
),
written as (
  insert into trust_trustscore as t (author_id, value, level, parts, formula_version, computed_at, next_change_at)
  select author_id, value, level, parts, %(version)s, %(at)s, next_change_at from differing order by author_id
  on conflict (author_id) do update set value = excluded.value, level = excluded.level, parts = excluded.parts,
    formula_version = excluded.formula_version, computed_at = excluded.computed_at,
    next_change_at = excluded.next_change_at
  where t.frozen_at is null
    and (t.value, t.level, t.parts, t.formula_version, t.next_change_at) is distinct from
        (excluded.value, excluded.level, excluded.parts, excluded.formula_version, excluded.next_change_at)
  returning author_id, old.value as old_value, old.level as old_level, old.parts as old_parts, new.value, new.level,
    new.parts
),
moved as (
  select * from written where (old_value, old_level) is distinct from (value, level)
),
told as (
  insert into trust_trustchange (author_id, at, old_value, value, old_level, level, formula_version, differences)
  select author_id, %(at)s, old_value, value, old_level, level, %(version)s, {differences}
  from moved where old_value is not null or value > 0 or level > 0 order by author_id
),
seen as (
  select a.id from works_author a join moved on moved.author_id = a.id order by a.id for no key update of a
)
update works_author a set version = a.version + 1, updated_at = now() from seen where seen.id = a.id
"""


def write_scores(given: str, *, at: datetime, **values: Any) -> int:
    """Write scores made by the formula in force at a moment; return how many values or levels changed.

    given: SQL of (author_id, value, level, parts, next_change_at), ours and never a user's; values: its parameters.
    """
    sql = _WRITE.format(given=given, differences=_DIFFERENCES)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"version": FORMULA_VERSION, "at": at, **values})
        return cursor.rowcount


def database_now() -> datetime:
    """Return the moment at which this transaction began, by the database's clock: the one all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("select now()")
        moment: datetime = cursor.fetchone()[0]
    return moment
