"""Reads what graph.recommending works on: who wrote which works, when, on what."""

from datetime import date
from typing import Any

from bzpeer.lib import sql
from graph.algorithms.ties import MOST_AUTHORS
from graph.recommending import Facts, WorkFact, make_facts

EPOCH = date(1970, 1, 1)
WORKS_OF_ONE = 40  # of the people near somebody, the newest works are enough

# A work of which only the year is known counts from its last day: nothing is known before it was. This year's are of today at
# the latest.
_WORKS = """
select w.id, least(coalesce(w.publication_date, make_date(w.publication_year, 12, 31)), current_date) - date '1970-01-01',
       w.authors_count, w.title
from works_work w
where w.publication_year is not null and w.authors_count <= %s and not w.is_withdrawn {which} order by w.id"""
_AUTHORSHIPS = """
select s.work_id, coalesce(a.merged_into_id, a.id)
from works_authorship s join works_author a on a.id = s.author_id where not a.suppressed {which}"""
_PLACES = """
select w.work_id, 't' || w.topic_id from works_worktopic w where true {which}
union all select w.id, 's' || w.source_id from works_work w where w.source_id is not null {which_work}"""
_NEWEST_WORKS = """
select distinct newest.work_id from unnest(%s::bigint[]) wanted(id)
join works_author a on a.id = wanted.id or a.merged_into_id = wanted.id
cross join lateral (
  select s.work_id from works_authorship s where s.author_id = a.id order by s.work_id desc limit %s
) newest"""


def day_number(day: date) -> int:
    return (day - EPOCH).days


def all_facts() -> Facts:
    """Read the whole catalogue; for measuring, on one that fits in memory."""
    return _facts("", "", "", "", [])


def facts_around(author_ids: list[int]) -> Facts:
    """Read the newest works of these people with everybody who wrote them."""
    works = [row[0] for row in sql.query(_NEWEST_WORKS, [author_ids, WORKS_OF_ONE])]
    return _facts(
        "and w.id = any(%s)", "and s.work_id = any(%s)", "and w.work_id = any(%s)", "and w.id = any(%s)", [works]
    )  # fmt: skip


def _facts(which: str, whose: str, on: str, at: str, params: list[Any]) -> Facts:
    works = [WorkFact(*row) for row in sql.query(_WORKS.format(which=which), [MOST_AUTHORS, *params])]
    authorships = sql.query(_AUTHORSHIPS.format(which=whose), params)
    places = sql.query(_PLACES.format(which=on, which_work=at), params * 2)
    return make_facts(works, authorships, places)


_NEAREST = """
select s.id, n.other from unnest(%s::bigint[]) s(id) cross join lateral (
  select other, weight from (
    select author_b_id as other, weight from graph_collaboration where author_a_id = s.id
    union all select author_a_id, weight from graph_collaboration where author_b_id = s.id
  ) ties order by weight desc, other limit %s
) n order by n.weight desc, s.id, n.other"""
_ON_TOPICS = """
select distinct coalesce(a.merged_into_id, a.id) from unnest(%s::bigint[]) t(id)
cross join lateral (
  select w.work_id from works_worktopic w where w.topic_id = t.id order by w.work_id desc limit %s
) newest
join works_authorship s on s.work_id = newest.work_id join works_author a on a.id = s.author_id"""


def nearest_collaborators(author_ids: list[int], most: int) -> list[int]:
    """Return with whom these people wrote, the strongest ties first; at most so many of each."""
    return list(dict.fromkeys(row[1] for row in sql.query(_NEAREST, [author_ids, most])))


def people_on_topics(topic_ids: list[int], works: int) -> list[int]:
    """Return who wrote the works on these topics that came in last, so many of each."""
    return sorted(row[0] for row in sql.query(_ON_TOPICS, [topic_ids, works]))
