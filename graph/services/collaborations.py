"""Who wrote with whom, derived from authorships in sets.

The weight of a pair is the sum of 1 / (n - 1) over shared works (Newman 2001), where n is the work's
`authors_count`: the authors its record lists, whether or not each of them has been found in our catalogue.
So an import that resolves one more name changes no weight between the others. Authors merged into another
count as that one; merges are one step deep.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction

from bzpeer.lib.doorbell import ring
from graph.algorithms.ties import CLOSE_AUTHORS, CLOSE_WORKS, MOST_AUTHORS, SMALL_AUTHORS
from works.models import Mark
from works.services.marks import mark

METHOD_VERSION = 1

_LIMITS = {
    "most": MOST_AUTHORS,
    "small": SMALL_AUTHORS,
    "close_authors": CLOSE_AUTHORS,
    "close_works": CLOSE_WORKS,
    "version": METHOD_VERSION,
}

# {mine}: the (work_id, author_id) from whose side the pairs are made. The sum is numeric, so that the order
# of the works cannot change its last digit.
_PAIRS = """
mine as materialized ({mine}),
shared as materialized (
  select w.id, greatest(w.authors_count, 2) as n, w.publication_year as year from works_work w
  where w.authors_count <= %(most)s and w.id in (select work_id from mine)
),
everyone as materialized (
  select distinct s.work_id, coalesce(a.merged_into_id, a.id) as author_id
  from works_authorship s join works_author a on a.id = s.author_id
  where s.work_id in (select id from shared)
),
meetings as (
  select distinct least(m.author_id, e.author_id) as a, greatest(m.author_id, e.author_id) as b, w.id, w.n, w.year
  from mine m join shared w on w.id = m.work_id
  join everyone e on e.work_id = m.work_id and e.author_id <> m.author_id
),
pairs as materialized (
  select a, b, count(*) as works_count, count(*) filter (where n <= %(small)s) as small_works_count,
         min(n) as min_authors_count, sum(1.0 / (n - 1))::float8 as weight,
         min(year) as first_year, max(year) as last_year
  from meetings group by a, b
)"""

_MINE_OF_SOME = """
  select distinct s.work_id, coalesce(a.merged_into_id, a.id) as author_id
  from works_author a join works_authorship s on s.author_id = a.id
  where a.id = any(%(ids)s) or a.merged_into_id = any(%(ids)s)"""

_MINE_OF_ALL = """
  select distinct s.work_id, coalesce(a.merged_into_id, a.id) as author_id
  from works_author a join works_authorship s on s.author_id = a.id"""

_FACTS = "works_count, small_works_count, min_authors_count, weight, first_year, last_year"

_REBUILD = f"""
with {_PAIRS.format(mine=_MINE_OF_SOME)},
written as (
  insert into graph_collaboration as c (author_a_id, author_b_id, {_FACTS}, method_version, computed_at)
  select a, b, {_FACTS}, %(version)s, now() from pairs order by a, b
  on conflict (author_a_id, author_b_id) do update set
    ({_FACTS}, method_version, computed_at) = (
      excluded.works_count, excluded.small_works_count, excluded.min_authors_count, excluded.weight,
      excluded.first_year, excluded.last_year, excluded.method_version, excluded.computed_at)
  where (c.works_count, c.small_works_count, c.min_authors_count, c.weight, c.first_year, c.last_year,
         c.method_version)
    is distinct from (
      excluded.works_count, excluded.small_works_count, excluded.min_authors_count, excluded.weight,
      excluded.first_year, excluded.last_year, excluded.method_version)
  returning author_a_id, author_b_id
),
gone as (
  delete from graph_collaboration c
  where (c.author_a_id = any(%(ids)s) or c.author_b_id = any(%(ids)s))
    and not exists (select from pairs p where p.a = c.author_a_id and p.b = c.author_b_id)
  returning author_a_id, author_b_id
)
select author_a_id, author_b_id from written union all select author_a_id, author_b_id from gone
"""  # noqa: S608

_CLOSE_COUNT = """
select count(*) from (
  select from graph_collaboration where author_a_id = t.id
    and (small_works_count >= %(close_works)s or min_authors_count <= %(close_authors)s)
  union all
  select from graph_collaboration where author_b_id = t.id
    and (small_works_count >= %(close_works)s or min_authors_count <= %(close_authors)s)
) close"""

# Rows are locked in the order of their ids, as works.services.counts does: the two may run at once.
_RECOUNT_CLOSE = f"""
with wanted as (
  select t.id, ({_CLOSE_COUNT}) as n from unnest(%(ids)s::bigint[]) t(id)
),
locked as (
  select a.id, w.n from works_author a join wanted w on w.id = a.id
  where a.close_collaborators_count <> w.n order by a.id for no key update of a
)
update works_author a set close_collaborators_count = locked.n, version = a.version + 1, updated_at = now()
from locked where locked.id = a.id returning a.id
"""  # noqa: S608

_CHECK = f"""
with {_PAIRS.format(mine=_MINE_OF_ALL)}
select count(*) filter (where c.id is null), count(*) filter (where p.a is null),
       count(*) filter (where c.id is not null and p.a is not null and
         (p.works_count, p.small_works_count, p.min_authors_count, p.weight, p.first_year, p.last_year)
         is distinct from
         (c.works_count, c.small_works_count, c.min_authors_count, c.weight, c.first_year, c.last_year)),
       count(p.a)
from pairs p full join graph_collaboration c on c.author_a_id = p.a and c.author_b_id = p.b
"""  # noqa: S608

_CHECK_CLOSE = f"""
select count(*) from works_author t where t.close_collaborators_count <> ({_CLOSE_COUNT})
"""  # noqa: S608


@transaction.atomic
def rebuild_collaborations(author_ids: list[int]) -> None:
    """Bring the pairs of these authors in line with the works; write only what changed.

    Leaves marks for the trust of whoever it concerns and for the built slices that draw them.
    Handler of Mark.What.COLLABORATIONS; running it twice changes nothing.
    """
    ids = _with_merge_targets(author_ids)
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_REBUILD, {**_LIMITS, "ids": ids})
        touched = {author_id for pair in cursor.fetchall() for author_id in pair} | set(ids)
        cursor.execute(_RECOUNT_CLOSE, {**_LIMITS, "ids": sorted(touched)})
        recounted = {row[0] for row in cursor.fetchall()}
    mark(Mark.What.TRUST, recounted | set(ids), "collaborations rebuilt")
    mark_slices_of(touched, "collaborations rebuilt")


def mark_slices_of(author_ids: Iterable[int], why: str) -> None:
    """Mark the built slices that draw one of these authors, and ring for them."""
    from graph.tasks import drain_slices

    with connection.cursor() as cursor:
        cursor.execute(
            "select id from graph_graphslice where author_ids && %s::bigint[] and payload is not null",
            [sorted(author_ids)],
        )
        slice_ids = [row[0] for row in cursor.fetchall()]
    if slice_ids:
        mark(Mark.What.SLICE, slice_ids, why)
        ring(drain_slices)


@dataclass(frozen=True)
class CollaborationCheck:
    """How far the stored pairs are from what the works say; all zero but `pairs` when they agree."""

    pairs: int
    missing: int
    surplus: int
    different: int
    wrong_close_counts: int

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.surplus or self.different or self.wrong_close_counts)


def check_collaborations() -> CollaborationCheck:
    """Compute every pair anew and compare; reads all authorships, so run it beside quiet hours."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECK, _LIMITS)
        missing, surplus, different, pairs = cursor.fetchone()
        cursor.execute(_CHECK_CLOSE, _LIMITS)
        return CollaborationCheck(pairs, missing, surplus, different, cursor.fetchone()[0])


def _with_merge_targets(author_ids: Iterable[int]) -> list[int]:
    """Return the ids, ascending, with the authors they were merged into: their pairs change too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id from unnest(%(ids)s::bigint[]) id union"
            " select merged_into_id from works_author where id = any(%(ids)s) and merged_into_id is not null",
            {"ids": list(author_ids)},
        )
        return sorted(row[0] for row in cursor.fetchall())
